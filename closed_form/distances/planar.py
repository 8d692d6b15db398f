r"""W2 between a density on an even grid of the plane and a smooth one, between two sides.

A potential φ = |x|² − 2u gives the map T = ∇u, and the pull-back p̃ = p(T) det DT of the second law p.  Where u is
convex T is the optimal map from p̃ to p, and φ a potential for any other law, so for the first law q

.. math:: D(\varphi) = A^2 + \int \varphi\,(q - \tilde p) \;\le\; W_2^2(q, p), \qquad A^2 = \int |x - T|^2\,\tilde p .

How far D is below is known from above by any coupling of q and p̃ (`closed_form.distances.planar_flow`).  u is the
quadratic of the affine map between the moments and a part that is periodic on the box of the grid, found by Newton's
method: −div(L (DT)⁻¹ ∇f) = q − p̃ a round, L the logarithmic mean of q and p̃, on every second point first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import fft
from scipy.linalg import sqrtm

from closed_form.distances.planar_flow import flow_gap, logarithmic_mean, newton

#: Rounds of Newton's method at most; it ends where a round gains less than this part of W2².
ROUNDS, GAINED = 8, 1e-5
#: Parts of the peak of a density below which it is filled up where a potential is sought: the first that leads
#: to a map in ``HALVINGS`` halvings of the move.
FLOORS, HALVINGS = (1e-9, 1e-5, 1e-3, 3e-2), 2
#: Parts of the peak below which there is no flow, while the two sides are farther apart than ``NARROW`` of them.
NOTHING, NARROW = (1e-14, 1e-7, 1e-4, 1e-2), 0.02
#: Points of a grid from which every second one is tried first, and the width that ends it there.
LARGE, ENOUGH = 8_000, 0.004
#: Smoothing of potentials: e^{-SHARP (k/highest)^ORDER}.
SHARP, ORDER = 36.0, 8
#: Least stretch of a map, in any direction, as a part of that of a round before.
STRETCH = 0.1
#: Times the mass that a pull-back seems to have lost by its quadrature: how far sums over the grid are trusted.
TRUST = 10.0
#: Part of the peak of a density where it is seen.
SEEN = 1e-9

Density = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Image:
    """What a potential makes of the second law.

    Attributes
    ----------
    potential, periodic : arrays of ``grid.shape``
        φ, and its periodic part.
    values : array of ``grid.shape``
        q.
    here, there, moved : arrays of shape (2, *grid.shape), the last of ``grid.shape``
        x, T and |x − T|².
    slope : array of shape (3, *grid.shape)
        Entries 11, 12, 22 of DT.
    stretches : two arrays of ``grid.shape``
        Its eigenvalues, the smaller first.
    pulled : array of ``grid.shape``
        p̃.
    moved_sq, dual, doubt : float
        A², D(φ), and what the quadrature may do to either.
    """

    potential: np.ndarray
    periodic: np.ndarray
    values: np.ndarray
    here: np.ndarray
    there: np.ndarray
    moved: np.ndarray
    slope: np.ndarray
    stretches: tuple[np.ndarray, np.ndarray]
    pulled: np.ndarray
    moved_sq: float
    dual: float
    doubt: float

    @property
    def laws(self) -> tuple[np.ndarray, np.ndarray]:
        """q and p̃."""
        return self.values, self.pulled

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """x and T."""
        return self.here, self.there

    @property
    def potentials(self) -> tuple[np.ndarray, np.ndarray]:
        """φ(x) and ψ(T)."""
        return self.potential, np.square(self.here - self.there).sum(axis=0) - self.potential

    @property
    def dear(self) -> np.ndarray:
        """What the square of a short way costs: the larger stretch."""
        return self.stretches[1]

    @property
    def least(self) -> float:
        """The least stretch of the map."""
        return float(self.stretches[0].min())


class Planar:
    """Both sides of W2 from a density on a grid to another law.

    Parameters
    ----------
    grid : closed_form.sampler_laws.plane.law.Grid
    values : array of ``grid.shape``
        The density q, next to nothing at the sides of the grid.
    density : callable
        The density p at points of shape (2, n).
    mean, covariance : arrays of shape (2,), (2, 2), optional
        Those of p, or nearly: the search starts at the affine map between the moments of q and these, else at x.
    """

    def __init__(self, grid, values: np.ndarray, density: Density, mean=None, covariance=None):
        # every second point of a grid of even lengths is a grid
        shape = tuple(2 * fft.next_fast_len(-(-n // 2), real=True) for n in grid.shape)
        wide = np.pad(np.maximum(values, 0.0), [(0, n - m) for n, m in zip(shape, grid.shape, strict=True)])
        self._known = density, mean, covariance
        self._search = _Search(replace(grid, shape=shape), wide, *self._known)

    def sides(self) -> tuple[float, float]:
        """The two sides, (lower, upper)."""
        return self.found()[:2]

    def found(self, enough: float = 0.0, far: float = math.inf) -> tuple[float, float, Image]:
        """The two sides, and what the last potential makes: a gap of squares of at most ``enough`` ends the search, and so does
        one of more than ``far`` of the upper side where a first look is taken."""
        image, lower, upper = self._search.of(np.zeros(self._search.grid.shape)), 0.0, math.inf
        if self._search.grid.size > LARGE:
            image = self._by_half(image)
            lower, upper = self._held(image)
            if upper - lower <= ENOUGH * upper or upper**2 - lower**2 <= enough or upper - lower > far * upper:
                return lower, upper, image
        image = self._search.best(image)
        below, above = self._held(image)
        return max(lower, below), min(upper, above), image

    def _by_half(self, image: Image) -> Image:
        """What a potential that is found on every second point makes; ``image`` if it is worse."""
        grid = self._search.grid
        grid = replace(grid, spacing=2 * grid.spacing, shape=tuple(n // 2 for n in grid.shape))
        half = _Search(grid, self._search.values[::2, ::2], *self._known)
        periodic = _doubled(half.best(half.of(np.zeros(grid.shape))).periodic)
        found = self._search.of(periodic)
        if not found.least > 0:  # the map is mixed with the affine one
            found = self._search.of(periodic * (1 - 2 * found.least / (found.least - image.least)))
        return found if found.least > 0 and found.dual > image.dual else image

    def _held(self, image: Image) -> tuple[float, float]:
        """Both sides by a potential: the gap as it is, or W2(q, p) <= W2(q, p̃) + W2(p̃, p)."""
        grid = self._search.grid
        lower, upper = math.sqrt(max(0.0, image.dual - image.doubt)), math.inf
        for nothing in NOTHING:
            for held, least in ((image, image.dual + image.doubt), (self._search.still(image), 0.0)):
                side = math.sqrt(max(0.0, least + flow_gap(grid, held, nothing)))
                upper = min(upper, side if held is image else side + math.sqrt(image.moved_sq + image.doubt))
                if upper - lower <= NARROW * upper:
                    return lower, max(lower, upper)
        return lower, upper


class _Search:
    """Newton's method for the potential on a grid, as `Planar` has it."""

    def __init__(self, grid, values: np.ndarray, density: Density, mean, covariance):
        self.grid, self.density, self.values = grid, density, values / (values.sum() * grid.cell)
        self._points, self._waves = grid.points(), grid.waves()
        highest = np.pi / grid.spacing
        self._smooth = np.exp(-SHARP * sum((np.abs(wave) / highest) ** ORDER for wave in self._waves))
        shares = self.values.ravel() * grid.cell
        middle = self._points @ shares
        apart, linear, shift = self._points - middle[:, None], np.eye(2), np.zeros(2)
        if mean is not None:
            root = sqrtm((apart * shares) @ apart.T).real
            back = np.linalg.inv(root)
            linear, shift = back @ sqrtm(root @ covariance @ root).real @ back, middle - mean
        left = apart - linear @ apart
        self._linear, self._left = linear, (left + shift[:, None]).reshape(2, *grid.shape)  # x less the affine map
        self._square = ((apart * left).sum(axis=0) + 2 * shift @ apart).reshape(grid.shape)  # its potential

    def best(self, image: Image) -> Image:
        """The best image by Newton's method from this one."""
        first = 0
        for _ in range(ROUNDS):
            better, first = self._better(image, first)
            if better is None:
                break
            gained, image = better.dual - image.dual, better
            if gained <= GAINED * image.dual:
                break
        return image

    def still(self, image: Image) -> Image:
        """The same pull-back, seen by a map that moves nothing."""
        same, none = np.ones(self.grid.shape), np.zeros(self.grid.shape)
        return replace(image, potential=none, there=image.here, stretches=(same, same))

    def of(self, periodic: np.ndarray) -> Image:
        """What the potential of the affine map and a periodic one make."""
        first, second = self._waves
        spectrum = fft.rfft2(periodic) * self._smooth
        periodic = fft.irfft2(spectrum, s=self.grid.shape)

        def derivative(*waves):
            found = spectrum
            for wave in waves:
                found = found * (1j * wave)
            return fft.irfft2(found, s=self.grid.shape) / 2

        move = self._left + np.stack([derivative(first), derivative(second)])
        slope = np.stack([self._linear[0, 0] - derivative(first, first), self._linear[0, 1] - derivative(first, second),
                          self._linear[1, 1] - derivative(second, second)])
        one, across, two = slope
        middle, half = (one + two) / 2, np.hypot((one - two) / 2, across)
        here = self._points.reshape(move.shape)
        there = here - move
        pulled = self.density(there.reshape(2, -1)).reshape(self.grid.shape) * (one * two - across**2)
        potential, moved, cell = self._square + periodic, np.square(move).sum(axis=0), self.grid.cell
        moved_sq, gain = (float(each.sum()) * cell for each in (moved * pulled, potential * (self.values - pulled)))
        missed, other = abs(float(pulled.sum()) * cell - 1), moved - potential
        doubt = TRUST * missed * float(np.ptp(other[np.abs(pulled) >= SEEN * np.abs(pulled).max()]))
        return Image(potential, periodic, self.values, here, there, moved, slope, (middle - half, middle + half), pulled, moved_sq,
                     moved_sq + gain, doubt)

    def _better(self, image: Image, first: int) -> tuple[Image | None, int]:
        """A round of Newton's method from floor number ``first`` on, and which was taken; None where it finds no map that
        is better."""
        q = self.values
        mean, gap = logarithmic_mean(q, np.maximum(image.pulled, 0.0)), (q - image.pulled) * self.grid.cell
        gap -= gap.mean()
        one, across, two = image.slope
        inverse = np.stack([two, -across, one]) / (one * two - across**2)
        for number in range(first, len(FLOORS)):
            move = 2 * newton((mean + FLOORS[number] * q.max()) * inverse, gap)
            for _ in range(1 + HALVINGS):
                tried = self.of(image.periodic + move)
                if tried.least > STRETCH * image.least and tried.dual - tried.doubt > image.dual - image.doubt:
                    return tried, number
                move = move / 2
        return None, first


def _doubled(values: np.ndarray) -> np.ndarray:
    """Periodic values on a grid twice as fine, by their waves."""
    n, m = values.shape
    spectrum = fft.rfft2(values)
    wide, upper = np.zeros((2 * n, m + 1), dtype=complex), (n + 1) // 2
    wide[:upper, : m // 2 + 1] = spectrum[:upper]
    wide[upper - n :, : m // 2 + 1] = spectrum[upper:]
    return 4 * fft.irfft2(wide, s=(2 * n, 2 * m))
