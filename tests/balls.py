"""Balls next to numbers of many digits."""

from mpmath import mpf


def exactly(end):
    """The middle of a ball in mpmath."""
    mantissa, exponent = end.mid().man_exp()
    return mpf(int(mantissa)) * mpf(2) ** int(exponent)


def holds(ball, number, slack=0) -> bool:
    """Whether a real ball holds a number of mpmath that is known up to ``slack``."""
    return abs(exactly(ball) - number) <= exactly(ball.rad()) + slack


def number(ball) -> complex:
    """The middle of a real or complex ball as a complex float."""
    return complex(float(ball.real.mid()), float(ball.imag.mid()))
