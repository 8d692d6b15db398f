"""A bound as a function of horizon and steps: by the theorem itself, by its model, and the plans it makes."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from bounds.bound import DISCRETISATION, EARLY_STOPPING, INITIALISATION, SCORE_BIAS, Bound
from bounds.complexity.best_grid import MODEL_STEPS, Model, model_of
from bounds.complexity.flow_grid import FlowModel, flow_model_of
from bounds.grid import MAX_STEPS, TimeGrid
from bounds.recursion.propagation import weights
from bounds.score_error import ScoreError
from bounds.setting import Setting
from bounds.theorem import Theorem
from verify.planning.plan import Plan

#: A model of where the flow needs its steps serves horizons so many times shorter.
REUSED = 2.0


class BoundOnGrids:
    """The bound of one question on every grid of a kind.

    Parameters
    ----------
    theorem : Theorem
        One with a recursion.
    setting : Setting
        Its grid is replaced.
    kind : str
        "uniform", or "best": the steps placed where the bound needs them.
    score_share : float
        Share of ε set aside for a score error; 0: the setting's score error.
    """

    #: Bounds remembered, and fine steps of the model.
    remembered, model_steps = 8, MODEL_STEPS

    def __init__(self, theorem: Theorem, setting: Setting, kind: str, score_share: float):
        self.theorem, self.setting, self.kind, self.share = theorem, setting, kind, score_share
        self.stop = setting.scheme.grid.early_stop
        self._models: dict[float, Model | ValueError] = {}
        self._flow_models: dict[float, FlowModel] = {}
        self._at = lru_cache(maxsize=self.remembered)(self._bound)

    def model(self, horizon: float) -> Model:
        """The bound to leading order at this horizon, remembered, and so is a refusal."""
        if horizon not in self._models:
            setting = self._with_grid(TimeGrid.uniform(horizon, 1, self.stop))
            try:
                self._models[horizon] = model_of(self.theorem, setting, self.model_steps)
            except ValueError as error:
                self._models[horizon] = error
        found = self._models[horizon]
        if isinstance(found, ValueError):
            raise found
        return found

    def share_models(self, other: "BoundOnGrids") -> None:
        """Remember models together with the same question's bound on another kind of grid: they depend on neither."""
        self._models = other._models

    def _with_grid(self, grid: TimeGrid, **changed) -> Setting:
        return replace(self.setting, scheme=replace(self.setting.scheme, grid=grid), **changed)

    def grid(self, horizon: float, steps: int) -> TimeGrid:
        """The grid of so many steps."""
        if self.kind == "uniform":
            return TimeGrid.uniform(horizon, steps, self.stop)
        if self.theorem.ingredients is None:
            return self._flow_model(horizon).best_grid(steps)
        return self.model(horizon).best_grid(steps)

    def _flow_model(self, horizon: float) -> FlowModel:
        """Where a sampler without noise needs its steps at this horizon, remembered."""
        known = self._flow_models
        if horizon not in known:
            longer = min((each for each in known if horizon < each <= REUSED * horizon), default=None)
            if longer is None:
                known[horizon] = flow_model_of(self._with_grid(TimeGrid.uniform(horizon, 1, self.stop)))
            else:
                known[horizon] = known[longer].up_to(horizon)
        return known[horizon]

    def score_error(self, horizon: float, eps: float) -> float | ScoreError:
        """The score error allowed for at this horizon."""
        if self.share == 0:
            return self.setting.error
        parts = self.model(horizon).ingredients
        with np.errstate(over="ignore"):
            size = float(np.sum(weights(parts.columns.contraction)[0] * parts.columns.score_weight))
        return self.share * eps / size

    def bound(self, horizon: float, steps: int, eps: float) -> Bound:
        """The theorem itself; the last few are remembered, without their grids of up to ten million times."""
        return self._at(horizon, steps, self.score_error(horizon, eps))

    def _bound(self, horizon: float, steps: int, score_error: float | ScoreError) -> Bound:
        with np.errstate(all="ignore"):  # far too long a horizon or step overflows, and the bound is ∞
            return self.theorem.bound(self._with_grid(self.grid(horizon, steps), score_error=score_error))

    def value(self, horizon: float, steps: int, eps: float) -> float:
        """The bound as a number; ∞ where the process has ended."""
        try:
            return float(self.bound(horizon, steps, eps).total)
        except ValueError:
            return math.inf

    def estimate(self, horizon: float, steps: float, eps: float) -> float:
        """The model's value."""
        model = self._priced(horizon, eps)
        counts = model.uniform_counts(steps) if self.kind == "uniform" else model.best_counts(steps)
        return model.error(counts)

    def _priced(self, horizon: float, eps: float) -> Model:
        """The model with the score error allowed for; the setting's own is in the model's units already."""
        model = self.model(horizon)
        return model if self.share == 0 else replace(model, score_error=self.score_error(horizon, eps))

    def ratio(self, horizon: float, steps: int, eps: float) -> float:
        """The bound over the model's value."""
        return self.value(horizon, steps, eps) / self.estimate(horizon, steps, eps)

    def floor(self, horizon: float, eps: float, without: str = "") -> float:
        """What the bound tends to with ever more steps, estimated; ``without`` one of the error sources."""
        model = self._priced(horizon, eps)
        if without == SCORE_BIAS:
            model = replace(model, score_error=0.0)
        elif without:
            part = {EARLY_STOPPING: "stop", INITIALISATION: "initial"}[without]
            model = replace(model, ingredients=replace(model.ingredients, **{part: 0.0}))
        return model.error(np.inf)

    def steps_by_model(self, horizon: float, eps: float, factor: float = 1.0) -> float:
        """K at which factor × the model's value is ε; ∞ if none is."""
        if not self.floor(horizon, eps) * factor < eps:
            return math.inf
        from scipy.optimize import brentq

        excess = lambda log_steps: math.log(  # noqa: E731
            max(self.estimate(horizon, math.exp(log_steps), eps) * factor, 1e-300) / eps)
        high = math.log(100.0 * MAX_STEPS)
        if excess(high) > 0:
            return math.inf
        return math.exp(brentq(excess, 0.0, high, xtol=1e-9)) if excess(0.0) > 0 else 1.0

    def initial_left(self, horizon: float) -> float:
        """What is left of the initial error at time 0, estimated."""
        parts = self.model(horizon).ingredients
        return float(weights(parts.columns.contraction)[1] * parts.initial)

    def reached(self, eps: float, horizon: float, steps: int, floor: float) -> Plan:
        """The plan of so many steps, with K and K − 1 evaluated by the theorem."""
        less = self.value(horizon, steps - 1, eps) if steps > 1 else None
        bound = self.bound(horizon, steps, eps)
        return Plan(self.theorem.key, eps, bool(bound.total <= eps), steps, horizon,
                    self.grid(horizon, steps), self.score_error(horizon, eps), bound, less, None, floor)

    def blocked(self, eps: float, horizon: float, floor: float, reason: str) -> Plan:
        """What stands in the way, as a plan."""
        return Plan(self.theorem.key, eps, False, None, horizon, None, self.score_error(horizon, eps), None,
                    None, reason, floor)

    def blocking(self, eps: float, floor: float, most: int, fixed: bool,
                 without: Callable[[str], float]) -> str:
        """What more steps do not remove, in words: the error source without which the floor is lowest.

        With a free horizon the initial error may block only where no other source is there.
        """
        if floor < eps:
            return f"{DISCRETISATION}: more than {most} steps would be needed"
        sources = [SCORE_BIAS] * bool(self.setting.score_error) + [EARLY_STOPPING] * bool(self.stop)
        sources += [INITIALISATION] * (fixed or not sources)
        left = {source: without(source) for source in sources}
        worst = min(left, key=left.get)
        return (f"{worst} keeps the bound above {eps:g} whatever the steps; without it the floor is "
                f"{left[worst]:.3g}")
