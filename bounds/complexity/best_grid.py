r"""The grid that makes a recursion's bound smallest for a number of steps, from a model of the bound.

On a fine grid with steps :math:`\ell_j` the bias of a sampler with steps h is :math:`b_j h/\ell_j` and its
variance :math:`v_j^2 (h/\ell_j)^2` to leading order, so one evaluation describes every grid.
"""

from dataclasses import dataclass, replace

import numpy as np

from bounds.argument import unit_of
from bounds.grid import TimeGrid
from bounds.recursion.ingredients import Columns, Ingredients
from bounds.recursion.propagation import weights
from bounds.setting import Setting
from bounds.theorem import Theorem
from bounds.theorems import theorems

#: Steps of the fine grid, whose steps shrink like t^{2/3} towards 0.
MODEL_STEPS = 600
#: Rounds of the fixed-point equation for the density of steps.
ROUNDS = 30
#: Smallest part of the mean density of steps that any stretch of time gets.
FLOOR = 1e-3


@dataclass(frozen=True)
class Model:
    """A recursion's bound to leading order on every grid with this horizon: an estimate, not a bound.

    Attributes
    ----------
    times : array of shape (m+1,)
        The fine grid.
    score_error : float, or array of shape (m,)
        M, as an error of the score.
    """

    times: np.ndarray
    ingredients: Ingredients
    score_error: float | np.ndarray
    score_noise: float

    @property
    def lengths(self) -> np.ndarray:
        """Steps of the fine grid, shape (m,)."""
        return -np.diff(self.times)

    def error(self, counts) -> float:
        """The bound, estimated, with ``counts`` (m,) steps in each step of the fine grid (∞: its floor)."""
        return float(self.ingredients.total(self.score_error, self.score_noise, counts))

    def uniform_counts(self, steps: float) -> np.ndarray:
        """Steps of a uniform grid in each step of the fine one, shape (m,)."""
        return self.lengths * (steps / (self.times[0] - self.times[-1]))

    def best_counts(self, steps: float) -> np.ndarray:
        r"""Steps :math:`n_j` that make the error smallest, shape (m,).

        The error is :math:`\big[(\sum w_j b_j/n_j)^2 + \sum w_j^2 v_j^2/n_j^2\big]^{1/2}` up to the order of
        the sums, w the contraction after the step.  Its stationary point under :math:`\sum n_j = K` is
        :math:`n_j^3 \propto w_j^2 v_j^2 + B w_j b_j n_j`, :math:`B = \sum w_j b_j/n_j`, solved from
        :math:`n_j \propto (w_j^2 v_j^2)^{1/3}` (docs/theory.md section 7).
        """
        later, _ = weights(self.ingredients.columns.contraction)
        with np.errstate(over="ignore", invalid="ignore"):
            columns = self.ingredients.columns
            spread, bias = later * np.sqrt(columns.variance), later * columns.bias
        unit = max(spread.max(), bias.max())
        if not 0 < unit < np.inf:
            # nothing to choose from, or the bound is infinite whatever the grid
            return self.uniform_counts(steps)
        spread, bias = np.square(spread / unit), bias / unit
        counts = np.cbrt(spread) + np.finfo(float).tiny
        least = FLOOR * self.lengths / self.lengths.sum()
        for _ in range(ROUNDS):
            counts = np.maximum(counts * (steps / counts.sum()), least * steps)
            counts = np.cbrt(spread + np.sum(bias / counts) * bias * counts)
        return np.maximum(counts * (steps / counts.sum()), least * steps)

    def best_grid(self, steps: int) -> TimeGrid:
        """The grid of so many steps that follows `best_counts`."""
        passed = np.concatenate([[0.0], np.cumsum(self.best_counts(steps))])
        places = np.linspace(0.0, passed[-1], steps + 1)
        times = np.interp(places, passed, self.times)
        times[0], times[-1] = self.times[0], self.times[-1]
        return TimeGrid(times, "best", copy=False)


def model_of(theorem: Theorem | str, setting: Setting, steps: int = MODEL_STEPS) -> Model:
    """The model of a theorem with a recursion at the setting's horizon; its own grid does not matter.

    Raises ValueError if the theorem states no recursion (`Theorem.ingredients`), or the setting is a batch.
    """
    theorem = unit_of("theorem", theorem, Theorem, theorems())
    if theorem.ingredients is None:
        raise ValueError(f"theorem must state its recursion, got {theorem.key}")
    if setting.shape:
        raise ValueError("one problem at a time, got a batch")
    grid = setting.scheme.grid
    places = np.linspace(1.0, 0.0, steps + 1)
    fine = TimeGrid(grid.early_stop + (grid.horizon - grid.early_stop) * places**3, "list")
    setting = replace(setting, scheme=replace(setting.scheme, grid=fine))
    with np.errstate(all="ignore"):
        parts = theorem.ingredients(setting, theorem.functions)
    parts = replace(parts, columns=per_step(parts.columns, steps))
    return Model(fine.times, parts, setting.step_errors, float(setting.score_noise))


def per_step(columns: Columns, steps: int) -> Columns:
    """One row a step: each kick of a splitting, one more than steps, shared between the steps beside it."""
    if len(columns) == steps:
        return columns
    return Columns(np.ones(steps),
                   *(_shared(column) for column in (columns.bias, columns.variance, columns.score_weight)))


def _shared(column: np.ndarray) -> np.ndarray:
    shared = (column[:-1] + column[1:]) / 2
    shared[0] += column[0] / 2
    shared[-1] += column[-1] / 2
    return shared
