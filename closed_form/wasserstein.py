"""The 2-Wasserstein distance between two laws, or two samples, as a bracket."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from closed_form.bracket import Bracket
from closed_form.gaussian import Gaussian, finite_array

_EPS = np.finfo(float).eps
_TINY = np.finfo(float).tiny
_REACH = 9.0  # standard deviations beyond which a Gaussian has mass 1.1e-19
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_TARGET = 1e-13  # relative error of W2² asked of the quadrature
_DEPTH = 14  # halvings of a panel before its error is accepted and reported


def w2_gaussian(p: Gaussian, q: Gaussian) -> Bracket:
    r"""W2 between Gaussians: :math:`(\|m_1-m_2\|^2 + \min_U \|L_1 - L_2U\|_F^2)^{1/2}`, L_i a root of Σ_i.

    The minimum over orthogonal U is attained at the polar factor of L₂ᵀL₁. Being a norm of a difference
    it has none of the cancellation of the trace formula, whose floor is 1e-7. Covariances that share
    their eigenvectors need O(d) operations.

    Raises
    ------
    ValueError
        If the dimensions differ.
    """
    if p.dim != q.dim:
        raise ValueError(f"both laws must have the same dimension, got {p.dim} and {q.dim}")
    shift = p.mean - q.mean
    distance = float(np.linalg.norm(shift))
    moved = Bracket.exact(distance, (8 + math.log2(p.dim)) * _EPS * distance, "mean difference")
    if p.basis is q.basis:
        values = p.eigenvalues, q.eigenvalues
    elif p.spread.ndim == 0 or q.spread.ndim == 0:
        values = np.sort(p.eigenvalues), np.sort(q.eigenvalues)
    else:
        return Bracket.root_sum_sq([moved, _procrustes(p, q)], "Bures distance, Procrustes form")
    blurs = [0.0 if law.basis is None else p.dim * _EPS * law.eigenvalues.max() for law in (p, q)]
    return Bracket.root_sum_sq([moved, _commuting(values, blurs)], "Bures distance, common eigenvectors")


def _commuting(values: tuple[np.ndarray, np.ndarray], blurs: list[float]) -> Bracket:
    """(Σ(√λ_i − √λ'_i)²)^½ from λ − λ', so that nothing cancels, for eigenvalues known to a blur each."""
    first, second = (np.sqrt(part) for part in values)
    total = first + second
    size = float(np.linalg.norm((values[0] - values[1]) / np.where(total > 0.0, total, 1.0)))
    rounding = (8 + math.log2(len(first))) * _EPS * size
    for root, blur in zip((first, second), blurs, strict=True):  # √(λ+blur) − √λ <= min(√blur, blur/√λ)
        reach = np.full(root.shape, math.sqrt(blur))
        rounding += float(np.linalg.norm(np.minimum(reach, blur / np.maximum(root, _TINY))))
    return Bracket.exact(size, rounding, "Bures distance, common eigenvectors")


def _procrustes(p: Gaussian, q: Gaussian) -> Bracket:
    """min_U ‖L₁ − L₂U‖_F with a bound of what rounding Σ₁, Σ₂, their roots and U can do to it.

    A root has LLᵀ = Σ + E, ‖E‖ <= (d+2) eps tr Σ, and dW2² = tr((I − T)E) with T the optimal map. So E costs
    ‖I − T‖‖E‖ to first order and (1+‖T‖)‖E‖²/λ_min to second, or at most ‖E‖/√λ_min in W2, whatever T is.
    """
    laws, d = (p, q), p.dim
    roots = [_matrix_root(law) for law in laws]
    left, _, right = np.linalg.svd(roots[1].T @ roots[0])
    turned = roots[0], roots[1] @ (left @ right)
    residual = turned[0] - turned[1]
    size = float(np.linalg.norm(residual))
    first_order, always, rounding = 0.0, 0.0, 0.0
    for law, root in zip(laws, turned, strict=True):
        trace, low = float(law.eigenvalues.sum()), float(law.eigenvalues.min())
        error = (d + 2) * _EPS * trace
        rounding += 2.0 * d * _EPS * math.sqrt(trace)
        if low > 4.0 * error:
            stretch = float(np.linalg.norm(np.linalg.solve(root.T, residual.T)))
            first_order += stretch * error + (2.0 + stretch) * error**2 / low
            always += error / math.sqrt(low)
        else:
            first_order = math.inf
            always += math.sqrt(math.sqrt(d) * error)
    doubt = min(always, first_order / size) if size > 0.0 else always
    return Bracket.exact(size, doubt + rounding, "Bures distance, Procrustes form")


def _matrix_root(law: Gaussian) -> np.ndarray:
    """L with LLᵀ = Σ: Cholesky's, or the eigenvectors' when Σ is singular."""
    try:
        return np.linalg.cholesky(law.covariance)
    except np.linalg.LinAlgError:
        basis = np.eye(law.dim) if law.basis is None else law.basis
        return basis * np.sqrt(law.eigenvalues)


def w2_factors(brackets: Iterable[Bracket]) -> Bracket:
    """W2 between products of laws over orthogonal directions, from the W2 of the factors: squares add."""
    return Bracket.root_sum_sq(brackets)


class LineDistribution(Protocol):
    """A law on the line with a density, as ``w2_line`` needs it; all methods are vectorised over x (n,)."""

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """P(X <= x), accurate relative to itself where it is small."""

    def sf(self, x: np.ndarray) -> np.ndarray:
        """P(X > x), accurate relative to itself where it is small."""

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density."""

    def support(self) -> tuple[float, float]:
        """An interval outside which the mass is below 1e-18, the tails beyond it no heavier than Gaussian."""

    def knots(self) -> np.ndarray:
        """Optional: increasing points across the support, with the density smooth between neighbours."""


@dataclass(frozen=True, init=False, eq=False)
class LineMixture:
    r"""Σ_j w_j N(μ_j, σ_j²) on the line, up to thousands of components.

    Parameters
    ----------
    means : array of shape (c,)
    stds : float or array of shape (c,), positive
    weights : array of shape (c,), optional
        Non-negative with a positive sum, normalised here; equal by default.

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is not finite, a std is not positive or a weight is negative.
    """

    means: np.ndarray
    stds: np.ndarray
    weights: np.ndarray

    def __init__(self, means, stds, weights=None) -> None:
        means = np.atleast_1d(finite_array("means", means))
        stds = finite_array("stds", stds)
        weights = finite_array("weights", np.ones(means.shape) if weights is None else weights)
        if means.ndim != 1 or means.size == 0:
            raise ValueError(f"means must have shape (c,) with c >= 1, got {means.shape}")
        if stds.shape not in ((), means.shape) or weights.shape != means.shape:
            raise ValueError(f"stds and weights must fit {means.shape}, got {stds.shape} and {weights.shape}")
        if not stds.min() > 0.0:
            raise ValueError(f"stds must be positive, got {stds.min()}")
        if weights.min() < 0.0 or not weights.sum() > 0.0:
            raise ValueError(f"weights must be non-negative with a positive sum, got minimum {weights.min()}")
        kept = np.flatnonzero(weights)
        kept = kept[np.argsort(means[kept], kind="stable")]
        stds = np.broadcast_to(stds, means.shape)[kept]
        self.__dict__.update(means=means[kept], stds=stds, weights=weights[kept] / weights.sum())

    @classmethod
    def of(cls, law) -> LineMixture:
        """The same law from a Gaussian or GaussianMixture of dimension 1 (ValueError otherwise)."""
        if getattr(law, "dim", None) != 1:
            raise ValueError(f"a law on the line must have dim = 1, got {law!r:.80}")
        if isinstance(law, Gaussian):
            return cls(law.mean, np.sqrt(law.eigenvalues))
        stds = law.std if law.std is not None else np.sqrt(law.covariances[:, 0, 0])
        return cls(law.means[:, 0], stds, law.weights)

    def pdf(self, x):
        """Density at x, any shape."""
        return self._sum(x, lambda z, std: np.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * std), None)

    def cdf(self, x):
        """P(X <= x), accurate relative to itself in the lower tail."""
        from scipy.special import ndtr

        return self._sum(x, lambda z, std: ndtr(z), "below")

    def sf(self, x):
        """P(X > x), accurate relative to itself in the upper tail."""
        from scipy.special import ndtr

        return self._sum(x, lambda z, std: ndtr(-z), "above")

    def ppf(self, u):
        """Quantiles: the x with P(X <= x) = u, for 0 < u < 1 of any shape."""
        u = np.asarray(u, dtype=float)
        if u.size and not (u.min() > 0.0 and u.max() < 1.0):
            raise ValueError(f"u must be strictly between 0 and 1, got {u[~((u > 0.0) & (u < 1.0))].flat[0]}")
        low, high = self.support()
        wide = 40.0 * self.stds.max()
        return _root(lambda x, level: self.cdf(x) - level, low - wide, high + wide, (u,))

    def support(self):
        """The range of μ_j ± 9σ_j."""
        return float((self.means - _REACH * self.stds).min()), float((self.means + _REACH * self.stds).max())

    def knots(self):
        """μ_j + {−9, −5, −2.5, 0, 2.5, 5, 9}σ_j, thinned to about 2 of the smallest σ_j nearby."""
        shape = np.array([-_REACH, -5.0, -2.5, 0.0, 2.5, 5.0, _REACH])
        places = (self.means[:, None] + self.stds[:, None] * shape).ravel()
        scales = np.repeat(self.stds, len(shape))
        order = np.argsort(places, kind="stable")
        kept = [places[order[0]]]
        for place, scale in zip(places[order].tolist(), scales[order].tolist(), strict=True):
            if place - kept[-1] >= 2.0 * scale:
                kept.append(place)
        kept.append(places[order[-1]])
        return np.unique(kept)

    def _sum(self, x, kernel, side):
        """Σ_j w_j kernel((x−μ_j)/σ_j) in blocks of x, each over the components not settled there."""
        x = np.asarray(x, dtype=float)
        flat, result = x.reshape(-1), np.empty(x.size)
        if len(self.means) <= 16:
            step, reach = 1 << 12, math.inf
        else:
            step, reach = 256, _REACH + 0.5
        for rows in (slice(start, start + step) for start in range(0, x.size, step)):
            block = flat[rows]
            if reach < math.inf:
                left = self.means + reach * self.stds < block.min()
                right = self.means - reach * self.stds > block.max()
                near = np.flatnonzero(~(left | right))
                settled = 0.0 if side is None else self.weights[left if side == "below" else right].sum()
            else:
                near, settled = slice(None), 0.0
            z = (block - self.means[near, None]) / self.stds[near, None]
            result[rows] = self.weights[near] @ kernel(z, self.stds[near, None]) + settled
        return result.reshape(x.shape)


def w2_line(p, q) -> Bracket:
    r"""W2 between two laws on the line, by the quantile coupling parametrised without jumps.

    The optimal coupling is the curve F(x) = G(y). With s = (x+y)/2 as its parameter, x and y move at speeds
    2g/(f+g) and 2f/(f+g), both between 0 and 2 even where the optimal map jumps, so

    .. math:: W_2^2 = \int (x-y)^2 \, \frac{2 f(x) g(y)}{f(x)+g(y)} \, ds

    has an integrand as smooth as the densities. Composite Gauss rule, panels halved until the change is below
    1e-13 of the whole and the mass of the panel comes out right; the bracket adds up the last changes, the
    rounding of both distribution functions and of x − y, and the tails beyond the supports.

    Parameters
    ----------
    p, q : LineDistribution, Gaussian or GaussianMixture of dimension 1
    """
    p, q = (law if hasattr(law, "cdf") else LineMixture.of(law) for law in (p, q))
    curve = _Coupling.of(p, q)
    total, doubt = _integrate(curve)
    lower, upper = math.sqrt(max(0.0, total - doubt)), math.sqrt(total + doubt)
    return Bracket(lower, upper, "quantile coupling")


@dataclass(frozen=True, eq=False)
class _Coupling:
    """The curve s -> (x, y) = (s − δ, s + δ) on which F(x) = G(y)."""

    p: LineDistribution
    q: LineDistribution
    width: float  # of the union of both supports
    blur: float  # bound of the rounding of x − y
    middle: float  # where F(x) = G(y) = 1/2

    @classmethod
    def of(cls, p: LineDistribution, q: LineDistribution) -> _Coupling:
        sides = [law.support() for law in (p, q)]
        low, high = min(side[0] for side in sides), max(side[1] for side in sides)
        medians = [_root(lambda x, law=law: law.cdf(x) - law.sf(x), low, high, ()) for law in (p, q)]
        blur = 4.0 * _EPS * max(abs(low), abs(high))
        return cls(p, q, high - low, blur, 0.5 * float(medians[0] + medians[1]))

    def half_gap(self, s, low=None, high=None) -> np.ndarray:
        """δ at every s (n,), looked for in [low, high] first; where F and G are flat together, |δ| small."""
        below = s <= self.middle
        wide = np.full(s.shape, self.width)

        def excess(delta, s, below):
            first, second = self._levels(s - delta, s + delta, below)
            flat = 4.0 * _EPS * delta / self.width * (first + second)  # decides only where rounding would
            return np.where(below, first - second, second - first) - flat

        low, high = (-wide, wide) if low is None else (low, high)
        return _root(excess, low, high, (s, below), self.blur / 256.0, wide)

    def _levels(self, x, y, below):
        """F and G where ``below``, else 1 − F and 1 − G."""
        first, second = np.empty(x.shape), np.empty(y.shape)
        for law, points, level in ((self.p, x, first), (self.q, y, second)):
            level[below] = law.cdf(points[below])
            level[~below] = law.sf(points[~below])
        return first, second

    def level(self, s, delta) -> np.ndarray:
        """P(X <= x) up to the middle, P(X > x) after it."""
        return self._levels(s - delta, s + delta, s <= self.middle)[0]

    def ends(self) -> np.ndarray:
        """Ends of panels in s: the knots of both laws, carried to the curve."""
        low, high = -2.0 * self.width + self.middle, 2.0 * self.width + self.middle
        sets = []
        for law, other in ((self.p, self.q), (self.q, self.p)):
            x = law.knots() if hasattr(law, "knots") else np.linspace(*law.support(), 129)
            level = np.minimum(law.cdf(x), law.sf(x))
            below = law.cdf(x) == level
            level = np.maximum(level, max(other.cdf(np.array([low]))[0], other.sf(np.array([high]))[0]))

            def excess(y, level, below, other=other):
                return np.where(below, other.cdf(y) - level, level - other.sf(y))

            sets.append(np.unique(0.5 * (x + _root(excess, low, high, (level, below)))))
        first, second = sets
        gaps = np.diff(second, prepend=-np.inf, append=np.inf)
        after = np.searchsorted(first, second)
        padded = np.concatenate([[-np.inf], first, [np.inf]])
        nearest = np.minimum(second - padded[after], padded[after + 1] - second)
        ends = np.union1d(first, second[nearest > 0.25 * np.minimum(gaps[:-1], gaps[1:])])
        ends = np.union1d(ends, self.middle)  # where the side that is accurate changes
        return ends[np.diff(ends, prepend=-np.inf) > 1e-13 * self.width]


@dataclass(frozen=True, eq=False)
class _Panels:
    """Pieces [a, b] of the range of s, each with its share of W2² by one Gauss rule and its doubts."""

    s: np.ndarray  # (n, 3): left end, middle, right end
    delta: np.ndarray  # (n, 3)
    share: np.ndarray  # (n,)
    noise: np.ndarray  # (n,) what rounding can do to the share
    unseen: np.ndarray  # (n,) squared distance times the mass that the rule missed

    @classmethod
    def of(cls, curve: _Coupling, s: np.ndarray, delta: np.ndarray) -> _Panels:
        """From the two ends (n, 2) of every panel and the curve there."""
        half = 0.5 * (s[:, 1:] - s[:, :1])
        nodes = s[:, :1] + half * (1.0 + np.append(_NODES, 0.0))
        x, y = s - delta, s + delta  # both increase along the curve, which brackets the nodes
        low = np.maximum(y[:, :1] - nodes, nodes - x[:, 1:]) - curve.blur
        high = np.minimum(y[:, 1:] - nodes, nodes - x[:, :1]) + curve.blur
        found = curve.half_gap(*(array.ravel() for array in (nodes, low, high))).reshape(nodes.shape)
        s = np.stack([s[:, 0], nodes[:, -1], s[:, 1]], axis=1)
        delta = np.stack([delta[:, 0], found[:, -1], delta[:, 1]], axis=1)
        nodes, gap = nodes[:, :-1], 2.0 * found[:, :-1]
        f, g = curve.p.pdf(nodes - 0.5 * gap), curve.q.pdf(nodes + 0.5 * gap)
        density = 2.0 * np.minimum(f, g) / (1.0 + np.minimum(f, g) / np.maximum(np.maximum(f, g), 1e-300))
        level = curve.level(s.ravel(), delta.ravel()).reshape(s.shape)
        far = 2.0 * np.abs(delta).max(axis=1)
        mass = half * (density @ _WEIGHTS[:, None])
        rise, top = np.abs(level[:, 2] - level[:, 0]), level.max(axis=1)
        known = 32.0 * _EPS * top + 4.0 * curve.blur * f.max(axis=1)  # to how much the rise itself is known
        missed = np.abs(mass[:, 0] - rise)
        lost = np.maximum(0.0, missed - known)
        noise = 2.0 * half[:, 0] * far * 16.0 * _EPS * top + rise * curve.blur * (2.0 * far + curve.blur)
        noise += far**2 * (missed - lost)
        return cls(s, delta, half[:, 0] * ((gap**2 * density) @ _WEIGHTS), noise, far**2 * lost)

    def halves(self, curve: _Coupling, which: np.ndarray) -> _Panels:
        """Both halves of the chosen panels, lefts first."""
        s, delta = self.s[which], self.delta[which]
        ends = [np.concatenate([array[:, :2], array[:, 1:]]) for array in (s, delta)]
        return _Panels.of(curve, *ends)


def _integrate(curve: _Coupling) -> tuple[float, float]:
    """W2² and a bound of its error."""
    ends = curve.ends()
    delta = curve.half_gap(ends)
    panels = _Panels.of(curve, *(np.stack([array[:-1], array[1:]], axis=1) for array in (ends, delta)))
    settled = [float(np.abs(delta[[0, -1]]).max()) ** 2 * 16e-18]
    shares = []
    open_panels = np.arange(len(panels.share))
    for depth in range(_DEPTH):
        finer = panels.halves(curve, open_panels)
        pair = finer.share.reshape(2, -1).sum(axis=0)
        change = np.abs(pair - panels.share[open_panels])
        doubt = change + finer.unseen.reshape(2, -1).sum(axis=0)
        noise = finer.noise.reshape(2, -1).sum(axis=0)
        total = math.fsum(shares) + pair.sum()
        done = (doubt <= np.maximum(_TARGET * total, noise)) | (depth == _DEPTH - 1)
        shares.extend(pair[done])
        settled.extend(doubt[done] + noise[done])
        panels, open_panels = finer, np.flatnonzero(np.tile(~done, 2))
        if not open_panels.size:
            break
    return math.fsum(shares), math.fsum(settled)


def _root(function, low, high, args, accuracy=0.0, wide=None) -> np.ndarray:
    """Elementwise roots, looked for in ``[-wide, wide]`` where [low, high] shows no change of sign."""
    from scipy.optimize.elementwise import find_root

    shape = np.broadcast_shapes(np.shape(low), np.shape(high), *(np.shape(arg) for arg in args))
    low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    found = find_root(function, (low, high), args=args, tolerances={"xatol": accuracy})
    missed = ~found.success
    if not missed.any():
        return found.x
    if wide is None:
        raise ArithmeticError(f"no root between {low[missed][0]} and {high[missed][0]}")
    x = found.x.copy()
    x[missed] = _root(function, -wide[missed], wide[missed], tuple(arg[missed] for arg in args), accuracy)
    return x


def w2_samples(x, y) -> Bracket:
    r"""W2 between the uniform laws on two samples: :math:`(\min_\pi \sum_{ij} \pi_{ij} \|x_i-y_j\|^2)^{1/2}`.

    d = 1 by sorting, otherwise by POT's network simplex, whose primal and dual values are the two sides.

    Parameters
    ----------
    x, y : arrays of shape (n, d) and (n', d)

    Raises
    ------
    ValueError
        If a sample is empty or not finite, or the dimensions differ.
    ArithmeticError
        If POT stops before it has found the optimum.
    """
    x, y = _checked_pair(x, y)
    if x.shape[1] == 1:
        gaps, masses = _sorted_gaps(np.sort(x, axis=0), np.sort(y, axis=0))
        value = math.sqrt(float(masses @ gaps[:, 0] ** 2))
        blur = 4.0 * _EPS * max(np.abs(x).max(), np.abs(y).max())
        return Bracket.exact(value, 8.0 * _EPS * value + blur, "sorting")
    import ot

    centre = x.mean(axis=0)
    scale = max(float(np.abs(x - centre).max()), float(np.abs(y - centre).max()), _TINY)
    x, y = (x - centre) / scale, (y - centre) / scale
    cost = ot.dist(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            plan, log = ot.emd([], [], cost, numItermax=10_000_000, log=True)
        except UserWarning as warning:
            raise ArithmeticError(f"optimal transport did not converge: {warning}") from None
    above = float((plan * cost).sum())
    violation = max(0.0, float((log["u"][:, None] + log["v"][None, :] - cost).max()))
    below = float(log["u"].mean() + log["v"].mean()) - violation
    slack = 64.0 * _EPS * x.shape[1]  # of the costs, which are at most 4 d
    lower = math.sqrt(max(0.0, min(above, below) - slack))
    return Bracket(lower, math.sqrt(above + slack), "optimal transport").scaled(scale)


def w2_projections(x, y, rng: np.random.Generator, frames: int = 16) -> Bracket:
    r"""Lower bound of W2 between two samples from their projections: sliced over frames, and max-sliced.

    For any orthonormal directions, :math:`W_2^2 \ge \sum_i W_2^2(\theta_i\cdot x, \theta_i\cdot y)`; kept
    is the largest such sum over random frames, the axes of the pooled covariance and the line of the means.

    Parameters
    ----------
    x, y : arrays of shape (n, d) and (n', d)
    rng : numpy.random.Generator
    frames : int
        Number of random frames.
    """
    x, y = _checked_pair(x, y)
    shift = x.mean(axis=0) - y.mean(axis=0)
    pooled = np.concatenate([x - x.mean(axis=0), y - y.mean(axis=0)])
    candidates = [np.linalg.qr(rng.standard_normal((x.shape[1], x.shape[1])))[0] for _ in range(frames)]
    candidates.append(np.linalg.svd(pooled, full_matrices=False)[2].T)
    if shift.any():
        candidates.append(shift[:, None] / np.linalg.norm(shift))
    best = 0.0
    for frame in candidates:
        gaps, masses = _sorted_gaps(np.sort(x @ frame, axis=0), np.sort(y @ frame, axis=0))
        best = max(best, math.sqrt(float((masses @ gaps**2).sum())))
    blur = 16.0 * x.shape[1] * _EPS * max(np.abs(x).max(), np.abs(y).max())
    return Bracket(max(0.0, best - blur), math.inf, "projections on frames")


def _sorted_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences of the quantiles of two sorted samples, column by column, and the mass that each moves."""
    n, m = len(x), len(y)
    if n == m:
        return x - y, np.full(n, 1.0 / n)
    levels = np.union1d(np.arange(n) * m, np.arange(m) * n)  # in units of 1/(n n')
    masses = np.diff(levels, append=n * m) / (n * m)
    return x[levels // m] - y[levels // n], masses


def _checked_pair(x, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = finite_array("x", x), finite_array("y", y)
    for name, sample in (("x", x), ("y", y)):
        if sample.ndim != 2 or sample.size == 0:
            raise ValueError(f"{name} must have shape (n, d) with n, d >= 1, got {sample.shape}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have the same dimension, got {x.shape[1]} and {y.shape[1]}")
    return x, y
