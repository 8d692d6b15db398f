r"""Samplers of the probability-flow ODE with two score evaluations a step, as data in Y = X/a and σ = s/a.

.. math:: \tilde Y = \pi Y - \kappa \varepsilon(Y, \tau), \qquad
          Y_r = k Y + g \tilde Y - K_2 \varepsilon(\tilde Y, m),

with :math:`\varepsilon = -s(t)` times the score; in the letters of docs/theory.md section 12 this is
:math:`\Pi = k + g \pi` and :math:`K_1 = g \kappa`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.path import Path

#: How far the square of a middle level may be off from the one asked for, relative, and rounds of Newton's method.
#: Sampler, claim and truth take the time that is found, and the level there: nothing rests on this.
MIDDLE, ROUNDS = 1e-14, 100


@dataclass(frozen=True)
class Levels:
    """What the coefficients of steps may be made of: arrays of shape (k,), or balls of one step.

    Attributes
    ----------
    tau, m, r : noise levels where the score is evaluated first, where it is next, and where the step ends.
    first, whole : τ − m and τ − r, without cancellation.
    a, a_m, a_r : a(t) at these levels.
    h, f, g_sq, f_r, g_r_sq : length of the step in time, and f and g² where it starts and where it ends.
    """

    tau: Any
    m: Any
    r: Any
    first: Any
    whole: Any
    a: Any
    a_m: Any
    a_r: Any
    h: Any
    f: Any = None
    g_sq: Any = None
    f_r: Any = None
    g_r_sq: Any = None


class Stages(NamedTuple):
    """The coefficients of a step: π and κ of the inner point, what is kept of Y, taken of Ỹ, and K_2."""

    pi: Any
    kappa: Any
    keep: Any
    again: Any
    weight: Any


#: Euler's step to the inner point, and nothing more.
EULER = {"keep": 0.0, "again": 1.0, "weight": 0.0}


@dataclass(frozen=True)
class TwoStages:
    """A sampler's step with two evaluations.

    Attributes
    ----------
    coefficients : callable
        `Levels` -> `Stages`, by arithmetic that arrays and balls know.
    middle : callable or None
        (τ, r) -> the noise level m of the second evaluation; None where it is at r.
    coefficients_of_time : bool
        Whether f and g² are used.
    euler_to_zero : bool
        Whether a step that ends at time 0 is Euler's: there is no score of the data to evaluate.
    churn : bounds.steps.churn.Churn or None
        Noise that is added before steps.
    """

    coefficients: Callable
    middle: Callable | None = None
    coefficients_of_time: bool = False
    euler_to_zero: bool = True
    churn: Any = None


@dataclass(frozen=True)
class Refinement:
    """The times of a grid and those of second evaluations together, decreasing; which of them each step has."""

    times: np.ndarray
    start: np.ndarray
    middle: np.ndarray
    end: np.ndarray
    euler: np.ndarray


@lru_cache(maxsize=32)
def _refined(process: ForwardProcess, times: bytes, stages: TwoStages) -> Refinement:
    grid = np.frombuffer(times)
    count = len(grid) - 1
    euler = np.zeros(count, dtype=bool)
    euler[-1] = stages.euler_to_zero and grid[-1] == 0.0
    between = ~euler if stages.middle else np.zeros(count, dtype=bool)
    inserted = _middle_times(process, grid, stages.middle, between) if between.any() else np.empty(0)
    refined = np.sort(np.concatenate([grid, inserted]))[::-1]
    start = np.arange(count) + np.append(0, np.cumsum(between)[:-1])
    return Refinement(refined, start, start + 1, start + 1 + between, euler)


def refined(process: ForwardProcess, times: np.ndarray, stages: TwoStages) -> Refinement:
    """The grid of every evaluation.

    The time of a second evaluation is a float, part of the question: m is the noise level there.

    Raises
    ------
    ValueError
        If a step is too short to have a time inside.
    """
    return _refined(process, np.ascontiguousarray(times, dtype=float).tobytes(), stages)


def _middle_times(process: ForwardProcess, times, middle: Callable, between) -> np.ndarray:
    """Where σ is what ``middle`` asks for, inside every step of some."""
    path = Path(process, times)
    level_sq = path.s_sq / np.square(path.a)
    ends_sq = level_sq[1:][between], level_sq[:-1][between]
    wanted = np.square(middle(np.sqrt(ends_sq[1]), np.sqrt(ends_sq[0])))
    return times_of_levels(process, times, (times[1:][between], times[:-1][between]), ends_sq, wanted)


def times_of_levels(process: ForwardProcess, times, ends, ends_sq, wanted) -> np.ndarray:
    """Where σ² is ``wanted``, by Newton's method on σ² inside brackets, all at once.

    Parameters
    ----------
    times : array of shape (k+1,)
        The grid.
    ends, ends_sq : pairs of arrays of shape (m,)
        Two times of the grid, the later last, between which to look, and σ² there.
    wanted : array of shape (m,)
    """
    (low, high), (low_sq, high_sq) = ends, ends_sq
    with np.errstate(divide="ignore", invalid="ignore"):
        t = low + (high - low) * np.nan_to_num((wanted - low_sq) / (high_sq - low_sq), nan=0.5)
    for _ in range(ROUNDS):
        t = np.where((low < t) & (t < high), t, low + (high - low) / 2)
        if not np.all((ends[0] < t) & (t < ends[1])):
            worst = int(np.argmin((ends[0] < t) & (t < ends[1])))
            raise ValueError("grid: every step must be long enough for a time inside, for the second evaluation, got "
                             f"one from t = {ends[1][worst]:.17g} to t = {ends[0][worst]:.17g}")
        path = Path(process, np.unique(np.concatenate([times, t]))[::-1])
        places = len(path.times) - 1 - np.searchsorted(path.times[::-1], t)
        a_sq = np.square(path.a[places])
        miss, slope = path.s_sq[places] / a_sq - wanted, process.g_sq_values(t) / a_sq
        done = (np.abs(miss) <= MIDDLE * wanted) | ~((low < t) & (t < high))
        if done.all():
            break
        low, high = np.where(miss < 0, t, low), np.where(miss < 0, high, t)
        with np.errstate(divide="ignore", invalid="ignore"):
            following = t - miss / slope
        # a step of Newton's that leaves the bracket is a halving; what is done stays
        inside = (low < following) & (following < high)
        t = np.where(done, t, np.where(inside, following, low + (high - low) / 2))
        low, high = np.where(done, ends[0], low), np.where(done, ends[1], high)
    return t
