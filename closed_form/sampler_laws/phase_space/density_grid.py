r"""A density on a box of positions and velocities, and what one row of a sampler does to it: shears, kicks,
noise."""

import math

import numpy as np
from scipy import fft
from scipy.linalg.blas import daxpy

#: Half-width of a kick's Gaussian in its deviations, the same where all of it is taken back, and the longest
#: kick spread at once.
BAND, WIDE_BAND, BLOCK = 6.5, 8.0, 20.0
#: Highest wave restored after a Gaussian that was widened, in the widening's own units: e^{4.5} at most.
HIGHEST = 3.0
#: Part of the box, from its middle, in which kicks keep their size where the box is periodic.
FADE = 0.85
#: Slope of a map of positions from which the density is taken at more places than the grid's.
STEEP = 1.2
#: Density below this part of its peak is not kicked.
NOTHING = 1e-20
#: Kicks over more blocks than this are spread point by point.
MOST_BLOCKS = 5
#: A Gaussian wider than so many cells is spread as one of few cells, and the rest of it by waves.
MANY_CELLS, FEW_CELLS = 8.0, 1.5
#: Numbers of a grid that kicks are spread from at once: they stay in the cache, and BLAS starts no threads for so few.
TOGETHER = 8192


class PhaseField:
    """A density on a periodic box of velocities (rows) and positions (in units that stretch with the
    rows)."""

    def __init__(self, x, v, widest: float, band: float = BAND):
        self.x, self.v = x[None, :], v[:, None]
        self.dx, self.dv = x[1] - x[0], v[1] - v[0]
        self.widest, self.band = widest, band
        self.stretch, self.leak, self.noise = 1.0, 0.0, 0.0
        self._waves = 2 * np.pi * fft.rfftfreq(len(x), self.dx)
        self._velocity_waves = 2 * np.pi * fft.fftfreq(len(v), self.dv)[:, None]
        self._crosswise = None
        # kicks fade out near the sides of a periodic box, which hold next to nothing
        self._inner = np.square(
            np.cos(np.pi / 2 * np.clip((np.abs(self.v / v[0]) - FADE) / (1 - FADE), 0.0, 1.0))
        )

    def sheared(self, values, slope: float):
        """p(x − slope v, v), in the box's own units."""
        if slope == 0:
            return values
        turned = fft.rfft(values, axis=1)
        turned *= self._turn(-slope / self.stretch)
        return fft.irfft(turned, n=values.shape[1], axis=1)

    def _turn(self, slope: float):
        """e^{i slope v·waves}: of an even grid of velocities a product of two, of few and of few exponentials."""
        v, few = self.v[:, 0], math.isqrt(len(self.v))
        coarse, fine = (np.exp((1j * slope) * self._waves * each[:, None]) for each in (v[::few], v[:few] - v[0]))
        return (coarse[:, None] * fine).reshape(-1, len(self._waves))[: len(v)]

    def blurred(self, values, along, excess: float):
        """The convolution with ξ·along, ξ ~ N(0, 1), and less the variance ``excess`` in the velocity."""
        two = along[0] != 0
        if not two and excess == 0:
            return values
        if not two:  # of a real density half of the waves will do
            velocity = self._velocity_waves[: len(values) // 2 + 1]
            turned = fft.rfft(values, axis=0)
            turned *= self._damped(velocity * along[1], velocity, excess)
            return fft.irfft(turned, n=len(values), axis=0)
        waves = self._velocity_waves * along[1] + self._waves * (along[0] / self.stretch)
        turned = fft.fft(fft.rfft(values, axis=1), axis=0)
        turned *= self._damped(waves, self._velocity_waves, excess)
        turned = fft.ifft(turned, axis=0, overwrite_x=True)
        return fft.irfft(turned, n=values.shape[1], axis=1)

    def _damped(self, waves, velocity, excess: float):
        if excess == 0:
            return np.exp(-np.square(waves) / 2)
        # the Gaussian folds waves near the highest onto each other: they hold nothing of the density
        shortest = min(2 * np.pi / 3 / self.dv, HIGHEST / np.sqrt(excess))
        kept = np.abs(velocity) < shortest
        squares = np.where(kept, excess * np.square(velocity), -np.inf)
        return np.exp((squares - np.square(waves)) / 2)

    def displaced(self, values, shift, slope: float):
        """p after x → x + shift(x, v), a map of this slope at most; ``shift`` takes offsets of the places, in
        the box's units."""
        if self._crosswise is None:
            self._crosswise = PhaseField(self.v[:, 0], self.x[0], self.widest, WIDE_BAND)
        between = max(1, math.ceil(slope / STEEP))
        waves, found = fft.rfft(values, axis=1), 0.0
        for offset in np.arange(between) * (self.dx / between):
            # the density and the shift at places in between, which end no farther apart than the grid's
            there = (fft.irfft(waves * np.exp(1j * self._waves * offset), n=values.shape[1], axis=1) if offset
                     else values)
            moved, excess = self._crosswise.kicked(
                np.ascontiguousarray(there.T), np.ascontiguousarray((shift(offset) + offset).T), 0.0, 1.0)
            found = found + moved / between
        return np.ascontiguousarray(self._crosswise.blurred(found, (0.0, 0.0), excess).T)

    def kicked(self, values, shift, g: float, slope: float):
        """(∫ p(x, v) N(v'; v + shift(x, v), g + excess) dv for every position, excess), for shifts of this
        slope."""
        wide = max(g, (slope * self.dv / self.widest) ** 2)
        if wide > g:
            shift = shift * self._inner
        narrow = (FEW_CELLS * self.dv) ** 2 if wide > (MANY_CELLS * self.dv) ** 2 else wide
        n = len(values)
        limit = 2 * self.dv * n
        shift = np.where(values > NOTHING * values.max(), np.clip(shift, -limit, limit), 0.0)
        cells = max(1, int(BLOCK * math.sqrt(narrow) / self.dv))
        block = np.rint(shift / (cells * self.dv))
        low, high = int(block.min()), int(block.max())
        # the box and one of its length on either side
        found = np.zeros((3 * n, values.shape[1]))
        if high - low >= MOST_BLOCKS:
            self._scatter(found, values, shift, narrow)
        elif low == high:
            self._spread(found, values, shift - low * cells * self.dv, low * cells, narrow)
        else:
            for number in range(low, high + 1):
                here = block == number
                if here.any():
                    near = np.where(here, shift - number * cells * self.dv, 0.0)
                    self._spread(found, np.where(here, values, 0.0), near, number * cells, narrow)
        if narrow < wide:
            found = self._widened(found, wide - narrow)
        # what leaves the box is lost, unless the widening has to be undone in a periodic one
        inside = found[n : 2 * n] + (found[:n] + found[2 * n :] if wide > g else 0.0)
        return inside * (self.dv / math.sqrt(2 * math.pi * narrow)), wide - g

    def _spread(self, found, values, shift, base: int, wide: float):
        """Add to ``found``, ``base`` rows further, a Gaussian of variance ``wide`` around every shift."""
        # the weight of an offset o is e^{−shift²/2g} (e^{dv shift/g})^o e^{−(o dv)²/2g}
        start = values * np.exp(np.square(shift) * (-0.5 / wide))
        ratio = np.exp(shift * (self.dv / wide))
        band, rows = self.band * math.sqrt(wide), len(values) + base
        ends = [math.ceil((farthest + band) / self.dv) for farthest in (shift.max(), -shift.min())]
        columns = max(1, TOGETHER // len(values))
        for first in range(0, values.shape[1], columns):
            part = slice(first, first + columns)
            kept = np.ascontiguousarray(found[:, part])
            self._spread_columns(kept, start[:, part], ratio[:, part], rows, ends, wide)
            found[:, part] = kept

    def _spread_columns(self, found, start, ratio, rows: int, ends, wide: float):
        """The same of a few columns, up to offsets of ``ends`` up and down, from row number ``rows``."""
        n = len(start)
        for sign, end in zip((1, -1), ends, strict=True):
            factor, step = start.flatten(), (ratio if sign > 0 else np.reciprocal(ratio)).ravel()
            for o in range(max(0, end) + 1):
                if o:
                    factor *= step
                elif sign < 0:
                    continue
                by = rows + sign * o
                if 0 <= by <= 2 * n:
                    daxpy(factor, found[by : by + n].ravel(), a=math.exp(-((o * self.dv) ** 2) / (2 * wide)))

    def _widened(self, found, variance: float):
        """The convolution of the three boxes with a Gaussian in the velocity."""
        waves = 2 * np.pi * fft.rfftfreq(len(found), self.dv)[:, None]
        turned = fft.rfft(found, axis=0)
        turned *= np.exp(np.square(waves) * (-variance / 2))
        return fft.irfft(turned, n=len(found), axis=0)

    def _scatter(self, found, values, shift, wide: float):
        """Add to ``found`` a Gaussian of variance ``wide`` around every shift, from every point to the cells near
        where it ends: many kicks that are far apart."""
        n, columns = values.shape
        cell = np.rint(shift / self.dv).astype(int)
        off = shift - cell * self.dv
        # the middle of the three boxes; what ends in none of them is lost
        place = (cell + np.arange(n, 2 * n)[:, None]) * columns + np.arange(columns)
        reach = math.ceil(WIDE_BAND * math.sqrt(wide) / self.dv)
        for o in range(-reach, reach + 1):
            there = place + o * columns
            inside = (there >= 0) & (there < found.size)
            weights = values * np.exp(np.square(o * self.dv - off) / (-2 * wide))
            found += np.bincount(there[inside], weights[inside], found.size).reshape(found.shape)

    def watch(self, values):
        """Keep the most mass seen near the sides of the box, and the most noise there."""
        rows, columns = (max(1, size // 32) for size in values.shape)
        sides = values[:rows], values[-rows:], values[:, :columns], values[:, -columns:]
        cell = self.dx * self.dv
        self.leak = max(self.leak, *(abs(float(side.sum())) * cell for side in sides))
        self.noise = max(self.noise, *(float(np.abs(side).sum()) * cell for side in sides))
