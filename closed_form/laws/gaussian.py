"""The Gaussian law N(m, Σ) with everything about it in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_SYMMETRY = 1e-12  # relative asymmetry forgiven in a covariance
_EPS = np.finfo(float).eps


@dataclass(frozen=True, init=False, eq=False)
class Gaussian:
    r"""N(m, Σ), stored as compactly as Σ allows.

    Parameters
    ----------
    mean : array of shape (d,), or a number when d = 1
    covariance : float, array of shape (d,) or array of shape (d, d)
        An isotropic variance, the diagonal, or the whole of Σ: symmetric and positive semi-definite.
        A singular Σ (a point mass, a law on a subspace) is allowed, but has no density and no score.

    Attributes
    ----------
    mean : array of shape (d,)
    spread : array of shape (), (d,) or (d, d)
        Σ in the form it was given; ``covariance`` is always the full matrix.

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is not finite, or Σ is not symmetric positive semi-definite.
    """

    mean: np.ndarray
    spread: np.ndarray

    def __init__(self, mean, covariance) -> None:
        mean = np.atleast_1d(finite_array("mean", mean))
        if mean.ndim != 1 or mean.size == 0:
            raise ValueError(f"mean must have shape (d,) with d >= 1, got {mean.shape}")
        spread = finite_array("covariance", covariance)
        d = mean.size
        if spread.shape not in ((), (d,), (d, d)):
            raise ValueError(f"covariance must have shape (), ({d},) or ({d}, {d}), got {spread.shape}")
        if spread.ndim == 2:
            spread = symmetric("covariance", spread)
            self.__dict__["_eigen"] = positive_eigen("covariance", spread)
        elif spread.min() < 0.0:
            raise ValueError(f"covariance must have no negative variance, got {spread.min()}")
        self._fill(mean, spread)

    def _fill(self, mean: np.ndarray, spread: np.ndarray) -> Gaussian:
        for array in (mean, spread):
            array.setflags(write=False)
        self.__dict__.update(mean=mean, spread=spread)
        return self

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray | None]:
        return np.broadcast_to(self.spread, (self.dim,)), None

    @property
    def dim(self) -> int:
        """d, the dimension."""
        return self.mean.size

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of Σ, shape (d,), ascending for a full Σ and in axis order otherwise."""
        return self._eigen[0]

    @property
    def basis(self) -> np.ndarray | None:
        """Orthonormal eigenvectors as columns, shape (d, d); None when they are the coordinate axes."""
        return self._eigen[1]

    @property
    def covariance(self) -> np.ndarray:
        """Σ, shape (d, d)."""
        if self.spread.ndim == 2:
            return self.spread
        return np.diag(self.eigenvalues)

    @property
    def mean_norm(self) -> float:
        """‖E X‖."""
        return float(np.linalg.norm(self.mean))

    @property
    def second_moment(self) -> float:
        """E‖X‖² = ‖m‖² + tr Σ, not centred."""
        return float(self.mean @ self.mean + self.eigenvalues.sum())

    def pushed(self, a: float, s_sq: float) -> Gaussian:
        """Law of aX + √s_sq Z with Z standard normal: N(am, a²Σ + s_sq I)."""
        a, s_sq = push_coefficients(a, s_sq)
        spread = a * a * self.spread
        if self.spread.ndim < 2:
            return object.__new__(Gaussian)._fill(a * self.mean, np.asarray(spread + s_sq))
        values, basis = self._eigen
        image = object.__new__(Gaussian)
        image.__dict__["_eigen"] = (a * a * values + s_sq, basis)
        return image._fill(a * self.mean, spread + s_sq * np.eye(self.dim))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """``n`` independent draws, shape (n, d)."""
        values, basis = self._eigen
        draws = rng.standard_normal((n, self.dim)) * np.sqrt(values)
        return self.mean + (draws if basis is None else draws @ basis.T)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """log p(x) = −½(x−m)ᵀΣ⁻¹(x−m) − ½ log det 2πΣ; x of shape (n, d), result (n,)."""
        values, coordinates = self._regular("log-density", x)
        return -0.5 * ((coordinates**2 / values).sum(axis=1) + np.log(2.0 * math.pi * values).sum())

    def score(self, x: np.ndarray) -> np.ndarray:
        """∇log p(x) = −Σ⁻¹(x−m); x and result of shape (n, d)."""
        values, coordinates = self._regular("score", x)
        scaled = coordinates / -values
        return scaled if self.basis is None else scaled @ self.basis.T

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²log p(x) = −Σ⁻¹ at every row of x, a read-only view of shape (n, d, d)."""
        values, coordinates = self._regular("Hessian", x)
        basis = np.eye(self.dim) if self.basis is None else self.basis
        return np.broadcast_to(-(basis / values) @ basis.T, (len(coordinates), self.dim, self.dim))

    def _regular(self, what: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues, all positive, and the coordinates of x − m along the eigenvectors."""
        values, basis = self._eigen
        floor = 0.0 if basis is None else self.dim * _EPS * values[-1]
        if not values.min() > floor:
            raise ValueError(f"the {what} needs a regular covariance, got smallest eigenvalue {values.min()}")
        offset = points(x, self.dim) - self.mean
        return values, offset if basis is None else offset @ basis

    def assumptions(self) -> tuple:
        """Strongly log-concave with m0 = 1/λ_max and L0 = 1/λ_min (ValueError if Σ is singular)."""
        from bounds.assumptions.strong_log_concave import StronglyLogConcave

        low, high = float(self.eigenvalues.min()), float(self.eigenvalues.max())
        if not low > 0.0:
            raise ValueError(f"no log-concavity constants for a singular covariance, eigenvalue {low}")
        return (
            StronglyLogConcave(
                m0=1.0 / high,
                L0=1.0 / low,
                dim=self.dim,
                second_moment=self.second_moment,
                mean_norm=self.mean_norm,
            ),
        )


def finite_array(name: str, value) -> np.ndarray:
    """``value`` as a fresh float64 array with finite entries; ValueError naming the argument otherwise."""
    try:
        array = np.array(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers, got {value!r:.80}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be made of real numbers, got {value!r:.80}")
    array = array.astype(float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must have finite entries, got {array[~np.isfinite(array)].flat[0]}")
    return array


def points(x: np.ndarray, dim: int) -> np.ndarray:
    """``x`` as float64 points of shape (n, d); ValueError otherwise."""
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != dim:
        raise ValueError(f"x must have shape (n, {dim}), got {x.shape}")
    return x


def push_coefficients(a: float, s_sq: float) -> tuple[float, float]:
    """``a`` and ``s_sq`` as floats, finite and ``s_sq >= 0``; ValueError otherwise."""
    a, s_sq = float(a), float(s_sq)
    if not math.isfinite(a):
        raise ValueError(f"a must be finite, got {a}")
    if not 0.0 <= s_sq < math.inf:
        raise ValueError(f"s_sq must be finite and at least 0, got {s_sq}")
    return a, s_sq


def symmetric(name: str, matrix: np.ndarray) -> np.ndarray:
    """The symmetric part of a matrix (…, d, d) that is symmetric up to rounding; ValueError otherwise."""
    transpose = np.swapaxes(matrix, -1, -2)
    skew = np.abs(matrix - transpose).max()
    if skew > _SYMMETRY * np.abs(matrix).max():
        raise ValueError(f"{name} must be symmetric, got an asymmetry of {skew}")
    return 0.5 * (matrix + transpose)


def positive_eigen(name: str, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (…, d), clipped at 0 within rounding, and eigenvectors; ValueError if indefinite."""
    values, basis = np.linalg.eigh(matrix)
    size = np.abs(values).max(axis=-1, keepdims=True)
    if (values < -8 * values.shape[-1] * _EPS * size).any():
        raise ValueError(f"{name} must be positive semi-definite, got an eigenvalue {values.min()}")
    return np.maximum(values, 0.0), basis
