r"""Iteration complexity K(ε, d) of a theorem on a process: f and g go in, sympy limits give the orders."""

from dataclasses import replace
from functools import cache, lru_cache

import sympy

from bounds.annotations import Symbolic
from bounds.argument import unit_of
from bounds.claim.statement import ClosedForm, Recursion
from bounds.complexity.growth import (
    ACCURACY,
    LATE,
    Complexity,
    NoOrder,
    Order,
    growth_of,
    integral_order,
    larger,
    limit,
)
from bounds.complexity.of_claims import orders_of_claim
from bounds.leading import Density, Leading, R, a, f, slope
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.symbolic.integrals import DUMMY, TIME, integral, tidy
from bounds.theorem import Theorem
from bounds.theorems import theorems

__all__ = ["complexity", "of_process"]

_RATE, _DRIFT = sympy.symbols("lambda f", positive=True)


def complexity(theorem: Theorem | str, drift: Symbolic | float, diffusion_sq: Symbolic | float,
               start: Theorem | str | None = None) -> Complexity:
    r"""The orders of a theorem for dX = −f X dt + g dB on a uniform grid.

    Parameters
    ----------
    theorem : Theorem or str
        Or its key.
    drift, diffusion_sq : sympy expressions
        f and g² as functions of t, ``sympy.Symbol("t", nonnegative=True)``; other symbols must be declared
        positive.
    start : Theorem or str, optional
        Whose initial error the theorem starts from in place of its own: any bound of W2(p_T, prior) will do.

    Raises
    ------
    NoOrder
        If the theorem states no leading order or does not hold for the process, ∫f has no closed form, the
        initial error does not vanish, or a limit depends on the parameters or is not found.

    Source: docs/theory.md section 7.
    """
    theorem = unit_of("theorem", theorem, Theorem, theorems())
    drift, diffusion_sq = sympy.sympify(drift), sympy.sympify(diffusion_sq)
    if claimed := isinstance(theorem.evaluate, Recursion | ClosedForm):
        if start is not None:
            raise NoOrder(f"{theorem.key}: a claim starts from its own initial error")
    else:
        leading = _leading(theorem, drift, diffusion_sq)
        if start is not None:
            other = _leading(unit_of("start", start, Theorem, theorems()), drift, diffusion_sq)
            leading = replace(leading, initial=other.initial,
                              assumes=", ".join(filter(None, (leading.assumes, other.assumes))))
    try:
        if claimed:
            return orders_of_claim(theorem, drift, diffusion_sq)
        return replace(_derived(leading, drift, diffusion_sq), theorem=theorem.key)
    except NoOrder:
        raise
    except Exception as error:  # sympy gives up in many ways
        raise NoOrder(f"sympy fails on f = {drift}, g² = {diffusion_sq} ({type(error).__name__})") from None


def _leading(theorem: Theorem, drift, diffusion_sq) -> Leading:
    if theorem.leading is None:
        raise NoOrder(f"{theorem.key} states no leading order")
    leading = theorem.leading()
    if reason := leading.unmet(drift, diffusion_sq):
        raise NoOrder(f"{theorem.key}: {reason}")
    return leading


@lru_cache(maxsize=256)
def _derived(leading: Leading, drift, diffusion_sq) -> Complexity:
    """The orders, remembered: theorems may share a leading order."""
    dynamics = _dynamics(drift, diffusion_sq)
    growth = dynamics.growth
    power, factor = _initial_decay(leading.initial)
    horizon = growth.horizon_order if growth.level else growth.horizon_order ** (1 / power)

    def accumulated(density):
        """∫_0^T at this theorem's T: a power of T is there that of the time at which R = √d/ε."""
        size, bounded = dynamics.accumulated(density)
        return (size if growth.level or size.log != 0 else size ** (1 / power)), bounded

    discretisation, converges = Order(), True
    for density in leading.steps:
        size, bounded = accumulated(density)
        converges &= bounded
        discretisation = larger(discretisation, size ** sympy.Rational(1, density.p))
    score, _ = accumulated(leading.score)
    inverse = 1 / sympy.sympify(leading.step_power)
    # h^p √d I = ε/2
    step = (ACCURACY * discretisation) ** (-inverse)
    horizon_factor = growth.horizon_factor(1 / power, 2 * factor)
    integral, h = sympy.Symbol("I", positive=True), sympy.Symbol("h", positive=True)
    constant = sympy.simplify(horizon_factor * (2 * integral) ** inverse) if converges else None
    return Complexity(theorem="", horizon=horizon, step=step, score_error=Order(eps=sympy.S.One) * score**-1,
                      steps=horizon * step**-1, growth=growth, horizon_factor=horizon_factor,
                      leading_constant=constant, error=leading.initial + h**leading.step_power * integral,
                      assumes=leading.assumes)


def of_process(theorem: Theorem | str, process: ForwardProcess | str) -> Complexity:
    """`complexity` for a process.

    Parameters
    ----------
    theorem : Theorem or str
        Or its key.
    process : ForwardProcess or str
        Of one block, or the key of a family without coefficients to choose.

    Raises
    ------
    NoOrder
        As `complexity`.
    """
    process = process_of(process)
    return complexity(theorem, process.f, process.g_sq)


class Dynamics:
    r"""f and g² for t → ∞: a′/a = −f, R = s²/a² with R′ = g²/a², and the growth of R."""

    def __init__(self, drift, diffusion_sq):
        # in the positive time, real symbols unchanged
        self.f, self.g_sq = (sympy.sympify(value).subs(TIME, LATE) for value in (drift, diffusion_sq))
        found = integral(self.f.subs(LATE, DUMMY), DUMMY, sympy.S.Zero, LATE)
        if found.route != "closed form":
            raise NoOrder(f"∫f must have a closed form, sympy found none for f = {drift}")
        if limit(self.f).is_negative:
            raise NoOrder(f"f must not stay negative, got f = {drift}")
        #: (Order of ∫_0^T of a density, whether it converges), remembered: theorems share densities.
        self.accumulated = cache(self._accumulated)
        log_slope = tidy(2 * self.f + sympy.diff(self.g_sq, LATE) / self.g_sq)
        self.growth = growth_of(log_slope, 2 * found.expression + sympy.log(self.g_sq))

    def _accumulated(self, density: Density) -> tuple[Order, bool]:
        rate = self.growth.rate
        known = {_DRIFT: self.f, _RATE: rate}
        power, tail = _tail(density.expression, self.f != 0)
        if tail == 0:
            return Order(), True
        logarithmic = (sympy.diff(tail.subs(known), LATE) / tail.subs(known) if tail.has(_DRIFT, _RATE)
                       else sympy.S.Zero)
        logarithmic += -power * rate - self.f * a * sympy.diff(tail, a).subs(known) / tail.subs(known)
        return _order_of_integral(logarithmic, self.growth)


@lru_cache(maxsize=256)
def _order_of_integral(logarithmic, growth) -> tuple[Order, bool]:
    # as one fraction: sympy's limit takes longer for a sum, and simplifying longer than both
    return integral_order(sympy.cancel(logarithmic), growth)


@lru_cache(maxsize=256)
def _tail(expression, drifts: bool) -> tuple:
    """(k, c): the density tends to c R^{−k}, f (or none) and R′/R as they are; (0, 0) if it vanishes."""
    expression = _eventually(expression.subs({slope: _RATE * R, f: _DRIFT if drifts else 0}))
    if sympy.simplify(expression) == 0:
        return sympy.S.Zero, sympy.S.Zero
    power = limit(-R * sympy.diff(expression, R) / expression, R)
    return power, limit(expression * R**power, R)


@lru_cache(maxsize=256)
def _dynamics(drift, diffusion_sq) -> Dynamics:
    return Dynamics(drift, diffusion_sq)


def _eventually(expression):
    """Min and Max replaced by the argument that wins as R → ∞."""

    def winner(kind):
        def choose(*arguments):
            best = arguments[0]
            for other in arguments[1:]:
                ratio = limit(other / best, R)
                smaller = ratio == 0 or (ratio - 1).is_negative
                best = other if smaller == (kind is sympy.Min) and ratio != 1 else best
            return best

        return choose

    for kind in (sympy.Min, sympy.Max):
        expression = expression.replace(kind, winner(kind))
    return expression


@lru_cache(maxsize=256)
def _initial_decay(initial):
    """(k, c): the initial error tends to c R^{−k}."""
    power = limit(-R * sympy.diff(initial, R) / initial, R)
    return power, limit(initial * R**power, R)
