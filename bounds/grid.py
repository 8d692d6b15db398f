"""The times at which a sampler evaluates the score, shared by bound, exact law and sampler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array, Count
from bounds.value import Value

#: More steps than this are refused: the arrays would not fit in memory.
MAX_STEPS = 10_000_000


def _positive(name: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a positive number, got {value!r}")
    if not np.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be positive and finite, got {value}")
    return float(value)


def _count(name: str, value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number >= 1, got {value!r}")
    if not 1 <= value <= MAX_STEPS:
        raise ValueError(f"{name} must be between 1 and {MAX_STEPS}, got {value}")
    return int(value)


def _early_stop(early_stop, horizon: float) -> float:
    if isinstance(early_stop, bool) or not isinstance(early_stop, int | float | np.integer | np.floating):
        raise TypeError(f"early_stop must be a number in [0, horizon), got {early_stop!r}")
    if not 0 <= early_stop < horizon:
        raise ValueError(f"early_stop must lie in [0, horizon) = [0, {horizon:g}), got {early_stop}")
    return float(early_stop)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class TimeGrid(Value):
    """Strictly decreasing forward times from the horizon down to the early-stopping time.

    Parameters
    ----------
    times : array of shape (k+1,)
        The first is the horizon T, the last the early-stopping time (0 for none).
    kind : str
        "uniform", "geometric", "quadratic", "shift", "list", or of noise levels (`verify.levels`) "rho" or
        "sigmas": how it was made.
    made : mapping
        For "shift" and grids of noise levels, what they were made of; all it decides is in the times, so it is not
        compared.
    copy : bool
        False for an array that nobody else will write to: it becomes read-only.

    Raises
    ------
    ValueError
        If the times are not finite, not strictly decreasing, or end below zero.
    """

    times: Array = field(repr=False)
    kind: str = "list"
    made: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)

    def __init__(self, times: ArrayLike, kind: str = "list", made: Mapping[str, Any] = MappingProxyType({}),
                 copy: bool = True) -> None:
        times = np.array(times, dtype=float) if copy else np.asarray(times, dtype=float)
        if times.ndim != 1 or len(times) < 2:
            raise ValueError(f"grid must be a list of at least two times, got shape {times.shape}")
        if not np.all(np.isfinite(times)):
            raise ValueError("grid must hold finite times only")
        if np.any(rises := times[1:] >= times[:-1]):
            at = int(np.argmax(rises))
            raise ValueError(f"grid must decrease strictly, got {times[at]:g} then {times[at + 1]:g}")
        if times[-1] < 0:
            raise ValueError(f"grid must end at a time >= 0, got {times[-1]:g}")
        times.setflags(write=False)
        self.__dict__.update(times=times, kind=kind, made=made)

    def __repr__(self):
        stop = f", early_stop={self.early_stop:g}" if self.early_stop else ""
        return f"<{self.kind} grid, T={self.horizon:g}, {self.steps} steps{stop}>"

    @classmethod
    def uniform(cls, horizon: float, steps: Count, early_stop: float = 0.0) -> TimeGrid:
        """``steps`` equal steps from ``horizon`` down to ``early_stop``."""
        horizon, steps = _positive("horizon", horizon), _count("steps", steps)
        times = np.linspace(horizon, _early_stop(early_stop, horizon), steps + 1)
        return cls(times, "uniform", copy=False)

    @classmethod
    def geometric(cls, horizon: float, steps: Count, early_stop: float = 0.0,
                  smallest: float | None = None) -> TimeGrid:
        """Times in geometric progression down to ``early_stop``; without one, to ``smallest`` and then 0.

        ``smallest`` defaults to 1e-3 × horizon.
        """
        horizon, steps = _positive("horizon", horizon), _count("steps", steps)
        stop = _early_stop(early_stop, horizon)
        if stop > 0:
            return cls(np.append(np.geomspace(horizon, stop, steps + 1)[:-1], stop), "geometric")
        smallest = 1e-3 * horizon if smallest is None else _positive("smallest", smallest)
        if smallest >= horizon:
            raise ValueError(f"smallest must be below the horizon {horizon:g}, got {smallest:g}")
        return cls(np.append(np.geomspace(horizon, smallest, steps), 0.0), "geometric")

    @classmethod
    def quadratic(cls, horizon: float, steps: Count, early_stop: float = 0.0) -> TimeGrid:
        """Equal steps of √t from ``horizon`` down to ``early_stop``, as DDIM's quadratic striding has them.

        Source: Song, Meng and Ermon 2021 (arXiv 2010.02502) appendix D.2, τ_i = ⌊c i²⌋ without its rounding.
        """
        horizon, steps = _positive("horizon", horizon), _count("steps", steps)
        stop = _early_stop(early_stop, horizon)
        times = np.square(np.linspace(np.sqrt(horizon), np.sqrt(stop), steps + 1))
        times[[0, -1]] = horizon, stop
        return cls(times, "quadratic", copy=False)

    @classmethod
    def shifted(cls, horizon: float, steps: Count, early_stop: float = 0.0, *, shift: float) -> TimeGrid:
        r"""Equal steps of x, :math:`t = T s x / (1 + (s - 1) x)`, from ``horizon`` down to ``early_stop``.

        With the shift s > 1 steps are shorter near the horizon; it is 3 in Stable Diffusion 3 and e^μ in FLUX.  On
        flow matching with T = 1 the noise level t/(1 − t) of every x is s times as high.

        Source: Esser et al. 2024 (arXiv 2403.03206) eq. (23).
        """
        horizon, steps, shift = _positive("horizon", horizon), _count("steps", steps), _positive("shift", shift)
        stop = _early_stop(early_stop, horizon)
        last = stop / horizon
        x = np.linspace(1.0, last / (shift - (shift - 1) * last), steps + 1)
        times = horizon * (shift * x / (1 + (shift - 1) * x))
        times[[0, -1]] = horizon, stop
        return cls(times, "shift", MappingProxyType({"shift": shift}), copy=False)

    @classmethod
    def from_times(cls, times: ArrayLike) -> TimeGrid:
        """Any strictly decreasing list of times."""
        return cls(np.asarray(times, dtype=float), "list")

    @property
    def horizon(self) -> float:
        return float(self.times[0])

    @property
    def early_stop(self) -> float:
        return float(self.times[-1])

    @property
    def steps(self) -> int:
        return len(self.times) - 1
