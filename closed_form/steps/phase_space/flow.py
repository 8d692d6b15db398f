r"""Critically-damped Langevin in its clock's own time, every number with its error.

The constants come from ball arithmetic: Σ_∞ solves :math:`A\Sigma + \Sigma A^T + D = 0` there.  With
B = A, −A or :math:`\tilde A = -A - D\Sigma_\infty^{-1}`, whose double eigenvalue is −a or a, M = B ± aI has
M² = 0, and what is integrated is :math:`w^n e^{\pm 2aw}`: on short steps by a Gauss rule, on long ones by
what Σ_∞ solves.
"""

from functools import lru_cache

import numpy as np
import sympy

from bounds.process import ForwardProcess
from bounds.symbolic.balls import BallFunction, NotEnclosed
from bounds.symbolic.bisection import Bisection, TooManyParts
from bounds.symbolic.integrals import TIME
from closed_form.steps.quadrature import gauss
from closed_form.within import EPS, WIDE, Within

PRECISION = 128
#: Nodes of the rule.  On the Bernstein ellipse of ϱ = 16 (Trefethen, *Approximation Theory and Approximation
#: Practice*, theorem 19.3) w^n e^{cw}, n ≤ 2, |c|u ≤ 2, is at most (4.6u)^n e^{9.1}: over [0, u] twelve nodes
#: miss less than 1e-21 of the integral, which is at least e^{−2}u^{n+1}/(n+1).
NODES, SHORT = 12, 2.0
_EYE = np.eye(2)


class Flow:
    """The process between clock times: Φ, the covariances of parts of it, U_t given X_0.

    Attributes
    ----------
    a, velocity_variance : Within
    A, D, stationary, nilpotent, drift_inverse : Within, of shape (2, 2)
        N = A + aI, A⁻¹.
    renormalised_drift, renormalised_nilpotent, stationary_inverse : Within, of shape (2, 2)
    unproved : str
        Why the clock is not proved to run forward, or "".
    """

    def __init__(self, process: ForwardProcess):
        self.process, self.unproved = process, ""
        for name, value in constants(process).items():
            setattr(self, name, value)
        self.fastest = float(self.a.value)

    # -- the clock -------------------------------------------------------------------------------------------

    def clock(self, times: np.ndarray) -> Within:
        """u = ∫β at decreasing times; refuses a clock that does not run forward throughout."""
        self.unproved = _forward(self.process, float(times[0]))
        found = self._values("clock", self.process.clock, times)
        stalls = found.value[1:] >= found.value[:-1]
        if found.value[-1] < -found.error[-1] or stalls.any():
            at = int(np.argmax(stalls))
            low, high = (f"{found.value[place]:.6g} at t = {times[place]:.6g}" for place in (at + 1, at))
            raise ValueError(f"process: clock must increase from 0 on [0, T], got {low} and {high}")
        return found

    def speed(self, times: np.ndarray) -> Within:
        """β at times; refuses values that are not positive and finite."""
        found = self._values("β", sympy.diff(self.process.clock, TIME), times)
        if np.any(found.value <= 0):
            at = int(np.argmin(found.value))
            raise ValueError("process: β must be > 0 where a step starts, "
                             f"got β({times[at]:.6g}) = {float(found.value[at]):.6g}")
        return found

    def _values(self, name: str, expression: sympy.Expr, times) -> Within:
        from flint import arb, ctx

        if expression == TIME:
            return Within(times)
        with ctx.workprec(PRECISION):
            try:
                function = BallFunction(expression)
            except NotEnclosed as error:
                self.unproved = self.unproved or f"not enclosed: {error}"
                found = Within(_forty_digits(expression, times))
            else:
                found = Within.ball([function.interval(arb(time)) for time in times.tolist()])
        if not np.all(np.isfinite(found.size)):
            raise ValueError(f"process: {name} must be real and finite on [0, T], T = {times[0]:.6g}")
        return found

    # -- the flow --------------------------------------------------------------------------------------------

    def transition(self, length: Within) -> Within:
        """e^{uA} for clock distances of shape (k,), of either sign: shape (k, 2, 2)."""
        return self._moved(length, self.a, self.nilpotent)

    def renormalised(self, length: Within) -> Within:
        """e^{uÃ}."""
        return self._moved(length, self.a, self.renormalised_nilpotent)

    @staticmethod
    def _moved(length, a, nilpotent):
        return (-(a * length)).exp()[:, None, None] * (_EYE + length[:, None, None] * nilpotent)

    def kernel(self, clock: Within) -> tuple[Within, Within]:
        """(φ, S): U_t given X_0 is N(φX_0, S ⊗ I), at clock times."""
        flow = self.transition(clock)
        moved = flow[:, :, 1:]
        spread = self.covariance(clock) + self.velocity_variance * (moved @ moved.swapaxes(1, 2))
        return flow[:, :, 0], spread

    def covariance(self, length: Within) -> Within:
        """C = ∫_0^u e^{wA}De^{wAᵀ} dw."""
        return self._gram(length, -2 * self.a, self.nilpotent, self.transition, 1)

    def reverse_covariance(self, length: Within) -> Within:
        """∫_0^u e^{−wA}De^{−wAᵀ} dw, which is Φ⁻¹CΦ⁻ᵀ."""
        return self._gram(length, 2 * self.a, -self.nilpotent, lambda u: self.transition(-u), -1)

    def renormalised_covariance(self, length: Within) -> Within:
        """∫_0^u e^{wÃ}De^{wÃᵀ} dw."""
        return self._gram(length, -2 * self.a, self.renormalised_nilpotent, self.renormalised, 1)

    def reverse_integral(self, length: Within) -> Within:
        """∫_0^u e^{−wA} dw."""
        def brief(short):
            i0, i1, _ = moments(self.a, short)
            return i0 * _EYE - i1 * self.nilpotent

        return _by_length(self.a * length, length, brief,
                          lambda long: self.drift_inverse @ (_EYE - self.transition(-long)))

    def _gram(self, length, rate, nilpotent, transition, sign):
        """∫_0^u e^{wB}De^{wBᵀ} dw, e^{wB} = e^{rate w/2}(I + wM), which Σ_∞ and e^{uB} give as well."""
        turned = nilpotent @ self.D
        once, twice = turned + turned.swapaxes(0, 1), turned @ nilpotent.swapaxes(0, 1)

        def brief(short):
            i0, i1, i2 = moments(rate, short)
            return i0 * self.D + i1 * once + i2 * twice

        def whole(long):
            moved = transition(long)
            moved = moved @ self.stationary @ moved.swapaxes(1, 2)
            return self.stationary - moved if sign > 0 else moved - self.stationary

        return _by_length(rate * length, length, brief, whole)

    @staticmethod
    def grown_variance(rate: Within, length: Within) -> Within:
        """∫_0^u e^{2 rate w} dw for a rate of either sign."""
        return length if rate.value == 0 else (2 * rate * length).expm1() / (2 * rate)


def _by_length(exponent: Within, length: Within, brief, whole) -> Within:
    """``brief`` where |exponent| is at most `SHORT`, ``whole`` elsewhere: of lengths (k,) to (k, m, m)."""
    short = exponent.size <= SHORT
    if short.all():
        return brief(length)
    if not short.any():
        return whole(length)
    some, rest = brief(length[short]), whole(length[~short])
    value, error = (np.empty((len(short), *some.shape[1:]), dtype=some.value.dtype) for _ in range(2))
    for place, part in ((short, some), (~short, rest)):
        value[place], error[place] = part.value, part.error
    return Within(value, error)


def moments(rate: Within, length: Within) -> list[Within]:
    """∫_0^u wⁿ e^{rate w} dw for n = 0, 1, 2 and |rate|u ≤ `SHORT`: each of shape (k, 1, 1)."""
    rule = gauss(NODES)
    nodes, length = Within(rule.nodes, rule.nodes * EPS), length[:, None]
    grown = (rate * length * nodes).exp()
    weight, scale, found = Within(rule.weights, rule.weights * EPS), length, []
    for _ in range(3):
        total = (grown * weight).sum(1)[:, None]
        total = Within(total.value, total.error + 1e-21 * np.abs(total.value)) * scale
        found.append(total[:, :, None])
        weight, scale = weight * nodes, scale * length
    return found


@lru_cache(maxsize=64)
def constants(process: ForwardProcess) -> dict[str, Within]:
    """Everything that does not depend on time, from ball arithmetic."""
    from flint import arb, arb_mat, ctx

    with ctx.workprec(PRECISION):
        a, sigma, epsilon = (BallFunction(process.parameters[name]).interval(arb(0))
                             for name in ("a", "sigma", "epsilon"))
        drift = arb_mat([[0, a * a], [-1, -2 * a]])
        noise = arb_mat([[epsilon * epsilon, 0], [0, sigma * sigma]])
        # AΣ + ΣAᵀ + D = 0, entry by entry
        system = arb_mat([[0, 2 * a * a, 0], [-1, -2 * a, a * a], [0, -2, -4 * a]])
        known = arb_mat([[-noise[0, 0]], [0], [-noise[1, 1]]])
        xx, xv, vv = system.solve(known).entries()
        stationary = arb_mat([[xx, xv], [xv, vv]])
        inverse = stationary.inv()
        renormalised = -drift - noise * inverse
        unit = arb_mat([[a, 0], [0, a]])
        found = {"A": drift, "D": noise, "stationary": stationary, "stationary_inverse": inverse,
                 "drift_inverse": drift.inv(), "nilpotent": drift + unit,
                 "renormalised_drift": renormalised, "renormalised_nilpotent": renormalised + unit}
        variance = BallFunction(process.velocity_variance).interval(arb(0))
        return {"a": Within.ball(a), "velocity_variance": Within.ball(variance),
                **{name: Within.ball(matrix.tolist()) for name, matrix in found.items()}}


@lru_cache(maxsize=128)
def _forward(process: ForwardProcess, horizon: float) -> str:
    """Refuse β < 0 on (0, T]; why β ≥ 0 is not proved, or ""."""
    from flint import ctx

    rate = sympy.diff(process.clock, TIME)
    if rate.is_nonnegative is True:
        return ""
    try:
        with ctx.workprec(PRECISION):
            search = Bisection([BallFunction(rate)], ("β",), (True,), horizon,
                               lambda left, middle, right, real, sizes: True)
            for _ in search.parts():
                pass
    except (NotEnclosed, TooManyParts) as error:
        return f"not enclosed: {error}"
    return search.unproved


def _forty_digits(expression: sympy.Expr, times: np.ndarray) -> np.ndarray:
    """Values of an expression without ball arithmetic, in extended precision."""
    import mpmath

    function = sympy.lambdify(TIME, expression, modules="mpmath")
    found = []
    with mpmath.workdps(40):
        for time in times.tolist():
            value = mpmath.mpmathify(function(mpmath.mpf(time)))
            high = float(mpmath.re(value)) if mpmath.im(value) == 0 else np.nan
            found.append(WIDE(high) + WIDE(float(mpmath.re(value) - high)))
    return np.array(found)
