r"""The split of position and velocity into signal and noise, by which a law of one block gives its score in
phase space.

Given X_0, U_t is N(φX_0, S). With q = φᵀS⁻¹φ and ψ = S⁻¹φ the two coordinates

.. math:: z = \psi^T U/\sqrt q = \sqrt q X_0 + N(0, I), \qquad z' = \varphi_\perp^T U/\sqrt{q \det S} \sim N(0, I)

are independent given X_0, and z' tells nothing about it.  So p_t is the density of √q X_0 + Z at z times a
Gaussian's at z',

.. math:: s_t(U) = L^T (s_z(z), -z'), \qquad L = (\psi/\sqrt q, \varphi_\perp/\sqrt{q\det S})^T, \quad L^T L = S^{-1},

free of the cancellation in :math:`-S^{-1} + c\psi\psi^T` at small t.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from closed_form.law import Law

__all__ = ["PhaseLaw"]


def whitening(phi: ArrayLike, S: ArrayLike) -> tuple[float, Array]:
    """(√q, L): the signal, and the 2×2 matrix that splits U into signal and noise.

    Parameters
    ----------
    phi : array of shape (2,)
    S : array of shape (2, 2)

    Raises
    ------
    ValueError
        If S is singular, as at t = 0, where there is no score.
    """
    phi, S = np.asarray(phi, dtype=float), np.asarray(S, dtype=float)
    determinant = S[0, 0] * S[1, 1] - S[0, 1] * S[1, 0]
    if not determinant > 0.0:
        raise ValueError(
            f"S must be positive definite (no score exists at t = 0), got determinant {determinant}"
        )
    psi = np.array([S[1, 1] * phi[0] - S[0, 1] * phi[1], S[0, 0] * phi[1] - S[0, 1] * phi[0]]) / determinant
    q = float(psi @ phi)
    across = np.array([-phi[1], phi[0]]) / math.sqrt(q * determinant)
    return math.sqrt(q), np.stack([psi / math.sqrt(q), across])


class PhaseLaw:
    """The law of U_t for data of any closed-form law.

    Parameters
    ----------
    law : Gaussian, GaussianMixture or Funnel
        Anything with ``dim`` and ``pushed(a, s_sq)``.
    phi : array of shape (2,)
    S : array of shape (2, 2)

    References
    ----------
    docs/theory.md section 8.
    """

    pushed: Any

    def __init__(self, law: Law, phi: ArrayLike, S: ArrayLike):
        self.signal, self.whitening = whitening(phi, S)
        self.dim, self.pushed = law.dim, law.pushed(self.signal, 1.0)

    def log_density(self, x: ArrayLike, v: ArrayLike) -> Array:
        """log p_t at positions and velocities of shape (n, d)."""
        z, rest = self._split(x, v)
        scale = self.dim * math.log(abs(np.linalg.det(self.whitening)) / math.sqrt(2.0 * math.pi))
        return self.pushed.log_density(z) - 0.5 * np.square(rest).sum(axis=1) + scale

    def score(self, x: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
        """(∇_x log p_t, ∇_v log p_t) at positions and velocities of shape (n, d)."""
        z, rest = self._split(x, v)
        pulled, L = self.pushed.score(z), self.whitening
        return L[0, 0] * pulled - L[1, 0] * rest, L[0, 1] * pulled - L[1, 1] * rest

    def _split(self, x, v):
        L, x, v = self.whitening, np.asarray(x, dtype=float), np.asarray(v, dtype=float)
        return L[0, 0] * x + L[0, 1] * v, L[1, 0] * x + L[1, 1] * v
