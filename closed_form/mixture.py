"""Finite Gaussian mixtures: exact density, score, Hessian and sampling, at any forward time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from closed_form.gaussian import Gaussian, finite_array, points, positive_eigen, push_coefficients, symmetric

_BLOCK = 1 << 16  # numbers in one block of work: half a megabyte, stays in the second-level cache
_EPS = np.finfo(float).eps


@dataclass(frozen=True, init=False, eq=False)
class GaussianMixture:
    r"""Σ_i w_i N(μ_i, Σ_i).

    Parameters
    ----------
    means : array of shape (c, d)
    weights : array of shape (c,), optional
        Non-negative, summing to 1 within 1e-9 (then normalised); equal by default. Components of
        weight 0 are dropped.
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
        If a shape does not fit, an entry is not finite, a weight is negative, the weights do not sum
        to 1, or a covariance is not symmetric positive definite.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float | None
    component_covariance: np.ndarray | None
    covariances: np.ndarray | None

    def __init__(self, means, weights=None, std=None, covariance=None, covariances=None) -> None:
        means = finite_array("means", means)
        if means.ndim != 2 or means.size == 0:
            raise ValueError(f"means must have shape (c, d) with c, d >= 1, got {means.shape}")
        weights = _checked_weights(weights, len(means))
        if sum(part is not None for part in (std, covariance, covariances)) != 1:
            raise ValueError("exactly one of std, covariance and covariances must be given")
        spread = _checked_spread(std, covariance, covariances, *means.shape)
        kept = weights > 0.0
        if spread.ndim == 3:
            spread = spread[kept]
        self._fill(means[kept], weights[kept], _simplest(spread))

    def _fill(self, means: np.ndarray, weights: np.ndarray, spread: np.ndarray) -> GaussianMixture:
        for array in (means, weights, spread):
            array.setflags(write=False)
        self.__dict__.update(
            means=means,
            weights=weights,
            std=float(spread) if spread.ndim == 0 else None,
            component_covariance=spread if spread.ndim == 2 else None,
            covariances=spread if spread.ndim == 3 else None,
        )
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

    @property
    def dim(self) -> int:
        """d, the dimension."""
        return self.means.shape[1]

    @cached_property
    def mean(self) -> np.ndarray:
        """E X, shape (d,)."""
        return self.weights @ self.means

    @cached_property
    def covariance(self) -> np.ndarray:
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

    def _average_component_covariance(self) -> np.ndarray:
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
        elif self.component_covariance is not None:
            spread = a * a * self.component_covariance + s_sq * np.eye(self.dim)
        else:
            spread = a * a * self.covariances + s_sq * np.eye(self.dim)
        return object.__new__(GaussianMixture)._fill(a * self.means, self.weights, spread)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
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

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """log Σ_i w_i N(x; μ_i, Σ_i) by log-sum-exp; x of shape (n, d), result (n,)."""
        x = points(x, self.dim)
        result = np.empty(len(x))
        for rows in self._blocks(len(x)):
            logits = self._logits(x[rows])
            top = logits.max(axis=0)
            result[rows] = top + np.log(np.exp(logits - top).sum(axis=0))
            if self.covariances is None:
                offset = x[rows] - self.mean
                pull = offset / self.std**2 if self.std is not None else offset @ self._precisions
                result[rows] -= 0.5 * np.einsum("nd,nd->n", offset, pull)
        return result

    def responsibilities(self, x: np.ndarray) -> np.ndarray:
        """P(component i | X = x); x of shape (n, d), result (n, c)."""
        x = points(x, self.dim)
        result = np.empty((len(x), len(self.weights)))
        for rows in self._blocks(len(x)):
            result[rows] = _softmax(self._logits(x[rows])).T
        return result

    def score(self, x: np.ndarray) -> np.ndarray:
        """∇log p(x) = Σ_i r_i(x) Σ_i⁻¹(μ_i − x); x and result of shape (n, d).

        Works in blocks of rows, so the memory beyond the result does not grow with n; with ``std`` it is
        one product of matrices each way and no (n, c, d) array.
        """
        x = points(x, self.dim)
        result = np.empty_like(x)
        for rows in self._blocks(len(x)):
            block = x[rows]
            r = _softmax(self._logits(block))
            if self.covariances is not None:
                result[rows] = sum(
                    r[i, :, None] * ((self.means[i] - block) @ precision)
                    for i, precision in enumerate(self._precisions)
                )
                continue
            pull = r.T @ self._centred
            pull -= block
            pull += self.mean
            if self.std is not None:
                np.divide(pull, self.std**2, out=result[rows])
            else:
                np.matmul(pull, self._precisions, out=result[rows])
        return result

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """∇²log p(x) = Cov_r(s_i) − Σ_i r_i Σ_i⁻¹ with s_i = Σ_i⁻¹(μ_i − x); x (n, d), result (n, d, d)."""
        x = points(x, self.dim)
        c, d = self.means.shape
        result = np.empty((len(x), d, d))
        for rows in _row_blocks(len(x), c * d):
            block = x[rows]
            r = _softmax(self._logits(block)).T
            pull = self.means - block[:, None, :]
            if self.std is not None:
                pull, curvature = pull / self.std**2, np.eye(d) / self.std**2
            elif self.covariances is None:
                pull, curvature = pull @ self._precisions, self._precisions
            else:
                pull = np.einsum("ncd,cde->nce", pull, self._precisions)
                curvature = np.einsum("nc,cde->nde", r, self._precisions)
            pull -= np.einsum("nc,ncd->nd", r, pull)[:, None, :]
            pull *= np.sqrt(r)[:, :, None]
            result[rows] = np.swapaxes(pull, 1, 2) @ pull - curvature
        return result

    def assumptions(self) -> tuple:
        """Weak log-concavity and the log-Lipschitz perturbation, from the ball holding the means.

        With Σ_i = s²I and R the radius of a ball holding the means: (α, M, L) = (1/s², R²/s⁴, 1/s²), and
        the log-Lipschitz constant R/s² (docs/theory.md section 1). With one Σ ≠ s²I: α = 1/λ_max,
        L = 1/λ_min and R the radius for the points Σ⁻¹μ_i in place of μ_i/s². All means equal: the
        assumptions of that Gaussian.

        Raises
        ------
        ValueError
            If the components have unequal covariances, for which no constant is proved.
        """
        if self.covariances is not None:
            raise ValueError(
                "mixtures with unequal covariances have no proved log-concavity constant; "
                "give the components one covariance, or state the constants by hand"
            )
        if (self.means == self.means[0]).all():
            return Gaussian(self.means[0], self._gaussian_spread()).assumptions()
        from bounds.assumptions import LogLipschitz, WeaklyLogConcave

        low, high = self._eigenvalue_range
        tilts = self.means / low if self.std is not None else self.means @ self._precisions
        lipschitz = enclosing_radius(tilts)
        moments = {"dim": self.dim, "second_moment": self.second_moment, "mean_norm": self.mean_norm}
        return (
            WeaklyLogConcave(alpha=1.0 / high, M=lipschitz**2, L=1.0 / low, **moments),
            LogLipschitz(alpha=1.0 / high, lipschitz=lipschitz, L=1.0 / low, **moments),
        )

    def span(self) -> tuple[np.ndarray, np.ndarray]:
        """Affine span of the means: ``origin`` (d,) and an orthonormal ``basis`` (d, r).

        μ_i = origin + basis basisᵀμ_i up to rounding, with ``origin`` orthogonal to ``basis`` (the point
        of the span nearest 0), so the coordinates along the span are x ↦ basisᵀx. Directions along which
        the means spread less than 1e-12 of their largest spread, or than their rounding, do not count.
        """
        centred = self.means - self.mean
        moved = np.flatnonzero(np.ptp(self.means, axis=0) > 0.0)
        if moved.size <= 1:
            basis = np.zeros((self.dim, moved.size))
            basis[moved, np.arange(moved.size)] = 1.0
        else:
            _, sizes, right = np.linalg.svd(centred, full_matrices=False)
            noise = 4.0 * max(self.means.shape) * _EPS * np.abs(self.means).max()
            basis = right[sizes > max(1e-12 * sizes[0], noise)].T
            basis = basis * np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
        anchor = self.means[0] if moved.size <= 1 else self.mean
        origin = anchor - basis @ (basis.T @ anchor)
        return origin, basis

    def line(self) -> tuple[GaussianMixture, np.ndarray, np.ndarray]:
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
    def _centred(self) -> np.ndarray:
        return self.means - self.mean

    @cached_property
    def _roots(self) -> np.ndarray:
        """Square roots B of the precisions, Σ⁻¹ = BBᵀ, shape (d, d) or (c, d, d)."""
        shared = self.component_covariance
        values, basis = np.linalg.eigh(self.covariances if shared is None else shared)
        return basis / np.sqrt(values)[..., None, :]

    @cached_property
    def _precisions(self) -> np.ndarray:
        return self._roots @ np.swapaxes(self._roots, -1, -2)

    @cached_property
    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes (c, d) and levels (c,) of the logits in x − E X, a term common to all components apart."""
        if self.std is not None:
            slopes = self._centred / self.std**2
            half_log_det = self.dim * math.log(self.std)
        else:
            slopes = self._centred @ self._precisions
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

    def _gaussian_spread(self):
        return self.std**2 if self.std is not None else self.component_covariance

    @property
    def _eigenvalue_range(self) -> tuple[float, float]:
        if self.std is not None:
            return self.std**2, self.std**2
        values = np.linalg.eigvalsh(self.component_covariance)
        return float(values[0]), float(values[-1])


def enclosing_radius(centres: np.ndarray) -> float:
    r"""Upper bound of the radius of the smallest ball holding the points, tight to about 1e-9.

    The largest distance from a centre found by Frank-Wolfe with away steps on the dual problem; whatever the
    centre, that distance is an upper bound, and it is rounded up. Points that differ in one coordinate
    only: half the range.

    Parameters
    ----------
    centres : array of shape (c, d)

    References
    ----------
    Yıldırım, Two algorithms for the minimum enclosing ball problem, SIAM J. Optim. 19 (2008), Algorithm 4.1.
    """
    ranges = np.ptp(centres, axis=0)
    if np.count_nonzero(ranges) <= 1:
        return 0.5 * float(ranges.max())
    first = int(_distances_sq(centres, centres[0]).argmax())
    second = int(_distances_sq(centres, centres[first]).argmax())
    u = np.zeros(len(centres))
    u[[first, second]] = 0.5
    best = math.inf
    for _ in range(20_000):
        distances_sq = _distances_sq(centres, u @ centres)
        far = int(distances_sq.argmax())
        best = min(best, float(distances_sq[far]))
        value = float(u @ distances_sq)  # dual value: at most the squared radius
        near = int(np.where(u > 0.0, distances_sq, np.inf).argmin())
        excess, lack = distances_sq[far] / value - 1.0, 1.0 - distances_sq[near] / value
        if excess < 1e-9:
            break
        if excess > lack:
            step = excess / (2.0 * (1.0 + excess))
            u *= 1.0 - step
            u[far] += step
        else:
            step = min(lack / (2.0 * (1.0 - lack)) if lack < 1.0 else math.inf, u[near] / (1.0 - u[near]))
            u *= 1.0 + step
            u[near] = max(0.0, u[near] - step)
    return math.sqrt(best) * (1.0 + (centres.shape[1] + 8) * _EPS)


def _distances_sq(centres: np.ndarray, centre: np.ndarray) -> np.ndarray:
    offset = centres - centre
    return np.einsum("cd,cd->c", offset, offset)


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


def _checked_weights(weights, c: int) -> np.ndarray:
    if weights is None:
        return np.full(c, 1.0 / c)
    weights = finite_array("weights", weights)
    if weights.shape != (c,):
        raise ValueError(f"weights must have shape ({c},), one for each mean, got {weights.shape}")
    if weights.min() < 0.0:
        raise ValueError(f"weights must be non-negative, got {weights.min()}")
    total = math.fsum(weights)
    if abs(total - 1.0) > 1e-9:
        raise ValueError(f"weights must sum to 1 within 1e-9, got a sum of {total}")
    return weights / total


def _checked_spread(std, covariance, covariances, c: int, d: int) -> np.ndarray:
    """``std`` as shape (), or the covariance(s) as (d, d) or (c, d, d), validated."""
    if std is not None:
        std = finite_array("std", std)
        if std.ndim != 0 or not std > 0.0:
            raise ValueError(f"std must be one positive number, got {std}")
        return std
    name, given, shape = "covariance", covariance, (d, d)
    if covariances is not None:
        name, given, shape = "covariances", covariances, (c, d, d)
    matrices = finite_array(name, given)
    if matrices.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {matrices.shape}")
    matrices = symmetric(name, matrices)
    values, _ = positive_eigen(name, matrices)
    if (values[..., 0] <= d * _EPS * values[..., -1]).any():
        raise ValueError(f"{name} must be positive definite, got a smallest eigenvalue {values.min()}")
    return matrices


def _simplest(spread: np.ndarray) -> np.ndarray:
    """The covariances in the smallest form that says the same: (c, d, d) to (d, d) to a std of shape ()."""
    if spread.ndim == 3 and (spread == spread[0]).all():
        spread = spread[0].copy()
    if spread.ndim == 2 and (spread == spread[0, 0] * np.eye(len(spread))).all():
        spread = np.sqrt(spread[0, 0])
    return np.asarray(spread)
