r"""The smallest number of steps that reaches W2 ≤ ε under a bound, with its horizon, grid and score-error budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bounds.best_grid import Model, model_of
from bounds.bound import Bound
from bounds.grid import MAX_STEPS, TimeGrid
from bounds.quadrature import Path
from bounds.recursion import weights
from bounds.setting import Setting
from bounds.theorem import NotApplicable, Theorem

#: Below so many steps the leading order is not trusted, and every horizon is tried with the bound itself.
FEW_STEPS = 400
#: Below so many steps the horizon of the model is improved with the bound itself.
MANY_STEPS = 5000
#: Steps of the evaluation that corrects the model where many more are planned.
CALIBRATION_STEPS = 20_000
#: Horizons tried per doubling of the horizon at first.
HORIZONS_PER_DOUBLING = 3
LONGEST_DOUBLINGS = 40
COARSE_DOUBLINGS = 24
#: s/a at the shortest horizon tried, over the size of the data.
LITTLE_NOISE = 1e-2
#: The model is trusted where the bound itself is within this factor of it.
TRUST = 1.25
#: Relative accuracy of the horizon.
HORIZON_ACCURACY = 1e-3
#: Bounds remembered.
REMEMBERED = 8
#: Part of the error at which the initial one no longer matters.
NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class Plan:
    """What it takes to reach an error, or what stands in the way.

    Attributes
    ----------
    theorem : str
    eps : float
    reached : bool
    steps : int or None
        The smallest K whose bound is at most ε.
    horizon : float
    grid : TimeGrid or None
    score_error : float
        M the bound allows for: the question's own, or the share of ε set aside for it.
    bound : Bound or None
        The theorem at the plan.
    bound_one_step_less : float or None
        The bound with K − 1 steps, above ε (None for K = 1).
    blocking : str or None
        The largest error that more steps do not remove, where ε is out of reach.
    floor : float
        What no number of steps gets below, at the horizon of the plan.
    """

    theorem: str
    eps: float
    reached: bool
    steps: int | None
    horizon: float
    grid: TimeGrid | None
    score_error: float
    bound: Bound | None
    bound_one_step_less: float | None
    blocking: str | None
    floor: float


class Planner:
    """Plans for one process, data law and sampler; the evaluations are shared between accuracies.

    Parameters
    ----------
    theorem : Theorem
        `martingale` or `martingale-coupled`.
    setting : Setting
        The question; its scheme gives the sampler, the prior and the early stopping, its grid is replaced.
    grid : str
        "uniform", or "best": the steps placed where the bound needs them.
    horizon : float, optional
        A fixed horizon; by default the best one.
    score_share : float
        Share of ε set aside for a score error, in [0, 1): M is then as large as that allows, not the setting's.

    Raises
    ------
    ValueError
        If an argument is not as above.
    NotApplicable
        If a hypothesis of the theorem is not met.
    """

    def __init__(
        self, theorem: Theorem, setting: Setting, *, grid: str = "uniform", horizon: float | None = None,
        score_share: float = 0.0,
    ):
        if grid not in ("uniform", "best"):
            raise ValueError(f"grid must be uniform or best, got {grid!r}")
        if theorem.ingredients is None:
            raise ValueError(f"theorem must be martingale or martingale-coupled, got {theorem.key}")
        if horizon is not None and not (np.isfinite(horizon) and horizon > setting.scheme.grid.early_stop):
            raise ValueError(f"horizon must be finite and above early_stop, got {horizon}")
        if not 0.0 <= score_share < 1.0:
            raise ValueError(f"score_share must lie in [0, 1), got {score_share}")
        if setting.process.blocks != 1:
            raise ValueError(f"plans are made for one-block processes, got {setting.process.name}")
        if unmet := theorem.unmet(setting):
            raise NotApplicable(theorem.key, unmet)
        self.theorem, self.setting, self.kind = theorem, setting, grid
        self.fixed, self.share = horizon, score_share
        self._models: dict[float, Model] = {}
        self._bounds: dict[tuple, Bound] = {}

    # -- one horizon --------------------------------------------------------------------------------------------

    def model(self, horizon: float) -> Model:
        """The bound to leading order at this horizon, remembered."""
        if horizon not in self._models:
            self._models[horizon] = model_of(self.theorem, self._with_grid(TimeGrid.uniform(horizon, 1, self._stop)))
        return self._models[horizon]

    @property
    def _stop(self) -> float:
        return self.setting.scheme.grid.early_stop

    def _with_grid(self, grid: TimeGrid, score_error: float | None = None) -> Setting:
        changed = {} if score_error is None else {"score_error": score_error}
        return replace(self.setting, scheme=replace(self.setting.scheme, grid=grid), **changed)

    def grid(self, horizon: float, steps: int) -> TimeGrid:
        """The grid of so many steps."""
        if self.kind == "uniform":
            return TimeGrid.uniform(horizon, steps, self._stop)
        return self.model(horizon).best_grid(steps)

    def bound(self, horizon: float, steps: int, score_error: float) -> Bound:
        """The theorem itself; the last few are remembered."""
        asked = horizon, steps, score_error
        if asked not in self._bounds:
            with np.errstate(all="ignore"):  # far too long a horizon overflows, and the bound is ∞
                found = self.theorem.bound(self._with_grid(self.grid(horizon, steps), score_error))
            while len(self._bounds) >= REMEMBERED:
                self._bounds.pop(next(iter(self._bounds)))
            self._bounds[asked] = found
        return self._bounds[asked]

    def _estimate(self, model: Model, steps: float, score_error: float) -> float:
        counts = model.uniform_counts(steps) if self.kind == "uniform" else model.best_counts(steps)
        return replace(model, score_error=score_error).error(counts)

    def score_error(self, horizon: float, eps: float) -> float:
        """The score error allowed for at this horizon."""
        if self.share == 0:
            return float(self.setting.score_error)
        parts = self.model(horizon).ingredients
        with np.errstate(over="ignore"):
            size = float(np.sum(weights(parts.contraction)[0] * parts.score_weight))
        return self.share * eps / size

    def floor(self, horizon: float, eps: float) -> float:
        """What the bound tends to with more and more steps, estimated."""
        return replace(self.model(horizon), score_error=self.score_error(horizon, eps)).error(np.inf)

    def _steps_by_model(self, horizon: float, eps: float, factor: float = 1.0) -> float:
        """K at which factor × the estimate is ε; ∞ if none is."""
        model, allowed = self.model(horizon), self.score_error(horizon, eps)
        if not self.floor(horizon, eps) * factor < eps:
            return math.inf
        excess = lambda log_steps: math.log(  # noqa: E731
            max(self._estimate(model, math.exp(log_steps), allowed) * factor, 1e-300) / eps)
        low, high = 0.0, math.log(100.0 * MAX_STEPS)
        if excess(high) > 0:
            return math.inf
        return math.exp(brentq(excess, low, high, xtol=1e-9)) if excess(low) > 0 else 1.0

    # -- all horizons -------------------------------------------------------------------------------------------

    def _best_horizon(
        self, cost: Callable[[float], float], start: float | None = None, size: Callable[[float], float] = float
    ) -> float:
        """The horizon with the least cost, by a scan over doublings and a bounded search around the best.

        ``size`` turns the least cost so far into an error below which nothing of the initial error matters.
        """
        if self.fixed is not None:
            return self.fixed
        ratio = 2 ** (1 / HORIZONS_PER_DOUBLING)
        best, value = start, math.inf
        if start is None:
            best, value = self._scan(cost, ratio, size)
        elif (value := cost(start)) == math.inf:
            return start
        span = math.log(ratio) * (1 if start is None else 3)
        centre = math.log(best - self._stop)
        found = minimize_scalar(
            lambda x: min(_or_infinite(cost, self._stop + math.exp(x)), 1e300),
            bounds=(centre - span, centre + span), method="bounded", options={"xatol": HORIZON_ACCURACY},
        )
        return self._stop + math.exp(found.x) if found.fun <= value else best

    def _scan(self, cost, ratio: float, size):
        horizon, worse = self._shortest, 0
        best, value = horizon, math.inf
        for _ in range(HORIZONS_PER_DOUBLING * LONGEST_DOUBLINGS):
            found = _or_infinite(cost, self._stop + horizon)
            best, value, worse = (horizon, found, 0) if found < value else (best, value, worse + 1)
            # a mixture's bound may rise before it falls: only the end of the initial error ends the scan
            if worse > 2 * HORIZONS_PER_DOUBLING and self._settled(horizon, size(value)):
                break
            horizon *= ratio
        return self._stop + best, value

    @cached_property
    def _shortest(self) -> float:
        """A horizon at which the noise, over a, is still far below the size of the data: a scan starts there."""
        size = math.sqrt(float(self.setting.assumption.second_moment) / float(np.max(self.setting.assumption.dim)))
        horizon = 1.0
        for _ in range(LONGEST_DOUBLINGS):
            if self._noise(horizon) <= LITTLE_NOISE * size:
                break
            horizon /= 2
        for _ in range(LONGEST_DOUBLINGS):
            if self._noise(2 * horizon) > LITTLE_NOISE * size:
                break
            horizon *= 2
        return horizon

    def _noise(self, horizon: float) -> float:
        """s/a over this horizon; ∞ where the process has ended."""
        try:
            path = Path(self.setting.process, np.array([self._stop + horizon, self._stop]))
        except ValueError:
            return math.inf
        kept = float(path.a[0] / path.a[1])
        return math.sqrt(path.C[0]) / kept if kept > 0 else math.inf

    def _settled(self, horizon: float, error: float) -> bool:
        """Whether what is left of the initial error is far below ``error``, or the process has ended."""
        try:
            parts = self.model(self._stop + horizon).ingredients
        except ValueError:
            return True
        return float(weights(parts.contraction)[1] * parts.initial) < NEGLIGIBLE * error

    # -- the plan -----------------------------------------------------------------------------------------------

    def plan(self, eps: float) -> Plan:
        """The plan for W2 ≤ ``eps``.

        Raises
        ------
        ValueError
            If ``eps`` is not positive and finite.
        """
        if not (np.isfinite(eps) and eps > 0):
            raise ValueError(f"eps must be positive and finite, got {eps}")
        horizon = self._best_horizon(lambda T: self._steps_by_model(T, eps), size=lambda _: eps)
        estimate = _or_infinite(lambda T: self._steps_by_model(T, eps), horizon)
        if math.isinf(estimate) or estimate > MAX_STEPS:
            return self._blocked(eps, estimate)
        trusted = estimate >= FEW_STEPS and self._trusted(eps, horizon, estimate)
        if not trusted:
            steps, horizon = self._few(eps, horizon, min(estimate, FEW_STEPS))
        else:
            steps, horizon = self._many(eps, horizon, estimate)
        if steps is None:
            return self._blocked(eps, math.inf)
        return self._checked(eps, steps, horizon)

    def least_bound(self, steps: int) -> tuple[float, Bound]:
        """(T, the theorem) at the horizon where the bound with so many steps is smallest, for the setting's score error."""
        horizon = self._best_horizon(lambda T: self._value(T, steps, 1.0))
        return horizon, self.bound(horizon, steps, self.score_error(horizon, 1.0))

    def _value(self, horizon: float, steps: int, eps: float) -> float:
        try:
            return float(self.bound(horizon, steps, self.score_error(horizon, eps)).total)
        except ValueError:
            return math.inf

    def _trusted(self, eps: float, horizon: float, estimate: float) -> bool:
        """Whether the bound at the steps of the model, or at fewer, is what the model says."""
        steps = math.ceil(min(estimate, CALIBRATION_STEPS))
        model, allowed = self.model(horizon), self.score_error(horizon, eps)
        ratio = self._value(horizon, steps, eps) / self._estimate(model, steps, allowed)
        return 1 / TRUST <= ratio <= TRUST

    def _few(self, eps: float, horizon: float, estimate: float):
        """(K, T) by bisection on the bound itself, minimised over the horizon each time."""
        best: dict[int, tuple[float, float]] = {}
        coarse = [horizon] if self.fixed is not None else [
            horizon, *(self._stop + self._shortest * 2.0**power for power in range(COARSE_DOUBLINGS))
        ]  # fmt: skip

        def least(steps: int) -> float:
            if steps not in best:
                value = lambda T: self._value(T, steps, eps)  # noqa: E731
                if steps > CALIBRATION_STEPS:
                    # too dear to try every horizon: that of the nearest number of steps already tried
                    T = best[min(best, key=lambda k: abs(k - steps))][1] if best else horizon
                    best[steps] = value(T), T
                    return best[steps][0]
                start = min([*coarse, *(T for _, T in best.values())], key=value)
                T = start if value(start) <= eps else self._best_horizon(value, start)
                best[steps] = value(T), T
            return best[steps][0]

        high = max(1, math.ceil(estimate))
        while least(high) > eps:
            high *= 2
            if high > MAX_STEPS:
                return None, horizon
        low = high // 2
        while low > 0 and least(low) <= eps:
            low, high = low // 2, low
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if least(middle) <= eps else (middle, high)
        horizon = best[high][1]
        while high > 1 and self._value(horizon, high - 1, eps) <= eps:
            # a bound with several valleys over the horizon: one step less was judged in another
            high -= 1
        return high, horizon

    def _many(self, eps: float, horizon: float, estimate: float):
        """(K, T) from the model, corrected by the bound at the steps it proposes."""
        if estimate < MANY_STEPS:
            horizon = self._best_horizon(lambda T: self._value(T, math.ceil(estimate), eps), horizon)
        model, allowed = self.model(horizon), self.score_error(horizon, eps)
        steps, low, high = math.ceil(estimate), 0, None
        if estimate > 2 * CALIBRATION_STEPS:
            # cheap: what the model lacks at fewer steps, it lacks at more
            factor = self._value(horizon, CALIBRATION_STEPS, eps) / self._estimate(model, CALIBRATION_STEPS, allowed)
            corrected = self._steps_by_model(horizon, eps, factor)
            steps = steps if math.isinf(corrected) or corrected > MAX_STEPS else math.ceil(corrected)
        while high is None or high - low > 1:
            value = self._value(horizon, steps, eps)
            low, high = (low, steps) if value <= eps else (steps, high)
            factor = value / self._estimate(model, steps, allowed)
            exact = self._steps_by_model(horizon, eps, factor)
            if math.isinf(exact) or exact > MAX_STEPS:
                return None, horizon
            # the model says where ε is crossed; stay inside what is known
            steps = max(math.ceil(exact), low + 1)
            if high is not None and steps >= high:
                steps = high - 1
        return high, horizon

    def _checked(self, eps: float, steps: int, horizon: float) -> Plan:
        """The plan, with K and K − 1 evaluated by the theorem."""
        allowed = self.score_error(horizon, eps)
        bound = self.bound(horizon, steps, allowed)
        less = self._value(horizon, steps - 1, eps) if steps > 1 else None
        return Plan(
            self.theorem.key, eps, bool(bound.total <= eps), steps, horizon, self.grid(horizon, steps), allowed, bound,
            less, None, self.floor(horizon, eps),
        )  # fmt: skip

    def _blocked(self, eps: float, estimate: float) -> Plan:
        """What more steps do not remove: the error source without which the floor is lowest."""
        horizon = self._best_horizon(lambda T: self.floor(T, eps), size=lambda _: eps)
        floor = self.floor(horizon, eps)
        if floor < eps:
            reason = f"discretisation: more than {MAX_STEPS} steps would be needed"
        else:
            left = {source: self._floor_without(source, eps) for source in self._sources()}
            worst = min(left, key=left.get)
            reason = f"{worst} keeps the bound above {eps:g} whatever the steps; without it the floor is {left[worst]:.3g}"
        allowed = self.score_error(horizon, eps)
        return Plan(self.theorem.key, eps, False, None, horizon, None, allowed, None, None, reason, floor)

    def _sources(self) -> list[str]:
        """Error sources that may block: with a free horizon the initial error only where no other is there."""
        found = ["score bias"] * bool(self.setting.score_error) + ["early stopping"] * bool(self._stop)
        return found + ["initialisation"] * (self.fixed is not None or not found)

    def _floor_without(self, source: str, eps: float) -> float:
        def floor(horizon: float) -> float:
            model = replace(self.model(horizon), score_error=self.score_error(horizon, eps))
            if source == "score bias":
                model = replace(model, score_error=0.0)
            else:
                part = {"early stopping": "stop", "initialisation": "initial"}[source]
                model = replace(model, ingredients=replace(model.ingredients, **{part: 0.0}))
            return model.error(np.inf)

        return floor(self._best_horizon(floor, size=lambda _: eps))


def _or_infinite(cost: Callable[[float], float], horizon: float) -> float:
    """The cost, or ∞ where the process has ended or leaves the range of numbers."""
    try:
        return cost(horizon)
    except ValueError:
        return math.inf
