"""The question a theorem is asked: process, data assumption, sampler, score error, and facts of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from bounds.recursion.data import expand
from bounds.sampler import Scheme
from bounds.score_error import ScoreError, read_error
from bounds.steps.affine import Steps
from bounds.steps.from_noise import entered
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
    score_error : float, or sequence of float
        M: L2 size of the score error at the iterates; a list or a tuple has one for each step, an array is a batch
        of problems.  Or a `bounds.score_error.ScoreError`.
    score_noise : float
        L2 size of the part of the score error that has mean zero given the past at every step.
    facts : DataFacts
        What is known of the data beyond the assumption.
    score_error_in : str
        What the error is one of: "score", "epsilon", "denoiser" or "velocity".
    removed : float
        What the data had to be moved by, in norm, at most, to be what is described here.

    Raises
    ------
    ValueError
        If a score error is negative or not finite, or not one for each step.

    Notes
    -----
    A horizon where a(T) = 0 is left behind by its first step: ``scheme`` is then the one that this step leads to, which
    starts from the data's mean (``from_mean``), and ``assumption`` and ``facts`` are those of the data less their mean,
    for nothing depends on where they are: what early stopping leaves of the mean, `left_of_mean`, is added to bounds.
    ``asked`` is the scheme as it was given.
    """

    process: ForwardProcess
    assumption: Assumption
    scheme: Scheme
    score_error: Numbers | ScoreError = 0.0
    score_noise: Numbers = 0.0
    facts: DataFacts = field(default_factory=DataFacts)
    removed: Numbers = 0.0

    def __init__(self, process: ForwardProcess | str, assumption: Assumption, scheme: Scheme,
                 score_error: Numbers | Sequence[float] | ScoreError = 0.0, score_noise: Numbers = 0.0,
                 facts: DataFacts | None = None, score_error_in: str = "score", removed: Numbers = 0.0) -> None:
        process, facts = process_of(process), DataFacts() if facts is None else facts
        check_type("assumption", assumption, Assumption, "an Assumption")
        check_type("scheme", scheme, Scheme, "a Scheme")
        check_type("facts", facts, DataFacts, "a DataFacts")
        if np.ndim(assumption.dim) == 0:
            scheme.check_dimension(int(assumption.dim), process.blocks)
        score_error = read_error(score_error, score_error_in)
        if isinstance(score_error, ScoreError):
            score_error.check(process, scheme.grid.steps)
        asked, scheme = scheme, entered(process, scheme, assumption, facts.moments)
        if scheme is not asked and isinstance(score_error, ScoreError):
            score_error = score_error.after_first()
        if scheme.from_mean and (assumption.mean_norm is None or np.any(np.asarray(assumption.mean_norm) != 0)):
            removed = removed + assumption.largest_mean_norm
            facts, assumption = facts.centred(assumption.mean_norm), assumption.centred()
        for name, size in (("score_error", score_error), ("score_noise", score_noise)):
            if isinstance(size, ScoreError):
                continue
            check_type(name, size, (Real, np.ndarray), "a number >= 0 or an array of such")
            value = np.asarray(size, dtype=float)
            if not np.all(np.isfinite(value)) or np.any(value < 0):
                raise ValueError(f"{name} must be >= 0 and finite, got {size}")
        self.__dict__.update(process=process, assumption=assumption, scheme=scheme, score_error=score_error,
                             score_noise=score_noise, facts=facts, removed=removed,
                             asked=asked)

    @cached_property
    def table(self) -> StepTable | PhaseTable:
        """The scheme on the process as numbers."""
        return self.scheme.table(self.process, self.assumption, self.facts.moments)

    @cached_property
    def steps(self) -> Steps:
        """The sampler as numbers, from where it starts."""
        return self.scheme.started(self.table.steps())

    @property
    def left_of_mean(self) -> Numbers:
        """What early stopping leaves between the sampler's mean and the data's, (1 − a) ‖E X_0‖, at most."""
        a = 1.0 if not np.any(self.removed) or self.scheme.grid.early_stop == 0 else float(self.table.path.a[-1])
        return 0.0 if a == 1 else (abs(1 - a) + 1e-12 * a) * self.removed

    @cached_property
    def step_errors(self) -> Numbers:
        """M where each step starts, as an error of the score: of shape (..., 1), or (k,) where steps differ."""
        if not isinstance(self.score_error, ScoreError):
            return expand(self.score_error, 1)
        return self._errors_at(slice(None, -1))

    @property
    def has_error(self) -> bool:
        """Whether any size of the score error is not 0."""
        if isinstance(self.score_error, ScoreError):
            return bool(self.score_error)
        return bool(np.any(np.asarray(self.score_error) > 0))

    @property
    def error(self) -> float | ScoreError:
        """The score error of one problem: a number, or what `bounds.score_error.on_steps` takes."""
        return self.score_error if isinstance(self.score_error, ScoreError) else float(self.score_error)

    @property
    def stage_errors(self) -> tuple[Numbers, Numbers]:
        """M of both evaluations of every step of a sampler with two: one number twice, or arrays of shape (k,)."""
        if not isinstance(self.score_error, ScoreError):
            return self.score_error, self.score_error
        cut = self.table.refinement
        return self._errors_at(cut.start), self._errors_at(cut.middle)

    @property
    def largest_error(self) -> Numbers:
        """One M for all evaluations of the score: the largest, of shape (...)."""
        if not isinstance(self.score_error, ScoreError):
            return self.score_error
        found = self.stage_errors if self.scheme.sampler.evaluations == 2 else (self.step_errors,)
        return float(max(np.max(each) for each in found))

    def _errors_at(self, places) -> Numbers:
        path = self.table.path
        if self.score_error.unit == "score":
            return self.score_error.at(path.a[places], path.s_sq[places])
        # a and s² are known to what was lost on the way to them
        lost = 1 + 1e-12 + 1e-14 * len(path.times) + 4 * float(np.sum(path.F_error))
        lost += 2 * float(np.sum(np.where(path.C > 0, path.C_error / np.maximum(path.C, 1e-300), 0.0)))
        return self.score_error.at(path.a[places], path.s_sq[places]) * lost

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
