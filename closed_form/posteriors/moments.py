r"""The posterior moments of a law that is known: E tr Cov and E tr Cov² of X_0 seen through Gaussian noise.

With Y = X_0 + N(0, I/q), the posterior covariance of X_0 is c_lo(q) I + (an excess), c_lo(q) = 1/(L+q).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from closed_form.law import Law
from closed_form.posteriors.moment_table import MomentTable

_EPS = np.finfo(float).eps
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
    more than 1e12 ``std`` apart, or means that are a product of such along orthogonal directions.
    """
    return law.posterior_moments() if isinstance(law, Law) else None


def isotropic_moments(lines, std: float, dim: int) -> PosteriorMoments | None:
    """Of a law of R^d with independent parts: these mixtures along orthogonal lines, and N(·, std² I) across
    them.

    Parameters
    ----------
    lines : sequence of GaussianMixture of dimension 1, all of this ``std``
        At least one. None is returned where the means of one are more than 1e12 ``std`` apart: no grid in
        float64 resolves both.
    std : float
    dim : int
        d.
    """
    spreads = [float(np.ptp(line.means)) / std for line in lines]
    if max(spreads) > 1e12:
        return None
    if len(lines) == 1 and spreads[0] < 1e-12:  # an excess of 1e-24 of the posterior variance
        return GaussianMoments.of(np.full(dim, std**2))
    # equal lines are tabulated once
    alike: dict[tuple, list] = {}
    for line in lines:
        offsets = line.means[:, 0] - line.means[:, 0].min()
        alike.setdefault((tuple(np.round(offsets / std, 9)), tuple(np.round(line.weights, 9))),
                         []).append(line)
    groups = [(LineMoments(same[0].means[:, 0], same[0].weights, std, dim), len(same))
              for same in alike.values()]
    return groups[0][0] if len(lines) == 1 else ProductMoments(tuple(groups))


@dataclass(frozen=True, eq=False)
class ProductMoments:
    """Of independent lines: the excess covariance is diagonal, so its traces add up.

    Parameters
    ----------
    groups : tuple of (LineMoments, int)
        Each different line with how often it occurs; all with the whole dimension d.
    """

    groups: tuple

    @property
    def smoothness(self) -> float:
        """L = 1/s²."""
        return self.groups[0][0].smoothness

    def at(self, q):
        """``(e1, e1_error, e2, e2_error)`` at every ``q >= 0``."""
        parts = [[count * value for value in line.at(q)] for line, count in self.groups]
        return tuple(map(sum, zip(*parts, strict=True)))


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
        if len(self.values) == 1:  # nothing is above the least
            return tuple(np.zeros((4, *q.shape)))
        e1, e2 = np.empty(q.shape), np.empty(q.shape)
        low, share = self.values[0], self.counts / self.counts.sum()
        size = max(1, _ROWS // len(self.values))
        for rows in (slice(start, start + size) for start in range(0, q.size, size)):
            block = np.minimum(q.ravel()[rows], 1e150 / self.values[-1] if self.values[-1] > 0.0 else 1.0)
            block = block[:, None]
            excess = (self.values - low) / ((1.0 + block * self.values) * (1.0 + block * low))
            e1.reshape(-1)[rows], e2.reshape(-1)[rows] = excess @ share, excess**2 @ share
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
    def _table(self) -> MomentTable:
        return MomentTable.of(self.means, self.weights, self.std)


def _checked_information(q) -> np.ndarray:
    q = np.asarray(q, dtype=float)
    if q.size and not q.min() >= 0.0:
        raise ValueError(f"q must be at least 0 everywhere, got {q[~(q >= 0.0)].flat[0]}")
    return q
