"""A lower side of W2 from samples projected on lines, by a potential fitted to one half of them."""

import math
from dataclasses import dataclass

import numpy as np

from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.lower_sides.confidence import bernstein_lower, checked_delta, checked_samples, lower_side

_LEVELS = 64  # quantiles that the one-dimensional transport map is fitted to
_AXES = 8  # coordinate axes that are tried, the most promising ones of the fitted half


def projections(x: np.ndarray, law: Law, *, delta: float = 1e-3, directions: np.ndarray | None = None,
                seed: int = 0) -> Bracket:
    r"""Lower side from one-dimensional projections, valid at any sample size.

    .. math:: W_2^2 \ge W_2^2(u^T p, u^T q) \ge E_p \varphi(u^T X) + E_q \varphi^c(u^T Y)

    p is the unknown law of ``x``, q is ``law``. For every direction u the first half of the samples fits a
    map T of the line, increasing, piecewise linear and the identity far out; φ, with φ' = 2(x − T(x)), is
    bounded and φᶜ is its conjugate. The first mean, over the second half, is bounded below by the empirical
    Bernstein inequality (Maurer and Pontil 2009, Theorem 4) at level δ over the number of directions; the
    second is integrated exactly. The largest of the directions' bounds is returned.

    x, of at least 4 samples, law, δ and seed are those of `verify.lower_sides.w2.w2_from_samples`;
    directions, of shape (m, d), are not zero and fixed before seeing x: by default 8 random ones and, chosen
    by the fitted half, up to 8 axes and the direction of the mean gap.
    """
    x, delta = checked_samples("x", x, law.dim, 4), checked_delta(delta)
    fitted, tested = x[: len(x) // 2], x[len(x) // 2 :]
    if directions is None:
        directions = _directions(fitted, law, seed)
    directions = checked_samples("directions", directions, law.dim, 1)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    if not lengths.min() > 0.0:
        raise ValueError("directions must not be zero, got a zero row")
    best = 0.0
    for direction in directions / lengths:
        target = _projected(law, direction)
        potential = _fitted(fitted @ direction, target)
        mean = bernstein_lower(potential(tested @ direction), potential.span, delta / len(directions))
        best = max(best, mean + potential.conjugate_mean(target))
    return lower_side(best, delta, len(x), f"{len(directions)} projections, empirical Bernstein")


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


def _fitted(x: np.ndarray, target) -> Potential:
    """Potential of the map from the quantiles of x to those of the target."""
    from scipy.optimize import elementwise
    from scipy.special import ndtr

    weights, means, stds = target
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    reach = 10.0 * stds + 1e-9 * (1.0 + np.abs(means))
    ends = (means - reach).min(), (means + reach).max()
    images = elementwise.find_root(lambda y, level: ndtr((y[..., None] - means) / stds) @ weights - level,
                                   ends, args=(levels,)).x
    knots = np.quantile(x, levels)
    width = images[-1] - images[0] + np.abs(knots - images).max() + 1e-6 * np.abs(images).max()
    least = 1e-6 * width * np.arange(_LEVELS)  # keeps both strictly increasing where quantiles coincide
    knots, images = knots + least, images + least
    low, high = min(knots[0], images[0]) - width, max(knots[-1], images[-1]) + width
    return Potential(np.r_[low, knots, high], np.r_[low, images, high])


def _directions(fitted: np.ndarray, law: Law, seed: int) -> np.ndarray:
    if law.dim == 1:
        return np.ones((1, 1))
    gap = fitted.mean(axis=0) - law.mean
    promise = gap**2 + (fitted.std(axis=0) - np.sqrt(np.diag(law.covariance))) ** 2
    axes = np.eye(law.dim)[np.argsort(promise)[-_AXES:]]
    random = np.random.default_rng(seed).standard_normal((8, law.dim))
    return np.concatenate([axes, random, gap[None]] if gap.any() else [axes, random])
