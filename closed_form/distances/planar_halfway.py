r"""W2 between two smooth densities of the plane, between two sides, by what is half-way from one to the other.

A function g with |D²g| < 1 makes of a point m the pair x = m + ∇g, y = m − ∇g: the graph of a monotone map, which is
smooth in m where the map itself jumps.  With

.. math:: \varphi(x) = 2|\nabla g|^2 + 4g, \qquad \psi(y) = 2|\nabla g|^2 - 4g

(at m) φ(x) + ψ(y') ≤ |x − y'|² for all pairs, and = for those of the graph.  So, with q̂ = q(x) det(I + D²g) and
p̂ = p(y) det(I − D²g) the two laws as they are seen at m,

.. math:: D(g) = \int \varphi\,\hat q + \int \psi\,\hat p \;\le\; W_2^2(q, p) \;\le\; D(g) + 2\,E|m - m'|^2

for any coupling (m, m') of q̂ and p̂ (`closed_form.distances.planar_flow`).  g is the quadratic of the affine map
between the moments and a part that is periodic on a grid, found by Newton's method: −div(M∇f) = q̂ − p̂ a round,
M = q cof(I + D²g) + p cof(I − D²g), with an even density added to both laws that is less every round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy import fft
from scipy.linalg import sqrtm

from closed_form.distances.planar import ORDER, SEEN, SHARP, TRUST, Density
from closed_form.distances.planar_flow import flow_gap, newton

#: Even densities added, parts of the peak: from the most on each is ``LESS`` of the one before, or its root where that is too much
#: less; what ends the search.
MOST, LEAST, LESS, LEAST_LESS = 0.1, 1e-9, 10**-0.5, 0.5
#: Rounds of Newton's method with the least at most, and all; halvings of a move; the part of D of a gain that ends rounds with one,
#: and of one by which both sides are asked for.
ROUNDS, MOVES, HALVINGS, GAINED, SETTLED = 8, 40, 6, 1e-3, 4e-3
#: Least 1 − |D²g|, as a part of that of a round before.
BEND = 0.05
#: Points of a grid from which every second one is tried first.
LARGE = 8_000
#: Part of W2 that ends the search; parts of the peak below which there is no flow, while the two sides are farther apart than
#: ``NARROW`` of them.
ENOUGH, NARROW, NOTHING = 0.004, 0.01, (1e-14, 1e-6, 1e-3)


@dataclass(frozen=True, eq=False)
class Pairs:
    """What a function g makes of two laws.

    Attributes
    ----------
    periodic : array of ``grid.shape``
        The periodic part of g.
    places : array of shape (2, 2, *grid.shape)
        x and y.
    potentials, laws : arrays of shape (2, *grid.shape)
        φ and ψ; q̂ and p̂, each of mass 1, an area of the grid being the unit.
    tensor : array of shape (3, *grid.shape)
        Entries 11, 12, 22 of M, along the grid.
    dear, bent, slope_sq : arrays of ``grid.shape``
        What the square of a short way on the grid costs at most; ΔG and |∇G|² of the periodic part G.
    room : float
        The least of 1 − |D²g|.
    dual, doubt : float
        D(g), and what the quadrature may do to it.
    """

    periodic: np.ndarray
    places: np.ndarray
    potentials: np.ndarray
    laws: np.ndarray
    tensor: np.ndarray
    dear: np.ndarray
    bent: np.ndarray
    slope_sq: np.ndarray
    room: float
    dual: float
    doubt: float


class Halfway:
    """Both sides of W2 between two laws.

    Parameters
    ----------
    grid : closed_form.sampler_laws.plane.law.Grid
        On which the first law is next to nothing at the sides.
    first, second : callables
        The densities q and p at points of shape (2, n).
    mean, covariance : arrays of shape (2,), (2, 2), optional
        Those of p, or nearly: the search starts at the affine map between the moments of q and these, else at x.
    """

    def __init__(self, grid, first: Density, second: Density, mean=None, covariance=None):
        # every second point of a grid of even lengths is a grid
        shape = tuple(2 * fft.next_fast_len(-(-n // 2), real=True) for n in grid.shape)
        self._known = first, second, mean, covariance
        self._search = _Search(replace(grid, shape=shape), *self._known)

    def sides(self, other: Density | None = None) -> tuple[float, float, float]:
        """(The lower side, the upper one, what the lower one changes for another first law, seen at the points between)."""
        search, start, added = self._search, None, None
        if search.grid.size > LARGE:
            grid = search.grid
            half = _Search(replace(grid, spacing=2 * grid.spacing, shape=tuple(n // 2 for n in grid.shape)), *self._known)
            for found, last in half.better():
                start, added = found, last
            start = search.of(_doubled(start.periodic))
            if not start.room > 0:  # g is mixed with the affine map's
                affine = search.of(np.zeros(grid.shape))
                start = search.of(start.periodic * (1 - BEND) * affine.room / (affine.room - start.room))
        image = start or search.of(np.zeros(search.grid.shape))
        lower, upper, dual, held = 0.0, math.inf, 0.0, None
        for image, _ in search.better(start, added):
            if image.dual - dual <= SETTLED * image.dual:
                held, (below, above) = image, search.held(image)
                lower, upper = max(lower, below), min(upper, above)
                if upper - lower <= ENOUGH * upper:
                    break
            dual = image.dual
        if image is not held:
            below, above = search.held(image)
            lower, upper = max(lower, below), min(upper, above)
        changed = search.between(image, self._known[0] if other is None else other).dual
        return lower, max(lower, upper), abs(math.sqrt(max(0.0, image.dual)) - math.sqrt(max(0.0, changed)))


class _Search:
    """Newton's method for g on a grid, as `Halfway` has it."""

    def __init__(self, grid, first: Density, second: Density, mean, covariance):
        self.grid, self._densities = grid, (first, second)
        points, self._waves = grid.points(), grid.waves()
        highest = np.pi / grid.spacing
        self._smooth = np.exp(-SHARP * sum((np.abs(wave) / highest) ** ORDER for wave in self._waves))
        shares = np.maximum(first(points), 0.0)
        shares /= shares.sum()
        middle = points @ shares
        apart, linear, shift = points - middle[:, None], np.eye(2), np.zeros(2)
        if mean is not None:
            root = sqrtm((apart * shares) @ apart.T).real
            back = np.linalg.inv(root)
            linear, shift = back @ sqrtm(root @ covariance @ root).real @ back, (middle - mean) / 2
        half = (np.eye(2) + linear) / 2  # from a point of the grid to m
        self._back, self._volume = np.linalg.inv(half), float(np.linalg.det(half))
        self._affine = (np.eye(2) - linear) / 2 @ self._back  # its D²g
        self._dear = 2 * float(np.linalg.eigvalsh(half)[-1]) ** 2
        self._ahead, self._shift = half @ apart, shift[:, None]
        self._see(points)

    def _see(self, points: np.ndarray) -> None:
        """Let points of shape (2, n) be those of the grid: what the affine map makes of them."""
        self._move = self._affine @ self._ahead + self._shift
        self._middle = points - self._move
        self._level = (self._ahead * (self._affine @ self._ahead / 2 + self._shift)).sum(axis=0)

    def between(self, image: Pairs, first: Density) -> Pairs:
        """What the same g makes of another first law at the points between those of the grid."""
        other, step = copy(self), self.grid.spacing / 2
        other._densities = first, self._densities[1]
        other._ahead = self._ahead + np.linalg.solve(self._back, np.full((2, 1), step))
        other._see(self.grid.points() + step)
        turn = np.exp(1j * step * self._waves[0]) * np.exp(1j * step * self._waves[1])
        return other.of(fft.irfft2(fft.rfft2(image.periodic) * turn, s=self.grid.shape))

    def of(self, periodic: np.ndarray) -> Pairs:
        """What the g of the affine map and a periodic one make."""
        (first, second), shape, cell = self._waves, self.grid.shape, self.grid.cell
        spectrum = fft.rfft2(periodic) * self._smooth

        def derivative(*waves):
            found = spectrum
            for wave in waves:
                found = found * (1j * wave)
            return fft.irfft2(found, s=shape)

        periodic = derivative()
        slope = self._back @ np.stack([derivative(first).ravel(), derivative(second).ravel()])
        across = derivative(first, second)
        bend = self._along(np.array([[derivative(first, first), across], [across, derivative(second, second)]]))
        bent = bend[0, 0] + bend[1, 1]
        bend += self._affine[:, :, None, None]
        move = self._move + slope
        size_sq, level = 2 * np.square(move).sum(axis=0), 4 * (self._level + periodic.ravel())
        places, potentials = (np.stack([one, two]) for one, two in (
            (self._middle + move, self._middle - move), (size_sq + level, size_sq - level)))
        laws, tensor, turned = [], 0.0, np.array([[bend[1, 1], -bend[0, 1]], [-bend[0, 1], bend[0, 0]]])
        one = np.eye(2)[:, :, None, None]
        for density, place, sign in zip(self._densities, places, (1, -1), strict=True):
            values = np.maximum(density(place), 0.0).reshape(shape) * self._volume
            jacobian = one + sign * bend
            laws.append(values * (jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] ** 2))
            tensor = tensor + values * (one + sign * turned)
        tensor = self._along(tensor)
        dual = doubt = 0.0
        for law, potential in zip(laws, potentials.reshape(2, *shape), strict=True):
            mass = float(law.sum()) * cell
            dual += float((potential * law).sum()) * cell / mass
            doubt += TRUST * abs(mass - 1) * float(np.ptp(potential[np.abs(law) >= SEEN * np.abs(law).max()]))
            law /= mass
        mid, apart = (bend[0, 0] + bend[1, 1]) / 2, np.hypot((bend[0, 0] - bend[1, 1]) / 2, bend[0, 1])
        return Pairs(periodic, places.reshape(2, 2, *shape), potentials.reshape(2, *shape), np.stack(laws),
                       tensor[[0, 0, 1], [0, 1, 1]], np.full(shape, self._dear), bent, np.square(slope).sum(axis=0).reshape(shape),
                       1 - float((np.abs(mid) + apart).max()), dual, doubt)

    def _along(self, form: np.ndarray) -> np.ndarray:
        """A quadratic form of differences of points, as one of those of m, or the other way round."""
        return np.einsum("ij,jk...,kl->il...", self._back, form, self._back)

    def better(self, image: Pairs | None = None, added: float | None = None) -> Iterator[tuple[Pairs, float]]:
        """Better and better g from this one on, with the density that was added last: more where a move finds none, less where no
        more is gained.  Without a start the least comes first, and all of them where its moves are too long."""
        if image is None:
            affine = self.of(np.zeros(self.grid.shape))
            image, added = affine, LEAST
            for _ in range(ROUNDS):
                better = self._better(image, LEAST, 0)
                if better is None:
                    break
                gained, image = better.dual - image.dual, better
                if gained <= GAINED * image.dual:
                    yield image, added
                    return
            image, added = affine, MOST
        calm, moved, less = False, False, LESS
        for _ in range(MOVES):
            better = self._better(image, added)
            if better is None:  # less was too much less
                less = math.sqrt(less) if moved else less
                added /= less
                if less > LEAST_LESS or added > MOST:
                    break
                continue
            gained, image = self._worth(better, added) - self._worth(image, added), better
            calm, moved = gained <= GAINED * abs(image.dual), True
            if calm:
                yield image, added
                added *= less
                less = max(LESS, less**2)
                if added < LEAST:
                    return
        if not calm:
            yield image, added

    def _worth(self, image: Pairs, added: float) -> float:
        """D(g) with the density added."""
        return image.dual - 4 * self._level_of(image, added) * float(image.slope_sq.sum()) * self.grid.cell

    def _level_of(self, image: Pairs, added: float) -> float:
        return added * float(image.laws[0].max())

    def _better(self, image: Pairs, added: float, halvings: int = HALVINGS) -> Pairs | None:
        """A round of Newton's method; None where it finds no g that is better."""
        level, cell = self._level_of(image, added), self.grid.cell
        even = 2 * level * (self._back @ self._back)[[0, 0, 1], [0, 1, 1]]
        gap = (image.laws[0] - image.laws[1] + 2 * level * image.bent) * cell
        move, worth = newton(image.tensor + even[:, None, None], gap - gap.mean()), self._worth(image, added)
        worth -= GAINED * abs(image.dual)  # a whole move that changes next to nothing ends a search well
        for _ in range(1 + halvings):
            tried = self.of(image.periodic + move)
            if tried.room > BEND * image.room and self._worth(tried, added) > worth:
                return tried
            move, worth = move / 2, self._worth(self.of(image.periodic), added)  # the potential is smoothed once more
        return None

    def held(self, image: Pairs) -> tuple[float, float]:
        """Both sides by a g."""
        lower, upper = math.sqrt(max(0.0, image.dual - image.doubt)), math.inf
        for nothing in NOTHING:
            gap = flow_gap(self.grid, image, nothing)
            upper = min(upper, math.sqrt(max(0.0, image.dual + image.doubt + gap)))
            if upper - lower <= NARROW * upper:
                break
        return lower, max(lower, upper)


def _doubled(values: np.ndarray) -> np.ndarray:
    """Periodic values on a grid twice as fine, by their waves."""
    n, m = values.shape
    spectrum = fft.rfft2(values)
    wide, upper = np.zeros((2 * n, m + 1), dtype=complex), (n + 1) // 2
    wide[:upper, : m // 2 + 1] = spectrum[:upper]
    wide[upper - n :, : m // 2 + 1] = spectrum[upper:]
    return 4 * fft.irfft2(wide, s=(2 * n, 2 * m))
