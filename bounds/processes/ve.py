"""Variance exploding: noise is added and nothing is forgotten, so that the variance grows without end."""

from bounds.annotations import TimeFunction
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import real_function


def ve(g: TimeFunction) -> ForwardProcess:
    """Variance exploding: f = 0, noise g(t) (arXiv 2311.11003 section 2).

    Parameters
    ----------
    g : sympy expression, number, str or callable
        Real, of any sign.

    Raises
    ------
    ValueError, TypeError
        If it is no function of t alone.
    """
    g = real_function("g", g)
    return ForwardProcess.scalar("ve", 0, g**2, {"g": str(g)})


FAMILY = Family("ve", ve, {"g": Coefficient(example="exp(t)")})
