"""The question a theorem is asked: process, data assumption, sampler, score error, and what else is known of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bounds.assumption import Assumption
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.phase_space.table import PhaseTable
from bounds.steps.table import StepTable


@dataclass(frozen=True)
class DataFacts:
    """What is known of the data beyond the assumption, for laws in closed form.

    Attributes
    ----------
    moments : object with ``at(q)``, or None
        Mean and mean square of the posterior covariance above c_lo (the MMSE curve and its derivative).
    gaussian_spectrum : (mean, variances), or None
        Mean (d,) and covariance eigenvalues (d,) with the mean in the eigenbasis, if the data are Gaussian.
    distance_to_gaussian : callable, or None
        v -> an upper bound of W2(p_0, N(0, v I)).
    time_regularity : callable, or None
        `bounds.steps.path.Path` -> the constant M1 of arXiv 2311.11003, Assumption 2.
    """

    moments: Any = None
    gaussian_spectrum: tuple | None = None
    distance_to_gaussian: Callable[[float], float] | None = None
    time_regularity: Callable | None = None


@dataclass(frozen=True)
class Setting:
    """A question: this process, this data assumption, this sampler, this score error.

    Parameters
    ----------
    process : ForwardProcess
    assumption : Assumption
        Constants may be arrays that broadcast against each other: one evaluation then bounds them all.
    scheme : Scheme
    score_error : float
        M: L2 size of the score error at the iterates.
    score_noise : float
        L2 size of the part of the score error that has mean zero given the past at every step.
    facts : DataFacts
        What is known of the data beyond the assumption.

    Raises
    ------
    ValueError
        If a score error is negative or not finite.
    """

    process: ForwardProcess
    assumption: Assumption
    scheme: Scheme
    score_error: float = 0.0
    score_noise: float = 0.0
    facts: DataFacts = field(default_factory=DataFacts)

    def __post_init__(self):
        for name in ("score_error", "score_noise"):
            value = np.asarray(getattr(self, name), dtype=float)
            if not np.all(np.isfinite(value)) or np.any(value < 0):
                raise ValueError(f"{name} must be >= 0 and finite, got {getattr(self, name)}")

    @cached_property
    def table(self) -> StepTable | PhaseTable:
        """The scheme on the process as numbers."""
        if self.process.blocks == 2:
            return PhaseTable(self.process, self.scheme)
        return StepTable(self.process, self.scheme, self.assumption, self.facts.moments)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the batch of problems (() for one)."""
        values = [v for v in vars(self.assumption).values() if isinstance(v, np.ndarray)]
        values += [v for v in (self.score_error, self.score_noise) if isinstance(v, np.ndarray)]
        return np.broadcast_shapes(*(np.shape(v) for v in values)) if values else ()

    def batches(self, size: int) -> list[Setting]:
        """The problems of a batch in slices of at most ``size``, all on the same table; [self] for one problem."""
        if not self.shape or self.shape[0] <= size:
            return [self]
        table = self.table

        def cut(value, part):
            return value[part] if isinstance(value, np.ndarray) and value.ndim and len(value) > 1 else value

        parts = []
        for start in range(0, self.shape[0], size):
            part = slice(start, start + size)
            assumption = object.__new__(type(self.assumption))
            for name, value in vars(self.assumption).items():
                object.__setattr__(assumption, name, cut(value, part))
            errors = {name: cut(getattr(self, name), part) for name in ("score_error", "score_noise")}
            parts.append(replace(self, assumption=assumption, **errors))
            if not self.scheme.sampler.needs_envelope:
                parts[-1].__dict__["table"] = table
        return parts

    def without_facts(self) -> Setting:
        """The same question from the constants of the assumption alone."""
        return replace(self, facts=DataFacts(time_regularity=self.facts.time_regularity))
