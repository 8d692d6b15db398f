"""How far a score is from the exact one along the iterates of the sampler that it drives, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bounds.annotations import Array
from bounds.steps.affine import Steps
from closed_form.law import Law
from verify.lower_sides.confidence import FEW, checked_delta, student_upper
from verify.particles.simulation import sample

#: Squared errors (steps × particles) held in memory, at most.
MOST_SQUARES = 1 << 26


@dataclass(frozen=True, eq=False)
class ScoreErrors:
    """L2 errors of a score along the sampler's own iterates, one a step.

    Attributes
    ----------
    sizes : array of shape (k,)
        Upper limits of (E‖score − s_t‖²)^{1/2}: all of them hold at once with probability 1 − ``delta``,
        asymptotically in the number of samples.
    estimates : array of shape (k,)
        The same without confidence.
    delta : float
    samples : int
    """

    sizes: Array
    estimates: Array
    delta: float
    samples: int

    @property
    def largest(self) -> float:
        """The one size M that a theorem for all steps needs."""
        return float(self.sizes.max())


@dataclass
class _Compared:
    """A score that keeps the squares of its errors at every step."""

    score: Callable
    law: Law
    steps: Steps
    squares: list = field(default_factory=list)

    def __post_init__(self):
        self._place = {float(time): i for i, time in enumerate(self.steps.time)}
        self.squares = [[] for _ in range(len(self.steps))]

    def __call__(self, x, time: float):
        found, i = self.score(x, time), self._place[time]
        exact = self.law.pushed(float(self.steps.a[i]), float(self.steps.s_sq[i])).score(x)
        self.squares[i].append(np.square(np.asarray(found, dtype=float) - exact).sum(axis=1))
        return found


def score_error_of(score: Callable[[Any, float], Any], law: Law, steps: Steps, n: int = 4096, seed: int = 0,
                   *, delta: float = 1e-3) -> ScoreErrors:
    """L2 errors of a score at the iterates of the sampler that it drives itself.

    Parameters
    ----------
    score : callable
        ``score(x, t)``: particles (n, d) and the forward time -> scores (n, d).
    law : Law
        The data, with its exact score.
    steps : Steps
        Of a process of one block.
    n : int
        Particles, at least 100; steps times particles are at most 2²⁶.
    seed : int
    delta : float
        Probability that some size is too small, shared by all steps.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    """
    delta = checked_delta(delta)
    if not FEW <= n <= MOST_SQUARES // max(len(steps), 1):
        raise ValueError(f"n must be between {FEW} and {MOST_SQUARES // max(len(steps), 1)} for {len(steps)} steps, "
                         f"got {n}")
    compared = _Compared(score, law, steps)
    sample(law, steps, n, seed, score=compared)
    squares = [np.concatenate(each)[:n] if each else np.zeros(n) for each in compared.squares]
    sizes = [np.sqrt(student_upper(each, delta / len(steps))) if each.any() else 0.0 for each in squares]
    return ScoreErrors(np.array(sizes), np.array([np.sqrt(each.mean()) for each in squares]), delta, n)
