"""Finite Gaussian mixtures: exact density, score, Hessian and sampling, at any forward time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption
from bounds.facts import DataFacts
from bounds.value import Value
from closed_form.geometry.enclosing_ball import affine_span, enclosing_radius
from closed_form.geometry.orthogonal_factors import independent_parts, plane_of
from closed_form.law import Components, DataLaw, Law, NoAssumption, NoExactLaw, Parts, Plane
from closed_form.law_input import (
    checked_spread,
    checked_weights,
    finite_array,
    of_moderate_size,
    points,
    push_coefficients,
    read_spread,
    simplest,
)
from closed_form.laws.gaussian import Gaussian
from closed_form.mixture_density import MixtureDensity
from closed_form.posteriors.law import shrunk
from closed_form.posteriors.moments import PosteriorMoments, isotropic_moments


@dataclass(frozen=True, init=False, eq=False)
class GaussianMixture(Value, Law):
    r"""Σ_i w_i N(μ_i, Σ_i).

    Parameters
    ----------
    means : array of shape (c, d)
    weights : array of shape (c,), optional
        Non-negative, summing to 1 within 1e-6 (then normalised, of which ``notes`` tell beyond 1e-9); equal by
        default. Components of weight 0 are dropped.
    std : float, optional
        Σ_i = std² I for every component: the fast path, O(n c d) for a score.
    covariance : array of shape (d, d), optional
        One Σ for every component, positive definite.
    covariances : array of shape (c, d, d), optional
        One Σ_i each, positive definite. Exactly one of the last three is given; they are stored in the
        simplest form that says the same, so ``std`` is set whenever all Σ_i are the same multiple of I.

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is not finite or its fourth power not in the range of floats, a
        weight is negative, the weights do not sum to 1, or a covariance is not symmetric positive definite.
    """

    means: Array
    weights: Array
    std: float | None
    component_covariance: Array | None
    covariances: Array | None

    def __init__(self, means: ArrayLike, weights: ArrayLike | None = None, std: float | None = None,
                 covariance: ArrayLike | None = None, covariances: ArrayLike | None = None) -> None:
        means = finite_array("means", means)
        if means.ndim != 2 or means.size == 0:
            raise ValueError(f"means must have shape (c, d) with c, d >= 1, got {means.shape}")
        of_moderate_size("means", means, positive=False)
        notes: list[str] = []
        weights = checked_weights(weights, len(means), notes)
        if sum(part is not None for part in (std, covariance, covariances)) != 1:
            raise ValueError("exactly one of std, covariance and covariances must be given")
        spread = checked_spread(std, covariance, covariances, *means.shape, notes)
        kept = weights > 0.0
        if spread.ndim == 3:
            spread = spread[kept]
        self.__dict__["notes"] = tuple(notes)
        self._fill(means[kept], weights[kept], simplest(spread))

    def _fill(self, means: Array, weights: Array, spread: Array) -> GaussianMixture:
        for array in (means, weights, spread):
            array.setflags(write=False)
        self.__dict__.update(means=means, weights=weights, std=float(spread) if spread.ndim == 0 else None,
                             component_covariance=spread if spread.ndim == 2 else None,
                             covariances=spread if spread.ndim == 3 else None)
        return self

    @classmethod
    def two_modes(cls, separation: float, std: float, dim: int = 1) -> GaussianMixture:
        """½N(−½separation e₁, std² I) + ½N(½separation e₁, std² I) in dimension ``dim``."""
        separation = float(finite_array("separation", separation))
        if not isinstance(dim, int | np.integer) or dim < 1:
            raise ValueError(f"dim must be an integer of at least 1, got {dim!r}")
        means = np.zeros((2, dim))
        means[:, 0] = -0.5 * separation, 0.5 * separation
        return cls(means, std=std)

    @classmethod
    def fitted(cls, model: Any) -> GaussianMixture:
        """The law of a fitted ``sklearn.mixture.GaussianMixture``, whose precision it keeps.

        Parameters
        ----------
        model
            With ``means_``, ``weights_``, ``covariances_`` and ``covariance_type`` ("full", "tied", "diag" or
            "spherical").

        Raises
        ------
        TypeError, ValueError
            If it has no such attributes, or another covariance type; and as for the parameters of the class.
        """
        try:
            means, weights, given = model.means_, model.weights_, np.asarray(model.covariances_)
            kind, d = model.covariance_type, np.shape(means)[1]
        except AttributeError as error:
            raise TypeError(f"model must be a fitted Gaussian mixture of scikit-learn, got {type(model).__name__}: "
                            f"{error}") from None
        if kind == "tied":
            return cls(means, weights, covariance=given)
        if kind not in ("full", "diag", "spherical"):
            raise ValueError("model.covariance_type must be one of full, tied, diag, spherical, got "
                             f"{kind!r}")
        if kind != "full":
            given = given[..., None] * np.eye(d) if kind == "diag" else given[:, None, None] * np.eye(d)
        return cls(means, weights, covariances=given)

    @property
    def dim(self) -> int:
        """d, the dimension."""
        return self.means.shape[1]

    @cached_property
    def mean(self) -> Array:
        """E X, shape (d,)."""
        return self.weights @ self.means

    @cached_property
    def covariance(self) -> Array:
        """Covariance of the whole law, shape (d, d)."""
        centred = np.sqrt(self.weights)[:, None] * (self.means - self.mean)
        return centred.T @ centred + self._average_component_covariance()

    @property
    def mean_norm(self) -> float:
        """‖E X‖."""
        return float(np.linalg.norm(self.mean))

    @cached_property
    def second_moment(self) -> float:
        """E‖X‖², not centred."""
        if self.std is not None:
            trace = self.dim * self.std**2
        else:
            trace = float(np.trace(self._average_component_covariance()))
        return float(self.weights @ np.einsum("cd,cd->c", self.means, self.means)) + trace

    @property
    def _matrices(self) -> Array:
        """Σ of shape (d, d), or Σ_i of shape (c, d, d); not for ``std``."""
        return self.covariances if self.component_covariance is None else self.component_covariance

    def _average_component_covariance(self) -> Array:
        if self.std is not None:
            return self.std**2 * np.eye(self.dim)
        if self.component_covariance is not None:
            return self.component_covariance
        return np.einsum("c,cij->ij", self.weights, self.covariances)

    def pushed(self, a: float, s_sq: float) -> GaussianMixture:
        """Law of aX + √s_sq Z with Z standard normal: means aμ_i, covariances a²Σ_i + s_sq I.

        Raises
        ------
        ValueError
            If ``a`` or ``s_sq`` is not finite, ``s_sq < 0``, or both are 0 (a point mass).
        """
        a, s_sq = push_coefficients(a, s_sq)
        if a * a == 0.0 and s_sq == 0.0:
            raise ValueError(f"pushed with a = {a} and s_sq = 0 is a point mass, not a mixture")
        if self.std is not None:
            spread = np.asarray(math.hypot(a * self.std, math.sqrt(s_sq)))
        else:
            spread = a * a * self._matrices + s_sq * np.eye(self.dim)
        return object.__new__(GaussianMixture)._fill(a * self.means, self.weights, spread)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent draws, shape (n, d)."""
        labels = rng.choice(len(self.weights), size=n, p=self.weights)
        draws = rng.standard_normal((n, self.dim))
        if self.std is not None:
            draws *= self.std
        elif self.component_covariance is not None:
            draws = draws @ np.linalg.cholesky(self.component_covariance).T
        else:
            for i, root in enumerate(np.linalg.cholesky(self.covariances)):
                draws[labels == i] = draws[labels == i] @ root.T
        draws += self.means[labels]
        return draws

    def log_density(self, x: ArrayLike) -> Array:
        """log Σ_i w_i N(x; μ_i, Σ_i) by log-sum-exp; x of shape (n, d), result (n,)."""
        return self._density.log_density(points(x, self.dim))

    def responsibilities(self, x: ArrayLike) -> Array:
        """P(component i | X = x); x of shape (n, d), result (n, c)."""
        return self._density.responsibilities(points(x, self.dim))

    def score(self, x: ArrayLike) -> Array:
        """∇log p(x) = Σ_i r_i(x) Σ_i⁻¹(μ_i − x); x and result of shape (n, d).

        Works in blocks of rows, so the memory beyond the result does not grow with n; with ``std`` it is
        one product of matrices each way and no (n, c, d) array.
        """
        return self._density.score(points(x, self.dim))

    def hessian(self, x: ArrayLike) -> Array:
        """∇²log p(x) = Cov_r(s_i) − Σ_i r_i Σ_i⁻¹ with s_i = Σ_i⁻¹(μ_i − x); x (n, d), result (n, d, d)."""
        return self._density.hessian(points(x, self.dim))

    def assumptions(self) -> tuple[Assumption, ...]:
        """Weak log-concavity and the log-Lipschitz perturbation, from the ball holding the means.

        With Σ_i = s²I and R the radius of a ball holding the means: (α, M, L) = (1/s², R²/s⁴, 1/s²), and
        the log-Lipschitz constant R/s² (docs/theory.md section 1). With one Σ ≠ s²I: α = 1/λ_max,
        L = 1/λ_min and R the radius for the points Σ⁻¹μ_i in place of μ_i/s². All means equal: the
        assumptions of that Gaussian.

        Raises
        ------
        NoAssumption
            If the components have unequal covariances, for which no constant is proved.
        """
        if self.covariances is not None:
            raise NoAssumption(
                "mixtures with unequal covariances have no proved log-concavity constant; "
                "give the components one covariance, or state the constants by hand"
            )
        if (self.means == self.means[0]).all():
            return Gaussian(self.means[0], self._gaussian_spread()).assumptions()
        from bounds.assumptions.log_lipschitz import LogLipschitz
        from bounds.assumptions.smoothed_support import SmoothedSupport
        from bounds.assumptions.weak_log_concave import WeaklyLogConcave

        low, high = self._eigenvalue_range
        moments = {"dim": self.dim, "second_moment": self.second_moment, "mean_norm": self.mean_norm}
        tilts = self.means / low if self.std is not None else self.means @ self._density.precisions
        lipschitz = enclosing_radius(tilts)
        weak = (WeaklyLogConcave(alpha=1.0 / high, M=lipschitz**2, L=1.0 / low, **moments) if self.std is None
                else SmoothedSupport(enclosing_radius(self.means), self.std, **moments))
        return weak, LogLipschitz(alpha=1.0 / high, lipschitz=lipschitz, L=1.0 / low, **moments)

    def components(self) -> Components:
        """The components; eigenvectors of their covariances are found once."""
        return self._components

    @cached_property
    def _components(self) -> Components:
        if self.std is not None:
            return Components(self.means, self.weights, np.asarray(self.std**2))
        return Components(self.means, self.weights, *np.linalg.eigh(self._matrices))

    def table(self) -> dict:
        """Means, weights, and the covariances in the form they are stored in."""
        spread = (("std", self.std) if self.std is not None else
                  ("covariance", self.component_covariance.tolist()) if self.component_covariance is not None
                  else
                  ("covariances", self.covariances.tolist()))
        return {"law": "mixture", "means": self.means.tolist(), "weights": self.weights.tolist(),
                spread[0]: spread[1]}

    def split(self) -> Parts:
        """The line through the means and what is across it, or lines over which they are a product.

        Raises
        ------
        NoExactLaw
            With the reason: the rank of the means, or the kind of covariance.
        """
        if isinstance(self._parts, str):
            raise NoExactLaw(self._parts)
        return self._parts

    @cached_property
    def _parts(self) -> Parts | str:
        return independent_parts(self)

    def plane(self) -> Plane | None:
        """The plane that the means span and what is across it; None unless they do, with one ``std``."""
        return plane_of(self)

    def posterior_moments(self) -> PosteriorMoments | None:
        """Of the parts, where the components have one covariance."""
        if self.covariances is not None or isinstance(self._parts, str):
            return None
        if not self._parts.lines:
            return self._parts.rest.posterior_moments()
        return isotropic_moments(self._parts.lines, self.std, self.dim)

    def facts(self, information: str = "all", smoothness: float | None = None) -> DataFacts:
        """As `Law.facts`, with the mean."""
        found = super().facts(information, smoothness)
        return replace(found, mean=self.mean) if information == "all" else found

    def posterior(self, u: Array, a: float, s_sq: float) -> GaussianMixture:
        """Every component's posterior, weighted by its responsibility for ``u``."""
        weights = self.pushed(a, s_sq).responsibilities(u[None])[0]
        misses = u - a * self.means
        if self.std is not None:
            ratio = self.std**2 / (a * a * self.std**2 + s_sq)
            return GaussianMixture(self.means + a * ratio * misses, weights=weights,
                                   std=np.sqrt(s_sq * ratio))
        factor = shrunk(self._matrices, a, s_sq)
        means = self.means + a * (factor @ misses[:, :, None])[:, :, 0]
        name = "covariance" if factor.ndim == 2 else "covariances"
        return GaussianMixture(means, weights=weights, **{name: s_sq * factor})

    def span(self) -> tuple[Array, Array]:
        """Affine span of the means: ``origin`` (d,) nearest 0 and an orthonormal ``basis`` (d, r).

        μ_i = origin + basis basisᵀμ_i up to rounding, so x ↦ basisᵀx are the coordinates along the span.
        """
        return affine_span(self.means, self.mean)

    def line(self) -> tuple[GaussianMixture, Array, Array]:
        r"""The law along the line through the means, for isotropic components with collinear means.

        Returns
        -------
        law : GaussianMixture of dimension 1
            Law of direction·X, same weights and ``std``.
        direction : array of shape (d,)
            Unit vector; the first axis if all means are equal.
        offset : array of shape (d,)
            Orthogonal to ``direction``: X = offset + t direction + N(0, std² I) across, t ~ ``law``.

        Raises
        ------
        ValueError
            If the components are not isotropic with one ``std``, or the means span more than a line.
        """
        if self.std is None and self.dim > 1:
            raise ValueError("line needs isotropic components with one std, got general covariances")
        offset, basis = self.span()
        if basis.shape[1] > 1:
            raise ValueError(f"line needs collinear means, got means spanning {basis.shape[1]} dimensions")
        if basis.shape[1] == 0:
            basis = np.zeros((self.dim, 1))
            basis[0], offset[0] = 1.0, 0.0
        spread = np.asarray(self.std) if self.std is not None else self.covariances
        law = object.__new__(GaussianMixture)._fill(self.means @ basis, self.weights, spread)
        return law, basis[:, 0], offset

    @property
    def is_collinear(self) -> bool:
        """Whether ``line`` applies: one isotropic ``std`` (or d = 1) and means on one line."""
        return self.dim == 1 or (self.std is not None and self.span()[1].shape[1] <= 1)

    @cached_property
    def _density(self) -> MixtureDensity:
        spreads = self.std, self.component_covariance, self.covariances
        return MixtureDensity(self.means, self.weights, *spreads, self.mean)

    def _gaussian_spread(self):
        return self.std**2 if self.std is not None else self.component_covariance

    @property
    def _eigenvalue_range(self) -> tuple[float, float]:
        if self.std is not None:
            return self.std**2, self.std**2
        values = np.linalg.eigvalsh(self.component_covariance)
        return float(values[0]), float(values[-1])


def _read(section, _folder) -> GaussianMixture:
    means = section.array("means", (2,), "a list of points such as [[-1.0], [1.0]]")
    weights = section.array("weights", (1,), "a list of numbers") if "weights" in section.values else None
    return GaussianMixture(means, weights, **read_spread(section, means.shape[1]))


LAW = DataLaw("mixture", ("means", "std", "covariance", "covariances", "weights", "dim"), _read, needed=("means",),
              forms={"means": "array", "std": "number or array", "covariance": "number or array",
                     "covariances": "number or array", "weights": "array", "dim": "count"})
