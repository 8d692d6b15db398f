r"""The recursion's ingredients on long runs of equal steps, from a few of the steps, with an error estimate.

On equal steps :math:`A_k - 1`, b_k, v_k² and Q_k are smooth functions of k: Chebyshev series through some of
the steps give the others.  Panels of steps are halved until their series is accurate; what it may still be
off by is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from bounds.grid import TimeGrid
from bounds.recursion.fitted_columns import FittedColumns, Laid, Panel, Stretch
from bounds.recursion.ingredients import Ingredients
from bounds.setting import Setting
from bounds.steps.path import Path, StepTooLong
from bounds.symbolic.integrals import TIME

#: Grids of fewer steps are computed step by step.
MANY_STEPS = 20_000
#: Steps sampled in a panel and the degree fitted: for long runs of equal steps, and for many short ones.
LONG, SHORT, MANY_RUNS = (16, 11), (10, 6), 40
#: The steps sampled must be fewer than all of them by this factor.
SPARED = 4
#: Relative error at which a panel is no longer halved; the factor on the error its fit shows.
RELATIVE_ERROR, SAFETY = 1e-11, 4.0
MAX_HALVINGS = 24
#: f and g² are held against their fit at every step, to this relative accuracy.
COEFFICIENT_ERROR = 1e-9
#: Relative accuracy to which rounds of samples must agree on a and s².
AGREEMENT = 1e-11
#: Steps compared with their neighbours together.
BLOCK = 1 << 15
EPS = np.finfo(float).eps


def fitted_ingredients(setting: Setting, ingredients: Callable[[Setting], Ingredients]) -> Ingredients | None:
    """The ingredients of all steps of one problem from those of a few; None where that is not much shorter.

    ``ingredients`` gives those of the same setting on another grid: E_0 and the early stopping are its own,
    A_k, b_k, v_k² and Q_k from above.  Saturation is that of all steps, computed where it matters.
    """
    times = setting.scheme.grid.times
    steps = len(times) - 1
    # of formulas of a step nothing is known between the steps sampled; a last step without noise is like no other
    scheme = setting.scheme
    if steps < MANY_STEPS or setting.shape or scheme.sampler.formulas is not None or not scheme.last_step_noise:
        return None
    panels = _runs(times)
    nodes = SHORT if len(panels) >= MANY_RUNS else LONG
    if nodes is LONG:
        panels = _graded(panels, nodes[0])
    pieces, samples, used = [], [], 0
    for _ in range(MAX_HALVINGS):
        try:
            sampled = _Sample.of(setting, ingredients, panels, nodes[0])
        except StepTooLong:  # a gap between the samples
            return None
        samples.append(sampled)
        used += len(sampled.steps)
        if used * SPARED > steps:
            return None
        pieces += sampled.stretches(nodes[0])
        found, panels = sampled.panels(*nodes)
        pieces += found
        if not len(panels):
            if not _agree(setting, samples):
                return None
            pieces.sort(key=lambda piece: piece.first)
            whole = sampled.whole
            return replace(whole, columns=FittedColumns(pieces, steps),
                           saturation=whole.saturation and whole.saturation.on(setting))
    return None


def _agree(setting: Setting, samples: list[_Sample]) -> bool:
    """Whether a² and s² of every round are those of all: a gap of one may hide what another resolved."""
    if len(samples) == 1:
        return True
    kept = np.unique(np.concatenate([sample.kept for sample in samples]))
    path = Path(setting.process, setting.scheme.grid.times[kept])
    for sample in samples:
        at, found = np.searchsorted(kept, sample.kept), sample.path
        for one, other in ((found.a, path.a[at]), (found.s_sq, path.s_sq[at])):
            if not np.all(np.abs(one - other) <= AGREEMENT * np.abs(other)):
                return False
    return True


def _runs(times) -> np.ndarray:
    """(First step, number of steps) of every run of equal steps, up to the times' rounding: shape (m, 2)."""
    steps = len(times) - 1
    starts = [np.zeros(1, dtype=int)]
    for begin in range(0, steps - 1, BLOCK):
        end = min(begin + BLOCK, steps - 1)
        lengths = times[begin : end + 1] - times[begin + 1 : end + 2]
        change = np.abs(np.diff(lengths)) > 8 * EPS * (times[begin + 1 : end + 1] + steps * lengths[1:])
        starts.append(begin + 1 + np.flatnonzero(change))
    starts = np.concatenate(starts)
    return np.stack([starts, np.diff(starts, append=steps)], axis=1)


def _graded(runs: np.ndarray, samples: int) -> np.ndarray:
    """Every run in panels that halve towards its end, where the data make themselves felt."""
    panels = []
    for start, count in runs.tolist():
        while count > 2 * samples:
            panels.append((start, count // 2))
            start, count = start + count // 2, count - count // 2
        panels.append((start, count))
    return np.array(panels)


def _halved(panels: np.ndarray) -> np.ndarray:
    first, count = panels.T
    half = count // 2
    return np.concatenate([np.stack([first, half], axis=1), np.stack([first + half, count - half], axis=1)])


@dataclass(frozen=True)
class _Sample:
    """Some steps of the grid and what the recursion runs on there.

    Of the panels ``long`` (m, 2) = (first, count) the same number of ``steps`` (s,) is sampled, of shorter
    ones all, after these.  ``values`` (6, s) are A − 1, b, v², Q, f and g², ``noise`` their rounding.
    ``whole`` and ``path`` belong to the grid of the times ``kept``: these steps and the gaps between them.
    """

    setting: Setting
    long: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    noise: np.ndarray
    whole: Ingredients
    kept: np.ndarray
    path: Path

    @classmethod
    def of(cls, setting: Setting, ingredients, panels, samples: int) -> _Sample:
        """The ingredients at ``samples`` steps of every panel."""
        long, short = panels[panels[:, 1] > 2 * samples], panels[panels[:, 1] <= 2 * samples]
        places = (1 - np.cos(np.pi * (np.arange(samples) + 0.5) / samples)) / 2
        inside = np.rint(places * (long[:, 1:] - 1)).astype(int) + long[:, :1]
        steps = np.concatenate([inside.ravel(), *(np.arange(first, first + count) for first, count in short)])
        times = setting.scheme.grid.times
        kept = np.unique(np.concatenate([steps, steps + 1, [0, len(times) - 1]]))
        thin = replace(setting, scheme=replace(setting.scheme, grid=TimeGrid(times[kept], "list")))
        with np.errstate(all="ignore"):  # the gaps are long steps
            whole = ingredients(thin)
        at = np.searchsorted(kept, steps)
        contraction, *others = whole.columns.whole
        process = setting.process
        values = [column[at] for column in (contraction - 1, *others)]
        values += [process.f_values(times[steps]), process.g_sq_values(times[steps])]
        return cls(setting, long, steps, np.array(values), _rounding(thin, values, at), whole, kept,
                   thin.table.path)

    def stretches(self, samples: int) -> list[Stretch]:
        """The steps of the short panels, as they are."""
        sampled = len(self.long) * samples
        order = np.argsort(self.steps[sampled:])
        steps, columns = self.steps[sampled:][order], self.values[:4, sampled:][:, order]
        columns[0] += 1.0
        cuts = np.flatnonzero(np.diff(steps) != 1) + 1
        starts = [0, *cuts.tolist()] if len(steps) else []
        return [Stretch(int(steps[i]), part)
                for i, part in zip(starts, np.split(columns, cuts, axis=1), strict=False)]

    def panels(self, samples: int, degree: int) -> tuple[list[Panel], np.ndarray]:
        """The long panels whose series are accurate, from above, and the halves of the others."""
        if not len(self.long):
            return [], self.long
        first, count = self.long.T
        sampled = len(self.long) * samples
        place = 2 * (self.steps[:sampled].reshape(-1, samples) - first[:, None]) / (count - 1)[:, None] - 1
        basis = chebyshev.chebvander(place, degree)
        values, noise = (x[:, :sampled].reshape(6, -1, samples).swapaxes(0, 1)
                         for x in (self.values, self.noise))
        series = values @ np.linalg.pinv(basis).swapaxes(1, 2)
        shown = np.abs(values - series @ basis.swapaxes(1, 2)).max(axis=2)
        error = SAFETY * (shown + np.abs(series[..., -2:]).sum(axis=2))
        times = self.setting.scheme.grid.times
        jitter = 4 * EPS * (times[first] / (times[first] - times[first + 1]) + len(times))
        relative = np.maximum(RELATIVE_ERROR, 2 * SAFETY * jitter)[:, None]
        allowed = relative * np.abs(values).max(axis=2) + noise.max(axis=2)
        good = (error[:, :4] <= allowed[:, :4]).all(axis=1)
        found = []
        for panel in np.flatnonzero(good):
            place, rows, off = self.long[panel].tolist(), series[panel], error[panel]
            if self._strays(*place, rows[4:], off[4:]):
                good[panel] = False
            else:
                found.append(_raised(*place, rows[:4], off[:4], jitter[panel]))
        return found, _halved(self.long[~good])

    def _strays(self, first: int, count: int, series, error) -> bool:
        """Whether f or g² strays from its fit between the steps sampled."""
        process, times = self.setting.process, self.setting.scheme.grid.times[first : first + count]
        kinds = (process.f, process.f_values), (process.g_sq, process.g_sq_values)
        rows = [row for row, (expression, _) in enumerate(kinds) if expression.has(TIME)]
        if not rows:
            return False
        for start, fitted in Laid.of(series[rows], count).chunks():
            part = times[start : start + fitted.shape[1]]
            for row, laid in zip(rows, fitted, strict=True):
                there = kinds[row][1](part)
                if np.abs(there - laid).max() > COEFFICIENT_ERROR * np.abs(there).max() + error[row]:
                    return True
        return False


def _raised(first: int, count: int, series, error, jitter: float) -> Panel:
    """The panel with its series above everything they may be off by."""
    # equal steps differ by the rounding of their times, and v² goes like their cube; |T_n| <= 1
    slack = np.array([jitter, 3 * jitter, 3 * jitter, 3 * jitter]) * np.abs(series).sum(axis=1)
    series = series.copy()
    series[:, 0] += slack + error
    return Panel(first, Laid.of(series, count))


def _rounding(thin: Setting, values, at) -> np.ndarray:
    """Rounding of the values at the steps ``at`` of the thinned grid, shape (6, s)."""
    table, dim = thin.table, float(thin.assumption.dim)
    a_sq, s_sq = np.square(table.path.a[at]), table.path.s_sq[at]
    _, _, variance, weight, f, g_sq = values
    spread = np.sqrt(a_sq * float(thin.assumption.second_moment) + dim * s_sq)
    bias = table.c1_error[at] * spread + table.c2_error[at] * dim / spread
    # v² is the square of a difference of amplitudes known to EPS
    size = dim * weight
    missed = 64 * EPS * np.sqrt(np.maximum(variance, 0.0) * size) + 1e-28 * size
    return np.array([np.full(len(at), 16 * EPS), bias, missed, 16 * EPS * weight, EPS * np.abs(f),
                     EPS * g_sq])
