r"""Churn: before a step noise is added, which raises its level from τ to τ̂ = τ(1 + γ), and the step starts
there.

.. math:: \gamma = S_{churn}/K \text{ where } S_{tmin} \le \tau \le S_{tmax}, \qquad
          Y \leftarrow Y + \sqrt{\hat\tau^2 - \tau^2}\, z, \quad z \sim N(0, I).

The steps are those of the sampler without churn, on grids of their own: one step's start may be above the
start of the step before it, so they are laid out in layers in which none overlaps another.

Source: Karras et al. 2022 (arXiv 2206.00364) algorithm 2, with S_noise = 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.parameters import Parameter
from bounds.steps.path import Path
from bounds.steps.rule import Rule
from bounds.steps.stages import MIDDLE, times_of_levels

#: Largest γ of a step, EDM's.
LARGEST = 2**0.5 - 1
#: What samplers with churn take.
PARAMETERS = (
    Parameter("churn", "S_churn of EDM: K times the share by which noise raises a step's level", 0.0,
              drawn=(0.5, 10.0)),
    Parameter("s_tmin", "least level that is raised", 0.0),
    Parameter("s_tmax", "largest level that is raised, below that of the horizon", np.inf),
    Parameter("s_noise", "S_noise of EDM", 1.0, least=1.0, most=1.0,
              why="1, as noise of another size does not lead to a law of the forward process"))


@dataclass(frozen=True)
class Churn:
    """S_churn, S_tmin and S_tmax of EDM."""

    amount: float
    least: float
    most: float

    def check(self, steps: int) -> None:
        """Refuse what raises a level by more than EDM does."""
        if self.amount > LARGEST * steps:
            raise ValueError(f"churn must be at most (√2 − 1) × steps = {LARGEST * steps:.6g}, got "
                             f"{self.amount:g}")


@dataclass(frozen=True)
class Churned:
    """The rule of a sampler at values of `PARAMETERS`, from the rule without churn."""

    rule: Rule

    def __call__(self, churn: float, s_tmin: float, s_tmax: float, s_noise: float) -> Rule:
        stages = replace(self.rule.stages, churn=Churn(churn, s_tmin, s_tmax) if churn else None)
        return replace(self.rule, stages=stages)


class Layer(NamedTuple):
    """Spans of time that do not overlap as one grid.

    ``times`` decrease, ``rows`` say at which of them the spans ``which`` start; the other steps are gaps.
    """

    times: np.ndarray
    rows: np.ndarray
    which: np.ndarray


def layers(upper, lower) -> Iterator[Layer]:
    """Spans from ``upper`` down to ``lower``, arrays of shape (k,), in as few layers as they come."""
    chains: list[list[int]] = []
    for span, top in enumerate(upper.tolist()):
        home = next((chain for chain in chains if lower[chain[-1]] >= top), None)
        if home is None:
            chains.append([span])
        else:
            home.append(span)
    for chain in chains:
        times: list[float] = []
        rows = []
        for span in chain:
            if not times or times[-1] > upper[span]:
                times.append(float(upper[span]))
            rows.append(len(times) - 1)
            times.append(float(lower[span]))
        yield Layer(np.array(times), np.array(rows), np.array(chain))


def raised_times(process: ForwardProcess, times, churn: Churn) -> np.ndarray:
    """Where every step starts, shape (k,): the times of its level after noise is added.

    They are floats, part of the question: τ̂ is the noise level there.

    Raises
    ------
    ValueError
        If a level would be raised above that of the horizon.
    """
    return _raised_times(process, np.ascontiguousarray(times, dtype=float).tobytes(), churn)


@lru_cache(maxsize=32)
def _raised_times(process: ForwardProcess, times: bytes, churn: Churn) -> np.ndarray:
    grid = np.frombuffer(times)
    churn.check(len(grid) - 1)
    path = Path(process, grid)
    level = np.sqrt(path.s_sq) / path.a
    tau = level[:-1]
    raised = (churn.least <= tau) & (tau <= churn.most)
    wanted = tau * np.where(raised, 1 + churn.amount / len(tau), 1.0)
    worst = int(np.argmax(wanted))
    if wanted[worst] > level[0] * (1 + MIDDLE):
        raise ValueError("s_tmax must be so small that no level is raised above that of the horizon, "
                         f"{level[0]:.6g}, got {churn.most:g}, by which {tau[worst]:.6g} is raised to "
                         f"{wanted[worst]:.6g}")
    # the interval of the grid that holds the level, and ends of it that are the level
    above = np.clip(len(level) - 1 - np.searchsorted(level[::-1], wanted), 0, len(tau) - 1)
    found = grid[:-1].copy()
    for end in (above, above + 1):
        near = raised & (np.abs(wanted / np.maximum(level[end], 1e-300) - 1) <= MIDDLE)
        found[near] = grid[end][near]
        raised = raised & ~near
    if raised.any():
        inside = above[raised]
        found[raised] = times_of_levels(process, grid, (grid[inside + 1], grid[inside]),
                                        np.square(level[[inside + 1, inside]]), np.square(wanted[raised]))
    return found
