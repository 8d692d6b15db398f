r"""W2 from a law whose map is not increasing: its values sorted, between two sides.

Both laws are replaced by atoms, the middles of cells: for these W2 is that of sorted values, and either law is
as near to its atoms as the root of the mean square of half a cell (the triangle inequality).
"""

import math

import numpy as np

from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.sampler_laws.line.law import LineLaw

#: Cells of the map to begin with, and the most; atoms of the start, and numbers that the target's take.
CELLS, MOST, ATOMS, NUMBERS = 512, 1 << 15, 1 << 19, 1 << 22
#: Cells of the target by which its atoms are shared out.
COARSE = 1 << 12
#: Part of the size of the image to which cubics between cells follow it, in the mean square, and rounds.
FOLLOWED, ROUNDS = 1e-7, 24
#: Root of the mass beyond the support of a law.
BEYOND = 4e-9


def folded_w2(source: LineLaw, image, target: LineMixture, atoms: int = ATOMS) -> Bracket:
    """W2 between the law of T(X), X of law ``source``, and ``target``, whatever T does.

    Parameters
    ----------
    source : LineLaw
    image : callable
        x -> (T(x), T'(x), what rounding may do to T(x)), arrays of shape (n,).
    target : LineMixture
    atoms : int
        How many stand for the image.

    Notes
    -----
    T is a cubic between the ends of every cell of the start, which is halved until the map there, and its
    slope, are what the cubic says half way; what the cubics miss is estimated by that and added.
    """
    cubics, missed = _followed(source, image)
    values, weights, spread = _atoms_of_image(source, cubics, atoms)
    count = min(atoms, max(COARSE, NUMBERS // len(target.means)))
    places, masses, width = _atoms_of_target(target, count)
    value = _sorted_distance(values, weights, places, masses)
    far = float(max(np.abs(values).max(), np.abs(places).max()))
    room = spread + width + missed + 2 * BEYOND * far
    lower, upper = max(0.0, value - room), value + room
    return Bracket(lower, upper, f"sorted map of the start, {len(values)} atoms",
                   "the map between the ends of cells, by its values half way")


def _followed(source: LineLaw, image):
    """(x, y, slope at both ends of every cell, of shape (3, 2, n)), and what cubics between them miss."""
    low, high = source.support()
    x = np.linspace(low, high, CELLS + 1)
    values = image(x)
    points = np.stack([x, *values[:2]])
    going, done = np.stack([points[:, :-1], points[:, 1:]], axis=1), []
    missed_sq, rounding = 0.0, float(values[2].max())
    for left in reversed(range(ROUNDS)):
        start, end = going[:, 0], going[:, 1]
        h = end[0] - start[0]
        middle = start[0] + h / 2
        y, slope, doubt = image(middle)
        rounding = max(rounding, float(doubt.max()))
        miss = np.abs(y - (start[1] + end[1]) / 2 - h * (start[2] - end[2]) / 8)
        turn = np.abs(slope - 1.5 * (end[1] - start[1]) / h + (start[2] + end[2]) / 4) * h / 4
        share = _mass(source, start[0], end[0]) * np.square(np.maximum(miss, turn))
        size = max(float(np.abs(y).max()), 1e-300)
        halves = np.concatenate([np.stack([start, (middle, y, slope)], axis=1),
                                 np.stack([np.stack([middle, y, slope]), end], axis=1)], axis=2)
        fine = share <= np.square(FOLLOWED * size) / (2 * CELLS)
        if left == 0 or halves.shape[2] + sum(part.shape[2] for part in done) > MOST:
            fine[:] = True
        missed_sq += float(share[fine].sum())
        twice = np.tile(fine, 2)
        done.append(halves[:, :, twice])
        going = halves[:, :, ~twice]
        if not going.size:
            break
    return np.concatenate(done, axis=2), math.sqrt(missed_sq) + rounding


def _mass(law, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The mass of cells, by the nearer tail."""
    below, above = law.cdf(low), law.sf(high)
    return np.where(below < above, law.cdf(high) - below, law.sf(low) - above)


def _shared(cost: np.ndarray, atoms: int) -> np.ndarray:
    """How many atoms cells get: as many as make the sum of cost/count² least."""
    root = np.cbrt(cost)
    return np.maximum(1, np.ceil(atoms * root / max(float(root.sum()), 1e-300))).astype(int)


def _places(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Which cell, which atom of it) of all atoms, in order."""
    cell = np.repeat(np.arange(len(counts)), counts)
    return cell, np.arange(len(cell)) - np.repeat(np.cumsum(counts) - counts, counts)


def _atoms_of_image(source: LineLaw, cubics: np.ndarray, atoms: int):
    """(Values, weights, root of the mean square of half a cell) of cubics cut into pieces."""
    (x_0, x_1), (y_0, y_1), (d_0, d_1) = cubics
    h = x_1 - x_0
    # the derivatives of the cubic in t from 0 to 1
    bend, twist = 3 * (y_1 - y_0) - (2 * d_0 + d_1) * h, 2 * (y_0 - y_1) + (d_0 + d_1) * h
    curved = np.maximum(np.abs(2 * bend), np.abs(2 * bend + 6 * twist))
    cost = _mass(source, x_0, x_1) * np.square(np.abs(y_1 - y_0) + np.abs(d_0 * h) + np.abs(d_1 * h))
    counts = _shared(cost, atoms)
    cell, place = _places(counts)
    width = 1 / counts[cell]

    def value(t):
        return y_0[cell] + t * (d_0 * h)[cell] + t * t * (bend[cell] + t * twist[cell])

    low, high = place * width, (place + 1) * width
    first, last = value(low), value(high)
    weights = _mass(source, x_0[cell] + low * h[cell], x_0[cell] + high * h[cell])
    # between its ends a piece leaves their chord by at most an eighth of its curvature
    half = np.abs(last - first) / 2 + curved[cell] * np.square(width) / 8
    return (first + last) / 2, weights, math.sqrt(float(weights @ np.square(half)))


def _atoms_of_target(target: LineMixture, atoms: int):
    """The same of a mixture, whose cells are its places."""
    low, high = target.support()
    edges = np.union1d(np.linspace(low, high, COARSE + 1), target.knots())
    counts = _shared(_mass(target, edges[:-1], edges[1:]) * np.square(np.diff(edges)), atoms)
    cell, place = _places(counts)
    width = (np.diff(edges) / counts)[cell]
    ends = np.append(edges[cell] + place * width, edges[-1])
    half = np.diff(ends) / 2
    weights = _mass(target, ends[:-1], ends[1:])
    return ends[:-1] + half, weights, math.sqrt(float(weights @ np.square(half)))


def _sorted_distance(x, x_weights, y, y_weights) -> float:
    """W2 between atoms on the line, by their quantiles; weights are made to add up to 1."""
    order = np.argsort(x)
    x, x_weights = x[order], x_weights[order]
    levels = [np.cumsum(weights, dtype=np.longdouble) for weights in (x_weights, y_weights)]
    first, second = ((level / level[-1]).astype(float) for level in levels)
    cuts = np.union1d(first, second)
    masses = np.diff(cuts, prepend=0.0)
    gaps = (x[np.minimum(np.searchsorted(first, cuts), len(x) - 1)]
            - y[np.minimum(np.searchsorted(second, cuts), len(y) - 1)])
    return math.sqrt(float(masses @ np.square(gaps)))
