r"""The recursion's ingredients on long runs of equal steps, from a few of the steps, with an error estimate.

On equal steps :math:`A_k - 1`, b_k, v_k² and Q_k are smooth functions of k: Chebyshev series through some of the steps
give the others.  Panels of steps are halved until their series is accurate; what it may still be off by is added.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from .grid import TimeGrid
from .process import TIME
from .recursion import Ingredients
from .setting import Setting

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
#: Steps of a panel filled in together: they fit in the cache.
CHUNK = 4096
#: Steps compared with their neighbours together.
BLOCK = 1 << 15
#: Places of a chunk through which its values are laid, and what that may miss of the largest.
NODES, ROUNDED = 6, 1e-13
EPS = np.finfo(float).eps
_CHUNK_NODES = chebyshev.chebpts1(NODES)
#: The polynomials that are 1 at one of these places and 0 at the others, at every step of a chunk.
_LAGRANGE = np.linalg.solve(
    chebyshev.chebvander(_CHUNK_NODES, NODES - 1).T, chebyshev.chebvander(np.linspace(-1, 1, CHUNK), NODES - 1).T
)


def fitted_ingredients(setting: Setting, ingredients: Callable[[Setting], Ingredients]) -> Ingredients | None:
    """The ingredients of all steps from those of a few; None where that is not much shorter.

    Parameters
    ----------
    setting : Setting
        One problem.
    ingredients : callable
        Of the same setting on another grid.

    Returns
    -------
    Ingredients or None
        A_k, b_k, v_k² and Q_k from above, E_0 and the early stopping as ``ingredients`` gives them.
    """
    times = setting.scheme.grid.times
    steps = len(times) - 1
    if steps < MANY_STEPS or setting.shape:
        return None
    panels, nodes = _runs(times), LONG
    if len(panels) >= MANY_RUNS:
        nodes = SHORT
    else:
        panels = _graded(panels, nodes[0])
    columns, used = np.empty((4, steps)), 0
    for _ in range(MAX_HALVINGS):
        sampled = _Sample.of(setting, ingredients, panels, nodes[0])
        used += len(sampled.steps)
        if used * SPARED > steps:
            return None
        panels = sampled.fill(columns, *nodes)
        if not len(panels):
            contraction, bias, variance, weight = columns
            contraction += 1.0
            return replace(
                sampled.whole, contraction=contraction, bias=bias, variance=variance, score_weight=weight,
            )  # fmt: skip
    return None


def _runs(times) -> np.ndarray:
    """(First step, number of steps) of every run of steps that are equal up to the rounding of the times, shape (m, 2)."""
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

    Attributes
    ----------
    setting : Setting
    long, short : arrays of shape (m, 2)
        Panels (first, count) of which some steps are sampled, and of which all are.
    steps : array of shape (s,)
        The steps: first the same number in every long panel, then all of the short ones.
    values : array of shape (6, s)
        A − 1, b, v², Q, f and g².
    noise : array of shape (6, s)
        Rounding of the values.
    whole : Ingredients
        Of the grid that holds the sampled steps and the gaps between them.
    """

    setting: Setting
    long: np.ndarray
    short: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    noise: np.ndarray
    whole: Ingredients

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
        parts = whole.contraction - 1, whole.bias, whole.variance, whole.score_weight
        process = setting.process
        values = [part[at] for part in parts] + [process.f_values(times[steps]), process.g_sq_values(times[steps])]
        return cls(setting, long, short, steps, np.array(values), _rounding(thin, values, at), whole)

    def fill(self, columns: np.ndarray, samples: int, degree: int) -> np.ndarray:
        """Write A − 1, b, v² and Q of all the panels' steps, from above; the panels that must be halved are returned."""
        sampled = len(self.long) * samples
        columns[:, self.steps[sampled:]] = self.values[:4, sampled:]
        if not sampled:
            return self.long
        first, count = self.long.T
        place = 2 * (self.steps[:sampled].reshape(-1, samples) - first[:, None]) / (count - 1)[:, None] - 1
        basis = chebyshev.chebvander(place, degree)
        values, noise = (x[:, :sampled].reshape(6, -1, samples).swapaxes(0, 1) for x in (self.values, self.noise))
        series = values @ np.linalg.pinv(basis).swapaxes(1, 2)
        shown = np.abs(values - series @ basis.swapaxes(1, 2)).max(axis=2) + np.abs(series[..., -2:]).sum(axis=2)
        error = SAFETY * shown
        times = self.setting.scheme.grid.times
        jitter = 4 * EPS * (times[first] / (times[first] - times[first + 1]) + len(times))
        allowed = np.maximum(RELATIVE_ERROR, 2 * SAFETY * jitter)[:, None] * np.abs(values).max(axis=2) + noise.max(axis=2)
        good = (error[:, :4] <= allowed[:, :4]).all(axis=1)
        for panel in np.flatnonzero(good):
            good[panel] = self._fill_panel(columns, *self.long[panel], series[panel], error[panel], jitter[panel])
        return _halved(self.long[~good])

    def _fill_panel(self, columns, first: int, count: int, series, error, jitter: float) -> bool:
        """Write the steps of one panel; False if f or g² strays from its fit in between."""
        process, times = self.setting.process, self.setting.scheme.grid.times
        checks = [
            (row, values) for row, expression, values in ((4, process.f, process.f_values), (5, process.g_sq, process.g_sq_values))
            if expression.has(TIME)
        ]  # fmt: skip
        chosen = [0, 1, 2, 3, *(row for row, _ in checks)]
        # equal steps differ by the rounding of their times, and v² goes like their cube; |T_n| <= 1
        slack = np.array([jitter, 3 * jitter, 3 * jitter, 3 * jitter]) * np.abs(series[:4]).sum(axis=1)
        series = series[chosen]
        series[:4, 0] += slack + error[:4]
        through, between = _through(series, count)
        series[:4, 0] += between[:4]
        for start in range(0, count, CHUNK):
            stop = min(start + CHUNK, count)
            if through is not None and stop - start == CHUNK:
                filled = through[start // CHUNK] @ _LAGRANGE
            else:
                filled = series @ _basis(2 * np.arange(start, stop) / (count - 1) - 1, series.shape[1])
            for row, (which, values) in enumerate(checks, start=4):
                there = values(times[first + start : first + stop])
                if np.abs(there - filled[row]).max() > COEFFICIENT_ERROR * np.abs(there).max() + error[which]:
                    return False
            part = columns[:, first + start : first + stop]
            part[0] = filled[0]
            np.maximum(filled[1:4], 0.0, out=part[1:])
        return True


def _through(series, count: int):
    """Values of the series at some places of every chunk, shape (chunks, rows, nodes), and what polynomials through them miss.

    None and 0 where that would be more than rounding.
    """
    terms = series.shape[1]
    # the largest derivative of T_n of this order is at 1: ∏_{j<order} (n² − j²)/(2j + 1)
    steep = np.prod([(np.arange(terms) ** 2 - j * j) / (2 * j + 1) for j in range(NODES)], axis=0)
    half = (CHUNK - 1) / (count - 1)
    missed = np.abs(series) @ np.abs(steep) * half**NODES / (math.factorial(NODES) * 2.0 ** (NODES - 1))
    if count < 2 * CHUNK or np.any(missed > ROUNDED * np.abs(series).max(axis=1)):
        return None, np.zeros(len(series))
    starts = np.arange(0, count - CHUNK + 1, CHUNK)
    places = 2 * (starts[:, None] + (CHUNK - 1) * (1 + _CHUNK_NODES) / 2) / (count - 1) - 1
    return np.moveaxis(chebyshev.chebval(places, series.T), 0, 1), missed


def _basis(place: np.ndarray, terms: int) -> np.ndarray:
    """T_0 … T_{terms−1} at the places, shape (terms, n): rows are contiguous."""
    basis = np.empty((terms, len(place)))
    basis[0], basis[1] = 1.0, place
    twice = 2 * place
    for row in range(2, terms):
        np.multiply(twice, basis[row - 1], out=basis[row])
        basis[row] -= basis[row - 2]
    return basis


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
    return np.array([np.full(len(at), 16 * EPS), bias, missed, 16 * EPS * weight, EPS * np.abs(f), EPS * g_sq])
