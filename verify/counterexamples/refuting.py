"""The hunt for a counterexample to one theorem: draw problems, descend from the tightest, shrink what
violates it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import process_time

import numpy as np

from bounds.symbolic.deadline import Deadline
from bounds.theorem import NotApplicable, Theorem
from verify.certificates.certificate import Verdict, ratio_of, verdict_of
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.drawing import NumpyDraw
from verify.counterexamples.inside import Question, question_inside
from verify.counterexamples.moving import moved, numbers_of
from verify.counterexamples.shrinking import shrunk
from verify.counterexamples.tables import HUNTED, hunted_last

#: Problems drawn in a round, and problems tried in a descent from the tightest of a kind; fewer where the
#: exact law is no Gaussian and takes its time.
DRAWS, TRIES, FEWER = 30, 40, 12
#: log(bound/exact) at which a descent ends: it has nothing to gain.
TIGHT = 1e-3
#: Weight of log(bound/term) in a descent: with less, a term half as large as the bound, which another makes
#: tight, would do.
WHOLE = 3.0
#: First steps of a descent, in logarithms.
FIRST_STEP = 0.7
#: How many times as many steps as are drawn a descent may take.
MORE_STEPS = 4
#: What the exact law of a problem may cost, as a part of what the search lets it cost: many problems, not
#: dear ones.
EFFORT = 0.1
#: What a problem outside the hypotheses counts, in place of log(bound/exact).
OUTSIDE = 1e3
#: Seconds after which a problem is given up: hardly one in a thousand takes as long.
GIVEN_UP = 5.0


@dataclass(frozen=True)
class Comparison:
    """A theorem on one problem: ``problem`` are its tables, ``information`` what the bound may know.

    ``ratio`` is bound over exact W2 (of a lower bound the inverse), None where it is undefined.
    """

    problem: dict
    information: str
    verdict: str
    bound: float
    lower: float
    upper: float
    ratio: float | None

    def violation(self, theorem: Theorem, named: str) -> str:
        """What is violated in two lines: the numbers, and how to see them again where it is ``named`` so."""
        sign, exact = ("<", self.lower) if theorem.kind == "upper" else (">", self.upper)
        return (f"{theorem.key} is VIOLATED: bound {self.bound:.6g} {sign} exact W2 {exact:.6g}\n"
                f"sgm-bounds certify THIS --theorem {named} --information {self.information}")


@dataclass(frozen=True)
class Round:
    """What one round found.

    Attributes
    ----------
    number : int
    drawn, applied, tried : int
        Problems drawn, those in which every hypothesis held, and problems compared with the exact W2 in all.
    seconds : float
        Of this process.
    finished : bool
        False where it was told to stop.
    tightest, violated : Case or None
    """

    number: int
    drawn: int
    applied: int
    tried: int
    seconds: float
    finished: bool
    tightest: Comparison | None
    violated: Comparison | None


class _Stopped(Exception):
    """The round is to end now."""


class _Tight(Exception):
    """A descent has nothing to gain any more."""


class _Violation(Exception):
    """A problem that violates the theorem."""

    def __init__(self, case: Comparison):
        self.case = case


def hunt(theorem: str | Theorem, seed: int, number: int, most_steps: int = 300,
         stop: Callable[[], bool] = lambda: False) -> Round:
    """One round: problems drawn inside the hypotheses, then a descent of log(bound/exact) from the tightest
    of each kind, until one violates the theorem.

    Parameters
    ----------
    theorem : Theorem
    seed, number : int
        What is drawn: the same two give the same round.
    most_steps : int
        Largest number of steps drawn; a descent may take four times as many.
    stop : callable
        Asked before every problem but the first whether to end.
    """
    hunter = _Hunter(find_theorem(theorem), stop)
    start = process_time()
    violated, finished = None, True
    try:
        hunter.draw(np.random.default_rng([seed, number]), most_steps)
        hunter.descend(MORE_STEPS * most_steps)
    except _Violation as found:
        violated = found.case
    except _Stopped:
        finished = False
    return Round(number, hunter.drawn, hunter.applied, hunter.tried, process_time() - start, finished,
                 hunter.tightest, violated)


class _Hunter:
    """What is seen in a round."""

    def __init__(self, theorem: Theorem, stop: Callable[[], bool]):
        self._theorem, self._stop = theorem, stop
        self.drawn = self.applied = self.tried = 0
        self.tightest: Comparison | None = None
        self._least = np.inf
        #: The tightest problem by the largest term of the bound and by what it may know of the data:
        #: (log of bound/exact, question).
        self._starts: dict[tuple[str, str], tuple[float, Question]] = {}

    def draw(self, rng: np.random.Generator, most_steps: int) -> None:
        """Problems inside the hypotheses."""
        draw = NumpyDraw(rng)
        emphases = [HUNTED[at % len(HUNTED)] for at in range(DRAWS)]
        for emphasis in (*emphases, *hunted_last(self._theorem.domain)):
            self._heed()
            self.drawn += 1
            question = None
            with suppress(ArithmeticError):  # a sampler that overflows
                question = question_inside(draw, self._theorem, most_steps, emphasis, EFFORT)
            if question is not None:
                self.applied += 1
                self._start(question)

    def descend(self, most_steps: int) -> None:
        """From the tightest problems of each kind."""
        for (term, _), (gap, question) in sorted(self._starts.items(), key=lambda start: start[1][0],
                                                 reverse=True):
            if gap < TIGHT:
                continue
            numbers = numbers_of(question.tables, most_steps)
            tries = FEWER if question.law.split().lines else TRIES
            with suppress(_Tight):
                lowered(partial(self._at, question=question, numbers=numbers, term=term),
                        [number.value for number in numbers], tries)

    def _at(self, logarithms, question: Question, numbers, term: str) -> float:
        self._heed()
        other = replace(question, tables=moved(question.tables, numbers, logarithms))
        try:
            with Deadline(GIVEN_UP):
                found = self._examined(other, term)[1]
        except TimeoutError:
            return OUTSIDE
        if found < TIGHT:
            raise _Tight
        return found

    def _heed(self) -> None:
        if self.drawn and self._stop():
            raise _Stopped

    def _start(self, question: Question) -> None:
        """Remember the problem if it is the tightest of its kind."""
        term, gap = self._examined(question)
        kind = term, question.information
        if gap < self._starts.get(kind, (OUTSIDE / 2,))[0]:
            self._starts[kind] = gap, question

    def _examined(self, question: Question, term: str = "") -> tuple[str, float]:
        """(the largest term, log(bound/exact), and what ``term`` is short of being the whole bound)."""
        self.tried += 1
        try:
            found = compared(self._theorem, question)
        except NotApplicable as error:
            return "", OUTSIDE * (1 + len(error.unmet))
        if found is None:
            return "", OUTSIDE
        case, terms = found
        if case.verdict == Verdict.VIOLATED:
            raise _Violation(case)
        top, bottom = ((case.bound, case.lower) if self._theorem.kind == "upper"
                       else (case.upper, case.bound))
        if not (0 < bottom <= top < np.inf):
            return "", OUTSIDE / 2  # infinite, or nothing to compare
        gap = float(np.log(top) - np.log(bottom))
        if gap < self._least:
            self._least, self.tightest = gap, case
        return max(terms, key=terms.get, default=""), gap + _shortage(case, terms.get(term))


def lowered(height: Callable, start: Sequence[float], tries: int) -> None:
    """A descent of ``height``, a function of the logarithms of numbers, from where they are ``start``, by
    Nelder and Mead's method; it tries so many."""
    from scipy.optimize import minimize

    first = np.log(start)
    simplex = np.vstack([first, first + FIRST_STEP * np.diag(np.where(np.arange(len(first)) % 2, 1, -1))])
    minimize(height, first, method="Nelder-Mead", options={"maxfev": tries, "initial_simplex": simplex})


def _shortage(case: Comparison, term: float | None) -> float:
    """log(bound/term), weighted: a descent that minimises it too stays with the term that it started from."""
    return 0.0 if term is None else WHOLE * float(np.log(max(case.bound / max(term, 1e-300), 1.0)))


def compared(theorem: Theorem, question: Question) -> tuple[Comparison, dict] | None:
    """(the theorem against the exact W2 of a problem, the terms of its bound); None where one is not known.

    Raises
    ------
    NotApplicable
    """
    try:
        bound, measured = theorem.bound(question.setting), question.measured
    except NotApplicable:
        raise
    except (ArithmeticError, ValueError):
        return None
    if measured is None:
        return None
    verdict = verdict_of(theorem.kind, bound.total, measured)
    return Comparison(question.problem.as_dict(), question.information, str(verdict), float(bound.total),
                      measured.lower, measured.upper, ratio_of(bound, measured)), dict(bound.terms)


def violation(theorem: Theorem, question: Question) -> Comparison | None:
    """The theorem on a problem that violates it; None for any other."""
    try:
        found = compared(theorem, question)
    except NotApplicable:
        return None
    return found[0] if found is not None and found[0].verdict == Verdict.VIOLATED else None


def made_small(theorem: Theorem, question: Question) -> Question:
    """A problem with fewer dimensions, steps and digits that violates the theorem as the given one does."""
    tables = shrunk(question.tables,
                    lambda tables: violation(theorem, replace(question, tables=tables)) is not None)
    return replace(question, tables=tables)


def smallest(theorem: Theorem, violated: Comparison) -> Comparison:
    """A problem with fewer dimensions, steps and digits that violates the theorem too."""
    small = made_small(theorem, Question(violated.problem, violated.information))
    return violation(theorem, small) or violated
