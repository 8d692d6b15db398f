"""The fewest steps that reach W2 ≤ ε under a bound, with their horizon, grid and score-error budget."""

import itertools
import math

from bounds.bound import Bound
from bounds.grid import MAX_STEPS, TimeGrid
from bounds.setting import Setting
from bounds.theorem import Theorem
from verify.certificates.theorem_named import find_theorem
from verify.planning.bound_on_grids import BoundOnGrids
from verify.planning.horizons import Horizons, or_infinite
from verify.planning.plan import Plan, check_eps, check_options

#: Below so many steps the leading order is not trusted, and every horizon is tried with the bound itself.
FEW_STEPS = 400
#: Below so many steps the horizon of the model is improved with the bound itself.
MANY_STEPS = 5000
#: From so many steps on the model is corrected by the bound at fewer steps, and up to them every horizon is
#: tried.
CALIBRATION_STEPS = 20_000
COARSE_DOUBLINGS = 24
#: More steps are not tried where four times as many leave this part of the bound.
STUCK = 0.95
#: The model is trusted where the bound itself is within this factor of it.
TRUST = 1.25
#: A floor so many times too large is out of reach at any horizon near.
FAR = 1e9
#: Two values of the model closer than this, relatively, say nothing about its slope.
APART = 1e-6


class Planner:
    """Plans by the bound's leading order, for one process of one block, data law and sampler.

    Parameters
    ----------
    theorem : str or Theorem
        What `verify.certificates.theorem_named.find_theorem` takes: one with a recursion
        (`Theorem.ingredients`), from which the leading order of the bound comes.
    setting : Setting
        The question; its scheme gives the sampler, the prior and the early stopping, its grid is replaced.
    grid : str
        "uniform", or "best": the steps placed where the bound needs them.
    horizon : float, optional
        A fixed horizon; by default the best one.
    score_share : float
        Share of ε set aside for a score error, in [0, 1): M is then as large as that allows, not the
        setting's.

    Raises
    ------
    ValueError
        If an argument is not as above.
    NotApplicable
        If a hypothesis of the theorem is not met.
    """

    def __init__(self, theorem: str | Theorem, setting: Setting, *, grid: str = "uniform",
                 horizon: float | None = None, score_share: float = 0.0):
        theorem = find_theorem(theorem)
        check_options(theorem, setting, grid, horizon, score_share)
        if theorem.ingredients is None:
            raise ValueError(f"theorem must state a recursion, got {theorem.key}")
        if setting.process.blocks != 1:
            raise ValueError(f"plans are made for one-block processes, got {setting.process.name}")
        self.setting = setting
        self._bounds = BoundOnGrids(theorem, setting, grid, score_share)
        self._horizons = Horizons(self._bounds, horizon)

    def plan(self, eps: float) -> Plan:
        """The plan for W2 ≤ ``eps``.

        Raises
        ------
        ValueError
            If ``eps`` is not positive and finite.
        """
        check_eps(eps)
        cost = lambda T: self._bounds.steps_by_model(T, eps)  # noqa: E731
        horizon = self._horizons.best(cost, size=lambda _: eps, least=1.0, most=MAX_STEPS)
        estimate = or_infinite(cost, horizon)
        if math.isinf(estimate) or estimate > MAX_STEPS:
            return self._blocked(eps)
        if estimate >= FEW_STEPS and self._trusted(eps, horizon, estimate):
            steps, horizon = self._many(eps, horizon, estimate)
        else:
            steps, horizon, tried = self._few(eps, horizon, min(estimate, FEW_STEPS))
            if steps is None:
                return self._stuck(eps, horizon, tried)
        if steps is None:
            return self._blocked(eps)
        return self._bounds.reached(eps, horizon, steps, self._bounds.floor(horizon, eps))

    def least_bound(self, steps: int) -> tuple[float, Bound]:
        """(T, the theorem) where the bound with so many steps is least, for the setting's score error."""
        horizon = self._horizons.best(lambda T: self._bounds.value(T, steps, 1.0))
        return horizon, self._bounds.bound(horizon, steps, 1.0)

    def share_models(self, other: "Planner") -> None:
        """Look at the models of a planner for the same question on another kind of grid."""
        self._bounds.share_models(other._bounds)

    def grid(self, horizon: float, steps: int) -> TimeGrid:
        """The grid of so many steps."""
        return self._bounds.grid(horizon, steps)

    # -- few steps: the bound itself -------------------------------------------------------------------------

    def _few(self, eps: float, horizon: float, estimate: float):
        """(K, T, largest K tried) by bisection on the bound itself, minimised over the horizon each time."""
        best: dict[int, tuple[float, float]] = {}
        value = self._bounds.value
        coarse = ([horizon] if self._horizons.fixed is not None
                  else [horizon, *self._horizons.coarse(COARSE_DOUBLINGS, eps)])

        def least(steps: int) -> float:
            if steps in best:
                return best[steps][0]
            cost = lambda T: value(T, steps, eps)  # noqa: E731
            if steps > CALIBRATION_STEPS:
                # too dear to try every horizon: that of the model, and of the nearest steps already tried
                nearest = best[min(best, key=lambda k: abs(k - steps))][1] if best else horizon
                chosen = min({horizon, nearest}, key=cost)
            else:
                start = min([*coarse, *(T for _, T in best.values())], key=cost)
                chosen = start if cost(start) <= eps else self._horizons.best(cost, start)
            best[steps] = cost(chosen), chosen
            return best[steps][0]

        high = max(1, math.ceil(estimate))
        while least(high) > eps:
            if 2 * high > MAX_STEPS or (high > CALIBRATION_STEPS and least(high) > STUCK * least(high // 4)):
                return None, best[high][1], high
            high *= 2
        tried, low = high, high // 2
        while low > 0 and least(low) <= eps:
            low, high = low // 2, low
        for attempt in itertools.count(1):
            if high - low <= 1:
                break
            middle = ((low + high) // 2 if attempt % 3 == 0 or low == 0
                      else _between(low, high, least(low), least(high), eps))
            low, high = (low, middle) if least(middle) <= eps else (middle, high)
        horizon = best[high][1]
        return self._least_below(high, horizon, eps), horizon, tried

    def _least_below(self, high: int, horizon: float, eps: float) -> int:
        """Fewer steps than ``high`` that reach ε at this horizon, one less than which does not: where the bound has
        several valleys over the horizon, one step less was judged in another."""
        value, stride = self._bounds.value, 1
        while high > 1 and value(horizon, max(high - stride, 1), eps) <= eps:
            high, stride = max(high - stride, 1), 2 * stride
        low = max(high - stride, 0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if value(horizon, middle, eps) <= eps else (middle, high)
        return high

    # -- many steps: the model, corrected by the bound -------------------------------------------------------

    def _trusted(self, eps: float, horizon: float, estimate: float) -> bool:
        """Whether the bound at the steps of the model, or at fewer, is what the model says.

        Not where the bound reaches ε with far fewer, or grows with the steps: then a step misses more than the
        model has.
        """
        if estimate > CALIBRATION_STEPS:
            few, more = (self._bounds.value(horizon, k, eps) for k in (CALIBRATION_STEPS // 4, CALIBRATION_STEPS))
            if more <= eps or few < more < math.inf:
                return False
        steps = math.ceil(estimate if estimate <= CALIBRATION_STEPS else max(estimate / 8, CALIBRATION_STEPS))
        return 1 / TRUST <= self._bounds.ratio(horizon, steps, eps) <= TRUST

    def _many(self, eps: float, horizon: float, estimate: float):
        """(K, T) from the model, corrected by the bound at the steps it proposes."""
        bounds = self._bounds
        if estimate < MANY_STEPS:
            horizon = self._horizons.best(lambda T: bounds.value(T, math.ceil(estimate), eps), horizon)
        steps, low, high = math.ceil(estimate), 0, None
        points: list[tuple[float, float]] = []
        if estimate > CALIBRATION_STEPS:  # cheap: far fewer steps say what the model lacks
            for part in (8, 4):
                points.append(self._squares(horizon, math.ceil(max(estimate / part, CALIBRATION_STEPS)), eps))
            corrected = self._crossing(horizon, points, eps)
            steps = steps if corrected > MAX_STEPS else math.ceil(corrected)
        while high is None or high - low > 1:
            low, high = (low, steps) if bounds.value(horizon, steps, eps) <= eps else (steps, high)
            points.append(self._squares(horizon, steps, eps))
            exact = self._crossing(horizon, points, eps)
            if exact > MAX_STEPS:
                return None, horizon
            # the model says where ε is crossed; stay inside what is known
            steps = max(math.ceil(exact), low + 1)
            if high is not None and steps >= high:
                steps = high - 1
        return high, horizon

    def _squares(self, horizon: float, steps: int, eps: float) -> tuple[float, float]:
        """The squares of the model's value and of the bound."""
        return self._bounds.estimate(horizon, steps, eps) ** 2, self._bounds.value(horizon, steps, eps) ** 2

    def _crossing(self, horizon: float, points, eps: float) -> float:
        """K at which the bound is ε, its square affine in the model's, or proportional to it."""
        (x, y), (x0, y0) = points[-1], points[-2] if len(points) > 1 else (0.0, 0.0)
        if (abs(x - x0) < APART * x or not (x - x0) * (y - y0) > 0
            or not (square := x + (eps**2 - y) * (x - x0) / (y - y0)) > 0):
            square = x * eps**2 / y
        return self._bounds.steps_by_model(horizon, eps, eps / math.sqrt(square))

    # -- out of reach ----------------------------------------------------------------------------------------

    def _stuck(self, eps: float, horizon: float, steps: int) -> Plan:
        """Where the model does not describe the bound: what the bound itself stops at."""
        bound = self._bounds.bound(horizon, steps, eps)
        worst = max(bound.terms, key=bound.terms.get)
        reason = (f"{worst} keeps the bound at {bound.total:.3g} with {steps} steps, and twice as many "
                  "hardly help")
        return self._bounds.blocked(eps, horizon, float(bound.total), reason)

    def _blocked(self, eps: float) -> Plan:
        """What more steps do not remove."""
        horizon, floor = self._least_floor(eps)
        reason = self._bounds.blocking(eps, floor, MAX_STEPS, self._horizons.fixed is not None,
                                       lambda source: self._least_floor(eps, source)[1])
        return self._bounds.blocked(eps, horizon, floor, reason)

    def _least_floor(self, eps: float, without: str = "") -> tuple[float, float]:
        """(T, floor) where the floor is lowest."""
        floor = lambda T: self._bounds.floor(T, eps, without)  # noqa: E731
        # with a longer horizon only what is left of the initial error gets less: no more than a part of ε
        horizon = self._horizons.best(floor, size=lambda _: eps, patience=-1, most=0.0, hopeless=FAR * eps)
        return horizon, floor(horizon)


def _between(low: int, high: int, above: float, below: float, eps: float) -> int:
    """Steps between two numbers of them, where a power law through their bounds crosses ε."""
    if not (0 < below < above < math.inf):
        return (low + high) // 2
    part = math.log(above / eps) / math.log(above / below)
    return min(max(math.ceil(low * (high / low) ** part), low + 1), high - 1)
