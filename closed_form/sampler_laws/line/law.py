r"""A law on the line as a mixture on a grid, or as the image of one under a smooth map."""

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import as_strided

from bounds.compiled import compiled
from closed_form.distances.line_mixture import bell
from closed_form.distances.roots import elementwise_roots
from closed_form.sampler_laws.line.point_by_point import banded_sum

_TAIL = 12.0  # standard deviations beyond which a component is 0 or 1 to the distribution functions
_EDGE = 9.0  # the support ends this many standard deviations beyond the outermost means
_BAND = 1 << 15  # values at once in the distribution functions
_VALUE_SECONDS = 2e-8  # of each of them, without numba

Image = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class LineLaw:
    r"""Σ_j w_j N(m_j, std²) with m sorted, a mixture of as many components as the last grid had points.

    Parameters
    ----------
    means, weights : arrays of shape (m,)
        Ascending means; weights summing to 1.
    std : float
        Standard deviation common to all components, positive.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float

    def support(self) -> tuple[float, float]:
        """An interval outside which there is less mass than 1e-18."""
        return float(self.means[0] - _EDGE * self.std), float(self.means[-1] + _EDGE * self.std)

    def knots(self) -> np.ndarray:
        """Points across the support at least 2 std apart: about 100 equal lengths, 100 equal masses."""
        low, high = self.support()
        lengths = np.floor((self.means - low) * (100.0 / (high - low)))
        masses = np.floor(100.0 * np.cumsum(self.weights))
        chosen = self.means[np.unique(lengths + masses, return_index=True)[1]]
        far = np.unique(np.floor((chosen - low) / (2.0 * self.std)), return_index=True)[1]
        return np.concatenate([[low], chosen[far], [high]])

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density at ``x`` (any shape)."""
        return self._banded(x, lambda z: bell(z, self.std), 0)[0]

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """P(Y ≤ x), accurate in relative terms in the lower tail."""
        from scipy.special import ndtr  # a sixth of a second, which Gaussian data need not wait for

        near, first, _ = self._banded(x, lambda z: ndtr(z, out=z), 1)
        return near + self._mass_below[first]

    def sf(self, x: np.ndarray) -> np.ndarray:
        """P(Y > x), accurate in relative terms in the upper tail."""
        from scipy.special import ndtr

        near, _, last = self._banded(x, lambda z: ndtr(np.negative(z, out=z), out=z), -1)
        return near + self._mass_above[last]

    def _banded(self, x, curve, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Σ_j w_j curve((x − m_j)/std) over the components within 12 std of x, and their range of j; the curve may write
        over what it is given, and is by its ``side`` one of those of `banded_sum`."""
        x = np.asarray(x, dtype=float)
        flat, reach = x.ravel(), _TAIL * self.std
        first, last = (np.searchsorted(self.means, flat + side) for side in (-reach, reach))
        result = np.empty(flat.size)
        loop = compiled(banded_sum, _VALUE_SECONDS * int((last - first).sum()))
        if loop is not None:
            loop(result, flat, first, last, self.means, self.weights, self.std, side)
            return tuple(array.reshape(x.shape) for array in (result, first, last))
        order = np.argsort(last - first, kind="stable")
        start = 0
        while start < flat.size:
            rows = max(1, _BAND // max(1, last[order[start]] - first[order[start]]))
            part = order[start : start + rows]
            counts = (last - first)[part]
            # rows of the bands, as long as the longest: what is not in a band has no weight
            means, weights = (as_strided(array, (len(self.means) + 1, counts.max()), 2 * array.strides)[first[part]]
                              for array in self._padded)
            weights *= np.arange(weights.shape[1]) < counts[:, None]
            z = np.subtract(flat[part, None], means, out=means)
            z /= self.std
            result[part] = np.einsum("nj,nj->n", curve(z), weights)
            start += rows
        return tuple(array.reshape(x.shape) for array in (result, first, last))

    @cached_property
    def _padded(self) -> tuple[np.ndarray, np.ndarray]:
        """Twice as long as they are, so that rows from anywhere on end within."""
        return np.append(self.means, np.full(len(self.means) + 1, self.means[-1])), np.append(
            self.weights, np.zeros(len(self.weights) + 1))

    @cached_property
    def _mass_below(self) -> np.ndarray:
        return np.append(0.0, np.cumsum(self.weights))

    @cached_property
    def _mass_above(self) -> np.ndarray:
        return np.append(np.cumsum(self.weights[::-1])[::-1], 0.0)


@dataclass(frozen=True, eq=False)
class PushedLaw:
    """Law of T(X) for X of law ``source`` and a strictly increasing, smooth T.

    Parameters
    ----------
    source : LineLaw
    image : callable
        x ↦ (T(x), T'(x)), on arrays of shape (n,).
    table : array of shape (3, m)
        Even increasing x across the support of ``source``, T(x) and T'(x).
    """

    source: LineLaw
    image: Image
    table: np.ndarray

    def support(self) -> tuple[float, float]:
        """Image of the support of the source."""
        return float(self.table[1, 0]), float(self.table[1, -1])

    def knots(self) -> np.ndarray:
        """Image of the knots of the source and of about 128 equal lengths."""
        even = self.table[1, :: max(1, self.table.shape[1] // 128)]
        return np.unique(np.concatenate([even, np.interp(self.source.knots(), *self.table[:2])]))

    def pdf(self, y: np.ndarray) -> np.ndarray:
        """Density p(x)/T'(x) at T(x) = ``y`` (any shape)."""
        x = self._inverse(y)
        inside = np.clip(x, self.table[0, 0], self.table[0, -1])
        return self.source.pdf(x) / self.image(inside.ravel())[1].reshape(x.shape)

    def cdf(self, y: np.ndarray) -> np.ndarray:
        """P(Y ≤ y)."""
        return self.source.cdf(self._inverse(y))

    def sf(self, y: np.ndarray) -> np.ndarray:
        """P(Y > y)."""
        return self.source.sf(self._inverse(y))

    def _inverse(self, y) -> np.ndarray:
        """T⁻¹(y), T being continued as a line beyond the support of the source."""
        from scipy.optimize import newton

        y = np.asarray(y, dtype=float)
        x, values, slopes = self.table
        wanted = np.clip(y, values[0], values[-1]).ravel()
        beyond = (y.ravel() - wanted) / np.where(y.ravel() < values[0], slopes[0], slopes[-1])
        cell = np.clip(np.searchsorted(values, wanted) - 1, 0, len(x) - 2)
        low, high = x[cell], x[cell + 1]
        latest = {}

        def excess(x, wanted):
            value, latest["slope"] = self.image(x)
            return value - wanted

        def excess_slope(x, wanted):
            return latest["slope"]

        root, missed = np.clip(self._interpolant(wanted), low, high), np.ones(wanted.shape, dtype=bool)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # points that miss are looked for again below
            with contextlib.suppress(RuntimeError):  # none converged
                if wanted.size > 1:  # a single start makes newton another function, for scalars
                    tolerance = 1e-8 * (x[1] - x[0])
                    root, converged, _ = newton(excess, root, excess_slope, (wanted,), tolerance, 6,
                                                full_output=True)
                    missed = ~converged | (root < low) | (root > high)
        if missed.any():  # a cell longer on either side: values at its ends may be off by a rounding
            length = x[1] - x[0]

            def step_to(x, wanted):
                value, slope = self.image(x)
                return value - wanted, (wanted - value) / slope

            root[missed] = elementwise_roots(step_to, low[missed] - length, high[missed] + length,
                                             (wanted[missed],), 4 * np.finfo(float).eps * float(np.abs(x).max()))
        return (root + beyond).reshape(y.shape)

    @cached_property
    def _interpolant(self):
        from scipy.interpolate import CubicHermiteSpline

        x, values, slopes = self.table
        return CubicHermiteSpline(values, x, 1.0 / slopes)
