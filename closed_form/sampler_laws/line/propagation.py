r"""One noisy step of a law on a line: the quadrature grid, chosen and refined until it is accurate."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from bounds.compiled import compiled
from closed_form.sampler_laws.line.law import Image, LineLaw
from closed_form.sampler_laws.line.point_by_point import CROWDED, NEGLIGIBLE, REACH, add_bells, parity_step

_PANEL = 6.4  # length of a panel of 16 Gauss nodes as accurate as an even grid, in spacings of that grid
_CELLS = 1 << 14  # values computed at once: stays in the cache
_CELL_SECONDS = 6e-9  # of each of them, without numba
_STEP_SECONDS = 1e-4  # of a step beside them
_NODES, _GAUSS = np.polynomial.legendre.leggauss(16)


def _left_out() -> np.ndarray:
    """1 − w'/w for the first 8 of 16 Gauss weights w, w' being exact to degree 13 without nodes 4 and 11."""
    kept = np.delete(np.arange(16), [4, 11])
    poorer = np.zeros(16)
    moments = np.append(2.0, np.zeros(13))
    poorer[kept] = np.linalg.solve(np.polynomial.legendre.legvander(_NODES[kept], 13).T, moments)
    return (1.0 - poorer / _GAUSS)[:8]


_PARITY, _LEFT_OUT = np.array([1.0, -1.0]), _left_out()  # doubts of an even grid and of Gauss panels


class GridTooLarge(ValueError):
    """The quadrature grid of some step would exceed the limit on its number of points."""


@dataclass(frozen=True, eq=False)
class Sources:
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
            return _bells(self.means, self.weights, scale, low, dx, n)[0], 0.0
        shares = _bells(self.means, self.weights, scale, low, dx, n, self.kind, len(self.doubt))
        total, difference = shares.sum(axis=0), self.doubt @ shares
        return total, float((np.abs(difference) / (total + 1e-10 * total.max())).max())


@dataclass(eq=False)
class Route:
    """The sources of the current law, and how they were made, to make them again on a finer grid."""

    sources: Sources
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
            self.sources = Sources(image(self.sources.means)[0], self.sources.weights, noise)
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

    def finished(self) -> Sources:
        """The law with the other half of the last variance added, on a grid if that is within the limit."""
        half, self._slope = self.sources, 1.0
        try:
            self.move(lambda x: (x, np.ones_like(x)), half.std)
        except GridTooLarge:
            return Sources(half.means, half.weights, math.sqrt(2.0) * half.std)
        return self.sources

    def _moved(self, law: Sources, image: Image, noise: float, slope: float):
        """Sources of the next law, the largest slope of the image, and the aliasing of ``law``."""
        moved = self._compiled(law, image, noise, slope)
        if moved is not None:
            return moved
        low = law.means.min() - REACH * law.std
        width = law.means.max() + REACH * law.std - low
        if not math.isfinite(width):
            raise GridTooLarge("the law of the sampler left the range of numbers")
        self.reach = max(self.reach, abs(low), abs(low + width))
        spacing = self.spacing * self._tight
        found = min(slope, noise * 4.0 * CROWDED * spacing / width)  # a first look need not be a fine one
        for attempt in itertools.count():
            slope = 1.05 * found
            dx = spacing / math.hypot(1.0 / law.std, slope / noise)
            self._check(width, dx, width / dx, 10 * self.max_points)
            density, alias = law.density(low, dx, int(width / dx) + 2)
            kept = np.flatnonzero(density > NEGLIGIBLE * density.max())
            self._check(width, dx, len(kept), self.max_points)
            x = low + dx * kept
            y, slopes = image(x)
            rises = np.abs(np.diff(y)[np.diff(kept) == 1])
            found = max(float(np.abs(slopes).max()), float(rises.max(initial=0.0)) / dx)
            if not math.isfinite(found):
                raise GridTooLarge("the law of the sampler left the range of numbers")
            wanted = spacing / math.hypot(1.0 / law.std, found / noise)
            if found <= slope and (attempt > 0 or wanted <= 2.0 * dx):
                return Sources(y, dx * density[kept], noise, kept % 2, _PARITY), found, alias
            length = len(kept) * dx
            uneven = (rises.sum() / noise + length / law.std) / spacing
            if length / wanted > max(CROWDED, 10.0 * uneven):
                return *self._panelled(law, image, noise, (low, low + width), _PANEL * spacing), alias

    def _compiled(self, law: Sources, image: Image, noise: float, slope: float):
        """What `_moved` finds, from numba: None where that is not at hand or not meant for such a step."""
        loop = compiled(parity_step, _STEP_SECONDS, add_bells) if law.doubt is _PARITY else None
        numbers = None if loop is None else getattr(image, "numbers", None)
        if numbers is None:
            return None
        y, weights, parity, found, alias, low, width = loop(
            law.means, law.weights, law.kind, law.std, noise, slope, self.spacing * self._tight, self.max_points, *numbers)
        if not len(y):
            return None
        self.reach = max(self.reach, abs(low), abs(low + width))
        return Sources(y, weights, noise, parity, _PARITY), found, alias

    def _panelled(self, law: Sources, image: Image, noise: float, ends, theta: float):
        """`_moved` on Gauss panels, halved where m is steep: at most ``theta`` scales of the integrand."""
        order = np.argsort(law.means)
        mixture = LineLaw(law.means[order], law.weights[order], law.std)
        edges = np.linspace(*ends, 2 + int((ends[1] - ends[0]) / (theta * law.std)))
        low, half = edges[:-1], np.full(len(edges) - 1, 0.5 * (edges[1] - edges[0]))
        floor, found, points, parts = 0.0, 0.0, 0, []
        while low.size:
            x = low[:, None] + half[:, None] * (1.0 + _NODES)
            p = mixture.pdf(x)
            floor = max(floor, NEGLIGIBLE * float(p.max()))
            seen = p.max(axis=1) > floor
            if not seen.any():
                break
            x, p, low, half = x[seen], p[seen], low[seen], half[seen]
            y, slopes = (array.reshape(x.shape) for array in image(x.ravel()))
            slope = np.abs(slopes).max(axis=1)
            slope = np.maximum(slope, np.abs(np.diff(y, axis=1) / np.diff(x, axis=1)).max(axis=1))
            done = 2.0 * half * np.hypot(1.0 / law.std, slope / noise) <= theta
            parts.append((y[done].ravel(), (p * half[:, None] * _GAUSS)[done].ravel()))
            points, found = points + parts[-1][0].size, max(found, slope[done].max(initial=0.0))
            self._check(ends[1] - ends[0], half[0] / 8.0, points + 2 * x[~done].size, self.max_points)
            half = 0.5 * np.tile(half[~done], 2)
            low = np.concatenate([low[~done], low[~done] + 2.0 * half[: half.size // 2]])
        y, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
        kind = np.tile(np.minimum(np.arange(16), np.arange(16)[::-1]), y.size // 16)
        return Sources(y, weights, noise, kind, _LEFT_OUT), float(found)

    def _check(self, width: float, dx: float, points: float, limit: int) -> None:
        if points > limit:
            raise GridTooLarge(
                f"the law of the sampler is {width:.3g} wide and needs a quadrature spacing of {dx:.3g}: "
                f"{points:.3g} points, above the limit of {limit}"
            )


def _bells(means, weights, scale: float, low: float, dx: float, n: int, kind=0, kinds: int = 1) -> np.ndarray:
    """Σ_j w_j N(x; m_j, (scale dx)²) at x = low, low + dx, …, kind by kind (kinds, n), each bell cut at 8.6 scale."""
    half = math.ceil(REACH * scale)
    places = np.arange(-half, half + 1) / scale
    bell = np.exp(-0.5 * places * places) / (math.sqrt(2.0 * math.pi) * scale * dx)
    position = (means - low) / dx
    nearest = np.rint(position)
    shift = (position - nearest) / scale
    height = weights * np.exp(-0.5 * shift * shift)
    length = n + 2 * half + 1
    first = nearest.astype(np.intp) + kind * length  # where the bell begins in the row of its kind
    padded = np.zeros(kinds * length)
    loop = compiled(add_bells, _CELL_SECONDS * len(means) * len(places))
    if loop is None:
        _add_bells_at_once(padded, first, shift, height, places, bell)
    else:
        loop(padded, first, np.exp(shift / scale), height, bell)
    return padded.reshape(kinds, length)[:, half : half + n]


def _add_bells_at_once(padded, first, shift, height, places, bell) -> None:
    """Add height_j e^{shift_j places} bell from place first_j on, for all j."""
    offsets = np.arange(len(places))
    rows = max(1, _CELLS // len(places))
    for start in range(0, len(first), rows):
        part = slice(start, start + rows)
        bells = shift[part, None] * places
        np.exp(bells, out=bells)
        bells *= bell
        bells *= height[part, None]
        cells = first[part, None] + offsets
        sums = np.bincount(cells.ravel(), weights=bells.ravel())
        padded[: len(sums)] += sums

