"""Integrals over time in closed form where sympy finds one in time, and the symbols they are written in."""

from dataclasses import dataclass
from functools import lru_cache

import sympy

from bounds.symbolic.agreement import is_integral
from bounds.symbolic.deadline import attempt

TIME = sympy.Symbol("t", nonnegative=True)
START = sympy.Symbol("r", nonnegative=True)
END = sympy.Symbol("tau", nonnegative=True)
DUMMY = sympy.Symbol("u", nonnegative=True)
INNER = sympy.Symbol("w", nonnegative=True)

#: Seconds sympy may spend on one closed form before quadrature takes over.
CLOSED_FORM_SECONDS = 5.0

#: What a closed form must not hold.
UNDEFINED = (sympy.Integral, sympy.Piecewise, sympy.zoo, sympy.nan, sympy.oo)


@dataclass(frozen=True)
class Derived:
    """What sympy derived, by the route "closed form" or "quadrature" (then an unevaluated integral)."""

    expression: sympy.Expr
    route: str


def integral(integrand, variable, start, end) -> Derived:
    """∫ integrand d(variable) from start to end >= start, in closed form if sympy finds one in time.

    What is found is remembered.

    Sympy's answer is not taken on trust: it may hold on a part of the line only, as beyond the first zeros of
    \\|cos t\\|, or leave the case to the reader.  One that quadrature contradicts is no closed form.
    """
    found = attempt(lambda: _closed_form(integrand, variable, start, end), None, CLOSED_FORM_SECONDS)
    if found is None:
        return Derived(sympy.Integral(integrand, (variable, start, end)), "quadrature")
    return Derived(tidy(found), "closed form")


@lru_cache(maxsize=256)
def _closed_form(integrand, variable, start, end) -> sympy.Expr | None:
    """The integral as sympy finds it, of several cases the one that is true; None if there is none.

    What raises, a time limit among it, is not remembered.
    """
    found = sympy.integrate(integrand, (variable, start, end))
    cases = [case.expr for case in found.args] if isinstance(found, sympy.Piecewise) else [found]
    return next((case for case in cases if not case.has(*UNDEFINED)
                 and is_integral(case, integrand, variable, start, end)), None)


def tidy(expression):
    """The expression simplified, or as it is where that takes too long or sympy gives up."""
    return attempt(lambda: _simplified(expression), expression, CLOSED_FORM_SECONDS / 2)


@lru_cache(maxsize=256)
def _simplified(expression):
    return sympy.simplify(sympy.expand(expression, power_exp=False))


def at_start(derived: Derived, otherwise: sympy.Expr) -> Derived:
    """A function of (r, τ) at r = 0 and τ = t, as a limit where it is not defined at 0.

    ``otherwise`` is the same function with its integrals not worked out, for where sympy finds no limit.
    """
    found = None
    if derived.route == "closed form":
        found = attempt(lambda: _limit_at_start(derived.expression), None, CLOSED_FORM_SECONDS)
    if found is None:
        return Derived(otherwise.subs(START, 0).subs(END, TIME), "quadrature")
    return Derived(tidy(found), derived.route)


def _limit_at_start(expression) -> sympy.Expr | None:
    found = expression.subs(START, 0).subs(END, TIME)
    if found.has(sympy.zoo, sympy.nan):
        found = sympy.limit(expression, START, 0, "+").subs(END, TIME)
    return None if found.has(*UNDEFINED, sympy.Limit) else found
