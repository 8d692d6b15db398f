"""What a ball proves of a number, as digits and floats on the safe side."""

import decimal
import math
from dataclasses import dataclass
from fractions import Fraction

#: Most digits that are shown.
MOST_DIGITS = 30
#: Bits that may be asked for, and what is taken where none are.
LEAST_BITS, MOST_BITS, PRECISION = 64, 1024, 128


@dataclass(frozen=True)
class Proof:
    """What ball arithmetic proves of a number.

    Attributes
    ----------
    digits : str
        The number, with the digits on which both ends of its ball agree; empty if there are none.
    radius : float
        How far it may be from the middle of its ball, at most.
    precision : int
        Bits of the computation.
    """

    digits: str
    radius: float
    precision: int

    @classmethod
    def of(cls, ball, precision: int) -> "Proof":
        """From a ball."""
        return cls(proved_digits(ball), max(0.0, above(ball.rad())), precision)

    def as_dict(self) -> dict:
        """Plain data for JSON."""
        return {"digits": self.digits, "radius": self.radius, "precision": self.precision}


def check_precision(precision) -> int:
    """Refuse what is no number of bits."""
    if isinstance(precision, bool) or not isinstance(precision, int):
        raise TypeError(f"precision must be a whole number of bits, got {precision!r}")
    if not LEAST_BITS <= precision <= MOST_BITS:
        raise ValueError(f"precision must be from {LEAST_BITS} to {MOST_BITS} bits, got {precision}")
    return precision


def above(ball) -> float:
    """A float above a ball, the number itself if it is 0."""
    return 0.0 if ball == 0 else math.nextafter(float(ball.upper()), math.inf)


def below(ball) -> float:
    """A float below a ball."""
    return math.nextafter(float(ball.lower()), -math.inf)


def proved_digits(ball) -> str:
    """A ball as a decimal number with the digits on which its ends agree, at most `MOST_DIGITS`, or ""."""
    low, high = (_fraction(end) for end in (ball.lower(), ball.upper()))
    for digits in range(MOST_DIGITS, 0, -1):
        context = decimal.Context(prec=digits, Emax=10**6, Emin=-(10**6))
        found = {context.divide(decimal.Decimal(end.numerator), decimal.Decimal(end.denominator))
                 for end in (low, high)}
        if len(found) == 1:
            return f"{found.pop():.{digits}g}"
    return ""


def _fraction(end) -> Fraction:
    mantissa, exponent = end.mid().man_exp()
    return int(mantissa) * Fraction(2) ** int(exponent)
