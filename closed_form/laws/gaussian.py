"""The Gaussian law N(m, Σ) with everything about it in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption
from bounds.facts import DataFacts
from bounds.start import Start
from bounds.value import Value
from closed_form.bracket import Bracket
from closed_form.law import MAX_DIM, Components, DataLaw, Law, Parts
from closed_form.law_input import (
    finite_array,
    points,
    positive_eigen,
    push_coefficients,
    symmetric,
    unit_vector,
)
from closed_form.posteriors.law import shrunk
from closed_form.posteriors.moments import GaussianMoments

_EPS = np.finfo(float).eps


@dataclass(frozen=True, init=False, eq=False)
class Gaussian(Value, Law):
    r"""N(m, Σ), stored as compactly as Σ allows.

    Parameters
    ----------
    mean : array of shape (d,), or a number when d = 1
    covariance : float, array of shape (d,) or array of shape (d, d)
        An isotropic variance, the diagonal, or the whole of Σ: symmetric and positive semi-definite, up to
        rounding; up to that of single precision it is mended, and ``notes`` say so.
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

    mean: Array
    spread: Array

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        mean = np.atleast_1d(finite_array("mean", mean))
        if mean.ndim != 1 or mean.size == 0:
            raise ValueError(f"mean must have shape (d,) with d >= 1, got {mean.shape}")
        spread, notes = finite_array("covariance", covariance), []
        d = mean.size
        if spread.shape not in ((), (d,), (d, d)):
            raise ValueError(f"covariance must have shape (), ({d},) or ({d}, {d}), got {spread.shape}")
        if spread.ndim == 2:
            spread = symmetric("covariance", spread, notes)
            self.__dict__["_eigen"] = positive_eigen("covariance", spread, notes)
        elif spread.min() < 0.0:
            raise ValueError(f"covariance must have no negative variance, got {spread.min()}")
        self.__dict__["notes"] = tuple(notes)
        self._fill(mean, spread)

    def _fill(self, mean: Array, spread: Array) -> Gaussian:
        for array in (mean, spread):
            array.setflags(write=False)
        self.__dict__.update(mean=mean, spread=spread)
        return self

    @cached_property
    def _eigen(self) -> tuple[Array, Array | None]:
        return np.broadcast_to(self.spread, (self.dim,)), None

    @property
    def dim(self) -> int:
        """d, the dimension."""
        return self.mean.size

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues of Σ, shape (d,), ascending for a full Σ and in axis order otherwise."""
        return self._eigen[0]

    @property
    def basis(self) -> Array | None:
        """Orthonormal eigenvectors as columns, shape (d, d); None when they are the coordinate axes."""
        return self._eigen[1]

    @property
    def covariance(self) -> Array:
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
        """E‖X‖² = ‖m‖² + tr Σ, not centred; ∞ where that is no float."""
        with np.errstate(over="ignore"):
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

    def in_axes(self, basis: Array) -> Gaussian:
        """The same law, which is isotropic, with these orthonormal columns as its eigenvectors."""
        image = object.__new__(Gaussian)
        image.__dict__["_eigen"] = (np.array(self.eigenvalues), basis)
        return image._fill(np.array(self.mean), self.spread * np.eye(self.dim))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent draws, shape (n, d)."""
        values, basis = self._eigen
        draws = rng.standard_normal((n, self.dim)) * np.sqrt(values)
        return self.mean + (draws if basis is None else draws @ basis.T)

    def log_density(self, x: ArrayLike) -> Array:
        """log p(x) = −½(x−m)ᵀΣ⁻¹(x−m) − ½ log det 2πΣ; x of shape (n, d), result (n,)."""
        values, coordinates = self._regular("log-density", x)
        return -0.5 * ((coordinates**2 / values).sum(axis=1) + np.log(2.0 * math.pi * values).sum())

    def score(self, x: ArrayLike) -> Array:
        """∇log p(x) = −Σ⁻¹(x−m); x and result of shape (n, d)."""
        values, coordinates = self._regular("score", x)
        scaled = coordinates / -values
        return scaled if self.basis is None else scaled @ self.basis.T

    def hessian(self, x: ArrayLike) -> Array:
        """∇²log p(x) = −Σ⁻¹ at every row of x, a read-only view of shape (n, d, d)."""
        values, coordinates = self._regular("Hessian", x)
        basis = np.eye(self.dim) if self.basis is None else self.basis
        return np.broadcast_to(-(basis / values) @ basis.T, (len(coordinates), self.dim, self.dim))

    def residual(self, values: Array) -> float:
        """‖Σ − U diag(values) Uᵀ‖_F, bounded; by Hoffman-Wielandt it bounds the error of every eigenvalue."""
        if self.basis is None:
            return 0.0
        missed = np.linalg.norm(self.spread - (self.basis * values) @ self.basis.T)
        return float(missed + 4 * self.dim * _EPS * np.linalg.norm(values))

    @property
    def _floor(self) -> float:
        """The eigenvalue of a full Σ that rounding makes of 0."""
        return 0.0 if self.basis is None else self.dim * _EPS * float(self.eigenvalues[-1])

    def _regular(self, what: str, x: Array) -> tuple[Array, Array]:
        """Eigenvalues, all positive, and the coordinates of x − m along the eigenvectors."""
        values, basis = self._eigen
        if not values.min() > self._floor:
            raise ValueError(f"the {what} needs a regular covariance, got smallest eigenvalue {values.min()}")
        offset = points(x, self.dim) - self.mean
        return values, offset if basis is None else offset @ basis

    def assumptions(self) -> tuple[Assumption, ...]:
        """Strongly log-concave with m0 = 1/λ_max and L0 = 1/λ_min, ∞ if Σ is singular to rounding; a point has
        bounded support."""
        from bounds.assumptions.bounded_support import BoundedSupport
        from bounds.assumptions.strong_log_concave import StronglyLogConcave

        low, high = float(self.eigenvalues.min()), float(self.eigenvalues.max())
        moments = {"dim": self.dim, "second_moment": self.second_moment, "mean_norm": self.mean_norm}
        if high == 0.0:
            return (BoundedSupport(radius=0.0, **moments),)
        return (StronglyLogConcave(m0=1.0 / high, L0=1.0 / low if low > self._floor else math.inf, **moments),)

    def components(self) -> Components:
        """The one component, with its spectrum as compact as Σ is."""
        spectrum = self.spread if self.spread.ndim == 0 else self.eigenvalues
        return Components(self.mean[None], np.ones(1), spectrum, self.basis)

    def table(self) -> dict:
        """Mean, covariance and dimension; a mean of equal entries as a number."""
        mean = float(self.mean[0]) if np.all(self.mean == self.mean[0]) else self.mean.tolist()
        return {"law": "gaussian", "mean": mean, "covariance": self.spread.tolist(), "dim": self.dim}

    def split(self) -> Parts:
        """No lines: all of it is the Gaussian rest."""
        return Parts((), np.empty((0, self.dim)), self, lambda x: x)

    def bias_direction(self) -> Array:
        """Against the mean, or the first axis if that is 0."""
        return unit_vector("mean", -self.mean, self.dim) if self.mean.any() else np.eye(1, self.dim)[0]

    def posterior_moments(self) -> GaussianMoments:
        """From the eigenvalues of Σ."""
        return GaussianMoments.of(self.eigenvalues)

    def posterior(self, u: Array, a: float, s_sq: float) -> Gaussian:
        """N(m + aΣ(a²Σ + s²I)⁻¹(u − am), s²Σ(a²Σ + s²I)⁻¹)."""
        if self.spread.ndim < 2:
            factor = self.spread / (a * a * self.spread + s_sq)
            return Gaussian(self.mean + a * factor * (u - a * self.mean), s_sq * factor)
        factor = shrunk(self.covariance, a, s_sq)
        return Gaussian(self.mean + a * factor @ (u - a * self.mean), s_sq * factor)

    def facts(self, information: str = "all", smoothness: float | None = None) -> DataFacts:
        """As `Law.facts`, with the spectrum, the time regularity and the distance to N(0, vI) (Bures')."""
        mean = self.mean if self.basis is None else self.basis.T @ self.mean
        mean, variances = (np.broadcast_to(values, (self.dim,)) for values in (mean, self.eigenvalues))

        def distance(variance):
            size = np.sqrt(np.sum(variances) + self.dim * variance) + self.mean_norm
            value = np.sqrt(np.sum(mean**2) + np.sum((np.sqrt(variances) - np.sqrt(variance)) ** 2))
            return Bracket.exact(float(value), 1e-12 * float(size)).upper

        known = {} if information != "all" else {
            "distance_to_gaussian": distance, "mean": self.mean, "distance_to_start": self._distance_to_start}
        return replace(super().facts(information, smoothness), gaussian_spectrum=(mean, variances),
                       spectrum_error=self.residual(variances), time_regularity=(mean, variances), **known)

    def _distance_to_start(self, a: float, s_sq: float, start: Start) -> float:
        """W2 between N(am, a²Σ + s²I) and a start, from above (Bures)."""
        end, moved = self.pushed(a, s_sq), start.mean_of(self.dim).astype(float)
        size = np.sqrt(end.second_moment + float(start.variances_of(self.dim).sum())) + np.linalg.norm(moved)
        if self.spread.ndim and start.spread.ndim and (self.basis is not None or start.spread.ndim == 2):
            apart, lost = self._turned_roots(end, start.covariance_of(self.dim).astype(float))
        else:
            given = np.broadcast_to(start.variances_of(self.dim), (self.dim,))
            apart, lost = float(np.linalg.norm(np.sqrt(end.eigenvalues) - np.sqrt(given))), 0.0
            if start.spread.ndim == 2 or self.basis is not None:  # eigenvalues of a matrix, known to its rounding
                lost = _root_slack(given, self.dim) + _root_slack(end.eigenvalues, self.dim)
        return float(np.hypot(np.linalg.norm(end.mean - moved), apart) + lost + 1e-14 * size)

    def _turned_roots(self, end: Gaussian, covariance: Array) -> tuple[float, float]:
        """‖L₁ − L₂U‖ of roots of two covariances, for the rotation U that is best, and what their rounding may do."""
        roots, lost = [], 0.0
        for matrix in (end.covariance, covariance):
            values, basis = np.linalg.eigh(matrix)
            values = np.maximum(values, 0.0)
            roots.append(basis * np.sqrt(values))
            lost += _root_slack(values, self.dim)
        left, _, right = np.linalg.svd(roots[1].T @ roots[0])
        return float(np.linalg.norm(roots[0] - roots[1] @ (left @ right))), lost


def _root_slack(values: Array, dim: int) -> float:
    """What the rounding of a matrix with these eigenvalues may do to its root, in the Frobenius norm."""
    error = 8 * dim * _EPS * float(values.sum())
    least = float(values.min()) - error
    always = math.sqrt(math.sqrt(dim) * error)
    return min(always, error / math.sqrt(least)) if least > 0 else always


def _read(section, _folder) -> Gaussian:
    mean = section.array("mean", (0, 1), "a number or a list of numbers")
    covariance = section.array("covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
    sizes = {key: len(array) for key, array in (("mean", mean), ("covariance", covariance)) if array.ndim}
    if "dim" in section.values:
        sizes["dim"] = section.count("dim", MAX_DIM)
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} from {key}" for key, size in sizes.items())
        raise section.fault(f"data.mean, covariance and dim must agree on the dimension, got {found}")
    return Gaussian(np.full(next(iter(sizes.values()), 1), mean), covariance)


LAW = DataLaw("gaussian", ("mean", "covariance", "dim"), _read, needed=("mean", "covariance"),
              forms={"mean": "number or array", "covariance": "number or array", "dim": "count"})
