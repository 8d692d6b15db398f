r"""Score errors as users have them: of the score, the noise, the denoiser or the velocity, one or one a step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from bounds.annotations import Array
from bounds.argument import check_key
from bounds.symbolic.deadline import attempt

#: What the error may be one of: :math:`s_t`, :math:`\varepsilon = -s(t) s_t`, :math:`E[X_0 | X_t]`, and the
#: velocity :math:`E[Z - X_0 | X_t]` of flow matching.
UNITS = ("score", "epsilon", "denoiser", "velocity")

#: How near a process's coefficients are to those of flow matching, at two times, where sympy is asked whether they are
#: the same, and for how long.
ALIKE, SECONDS = 1e-9, 2.0

_Steps = TypeVar("_Steps", bound=Any)


@dataclass(frozen=True, init=False)
class ScoreError:
    r"""L2 sizes of the score error, of what a network predicts, at the iterates.

    With a and s² those of the time of an evaluation an error of size M of the score is one of size sM of the
    predicted noise ("epsilon"), s²M/a of the denoiser and sM/a of the velocity of flow matching.  Of samplers
    with two evaluations a step it is the size of both.

    Parameters
    ----------
    sizes : float or sequence of float
        One for all steps, or one for each, each at least 0.
    unit : str
        Of `UNITS`.

    Raises
    ------
    ValueError, TypeError
        If a size is negative or not finite, or the unit unknown.

    Source: docs/theory.md sections 4 and 12.
    """

    sizes: float | tuple[float, ...]
    unit: str = "score"

    def __init__(self, sizes: float | Iterable[float], unit: str = "score") -> None:
        check_key("score_error_in", unit, UNITS)
        if isinstance(sizes, bool) or not isinstance(sizes, Real | list | tuple | np.ndarray):
            raise TypeError(f"score_error must be a number >= 0, or a list of one for each step, got {sizes!r:.80}")
        one = isinstance(sizes, Real) or np.ndim(sizes) == 0
        given = [sizes] if one else list(sizes)
        if not given:
            raise ValueError("score_error must be a number >= 0, or a list of one for each step, got an empty list")
        for place, size in enumerate(given):
            if isinstance(size, bool) or not isinstance(size, Real):
                raise TypeError(f"score_error must be made of numbers >= 0, got {size!r:.80} at place {place}")
            if not 0 <= float(size) < math.inf:
                raise ValueError(f"score_error must be >= 0 and finite, got {float(size)}"
                                 + ("" if one else f" at place {place}"))
        values = tuple(float(size) for size in given)
        self.__dict__.update(sizes=values[0] if one else values, unit=unit)

    def __bool__(self) -> bool:
        return self.largest > 0

    def __str__(self) -> str:
        if isinstance(self.sizes, float):
            return f"{self.sizes:g} of the {self.unit}"
        least = "" if min(self.sizes) == self.largest else f"{min(self.sizes):g} to "
        return f"{least}{self.largest:g} of the {self.unit}, one for each of {len(self.sizes)} steps"

    @property
    def largest(self) -> float:
        """The largest size, in its own unit."""
        return self.sizes if isinstance(self.sizes, float) else max(self.sizes)

    @property
    def count(self) -> int | None:
        """Of how many steps it says the size; None where one size is all."""
        return None if isinstance(self.sizes, float) else len(self.sizes)

    def at(self, a: Array, s_sq: Array) -> Array:
        """M at evaluations where the forward law has these a and s², one a step: the error as one of the score.

        0 where there is no noise: no score is asked for there, but in units of its own.
        """
        sizes = np.broadcast_to(np.asarray(self.sizes, dtype=float), np.shape(a))
        if self.unit == "score":
            return sizes
        a, s_sq = np.asarray(a, dtype=float), np.asarray(s_sq, dtype=float)
        weight = {"epsilon": 1.0, "velocity": a, "denoiser": a / np.sqrt(np.where(s_sq > 0, s_sq, 1.0))}[self.unit]
        return np.where(s_sq > 0, sizes * weight / np.sqrt(np.where(s_sq > 0, s_sq, 1.0)), 0.0)

    def after_first(self) -> ScoreError:
        """Those of the steps after the first, which asks for no score where a(T) = 0 and so has no error.

        Raises
        ------
        ValueError
            If the first of a list is not 0.
        """
        if isinstance(self.sizes, float):
            return self
        if self.sizes[0] != 0:
            raise ValueError("score_error must be 0 at place 0, where a(T) = 0: that step goes to the data's mean and asks "
                             f"for no score, got {self.sizes[0]:g}")
        return ScoreError(self.sizes[1:], self.unit)

    def table(self) -> dict[str, Any]:
        """What a problem file says of it."""
        sizes = self.sizes if isinstance(self.sizes, float) else list(self.sizes)
        return {"score_error": sizes} | ({} if self.unit == "score" else {"score_error_in": self.unit})

    def check(self, process: Any, steps: int) -> None:
        """Refuse a process it is not for, or another number of steps.

        Raises
        ------
        ValueError
        """
        if process.blocks == 2:
            what = "score_error" if self.unit == "score" else "score_error_in"
            asked = "one number" if self.unit == "score" else "'score'"
            raise ValueError(f"{what} must be {asked} on a process of two blocks, got "
                             f"{self.count if self.unit == 'score' else repr(self.unit)}"
                             + (" of them" if self.unit == "score" else ""))
        if self.count not in (None, steps):
            raise ValueError(f"score_error must be one number, or one for each of the {steps} steps, got {self.count}")
        if self.unit == "velocity" and not _is_flow_matching(process):
            raise ValueError("score_error_in must be score, epsilon or denoiser unless a + s = 1 (flow-matching), got "
                             f"'velocity' on {process.name}")


def read_error(sizes: Any, unit: str = "score") -> Any:
    """A score error as it is given: a number of the score stays one, a batch of them (an array) too.

    Raises
    ------
    ValueError, TypeError
        As `ScoreError`.
    """
    if isinstance(sizes, ScoreError):
        if unit != "score":
            raise ValueError(f"score_error_in must be left out where score_error is a ScoreError, got {unit!r}")
        return sizes if sizes.unit != "score" or sizes.count else sizes.sizes
    check_key("score_error_in", unit, UNITS)
    if isinstance(sizes, list | tuple) or unit != "score":
        return ScoreError(sizes, unit)
    return sizes


def on_steps(error: Any, steps: _Steps) -> tuple[Any, _Steps]:
    """(The largest M as a number, the steps with the share of it that each evaluation has): numbers stay as they
    are."""
    if not isinstance(error, ScoreError):
        return error, steps
    if steps.from_mean and error.count == len(steps) + 1:
        error = error.after_first()
    if steps.blocks == 2 or error.count not in (None, len(steps)):
        wanted = "one number on a process of two blocks" if steps.blocks == 2 else (
            f"one number, or one for each of the {len(steps)} steps")
        raise ValueError(f"score_error must be {wanted}, got {error}")
    first = error.at(steps.a[:-1], steps.s_sq[:-1])
    second = None if steps.second is None else error.at(steps.second.a, steps.second.s_sq)
    largest = float(max(np.max(first), 0.0 if second is None else np.max(second)))
    if not largest > 0:
        return 0.0, steps
    if second is not None:
        steps = replace(steps, second=replace(steps.second, share=second / largest))
    return largest, replace(steps, share=first / largest)


@lru_cache(maxsize=64)
def _is_flow_matching(process: Any) -> bool:
    """Whether a(t) = 1 − t and s(t) = t."""
    import sympy

    from bounds.processes.flow_matching import flow_matching

    known = flow_matching()
    if process.name == known.name:
        return True
    t = np.array([0.3, 0.6])
    try:
        alike = all(np.allclose(mine(t), its(t), rtol=ALIKE, atol=0.0) for mine, its in (
            (process.f_values, known.f_values), (process.g_sq_values, known.g_sq_values)))
    except ValueError:  # no values there
        return False
    if not alike:
        return False
    pairs = (process.f, known.f), (process.g_sq, known.g_sq)
    return attempt(lambda: all(sympy.simplify(one - other) == 0 for one, other in pairs), False, SECONDS)
