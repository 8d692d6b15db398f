"""The geometry of finitely many points: the ball that holds them and the affine space that they span."""

import math

import numpy as np

_EPS = np.finfo(float).eps


def enclosing_radius(centres: np.ndarray) -> float:
    r"""Upper bound of the radius of the smallest ball holding the points: exact up to rounding in 1 and 2
    dimensions.

    The largest distance from a centre found by Frank-Wolfe with away steps on the dual problem, then from the
    point equally far from the points that found to be on the boundary; whatever the centre, that distance is
    an upper bound, and it is rounded up. In more dimensions tight to about 1e-9 at worst. Points that differ
    in one coordinate only: half the range.

    Parameters
    ----------
    centres : array of shape (c, d)

    References
    ----------
    Yıldırım, Two algorithms for the minimum enclosing ball problem, SIAM J. Optim. 19 (2008), Algorithm 4.1.
    """
    ranges = np.ptp(centres, axis=0)
    if np.count_nonzero(ranges) <= 1:
        return 0.5 * float(ranges.max())
    scale = float(ranges.max())
    if not math.isfinite(scale):
        return math.inf
    centres = centres / scale  # so that no square leaves the range of numbers
    first = int(_distances_sq(centres, centres[0]).argmax())
    second = int(_distances_sq(centres, centres[first]).argmax())
    u = np.zeros(len(centres))
    u[[first, second]] = 0.5
    best = math.inf
    for _ in range(20_000):
        distances_sq = _distances_sq(centres, u @ centres)
        far = int(distances_sq.argmax())
        best = min(best, float(distances_sq[far]))
        value = float(u @ distances_sq)  # dual value: at most the squared radius
        near = int(np.where(u > 0.0, distances_sq, np.inf).argmin())
        excess, lack = distances_sq[far] / value - 1.0, 1.0 - distances_sq[near] / value
        if excess < 1e-9:
            break
        if excess > lack:
            step = excess / (2.0 * (1.0 + excess))
            u *= 1.0 - step
            u[far] += step
        else:
            step = min(lack / (2.0 * (1.0 - lack)) if lack < 1.0 else math.inf, u[near] / (1.0 - u[near]))
            u *= 1.0 + step
            u[near] = max(0.0, u[near] - step)
    for share in (1e-9, 1e-6, 1e-3):
        best = min(best, float(_distances_sq(centres, _equidistant(centres[u > share])).max()))
    return scale * math.sqrt(best) * (1.0 + (centres.shape[1] + 12) * _EPS)


def _equidistant(points: np.ndarray) -> np.ndarray:
    """The point of the affine span of the points that is equally far from all of them, in the sense of least
    squares."""
    first, edges = points[0], points[1:] - points[0]
    if not len(edges):
        return first
    # |c − x_i|² = |c − x_0|²: 2 e_i·(c − x_0) = |e_i|², and the least-norm solution lies in the span
    return first + np.linalg.lstsq(2.0 * edges, np.einsum("cd,cd->c", edges, edges), rcond=None)[0]


def _distances_sq(centres: np.ndarray, centre: np.ndarray) -> np.ndarray:
    offset = centres - centre
    return np.einsum("cd,cd->c", offset, offset)


def affine_span(points: np.ndarray, anchor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine span of points: ``origin`` (d,) and an orthonormal ``basis`` (d, r).

    x_i = origin + basis basisᵀx_i up to rounding, with ``origin`` orthogonal to ``basis`` (the point
    of the span nearest 0), so the coordinates along the span are x ↦ basisᵀx. Directions along which
    the points spread less than 1e-12 of their largest spread, or than their rounding, do not count.

    Parameters
    ----------
    points : array of shape (c, d)
    anchor : array of shape (d,)
        A point of the span near the middle of the others.
    """
    moved = np.flatnonzero(np.ptp(points, axis=0) > 0.0)
    if moved.size <= 1:
        basis = np.zeros((points.shape[1], moved.size))
        basis[moved, np.arange(moved.size)] = 1.0
    else:
        _, sizes, right = np.linalg.svd(points - anchor, full_matrices=False)
        noise = 4.0 * max(points.shape) * _EPS * np.abs(points).max()
        basis = right[sizes > max(1e-12 * sizes[0], noise)].T
        basis = basis * np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
    if moved.size <= 1:
        anchor = points[0]
    origin = anchor - basis @ (basis.T @ anchor)
    return origin, basis
