"""A density on an even grid of the plane, and what a step of a sampler makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import map_coordinates

from bounds.start import Start
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.line.propagation import GridTooLarge

#: Degree of the splines through a density, and of those through where its points came from.
DEGREE, ROUGH = 5, 1
#: Values of the spline's bell of this degree at whole numbers: its Fourier symbol makes its coefficients.
BELL = 66 / 120, 26 / 120, 1 / 120
#: A spline has so many knots a spacing: the waves between are known.
FINER = 2
#: Density below this part of its peak, or this many times as low as it goes by rounding, decides no window.
SEEN, ROUNDED = 1e-14, 16.0
#: Half-width of what noise adds to a window, in its deviations.
REACH = 8.5
#: A grid is kept while its spacing is between these times the wanted one.
FINEST, COARSEST = 0.7, 1.0
#: By how much a new window is wider than it must be on either side, so that it is not new every step.
ROOM = 0.04
#: Newton's rounds for the place a point came from, and the last of its moves in spacings: what is left is its square.
ROUNDS, INVERTED = 200, 1e-6

#: A spacing is at most so many times that of the law before, times the least stretch of a step: else a finer grid holds the law
#: before noise is added, of this many times the points of a grid at most.
NARROWER, MOST_FINE = 2.5, 8
#: Share of the highest waves in a density, and change of its mass by a step, beyond which its grid is refused.
FAINT, ASTRAY = 1e-4, 1e-5


class TooCoarse(GridTooLarge):
    """A grid does not hold the detail of a law; a finer one may."""


Move = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Grid:
    """Even points low + spacing·(i, j) of the plane, ``shape`` of them."""

    low: np.ndarray
    spacing: float
    shape: tuple[int, int]

    @classmethod
    def around(cls, low: np.ndarray, high: np.ndarray, spacing: float) -> Grid:
        """The points of a window, of a length each way that transforms are fast on."""
        shape = tuple(fft.next_fast_len(max(16, math.ceil(side / spacing) + 1), real=True) for side in high - low)
        middle = (low + high) / 2
        return cls(middle - spacing * (np.array(shape) - 1) / 2, spacing, shape)

    @property
    def size(self) -> int:
        """How many points."""
        return self.shape[0] * self.shape[1]

    @property
    def cell(self) -> float:
        """The area that a point stands for."""
        return self.spacing**2

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The first and the second coordinates."""
        return tuple(low + self.spacing * np.arange(n) for low, n in zip(self.low, self.shape, strict=True))

    def points(self) -> np.ndarray:
        """All points, of shape (2, n)."""
        return np.stack(np.meshgrid(*self.axes(), indexing="ij")).reshape(2, -1)

    def waves(self) -> tuple[np.ndarray, np.ndarray]:
        """Wave numbers of `scipy.fft.rfft2`, as a column and a row."""
        n, m = self.shape
        return (2 * np.pi * fft.fftfreq(n, self.spacing)[:, None],
                2 * np.pi * fft.rfftfreq(m, self.spacing)[None, :])

    def places(self, x: np.ndarray) -> np.ndarray:
        """Where x (2, n) is, in spacings from the first point."""
        return (x - self.low[:, None]) / self.spacing

    def window(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest of the points that are ``seen``, an array of bools of this shape."""
        ends = [np.flatnonzero(seen.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
        return tuple(self.low + self.spacing * np.array([pair[side] for pair in ends]) for side in (0, 1))


@dataclass(eq=False)
class PlaneLaw:
    """A density on a grid, and the spline through it.

    Attributes
    ----------
    grid : Grid
    values : array of ``grid.shape``
        The density, which vanishes towards the sides of the grid but for rounding.
    lost : float
        Largest change of the mass by one step.
    unresolved : float
        Largest share of the highest quarter of waves in the size of a density.
    """

    grid: Grid
    values: np.ndarray
    lost: float = 0.0
    unresolved: float = 0.0
    _coefficients: np.ndarray | None = None
    _back: np.ndarray | None = None
    _before: np.ndarray | None = None

    @classmethod
    def gaussian(cls, std: float, spacing: float, start: Start | None = None, most: int = 1 << 18,
                 mean: np.ndarray | None = None) -> PlaneLaw:
        """N(mean, std² I), mean 0 unless it is given, or a start; more than ``most`` points are refused."""
        if start is not None:
            return cls._started(start, std / spacing, most)
        mean = np.zeros(2) if mean is None else mean
        grid = Grid.around(mean - REACH * std, mean + REACH * std, spacing)
        bells = [np.exp(-0.5 * np.square((x - middle) / std)) / (math.sqrt(2 * math.pi) * std)
                 for x, middle in zip(grid.axes(), mean, strict=True)]
        found = cls(grid, np.multiply.outer(*bells))
        found._settle(fft.rfft2(found.values))
        return found

    @classmethod
    def _started(cls, start: Start, points: float, most: int) -> PlaneLaw:
        """N(mean, Σ), with so many points a deviation along its narrow axis."""
        mean, covariance = start.mean_of(2).astype(float), start.covariance_of(2).astype(float)
        narrow, wide = (float(value) for value in np.linalg.eigvalsh(covariance))
        spacing, reach = math.sqrt(max(narrow, 0.0)) / points, REACH * np.sqrt(np.diag(covariance))
        if not (narrow > 0.0 and 4 * float(np.prod(reach)) <= most * spacing**2):
            raise GridTooLarge("prior_covariance must be so round that a grid in the plane holds the start, got the "
                               f"variances {narrow:.3g} and {wide:.3g} along its axes")
        grid = Grid.around(mean - reach, mean + reach, spacing)
        x = grid.points() - mean[:, None]
        energy = np.sum(x * np.linalg.solve(covariance, x), axis=0).reshape(grid.shape)
        found = cls(grid, np.exp(-energy / 2) / (2 * math.pi * math.sqrt(narrow * wide)))
        found._settle(fft.rfft2(found.values))
        return found

    def move(self, step: Move, noise: float, spacing: float, most: int) -> None:
        """The law after x → step(x) + N(0, noise² I), on a grid as fine as ``spacing``.

        Raises
        ------
        GridTooLarge
            If that takes more than ``most`` points.
        NoExactLaw
            If the step folds the plane where the law is, or its inverse is not found.
        """
        old, (grid, times) = self.grid, self._grid_after(step, noise, spacing, most)
        fine = grid if times == 1 else Grid(grid.low, grid.spacing / times, (times * grid.shape[0], times * grid.shape[1]))
        y = fine.points()
        if self._back is None:
            back = np.zeros_like(y)
        elif fine is old:
            back = self._back if self._before is None else 2 * self._back - self._before
        else:
            places = old.places(y)
            back = np.stack([map_coordinates(each.reshape(old.shape), places, order=ROUGH, mode="nearest")
                             for each in self._back])
        x, det = _inverse(step, y, back, INVERTED * fine.spacing)
        # a spline is rounded to parts of its peak, and its window ends where there is nothing
        found = (self.density(x) / det).reshape(fine.shape)
        before = float(self.values.sum()) * old.cell
        self.lost = max(self.lost, abs(float(found.sum()) * fine.cell - before))
        self.grid, self._before = grid, self._back if fine is old else None
        self._back = (x - y).reshape(2, *fine.shape)[:, ::times, ::times].reshape(2, -1)
        self._settle(_waves_of(found, grid.shape), noise)

    def density(self, x: np.ndarray) -> np.ndarray:
        """The density at x of shape (2, n), 0 beyond the grid."""
        return map_coordinates(self._coefficients, FINER * self.grid.places(x), order=DEGREE, mode="constant", prefilter=False)

    def check(self) -> None:
        """Refuse a law with waves that its grid hardly has, before noise (the mass of what is narrow is missed) or after.

        Raises
        ------
        TooCoarse
        """
        if not self.unresolved < FAINT:
            raise TooCoarse("the law of the sampler in the plane has detail finer than its grid of spacing "
                            f"{self.grid.spacing:.3g}")
        if not self.lost < ASTRAY:
            raise TooCoarse("a step makes the law of the sampler in the plane so narrow that its grid misses "
                            f"{self.lost:.2g} of its mass: take shorter steps")

    def _settle(self, spectrum: np.ndarray, noise: float = 0.0) -> None:
        """Add N(0, noise² I) to the density of this spectrum; what the spline through it needs."""
        first, second = self.grid.waves()
        if noise:
            spectrum = spectrum * np.exp(-0.5 * noise**2 * np.square(first))
            spectrum *= np.exp(-0.5 * noise**2 * np.square(second))
        sizes = np.abs(spectrum)
        if not sizes[0, 0] > 0:
            raise GridTooLarge("a step takes the law of the sampler in the plane to what its grid does not see")
        edge = 0.75 * np.pi / self.grid.spacing
        high = max(float(sizes[np.abs(first[:, 0]) > edge].max()), float(sizes[:, second[0] > edge].max()))
        self.unresolved = max(self.unresolved, high / float(sizes[0, 0]))
        self.values = fft.irfft2(spectrum, s=self.grid.shape)
        turns = [wave * (self.grid.spacing / FINER) for wave in (first, second)]
        symbols = [BELL[0] + 2 * (BELL[1] * np.cos(turn) + BELL[2] * np.cos(2 * turn)) for turn in turns]
        self._coefficients = _upsampled(spectrum / (symbols[0] * symbols[1]), self.grid.shape)

    def _grid_after(self, step: Move, noise: float, spacing: float, most: int) -> tuple[Grid, int]:
        """(The grid of the next law: this one if it will do; how many times as fine it must be for what there is before noise)."""
        self.check()
        seen = max(SEEN * float(self.values.max()), -ROUNDED * float(self.values.min()))
        low, high = self.grid.window(self.values > seen)
        # the image of a coarse grid of the window, which is mapped smoothly
        coarse = np.stack(np.meshgrid(*(np.linspace(a, b, 24) for a, b in zip(low, high, strict=True)),
                                      indexing="ij")).reshape(2, -1)
        image, slope = step(coarse)
        if not np.isfinite(image).all():
            raise GridTooLarge("the law of the sampler left the range of numbers")
        extra = REACH * noise + 2 * spacing
        low, high = image.min(axis=1) - extra, image.max(axis=1) + extra
        here = self.grid
        there = here.low + here.spacing * (np.array(here.shape) - 1)
        tight = np.prod(high - low) > 0.6 * np.prod(there - here.low)
        narrow = NARROWER * here.spacing * _least_stretch(slope)
        if FINEST * spacing <= here.spacing <= COARSEST * spacing and (low >= here.low).all() and (
                high <= there).all() and tight and here.spacing <= narrow:
            return here, 1
        room = ROOM * (high - low)
        points = float(np.prod((high - low + 2 * room) / spacing + 1))
        if points > most:
            raise GridTooLarge(f"the law of the sampler in the plane is {(high - low).max():.3g} wide and needs a spacing "
                               f"of {spacing:.3g}: {points:.3g} points, above the limit of {most}")
        grid = Grid.around(low - room, high + room, 0.94 * spacing)
        times = max(1, math.ceil(grid.spacing / narrow)) if narrow > 0 else math.inf
        if times**2 * grid.size > MOST_FINE * most:
            raise GridTooLarge(f"a step is too long for the law in the plane: before its noise the law is {times} times too narrow "
                               f"for a grid of spacing {grid.spacing:.3g}")
        return grid, times


def _least_stretch(slope: np.ndarray) -> float:
    """The smallest singular value of derivatives (2, 2, n)."""
    square, det = np.square(slope).sum(axis=(0, 1)), slope[0][0] * slope[1][1] - slope[0][1] * slope[1][0]
    largest_sq = (square + np.sqrt(np.maximum(square**2 - 4 * det**2, 0.0))) / 2
    return float((np.abs(det) / np.sqrt(np.maximum(largest_sq, 1e-300))).min())


def _waves_of(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The spectrum of a function on a grid, or on a finer one of the same window, as it is on a grid of this shape."""
    spectrum = fft.rfft2(values)
    if values.shape == shape:
        return spectrum
    n, m = shape
    rows = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return spectrum[rows, : m // 2 + 1] * (n * m / values.size)


def _upsampled(spectrum: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The real function of this spectrum on a grid ``FINER`` times as fine; the highest wave of an even length, whose
    phase is not known, is left out."""
    n, m = shape
    wide = np.zeros((FINER * n, FINER * m // 2 + 1), dtype=complex)
    upper, right = (n + 1) // 2, (m + 1) // 2
    wide[:upper, :right] = spectrum[:upper, :right]
    wide[upper - n :, :right] = spectrum[upper:, :right]
    wide[upper - n, :right] *= n % 2
    return fft.irfft2(wide, s=(FINER * n, FINER * m)) * FINER**2


def _inverse(step: Move, y: np.ndarray, back: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
    """(x, the determinant of the derivative there) with step(x) = y (2, n), from x ≈ y + back."""
    found, det, left = y + back, np.empty(y.shape[1]), np.arange(y.shape[1])
    x, ahead, missed = found.copy(), np.zeros_like(y), np.full(y.shape[1], np.inf)
    for _ in range(ROUNDS):
        image, ((one, across), (down, two)) = step(x)
        volume = one * two - across * down
        if not (volume > 0).all():
            raise NoExactLaw("steps are too long for the law in the plane: a step folds it")
        miss = y[:, left] - image
        size = np.square(miss).sum(axis=0)
        worse = size > missed
        further = np.stack([two * miss[0] - across * miss[1], one * miss[1] - down * miss[0]]) / volume
        # a move that missed by more is taken back by half
        move = np.where(worse, -ahead / 2, further)
        ahead, missed = np.where(worse, ahead / 2, further), np.where(worse, missed, size)
        x = x + move
        found[:, left], det[left] = x, volume
        going = worse | (np.abs(move).max(axis=0) > within + 1e-13 * np.abs(x).max(axis=0))
        if not going.any():
            return found, det
        left, x, ahead, missed = left[going], x[:, going], ahead[:, going], missed[going]
    raise NoExactLaw("steps are too long for the law in the plane: the place that a point came from is not found")
