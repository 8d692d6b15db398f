"""How far a score is from the exact one along the iterates of the sampler that it drives, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bounds.annotations import Array
from bounds.steps.affine import Steps
from closed_form.law import Law
from closed_form.sampler_laws.phase_space.score import PhaseLaw
from verify.lower_sides.confidence import FEW, checked_delta, student_upper
from verify.particles.own_phase_score import scores_of, uses_position
from verify.particles.own_score import checked_shape
from verify.particles.simulation import sample

#: Squared errors (steps × particles) held in memory, at most.
MOST_SQUARES = 1 << 26


@dataclass(frozen=True, eq=False)
class ScoreErrors:
    """L2 errors of a score along the sampler's own iterates, one a step.

    Attributes
    ----------
    sizes : array of shape (k,)
        Upper limits of (E‖score − s_t‖²)^{1/2}, one a step (a row, in phase space): all of them hold at once
        with probability 1 − ``delta``, asymptotically in the number of samples.
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
        squares = [np.square(np.asarray(own, dtype=float) - exact).sum(axis=1)
                   for own, exact in self._pairs(x, found, i)]
        self.squares[i].append(sum(squares))
        return found

    def _pairs(self, x, found, i: int) -> list:
        """(Own, exact) scores of the blocks whose score the sampler uses."""
        a, s_sq = self.steps.a[i], self.steps.s_sq[i]
        if self.steps.blocks == 1:
            return [(checked_shape(found, x), self.law.pushed(float(a), float(s_sq)).score(x))]
        own = scores_of(found, x, uses_position(self.steps))
        exact = PhaseLaw(self.law, a, s_sq).score(x[:, 0], x[:, 1])
        return [pair for pair in zip(own, exact, strict=True) if pair[0] is not None]


def score_error_of(score: Callable[[Any, float], Any], law: Law, steps: Steps, n: int = 4096, seed: int = 0,
                   *, delta: float = 1e-3) -> ScoreErrors:
    """L2 errors of a score at the iterates of the sampler that it drives itself.

    Parameters
    ----------
    score : callable
        As of `verify.particles.simulation.sample`: ``score(x, t)``, or in phase space ``score(y, t)``.
    law : Law
        The data, with its exact score.
    steps : Steps
        In phase space a row that uses no score has error 0, and what counts is the error of the blocks whose
        score the sampler uses: for ε = 0 the velocity's.
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
    if steps.second is not None:
        raise ValueError("steps must evaluate the score once a step: sizes are those at the iterates, not at the inner "
                         "points of two evaluations")
    if not FEW <= n <= MOST_SQUARES // max(len(steps), 1):
        raise ValueError(f"n must be between {FEW} and {MOST_SQUARES // max(len(steps), 1)} for {len(steps)} steps, "
                         f"got {n}")
    compared = _Compared(score, law, steps)
    sample(law, steps, n, seed, score=compared)
    squares = [np.concatenate(each)[:n] if each else np.zeros(n) for each in compared.squares]
    sizes = [np.sqrt(student_upper(each, delta / len(steps))) if each.any() else 0.0 for each in squares]
    return ScoreErrors(np.array(sizes), np.array([np.sqrt(each.mean()) for each in squares]), delta, n)
