"""The question a theorem is asked: process, data assumption, sampler, score error, and facts of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real

import numpy as np

from bounds.annotations import Numbers
from bounds.argument import check_type
from bounds.assumption import Assumption
from bounds.facts import DataFacts
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.sampler import Scheme
from bounds.steps.phase_space.table import PhaseTable
from bounds.steps.table import StepTable


@dataclass(frozen=True, init=False)
class Setting:
    """A question: this process, this data assumption, this sampler, this score error.

    Parameters
    ----------
    process : ForwardProcess or str
        Or the key of a family, as `bounds.processes.process_of` takes it.
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
    score_error: Numbers = 0.0
    score_noise: Numbers = 0.0
    facts: DataFacts = field(default_factory=DataFacts)

    def __init__(self, process: ForwardProcess | str, assumption: Assumption, scheme: Scheme,
                 score_error: Numbers = 0.0, score_noise: Numbers = 0.0,
                 facts: DataFacts | None = None) -> None:
        process, facts = process_of(process), DataFacts() if facts is None else facts
        check_type("assumption", assumption, Assumption, "an Assumption")
        check_type("scheme", scheme, Scheme, "a Scheme")
        check_type("facts", facts, DataFacts, "a DataFacts")
        for name, size in (("score_error", score_error), ("score_noise", score_noise)):
            check_type(name, size, (Real, np.ndarray), "a number >= 0 or an array of such")
            value = np.asarray(size, dtype=float)
            if not np.all(np.isfinite(value)) or np.any(value < 0):
                raise ValueError(f"{name} must be >= 0 and finite, got {size}")
        self.__dict__.update(process=process, assumption=assumption, scheme=scheme, score_error=score_error,
                             score_noise=score_noise, facts=facts)

    @cached_property
    def table(self) -> StepTable | PhaseTable:
        """The scheme on the process as numbers."""
        return self.scheme.table(self.process, self.assumption, self.facts.moments)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the batch of problems (() for one)."""
        values = [v for v in vars(self.assumption).values() if isinstance(v, np.ndarray)]
        values += [v for v in (self.score_error, self.score_noise) if isinstance(v, np.ndarray)]
        return np.broadcast_shapes(*(np.shape(v) for v in values)) if values else ()

    def batches(self, size: int) -> list[Setting]:
        """The problems of a batch in slices of at most ``size`` on one table; of size 1, single problems."""
        if not self.shape or self.shape[0] <= size > 1:
            return [self]
        if size == 1:
            return [self._part(lambda value, at=at: float(np.broadcast_to(value, self.shape)[at]))
                    for at in np.ndindex(self.shape)]
        slices = (slice(start, start + size) for start in range(0, self.shape[0], size))
        return [self._part(lambda value, part=part: value[part] if len(value) > 1 else value)
                for part in slices]

    def _part(self, taken: Callable) -> Setting:
        """Some problems of a batch: ``taken`` of every array."""

        def take(value):
            return taken(value) if isinstance(value, np.ndarray) and value.ndim else value

        errors = {name: take(getattr(self, name)) for name in ("score_error", "score_noise")}
        part = replace(self, assumption=self.assumption.mapped(take), **errors)
        if not self.scheme.sampler.needs_envelope:
            part.__dict__["table"] = self.table
        return part

    def with_facts(self, facts: DataFacts) -> Setting:
        """The same question where something else is known: a table made is shared, but that of matched noise,
        which alone looks at what is known."""
        other = replace(self, facts=facts)
        if "table" in self.__dict__ and not self.scheme.sampler.needs_envelope:
            other.__dict__["table"] = self.table
        return other

    def without_facts(self) -> Setting:
        """The same question from the constants of the assumption alone."""
        return self.with_facts(DataFacts(time_regularity=self.facts.time_regularity))
