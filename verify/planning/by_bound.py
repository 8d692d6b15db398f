"""Plans by the bound itself: for position and velocity, and for theorems without a model."""

import math
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from bounds.argument import check_type
from bounds.bound import DISCRETISATION, EARLY_STOPPING, INITIALISATION, SCORE_BIAS, Bound
from bounds.complexity.flow_grid import has_flow_grid
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.steps.path import Path
from bounds.symbolic.integrals import TIME
from bounds.theorem import Theorem
from bounds.theorems import theorems
from verify.certificates.theorem_named import find_theorem
from verify.planning.bound_on_grids import BoundOnGrids
from verify.planning.by_model import Planner
from verify.planning.horizons import Horizons
from verify.planning.plan import Plan, check_eps, check_options

#: More steps than this take too long to bound, with one block and with two.
MOST_STEPS = {1: 1_000_000, 2: 100_000}
#: Steps of the first look at every horizon, and most steps at which horizons are compared.
FIRST_STEPS, COMPARED_STEPS = 100, {1: 20_000, 2: 400}
#: Two-block horizons tried: the shortest and longest, times the time scale of the drift; number per doubling.
SHORTEST, LONGEST, PER_DOUBLING = 2.0**-4, 2.0**6, 2
HORIZON_ACCURACY = 1e-2
#: One-block horizons tried, a factor of two apart.
DOUBLINGS = 24
#: A discretisation error so many times too large is out of reach of more steps.
FAR = 1e9
#: Largest noise level over the size of the data at which samplers without noise start.
FARTHEST = 1e8
#: Power of the step in a theorem that states no leading order.
STEP_POWER = 0.5
#: What more steps may take off the floor of a bound, times what so many times the steps of the first look did.
TREND, MORE = 2.0, 8
#: The least that a horizon may take.
LEAST = 1.0
#: Rounds of horizon and steps in turn.
ROUNDS = 2


class _TriedBound(BoundOnGrids):
    """The bound on every grid of a kind, whose model says no more than where a best grid has its steps."""

    remembered, model_steps = 256, 200

    def score_error(self, horizon: float, eps: float) -> float:
        """The score error allowed for at this horizon, by its term with a few steps."""
        if self.share == 0:
            return super().score_error(horizon, eps)
        few = COMPARED_STEPS[self.setting.process.blocks]
        return self.share * eps / float(self._at(horizon, few, 1.0).terms[SCORE_BIAS])


class DirectPlanner:
    """Plans for one process, data law and sampler under any upper bound, with the arguments of `Planner`.

    "best" needs a theorem with a recursion, or one about samplers without noise.  The model of the best grid
    is rough where steps are long or a splitting's kicks differ: a plan on the best grid is one on the uniform
    grid where that takes fewer steps.  ``uniform`` is the planner that finds it, None for uniform grids.
    """

    def __init__(self, theorem: str | Theorem, setting: Setting, *, grid: str = "uniform",
                 horizon: float | None = None, score_share: float = 0.0):
        theorem = find_theorem(theorem)
        check_options(theorem, setting, grid, horizon, score_share)
        self.setting, self.fixed = setting, horizon
        self._bounds = _TriedBound(theorem, setting, grid, score_share)
        blocks = setting.process.blocks
        self._most, self._compared = MOST_STEPS[blocks], COMPARED_STEPS[blocks]
        # the martingale theorem's sources add in squares, and those of the others as they are
        self._squares = theorem.ingredients is not None
        self._power = (1.0 if self._squares else float(theorem.leading().step_power) if theorem.leading
                       else float(setting.scheme.sampler.evaluations) if has_flow_grid(theorem, setting)
                       else STEP_POWER)
        self.uniform = None
        if grid == "best":
            self.uniform = DirectPlanner(theorem, setting, horizon=horizon, score_share=score_share)

    def plan(self, eps: float) -> Plan:
        """The plan for W2 ≤ ``eps``, as by `Planner.plan`."""
        check_eps(eps)
        found = self._plan(eps)
        if self.uniform is None:
            return found
        return min((found, self.uniform.plan(eps)),
                   key=lambda plan: (not plan.reached, plan.steps or plan.floor))

    def least_bound(self, steps: int) -> tuple[float, Bound]:
        """(T, the theorem), as by `Planner.least_bound`."""
        cost = lambda T: self._bounds.value(T, steps, 1.0)  # noqa: E731
        horizon = self.fixed or self._search(cost, min(self._horizons, key=cost))[0]
        return horizon, self._bounds.bound(horizon, steps, 1.0)

    def grid(self, horizon: float, steps: int) -> TimeGrid:
        """The grid of so many steps."""
        return self._bounds.grid(horizon, steps)

    def _plan(self, eps: float) -> Plan:
        horizon, needed = self._horizon(eps, FIRST_STEPS)
        if needed > self._most and self._out_of_reach(eps):
            return self._blocked(eps)
        if needed > self._most:
            # so few steps may be too long for the bound to say anything
            horizon, needed = self._horizon(eps, self._compared)
        for _ in range(ROUNDS):
            if needed > self._most:
                return self._blocked(eps)
            compared = min(max(math.ceil(needed), 2), self._compared)
            horizon, better = self._horizon(eps, compared, horizon)
            settled = abs(better / needed - 1) < HORIZON_ACCURACY
            needed = better
            if settled:
                break
        steps = self._steps(eps, horizon, needed)
        if steps is None:
            return self._blocked(eps)
        horizon, steps = self._improved(eps, horizon, steps)
        floor = _floor(self._terms(horizon, min(steps, self._compared), eps))
        return self._bounds.reached(eps, horizon, steps, floor)

    def _out_of_reach(self, eps: float) -> bool:
        """Whether what steps do not remove is above ε at every horizon, and hardly falls with more of them."""
        later = min(MORE * FIRST_STEPS, self._compared)
        for horizon in self._horizons:
            try:
                first, more = (_floor(self._terms(horizon, steps, eps)) for steps in (FIRST_STEPS, later))
            except ValueError:
                return False
            if not more - TREND * max(first - more, 0.0) >= eps:
                return False
        return True

    def _terms(self, horizon: float, steps: int, eps: float) -> dict[str, float]:
        """The terms of the bound as numbers, early stopping among them."""
        return {EARLY_STOPPING: 0.0, **self._bounds.bound(horizon, steps, eps).terms}

    @cached_property
    def _horizons(self) -> list[float]:
        """Horizons to try; with two blocks in units of the slowest relaxation of the drift at time 1."""
        if self.uniform is not None:
            return self.uniform._horizons  # whatever the grid
        if self.fixed is not None:
            return [self.fixed]
        if self.setting.process.blocks == 1:
            # where to look is a question of the process, whatever the theorem and the sampler
            setting = replace(self.setting, scheme=replace(self.setting.scheme, last_step_noise=True))
            if setting.scheme.sampler.follows_ode:
                setting = replace(setting, scheme=replace(setting.scheme, sampler=samplers()["euler-maruyama"]))
            found = Horizons(BoundOnGrids(theorems()["martingale"], setting, "uniform", 0.0),
                             None).coarse(DOUBLINGS, 0.0)
            if not self.setting.scheme.sampler.follows_ode:
                return found
            # an ODE forgets its start slowly: ever longer horizons gain next to nothing
            far = FARTHEST * math.sqrt(float(setting.assumption.second_moment) / setting.assumption.dim)
            return [T for T in found if _level(setting.process, T) <= far] or found[:1]
        drift = np.array(self.setting.process.drift.subs(TIME, 1), dtype=float)
        rate = float(np.min(np.abs(np.linalg.eigvals(drift).real))) or 1.0
        count = int(PER_DOUBLING * math.log2(LONGEST / SHORTEST)) + 1
        return [self._bounds.stop + float(x) / rate for x in np.geomspace(SHORTEST, LONGEST, count)]

    def _needed(self, horizon: float, steps: int, eps: float) -> float:
        """Steps this horizon takes, from its bound with so many: discretisation goes like a power of K."""
        try:
            terms = self._terms(horizon, steps, eps)
        except ValueError:
            return math.inf
        spare, initial = eps - terms[SCORE_BIAS] - terms[EARLY_STOPPING], terms[INITIALISATION]
        if not (spare > initial and math.isfinite(terms[DISCRETISATION])):
            return math.inf
        room = math.sqrt(spare**2 - initial**2) if self._squares else spare - initial
        excess = terms[DISCRETISATION] / room
        return max(steps * excess ** (1 / self._power), LEAST) if excess < FAR else math.inf

    def _horizon(self, eps: float, steps: int, near: float | None = None) -> tuple[float, float]:
        """(T, steps needed) at the best horizon, scanned for or near a given one."""
        cost = lambda T: self._needed(T, steps, eps)  # noqa: E731
        if self.fixed is not None:
            return self.fixed, cost(self.fixed)
        best = self._first(cost) if near is None else near
        if cost(best) in (LEAST, math.inf):
            return best, cost(best)
        return self._search(cost, best)

    def _first(self, cost) -> float:
        """The horizon of least cost; those behind the first that takes one step are not looked at."""
        best, least = self._horizons[0], math.inf
        for horizon in self._horizons:
            if (found := cost(horizon)) < least:
                best, least = horizon, found
            if least == LEAST:
                break
        return best

    def _search(self, cost, start: float) -> tuple[float, float]:
        """(T, cost) by a bounded search around a horizon."""
        from scipy.optimize import minimize_scalar

        stop = self._bounds.stop
        centre, span = math.log(start - stop), 1.5 * math.log(2) / PER_DOUBLING
        end = centre + span
        if self.setting.scheme.sampler.follows_ode and start < self._horizons[-1]:
            end = min(end, math.log(self._horizons[-1] - stop))
        found = minimize_scalar(lambda x: min(cost(stop + math.exp(x)), 1e300),
                                bounds=(centre - span, end), method="bounded",
                                options={"xatol": HORIZON_ACCURACY})
        better = stop + math.exp(found.x)
        return (better, cost(better)) if cost(better) < cost(start) else (start, cost(start))

    def _steps(self, eps: float, horizon: float, guess: float) -> int | None:
        """Smallest K at this horizon, by the bound itself at K and K − 1; None beyond `MOST_STEPS`, or where ever more
        steps only make it larger."""
        low, high, steps = 0, None, min(max(math.ceil(guess), 1), self._most)
        points: list[tuple[int, float]] = []
        while high is None or high - low > 1:
            if low == self._most:
                return None
            value = self._bounds.value(horizon, steps, eps)
            low, high = (low, steps) if value <= eps else (steps, high)
            points.append((steps, value))
            if high is None and _explodes([value for _, value in points[-3:]], eps):
                return None
            steps = _crossing(points, eps, self._power)
            if high is None:
                steps = min(max(steps, low + 1), 2 * low, self._most)
            elif not low < steps < high:
                # at the crossing, K or K − 1 is known: the other is next
                steps = min(max(steps, low + 1), high - 1)
        return high

    def _improved(self, eps: float, horizon: float, steps: int) -> tuple[float, int]:
        """(T, K) after moving the horizon of few steps by the bound itself, as long as that saves steps."""
        while self.fixed is None and 1 < steps <= self._compared:
            moved, value = self._search(partial(self._bounds.value, steps=steps - 1, eps=eps), horizon)
            if not value <= eps:
                break
            horizon, steps = moved, self._steps(eps, moved, steps - 1)
        return horizon, steps

    def _blocked(self, eps: float) -> Plan:
        """What more steps do not remove."""
        floors = {}
        for horizon in self._horizons:
            try:
                floors[horizon] = self._terms(horizon, FIRST_STEPS, eps)
            except ValueError:
                continue
        horizon = min(floors, key=lambda T: _floor(floors[T]))
        floor = _floor(floors[horizon])
        reason = self._bounds.blocking(
            eps, floor, self._most, self.fixed is not None,
            lambda source: min(_floor(terms, source) for terms in floors.values()))
        return self._bounds.blocked(eps, horizon, floor, reason)


def _level(process: ForwardProcess, horizon: float) -> float:
    """s/a at a time; ∞ where the process has ended."""
    try:
        with np.errstate(all="ignore"):
            path = Path(process, np.array([horizon, 0.0]))
            found = float(np.sqrt(path.s_sq[0]) / path.a[0])
    except (ValueError, ArithmeticError):
        return math.inf
    return math.inf if math.isnan(found) else found


def _explodes(values: list[float], eps: float) -> bool:
    """Whether the last three bounds are far above ε and more steps made each larger than the one before."""
    return len(values) == 3 and eps * FAR < values[0] < values[1] < values[2]


def _crossing(points: list[tuple[int, float]], eps: float, power: float) -> int:
    """K where the bound is ε: affine in K^{−power} through the last two points, or proportional to it."""
    (k, value), (k0, value0) = points[-1], points[-2] if len(points) > 1 else (math.inf, 0.0)
    x, x0 = k**-power, k0**-power
    slope = (value - value0) / (x - x0) if k != k0 else 0.0
    if not (math.isfinite(slope) and slope > 0 and (inverse := x + (eps - value) / slope) > 0):
        inverse = x * eps / value
    return math.ceil(min(inverse ** (-1 / power), 1e15)) if inverse > 0 else 2 * k


def _floor(terms, without: str = "") -> float:
    """What is left of a bound without discretisation, and without one more source."""
    return sum(float(terms[name]) for name in (INITIALISATION, SCORE_BIAS, EARLY_STOPPING) if name != without)


def uniform_and_best(theorem: str | Theorem, setting: Setting) -> dict[str, Planner | DirectPlanner]:
    """The planners of `planner_of` by their grid, which share what does not depend on it; so are the errors."""
    best = planner_of(theorem, setting, grid="best")
    if isinstance(best, DirectPlanner):
        return {"uniform": best.uniform, "best": best}
    uniform = planner_of(theorem, setting)
    uniform.share_models(best)
    return {"uniform": uniform, "best": best}


def planner_of(theorem: str | Theorem, setting: Setting, *, grid: str = "uniform",
               horizon: float | None = None, score_share: float = 0.0) -> Planner | DirectPlanner:
    """The planner for the setting's process and the theorem.

    Parameters
    ----------
    theorem : str or Theorem
        What `verify.certificates.theorem_named.find_theorem` takes.
    setting, grid, horizon, score_share
        As for `Planner`, and so are the errors.
    """
    theorem = find_theorem(theorem)
    check_type("setting", setting, Setting, "a Setting")
    if setting.scheme is not setting.asked:
        return _from_noise(theorem, setting, grid, horizon, score_share)
    modelled = setting.process.blocks == 1 and theorem.ingredients is not None
    return (Planner if modelled else DirectPlanner)(theorem, setting, grid=grid, horizon=horizon,
                                                    score_share=score_share)


def _from_noise(theorem: Theorem, setting: Setting, grid: str, horizon: float | None, score_share: float) -> DirectPlanner:
    """The planner where the horizon has a(T) = 0: it stays, for the sampler starts from the data's mean there alone."""
    asked = setting.asked.grid.horizon
    if horizon not in (None, asked):
        raise ValueError(f"horizon must be left out, or the problem's, {asked:g}, where a(T) = 0, got {horizon:g}")
    if grid == "best":
        raise ValueError(f"grid must be uniform where a(T) = 0, at horizon {asked:g}, got 'best': or stop short of it, "
                         f"horizon = {asked * (1 - 1e-6):.6f}")
    return DirectPlanner(theorem, setting, horizon=asked, score_share=score_share)
