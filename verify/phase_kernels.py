"""One row of a two-block sampler without its noise, in place, on positions and velocities held as (cells, 2d, size)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.phase_steps import PhaseSteps
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture
from verify.kernels import product
from verify.score_error import bias_vector


def phase_kernel_of(law: Gaussian | GaussianMixture, steps: PhaseSteps, size: float, direction):
    """The row of ``law`` in the frame where the covariance of its components is diagonal."""
    if not isinstance(law, Gaussian | GaussianMixture):
        raise TypeError(f"law must be a Gaussian or a GaussianMixture, got {type(law).__name__}")
    if len(steps) == 0:
        raise TypeError("steps must have at least one row")
    bias = bias_vector(law, size, direction)
    kernels = *steps.path.kernel(steps.clock[:-1]), steps.Q.any(axis=(1, 2))
    if isinstance(law, Gaussian):
        means, weights, spectrum, frame = law.mean[None], np.ones(1), law.eigenvalues, law.basis
    elif law.covariances is not None:
        return PhaseSeparate(law.means, law.weights, *np.linalg.eigh(law.covariances), bias, *kernels)
    elif law.std is not None:
        means, weights, spectrum, frame = law.means, law.weights, np.full(law.dim, law.std**2), None
    else:
        means, weights, (spectrum, frame) = law.means, law.weights, np.linalg.eigh(law.component_covariance)
    if frame is not None:
        means, bias = means @ frame, bias @ frame
    return PhaseShared(means, weights, np.broadcast_to(spectrum, (law.dim,)), frame, bias, *kernels)


def _precision(phi, S, variances, used: bool):
    """Entries xx, xv, vv of (S + λφφᵀ)⁻¹ for variances λ of any shape; 0 in a row that does not use the score."""
    xx, xv, vv = (S[i, j] + variances * (phi[i] * phi[j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    if not used:
        return np.zeros_like(xx), np.zeros_like(xx), np.zeros_like(xx), np.ones_like(xx)
    determinant = xx * vv - xv * xv
    if not determinant.min() > 0:
        raise ValueError("the score does not exist at a time where it is used: the law there is singular")
    return vv / determinant, -xv / determinant, xx / determinant, determinant


@dataclass(frozen=True)
class PhaseShared:
    """Components of one covariance, in ``frame`` diagonal with ``spectrum`` (d,): affine, softmax of ψᵀU."""

    means: np.ndarray
    weights: np.ndarray
    spectrum: np.ndarray
    frame: np.ndarray | None
    bias: np.ndarray
    phi: np.ndarray
    S: np.ndarray
    used: np.ndarray

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    @property
    def width(self) -> int:
        return 2 * max(self.means.shape)

    def constants(self, steps: PhaseSteps, i: int) -> tuple[np.ndarray, ...]:
        """Logits L_x x + L_v v + c, and U ← A U + b + G softmax, entry by entry of the two blocks."""
        phi, P, Q = self.phi[i], steps.P[i], steps.Q[i]
        xx, xv, vv, _ = _precision(phi, self.S[i], self.spectrum, self.used[i])
        pull = np.array([[xx, xv], [xv, vv]])
        psi = np.array([xx * phi[0] + xv * phi[1], xv * phi[0] + vv * phi[1]])
        A = P[:, :, None] - np.einsum("ij,jkd->ikd", Q, pull)
        gain = Q @ psi
        L = self.means * psi[:, None, :]
        logits = np.log(self.weights) - 0.5 * np.square(self.means) @ (phi @ psi)
        b = np.outer(Q[:, 1], self.bias)
        G = gain[:, :, None] * self.means.T
        if len(self.means) == 1:
            b, G, L = b + G[:, :, 0], G[:, :, :0], L[:, :0]
        column = (slice(None), None)
        return (
            *(A[j, k][column] for j in (0, 1) for k in (0, 1)), b[0][column], b[1][column], G[0], G[1], L[0], L[1],
            logits[column],
        )  # fmt: skip

    @staticmethod
    def advance(y: Any, constants: tuple, xp: Any) -> None:
        A_xx, A_xv, A_vx, A_vv, b_x, b_v, G_x, G_v, L_x, L_v, c = constants
        d = y.shape[1] // 2
        x, v = y[:, :d], y[:, d:]
        share = None
        if L_x.shape[0]:
            logits = product(L_x, x, xp) + product(L_v, v, xp)
            logits += c
            share = _softmax(logits, xp)
        moved = A_xv * v
        moved += b_x
        v *= A_vv
        v += A_vx * x
        v += b_v
        x *= A_xx
        x += moved
        if share is not None:
            x += product(G_x, share, xp)
            v += product(G_v, share, xp)


@dataclass(frozen=True)
class PhaseSeparate:
    """Components of unequal covariances vectors diag(values) vectorsᵀ."""

    means: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    bias: np.ndarray
    phi: np.ndarray
    S: np.ndarray
    used: np.ndarray
    frame: None = None

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    @property
    def width(self) -> int:
        return 2 * self.means.size

    def constants(self, steps: PhaseSteps, i: int) -> tuple[np.ndarray, ...]:
        """Offsets R U − φ m per component, their precision, logits, and U ← P U + b − Q Rᵀ (weighted pull)."""
        phi, P, Q = self.phi[i], steps.P[i], steps.Q[i]
        *precision, determinant = _precision(phi, self.S[i], self.values, self.used[i])
        R = np.swapaxes(self.vectors, 1, 2)
        m = np.einsum("cij,cj->ci", R, self.means)[:, :, None]
        c = (np.log(self.weights) - 0.5 * np.log(determinant).sum(axis=1))[:, None]
        b = np.outer(Q[:, 1], self.bias)[:, :, None]
        R = R.reshape(-1, self.dim)
        return R, R.T, phi[0] * m, phi[1] * m, *(p[:, :, None] for p in precision), c, P, Q, b[0], b[1]

    @staticmethod
    def advance(y: Any, constants: tuple, xp: Any) -> None:
        R, back, m_x, m_v, xx, xv, vv, c, P, Q, b_x, b_v = constants
        cells, rows, size = y.shape
        d = rows // 2
        x, v = y[:, :d], y[:, d:]
        shape = (cells, c.shape[0], d, size)
        gap_x = xp.reshape(product(R, x, xp), shape) - m_x
        gap_v = xp.reshape(product(R, v, xp), shape) - m_v
        pull_x, pull_v = xx * gap_x + xv * gap_v, xv * gap_x + vv * gap_v
        logits = c - 0.5 * xp.sum(gap_x * pull_x + gap_v * pull_v, axis=2)
        share = xp.expand_dims(_softmax(logits, xp), axis=2)
        s_x, s_v = (-product(back, xp.reshape(share * pull, (cells, -1, size)), xp) for pull in (pull_x, pull_v))
        moved = P[0, 0] * x + P[0, 1] * v + Q[0, 0] * s_x + Q[0, 1] * s_v + b_x
        v *= P[1, 1]
        v += P[1, 0] * x + Q[1, 0] * s_x + Q[1, 1] * s_v + b_v
        y[:, :d] = moved


def _softmax(logits: Any, xp: Any) -> Any:
    logits -= xp.max(logits, axis=1, keepdims=True)
    share = xp.exp(logits)
    share *= 1.0 / xp.sum(share, axis=1, keepdims=True)
    return share


class PhaseNoise:
    """The normals of two blocks: the velocity's first, and the position's own only where there is any.

    Parameters
    ----------
    steps : PhaseSteps
    score_noise : float
        L2 size of fresh noise in the velocity's score.
    dim : int
    always : bool
        Draw the position's normals even where they are not used.
    """

    def __init__(self, steps: PhaseSteps, score_noise: float, dim: int, always: bool):
        pushed = steps.Q[:, :, 1]
        noise = steps.noise + score_noise**2 / dim * pushed[:, :, None] * pushed[:, None, :]
        self._roots = [_root(covariance) for covariance in np.concatenate([steps.prior[None], noise])]
        self._dim, self._always = dim, always

    def start(self, draw: Any, xp: Any) -> Any:
        """Particles of the prior."""
        velocity, cross, own = self._roots[0]
        normals = draw(2 * self._dim)
        d = self._dim
        return xp.concat([cross * normals[:, :d] + own * normals[:, d:], velocity * normals[:, :d]], axis=1)

    def add(self, y: Any, draw: Any, i: int) -> None:
        """The noise of row i."""
        d, (velocity, cross, own) = self._dim, self._roots[i + 1]
        both = self._always or own > 0.0
        normals = draw(2 * d if both else d)
        if cross:
            y[:, :d] += cross * normals[:, :d]
        if own > 0.0:
            y[:, :d] += own * normals[:, d:]
        y[:, d:] += velocity * normals[:, :d]


def _root(covariance) -> tuple[float, float, float]:
    """(L_vv, L_xv, L_xx) with LLᵀ the covariance; a velocity without noise leaves all of it to the position."""
    velocity = float(np.sqrt(max(covariance[1, 1], 0.0)))
    cross = float(covariance[0, 1]) / velocity if velocity > 0.0 else 0.0
    left = float(covariance[0, 0]) - cross * cross
    # a difference: what rounding leaves of a singular covariance is no noise
    own = float(np.sqrt(left)) if left > 1e-14 * covariance[0, 0] else 0.0
    return velocity, cross, own
