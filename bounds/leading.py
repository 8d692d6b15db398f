r"""A bound to leading order in the step h, in sympy: E(T, h) ≈ √d [i(T) + hᵖ I(T)] + M J(T)."""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Symbol

from bounds.symbolic.expressions import numpy_function

#: a(t), R = s²/a², R′ = g²/a², and f; with them g = a√R′ and every density is a function of these four.
a, R, slope, f = (Symbol("a", positive=True), Symbol("R", positive=True), Symbol("R'", positive=True),
                  Symbol("f", nonnegative=True))
#: Constants of the data: m0-strongly log-concave, L0-smooth, E‖X_0‖² = m d.
m0, L0, m = Symbol("m0", positive=True), Symbol("L0", positive=True), Symbol("m", positive=True)


@dataclass(frozen=True)
class Density:
    """An error per unit of forward time; errors of the steps add in ℓᵖ: (∫ density dt)^{1/p}."""

    expression: Expr
    p: int = 1


@dataclass(frozen=True)
class Leading:
    r"""A theorem to leading order: m0-strongly log-concave, L0-smooth data, Euler–Maruyama, a uniform grid.

    .. math:: E \approx \sqrt d\,\Big[i(R(T)) + h^{p} \sum_j \Big(\int_0^T \delta_j\,dt\Big)^{1/p_j}\Big]
              + M \int_0^T \sigma\,dt.

    Attributes
    ----------
    initial : sympy expression in R, m0, L0, m
        i: what is left of the initial error at time 0, over √d.
    step_power : sympy number
        Power of h.
    steps : tuple of Density
        δ_j, in a, R, R′, f and the constants.
    score : Density
        σ, the weight of a score error.
    assumes : str
        What else the orders need.
    unmet : callable
        (f, g²) of the process -> why the theorem does not hold for it, or None.
    """

    initial: Expr
    step_power: Expr
    steps: tuple
    score: Density
    assumes: str = ""
    unmet: Callable = lambda drift, diffusion_sq: None


def sizes(leading: Leading, process, horizon: float, *, strong: float, smooth: float, moment: float):
    r"""The leading-order error of a one-block process in numbers: i(R(T)), Σ_j (∫ δ_j)^{1/p_j} and ∫σ.

    m0, L0 and E‖X_0‖²/d are ``strong``, ``smooth`` and ``moment``.
    """
    import numpy as np

    from bounds.grid import TimeGrid
    from bounds.steps.path import Path

    constants = {m0: strong, L0: smooth, m: moment}
    densities = [density.expression.subs(constants) for density in (*leading.steps, leading.score)]
    functions = [numpy_function((a, R, slope, f), expression) for expression in densities]
    path = Path(process, TimeGrid.geometric(horizon, 256).times)

    def integrands(nodes):
        scale = np.sqrt(nodes.a_sq)
        known = scale, nodes.s_sq / nodes.a_sq, nodes.g_sq / nodes.a_sq, nodes.f
        return tuple(np.broadcast_to(function(*known), nodes.f.shape) for function in functions)

    values = [float(np.sum(value)) for value in path.integrate(integrands)[0]]
    initial = float(leading.initial.subs(constants).subs(R, float(path.s_sq[0] / path.a[0] ** 2)))
    steps = sum(value ** (1 / density.p) for value, density in zip(values, leading.steps, strict=False))
    return initial, steps, values[-1]
