r"""The posterior moments of a law that is known: E tr Cov and E tr Cov² of X_0 seen through Gaussian noise.

With Y = X_0 + N(0, I/q), the posterior covariance of X_0 is c_lo(q) I + (an excess), c_lo(q) = 1/(L+q).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture

_EPS = np.finfo(float).eps
_REACH = 9.0  # standard deviations kept on each side of a component
_SPACING = 0.08  # of the trapezoid rule, in standard deviations
_TARGET = 1e-6  # relative error wanted of the interpolation
_NODES = 320  # of the trapezoid rule, in one block
_FLOOR = 1e-12  # share of the posterior variance s² (and of s⁴) added to the moments to keep their logarithms
_KNOTS = 4096  # of the final table
_ROWS = 1 << 14  # of a block of evaluations: its work arrays stay in the second-level cache


class PosteriorMoments(Protocol):
    r"""E tr(excess)/d and E tr(excess²)/d as functions of the information q."""

    dim: int

    @property
    def smoothness(self) -> float:
        """L, so that the posterior covariance is I/(L+q) + excess; ``inf`` if the law is degenerate."""

    def at(self, q) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """``(e1, e1_error, e2, e2_error)``, each of the shape of ``q >= 0``; the errors are absolute."""


def posterior_moments(law) -> PosteriorMoments | None:
    """The posterior moments of ``law``, or None where no formula is at hand.

    Known for every Gaussian, and for mixtures with one isotropic ``std`` and collinear means in any d, no
    more than 1e12 ``std`` apart.
    """
    if isinstance(law, Gaussian):
        return GaussianMoments.of(law.eigenvalues)
    if not isinstance(law, GaussianMixture) or law.covariances is not None:
        return None
    if (law.means == law.means[0]).all():
        component = law.component_covariance
        spread = law.std**2 if component is None else component
        return GaussianMoments.of(Gaussian(law.means[0], spread).eigenvalues)
    if not law.is_collinear:
        return None
    line, _, _ = law.line()
    spread = float(np.ptp(line.means)) / line.std
    if spread < 1e-12:  # an excess of 1e-24 of the posterior variance
        return GaussianMoments.of(np.full(law.dim, law.std**2))
    if spread > 1e12:  # no grid in float64 resolves both
        return None
    return LineMoments(line.means[:, 0], line.weights, line.std, law.dim)


@dataclass(frozen=True, eq=False)
class GaussianMoments:
    r"""Of N(m, Σ): the excess has eigenvalues (λ_i − λ_min)/((1+qλ_i)(1+qλ_min)), free of cancellation.

    Parameters
    ----------
    values, counts : arrays of shape (distinct,)
        The distinct eigenvalues of Σ and how often each occurs.
    """

    values: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, eigenvalues: np.ndarray) -> GaussianMoments:
        """From all d eigenvalues."""
        return cls(*np.unique(eigenvalues, return_counts=True))

    @property
    def dim(self) -> int:
        """d."""
        return int(self.counts.sum())

    @property
    def smoothness(self) -> float:
        """L = 1/λ_min."""
        low = float(self.values[0])
        return 1.0 / low if low > 0.0 else math.inf

    def at(self, q):
        """``(e1, e1_error, e2, e2_error)`` at every ``q >= 0``."""
        q = _checked_information(q)
        e1, e2 = np.zeros(q.shape), np.zeros(q.shape)
        low, share = self.values[0], self.counts / self.counts.sum()
        for rows in (slice(start, start + _ROWS) for start in range(0, q.size, _ROWS)):
            block = np.minimum(q.ravel()[rows], 1e150 / self.values[-1] if self.values[-1] > 0.0 else 1.0)
            for value, part in zip(self.values[1:], share[1:], strict=True):
                excess = (value - low) / ((1.0 + block * value) * (1.0 + block * low))
                e1.reshape(-1)[rows] += part * excess
                e2.reshape(-1)[rows] += part * excess**2
        rounding = (8 + len(self.values)) * _EPS
        return e1, rounding * e1, e2, 2.0 * rounding * e2


@dataclass(frozen=True, eq=False)
class LineMoments:
    r"""Of Σ_j w_j N(μ_j, s²I) with means μ_j on a line: the excess is f² Var(μ | Y) along it, f = 1/(1+s²q).

    Y along the line is μ + N(0, 1/p) with p = q/(1+s²q), so only the curves V_1(p) = E Var(μ|Y) and
    V_2(p) = E Var(μ|Y)² on [0, 1/s²] are needed: e1 = f²V_1/d and e2 = f⁴V_2/d. They are tabulated once, on
    first use, in t = log(1 + p range(μ)²).

    Parameters
    ----------
    means, weights : arrays of shape (c,)
        Coordinates of the means along the line and their probabilities.
    std : float
        s > 0.
    dim : int
        d.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float
    dim: int

    @property
    def smoothness(self) -> float:
        """L = 1/s²."""
        return self.std**-2

    def at(self, q):
        """``(e1, e1_error, e2, e2_error)`` at every ``q >= 0``."""
        q = _checked_information(q)
        results = [np.empty(q.shape) for _ in range(4)]
        flat = [result.reshape(-1) for result in results]
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            for start in range(0, q.size, _ROWS):
                rows = slice(start, start + _ROWS)
                for target, values in zip(flat, self._block(q.reshape(-1)[rows]), strict=True):
                    target[rows] = values
        return tuple(results)

    def _block(self, q: np.ndarray):
        table, var = self._table, self.std**2
        precision = 1.0 / (1.0 / q + var)
        factor_sq = np.square(1.0 / (1.0 + var * q))
        moments, errors = table.at(np.log(1.0 + table.range_sq * precision))
        factors = np.stack([factor_sq, np.square(factor_sq)], axis=1) / self.dim
        moments *= factors
        errors *= moments
        errors += factors * (1.001 * table.floors)
        return moments[:, 0], errors[:, 0], moments[:, 1], errors[:, 1]

    @cached_property
    def _table(self) -> _Table:
        return _Table.of(self.means, self.weights, self.std)


@dataclass(frozen=True, eq=False)
class _Table:
    """log(V_1 + floor) and log(V_2 + floor) as cubics on equal intervals of t, with their local errors."""

    range_sq: float
    top: float
    rows: np.ndarray  # (5, intervals, 2): four coefficients and the relative error
    floors: np.ndarray  # (2,)

    @classmethod
    def of(cls, means: np.ndarray, weights: np.ndarray, std: float) -> _Table:
        from scipy.interpolate import CubicSpline, make_interp_spline
        from scipy.ndimage import maximum_filter1d

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
            miss = maximum_filter1d(miss, 9, axis=0)  # a spline carries errors to its neighbours
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
        errors += maximum_filter1d(rough, 9, axis=0)[np.searchsorted(t[1:], between)]
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
    for first in np.unique(np.floor(np.add(scaled, [[-_REACH], [_REACH]]) / (_SPACING * _NODES))):
        y = _SPACING * (_NODES * first + np.arange(_NODES))
        near = slice(*np.searchsorted(scaled, [y[0] - _REACH - 4.0, y[-1] + _REACH + 4.0]))
        centre = scaled[near, None]
        mass = weights[near, None] * np.exp(-0.5 * np.square(y - centre))
        density = mass.sum(axis=0)
        mass /= np.maximum(density, 1e-300)
        centre = centre - centre[0]
        deviation = centre - (mass * centre).sum(axis=0)
        spread = (mass * np.square(deviation, out=deviation)).sum(axis=0)
        moments = np.stack([density * spread, density * np.square(spread)])
        sums += np.stack([moments.sum(axis=1), 2.0 * moments[:, ::2].sum(axis=1)])
    fine, coarse = sums * _SPACING / math.sqrt(2.0 * math.pi) / [precision, precision**2]
    errors = 1e-3 * np.abs(fine - coarse) + 64 * _EPS * fine
    return fine[0], fine[1], errors[0], errors[1]


def _checked_information(q) -> np.ndarray:
    q = np.asarray(q, dtype=float)
    if q.size and not q.min() >= 0.0:
        raise ValueError(f"q must be at least 0 everywhere, got {q[~(q >= 0.0)].flat[0]}")
    return q
