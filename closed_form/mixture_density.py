"""The density of a Gaussian mixture with its first two derivatives, evaluated in blocks that stay in the
cache."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_BLOCK = 1 << 16  # numbers in one block of work: half a megabyte, stays in the second-level cache


@dataclass(frozen=True, eq=False)
class MixtureDensity:
    r"""Density of Σ_i w_i N(μ_i, Σ_i) at checked points.

    Parameters
    ----------
    means, weights, std, component_covariance, covariances
        As in `GaussianMixture`: the last three are None but for the one that says how the Σ_i are stored.
    mean : array of shape (d,)
        E X, from which offsets are measured.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float | None
    component_covariance: np.ndarray | None
    covariances: np.ndarray | None
    mean: np.ndarray

    @property
    def dim(self) -> int:
        """d, the dimension."""
        return self.means.shape[1]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """log Σ_i w_i N(x; μ_i, Σ_i) by log-sum-exp; x of shape (n, d), result (n,)."""
        result = np.empty(len(x))
        for rows in self._blocks(len(x)):
            logits = self._logits(x[rows])
            top = logits.max(axis=0)
            result[rows] = top + np.log(np.exp(logits - top).sum(axis=0))
            if self.covariances is None:
                offset = x[rows] - self.mean
                pull = offset / self.std**2 if self.std is not None else offset @ self.precisions
                result[rows] -= 0.5 * np.einsum("nd,nd->n", offset, pull)
        return result

    def responsibilities(self, x: np.ndarray) -> np.ndarray:
        """P(component i | X = x); x of shape (n, d), result (n, c)."""
        result = np.empty((len(x), len(self.weights)))
        for rows in self._blocks(len(x)):
            result[rows] = _softmax(self._logits(x[rows])).T
        return result

    def score(self, x: np.ndarray) -> np.ndarray:
        """∇log p(x) = Σ_i r_i(x) Σ_i⁻¹(μ_i − x); x and result of shape (n, d)."""
        result = np.empty_like(x)
        for rows in self._blocks(len(x)):
            block = x[rows]
            r = _softmax(self._logits(block))
            if self.covariances is not None:
                result[rows] = sum(r[i, :, None] * ((self.means[i] - block) @ precision)
                                   for i, precision in enumerate(self.precisions))
                continue
            pull = r.T @ self._centred
            pull -= block
            pull += self.mean
            if self.std is not None:
                np.divide(pull, self.std**2, out=result[rows])
            else:
                np.matmul(pull, self.precisions, out=result[rows])
        return result

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²log p(x) = Cov_r(s_i) − Σ_i r_i Σ_i⁻¹ with s_i = Σ_i⁻¹(μ_i − x); x (n, d), result (n, d, d)."""
        c, d = self.means.shape
        result = np.empty((len(x), d, d))
        for rows in _row_blocks(len(x), c * d):
            block = x[rows]
            r = _softmax(self._logits(block)).T
            pull = self.means - block[:, None, :]
            if self.std is not None:
                pull, curvature = pull / self.std**2, np.eye(d) / self.std**2
            elif self.covariances is None:
                pull, curvature = pull @ self.precisions, self.precisions
            else:
                pull = np.einsum("ncd,cde->nce", pull, self.precisions)
                curvature = np.einsum("nc,cde->nde", r, self.precisions)
            pull -= np.einsum("nc,ncd->nd", r, pull)[:, None, :]
            pull *= np.sqrt(r)[:, :, None]
            result[rows] = np.swapaxes(pull, 1, 2) @ pull - curvature
        return result

    @cached_property
    def _centred(self) -> np.ndarray:
        return self.means - self.mean

    @cached_property
    def _roots(self) -> np.ndarray:
        """Square roots B of the precisions, Σ⁻¹ = BBᵀ, shape (d, d) or (c, d, d)."""
        shared = self.component_covariance
        values, basis = np.linalg.eigh(self.covariances if shared is None else shared)
        return basis / np.sqrt(values)[..., None, :]

    @cached_property
    def precisions(self) -> np.ndarray:
        """Σ⁻¹ of shape (d, d), or Σ_i⁻¹ of shape (c, d, d); not for ``std``."""
        return self._roots @ np.swapaxes(self._roots, -1, -2)

    @cached_property
    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes (c, d) and levels (c,) of the logits in x − E X, a term common to all components apart."""
        if self.std is not None:
            slopes = self._centred / self.std**2
            half_log_det = self.dim * math.log(self.std)
        else:
            slopes = self._centred @ self.precisions
            half_log_det = 0.5 * np.linalg.slogdet(self.component_covariance)[1]
        energy = 0.5 * np.einsum("cd,cd->c", self._centred, slopes)
        return slopes, np.log(self.weights) - energy - half_log_det - 0.5 * self.dim * math.log(2 * math.pi)

    def _logits(self, block: np.ndarray) -> np.ndarray:
        """log w_i N(x; μ_i, Σ_i), shape (c, n), up to the same term for all i unless Σ_i differ."""
        if self.covariances is None:
            slopes, levels = self._affine
            logits = slopes @ (block - self.mean).T
            logits += levels[:, None]
            return logits
        logits = np.empty((len(self.weights), len(block)))
        half_log_det = 0.5 * np.linalg.slogdet(self.covariances)[1]
        levels = np.log(self.weights) - half_log_det - 0.5 * self.dim * math.log(2.0 * math.pi)
        for i, root in enumerate(self._roots):
            white = (block - self.means[i]) @ root
            logits[i] = levels[i] - 0.5 * np.einsum("nd,nd->n", white, white)
        return logits

    def _blocks(self, n: int) -> Iterator[slice]:
        return _row_blocks(n, len(self.weights) + self.dim)


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Columns of (c, n) normalised to probabilities, in place."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def _row_blocks(n: int, row_size: int) -> Iterator[slice]:
    """Slices of rows whose work arrays, ``row_size`` numbers a row, stay near one cache."""
    rows = max(1, min(256, (1 << 22) // row_size), _BLOCK // row_size)
    return (slice(start, start + rows) for start in range(0, n, rows))
