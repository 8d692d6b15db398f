r"""W2 in the plane where mass must jump between modes that are far apart.

Both laws are split into groups of components, q = Σ q_c and p = Σ p_c.  Between neighbours a part s of q_c that is
nearest to d jumps to the part r of p_d that is nearest to c; what stays is of equal mass in either group:

.. math:: W_2^2(q, p) \le \sum_{cd} W_2^2(s_{cd} q_c, r_{cd} p_d) + \sum_c W_2^2(q_c - s_c q_c, p_c - r_c p_c),

as couplings of parts are a coupling of their sums.  From below a pair of potentials of the pairs (place, group):
those φ_c, ψ_c of what stays, moved apart by one number a group, and lowered to where no two groups break
φ(x, c) + ψ(y, d) ≤ |x − y|².
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special
from scipy.ndimage import binary_dilation, map_coordinates, maximum_filter, spline_filter

from closed_form.distances.planar import SEEN, TRUST, Image, Planar
from closed_form.distances.planar_links import LEAVES, Link, along, levels_of, links_of

#: Softness of a cut, in deviations of a component.
SOFT = 0.06
#: Edge in points of the blocks that jumps are measured with, and the share of the mass below which blocks are one.
BLOCK, LEAST = 2, 1e-7
#: Part of a group's peak that is in its window.
WINDOW = 1e-10
#: Density below which a place gives way to all others, in what jumps a square deviation.
THIN = 5e-4
#: Part of the jumps' cost to which what stays is sought, all groups together.
ENOUGH = 0.01
#: Points over which the second differences of a potential are taken that is itself a least over points.
WIDE = 3
#: What keeps a place out of a minimum.
FAR = 1e12


@dataclass(eq=False)
class Group:
    """A part of both laws: its mean, on its window q_c and p_c, and of them what leaves and what comes; p_c anywhere; what the
    potential of what stays makes, and φ_c and ψ_c with the level of the group."""

    mean: np.ndarray
    grid: object
    first: np.ndarray
    second: np.ndarray
    density: Callable[[np.ndarray], np.ndarray]
    leaves: np.ndarray
    comes: np.ndarray
    image: Image | None = None
    here: np.ndarray | None = None
    there: np.ndarray | None = None

    @property
    def excess(self) -> float:
        """What the first law has more."""
        return float((self.first - self.second).sum()) * self.grid.cell

    def own(self) -> float:
        """∫φ q_c + ∫ψ p_c by the map of the potential, less what the quadrature may do to it."""
        image = self.image
        n, m = self.grid.shape
        one, across, two = image.slope
        pulled = self.density(image.there.reshape(2, -1)).reshape(one.shape) * (one * two - across**2)
        other = image.moved - image.potential
        missed = abs(float(pulled.sum() - self.second.sum()))
        value = float((other * pulled).sum() + (image.potential[:n, :m] * self.first).sum())
        return (value - TRUST * missed * float(np.ptp(other[pulled > SEEN * pulled.max()]))) * self.grid.cell


class Jumps:
    """Both sides of W2 between a density on a grid and a sum of groups that hardly meet.

    Parameters
    ----------
    grid : closed_form.sampler_laws.plane.law.Grid
    parts : arrays of shape (c, *grid.shape)
        The first law, in its groups.
    densities : sequence of callables
        The second law's groups, at points of shape (2, n).
    means : array of shape (c, 2)
    width : float
        Deviation of a component.
    """

    def __init__(self, grid, parts, densities, means, width: float):
        self.cell, self.width, points = grid.cell, width, grid.points()
        self.side_sq = (grid.spacing * math.hypot(*grid.shape)) ** 2
        seconds = (density(points).reshape(grid.shape) for density in densities)
        self.groups = [_group(grid, *each) for each in zip(parts, seconds, densities, means, strict=True)]

    def sides(self) -> tuple[float, float]:
        """The two sides, (lower, upper); 0 and infinity where no lines carry the excesses off, or the grid does not see a group."""
        links = links_of(self.groups)
        if not links or any(not law.sum() > 0 for group in self.groups for law in (group.first, group.second)):
            return 0.0, math.inf
        excess = np.array([group.excess for group in self.groups])
        upper_sq = self._jump(links, levels_of(links, excess)[1])
        if upper_sq == math.inf:
            return 0.0, math.inf
        upper_sq += sum(self._stay(group, ENOUGH * upper_sq / len(self.groups)) for group in self.groups)
        unseen = self.side_sq * sum(abs(1 - self.cell * sum(float(getattr(group, law).sum()) for group in self.groups))
                                    for law in ("first", "second"))
        lower_sq = self._below(links, excess) - unseen
        return math.sqrt(max(0.0, lower_sq)), math.sqrt(max(0.0, lower_sq, upper_sq + unseen))

    def _jump(self, links: list[Link], masses: list[float]) -> float:
        """The cost of the jumps, whose places are taken out of what stays."""
        total = 0.0
        for link, mass in zip(links, masses, strict=True):
            if mass <= 0:
                continue
            one, two = self.groups[link.source], self.groups[link.target]
            cuts = link.at(mass)
            leaves = self._cut(one, one.first * (LEAVES - one.leaves), link.way, cuts[0], mass)
            comes = self._cut(two, two.second * (LEAVES - two.comes), -link.way, cuts[1], mass)
            if leaves is None or comes is None:
                return math.inf
            one.leaves, two.comes = (kept + np.where(law > 0, taken / np.where(law > 0, law, 1.0), 0.0) for kept, law, taken in (
                (one.leaves, one.first, leaves), (two.comes, two.second, comes)))
            total += mass * _carried(_blocks(one.grid, leaves), _blocks(two.grid, comes))
        return total

    def _cut(self, group: Group, free: np.ndarray, way: np.ndarray, cut: float, mass: float) -> np.ndarray | None:
        """The part of a density of this mass beyond a soft line; None where there is no such line near the one given."""
        places = along(group.grid, group.mean, way) / (SOFT * self.width)

        def over(line):
            return float((free * special.expit(places - line)).sum()) * self.cell - mass

        middle, reach = cut / (SOFT * self.width), 3 / SOFT
        if not over(middle - reach) > 0 > over(middle + reach):
            return None
        found = free * special.expit(places - optimize.brentq(over, middle - reach, middle + reach))
        return found * (mass / (float(found.sum()) * self.cell))

    def _stay(self, group: Group, enough: float) -> float:
        """W2² of what stays times its mass, with what the shares of jumps leave over; sets the potential."""
        rest, goal = group.first * (1 - group.leaves), group.second * (1 - group.comes)
        mass, other = float(rest.sum()) * self.cell, float(goal.sum()) * self.cell
        smooth = spline_filter(group.comes, 3, mode="mirror")
        points, shares = group.grid.points(), goal.ravel() / goal.sum()
        mean = points @ shares

        def density(x):
            kept = 1 - map_coordinates(smooth, group.grid.places(x), order=3, mode="mirror", prefilter=False)
            return group.density(x) * kept / other

        apart = points - mean[:, None]
        _, upper, group.image = Planar(group.grid, rest, density, mean, (apart * shares) @ apart.T).found(enough / mass)
        n, m = group.grid.shape
        group.here = group.image.potential[:n, :m]
        group.there = _least(group.grid, group.grid, group.here)
        return mass * upper**2 + abs(mass - other) * self.side_sq

    def _below(self, links: list[Link], excess: np.ndarray) -> float:
        """The value of a pair of potentials.

        ψ is what φ leaves, first of all groups where nothing jumps off, and φ then what ψ leaves, less what a grid misses.
        """
        for link in links:
            ends = ((self.groups[link.source], link.way, link.cuts[0], "here"),
                    (self.groups[link.target], -link.way, link.cuts[1], "there"))
            link.ease(sum(map_coordinates(getattr(group, name), group.grid.places(group.mean[:, None] + way[:, None] * cut),
                                          order=1, mode="nearest") for group, way, cut, name in ends))
        levels, masses = levels_of(links, excess)
        value = float(levels @ excess) + sum(group.own() for group in self.groups)
        thick = THIN * max(masses) / self.width**2
        inside, core = ([getattr(group, law) > thick for group in self.groups] for law in ("first", "second"))
        for link, mass in zip(links, masses, strict=True):
            if mass > 0:
                one, two = self.groups[link.source], self.groups[link.target]
                inside[link.source] &= along(one.grid, one.mean, link.way) < link.at(mass)[0]
                core[link.target] &= along(two.grid, two.mean, -link.way) < link.at(mass)[1]
        grids = [group.grid for group in self.groups]
        here, there = ([getattr(group, name) + sign * level for group, level in zip(self.groups, levels.tolist(), strict=True)]
                       for name, sign in (("here", 1), ("there", -1)))
        held = [group.first > SEEN * group.first.max() for group in self.groups]
        eased = _lowered(grids, here, there, core)
        seconds = _lowered(grids, there, eased, inside)
        every = _lowered(grids, there, eased, held)  # thin places give way to all
        seconds = [np.where(group.second < thick, np.minimum(one, two), one)
                   for group, one, two in zip(self.groups, seconds, every, strict=True)]
        everywhere = [np.ones(grid.shape, dtype=bool) for grid in grids]
        safe, dear = zip(*map(_between, grids, there, seconds), strict=True)
        firsts = _lowered(grids, here, list(safe), everywhere)
        lost = sum(float((each * group.second).sum()) for each, group in zip(dear, self.groups, strict=True))
        lost += sum(float(((own - low) * law).sum()) for owns, lows, name in ((here, firsts, "first"), (there, seconds, "second"))
                   for own, low, law in zip(owns, lows, (getattr(group, name) for group in self.groups), strict=True))
        return value - lost * self.cell


def _group(grid, first, second, density, mean) -> Group:
    seen = (first > WINDOW * first.max()) | (second > WINDOW * second.max())
    ends = [np.flatnonzero(seen.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
    window = tuple(slice(max(0, int(start) - 3), int(stop) + 4) for start, stop in ends)
    first, second = first[window], second[window]
    low = grid.low + grid.spacing * np.array([each.start for each in window])
    none = np.zeros(first.shape)
    return Group(mean, replace(grid, low=low, shape=first.shape), first, second, density, none, none)


def _lowered(grids, own: list, others: list, where: list) -> list[np.ndarray]:
    """Potentials of groups that are lowered to where they and those of other groups, seen at some places, are no more than
    |x − y|²."""
    found = []
    for d, values in enumerate(own):
        low = values
        for c, field in enumerate(others):
            if c != d and where[c].any() and _apart_sq(grids[c], grids[d]) <= float(field[where[c]].max() + values.max()):
                low = np.minimum(low, _least(grids[d], grids[c], np.where(where[c], field, -FAR)))
        found.append(low)
    return found


def _between(grid, own: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(A potential ψ that was lowered, at points of a grid so much higher that |x − y|² − ψ(y) is nowhere between them less than at
    all of them, by how much the integral of ψ over a density that is seen at the points is less than it seems, a density).

    v = (|y|² − ψ)/2 is convex.  In the cells where it was lowered ψ is what the bilinear function ṽ ≥ v leaves, |y|² − 2ṽ: then
    |x − y|² − ψ(y) is least at a corner, and ∫ṽ − v of the points' masses is h²/12 of Δv.  Elsewhere 2(ṽ − v) <= h²/4 of Δv.
    """
    lowered, square = low < own, grid.spacing**2
    missed = square / 4 * maximum_filter(_bend(own, grid.spacing, WIDE), 3)
    return (np.where(lowered, low, own + missed),
            np.where(binary_dilation(lowered, np.ones((3, 3))), square / 6 * _bend(low, grid.spacing, 1), 0.0))


def _bend(potential: np.ndarray, spacing: float, step: int) -> np.ndarray:
    """Δv of v = (|y|² − ψ)/2 by differences over so many points, where it is positive; at the sides as if ψ went on straight."""
    wide, (n, m), inner = np.pad(potential, step, mode="reflect", reflect_type="odd"), potential.shape, slice(step, -step)
    rows, columns = wide[:, inner], wide[inner]
    second = rows[:n] + rows[2 * step :] + columns[:, :m] + columns[:, 2 * step :] - 4 * potential
    return np.maximum(2 - second / (2 * (step * spacing) ** 2), 0.0)


def _least(to, at, field: np.ndarray) -> np.ndarray:
    """The least of |x − y|² − field(y) over the points y of ``at``, at the points x of ``to``."""
    (first, second), (one, two) = to.axes(), at.axes()
    rows, columns = np.square(first[:, None] - one), np.square(second[:, None] - two)
    half = np.stack([(row[:, None] - field).min(axis=0) for row in rows])
    return np.stack([(column + half).min(axis=1) for column in columns], axis=1)


def _apart_sq(one, two) -> float:
    """The squared distance of two windows."""
    pairs = zip(one.axes(), two.axes(), strict=True)
    return float(sum(max(0.0, a[0] - b[-1], b[0] - a[-1]) ** 2 for a, b in pairs))


def _blocks(grid, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Shares of the mass in blocks, their middles (2, n), their variances), a point of the grid being a cell; blocks of next
    to nothing are one."""
    n, m = (-(-size // BLOCK) for size in grid.shape)
    number = np.add.outer(np.arange(grid.shape[0]) // BLOCK * m, np.arange(grid.shape[1]) // BLOCK).ravel()
    mass = values.ravel()
    small = np.bincount(number, mass, n * m) <= LEAST * mass.sum()
    number = np.where(small[number], n * m, number)
    masses = np.bincount(number, mass)
    seen = np.flatnonzero(masses > 0)
    x, y, square = (np.bincount(number, mass * field)[seen] / masses[seen]
                    for field in (*grid.points(), np.square(grid.points()).sum(axis=0)))
    return masses[seen] / mass.sum(), np.stack([x, y]), np.maximum(square - x * x - y * y, 0.0) + grid.spacing**2 / 6


def _carried(one, two) -> float:
    """The cost of a coupling of two laws in blocks, points of paired blocks being independent."""
    import ot

    cost = np.square(one[1][:, :, None] - two[1][:, None]).sum(axis=0) + one[2][:, None] + two[2]
    return float(ot.emd2(one[0], two[0], cost, numItermax=1_000_000))
