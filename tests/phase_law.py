"""The law of position and velocity of any data law, from its one-block law: what samples and scores are held
against."""

from __future__ import annotations

import math

import numpy as np

from closed_form.sampler_laws.phase_space.score import whitening


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

    def __init__(self, law, phi, S):
        self.signal, self.whitening = whitening(phi, S)
        self.dim, self.pushed = law.dim, law.pushed(self.signal, 1.0)

    def log_density(self, x, v) -> np.ndarray:
        """log p_t at positions and velocities of shape (n, d)."""
        z, rest = self._split(x, v)
        scale = self.dim * math.log(abs(np.linalg.det(self.whitening)) / math.sqrt(2.0 * math.pi))
        return self.pushed.log_density(z) - 0.5 * np.square(rest).sum(axis=1) + scale

    def score(self, x, v) -> tuple[np.ndarray, np.ndarray]:
        """(∇_x log p_t, ∇_v log p_t) at positions and velocities of shape (n, d)."""
        z, rest = self._split(x, v)
        pulled, L = self.pushed.score(z), self.whitening
        return L[0, 0] * pulled - L[1, 0] * rest, L[0, 1] * pulled - L[1, 1] * rest

    def _split(self, x, v):
        L, x, v = self.whitening, np.asarray(x, dtype=float), np.asarray(v, dtype=float)
        return L[0, 0] * x + L[0, 1] * v, L[1, 0] * x + L[1, 1] * v
