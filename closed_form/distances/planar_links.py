"""Which mass jumps between neighbours far apart in the plane, where lines cut it off: a convex problem of one number a group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

#: How far inside a ball a third mean must be to part two: what is on its rim, as in a rectangle, does.
INSIDE = 1e-6
#: Part of a density that may leave a place, and of a group's mass that may leave across a line.
LEAVES, HALF = 0.95, 0.95
#: Points of a table of what jumps, and its least mass, a part of the largest.
TABLE, LITTLE = 400, 1e-9


@dataclass(eq=False)
class Link:
    """Two neighbours: mass goes from ``source`` to ``target``, from beyond one line to beyond another.

    Attributes
    ----------
    source, target : int
    way : array of shape (2,)
        The unit vector from one to the other.
    gap : float
        Their distance.
    masses, costs : arrays
        What jumps, and the cost of the last of it, for lines that come nearer to the means.
    cuts : two arrays
        Where the lines are: how far from the source along the way, how far from the target against it.
    """

    source: int
    target: int
    way: np.ndarray
    gap: float
    masses: np.ndarray
    cuts: tuple[np.ndarray, np.ndarray]
    costs: np.ndarray

    @classmethod
    def between(cls, source, target, numbers: tuple[int, int]) -> Link | None:
        """The link of two groups with ``grid``, ``mean``, ``first`` and ``second``, as `planar_jumps.Group` has them; None where
        a window ends before the other mean comes nearer."""
        gap = float(np.linalg.norm(target.mean - source.mean))
        way = (target.mean - source.mean) / gap
        ends = _beyond(source.grid, source.first, source.mean, way), _beyond(target.grid, target.second, target.mean, -way)
        if not all(len(places) and beyond[0] > 0 for places, beyond in ends):
            return None
        masses = HALF * LEAVES * min(beyond[0] for _, beyond in ends) * np.geomspace(LITTLE, 1.0, TABLE)
        cuts = tuple(np.interp(-masses / LEAVES, -beyond, places) for places, beyond in ends)
        found = cls(*numbers, way, gap, masses, cuts, np.zeros(TABLE))
        found.ease(0.0)
        return found

    def ease(self, eased: np.ndarray | float) -> None:
        """Let costs be squared distances of the two lines less what is given: they only rise."""
        costs = np.maximum.accumulate(np.square(np.maximum(self.gap - self.cuts[0] - self.cuts[1], 0.0)) - eased)
        self.costs = costs + 1e-9 * np.arange(TABLE) * max(1e-9, abs(float(costs[-1])))

    def mass(self, step: float) -> float:
        """What jumps where the levels of the two groups are so far apart."""
        return float(np.interp(step, self.costs, self.masses, left=0.0))

    def price(self) -> np.ndarray:
        """The integral of the mass over the costs, from 0 at the first."""
        return np.concatenate([[0.0], np.cumsum(np.diff(self.costs) * (self.masses[1:] + self.masses[:-1]) / 2)])

    def at(self, mass: float) -> tuple[float, float]:
        """Where the two lines are for what jumps."""
        return tuple(float(np.interp(mass, self.masses, cut)) for cut in self.cuts)


def links_of(groups) -> list[Link]:
    """The links, both ways, of neighbours: no third mean is in the ball whose diameter they span (Gabriel's graph, which
    connects all)."""
    means = np.array([group.mean for group in groups])
    gaps_sq = np.square(means[:, None] - means).sum(axis=2)
    found = []
    for c, d in np.argwhere(gaps_sq > 0).tolist():
        other = np.delete(gaps_sq[c] + gaps_sq[d], [c, d])
        if (other > (1 + INSIDE) * gaps_sq[c, d]).all():
            found.append(Link.between(groups[c], groups[d], (c, d)))
    return [link for link in found if link is not None]


def levels_of(links: list[Link], excess: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """(A number a group, what jumps along each link) at the least cost that carries the excesses off.

    The dual problem: the levels maximise Σ level·excess less the prices of the links at the differences of levels.  Where lines
    cannot carry as much nothing does, and all levels are 0.
    """
    excess = excess - excess.mean()
    scale = float(np.abs(excess).max())
    size = float(np.median([link.costs[TABLE // 2] for link in links])) if links else 0.0
    if scale == 0.0 or not size > 0.0:
        return np.zeros(len(excess)), [0.0] * len(links)
    prices = [(link, link.price()) for link in links]

    def loss(scaled):
        levels = scaled * size
        value, slope = -float(levels @ excess), -excess.copy()
        for link, price in prices:
            step = levels[link.source] - levels[link.target]
            if step > link.costs[0]:
                mass = link.mass(step)
                value += float(np.interp(step, link.costs, price)) + mass * max(0.0, step - link.costs[-1])
                slope[link.source] += mass
                slope[link.target] -= mass
        return value / (scale * size), slope / scale

    with np.errstate(over="ignore", invalid="ignore"):
        found = optimize.minimize(loss, np.zeros(len(excess)), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
    if not np.isfinite(found.x).all():
        return np.zeros(len(excess)), [0.0] * len(links)
    levels = found.x * size
    masses = np.array([link.mass(float(levels[link.source] - levels[link.target])) for link in links])
    # what the optimum is off is made good by the links in use, each by as much as it has
    ways = np.zeros((len(excess), len(links)))
    ways[[link.source for link in links], range(len(links))] = 1.0
    ways[[link.target for link in links], range(len(links))] = -1.0
    masses += np.sqrt(masses) * np.linalg.lstsq(ways * np.sqrt(masses), excess - ways @ masses, rcond=1e-12)[0]
    return levels, np.maximum(masses, 0.0).tolist()


def along(grid, mean: np.ndarray, way: np.ndarray) -> np.ndarray:
    """How far a grid's points are from a mean along a unit vector."""
    first, second = grid.axes()
    return np.add.outer((first - mean[0]) * way[0], (second - mean[1]) * way[1])


def _beyond(grid, values: np.ndarray, mean: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Places along a unit vector from the mean on, the masses beyond them, which fall)."""
    places = along(grid, mean, way).ravel()
    order = np.argsort(places)
    places, masses = places[order], np.cumsum(values.ravel()[order][::-1])[::-1] * grid.cell
    kept = places >= 0
    return places[kept], masses[kept]
