"""Rounds of the hunt for a counterexample, one after the other or side by side, until one finds it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from hashlib import sha256
from itertools import count
from time import time

import numpy as np
import sympy

from bounds.theorem import Theorem
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.drawing import NumpyDraw, problem
from verify.counterexamples.inside import Question
from verify.counterexamples.refuting import Comparison, Round, compared, hunt, smallest
from verify.counterexamples.workers import Done, in_parts
from verify.problems.describing import tables_of


@dataclass(frozen=True)
class Refutation:
    """What the hunt found.

    Attributes
    ----------
    theorem : Theorem
    rounds : tuple of Round
    violated : Comparison or None
        A counterexample, made small.
    tightest : Comparison or None
        The least bound over exact W2 seen.
    """

    theorem: Theorem
    rounds: tuple[Round, ...]
    violated: Comparison | None
    tightest: Comparison | None

    def total(self, name: str) -> float:
        """The sum over all rounds of one of their numbers."""
        return sum(getattr(each, name) for each in self.rounds)


def refute(theorem: str | Theorem, *, seconds: float = 60.0, seed: int = 0, most_steps: int = 300,
           workers: int = 1, resume: str | None = None,
           progress: Callable[[float, str], None] = lambda fraction, what: None) -> Refutation:
    """Hunt for a counterexample to a theorem (`verify.counterexamples.refuting`).

    Parameters
    ----------
    theorem : str or Theorem
        What `verify.certificates.theorem_named.find_theorem` takes.
    seconds : float
        After which no problem more is tried, by the clock on the wall.
    seed, most_steps : int
        As for `verify.counterexamples.refuting.hunt`.
    workers : int
        Processes, each with rounds of its own.  A theorem given as an object must then be one that can be
        pickled; one that is named need not.
    resume : str, optional
        A file of finished rounds: those in it count, and are not run again.
    progress : callable
        Told the fraction of the time that is over, and what is going on.

    Raises
    ------
    ValueError, TypeError, OSError
        Naming the argument, the requirement and what came.
    """
    found = find_theorem(theorem)
    for name, value, requirement in (("seconds", seconds, seconds > 0), ("workers", workers, workers >= 1)):
        if not requirement:
            raise ValueError(f"{name} must be positive, got {value}")
    done = Done(resume, {"command": "refute", "theorem": found.key, "statement digest": statement_digest(found),
                         "seed": seed, "most_steps": most_steps})
    rounds = [_round_in(part) for part in done.parts.values()]
    if not any(each.violated for each in rounds):
        clock = _Clock(seconds)
        running = in_parts(partial(_one_round, seed, most_steps), clock.while_it_runs(done.left(count())),
                           found if workers == 1 else theorem, workers)
        for each in running:
            rounds.append(each)
            if each.finished:
                done.add(asdict(each))
            progress(clock.fraction(), f"{found.key}: {len(rounds)} rounds")
            if each.violated:
                break
        running.close()
    violated = next((each.violated for each in rounds if each.violated), None)
    seen = [each.tightest for each in rounds if each.tightest and each.tightest.ratio is not None]
    return Refutation(found, tuple(rounds), violated and smallest(found, violated),
                      min(seen, key=lambda each: each.ratio, default=None))


def statement_digest(theorem: Theorem) -> str:
    """What tells a theorem from another of the same key: its kind, hypotheses and formulas."""
    formulas = {name: sympy.srepr(expression) for name, expression in theorem.stated.items()}
    hypotheses = [(each.name, each.statement) for each in theorem.conditions]
    return sha256(repr((theorem.kind, hypotheses, formulas, theorem.domain)).encode()).hexdigest()[:16]


class _Clock:
    """Seconds that start with the first round."""

    def __init__(self, seconds: float):
        self._seconds, self._end = seconds, None

    def while_it_runs(self, numbers: Iterator[int]) -> Iterator[tuple[int, float]]:
        """(number of a round, when it is to end) while there is time, and at least one."""
        self._end = time() + self._seconds
        yield next(numbers), self._end
        while time() < self._end:
            yield next(numbers), self._end

    def fraction(self) -> float:
        """How much of the time is over."""
        return min(1.0, 1 - (self._end - time()) / self._seconds)


def _one_round(seed: int, most_steps: int, item: tuple[int, float], theorem: Theorem,
               stop: Callable) -> Round:
    number, end = item
    return hunt(theorem, seed, number, most_steps, lambda: stop() or time() >= end)


def _round_in(part: dict) -> Round:
    try:
        cases = {name: part[name] and Comparison(**part[name]) for name in ("tightest", "violated")}
        return Round(**{**part, **cases})
    except (KeyError, TypeError) as error:
        raise ValueError(f"resume: round {part.get('number')} must have what a round has: {error}") from None

def counterexample(seed: int, information: str, theorem: Theorem,
                   **options) -> Comparison:
    """The problem that the search draws with a seed, where it violates a theorem, made small; ``options`` are
    the search's."""
    drawn = problem(NumpyDraw(np.random.default_rng(seed)), **options)
    question = Question(tables_of(*(getattr(drawn, field.name) for field in fields(drawn))), information)
    found, _ = compared(theorem, question)
    return smallest(theorem, found)
