"""Variance preserving: data of variance 1 keep it, under any schedule β(t)."""

from bounds.annotations import TimeFunction
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import real_function


def vp(beta: TimeFunction) -> ForwardProcess:
    r"""Variance preserving: f = β/2, g = √β (arXiv 2311.11003 section 2).

    Parameters
    ----------
    beta : sympy expression, number, str or callable
        β(t) >= 0.

    Raises
    ------
    ValueError, TypeError
        If it is no function of t alone.
    """
    beta = real_function("beta", beta)
    return ForwardProcess.scalar("vp", beta / 2, beta, {"beta": str(beta)})


FAMILY = Family("vp", vp, {"beta": Coefficient(example="1/10 + 199/10*t")})
