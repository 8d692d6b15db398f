"""Samples of an unknown law against a known one: sides of W2 that hold at a stated confidence.

Plug-in distances between samples are biased and appear nowhere. A lower side is the Kantorovich dual at a
potential fitted to one half of the sample, so its value on the other half is a plain mean; an upper side is
the plain mean cost of a coupling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from closed_form.bracket import Bracket
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture

_LEVELS = 64  # quantiles that the one-dimensional transport map is fitted to
_AXES = 8  # coordinate axes that are tried, the most promising ones of the fitted half
_FEW = 100  # samples below which the central limit theorem is not relied on


def w2_from_samples(
    x: np.ndarray, law: Gaussian | GaussianMixture, *, delta: float = 1e-3, pairs=None, seed: int = 0
) -> Bracket:
    """Bracket of W2(law of x, ``law``) with confidence 1 − ``delta``.

    Parameters
    ----------
    x : array of shape (n, d)
        Independent samples in random order, at least 100.
    law : Gaussian or GaussianMixture
        The known law.
    delta : float
        Probability, over the samples, that the bracket may miss W2; shared by the sides.
    pairs : pair of arrays of shape (m, d), optional
        Independent pairs from one coupling of the two laws; without them the upper side is infinite.
    seed : int
        Of the random directions.

    Raises
    ------
    ValueError
        If an array has the wrong shape or an entry that is not finite, or ``delta`` is not in (0, 1).
    """
    share = _checked_delta(delta) / (2 if pairs is None else 3)
    sides = projections(x, law, delta=share, seed=seed), moments(x, law, delta=share)
    best = max(sides, key=lambda side: side.lower)
    if pairs is None:
        return best
    top = coupled(*pairs, delta=share)
    return Bracket(min(best.lower, top.upper), max(best.lower, top.upper), f"{best.method}; {top.method}")


def projections(
    x: np.ndarray,
    law: Gaussian | GaussianMixture,
    *,
    delta: float = 1e-3,
    directions: np.ndarray | None = None,
    seed: int = 0,
) -> Bracket:
    r"""Lower side from one-dimensional projections, valid at any sample size.

    .. math:: W_2^2 \ge W_2^2(u^T p, u^T q) \ge E_p \varphi(u^T X) + E_q \varphi^c(u^T Y)

    For every direction u, φ is the bounded potential of an increasing piecewise linear map that is the
    identity far out. Its mean under the samples is bounded below by the empirical Bernstein inequality
    (Maurer and Pontil 2009, Theorem 4), its conjugate is integrated exactly; the union bound covers the
    directions.

    Parameters
    ----------
    x : array of shape (n, d)
        Independent samples in random order, at least 4.
    law : Gaussian or GaussianMixture
    delta : float
    directions : array of shape (m, d), optional
        Not zero, fixed before seeing x. By default 8 random ones, and, chosen by the fitted half, up to
        8 axes and the direction of the mean gap.
    seed : int
        Of the random directions.
    """
    x, delta = _checked_samples("x", x, law.dim, 4), _checked_delta(delta)
    fitted, tested = x[: len(x) // 2], x[len(x) // 2 :]
    if directions is None:
        directions = _directions(fitted, law, seed)
    directions = _checked_samples("directions", directions, law.dim, 1)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    if not lengths.min() > 0.0:
        raise ValueError("directions must not be zero, got a zero row")
    best = 0.0
    for direction in directions / lengths:
        target = _projected(law, direction)
        potential = _fitted(fitted @ direction, target)
        mean = _bernstein_lower(potential(tested @ direction), potential.span, delta / len(directions))
        best = max(best, mean + potential.conjugate_mean(target))
    return _lower_side(best, delta, len(x), f"{len(directions)} projections, empirical Bernstein")


def moments(x: np.ndarray, law: Gaussian | GaussianMixture, *, delta: float = 1e-3) -> Bracket:
    r"""Lower side from mean and covariance: Gelbrich's bound in its dual form.

    .. math:: W_2^2 \ge E_p[|X|^2 - X^T A X - 2 b^T X] + E_q[|Y|^2 - (Y-b)^T A^{-1} (Y-b)], \quad A \succ 0

    with x ↦ Ax + b fitted to one half of the samples, once as a translation and once as the optimal map of
    the two Gaussians, the mean over the other half lowered by its one-sided normal quantile (central limit
    theorem; the potential is not bounded), and the second mean exact.

    Parameters
    ----------
    x : array of shape (n, d)
        Independent samples in random order, at least 100.
    law : Gaussian or GaussianMixture
    delta : float
    """
    x, delta = _checked_samples("x", x, law.dim, _FEW), _checked_delta(delta)
    fitted, tested = x[: len(x) // 2] - law.mean, x[len(x) // 2 :] - law.mean
    shift = fitted.mean(axis=0)
    best = -math.inf
    maps = _gaussian_maps(fitted - shift, law)
    for A, inverse in maps:
        pull = A @ shift
        values = np.einsum("nd,nd->n", tested - tested @ A, tested) + 2.0 * (tested @ pull)
        conjugate = np.trace(law.covariance) - np.vdot(inverse, law.covariance) - shift @ pull
        best = max(best, _normal_lower(values, delta / len(maps)) + conjugate)
    return _lower_side(best, delta, len(x), "mean and covariance, central limit")


def coupled(x: np.ndarray, y: np.ndarray, *, delta: float = 1e-3) -> Bracket:
    r"""Upper side from a coupling: :math:`W_2 \le (E|X-Y|^2)^{1/2}`, the mean raised by its normal quantile.

    Parameters
    ----------
    x, y : arrays of shape (n, d)
        Row i of both is one independent draw from a coupling of the two laws, such as two runs of
        ``verify.sampler.sample`` with the same ``increments`` (synchronous coupling). At least 100 rows.
        Rows that were matched after drawing (sorted, assigned) are not a coupling of the laws.
    delta : float
    """
    x = _checked_samples("x", x, None, _FEW)
    y, delta = _checked_samples("y", y, x.shape[1], _FEW), _checked_delta(delta)
    if len(x) != len(y):
        raise ValueError(f"x and y must have as many rows as each other, got {len(x)} and {len(y)}")
    difference = x - y
    upper = -_normal_lower(-np.einsum("nd,nd->n", difference, difference), delta)
    method = f"coupling of {len(x)} pairs, central limit, delta {delta:g}"
    return Bracket(0.0, math.sqrt(upper), method)


@dataclass(frozen=True)
class _Potential:
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

    def conjugate_mean(self, target: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
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


def _projected(law: Gaussian | GaussianMixture, direction: np.ndarray):
    """Weights, means and standard deviations of the law of direction·X, a mixture on the line."""
    if isinstance(law, Gaussian):
        weights, means, covariance = np.ones(1), law.mean[None], law.covariance
    elif law.std is not None:
        return law.weights, law.means @ direction, np.full(len(law.weights), law.std)
    else:
        weights, means = law.weights, law.means
        covariance = law.component_covariance if law.covariances is None else law.covariances
    variance = np.broadcast_to(np.einsum("...ij,i,j->...", covariance, direction, direction), weights.shape)
    return weights, means @ direction, np.sqrt(np.maximum(variance, np.finfo(float).tiny))


def _fitted(x: np.ndarray, target: tuple[np.ndarray, np.ndarray, np.ndarray]) -> _Potential:
    """Potential of the map from the quantiles of x to those of the target."""
    from scipy.optimize import elementwise
    from scipy.special import ndtr

    weights, means, stds = target
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    reach = 10.0 * stds + 1e-9 * (1.0 + np.abs(means))
    ends = (means - reach).min(), (means + reach).max()
    images = elementwise.find_root(
        lambda y, level: ndtr((y[..., None] - means) / stds) @ weights - level, ends, args=(levels,)
    ).x
    knots = np.quantile(x, levels)
    width = images[-1] - images[0] + np.abs(knots - images).max() + 1e-6 * np.abs(images).max()
    least = 1e-6 * width * np.arange(_LEVELS)  # keeps both strictly increasing where quantiles coincide
    knots, images = knots + least, images + least
    low, high = min(knots[0], images[0]) - width, max(knots[-1], images[-1]) + width
    return _Potential(np.r_[low, knots, high], np.r_[low, images, high])


def _directions(fitted: np.ndarray, law: Gaussian | GaussianMixture, seed: int) -> np.ndarray:
    if law.dim == 1:
        return np.ones((1, 1))
    gap = fitted.mean(axis=0) - law.mean
    promise = gap**2 + (fitted.std(axis=0) - np.sqrt(np.diag(law.covariance))) ** 2
    axes = np.eye(law.dim)[np.argsort(promise)[-_AXES:]]
    random = np.random.default_rng(seed).standard_normal((8, law.dim))
    return np.concatenate([axes, random, gap[None]] if gap.any() else [axes, random])


def _gaussian_maps(centred: np.ndarray, law: Gaussian | GaussianMixture) -> list[tuple]:
    """Linear parts A and A⁻¹ of the maps that ``moments`` tries; the second needs regular covariances."""
    maps = [(np.eye(law.dim),) * 2]
    values, basis = np.linalg.eigh(np.atleast_2d(np.cov(centred, rowvar=False)))
    if values[0] > 1e-10 * values[-1]:
        root = (basis * np.sqrt(values)) @ basis.T
        inverse_root = (basis / np.sqrt(values)) @ basis.T
        sizes, axes = np.linalg.eigh(root @ law.covariance @ root)
        if sizes[0] > 1e-10 * sizes[-1]:
            A = inverse_root @ (axes * np.sqrt(sizes)) @ axes.T @ inverse_root
            maps.append((A, root @ (axes / np.sqrt(sizes)) @ axes.T @ root))
    return maps


def _bernstein_lower(values: np.ndarray, span: float, delta: float) -> float:
    """Lower confidence bound of a mean of values in an interval of length ``span``, at any sample size."""
    n, log = len(values), math.log(2.0 / delta)
    spread = math.sqrt(2.0 * values.var(ddof=1) * log / n)
    return float(values.mean()) - spread - 7.0 * span * log / (3.0 * (n - 1))


def _normal_lower(values: np.ndarray, delta: float) -> float:
    """Lower confidence bound of a mean by the central limit theorem."""
    from scipy.special import ndtri

    return float(values.mean() + ndtri(delta) * values.std(ddof=1) / math.sqrt(len(values)))


def _lower_side(squared: float, delta: float, n: int, how: str) -> Bracket:
    lower = math.sqrt(max(0.0, squared))
    return Bracket(lower, math.inf, f"{n} samples, {how}, delta {delta:g}")


def _checked_delta(delta: float) -> float:
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be in (0, 1), got {delta}")
    return float(delta)


def _checked_samples(name: str, x: np.ndarray, dim: int | None, least: int) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != (dim or x.shape[1]) or len(x) < least:
        raise ValueError(f"{name} must have shape (n >= {least}, {dim or 'd'}), got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must have finite entries, got {x[~np.isfinite(x)][0]}")
    return x
