r"""What potentials of the plane that are nearly optimal leave over: a flow, and what jumps, from above.

The points m of a grid stand for pairs (x, y) with φ(x) + ψ(y) = |x − y|², and the laws of x and of y for densities q and
p of m.  For a coupling (m, m') of these x and y' are one of both laws, and

.. math:: W_2^2 \le E|x - y'|^2 = D(\varphi, \psi) + E\,[|x - y'|^2 - \varphi(x) - \psi(y')],

D(φ, ψ) the value of the dual problem.  Where q and p are connected the coupling is a flow along the straight line from one
to the other, which costs ∫ Λ|w|²/L for any w with div w = q − p: L is their logarithmic mean (Benamou and Brenier,
Numer. Math. 84, 2000) and Λ what the square of a short way costs there.  Elsewhere it is one of independent points.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse
from scipy.ndimage import maximum_filter
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

#: Room for what the grid misses of a flow, in squares.
ROOM = 1.1
#: Largest part of an island that is carried to others.
MOST_SHARE = 0.25
#: Root mean squares of a flow that "near by" is wide, besides one point.
NEAR = 4.0
#: Blocks each way of what is on no island.
BLOCKS = 16


def flow_gap(grid, image, nothing: float) -> float:
    """An upper side of E[|x − y'|² − φ(x) − ψ(y')]: a flow where both laws are more than ``nothing``, and what must jump.

    The places with a flow fall into islands.  What one has too much of is spread over it as the smaller density
    is, and carried to where there is too little.

    Parameters
    ----------
    grid : closed_form.sampler_laws.plane.law.Grid
    image : closed_form.distances.planar.Image or closed_form.distances.planar_halfway.Pairs
        Of which are seen ``laws``, q and p as they are on the grid, the ``places`` x and y of its points, their ``potentials``
        φ and ψ, and ``dear``: what the square of a short way costs at most.
    nothing : float
        A part of the peak of q.
    """
    q, p = (np.maximum(law, 0.0) for law in image.laws)
    mean, least, dear = logarithmic_mean(q, p), np.minimum(q, p), image.dear
    inside = least > nothing * q.max()
    one, two, face = _faces(np.where(inside, mean, 0.0))
    count, island = connected_components(sparse.coo_array((face, (one, two)), (q.size, q.size)), directed=False)
    mass, excess = (np.bincount(island, np.where(inside, each, 0.0).ravel(), count) for each in (least, q - p))
    # islands that are nearly all excess are no islands
    sound = np.abs(excess) <= MOST_SHARE * mass
    inside &= sound[island].reshape(q.shape)
    share = np.where(sound, excess, 0.0) / np.where(mass > 0, mass, 1.0)
    spare = np.where(inside, least * share[island].reshape(q.shape), 0.0)
    mean = np.where(inside, mean, 0.0)
    potential = _potential(mean / dear, np.where(inside, q - p, 0.0) - spare).ravel()
    one, two, face = _faces(mean / dear)
    stream = face * (potential[one] - potential[two])
    moved_sq = float((np.square(stream) / _faces(mean)[2]).sum()) * grid.cell**2
    around = 3 + 2 * math.ceil(NEAR * math.sqrt(moved_sq) / grid.spacing)
    # the flow runs between what is left of the two densities
    flow = float((np.square(stream) / _faces(mean / maximum_filter(dear, around, mode="wrap"))[2]).sum())
    flow *= grid.cell**2 / (1 - float(np.abs(share).max()))
    over, under = (np.where(inside, np.maximum(sign * spare, 0.0), each) for sign, each in ((1, q), (-1, p)))
    island = np.where(inside.ravel(), island, -1)
    return ROOM * flow + _jumps(grid, image, island, over * grid.cell, under * grid.cell)


def _jumps(grid, image, island, over, under) -> float:
    """E|x − y'|² − φ(x) − ψ(y') of x where there is too much and y' where there is too little, from independent points of islands,
    and of blocks of what is on none."""
    import ot

    n, m = (-(-size // BLOCKS) for size in grid.shape)
    block = np.add.outer(np.arange(grid.shape[0]) // n * BLOCKS, np.arange(grid.shape[1]) // m).ravel()
    group = np.unique(np.where(island < 0, -1 - block, island), return_inverse=True)[1]
    ends = []
    for mass, place, potential in zip((over, under), image.places, image.potentials, strict=True):
        masses, level = np.bincount(group, mass.ravel()), np.square(place).sum(axis=0) - potential
        seen = np.flatnonzero(masses > 0)
        averages = (np.bincount(group, (mass * each).ravel())[seen] / masses[seen] for each in (level, *place))
        ends.append((masses[seen], *averages))
    (supply, here, *first), (demand, ahead, *second) = ends
    farthest_sq = (grid.spacing * math.hypot(*grid.shape)) ** 2 + float(np.ptp(image.potentials))
    unpaired, moved = abs(float(supply.sum() - demand.sum())) * farthest_sq, float(min(supply.sum(), demand.sum()))
    if moved == 0:
        return unpaired
    cost = here[:, None] + ahead - 2 * sum(np.multiply.outer(x, y) for x, y in zip(first, second, strict=True))
    return float(ot.emd2(supply / supply.sum(), demand / demand.sum(), cost)) * moved + unpaired


def logarithmic_mean(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(q − p)/log(q/p) of two densities; 0 where one is."""
    low, high = np.minimum(q, p), np.maximum(q, p)
    found = np.zeros_like(q)
    seen = low > 0
    with np.errstate(over="ignore"):
        ratio = np.minimum(high[seen] / low[seen] - 1, 1e100)
    near = ratio < 1e-4
    safe, small = np.where(near, 1.0, ratio), np.where(near, ratio, 0.0)
    found[seen] = low[seen] * np.where(near, 1 + small / 2 - small**2 / 12, safe / np.log1p(safe))
    return found


def newton(tensor: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """f with −div(M ∇f) = gap on a periodic grid of spacing 1, M (entries 11, 12, 22) positive definite; 0 at one place.

    The energy ∇f·M∇f of a point is the mean of those of the four differences to its neighbours' corners.
    """
    number, edges = np.arange(gap.size).reshape(gap.shape), []
    for axis, values in ((0, tensor[0]), (1, tensor[2])):
        edges.append((number, np.roll(number, -1, axis), (values + np.roll(values, -1, axis)) / 2))
    for sign in (1, -1):
        for side in (1, -1):
            edges.append((np.roll(number, sign, 0), np.roll(number, side, 1), -sign * side / 4 * tensor[1]))
    one, two, face = (np.concatenate([each.ravel() for each in part]) for part in zip(*edges, strict=True))
    return _solved(one, two, face, gap, number.ravel() > 0)


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
    return _solved(one, two, face, gap, used)


def _solved(one, two, face, gap, used) -> np.ndarray:
    """f, 0 where it is not ``used``, with Σ face·(f_one − f_two) = gap at the places that are."""
    place, size = np.cumsum(used) - 1, gap.size
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
    return found.reshape(gap.shape)
