"""Mistakes planted in a theorem: which of them problems catch, and descents to problems that catch more."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from bounds.symbolic.deadline import Deadline
from bounds.theorem import Theorem
from verify.certificates.certificate import Certificate, Verdict
from verify.counterexamples.inside import Question
from verify.counterexamples.moving import moved, numbers_of
from verify.counterexamples.refuting import EFFORT, GIVEN_UP, MORE_STEPS, OUTSIDE, WHOLE, lowered

#: Factors of planted mistakes: a bound made too small, a lower bound too large.
PLANTED = {"upper": ("1/2", "1/4", "1/10", "1/1000000"), "lower": ("2", "4", "10", "1000000")}
#: Problems that the descent for one expression may try.
TRIES = 20
#: The share of a bound below which an expression has no part in it.
NO_SHARE = 1e-9


class _Caught(Exception):
    """The smallest planted mistake is caught."""


class Planting:
    """Mistakes in the stated expressions of a theorem, held against problems in which it holds.

    Parameters
    ----------
    theorem : Theorem
    held : sequence of (Question, Certificate)
        Grows with the problems that descents try.
    """

    def __init__(self, theorem: Theorem, held: Sequence[tuple[Question, Certificate]]):
        self._theorem, self._factors = theorem, PLANTED[theorem.kind]
        self._corrupted = {(name, factor): theorem.corrupted(name, factor)
                           for name in theorem.stated for factor in self._factors}
        # the tightest first: it catches most
        self._held = sorted((each for each in held if each[1].verdict is Verdict.HOLDS),
                            key=lambda each: each[1].ratio or float("inf"))

    def caught(self) -> dict[str, str | None]:
        """For every stated expression the planted factor closest to 1 that some problem catches, or None."""
        return {name: self._closest(name, self._held) for name in self._theorem.stated}

    def sought(self, caught: dict, examine: Callable[[Question], Certificate | None], tries: int,
               most_steps: int) -> dict:
        """The same after descents to problems in which those expressions matter of which the smallest mistake
        is not ``caught``.

        Parameters
        ----------
        examine : callable
            Question -> its certificate, or None where the theorem does not apply or no exact W2 is known.
        tries : int
            Problems that the descents may try, all together.
        most_steps : int
            Largest number of steps drawn.
        """
        found, left = dict(caught), [name for name in caught if caught[name] != self._factors[0]]
        for name in left:
            before, question = len(self._held), self._start(name)
            if question is not None:
                with suppress(_Caught):
                    self._descend(name, question, examine, min(TRIES, -(-tries // len(left))),
                                  MORE_STEPS * most_steps)
            best = self._closest(name, self._held[before:])
            if best is not None and (found[name] is None or self._rank(best) < self._rank(found[name])):
                found[name] = best
        return found

    def _rank(self, factor: str) -> int:
        return self._factors.index(factor)

    def _closest(self, name: str, problems: Sequence) -> str | None:
        first, *between, last = self._factors
        if self._any(name, first, problems):
            return first
        if not self._any(name, last, problems):
            return None  # a smaller mistake is hardly caught where the largest is not
        return next((factor for factor in between if self._any(name, factor, problems)), last)

    def _any(self, name: str, factor: str, problems: Sequence) -> bool:
        return any(self._catches(name, factor, *each) for each in problems)

    def _total(self, name: str, factor: str, question: Question) -> float | None:
        """The bound with a mistake; None where it is no number."""
        with suppress(ValueError, ArithmeticError):
            return float(self._corrupted[name, factor].bound(question.setting).total)
        return None

    def _catches(self, name: str, factor: str, question: Question, certificate: Certificate) -> bool:
        total, measured = self._total(name, factor, question), certificate.measured
        if total is None:
            return False
        return total < measured.lower if self._theorem.kind == "upper" else total > measured.upper

    def _height(self, name: str, question: Question, certificate: Certificate) -> float:
        """log(bound/exact), and what the expression is short of being all of the bound."""
        total, measured = self._total(name, self._factors[-1], question), certificate.measured
        bound = float(certificate.bound.total)
        if total is None:
            return OUTSIDE
        small, large = sorted((bound, total))
        top, bottom = ((bound, measured.lower) if self._theorem.kind == "upper" else (measured.upper, bound))
        if not (0 < bottom <= top < np.inf and 0 <= small < large * (1 - NO_SHARE)):
            return OUTSIDE / 2
        share = 1 - small / large if np.isfinite(large) else 1.0
        return float(np.log(top) - np.log(bottom) - WHOLE * np.log(share))

    def _start(self, name: str) -> Question | None:
        """The problem from which a descent has least to go; None where the expression is part of no bound."""
        heights = [(self._height(name, *each), at) for at, each in enumerate(self._held)]
        height, at = min(heights, default=(OUTSIDE, 0))
        return replace(self._held[at][0], effort=EFFORT) if height < OUTSIDE / 2 else None

    def _descend(self, name: str, question: Question, examine: Callable, tries: int, most_steps: int) -> None:
        numbers = numbers_of(question.tables, most_steps)

        def at(logarithms) -> float:
            other = replace(question, tables=moved(question.tables, numbers, logarithms))
            certificate = None
            with suppress(TimeoutError), Deadline(GIVEN_UP):
                certificate = examine(other)
            if certificate is None or certificate.verdict is not Verdict.HOLDS:
                return OUTSIDE
            self._held.append((other, certificate))
            if self._catches(name, self._factors[0], other, certificate):
                raise _Caught
            return self._height(name, other, certificate)

        lowered(at, [number.value for number in numbers], tries)
