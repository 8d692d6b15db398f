r"""The moments of Var(μ | Y) for points on a line seen through Gaussian noise, integrated and tabulated."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_EPS = np.finfo(float).eps
_REACH = 9.0  # standard deviations kept on each side of a component
_SPACING = 0.08  # of the trapezoid rule, in standard deviations
_TARGET = 1e-6  # relative error wanted of the interpolation
_NODES = 64  # of the trapezoid rule, in one block, whose arrays stay in the cache
_PLACES = np.linspace(-_REACH, _REACH, 5)[:, None]  # of a component: nearer to each other than a block is wide
_FLOOR = 1e-12  # share of the posterior variance s² (and of s⁴) added to the moments to keep their logarithms
_KNOTS = 4096  # of the final table
_NEIGHBOURS = 4  # of a knot on either side to which its error spreads


@dataclass(frozen=True, eq=False)
class MomentTable:
    """log(V_1 + floor) and log(V_2 + floor) as cubics on equal intervals of t, with their local errors."""

    range_sq: float
    top: float
    rows: np.ndarray  # (5, intervals, 2): four coefficients and the relative error
    floors: np.ndarray  # (2,)

    @classmethod
    def of(cls, means: np.ndarray, weights: np.ndarray, std: float) -> MomentTable:
        from scipy.interpolate import CubicSpline, make_interp_spline

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
        t = np.linspace(0.0, top, 17)
        logs, rough = curves(t)
        while True:
            more, more_rough = curves(0.5 * (t[1:] + t[:-1]))
            spline = make_interp_spline(t, logs, k=5)
            miss = np.abs(np.expm1(spline(0.5 * (t[1:] + t[:-1])) - more))  # of twice the spacing
            miss = _largest_near(miss)  # a spline carries errors to its neighbours
            t = np.linspace(0.0, top, 2 * len(t) - 1)
            logs, rough = _interleaved(logs, more), _interleaved(rough, more_rough)
            raised = np.exp(more)
            if (miss * raised / (raised + 1e6 * floors)).max() < _TARGET or len(t) > 1000:
                break
        knots = np.linspace(0.0, top, _KNOTS + 1)
        spline = make_interp_spline(t, logs, k=5)
        cubic = CubicSpline(knots, spline(knots))
        between = 0.5 * (knots[1:] + knots[:-1])
        errors = 1e-13 + np.abs(np.expm1(cubic(between) - spline(between)))
        errors += miss[np.searchsorted(t[2::2], between)]
        errors += _largest_near(rough)[np.searchsorted(t[1:], between)]
        return cls(range_sq, top, np.concatenate([cubic.c, errors[None]]), floors)

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


def _largest_near(values: np.ndarray) -> np.ndarray:
    """The largest of every entry and its neighbours, column by column."""
    padded = np.pad(values, ((_NEIGHBOURS, _NEIGHBOURS), (0, 0)), mode="edge")
    return sliding_window_view(padded, 2 * _NEIGHBOURS + 1, axis=0).max(axis=-1)


def _interleaved(coarse: np.ndarray, between: np.ndarray) -> np.ndarray:
    joined = np.empty((len(coarse) + len(between), coarse.shape[1]))
    joined[::2], joined[1::2] = coarse, between
    return joined


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
