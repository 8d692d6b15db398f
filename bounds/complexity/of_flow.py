r"""What samplers without noise do to N(0, v I) to leading order, in closed form, and the best grid for it.

A step of length h multiplies Y by J where the flow multiplies it by
:math:`((v+r^2)/(v+\tau^2))^{1/2}`; the log of their ratio is :math:`c(\sigma) h^{p+1} + \dots`, and
:math:`W_2 = \sqrt{dv}\,|\sum c h^{p+1}|` at time 0.  On a grid with n(σ) steps per unit of σ the sum is
:math:`\int c\,n^{-p} d\sigma`, which is least under :math:`\int n = K` where :math:`|c| n^{-p-1}` is
constant (Euler and Lagrange).

Source: docs/theory.md section 12.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy
from sympy.calculus.euler import euler_equations

from bounds.argument import check_key
from bounds.samplers import samplers
from bounds.steps.stages import Levels

__all__ = ["flow_order"]

#: Noise level, variance of the data, length of a step (in σ or in t), dimension, error, steps, and time.
SIGMA, V, H, D, EPS, K, T = sympy.symbols("sigma v h d epsilon K t", positive=True)
#: The noise level of a second evaluation.
MIDDLE = {"midpoint": lambda tau, r: (tau + r) / 2, "dpm-solver-2": lambda tau, r: sympy.sqrt(tau * r)}
#: Samplers on steps of σ, and on steps of t for OU.
OF_LEVELS, OF_TIME = ("ddim", "heun", "midpoint", "dpm-solver-2"), ("ode-euler", "ode-exponential")
#: Highest power of h looked at.
MOST = 5


@dataclass(frozen=True)
class FlowOrder:
    """One sampler on N(0, v I) to leading order.

    Attributes
    ----------
    sampler, variable : str
        Its key, and what steps are of: "σ" for any process, "t" for OU.
    order : int
        p: W2 = O(h^p).
    local_error : sympy expression
        c h^{p+1}, the log-error of a step.
    uniform : sympy expression or None
        W2 on equal steps of length h from far away down to 0; None where that is of lower order.
    density : sympy expression or None
        Of the steps of the best grid, up to a factor; None where no grid of σ is sought.
    best : sympy expression or None
        W2 on it with K steps.
    steps : sympy expression or None
        K for W2 = ε there: where c has one sign no grid does with fewer, to leading order.
    one_sign : bool
    """

    sampler: str
    variable: str
    order: int
    local_error: Any
    uniform: Any
    density: Any
    best: Any
    steps: Any
    one_sign: bool


def flow_order(sampler: str) -> FlowOrder:
    """The closed forms of a sampler of `OF_LEVELS` or `OF_TIME`.

    Raises
    ------
    ValueError
        For another.
    """
    check_key("sampler", sampler, (*OF_LEVELS, *OF_TIME))
    return _flow_order(sampler)


def flow_orders() -> list[FlowOrder]:
    """`flow_order` of all of them."""
    return [flow_order(key) for key in (*OF_LEVELS, *OF_TIME)]


@cache
def _flow_order(key: str) -> FlowOrder:
    of_levels = key in OF_LEVELS
    power, c = leading(_miss_of_levels(key) if of_levels else _miss_of_time(key))
    place = SIGMA if of_levels else T
    uniform = _along(c, place)
    if uniform is not None:
        uniform = sympy.simplify(sympy.sqrt(D * V) * sympy.Abs(uniform) * H ** (power - 1))
    one_sign = c.is_positive or c.is_negative
    if not of_levels:
        return FlowOrder(key, "t", power - 1, c * H**power, uniform, None, None, None, bool(one_sign))
    order = power - 1
    density = best_density(sympy.Abs(c), order)
    # ∫ c n^{-p} with n = K |c|^{1/(p+1)} / ∫|c|^{1/(p+1)}
    spread = _along(density, SIGMA)
    best = sympy.simplify(sympy.sqrt(D * V) * spread**power / K**order)
    steps = sympy.simplify(sympy.solve(sympy.Eq(best, EPS), K)[0])
    return FlowOrder(key, "σ", order, c * H**power, uniform, _plain_density(density), best, steps,
                     bool(one_sign))


def leading(miss) -> tuple[int, Any]:
    """(power, coefficient) of the first term of a function of h that is not 0."""
    for power in range(1, MOST + 1):
        miss = sympy.diff(miss, H)
        found = sympy.factor(sympy.simplify(miss.subs(H, 0)))
        if found != 0:
            return power, found / sympy.factorial(power)
    raise ValueError(f"sampler must have an order below {MOST}")


def best_density(size, order: int):
    """|c|^{1/(p+1)}: along which n the Euler–Lagrange equation of ∫|c| n^{-p} under ∫n = K holds."""
    count = sympy.Function("N")(SIGMA)
    (equation,) = euler_equations(size * sympy.Derivative(count, SIGMA) ** -order, count, SIGMA)
    density = size ** sympy.Rational(1, order + 1)
    left = equation.lhs.subs(sympy.Derivative(count, (SIGMA, 2)), sympy.diff(density, SIGMA))
    if sympy.simplify(left.subs(sympy.Derivative(count, SIGMA), density).doit()) != 0:
        raise ValueError(f"density must solve the Euler–Lagrange equation of {size}, got {density}")
    return density


def _plain_density(density):
    """Without factors that do not depend on σ."""
    return sympy.Mul(*(each for each in sympy.Mul.make_args(sympy.powsimp(density)) if each.has(SIGMA)))


def _miss_of_levels(key: str):
    """log of what a step from σ to σ − h makes of Y over what the flow does."""
    end, sampler = SIGMA - H, samplers()[key]
    middle = MIDDLE.get(key, lambda tau, r: r)(SIGMA, end)
    slope, again = SIGMA / (V + SIGMA**2), middle / (V + middle**2)
    if sampler.stages is None:
        moved = 1 - H * slope
    else:
        found = sampler.stages.coefficients(Levels(SIGMA, middle, end, SIGMA - middle, H, 1, 1, 1, H))
        pi, kappa, keep, taken, weight = (sympy.nsimplify(each) for each in found)
        inner = pi - kappa * slope
        moved = keep + taken * inner - weight * again * inner
    return sympy.log(moved) - sympy.log((V + end**2) / (V + SIGMA**2)) / 2


def _miss_of_time(key: str):
    """The same for OU from t to t − h, with a = e^{−t} and σ² = e^{2t} − 1."""
    tau_sq, end_sq = (sympy.exp(2 * time) - 1 for time in (T, T - H))
    if key == "ode-euler":
        # P a_τ/a_r, and Q/(a_r a_τ τ) times τ/(v + τ²), with P = 1 + h and Q = h
        kept, weight = (1 + H) * sympy.exp(-H), H * sympy.exp(2 * T - H)
    else:
        kept, weight = 1, sympy.exp(T) * (sympy.exp(T) - sympy.exp(T - H))
    moved = kept - weight / (V + tau_sq)
    return sympy.log(moved) - sympy.log((V + end_sq) / (V + tau_sq)) / 2


def _along(c, place):
    """∫ c over all levels or times; None where it diverges."""
    x = sympy.Symbol("x", positive=True)
    if place is T:
        # x = e^{2t} − 1
        found = sympy.simplify(c.subs(T, sympy.log(1 + x) / 2) / (2 * (1 + x)))
        apart = sympy.apart(sympy.factor(found), x)
        antiderivative = sympy.integrate(apart, x)
        return sympy.simplify(sympy.limit(sympy.logcombine(antiderivative, force=True), x, sympy.oo)
                              - antiderivative.subs(x, 0))
    # σ = √v x: a power of v, and ∫ x^α/(1 + x²)^β = B((α+1)/2, β − (α+1)/2)/2
    scaled = sympy.powsimp(sympy.simplify(c.subs(SIGMA, sympy.sqrt(V) * x)), force=True)
    alpha = sympy.limit(x * sympy.diff(sympy.log(sympy.Abs(scaled)), x), x, 0)
    beta = (alpha - sympy.limit(x * sympy.diff(sympy.log(sympy.Abs(scaled)), x), x, sympy.oo)) / 2
    size = sympy.simplify(scaled * (1 + x**2) ** beta / x**alpha)
    if size.has(x):
        raise ValueError(f"log-error must be a power over a power of v + σ², got {c}")
    if not (alpha > -1 and 2 * beta > alpha + 1):
        return None
    half = (alpha + 1) / 2
    value = sympy.gammasimp(sympy.gamma(half) * sympy.gamma(beta - half) / sympy.gamma(beta)) / 2
    return sympy.simplify(size * sympy.sqrt(V) * value)
