"""A lower side of W2 from samples projected on orthogonal lines, by potentials fitted to one half of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.lower_sides.confidence import bernstein_lower, checked_delta, checked_samples

_SCORES = np.linspace(-2.5, 2.5, 33)  # normal scores of the quantiles that a map of the line is fitted to
_TAPER = 0.2  # of the range of those quantiles: beyond them a map returns to the identity within that
_MOST = 64  # directions of a basis that are tried, the most promising ones of the fitted half


def projections(x: np.ndarray, law: Law, *, delta: float = 1e-3) -> Bracket:
    r"""Lower side from projections on orthogonal lines, valid at any sample size.

    .. math:: W_2^2 \ge \sum_i W_2^2(u_i^T p, u_i^T q)
              \ge E_p \sum_i \varphi_i(u_i^T X) + \sum_i E_q \varphi_i^c(u_i^T Y), \qquad u_i \perp u_j

    p is the unknown law of ``x``, q is ``law``; the first step holds as every coupling of p and q is one of
    their projections. For every u the first half of the samples fits a map T of the line, increasing,
    piecewise linear and the identity far out; φ, with φ' = 2(x − T(x)), is bounded and φᶜ is its conjugate.
    The first mean, over the second half, is bounded below by the empirical Bernstein inequality, once and at
    level δ: which basis and which of its directions enter the sum is decided by the fitted half alone, whose
    own second half says which of the maps fitted to its first promise anything. The second mean is
    integrated exactly.

    x, of at least 8 samples, law and δ are those of `verify.lower_sides.w2.w2_from_samples`.
    """
    x, delta = checked_samples("x", x, law.dim, 8), checked_delta(delta)
    fitted, tested = x[: len(x) // 2], x[len(x) // 2 :]
    chosen = max((_promising(fitted, law, basis) for basis in _bases(fitted, law)),
                 key=lambda found: sum(promise for promise, _, _ in found))
    values, span, conjugate = np.zeros(len(tested)), 0.0, 0.0
    for _, direction, (target, images) in chosen:
        potential = _fitted(fitted @ direction, images)
        values += potential(tested @ direction)
        span, conjugate = span + potential.span, conjugate + potential.conjugate_mean(target)
    squared = float(bernstein_lower(values, span, delta)) + conjugate
    return Bracket(math.sqrt(max(0.0, squared)), math.inf,
                   f"{len(x)} samples, orthogonal projections ({len(chosen)}), empirical Bernstein, "
                   f"delta {delta:g}")


def between_samples(x: np.ndarray, y: np.ndarray, *, delta: float = 1e-3) -> Bracket:
    r"""The same lower side where both laws are known by samples alone: two means of bounded values, each at
    level δ/2.

    φᶜ has no wider range than φ: it is at most −φ, and at least −max φ.

    Parameters
    ----------
    x, y : arrays of shape (n, d), (m, d)
        Independent, in random order, at least 8 of each.
    """
    x, delta = checked_samples("x", x, None, 8), checked_delta(delta)
    y = checked_samples("y", y, x.shape[1], 8)
    (fitted, tested), (fitted_y, tested_y) = (np.array_split(part, 2) for part in (x, y))
    mean, covariance = fitted_y.mean(axis=0), np.atleast_2d(np.cov(fitted_y, rowvar=False))
    chosen = max((_promising_of_samples(fitted, fitted_y, basis) for basis
                  in _bases_of(fitted, mean, covariance)),
                 key=lambda found: sum(promise for promise, _ in found))
    values, conjugates, span = np.zeros(len(tested)), np.zeros(len(tested_y)), 0.0
    for _, direction in chosen:
        potential = _fitted(fitted @ direction, _quantiles(fitted_y @ direction))
        values += potential(tested @ direction)
        conjugates += potential.conjugate(tested_y @ direction)
        span += potential.span
    squared = sum(float(bernstein_lower(part, span, delta / 2)) for part
                  in (values, conjugates)) if chosen else 0.0
    return Bracket(math.sqrt(max(0.0, squared)), math.inf,
                   f"{len(x)} samples against {len(y)} of the data, orthogonal projections ({len(chosen)}), empirical "
                   f"Bernstein, delta {delta:g}")


@dataclass(frozen=True)
class Potential:
    """φ with φ' = 2(x − T(x)), T through the points (knots, images), the identity beyond the first and last.

    Both ends are fixed points of T, so φ is constant beyond them and its conjugate is attained at T⁻¹.
    """

    knots: np.ndarray
    images: np.ndarray

    @property
    def _slopes(self) -> np.ndarray:
        return np.diff(self.images) / np.diff(self.knots)

    @property
    def _values(self) -> np.ndarray:
        gap = self.knots - self.images  # φ' / 2, linear on every piece: the trapezoid is exact
        return np.concatenate([[0.0], np.cumsum((gap[1:] + gap[:-1]) * np.diff(self.knots))])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """φ(x), shape (n,)."""
        x = np.clip(x, self.knots[0], self.knots[-1])
        piece = np.clip(np.searchsorted(self.knots, x, side="right") - 1, 0, len(self.knots) - 2)
        offset = x - self.knots[piece]
        slope = 2.0 * (self.knots - self.images)[piece]
        return self._values[piece] + offset * (slope + (1.0 - self._slopes)[piece] * offset)

    @property
    def span(self) -> float:
        """max φ − min φ: extremes are at knots, or where T crosses the identity."""
        gap = self.knots - self.images
        crossed = gap[:-1] * gap[1:] < 0.0
        crossings = self.knots[:-1][crossed] + gap[:-1][crossed] / (self._slopes[crossed] - 1.0)
        values = np.concatenate([self._values, self(crossings)])
        return float(values.max() - values.min())

    def conjugate(self, y: np.ndarray) -> np.ndarray:
        """φᶜ(y) = (y − T⁻¹y)² − φ(T⁻¹y), shape (n,)."""
        x = np.interp(y, self.images, self.knots)
        return np.square(np.clip(y, self.images[0], self.images[-1]) - x) - self(x)

    def conjugate_mean(self, target) -> float:
        """E φᶜ under a one-dimensional mixture, by the moments of truncated Gaussians."""
        from scipy.special import ndtr

        weights, means, stds = (part[:, None] for part in target)
        gap = self.images - self.knots
        values = gap**2 - self._values
        edges = np.clip((self.images - means) / stds, -40.0, 40.0)  # the density is 0 there and beyond
        mass = np.diff(ndtr(edges), axis=1)
        density = np.exp(-0.5 * edges**2) / math.sqrt(2.0 * math.pi)
        first, second = -np.diff(density, axis=1), mass - np.diff(edges * density, axis=1)
        shift = means - self.images[:-1]
        linear = stds * first + shift * mass
        square = stds**2 * second + 2.0 * shift * stds * first + shift**2 * mass
        inside = values[:-1] * mass + 2.0 * gap[:-1] * linear + (1.0 - 1.0 / self._slopes) * square
        beyond = values[0] * ndtr(edges[:, :1]) + values[-1] * ndtr(-edges[:, -1:])
        return float((weights * inside).sum() + (weights * beyond).sum())


def _projected(law: Law, direction: np.ndarray):
    """Weights, means and standard deviations of the law of direction·X, a mixture on the line."""
    found = law.components()
    means, variances = found.along(direction)
    return found.weights, means, np.sqrt(np.maximum(variances, np.finfo(float).tiny))


def _target(law: Law, direction: np.ndarray) -> tuple:
    """The law of direction·X, and its quantiles at the scores."""
    from scipy.optimize import elementwise
    from scipy.special import ndtr

    weights, means, stds = found = _projected(law, direction)
    reach = 10.0 * stds + 1e-9 * (1.0 + np.abs(means))
    ends = (means - reach).min(), (means + reach).max()
    quantiles = elementwise.find_root(lambda y, level: ndtr((y[..., None] - means) / stds) @ weights - level,
                                      ends, args=(ndtr(_SCORES),)).x
    return found, quantiles


def _fitted(x: np.ndarray, images: np.ndarray) -> Potential:
    """Potential of the map from the quantiles of x at the scores to ``images``."""
    from scipy.special import ndtr

    knots = np.quantile(x, ndtr(_SCORES))
    width = (_TAPER * (images[-1] - images[0]) + np.abs(knots - images).max()
             + 1e-6 * np.abs(images).max())
    least = 1e-6 * width * np.arange(len(_SCORES))  # strictly increasing where quantiles coincide, too
    knots, images = knots + least, images + least
    low, high = min(knots[0], images[0]) - width, max(knots[-1], images[-1]) + width
    return Potential(np.r_[low, knots, high], np.r_[low, images, high])


def _bases(fitted: np.ndarray, law: Law) -> Iterator[np.ndarray]:
    """As `_bases_of`, of a law."""
    if law.dim == 1:
        return iter((np.eye(1),))
    return _bases_of(fitted, law.mean, law.covariance)


def _bases_of(fitted: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> Iterator[np.ndarray]:
    """Orthonormal rows: the axes, the gap of the means alone, and what diagonalises the target's covariance
    or the difference of the two."""
    yield np.eye(len(mean))
    if len(mean) > 1:
        gap = fitted.mean(axis=0) - mean
        if gap.any():
            yield gap[None] / np.linalg.norm(gap)
        for matrix in (covariance, np.cov(fitted, rowvar=False) - covariance):
            yield np.linalg.eigh(matrix)[1].T


def _quantiles(y: np.ndarray) -> np.ndarray:
    """Quantiles of samples at the scores."""
    from scipy.special import ndtr

    return np.quantile(y, ndtr(_SCORES))


def _promising_of_samples(x: np.ndarray, y: np.ndarray, basis: np.ndarray) -> list[tuple]:
    """Directions of a basis whose map, fitted to one half, promises a distance on the other: promise and
    direction."""
    apart = (x.mean(axis=0) - y.mean(axis=0)) @ basis.T
    wider = (x @ basis.T).std(axis=0) - (y @ basis.T).std(axis=0)
    found = []
    for direction in basis[np.argsort(apart**2 + wider**2)[-_MOST:]]:
        (one, two), (first, second) = (np.array_split(part @ direction, 2) for part in (x, y))
        potential = _fitted(one, _quantiles(first))
        promise = potential(two).mean() + potential.conjugate(second).mean()
        if promise > 0.0:
            found.append((promise, direction))
    return found


def _promising(fitted: np.ndarray, law: Law, basis: np.ndarray) -> list[tuple]:
    """Directions of a basis whose map, fitted to one half, promises a distance on the other: promise,
    direction and target."""
    gap = (fitted.mean(axis=0) - law.mean) @ basis.T
    stds = [np.sqrt(np.einsum("ij,jk,ik->i", basis, matrix, basis, optimize=True).clip(0.0))
            for matrix in (np.atleast_2d(np.cov(fitted, rowvar=False)), law.covariance)]
    found = []
    for direction in basis[np.argsort(gap**2 + (stds[0] - stds[1]) ** 2)[-_MOST:]]:
        target, images = _target(law, direction)
        first, second = np.array_split(fitted @ direction, 2)
        potential = _fitted(first, images)
        promise = potential(second).mean() + potential.conjugate_mean(target)
        if promise > 0.0:
            found.append((promise, direction, (target, images)))
    return found
