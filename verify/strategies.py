"""Hypothesis strategies for processes, data, samplers, and problems inside a theorem's hypotheses."""

import math

from hypothesis import assume
from hypothesis import strategies as st

from bounds.argument import check_key
from bounds.assumption import Assumption
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.rule import Sampler
from bounds.theorem import Domain, Theorem
from closed_form.law import Law
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.drawing import RandomProblem, problem
from verify.counterexamples.inside import Question, question_inside
from verify.counterexamples.tables import draw_tables
from verify.problems.problem import Problem, read_problem

__all__ = ["HypothesisDraw", "Question", "RandomProblem", "data_assumptions", "grids", "laws", "problem_files",
           "problems", "processes", "questions", "samplers", "schemes", "score_errors"]

#: Any process of one block, any sampler, any data with an exact law.
ANYWHERE = Domain()


class HypothesisDraw:
    """Choices drawn by Hypothesis, so that failures shrink.

    Parameters
    ----------
    draw : callable
        What `hypothesis.strategies.composite` gives; its errors are those of Hypothesis.
    """

    def __init__(self, draw: st.DrawFn):
        self._draw = draw

    def uniform(self, low: float, high: float) -> float:
        return self._draw(st.floats(low, high))

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


@st.composite
def problems(draw: st.DrawFn, kind: str | None = None, most_steps: int = 200, process: str = "one-block",
             sampler: str | None = None) -> RandomProblem:
    """Random admissible problems, as `verify.counterexamples.drawing.problem`.

    Parameters
    ----------
    kind, most_steps, process, sampler
        As there, and so are the errors; ``process="cld"`` has two blocks.
    """
    return problem(HypothesisDraw(draw), kind=kind, most_steps=most_steps, process=process, sampler=sampler)


def questions(theorem: str | Theorem, most_steps: int = 200) -> st.SearchStrategy[Question]:
    """Problems inside the hypotheses of a theorem whose exact W2 is known:
    ``theorem.bound(question.setting)`` applies, and ``question.measured`` is what it is held against.

    Parameters
    ----------
    theorem : str or Theorem
        What `verify.certificates.theorem_named.find_theorem` takes, with its errors.
    most_steps : int
        Largest number of steps.
    """
    return _questions(find_theorem(theorem), most_steps)


@st.composite
def _questions(draw: st.DrawFn, theorem: Theorem, most_steps: int) -> Question:
    found = question_inside(HypothesisDraw(draw), theorem, most_steps)
    assume(found is not None)
    return found


def problem_files(domain: Domain = ANYWHERE, most_steps: int = 200) -> st.SearchStrategy[Problem]:
    """Problems as from problem files: `Problem.as_dict` is one.

    Parameters
    ----------
    domain : Domain
        Keys of processes, samplers and assumptions, and kinds of grids; ValueError for an unknown one.
    most_steps : int
        Largest number of steps.
    """
    for part, keys in domain.named():
        for key in keys:
            check_key(part, key, Domain.known(part))
    return _problem_files(domain, most_steps)


@st.composite
def _problem_files(draw: st.DrawFn, domain: Domain, most_steps: int) -> Problem:
    return read_problem(draw_tables(HypothesisDraw(draw), domain, most_steps))


def processes(*families: str) -> st.SearchStrategy[ForwardProcess]:
    """Forward processes of some ``families``, of every one of one block where none is named.

    Errors are those of `problem_files`.
    """
    return problem_files(Domain(process=families)).map(lambda found: found.process)


def laws(*assumptions: str) -> st.SearchStrategy[Law]:
    """Data laws with some ``assumptions``: Gaussians for strong-log-concave, mixtures for weak-log-concave.

    Errors are those of `problem_files`.
    """
    return problem_files(Domain(data=assumptions)).map(lambda found: found.law)


def data_assumptions(*keys: str) -> st.SearchStrategy[Assumption]:
    """Assumptions that some law has, by their ``keys``; errors are those of `problem_files`."""
    return problem_files(Domain(data=keys)).map(lambda found: found.assumptions[0])


def schemes(*samplers: str, blocks: int = 1) -> st.SearchStrategy[Scheme]:
    """Some ``samplers`` at work, for so many ``blocks``: grids of every kind, with and without early stopping.

    Errors are those of `problem_files`.
    """
    domain = Domain(sampler=samplers, process=("cld",) if blocks == 2 else ())
    return problem_files(domain).map(lambda found: found.scheme)


def samplers(*keys: str, blocks: int = 1) -> st.SearchStrategy[Sampler]:
    """Samplers, of some ``keys``, that have a form for so many ``blocks``; errors are those of
    `problem_files`."""
    return schemes(*keys, blocks=blocks).map(lambda found: found.sampler)


def grids() -> st.SearchStrategy[TimeGrid]:
    """Grids of one step, of equal ones, geometric, and alternating between long and short."""
    return schemes().map(lambda found: found.grid)


def score_errors(largest: float = 10.0) -> st.SearchStrategy[float]:
    """L2 sizes of a score error: 0, and seven orders of magnitude up to the ``largest``.

    Raises
    ------
    ValueError
        If that is not positive and finite.
    """
    if not 0 < largest < math.inf:
        raise ValueError(f"largest must be positive and finite, got {largest}")
    return st.just(0.0) | st.floats(-7.0, 0.0).map(lambda power: largest * 10.0**power)
