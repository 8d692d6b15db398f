"""The sampler as numbers: what one reverse step does at every grid time, shared by bound, exact law and sampler."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Steps:
    r"""Coefficients of ``k`` reverse steps that are affine in the score (state blocks: one).

    Step ``i`` goes from forward time ``time[i]`` down to ``time[i+1]``:

    .. math:: y \leftarrow P_i y + Q_i s(\mathrm{time}_i, y) + N(0, \mathrm{noise\_var}_i I).

    Parameters
    ----------
    time : array of shape (k+1,)
        Strictly decreasing forward times; ``time[0]`` is the horizon.
    P, Q, noise_var : arrays of shape (k,)
        Linear coefficient, score coefficient and noise variance of each step.
    a, s_sq : arrays of shape (k+1,)
        Forward law at ``time[i]``: :math:`X_t = a X_0 + s Z`.
    prior_var : float
        The sampler starts from N(0, prior_var I).
    """

    time: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    noise_var: np.ndarray
    a: np.ndarray
    s_sq: np.ndarray
    prior_var: float

    def __len__(self) -> int:
        return len(self.P)
