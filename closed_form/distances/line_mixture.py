"""A mixture on the line with its distribution function and quantiles, accurate in both tails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bounds.argument import check_type
from closed_form.distances.roots import quantiles
from closed_form.law import Law
from closed_form.law_input import finite_array

_REACH = 9.0  # standard deviations beyond which a Gaussian has mass 1.1e-19
_ACCURACY = 0.25 * np.finfo(float).eps  # of quantiles, as a part of how far the law goes
_SETTLED = 12.0  # standard deviations beyond which a component is 0 or 1 to the distribution functions
_TABLE = 513  # equally spaced points between which quantiles are looked for


@dataclass(frozen=True, init=False, eq=False)
class LineMixture:
    r"""Σ_j w_j N(μ_j, σ_j²) on the line, up to thousands of components.

    Parameters
    ----------
    means : array of shape (c,)
    stds : float or array of shape (c,), positive
    weights : array of shape (c,), optional
        Non-negative with a positive sum, normalised here; equal by default.

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is not finite, a std is not positive or a weight is negative.
    """

    means: np.ndarray
    stds: np.ndarray
    weights: np.ndarray

    def __init__(self, means, stds, weights=None) -> None:
        means = np.atleast_1d(finite_array("means", means))
        stds = finite_array("stds", stds)
        weights = finite_array("weights", np.ones(means.shape) if weights is None else weights)
        if means.ndim != 1 or means.size == 0:
            raise ValueError(f"means must have shape (c,) with c >= 1, got {means.shape}")
        if stds.shape not in ((), means.shape) or weights.shape != means.shape:
            raise ValueError(f"stds and weights must fit {means.shape}, got {stds.shape} and {weights.shape}")
        if not stds.min() > 0.0:
            raise ValueError(f"stds must be positive, got {stds.min()}")
        if weights.min() < 0.0 or not weights.sum() > 0.0:
            raise ValueError(f"weights must be non-negative with a positive sum, got minimum {weights.min()}")
        kept = np.flatnonzero(weights)
        kept = kept[np.argsort(means[kept], kind="stable")]
        stds = np.broadcast_to(stds, means.shape)[kept]
        self.__dict__.update(means=means[kept], stds=stds, weights=weights[kept] / weights.sum())

    @classmethod
    def of(cls, law) -> LineMixture:
        """The same law from a Gaussian or GaussianMixture of dimension 1 (ValueError otherwise)."""
        check_type("law", law, Law, "a law on the line (Gaussian or GaussianMixture of dimension 1)")
        if law.dim != 1:
            raise ValueError(f"a law on the line must have dim = 1, got {law!r:.80}")
        found = law.components()
        stds = np.sqrt(np.broadcast_to(found.spectrum.ravel(), found.weights.shape))
        return cls(found.means[:, 0], stds, found.weights)

    def pdf(self, x):
        """Density at x, any shape."""
        return self._sum(x, bell, None)

    def cdf(self, x):
        """P(X <= x), accurate relative to itself in the lower tail."""
        from scipy.special import ndtr

        return self._sum(x, lambda z, std: ndtr(z, out=z), "below")

    def sf(self, x):
        """P(X > x), accurate relative to itself in the upper tail."""
        from scipy.special import ndtr

        return self._sum(x, lambda z, std: ndtr(np.negative(z, out=z), out=z), "above")

    def ppf(self, u):
        """Quantiles: the x with P(X <= x) = u, for 0 < u < 1 of any shape."""
        u = np.asarray(u, dtype=float)
        if u.size and not (u.min() > 0.0 and u.max() < 1.0):
            raise ValueError(f"u must be strictly between 0 and 1, got {u[~((u > 0.0) & (u < 1.0))].flat[0]}")
        flat = u.ravel()
        return self._quantiles(flat, np.ones(flat.shape, dtype=bool)).reshape(u.shape)

    def quantile(self, below, above):
        """The x with P(X <= x) = ``below`` and P(X > x) = ``above``, of shape (n,): the smaller decides."""
        lower = below <= above
        return self._quantiles(np.where(lower, below, above), lower)

    def _quantiles(self, level, below):
        far = max(map(abs, self.support()))
        return quantiles(self, self.table, level, below, _ACCURACY * far, far + 40.0 * self.stds.max())

    @cached_property
    def table(self):
        """Points across the support, and both distribution functions there: arrays of shape (m,)."""
        low, high = self.support()
        places = np.union1d(np.linspace(low, high, _TABLE), self.knots())
        return places, np.maximum.accumulate(self.cdf(places)), np.minimum.accumulate(self.sf(places))

    def support(self):
        """The range of μ_j ± 9σ_j."""
        return float((self.means - _REACH * self.stds).min()), float((self.means + _REACH * self.stds).max())

    def knots(self):
        """μ_j + {−9, −5, −2.5, 0, 2.5, 5, 9}σ_j, thinned to about 2 of the smallest σ_j nearby."""
        shape = np.array([-_REACH, -5.0, -2.5, 0.0, 2.5, 5.0, _REACH])
        places = (self.means[:, None] + self.stds[:, None] * shape).ravel()
        scales = np.repeat(self.stds, len(shape))
        order = np.argsort(places, kind="stable")
        kept = [places[order[0]]]
        for place, scale in zip(places[order].tolist(), scales[order].tolist(), strict=True):
            if place - kept[-1] >= 2.0 * scale:
                kept.append(place)
        kept.append(places[order[-1]])
        return np.unique(kept)

    def _sum(self, x, curve, side):
        """Σ_j w_j curve((x−μ_j)/σ_j, σ_j) in blocks of x, each over the components not settled there; the curve may
        write over what it is given."""
        x = np.asarray(x, dtype=float)
        flat, result = x.reshape(-1), np.empty(x.size)
        if len(self.means) <= 16:
            step, reach = 1 << 12, math.inf
        else:
            step, reach = 256, _SETTLED
        for rows in (slice(start, start + step) for start in range(0, x.size, step)):
            block = flat[rows]
            if reach < math.inf:
                left = self.means + reach * self.stds < block.min()
                right = self.means - reach * self.stds > block.max()
                near = np.flatnonzero(~(left | right))
                settled = 0.0 if side is None else self.weights[left if side == "below" else right].sum()
            else:
                near, settled = slice(None), 0.0
            z = block - self.means[near, None]
            z /= self.stds[near, None]
            result[rows] = self.weights[near] @ curve(z, self.stds[near, None]) + settled
        return result.reshape(x.shape)


def bell(z, std):
    """The density at z deviations, in the place of z."""
    np.square(z, out=z)
    z *= -0.5
    np.exp(z, out=z)
    z /= math.sqrt(2.0 * math.pi) * std
    return z
