r"""W2 between a density on an even grid of the plane and a smooth one, between two sides.

A potential φ, periodic on the box of the grid, gives the map T = x − ∇φ/2, and the pull-back
p̃ = p(T) det DT of the second law p.  Where T is the gradient of a convex function it is the optimal map from p̃
to p, and φ a potential for any other law, so for the first law q

.. math:: A^2 + \int \varphi\,(q - \tilde p) \;\le\; W_2^2(q, p), \qquad
          W_2(q, p) \;\le\; A + W_2(q, \tilde p), \qquad A^2 = \int \tfrac14 |\nabla\varphi|^2\,\tilde p .

What is left is bounded by a flow along the straight line from q to p̃ (Benamou and Brenier, Numer. Math. 84,
2000): for any w with div w = q − p̃, and L the logarithmic mean of q and p̃,

.. math:: W_2^2(q, \tilde p) \le \int |w|^2 / L .

φ is found by Newton's method: a weighted Poisson equation a round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft, sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

#: Rounds of Newton's method at most; it ends where a round gains less than this part of W2².
ROUNDS, GAINED = 8, 1e-5
#: Parts of the peak of a density below which it is filled up where a potential is sought: the first that leads
#: to a map in ``HALVINGS`` halvings of the move.
FLOORS, HALVINGS = (1e-9, 1e-5, 1e-3, 3e-2), 2
#: Parts of the peak below which there is no flow, while the two sides are farther apart than ``NARROW`` of them.
NOTHING, NARROW = (1e-14, 1e-7, 1e-4, 1e-2), 0.02
#: Room for what the grid misses of a flow.
ROOM = 1.05
#: Largest part of an island that is carried to others.
MOST_SHARE = 0.25
#: Smoothing of potentials: e^{-SHARP (k/highest)^ORDER}.
SHARP, ORDER = 36.0, 8
#: Least stretch of a map, in any direction.
STRETCH = 0.02
#: Times the mass that a pull-back seems to have lost by its quadrature: how far sums over the grid are trusted.
TRUST = 10.0

Density = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class _Image:
    """What a potential makes of the second law: its pull-back, ¼|∇φ|², the map's least stretch, and A² and the
    value of the dual problem with what the quadrature may do to them."""

    potential: np.ndarray
    pulled: np.ndarray
    stretch: float
    moved_sq: float
    dual: float
    doubt: float


class Planar:
    """Both sides of W2 from a density on a grid to another law.

    Parameters
    ----------
    grid : closed_form.sampler_laws.plane.law.Grid
    values : array of ``grid.shape``
        The density q, next to nothing at the sides of the grid.
    density : callable
        The density p at points of shape (2, n).
    """

    def __init__(self, grid, values: np.ndarray, density: Density):
        self.grid, self.density = grid, density
        self.values = np.maximum(values, 0.0)
        self.values /= self.values.sum() * grid.cell
        self._points, self._waves = grid.points(), grid.waves()
        highest = np.pi / grid.spacing
        self._smooth = np.exp(-SHARP * sum((np.abs(wave) / highest) ** ORDER for wave in self._waves))

    def sides(self) -> tuple[float, float]:
        """The two sides, (lower, upper)."""
        image = self._of(np.zeros(self.grid.shape))
        for _ in range(ROUNDS):
            better = self._better(image)
            if better is None:
                break
            gained, image = better.dual - image.dual, better
            if gained <= GAINED * image.dual:
                break
        lower, upper = math.sqrt(max(0.0, image.dual - image.doubt)), math.inf
        for nothing in NOTHING:
            moved = math.sqrt(image.moved_sq + image.doubt)
            upper = min(upper, moved + ROOM * _flow(self.grid, self.values, image.pulled, nothing))
            if upper - lower <= NARROW * upper:
                break
        return lower, upper

    def _of(self, potential: np.ndarray) -> _Image:
        """The pull-back by x − ∇φ/2."""
        first, second = self._waves
        spectrum = fft.rfft2(potential) * self._smooth
        potential = fft.irfft2(spectrum, s=self.grid.shape)

        def derivative(*waves):
            found = spectrum
            for wave in waves:
                found = found * (1j * wave)
            return fft.irfft2(found, s=self.grid.shape)

        along, up = derivative(first) / 2, derivative(second) / 2
        one, across, two = (1 - derivative(first, first) / 2, -derivative(first, second) / 2,
                            1 - derivative(second, second) / 2)
        det = one * two - across**2
        stretch = (one + two) / 2 - np.sqrt(np.square((one - two) / 2) + across**2)
        there = self._points - np.stack([along, up]).reshape(2, -1)
        pulled, moved = self.density(there).reshape(self.grid.shape) * det, along**2 + up**2
        cell = self.grid.cell
        moved_sq, gain = (float(each.sum()) * cell for each in (moved * pulled, potential * (self.values - pulled)))
        missed = abs(float(pulled.sum()) * cell - 1)
        doubt = TRUST * missed * float(np.ptp(potential) + moved[pulled > 1e-9 * pulled.max()].max())
        return _Image(potential, pulled, float(stretch.min()), moved_sq, moved_sq + gain, doubt)

    def _better(self, image: _Image) -> _Image | None:
        """A round of Newton's method; None where it finds no map that is better."""
        q = self.values
        mean, gap = _mean(q, np.maximum(image.pulled, 0.0)), (q - image.pulled) * self.grid.cell
        gap -= gap.mean()
        for floor in FLOORS:
            move = 2 * _potential(mean + floor * q.max(), gap)
            for _ in range(1 + HALVINGS):
                tried = self._of(image.potential + move)
                if tried.stretch > STRETCH and tried.dual > image.dual:
                    return tried
                move = move / 2
        return None


def _flow(grid, q: np.ndarray, p: np.ndarray, nothing: float) -> float:
    """An upper side of W2 between two densities: a flow where both are more than ``nothing``, and what must jump.

    The places with a flow fall into islands.  What one has too much of is spread over it as the smaller density
    is, and carried to the islands that have too little, from anywhere there to anywhere.
    """
    least = np.minimum(q, p)
    inside = least > nothing * q.max()
    one, two, face = _faces(np.where(inside, _mean(q, p), 0.0))
    count, island = connected_components(sparse.coo_array((face, (one, two)), (q.size, q.size)), directed=False)
    least, gap = (np.where(inside, each, 0.0).ravel() for each in (least, q - p))
    mass, excess = (np.bincount(island, each, count) for each in (least, gap))
    # islands that are nearly all excess are no islands
    sound = np.abs(excess) <= MOST_SHARE * mass
    inside &= sound[island].reshape(q.shape)
    least, gap, mass, excess = least * inside.ravel(), gap * inside.ravel(), mass * sound, excess * sound
    share = excess / np.where(mass > 0, mass, 1.0)
    one, two, face = _faces(np.where(inside, _mean(q, p), 0.0))
    potential = _potential(np.where(inside, _mean(q, p), 0.0), (gap - least * share[island]).reshape(q.shape))
    # the flow runs between what is left of the two densities
    flow = float((face * np.square(potential.ravel()[one] - potential.ravel()[two])).sum()) * grid.cell**2
    flow /= 1 - float(np.abs(share).max())
    side_sq = (grid.spacing * math.hypot(*grid.shape)) ** 2
    out = float(np.maximum(q, p)[~inside].sum()) * grid.cell
    jumps = _jumps(grid.points(), island, least, mass, excess) * grid.cell
    unpaired = abs(float(excess.sum())) * grid.cell
    return math.sqrt(flow + jumps + (out + unpaired) * side_sq)


def _jumps(points, island, least, mass, excess) -> float:
    """The cost of carrying excesses between islands: the squared distance of independent points of the two."""
    import ot

    most = np.abs(excess).sum()
    seen = np.flatnonzero((np.abs(excess) > 0) & (mass > 0))
    if len(seen) < 2 or most == 0:
        return 0.0
    first = [np.bincount(island, least * x, len(mass))[seen] / mass[seen] for x in points]
    second = sum(np.bincount(island, least * x * x, len(mass))[seen] / mass[seen] for x in points)
    cost = second[:, None] + second[None, :] - 2 * sum(np.multiply.outer(x, x) for x in first)
    supply, demand = np.maximum(excess[seen], 0.0), np.maximum(-excess[seen], 0.0)
    moved = min(supply.sum(), demand.sum())
    if moved == 0:
        return 0.0
    return float(ot.emd2(supply / supply.sum(), demand / demand.sum(), cost)) * moved


def _mean(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The logarithmic mean of two densities; 0 where one is."""
    low, high = np.minimum(q, p), np.maximum(q, p)
    found = np.zeros_like(q)
    seen = low > 0
    ratio = np.minimum(high[seen] / low[seen] - 1, 1e100)
    near = ratio < 1e-4
    safe, small = np.where(near, 1.0, ratio), np.where(near, ratio, 0.0)
    found[seen] = low[seen] * np.where(near, 1 + small / 2 - small**2 / 12, safe / np.log1p(safe))
    return found


def _faces(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of neighbours on a periodic grid, and the harmonic mean of their weights where it is not 0."""
    number, found = np.arange(weight.size).reshape(weight.shape), []
    for axis in (0, 1):
        ahead = np.roll(weight, -1, axis)
        total = weight + ahead
        face = 2 * weight * ahead / np.where(total > 0, total, 1.0)
        kept = face > 0
        found.append((number[kept], np.roll(number, -1, axis)[kept], face[kept]))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def _potential(weight: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """f with −div(weight ∇f) = gap on a periodic grid of spacing 1, 0 where the weight is and somewhere on every
    island."""
    one, two, face = _faces(weight)
    size = weight.size
    _, island = connected_components(sparse.coo_array((face, (one, two)), (size, size)), directed=False)
    order = np.lexsort((-weight.ravel(), island))
    used = np.zeros(size, dtype=bool)
    used[one] = used[two] = True
    used[order[np.unique(island[order], return_index=True)[1]]] = False
    place = np.cumsum(used) - 1
    diagonal = np.bincount(one, face, size) + np.bincount(two, face, size)
    inner = used[one] & used[two]
    scale = 1 / np.sqrt(np.where(used, diagonal, 1.0))
    pairs = place[one[inner]], place[two[inner]]
    beside = -face[inner] * scale[one[inner]] * scale[two[inner]]
    unknowns = int(used.sum())
    middle = np.arange(unknowns)
    matrix = sparse.coo_array((np.concatenate([beside, beside, np.ones(unknowns)]),
                               (np.concatenate([pairs[0], pairs[1], middle]),
                                np.concatenate([pairs[1], pairs[0], middle]))), (unknowns, unknowns)).tocsc()
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    found = np.zeros(size)
    found[used] = scale[used] * solver.solve((scale * gap.ravel())[used])
    return found.reshape(weight.shape)
