r"""The envelope of the data as it shows in phase space: the two-block score's Hessian between c_lo and c_up.

Given :math:`U_t = \varphi X_0 + N(0, S)`, all that depends on the data is seen through one scalar channel of
size a and noise variance s², :math:`a^2/s^2 = q = \varphi^T S^{-1}\varphi`, in the direction
:math:`\omega \propto S^{-1}\varphi`: :math:`H(c) = H(c_{lo}) + x\,\omega\omega^T` with x the one-block excess
at (a², s²).
"""

from dataclasses import dataclass

import numpy as np

from bounds.steps.phase_space.path import outer


@dataclass(frozen=True)
class Channel:
    """What U_t says of X_0, at times of any shape (...).

    Attributes
    ----------
    a_sq, s_sq : arrays of shape (...)
        Size and noise variance of the scalar channel.
    phi, omega : arrays of shape (..., 2)
        φ, and ω = S⁻¹φ s²/a.
    S : array of shape (..., 2, 2)
    det_S, size : arrays of shape (...)
        det S, and φᵀadj(S)φ/a², which is v² at time 0.
    """

    a_sq: np.ndarray
    s_sq: np.ndarray
    phi: np.ndarray
    omega: np.ndarray
    S: np.ndarray
    det_S: np.ndarray
    size: np.ndarray

    def covariance_plus(self, variance):
        """(S + variance φφᵀ, its determinant): a sum of terms that are all positive."""
        matrix = self.S + outer(np.multiply(variance, 1.0)[..., None] * self.phi, self.phi)
        return matrix, self.det_S + variance * self.a_sq * self.size

    def hessian_floor(self, inverse_smoothness):
        """H(c_lo) = −(S + φφᵀ/L)⁻¹, shape (..., 2, 2)."""
        matrix, determinant = self.covariance_plus(inverse_smoothness)
        found = np.empty_like(matrix)
        found[..., 0, 0] = -matrix[..., 1, 1] / determinant
        found[..., 1, 1] = -matrix[..., 0, 0] / determinant
        found[..., 0, 1] = found[..., 1, 0] = matrix[..., 0, 1] / determinant
        return found


def channel(path, clock) -> Channel:
    r"""The channel at clock times >= 0 (any shape), free of cancellation down to 0.

    .. math:: \det S = \det C + v^2 \zeta^T \mathrm{adj}(C)\,\zeta, \quad
              \varphi^T \mathrm{adj}(S)\,\varphi = \varphi^T \mathrm{adj}(C)\,\varphi + v^2 \det\Phi^2, \quad
              \zeta = \Phi e_2.
    """
    clock = np.asarray(clock, dtype=float)
    decay, near, far, volume = path.columns(clock)
    C = path.covariance(clock)
    v_sq = path.velocity_variance * np.square(decay)
    adjoint = _adjoint_times(C, near)
    S = C + outer(v_sq[..., None] * far, far)
    det_C = C[..., 0, 0] * C[..., 1, 1] - np.square(C[..., 0, 1])
    det_S = det_C + v_sq * np.sum(_adjoint_times(C, far) * far, axis=-1)
    size = np.sum(adjoint * near, axis=-1) + v_sq * np.square(volume)
    turned = np.stack([far[..., 1], -far[..., 0]], axis=-1)
    # ω → e₁ and s² → 0 at time 0, also where V_0 = 0
    seen = np.where(size > 0, size, 1.0)
    omega = (adjoint + (v_sq * volume)[..., None] * turned) / seen[..., None]
    omega = np.where((size > 0)[..., None], omega, np.array([1.0, 0.0]))
    return Channel(np.square(decay), det_S / seen, decay[..., None] * near, omega, S, det_S, size)


def _adjoint_times(matrix, vector):
    """adj(M)x for symmetric 2×2 M."""
    x, v = vector[..., 0], vector[..., 1]
    return np.stack([matrix[..., 1, 1] * x - matrix[..., 0, 1] * v,
                     matrix[..., 0, 0] * v - matrix[..., 0, 1] * x], axis=-1)
