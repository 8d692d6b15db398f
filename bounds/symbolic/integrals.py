"""Integrals over time in closed form where sympy finds one in time, and the symbols they are written in."""

from dataclasses import dataclass
from functools import lru_cache

import sympy

from bounds.symbolic.deadline import Deadline

TIME = sympy.Symbol("t", nonnegative=True)
START = sympy.Symbol("r", nonnegative=True)
END = sympy.Symbol("tau", nonnegative=True)
DUMMY = sympy.Symbol("u", nonnegative=True)

#: Seconds sympy may spend on one closed form before quadrature takes over.
CLOSED_FORM_SECONDS = 8.0


@dataclass(frozen=True)
class Derived:
    """What sympy derived, by the route "closed form" or "quadrature" (then an unevaluated integral)."""

    expression: sympy.Expr
    route: str


@lru_cache(maxsize=256)
def integral(integrand, variable, start, end) -> Derived:
    """∫ integrand d(variable) from start to end, in closed form if sympy finds one in time; remembered."""
    try:
        with Deadline(CLOSED_FORM_SECONDS):
            found = sympy.integrate(integrand, (variable, start, end))
            if isinstance(found, sympy.Piecewise):  # the last branch is the generic one
                found = found.args[-1].expr
            if not found.has(sympy.Integral, sympy.Piecewise, sympy.zoo, sympy.nan, sympy.oo):
                return Derived(tidy(found), "closed form")
    except (TimeoutError, NotImplementedError, ValueError, TypeError, AttributeError, RecursionError,
            KeyError, ZeroDivisionError, sympy.PolynomialError):
        pass  # sympy gives up in many ways; quadrature is the answer to all of them
    return Derived(sympy.Integral(integrand, (variable, start, end)), "quadrature")


@lru_cache(maxsize=256)
def tidy(expression):
    """The expression simplified, or as it is where that takes too long."""
    try:
        with Deadline(CLOSED_FORM_SECONDS / 2):
            return sympy.simplify(sympy.expand(expression, power_exp=False))
    except TimeoutError:
        return expression


def at_start(derived: Derived) -> Derived:
    """A function of (r, τ) at r = 0 and τ = t, as a limit where it is not defined at 0."""
    expression = derived.expression.subs(START, 0).subs(END, TIME)
    if derived.route == "closed form" and not expression.is_finite and expression.has(sympy.zoo, sympy.nan):
        expression = sympy.limit(derived.expression, START, 0, "+").subs(END, TIME)
    return Derived(tidy(expression), derived.route)
