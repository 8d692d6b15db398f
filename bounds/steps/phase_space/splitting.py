r"""Splittings of the reverse flow of position and velocity, as coefficient lists.

A splitting solves dU = ÃU dt + Σ dB, with :math:`\tilde A = \Sigma_\infty A^T \Sigma_\infty^{-1}`, in parts,
and adds the score by kicks :math:`U \mathrel{+}= h D(s + \Sigma_\infty^{-1}U)`.  Parts of the flow, each
solved exactly: "flow" (all of it), "drift" (position by velocity), "force" (velocity by position), "friction"
(the diagonal, with the noise).
"""

from dataclasses import dataclass

import numpy as np

from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows


@dataclass(frozen=True)
class Splitting:
    """A splitting as a list of coefficients; called with a path and times it gives its rows.

    Attributes
    ----------
    before, after : tuple of (part, fraction)
        What a step does before and after its kick; every part's fractions sum to 1 over the step.
    score_at : float or None
        Fraction of the step whose time the score is asked at; None for that of the kick, where the state is.
    """

    before: tuple
    after: tuple
    score_at: float | None = None

    @property
    def kick_at(self) -> float:
        """Fraction of the step at which the score is evaluated."""
        return max((fraction for _, fraction in self.before), default=0.0)

    @property
    def in_time(self) -> bool:
        """Whether the score is asked at the time where the state is."""
        return self.score_at is None or self.score_at == self.kick_at

    def __call__(self, path: PhasePath, times, silent: bool = False) -> Rows:
        """The rows on a grid of decreasing times: from kick to kick, and the first and last half flow; if ``silent``
        no part of the last step has noise."""
        clock = path.clock(times)
        h = clock[:-1] - clock[1:]
        unit = np.eye(2)
        noisy = np.ones((len(h), 1, 1))
        noisy[-1] = 0.0 if silent else 1.0
        kick = h[:, None, None] * path.D
        start = unit + kick @ np.linalg.inv(path.stationary)
        # a row: the kick of one step, what follows it, and what precedes the kick of the next
        found = _composed(path, self.after, h, noisy, start, kick, np.zeros_like(kick))
        ends = clock[1:]
        if self.before:
            zero = np.zeros((1, 2, 2))
            first = _composed(path, self.before, h[:1], noisy[:1], unit[None], zero, zero)
            later = _composed(path, self.before, h[1:], noisy[1:], *(matrix[:-1] for matrix in found))
            found = [np.concatenate([one, two, three[-1:]])
                     for one, two, three in zip(first, later, found, strict=True)]
            ends = np.concatenate([clock[:-1] - self.kick_at * h, clock[-1:]])
        P, Q, noise = found
        clock = np.concatenate([clock[:1], ends])
        _, exact = part(path, "flow", clock[:-1] - clock[1:])
        return Rows(clock, P, Q, noise, _lower_root(noise) @ np.linalg.inv(_lower_root(exact)),
                    "renormalised")


def part(path: PhasePath, name: str, length):
    """(map, noise covariance) of one part over clock distances of shape (k,): arrays of shape (k, 2, 2)."""
    length = np.asarray(length, dtype=float)
    drift = path.renormalised_drift
    moved, noise = np.tile(np.eye(2), (len(length), 1, 1)), np.zeros((len(length), 2, 2))
    if name == "flow":
        nilpotent = path.renormalised_nilpotent
        moved = path.transition(length, nilpotent)
        i0, i1, i2 = (moment[:, None, None] for moment in path.moments(length))
        turned = nilpotent @ path.D
        noise = i0 * path.D + i1 * (turned + turned.T) + i2 * (turned @ nilpotent.T)
    elif name == "drift":
        moved[:, 0, 1] = length * drift[0, 1]
    elif name == "force":
        moved[:, 1, 0] = length * drift[1, 0]
    elif name == "friction":
        for i in (0, 1):
            rate = drift[i, i]
            moved[:, i, i] = np.exp(rate * length)
            grown = length if rate == 0 else np.expm1(2 * rate * length) / (2 * rate)
            noise[:, i, i] = path.D[i, i] * grown
    else:
        raise ValueError(f"part must be flow, drift, force or friction, got {name!r}")
    return moved, noise


def _composed(path, parts, h, noisy, P, Q, noise):
    for name, fraction in parts:
        moved, added = part(path, name, fraction * h)
        P, Q, noise = moved @ P, moved @ Q, moved @ noise @ np.swapaxes(moved, 1, 2) + noisy * added
    return P, Q, noise


def _lower_root(matrix):
    """L with LLᵀ = matrix and L_vx = 0; the velocity has noise unless nothing has, the position need not."""
    found = np.zeros_like(matrix)
    found[:, 1, 1] = np.sqrt(matrix[:, 1, 1])
    found[:, 0, 1] = np.divide(matrix[:, 0, 1], found[:, 1, 1], out=np.zeros_like(found[:, 1, 1]),
                               where=found[:, 1, 1] > 0)
    found[:, 0, 0] = np.sqrt(np.maximum(matrix[:, 0, 0] - np.square(found[:, 0, 1]), 0.0))
    return found
