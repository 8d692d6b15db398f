r"""The exact law of the sampler for laws on a line, by kernel quadrature instead of simulation."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from bounds.steps import Steps
from closed_form.bracket import Bracket
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture

FINE, COARSE = (0.6, 5e-6), (0.7, 1e-4)  # grid spacing / scale of the integrand; aliasing at twice the spacing
MAX_POINTS = 200_000
_KERNEL = 8.6  # standard deviations kept of a kernel: exp(-8.6²/2) is below the rounding of 1
_TAIL = 12.0  # the same where the far tails count: the distribution functions of the final law
_EDGE = 9.0  # the support of the final law ends this many standard deviations beyond the outermost means
_CROWDED = 2000.0  # even grids of more points than this give way to panels if few of the points matter
_PANEL = 6.4  # length of a Gauss panel of 16 nodes that is as accurate as an even grid, in spacings of that grid
_NEGLIGIBLE = 1e-20  # densities below this share of the largest one are dropped between steps
_CELLS = 1 << 13  # kernel values computed at once: stays in the cache
_BAND = 1 << 15  # kernel values at once in the distribution functions
_SCORES = 1 << 19  # points × components whose scores are computed at once
_EPS = np.finfo(float).eps
_NODES, _GAUSS = np.polynomial.legendre.leggauss(16)


def _left_out() -> np.ndarray:
    """1 − w'/w for the first 8 of 16 Gauss weights w, w' being exact to degree 13 without nodes 4 and 11."""
    kept = np.delete(np.arange(16), [4, 11])
    poorer = np.zeros(16)
    moments = np.append(2.0, np.zeros(13))
    poorer[kept] = np.linalg.solve(np.polynomial.legendre.legvander(_NODES[kept], 13).T, moments)
    return (1.0 - poorer / _GAUSS)[:8]


_PARITY, _LEFT_OUT = np.array([1.0, -1.0]), _left_out()  # doubts of an even grid and of Gauss panels

Image = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class GridTooLarge(ValueError):
    """The quadrature grid of some step would exceed the limit on its number of points."""


@dataclass(frozen=True, eq=False)
class LineLaw:
    r"""Σ_j w_j N(m_j, std²) with m sorted, a mixture of as many components as the last grid had points.

    Parameters
    ----------
    means, weights : arrays of shape (m,)
        Ascending means; weights summing to 1.
    std : float
        Standard deviation common to all components, positive.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float

    def support(self) -> tuple[float, float]:
        """An interval outside which there is less mass than 1e-18."""
        return float(self.means[0] - _EDGE * self.std), float(self.means[-1] + _EDGE * self.std)

    def knots(self) -> np.ndarray:
        """Points across the support at least 2 std apart: about 100 equal lengths, 100 equal masses."""
        low, high = self.support()
        lengths = np.floor((self.means - low) * (100.0 / (high - low)))
        masses = np.floor(100.0 * np.cumsum(self.weights))
        chosen = self.means[np.unique(lengths + masses, return_index=True)[1]]
        far = np.unique(np.floor((chosen - low) / (2.0 * self.std)), return_index=True)[1]
        return np.concatenate([[low], chosen[far], [high]])

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density at ``x`` (any shape)."""
        root = math.sqrt(2.0 * math.pi) * self.std
        return self._banded(x, lambda z: np.exp(-0.5 * z * z) / root)[0]

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """P(Y ≤ x), accurate in relative terms in the lower tail."""
        near, first, _ = self._banded(x, ndtr)
        return near + self._mass_below[first]

    def sf(self, x: np.ndarray) -> np.ndarray:
        """P(Y > x), accurate in relative terms in the upper tail."""
        near, _, last = self._banded(x, lambda z: ndtr(-z))
        return near + self._mass_above[last]

    def _banded(self, x, kernel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Σ_j w_j kernel((x − m_j)/std) over the components within 12 std of x, and their range of j."""
        x = np.asarray(x, dtype=float)
        flat, reach = x.ravel(), _TAIL * self.std
        first, last = (np.searchsorted(self.means, flat + side) for side in (-reach, reach))
        result = np.empty(flat.size)
        order = np.argsort(last - first, kind="stable")
        start = 0
        while start < flat.size:
            rows = max(1, _BAND // max(1, last[order[start]] - first[order[start]]))
            part = order[start : start + rows]
            band = first[part, None] + np.arange((last - first)[part].max())
            band = np.where(band < last[part, None], band, len(self.means))
            means, weights = (array[band] for array in self._padded)
            result[part] = np.einsum("nj,nj->n", kernel((flat[part, None] - means) / self.std), weights)
            start += rows
        return tuple(array.reshape(x.shape) for array in (result, first, last))

    @cached_property
    def _padded(self) -> tuple[np.ndarray, np.ndarray]:
        return np.append(self.means, math.inf), np.append(self.weights, 0.0)

    @cached_property
    def _mass_below(self) -> np.ndarray:
        return np.append(0.0, np.cumsum(self.weights))

    @cached_property
    def _mass_above(self) -> np.ndarray:
        return np.append(np.cumsum(self.weights[::-1])[::-1], 0.0)


@dataclass(frozen=True, eq=False)
class PushedLaw:
    """Law of T(X) for X of law ``source`` and a strictly increasing, smooth T.

    Parameters
    ----------
    source : LineLaw
    image : callable
        x ↦ (T(x), T'(x)), on arrays of shape (n,).
    table : array of shape (3, m)
        Even increasing x across the support of ``source``, T(x) and T'(x).
    """

    source: LineLaw
    image: Image
    table: np.ndarray

    def support(self) -> tuple[float, float]:
        """Image of the support of the source."""
        return float(self.table[1, 0]), float(self.table[1, -1])

    def knots(self) -> np.ndarray:
        """Image of the knots of the source and of about 128 equal lengths."""
        even = self.table[1, :: max(1, self.table.shape[1] // 128)]
        return np.unique(np.concatenate([even, np.interp(self.source.knots(), *self.table[:2])]))

    def pdf(self, y: np.ndarray) -> np.ndarray:
        """Density p(x)/T'(x) at T(x) = ``y`` (any shape)."""
        x = self._inverse(y)
        inside = np.clip(x, self.table[0, 0], self.table[0, -1])
        return self.source.pdf(x) / self.image(inside.ravel())[1].reshape(x.shape)

    def cdf(self, y: np.ndarray) -> np.ndarray:
        """P(Y ≤ y)."""
        return self.source.cdf(self._inverse(y))

    def sf(self, y: np.ndarray) -> np.ndarray:
        """P(Y > y)."""
        return self.source.sf(self._inverse(y))

    def _inverse(self, y) -> np.ndarray:
        """T⁻¹(y), T being continued as a line beyond the support of the source."""
        from scipy.optimize import elementwise, newton

        y = np.asarray(y, dtype=float)
        x, values, slopes = self.table
        wanted = np.clip(y, values[0], values[-1]).ravel()
        beyond = (y.ravel() - wanted) / np.where(y.ravel() < values[0], slopes[0], slopes[-1])
        cell = np.clip(np.searchsorted(values, wanted) - 1, 0, len(x) - 2)
        low, high = x[cell], x[cell + 1]
        latest = {}

        def excess(x, wanted):
            value, latest["slope"] = self.image(x)
            return value - wanted

        def excess_slope(x, wanted):
            return latest["slope"]

        root, missed = np.clip(self._interpolant(wanted), low, high), np.ones(wanted.shape, dtype=bool)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # points that miss are looked for again below
            with contextlib.suppress(RuntimeError):  # none converged
                if wanted.size > 1:  # a single start makes newton another function, for scalars
                    tolerance = 1e-8 * (x[1] - x[0])
                    root, converged, _ = newton(
                        excess, root, excess_slope, (wanted,), tolerance, 6, full_output=True
                    )
                    missed = ~converged | (root < low) | (root > high)
        if missed.any():
            root[missed] = elementwise.find_root(excess, (low[missed], high[missed]), args=(wanted[missed],)).x
        return (root + beyond).reshape(y.shape)

    @cached_property
    def _interpolant(self):
        from scipy.interpolate import CubicHermiteSpline

        x, values, slopes = self.table
        return CubicHermiteSpline(values, x, 1.0 / slopes)


@dataclass(frozen=True, eq=False)
class SamplerLine:
    """What `sampler_line` found.

    Parameters
    ----------
    law : LineLaw or PushedLaw
        Law of the last iterate, up to the two errors below.
    mass_error : float
        |1 − mass| before normalisation.
    neglected : float
        Bound of the W2 distance to the law with the noise of the last steps that was left out.
    points : int
        Size of the largest grid.
    reach : float
        Largest |x| at which a step was evaluated.
    """

    law: LineLaw | PushedLaw
    mass_error: float
    neglected: float
    points: int
    reach: float


def sampler_line(
    law: GaussianMixture | Gaussian,
    steps: Steps,
    bias: float = 0.0,
    noise_size: float = 0.0,
    accuracy: tuple[float, float] = FINE,
    max_points: int = MAX_POINTS,
) -> SamplerLine:
    r"""Law of the last iterate for data on a line, every Gaussian or mixture of Gaussians.

    .. math:: p_{i+1}(y) = \sum_j \Delta\, p_i(x_j)\, N(y;\ m_i(x_j),\ c_i^2), \qquad
              m_i(x) = P_i x + Q_i(s_i(x) + b), \qquad c_i^2 = \mathrm{noise\_var}_i + Q_i^2 M_{noise}^2.

    The trapezoid rule converges faster than any power of its spacing Δ, which is a share of the scale
    :math:`(c_{i-1}^{-2} + \max|m_i'|^2 c_i^{-2})^{-1/2}` of the integrand. The maximum runs over the points
    where p_i is not negligible, by the exact derivative of the score and by the differences of m_i between
    neighbours (which no narrow peak of the derivative escapes); the grid is rebuilt until it holds. Then
    the sums over even and over odd points are compared: they show the error that the grid would have at
    twice its spacing, and the spacing shrinks until that is below a tolerance; at the spacing itself the
    error is the square of it or smaller.
    Steps without noise are composed with the next noisy one; at the end they become a push-forward. Half
    the variance of the last noise is added on a grid of its own, so the result is a mixture on a grid.

    Parameters
    ----------
    law : GaussianMixture or Gaussian, of dimension 1
    steps : Steps
    bias : float
        Constant b added to the score.
    noise_size : float
        Standard deviation M_noise of the fresh noise added to the score.
    accuracy : (float, float)
        Largest relative spacing, and the tolerance for the error at twice the spacing.
    max_points : int
        Largest grid allowed.

    Raises
    ------
    ValueError
        If ``law`` is not on a line, a grid would exceed ``max_points``, or the noise-free steps at the
        end are not strictly increasing maps. Nothing is ever capped or clipped instead.

    References
    ----------
    docs/theory.md section 8 (ii).
    """
    chain = _Chain.of(law, steps, bias, noise_size)
    route = _Route(_Sources(np.zeros(1), np.ones(1), math.sqrt(steps.prior_var)), *accuracy, max_points)
    start, noisy = 0, np.flatnonzero(chain.noise > 0.0).tolist()
    for last in noisy:
        share = math.sqrt(0.5) if last == noisy[-1] else 1.0
        try:
            route.move(chain.through(start, last + 1), share * float(chain.noise[last]))
        except GridTooLarge as error:
            if chain.noise[start:].max() > 1e-3 * math.sqrt(chain.data_var):
                raise GridTooLarge(f"step {last} (time {steps.time[last]:.6g}): {error}") from None
            break
        start = last + 1
    sources = route.finished() if noisy and start > noisy[-1] else route.sources
    if sources.std == 0.0:
        raise ValueError("the sampler has no noise at all (prior_var = 0 and noise_var = 0): its law has no density")
    order, mass = np.argsort(sources.means), float(sources.weights.sum())
    final = LineLaw(sources.means[order], sources.weights[order] / mass, sources.std)
    if start == len(steps):
        return SamplerLine(final, abs(1.0 - mass), 0.0, route.points, route.reach)
    pushed, neglected = _pushed(final, chain, start, max_points)
    reach = max(route.reach, float(np.abs(pushed.table[0]).max()))
    return SamplerLine(pushed, abs(1.0 - mass), neglected, route.points, reach)


def line_w2(
    law: GaussianMixture | Gaussian,
    steps: Steps,
    bias: float = 0.0,
    noise_size: float = 0.0,
    target: GaussianMixture | Gaussian | None = None,
    max_points: int = MAX_POINTS,
) -> Bracket:
    r"""W2 between the law of the last iterate and ``target`` (the data law by default), on a line.

    The half-width adds the difference between a coarse and a fine quadrature grid, the width of the W2
    bracket on the fine one, the effect of rounding and the noise left out of the last steps, if any.

    Parameters
    ----------
    law, steps, bias, noise_size, max_points
        As in `sampler_line`.
    target : GaussianMixture or Gaussian, of dimension 1, optional

    Raises
    ------
    ValueError
        As `sampler_line`.
    """
    from closed_form.wasserstein import w2_line

    data = law if target is None else target
    fine, coarse = (
        sampler_line(law, steps, bias, noise_size, accuracy, max_points) for accuracy in (FINE, COARSE)
    )
    best, check = (w2_line(found.law, data) for found in (fine, coarse))
    doubt = abs(best.midpoint - check.midpoint) + fine.neglected
    return best.widened(doubt + _rounding(fine, steps, best.midpoint))


@dataclass(frozen=True, eq=False)
class _Chain:
    """The sampler's steps as maps of the line, with the mixture pushed to every grid time."""

    means: np.ndarray
    variances: np.ndarray
    log_weights: np.ndarray
    steps: Steps
    bias: float
    noise: np.ndarray
    data_var: float

    @classmethod
    def of(cls, law, steps: Steps, bias: float, noise_size: float) -> _Chain:
        means, stds, weights = _line_components(law)
        for name, value in (("bias", bias), ("noise_size", noise_size)):
            if not math.isfinite(value) or (name == "noise_size" and value < 0.0):
                raise ValueError(f"{name} must be a finite number{' >= 0' * (name != 'bias')}, got {value}")
        noise = np.sqrt(steps.noise_var + (steps.Q * noise_size) ** 2)
        data_var = float(weights @ ((means - weights @ means) ** 2 + stds**2))
        return cls(means[:, None], stds[:, None] ** 2, np.log(weights)[:, None], steps, bias, noise, data_var)

    def through(self, first: int, stop: int) -> Image:
        """x ↦ (y, dy/dx) for the noise-free parts of the steps first, …, stop − 1 in a row."""

        def image(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            block = max(1, _SCORES // len(self.means))
            if len(x) > block:
                parts = [image(x[start : start + block]) for start in range(0, len(x), block)]
                return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
            slope = 1.0
            for i in range(first, stop):
                x, factor = self._step(i, x)
                slope = slope * factor
            return x, slope

        return image

    def _step(self, i: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P x + Q(s(x) + b) and its derivative P + Q s'(x) = P + Q(Var_r(s_j) − Σ_j r_j/V_j)."""
        steps = self.steps
        a, P, Q = float(steps.a[i]), float(steps.P[i]), float(steps.Q[i])
        precision = 1.0 / (a * a * self.variances + steps.s_sq[i])
        offset = a * self.means - x
        pull = offset * precision
        offset *= pull
        offset *= -0.5
        offset += self.log_weights + 0.5 * np.log(precision)
        offset -= offset.max(axis=0)
        r = np.exp(offset, out=offset)
        r /= r.sum(axis=0)
        score = (r * pull).sum(axis=0)
        pull -= score
        pull *= pull
        pull -= precision
        pull *= r
        return P * x + Q * (score + self.bias), P + Q * pull.sum(axis=0)


def _line_components(law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, standard deviations and weights, each of shape (c,), of a law on a line."""
    if not isinstance(law, Gaussian | GaussianMixture) or law.dim != 1:
        raise ValueError(f"law must be a Gaussian or a mixture of dimension 1, got {law!r:.80}")
    if isinstance(law, Gaussian):
        return law.mean, np.sqrt(law.eigenvalues), np.ones(1)
    variances = law.std**2 if law.std is not None else law.covariances
    if variances is None:
        variances = law.component_covariance
    c = len(law.weights)
    return law.means[:, 0], np.sqrt(np.broadcast_to(np.ravel(variances), (c,))), law.weights


@dataclass(frozen=True, eq=False)
class _Sources:
    """Σ_j w_j N(m_j, std²) as the image of a grid.

    Every point is of a ``kind``; weighted by ``doubt[kind]`` as well, the sum is the difference to a
    second, poorer quadrature rule on the same points. There is none for a single point.
    """

    means: np.ndarray
    weights: np.ndarray
    std: float
    kind: np.ndarray | None = None
    doubt: np.ndarray | None = None

    def density(self, low: float, dx: float, n: int) -> tuple[np.ndarray, float]:
        """Density at low, low + dx, …, shape (n,), and its largest relative difference to the poorer rule."""
        scale = self.std / dx
        if self.kind is None:
            return _bells(self.means, self.weights, scale, low, dx, n), 0.0
        total, difference = np.zeros(n), np.zeros(n)
        for kind, doubt in enumerate(self.doubt.tolist()):
            part = self.kind == kind
            share = _bells(self.means[part], self.weights[part], scale, low, dx, n)
            total += share
            difference += doubt * share
        return total, float((np.abs(difference) / (total + 1e-10 * total.max())).max())


@dataclass(eq=False)
class _Route:
    """The sources of the current law, and how they were made, to make them again on a finer grid."""

    sources: _Sources
    spacing: float
    tolerance: float
    max_points: int
    points: int = 1
    reach: float = 0.0
    _slope: float = 1.0
    _tight: float = 1.0
    _recipe: tuple | None = None

    def move(self, image: Image, noise: float) -> None:
        """One step: the image of the law, plus N(0, noise²)."""
        if self.sources.std == 0.0:  # an atom stays one until the first noise
            self.sources = _Sources(image(self.sources.means)[0], self.sources.weights, noise)
            return
        while True:
            moved, slope, alias = self._moved(self.sources, image, noise, self._slope)
            if alias <= self.tolerance:
                break
            self._tight *= 0.8
            if self._tight < 0.01:
                raise GridTooLarge(f"the quadrature does not settle: aliasing {alias:.3g}")
            self.sources = self._moved(*self._recipe)[0]
        if alias < 1e-3 * self.tolerance:
            self._tight = min(1.0, 1.1 * self._tight)
        self._recipe, self.sources, self._slope = (self.sources, image, noise, slope), moved, slope
        self.points = max(self.points, len(moved.means))

    def finished(self) -> _Sources:
        """The law with the other half of the last variance added, on a grid if that is within the limit."""
        half, self._slope = self.sources, 1.0
        try:
            self.move(lambda x: (x, np.ones_like(x)), half.std)
        except GridTooLarge:
            return _Sources(half.means, half.weights, math.sqrt(2.0) * half.std)
        return self.sources

    def _moved(self, law: _Sources, image: Image, noise: float, slope: float) -> tuple[_Sources, float, float]:
        """Sources of the next law, the largest slope of the image, and the aliasing of ``law``."""
        low = law.means.min() - _KERNEL * law.std
        width = law.means.max() + _KERNEL * law.std - low
        if not math.isfinite(width):
            raise GridTooLarge("the law of the sampler left the range of numbers")
        self.reach = max(self.reach, abs(low), abs(low + width))
        spacing = self.spacing * self._tight
        found = min(slope, noise * 4.0 * _CROWDED * spacing / width)  # a first look need not be a fine one
        while True:
            slope = 1.05 * found
            dx = spacing / math.hypot(1.0 / law.std, slope / noise)
            self._check(width, dx, width / dx, 10 * self.max_points)
            density, alias = law.density(low, dx, int(width / dx) + 2)
            kept = np.flatnonzero(density > _NEGLIGIBLE * density.max())
            self._check(width, dx, len(kept), self.max_points)
            x = low + dx * kept
            y, slopes = image(x)
            rises = np.abs(np.diff(y)[np.diff(kept) == 1])
            found = max(float(np.abs(slopes).max()), float(rises.max(initial=0.0)) / dx)
            if not math.isfinite(found):
                raise GridTooLarge("the law of the sampler left the range of numbers")
            wanted = spacing / math.hypot(1.0 / law.std, found / noise)
            if wanted <= 2.0 * dx and found <= slope:
                return _Sources(y, dx * density[kept], noise, kept % 2, _PARITY), found, alias
            even, uneven = len(kept) * dx / wanted, (rises.sum() / noise + len(kept) * dx / law.std) / spacing
            if even > max(_CROWDED, 10.0 * uneven):
                return *self._panelled(law, image, noise, (low, low + width), _PANEL * spacing), alias

    def _panelled(self, law: _Sources, image: Image, noise: float, ends, theta: float) -> tuple[_Sources, float]:
        """`_moved` on Gauss panels, halved where m is steep; each at most ``theta`` scales of the integrand long."""
        order = np.argsort(law.means)
        mixture = LineLaw(law.means[order], law.weights[order], law.std)
        edges = np.linspace(*ends, 2 + int((ends[1] - ends[0]) / (theta * law.std)))
        low, half = edges[:-1], np.full(len(edges) - 1, 0.5 * (edges[1] - edges[0]))
        floor, found, points, parts = 0.0, 0.0, 0, []
        while low.size:
            x = low[:, None] + half[:, None] * (1.0 + _NODES)
            p = mixture.pdf(x)
            floor = max(floor, _NEGLIGIBLE * float(p.max()))
            seen = p.max(axis=1) > floor
            x, p, low, half = x[seen], p[seen], low[seen], half[seen]
            y, slopes = (array.reshape(x.shape) for array in image(x.ravel()))
            slope = np.abs(slopes).max(axis=1)
            if x.size:
                slope = np.maximum(slope, np.abs(np.diff(y, axis=1) / np.diff(x, axis=1)).max(axis=1))
            done = 2.0 * half * np.hypot(1.0 / law.std, slope / noise) <= theta
            parts.append((y[done].ravel(), (p * half[:, None] * _GAUSS)[done].ravel()))
            points, found = points + parts[-1][0].size, max(found, slope[done].max(initial=0.0))
            self._check(ends[1] - ends[0], 2.0 * half.min(initial=math.inf), points + 2 * x.size, self.max_points)
            half = 0.5 * np.tile(half[~done], 2)
            low = np.concatenate([low[~done], low[~done] + 2.0 * half[: half.size // 2]])
        y, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
        kind = np.tile(np.minimum(np.arange(16), np.arange(16)[::-1]), y.size // 16)
        return _Sources(y, weights, noise, kind, _LEFT_OUT), float(found)

    def _check(self, width: float, dx: float, points: float, limit: int) -> None:
        if points > limit:
            raise GridTooLarge(
                f"the law of the sampler is {width:.3g} wide and needs a quadrature spacing of {dx:.3g}: "
                f"{points:.3g} points, above the limit of {limit}"
            )


def _bells(means, weights, scale: float, low: float, dx: float, n: int) -> np.ndarray:
    """Σ_j w_j N(x; m_j, (scale dx)²) at x = low, low + dx, …, shape (n,), each bell cut at 8.6 scale."""
    half = math.ceil(_KERNEL * scale)
    offsets = np.arange(-half, half + 1)
    bell = np.exp(-0.5 * (offsets / scale) ** 2) / (math.sqrt(2.0 * math.pi) * scale * dx)
    position = (means - low) / dx
    nearest = np.rint(position)
    shift = (position - nearest) / scale
    height = weights * np.exp(-0.5 * shift * shift)
    first = nearest.astype(np.intp)
    padded = np.zeros(n + 2 * half + 1)
    rows = max(1, _CELLS // len(offsets))
    for start in range(0, len(means), rows):
        part = slice(start, start + rows)
        kernel = np.multiply.outer(shift[part], offsets / scale)
        np.exp(kernel, out=kernel)
        kernel *= bell
        kernel *= height[part, None]
        base = first[part].min()
        cells = (first[part, None] - base) + (offsets + half)
        sums = np.bincount(cells.ravel(), weights=kernel.ravel())
        padded[base : base + len(sums)] += sums
    return padded[half : half + n]


def _pushed(source: LineLaw, chain: _Chain, start: int, max_points: int) -> tuple[PushedLaw, float]:
    """``source`` through the steps from ``start`` on without their noise, and the W2 cost of leaving it out."""
    steps = chain.steps
    narrowest = math.sqrt(
        min(float((steps.a[i] ** 2 * chain.variances + steps.s_sq[i]).min()) for i in range(start, len(steps)))
    )
    low, high = source.support()
    points = 4.0 * (high - low) / min(source.std, narrowest)
    if points > 10 * max_points:
        raise GridTooLarge(f"the last law is {high - low:.3g} wide with details of {narrowest:.3g}")
    x = np.linspace(low, high, max(1025, int(points)))
    image = chain.through(start, len(steps))
    y, slopes = image(x)
    if not (slopes.min() > 0.0 and np.diff(y).min() > 0.0):
        worst = int(slopes.argmin())
        raise ValueError(
            f"the noise-free steps from time {steps.time[start]:.6g} on must be strictly increasing maps, "
            f"got slope {slopes[worst]:.3g} at {x[worst]:.6g}: P + Q times the derivative of the score must be > 0"
        )
    neglected_sq = 0.0
    if (chain.noise[start:] > 0.0).any():
        density = source.pdf(x)
        here = x[density > _NEGLIGIBLE * density.max()]
        for i in range(start, len(steps)):  # synchronous coupling: fresh noise is orthogonal to the past
            here, slope = chain.through(i, i + 1)(here)
            neglected_sq = float(slope.max()) ** 2 * neglected_sq + float(chain.noise[i]) ** 2
    return PushedLaw(source, image, np.stack([x, y, slopes])), math.sqrt(neglected_sq)


def _rounding(found: SamplerLine, steps: Steps, w2: float) -> float:
    r"""Effect on W2 of relative errors ≤ δ of the density and ε of the positions, both random over steps.

    Moving mass inside a law of density p costs at most δ(∫min(F, 1−F)²/p)^½; moving it anywhere costs at
    most √δ times the width, or δ width²/(2 W2) to first order.
    """
    growth = 8.0 + math.sqrt(len(steps))
    delta = growth * _EPS + max(0.0, found.mass_error - _EPS * len(steps))  # a common factor is divided out
    pushed = isinstance(found.law, PushedLaw)
    source = found.law.source if pushed else found.law
    x = source.means[:: max(1, len(source.means) // 2000)]
    slope = found.law.image(x)[1] if pushed else 1.0
    low, high = found.law.support()
    integrand = (np.minimum(source.cdf(x), source.sf(x)) * slope) ** 2 / source.pdf(x)
    inside = math.sqrt(float(np.trapezoid(integrand, x)) + source.std**2)
    anywhere = min(math.sqrt(delta), 0.5 * delta * (high - low) / max(w2, _EPS * (high - low))) * (high - low)
    return min(delta * inside, anywhere) + growth * _EPS * found.reach * max(1.0, float(np.abs(steps.P).max()))
