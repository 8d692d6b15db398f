"""Sub-variance preserving: the drift of variance preserving, and less noise early on."""

import sympy

from bounds.annotations import Expression
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import real_function
from bounds.symbolic.integrals import DUMMY, TIME, integral


def sub_vp(beta: Expression) -> ForwardProcess:
    r"""Sub-variance preserving: f = β/2, g² = β(1 − e^{−2∫β}) (Song et al. 2021).

    Parameters
    ----------
    beta : sympy expression, number or str
        β(t) >= 0.

    Raises
    ------
    ValueError, TypeError
        If it is no function of t alone, or sympy finds no closed form of ∫β.
    """
    beta = real_function("beta", beta)
    total = integral(beta.subs(TIME, DUMMY), DUMMY, 0, TIME).expression
    if total.has(sympy.Integral):
        raise ValueError(f"sub-vp: beta must have a closed-form integral, got {beta}")
    return ForwardProcess.scalar("sub-vp", beta / 2, beta * (1 - sympy.exp(-2 * total)), {"beta": str(beta)})


FAMILY = Family("sub-vp", sub_vp, {"beta": Coefficient(example="1/10 + 199/10*t")})
