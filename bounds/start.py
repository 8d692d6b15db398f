"""The Gaussian that a sampler starts from where it is not isotropic, or not centred: of one block, and of two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.value import Value

#: Relative size of what rounding may make of an eigenvalue 0 or of a symmetric matrix.
SLACK = 1e-12
#: Relative rounding of a distance between starts.
ROUNDING = 1e-14
#: What a mean may be.
MEAN = "a number or a list of numbers, or two lists, of position and velocity"


@dataclass(frozen=True, eq=False)
class Start(Value):
    """N(mean, spread) in the dimension of the data.

    Attributes
    ----------
    mean : array of shape () or (d,)
        A number is the mean of every coordinate.
    spread : array of shape (), (d,) or (d, d)
        Variance of every coordinate, the diagonal of the covariance, or all of it; singular ones are starts on a
        subspace, 0 is a point.
    """

    mean: Array
    spread: Array

    def check(self, dim: int) -> None:
        """Refuse shapes that are not those of the data's dimension."""
        if self.mean.ndim == 2:
            raise ValueError("prior_mean must be a number or a list of numbers for a process of one block, got shape "
                             f"{self.mean.shape}")
        for name, array in (("prior_mean", self.mean), ("prior_covariance", self.spread)):
            if array.ndim and array.shape != (dim,) * array.ndim:
                raise ValueError(f"{name} must have the dimension of the data, {dim}, got shape {array.shape}")

    def mean_of(self, dim: int) -> Array:
        """The mean, of shape (d,)."""
        self.check(dim)
        return np.broadcast_to(self.mean, (dim,))

    def covariance_of(self, dim: int) -> Array:
        """The covariance as a matrix."""
        self.check(dim)
        return self.spread if self.spread.ndim == 2 else np.diag(np.broadcast_to(self.spread, (dim,)))

    def variances_of(self, dim: int) -> Array:
        """Eigenvalues of the covariance, shape (d,)."""
        self.check(dim)
        if self.spread.ndim < 2:
            return np.broadcast_to(self.spread, (dim,))
        return np.maximum(np.linalg.eigvalsh(self.spread), 0.0)

    def root_of(self, dim: int) -> Array:
        """The symmetric root of the covariance, shape (d, d)."""
        if self.spread.ndim < 2:
            return np.diag(np.sqrt(self.variances_of(dim).astype(float)))
        values, basis = np.linalg.eigh(self.spread)
        return (basis * np.sqrt(np.maximum(values, 0.0))) @ basis.T

    def to_isotropic(self, std: float, dim: int) -> float:
        """W2 between this and N(0, std² I), from above."""
        gaps, mean = np.sqrt(self.variances_of(dim)) - std, self.mean_of(dim)
        size = np.sqrt(self.variances_of(dim).sum() + dim * std**2) + np.linalg.norm(mean)
        # the root of a matrix is known to the root of its rounding
        lost = SLACK if self.spread.ndim < 2 else np.sqrt(dim * 1e-15)
        return float(np.hypot(np.linalg.norm(gaps), np.linalg.norm(mean)) * (1 + ROUNDING) + lost * size)

    def turned(self, directions: Array) -> Start:
        """The start of ``directions``·X, rows orthonormal: of shape (r, d)."""
        r, d = directions.shape
        spread = self.spread
        if spread.ndim:
            spread = directions @ self.covariance_of(d) @ directions.T
        return Start(directions @ self.mean_of(d), np.asarray(spread[0, 0] if spread.ndim and r == 1 else spread))

    def mixes(self, directions: Array) -> bool:
        """Whether coordinates along ``directions`` (r, d), rows orthonormal, depend on those across them."""
        if self.spread.ndim == 0:
            return False
        seen = self.covariance_of(directions.shape[1]) @ directions.T
        across = seen - directions.T @ (directions @ seen)
        return bool(np.abs(across).max(initial=0.0) > SLACK * max(float(np.abs(self.spread).max()), 1e-300))


@dataclass(frozen=True, eq=False)
class PhaseStart(Value):
    """N(mean, spread ⊗ I) of position and velocity.

    Attributes
    ----------
    mean : array of shape (), (d,) or (2, d)
        Of the position, the velocity's being 0; or both, the position's first.
    spread : array of shape (2, 2)
    """

    mean: Array
    spread: Array

    def check(self, dim: int) -> None:
        """Refuse a mean that is not of the data's dimension."""
        if self.mean.ndim and self.mean.shape not in ((dim,), (2, dim)):
            raise ValueError(f"prior_mean must have the dimension of the data, {dim}, of the position or of position and "
                             f"velocity, got shape {self.mean.shape}")

    def mean_of(self, dim: int) -> Array:
        """Of position and velocity, shape (2, d)."""
        self.check(dim)
        if self.mean.ndim == 2:
            return self.mean
        return np.stack([np.broadcast_to(self.mean, (dim,)), np.zeros(dim)])

    def turned(self, directions: Array) -> PhaseStart:
        """The start of ``directions``·X of both blocks, rows orthonormal: of shape (r, d)."""
        return replace(self, mean=self.mean_of(directions.shape[1]) @ directions.T)

    def mixes(self, directions: Array) -> bool:
        """Whether coordinates along ``directions`` depend on those across them: they never do."""
        return False


def read_mean(value: ArrayLike | None) -> Array | None:
    """``prior_mean`` as an array of shape (), (d,) or, of position and velocity, (2, d); None where it is not given.

    Raises
    ------
    ValueError, TypeError
        If it is no finite number or list of such.
    """
    if value is None:
        return None
    found = _numbers("prior_mean", value, (0, 1, 2), MEAN)
    if found.ndim == 2 and len(found) != 2:
        raise ValueError(f"prior_mean must be {MEAN}, got shape {found.shape}")
    return found


def read_covariance(value: ArrayLike | None) -> Array | None:
    """``prior_covariance`` as an array of shape (), (d,) or (d, d); None where it is not given.

    Raises
    ------
    ValueError, TypeError
        If it is no variance, list of variances, or symmetric positive semi-definite matrix.
    """
    if value is None:
        return None
    found = _numbers("prior_covariance", value, (0, 1, 2), "a variance, a list of variances or a matrix")
    if found.ndim < 2:
        if found.min() < 0:
            raise ValueError(f"prior_covariance must have no negative variance, got {found.min():g}")
        return found
    if found.shape[0] != found.shape[1]:
        raise ValueError(f"prior_covariance must be a square matrix, got shape {found.shape}")
    size = float(np.abs(found).max())
    if np.abs(found - found.T).max() > SLACK * size:
        raise ValueError("prior_covariance must be symmetric, got entries that differ by "
                         f"{np.abs(found - found.T).max():.4g}")
    if (least := float(np.linalg.eigvalsh(found)[0])) < -SLACK * len(found) * size:
        raise ValueError(f"prior_covariance must be positive semi-definite, got the eigenvalue {least:.4g}")
    found = (found + found.T) / 2
    found.setflags(write=False)
    return found


def _numbers(name: str, value: ArrayLike, axes: tuple[int, ...], what: str) -> Array:
    try:
        found = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {what}, got {value!r:.60}") from None
    if isinstance(value, bool | str) or found.ndim not in axes or found.size == 0:
        raise ValueError(f"{name} must be {what}, got {value!r:.60}")
    if not np.isfinite(found).all() or np.abs(found).max() > 1e100:
        raise ValueError(f"{name} must be finite and at most 1e100, got {value!r:.60}")
    found.setflags(write=False)
    return found
