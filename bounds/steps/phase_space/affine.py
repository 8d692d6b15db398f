"""A sampler in phase space as numbers: what one reverse step does to position and velocity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.steps.phase_space.path import PhasePath


@dataclass(frozen=True)
class PhaseSteps:
    r"""Coefficients of ``k`` reverse steps that are affine in the score; every 2×2 matrix acts as (2×2) ⊗ I_d.

    Row ``i`` goes from forward clock time ``clock[i]`` down to ``clock[i+1]``:

    .. math:: y \leftarrow P_i y + Q_i s(\mathrm{clock}_i, y) + N(0, \mathrm{noise}_i \otimes I).

    A splitting has its kicks inside the grid's steps: its rows are the maps between them, and the first half
    flow and the last are rows of their own.

    Parameters
    ----------
    path : PhasePath
    clock : array of shape (k+1,)
        Strictly decreasing clock times ∫β.
    P, Q, noise : arrays of shape (k, 2, 2)
    prior : array of shape (2, 2)
        The sampler starts from N(0, prior ⊗ I).
    """

    path: PhasePath
    clock: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    noise: np.ndarray
    prior: np.ndarray

    def __len__(self) -> int:
        return len(self.P)
