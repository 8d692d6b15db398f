"""What a sampler of position and velocity does between two evaluations of the score: its rows."""

from dataclasses import dataclass

import numpy as np

from bounds.steps.phase_space.path import PhasePath


@dataclass(frozen=True)
class Rows:
    """The rows of a sampler: clock times (k+1,), and P, Q, noise of shape (k, 2, 2).

    ``coupling`` is T of shape (k, 2, 2): the noise is written ∫ T e^{wB}Σ dB, w the clock distance to the
    row's lower end and B as named by ``noise_flow`` ("none": 0, "inverse": −A, "renormalised": Ã).
    """

    clock: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    noise: np.ndarray
    coupling: np.ndarray
    noise_flow: str


def euler_rows(path: PhasePath, clock, length, coupling) -> Rows:
    """Rows P = I − length·A and Q = noise = length·D, for lengths and amplitudes of the noise (k,)."""
    length = length[:, None, None]
    coupling = np.eye(2) * coupling[:, None, None]
    return Rows(clock, np.eye(2) - length * path.A, length * path.D, length * path.D, coupling, "none")


def reverse_flow_rows(path: PhasePath, times, score_weight) -> Rows:
    """Rows with P = Φ⁻¹ and the noise Φ⁻¹CΦ⁻ᵀ of the reverse process without its score.

    ``score_weight``: (clock lengths (k,), Φ⁻¹C (k, 2, 2)) -> Q of shape (k, 2, 2).
    """
    clock = path.clock(times)
    h = clock[:-1] - clock[1:]
    back = path.transition(-h)
    gain = back @ path.covariance(h)
    noise = gain @ np.swapaxes(back, 1, 2)
    unit = np.broadcast_to(np.eye(2), (len(h), 2, 2))
    return Rows(clock, back, score_weight(h, gain), (noise + np.swapaxes(noise, 1, 2)) / 2, unit, "inverse")
