r"""The moments of Var(μ | Y) for points on a line seen through Gaussian noise, integrated and tabulated."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebinterpolate, chebval

_EPS = np.finfo(float).eps
_REACH = 9.0  # standard deviations kept on each side of a component
_SPACING = 0.08  # of the trapezoid rule, in standard deviations
_TARGET = 1e-6  # relative error wanted of the interpolation
_NODES = 64  # of the trapezoid rule, in one block, whose arrays stay in the cache
_PLACES = np.linspace(-_REACH, _REACH, 5)[:, None]  # of a component: nearer to each other than a block is wide
_FLOOR = 1e-12  # share of the posterior variance s² (and of s⁴) added to the moments to keep their logarithms
_KNOTS = 4096  # of the final table
_MARGIN = 10.0  # on what the shorter series misses: near the floors, where it is not yet geometric, as much as all terms
_DEGREE, _KEPT = 24, 18  # of the series on a piece, and the terms of the one that it is compared with
_LONGEST = 3.0  # piece
_FEWEST = 16  # knots of a piece


@dataclass(frozen=True, eq=False)
class MomentTable:
    """log(V_1 + floor) and log(V_2 + floor) as cubics on equal intervals of t, with their local errors."""

    range_sq: float
    top: float
    rows: np.ndarray  # (5, intervals, 2): four coefficients and the relative error
    floors: np.ndarray  # (2,)

    @classmethod
    def of(cls, means: np.ndarray, weights: np.ndarray, std: float) -> MomentTable:
        """Chebyshev series on pieces that are halved until fewer terms do, then at equal knots (numpy's:
        scipy.interpolate takes 0.4 s to load)."""
        order = np.argsort(means)
        means, weights = means[order], weights[order]
        range_sq = float(np.ptp(means)) ** 2
        floors = _FLOOR * np.array([std**2, std**4])
        top = math.log1p(range_sq / std**2)

        def curves(t):
            moments = np.array([line_moments(means, weights, math.expm1(value) / range_sq) for value in t])
            raised = moments[:, :2] + floors
            return np.log(raised), moments[:, 2:] / raised

        # both curves stay below the floors from there on: V_1 only falls, and V_2 <= V_1 (range/2)²
        silent = 1e-3 * floors[0] * min(1.0, 4.0 * std**2 / range_sq)
        while top > 2.0 and line_moments(means, weights, math.expm1(top - 1.0) / range_sq)[0] < silent:
            top -= 1.0
        first = 1 << max(0, math.ceil(math.log2(top / _LONGEST)))
        waiting, rows = [(i / first, 1 / first) for i in reversed(range(first))], []
        while waiting:
            place, length = waiting.pop()
            knots = round(length * _KNOTS)
            found, needed = _rows(curves, top * place, top * length, knots, 1e6 * floors)
            if needed < _TARGET or knots == _FEWEST:
                rows.append(found)
            else:
                waiting += [(place + length / 2, length / 2), (place, length / 2)]
        return cls(range_sq, top, np.concatenate(rows, axis=1), floors)

    def at(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V_1 and V_2 at every t of a block, shape (n, 2), and their relative errors beyond the floors."""
        step = self.top / _KNOTS
        t = np.minimum(t, self.top)
        index = np.minimum((t / step).astype(np.intp), _KNOTS - 1)
        offset = (t - index * step)[:, None]
        logs = self.rows[0].take(index, axis=0)
        for row in self.rows[1:4]:
            logs *= offset
            logs += row.take(index, axis=0)
        return np.exp(logs, out=logs), self.rows[4].take(index, axis=0)


def _rows(curves, left: float, length: float, knots: int, small: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows of a table for ``knots`` intervals from ``left`` on, and what the series may miss, relative to
    values above ``small``."""
    rough = None

    def logs(x):
        nonlocal rough
        found, rough = curves(left + length * (x + 1) / 2)
        return found

    series = chebinterpolate(logs, _DEGREE)
    x = np.linspace(-1.0, 1.0, 2 * knots + 1)
    values, slopes = chebval(x, series).T, chebval(x[::2], chebder(series)).T
    # all terms miss less than most of them, alike on the whole piece
    missed = _MARGIN * np.abs(np.expm1(values - chebval(x, series[:_KEPT]).T)).max(axis=0)
    raised = np.exp(values)
    # Hermite's cubic on every interval of length h
    h, slopes = length / knots, slopes * 2 / length
    rise, (start, end) = np.diff(values[::2], axis=0) / h, (slopes[:-1], slopes[1:])
    rows = [(start + end - 2 * rise) / h**2, (3 * rise - 2 * start - end) / h, start, values[:-1:2]]
    middle = np.polyval(np.array(rows), h / 2)
    errors = 1e-13 + missed + rough.max(axis=0) + np.abs(np.expm1(middle - values[1::2]))
    return np.array([*rows, errors]), float((missed * raised / (raised + small)).max())


def line_moments(means, weights, precision: float) -> tuple[float, float, float, float]:
    r"""E Var(μ|Y) and E Var(μ|Y)² for Y = μ + N(0, 1/precision), and an estimate of the error of each.

    By the trapezoid rule in y, which converges geometrically here: with spacing h = κτ (τ² = 1/precision)
    two modes x τ apart contribute an error of order exp(−x²/8 − 2π²/(κx)), below e⁻³⁷ at κ = 0.08 for every
    x, and doubling κ multiplies it by exp(π²/(κx)) > 1000 until the first factor alone is e⁻³⁹. So the
    estimate is a thousandth of the difference between κ = 0.08 and κ = 0.16.

    Parameters
    ----------
    means, weights : arrays of shape (c,)
        Ascending means.
    precision : float
        At least 0.
    """
    variance = float(weights @ np.square(means - weights @ means))
    if precision * np.ptp(means) ** 2 < 1e-30:
        return variance, variance**2, 0.0, 0.0
    scaled = (means - means[0]) * math.sqrt(precision)
    sums = np.zeros((2, 2))
    for first in np.unique(np.floor((scaled + _PLACES) / (_SPACING * _NODES))):
        y = _SPACING * (_NODES * first + np.arange(_NODES))
        near = slice(*np.searchsorted(scaled, [y[0] - _REACH - 4.0, y[-1] + _REACH + 4.0]))
        centre, share = scaled[near], weights[near]
        curve = np.square(y - centre[:, None])
        curve *= -0.5
        np.exp(curve, out=curve)
        centre = centre - centre[0]
        density, mean = np.stack([share, share * centre]) @ curve
        density = np.maximum(density, 1e-300)
        deviation = np.square(centre[:, None] - mean / density)
        deviation *= curve
        spread = share @ deviation
        moments = np.stack([spread, spread * (spread / density)])
        sums += np.stack([moments.sum(axis=1), 2.0 * moments[:, ::2].sum(axis=1)])
    fine, coarse = sums * _SPACING / math.sqrt(2.0 * math.pi) / [precision, precision**2]
    errors = 1e-3 * np.abs(fine - coarse) + 64 * _EPS * fine
    return fine[0], fine[1], errors[0], errors[1]
