"""The Ornstein–Uhlenbeck process at a rate of its own: the law of X_t is that of OU at time rate·t."""

from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import real_function


def ou_at_rate(rate) -> ForwardProcess:
    r"""Ornstein–Uhlenbeck at a rate: f = r, g = √(2r).

    Parameters
    ----------
    rate : sympy expression, number or str
        r > 0.
    """
    rate = real_function("rate", rate)
    return ForwardProcess.scalar("ou-at-rate", rate, 2 * rate, {"rate": str(rate)})


FAMILY = Family("ou-at-rate", ou_at_rate, {"rate": Coefficient(example="2")})
