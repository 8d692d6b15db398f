r"""The grid that makes the flow's bound smallest for a number of steps, from its local errors on a fine grid.

On a fine grid with local errors :math:`\ell_j = O(h^{p+1})`, p evaluations a step, n steps in place of one
leave :math:`\ell_j n^{-p}`, so that :math:`\sum w_j \ell_j n_j^{-p}` is smallest under
:math:`\sum n_j = K` for :math:`n_j \propto (w_j \ell_j)^{1/(p+1)}`, w the contraction after the step.  For
DDIM on N(0, v I) this density is 1/(v + σ²): equal steps of arctan(σ/√v) (`bounds.complexity.of_flow`).
"""

from dataclasses import dataclass, replace

import numpy as np

from bounds.conditions import FOLLOWS_ODE
from bounds.grid import TimeGrid
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import flow_ingredients
from bounds.recursion.flow.steps import FlowSteps
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients
from bounds.recursion.propagation import weights
from bounds.setting import Setting
from bounds.theorem import Theorem
from bounds.theorems import theorems

#: Steps of the fine grid, which shrink like t^{2/3} towards 0, with one and with two evaluations a step.
FINE_STEPS = {1: 600, 2: 120}
#: Smallest part of the mean density of steps that any stretch of time gets.
FLOOR = 1e-3
#: What Euler's step to time 0 may leave, as a part of what all others do.
LAST_SHARE = 0.1


@dataclass(frozen=True)
class FlowModel:
    """Where the flow's bound needs its steps at one horizon.

    Attributes
    ----------
    times : array of shape (m+1,)
        The fine grid.
    levels : array of shape (m+1,)
        Its noise levels.
    errors : array of shape (m,)
        What each of its steps adds to the bound at the end.
    order : int
        p: evaluations a step.
    euler_last : bool
        Whether a step to time 0 is Euler's, and of first order.
    """

    times: np.ndarray
    levels: np.ndarray
    errors: np.ndarray
    order: int
    euler_last: bool

    def counts(self, steps: float) -> np.ndarray:
        """Steps in each step of the fine grid, shape (m,)."""
        lengths = -np.diff(self.times)
        least = FLOOR * lengths / lengths.sum()
        found = np.power(self.errors / self.errors.max(), 1 / (self.order + 1))
        found = np.maximum(found / found.sum(), least) * steps
        if self.euler_last:
            found = np.maximum(found, self._towards_zero(found))
        return found * (steps / found.sum())

    def up_to(self, horizon: float) -> "FlowModel":
        """The same for a horizon that is not longer: what errors leave depends on later steps only."""
        kept = int(np.argmax(self.times < horizon))
        share = (horizon - self.times[kept]) / (self.times[kept - 1] - self.times[kept])
        first = self.levels[kept] + share * (self.levels[kept - 1] - self.levels[kept])
        errors = self.errors[kept - 1 :].copy()
        errors[0] *= share ** (self.order + 1)
        return replace(self, times=np.append(horizon, self.times[kept:]),
                       levels=np.append(first, self.levels[kept:]), errors=errors)

    def _towards_zero(self, counts) -> np.ndarray:
        """Counts with which steps shrink in proportion to σ, down to a last one that leaves little."""
        total = float(np.sum(self.errors * counts**-float(self.order)))
        falls = -np.diff(self.levels)
        # Euler's step of another length: its local error is of second order
        last = falls[-1] * np.sqrt(LAST_SHARE * total / max(self.errors[-1], 1e-300))
        return falls / (last + self.levels[1:] / 2)

    def best_grid(self, steps: int) -> TimeGrid:
        """The grid of so many steps that follows `counts`."""
        passed = np.concatenate([[0.0], np.cumsum(self.counts(steps))])
        times = np.interp(np.linspace(0.0, passed[-1], steps + 1), passed, self.times)
        times[0], times[-1] = self.times[0], self.times[-1]
        return TimeGrid(times, "best", copy=False)


def has_flow_grid(theorem: Theorem, setting: Setting) -> bool:
    """Whether a theorem is about samplers without noise alone, and the setting's sampler is one, without churn and
    without a past."""
    sampler = setting.scheme.sampler
    plain = sampler.multistep is None and (sampler.stages is None or sampler.stages.churn is None)
    return FOLLOWS_ODE in theorem.conditions and sampler.follows_ode and plain


def flow_model_of(setting: Setting, steps: int | None = None) -> FlowModel:
    """The model at the setting's horizon; its own grid does not matter.

    Parameters
    ----------
    setting : Setting
    steps : int, optional
        Of the fine grid; `FINE_STEPS` by default.

    Raises
    ------
    ValueError
        If the setting is a batch, or the flow's bound is not finite on the fine grid.
    """
    if setting.shape:
        raise ValueError("one problem at a time, got a batch")
    grid, sampler = setting.scheme.grid, setting.scheme.sampler
    places = np.linspace(1.0, 0.0, (steps or FINE_STEPS[sampler.evaluations]) + 1)
    fine = TimeGrid(grid.early_stop + (grid.horizon - grid.early_stop) * places**3, "list")
    setting = replace(setting, scheme=replace(setting.scheme, grid=fine))
    functions = theorems()["flow"].functions
    with np.errstate(all="ignore"):
        data = FlowData(setting.assumption, functions)
        if sampler.evaluations == 1:
            made = FlowSteps.of(setting, data)
            parts = flow_ingredients(setting, data, made, functions)
        else:
            made = TwiceSteps.of(setting, data)
            parts = twice_ingredients(setting, data, made, functions)
        errors = weights(parts.contraction)[0] * parts.local
    if not (np.all(np.isfinite(errors)) and errors.max() > 0):
        raise ValueError(f"grid must be uniform for {sampler.key} on these data: its errors are not finite "
                         "on a fine one")
    stages = sampler.stages
    return FlowModel(fine.times, np.append(made.tau, made.r[-1]), errors, sampler.evaluations,
                     stages is not None and stages.euler_to_zero and fine.early_stop == 0)
