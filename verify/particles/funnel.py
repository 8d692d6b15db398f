r"""The funnel's sampler in a few numbers a particle, whatever the dimension: the other coordinates enter by
their Gram matrix.

Given the shrinkage, a step maps the n = d − 1 other coordinates (u_2, …, u_d), each in R^k, by one k×k matrix
B and adds independent noise, and the shrinkage depends on them through W = Σ_i u_i u_iᵀ alone.  So W is a
chain of its own,

.. math:: W \leftarrow \sum_{j \le k} (T_j + R\xi_j)(T_j + R\xi_j)^T + R\,\mathrm{Wishart}_k(n - k) R^T,
          \qquad \sum_j T_jT_j^T = BWB^T,

and given W the positions of the other coordinates are √W_xx times a uniform direction, drawn once at the end.
"""

from collections.abc import Callable

import numpy as np

from bounds.steps.affine import Past, Steps
from closed_form.law import Law
from verify.particles.noise import noise_of
from verify.particles.phase_space import PhaseRows
from verify.particles.score_kernels import Shrinkage, kernel_of

#: Below this dimension there are not enough other coordinates to gain from, nor for the Wishart draws.
LEAST_DIM = 6
#: Numbers a particle counts for when blocks are cut.
WIDTH = 16


class Draws:
    """Normals and χ² of the cells of a block, flat arrays over its particles."""

    def __init__(self, generators, size: int):
        self.generators, self.size = generators, size
        self.count = len(generators) * size

    def normal(self, rows: int) -> np.ndarray:
        """Standard normals, shape (rows, particles)."""
        buffer = np.empty((len(self.generators), rows, self.size))
        for generator, cell in zip(self.generators, buffer, strict=True):
            generator.standard_normal(out=cell)
        return buffer.transpose(1, 0, 2).reshape(rows, -1)

    def chi_sq(self, freedom: int) -> np.ndarray:
        """χ² with ``freedom`` degrees, shape (particles,)."""
        buffer = np.empty((len(self.generators), self.size))
        for generator, cell in zip(self.generators, buffer, strict=True):
            generator.standard_gamma(freedom / 2, out=cell)
        buffer *= 2.0
        return buffer.ravel()


def funnel_walk(law: Law, steps: Steps, score_error: float, score_noise: float, direction) -> Callable:
    """``walk(draws, start)`` gives the last positions of a block, shape (particles, d).

    Parameters
    ----------
    law, steps, score_error, score_noise, direction
        As in `verify.particles.simulation.sample`.

    Raises
    ------
    ValueError
        If the score error has a component off the first axis, which would break the symmetry of the others.
    """
    if steps.blocks == 2:
        rows = PhaseRows.of(steps, score_noise**2 / law.dim)
        kernel = kernel_of(law, rows.ratios, score_error, direction)
    else:
        kernel = kernel_of(law, steps, score_error, direction)
    if np.any(kernel.bias[1:]):
        raise ValueError(
            "reduce needs the funnel's score error along its first axis, the direction it takes by default"
        )
    bias = float(kernel.bias[0])
    if steps.blocks == 2:
        return lambda draws, start: _phase(law, kernel, rows, bias, draws, start)
    inside, noise_var = noise_of(steps, score_noise**2 / law.dim)
    return lambda draws, start: _line(law, kernel, steps, inside, np.sqrt(noise_var), bias, draws, start)


def _line(law: Law, kernel: Shrinkage, steps: Steps, inside, noise_std, bias: float, draws: Draws, start):
    """One block: W is a number."""
    n, second, past, seen = law.dim - 1, steps.second, steps.past, None
    if start is None:
        y, W = np.sqrt(steps.prior_var) * draws.normal(1)[0], steps.prior_var * draws.chi_sq(n)
    else:
        y, W = start[:, 0].copy(), np.square(start[:, 1:]).sum(axis=1)
    start_W, along = W, 1.0
    for i in range(len(steps)):
        P, Q, std = steps.P[i], steps.Q[i], noise_std[i]
        kernel.constants(steps, i)  # refuses a score that does not exist
        moved, factor = _moved(kernel, steps.a[i], steps.s_sq[i], P, Q, bias * steps.part(i), y, W)
        if second is not None:
            kernel.constants(steps.inner, i)
            seen_W = W * np.square(factor)
            if inside is not None:  # fresh noise of the first evaluation: of the others along where they are, and across
                fresh, beside = inside[i] * draws.normal(2)
                moved, across_sq = moved + fresh, inside[i] ** 2 * draws.chi_sq(n - 1)
                seen_W = np.square(factor * np.sqrt(W) + beside) + across_sq
            moved, later = _moved(kernel, second.a[i], second.s_sq[i], second.P[i], second.Q[i],
                                  bias * steps.inner.part(i), moved, seen_W)
            moved, factor = moved + second.keep[i] * y, later * factor + second.keep[i]
            if inside is not None:
                W, factor = np.square(factor * np.sqrt(W) + later * beside) + np.square(later) * across_sq, 1.0
        if past is not None:
            # without noise the others stay on the ray where they started
            (y, along), seen = with_past(past, i, (y, along), (moved, factor * along), seen)
            W = start_W * np.square(along)
            continue
        y, W = moved, W * np.square(factor)
        if std:
            normals = draws.normal(2)
            normals *= std
            y += normals[0]
            W = np.square(np.sqrt(W) + normals[1]) + std**2 * draws.chi_sq(n - 1)
    return _positions(law, y, W, draws)


def with_past(past: Past, i: int, state: tuple, now: tuple, seen: tuple | None) -> tuple[tuple, tuple]:
    """(Next state, what this step saw): keep times the state, and what is seen now and was a step before."""
    found = tuple(past.keep[i] * each + past.now[i] * fresh for each, fresh in zip(state, now, strict=True))
    if past.before[i]:
        found = tuple(each + past.before[i] * old for each, old in zip(found, seen, strict=True))
    return found, now


def _moved(kernel: Shrinkage, a, s_sq, P, Q, bias: float, y, W):
    """P y + Q(s + bias) of the first coordinate, and by what the others are multiplied."""
    if not Q:
        return P * y, P
    s = np.sqrt(s_sq)
    shrinkage, score = kernel.moves(y / s, W / s**2, float(a), float(s_sq))
    moved = P * y
    moved += Q * (score + bias)
    return moved, P - Q * shrinkage


def _phase(law: Law, kernel: Shrinkage, rows: PhaseRows, bias: float, draws: Draws, start):
    """Position and velocity: W is a symmetric 2×2 matrix (xx, xv, vv)."""
    n = law.dim - 1
    if start is None:
        root = rows.roots[0]
        x, v = root @ draws.normal(2)
        W = _gram(root, draws, n)
    else:
        x, v = start[:, 0, 0].copy(), start[:, 1, 0].copy()
        rest = start[:, :, 1:]
        W = [np.einsum("pd,pd->p", rest[:, i], rest[:, j]) for i, j in ((0, 0), (0, 1), (1, 1))]
    for i in range(len(rows)):
        A = rows.linear[i]
        x, v, before = A[0, 0] * x + A[0, 1] * v, A[1, 0] * x + A[1, 1] * v, (x, v)
        B = A.ravel()
        if rows.scored[i]:
            (lx, lv), (cx, cv) = rows.split[i], rows.gain[i]
            energy = lx * lx * W[0] + (2 * lx * lv) * W[1] + lv * lv * W[2]
            shrinkage, score = kernel.moves(lx * before[0] + lv * before[1], energy, float(rows.ratios.a[i]),
                                            1.0)
            x += cx * score + rows.push[i, 0] * bias
            v += cv * score + rows.push[i, 1] * bias
            B = [A[0, 0] - (cx * lx) * shrinkage, A[0, 1] - (cx * lv) * shrinkage,
                 A[1, 0] - (cv * lx) * shrinkage, A[1, 1] - (cv * lv) * shrinkage]
        xx, xv, vv = W
        top_x, top_v = B[0] * xx + B[1] * xv, B[0] * xv + B[1] * vv
        low_x, low_v = B[2] * xx + B[3] * xv, B[2] * xv + B[3] * vv
        W = [B[0] * top_x + B[1] * top_v, B[2] * top_x + B[3] * top_v, B[2] * low_x + B[3] * low_v]
        root = rows.roots[i + 1]
        if not root.any():
            continue
        # two coordinates carry BWBᵀ, the others only their noise
        t_x = np.sqrt(W[0])
        t_v = W[1] / np.maximum(t_x, 1e-300)
        u_v = np.sqrt(np.maximum(W[2] - t_v * t_v, 0.0))
        if root[0, 0] == 0.0 and root[0, 1] == 0.0:
            r = root[1, 1]
            normals = draws.normal(3)
            normals *= r
            v += normals[0]
            t_v += normals[1]
            u_v += normals[2]
            W = [W[0], t_x * t_v, t_v * t_v + u_v * u_v + r * r * draws.chi_sq(n - 2)]
            continue
        normals = draws.normal(6)
        noise_x = root[0, 0] * normals[:3] + root[0, 1] * normals[3:]
        noise_v = root[1, 1] * normals[3:]
        x += noise_x[0]
        v += noise_v[0]
        t_x, t_v, u_x, u_v = t_x + noise_x[1], t_v + noise_v[1], noise_x[2], u_v + noise_v[2]
        extra = _gram(root, draws, n - 2)
        W = [t_x * t_x + u_x * u_x + extra[0], t_x * t_v + u_x * u_v + extra[1],
             t_v * t_v + u_v * u_v + extra[2]]
    return _positions(law, x, W[0], draws)


def _gram(root: np.ndarray, draws: Draws, n: int) -> list[np.ndarray]:
    """R Wishart_2(n) Rᵀ as (xx, xv, vv), by Bartlett's decomposition."""
    first, cross = np.sqrt(draws.chi_sq(n)), draws.normal(1)[0]
    aa, ab, bb = first * first, first * cross, cross * cross + draws.chi_sq(n - 1)
    (p, q), r = root[0], root[1, 1]
    return [p * p * aa + 2 * p * q * ab + q * q * bb, r * (p * ab + q * bb), r * r * bb]


def _positions(law: Law, first: np.ndarray, length_sq: np.ndarray, draws: Draws) -> np.ndarray:
    """The first coordinate, and a vector of this length in a uniform direction."""
    found = draws.normal(law.dim).T
    found[:, 0] = 0.0
    found *= np.sqrt(length_sq / np.square(found).sum(axis=1))[:, None]
    found[:, 0] = first
    return found
