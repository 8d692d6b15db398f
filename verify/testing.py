r"""Hold a theorem of your own against exact laws, in a test of your own.

>>> from verify.testing import check
>>> check(THEOREM)                                                             # doctest: +SKIP

draws problems inside the theorem's hypotheses, certifies each, and raises an AssertionError where the theorem
is violated (with a small problem file that shows it) or where nothing applied.  It then multiplies every
stated expression by 1/2, 1/4, … and says which of these mistakes the same problems would catch, or others to
which descents lead from them.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np

from bounds.theorem import Theorem
from verify import check_reports
from verify.certificates.certificate import Certificate, Verdict, certify_setting
from verify.certificates.theorem_named import find_theorem
from verify.check_reports import Report
from verify.counterexamples.drawing import NumpyDraw
from verify.counterexamples.inside import Question, question_inside, unmet
from verify.counterexamples.planting import Planting
from verify.counterexamples.refuting import made_small, violation
from verify.counterexamples.tables import checked
from verify.problems.writing import problem_text, save_problem

__all__ = ["NothingApplied", "Report", "Violated", "check"]


class NothingApplied(AssertionError):
    """No problem was found inside the hypotheses: the check says nothing."""


class Violated(AssertionError):
    """The theorem is false: ``report`` and the ``certificate`` of a small problem show it."""

    report: Report
    certificate: Certificate

    def __init__(self, message: str, report: Report, certificate: Certificate):
        super().__init__(message)
        self.report, self.certificate = report, certificate


def check(theorem: str | Theorem, *, problems: int | None = None, seed: int = 0, most_steps: int = 300,
          save: str | None = None, plant: bool = True, seek: bool = True) -> Report:
    """Hold a theorem against exact laws on random problems inside its hypotheses.

    Parameters
    ----------
    theorem : str or Theorem
        A claim (`bounds.claim`) or any other, also by what
        `verify.certificates.theorem_named.find_theorem` takes; problems are drawn from its ``domain``.
    problems : int
        How many; by default 60, or what pytest's ``--sgm-problems`` says.
    seed : int
        Of the first problem; the others follow.
    most_steps : int
        Largest number of steps drawn.
    save : str, optional
        Where a problem that violates the theorem is written, made small; by default ``<key>.violated.toml``.
    plant : bool
        Whether mistakes are planted.
    seek : bool
        Whether problems that catch more of them are sought by descents, as many as are drawn; the theorem is
        held against these too.

    Returns
    -------
    Report

    Raises
    ------
    Violated
        If the theorem is false.
    NothingApplied
        If no problem meets the hypotheses.
    """
    theorem = find_theorem(theorem)
    count = check_reports.problems if problems is None else problems
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"problems must be a whole number >= 1, got {count!r}")
    held: list[tuple[Question, Certificate]] = []
    emphases = checked(theorem.domain)
    for number in range(count):
        draw = NumpyDraw(np.random.default_rng([seed, number]))
        question = question_inside(draw, theorem, most_steps, emphases[number % len(emphases)])
        if question is None or question.measured is None:
            continue
        certificate = _certified(theorem, question)
        held.append((question, certificate))
        if certificate.verdict is Verdict.VIOLATED:
            _refuse(theorem, held, count, question, save)
    if not held:
        report = Report(theorem.key, count, 0, None, None)
        check_reports.found.append(report)
        raise NothingApplied(f"{theorem.key}: none of {count} problems drawn meets its hypotheses: "
                             f"{'; '.join(_last_unmet(theorem, seed)) or 'no exact law'}")
    planting = Planting(theorem, held)
    caught = planting.caught() if plant else {}
    if plant and seek:
        def examine(question: Question) -> Certificate | None:
            """Of a descent: the theorem is held against its problems as well."""
            try:
                if unmet(theorem, question) or question.measured is None:
                    return None
                certificate = _certified(theorem, question)
            except (ArithmeticError, ValueError):
                return None
            if certificate.verdict is Verdict.VIOLATED:
                _refuse(theorem, held, count, question, save)
            return certificate

        caught = planting.sought(caught, examine, count, most_steps)
    report = Report(theorem.key, count, len(held), *_ratios(held), caught)
    check_reports.found.append(report)
    return report


def _certified(theorem: Theorem, question: Question) -> Certificate:
    record = question.problem.as_dict()
    return certify_setting(theorem, question.setting, question.law, question.measured, record)


def _ratios(held: Sequence) -> tuple:
    ratios = [certificate.ratio for _, certificate in held if certificate.ratio is not None]
    return (min(ratios), median(ratios)) if ratios else (None, None)


def _refuse(theorem: Theorem, held, count: int, question: Question, save: str | None) -> None:
    """Shrink, save, report and raise."""
    small = made_small(theorem, question)
    certificate = _certified(theorem, small)
    about = violation(theorem, small).violation(theorem, "…")
    said = about.splitlines()[0]
    name = save or f"{theorem.key}.violated.toml"
    save_problem(name, small.tables, about)
    report = Report(theorem.key, count, len(held), *_ratios(held), violation=problem_text(small.tables))
    check_reports.found.append(report)
    raise Violated(f"{said}\n{name}:\n{report.violation}", report, certificate)


def _last_unmet(theorem: Theorem, seed: int) -> tuple[str, ...]:
    """Hypotheses that the first problem drawn does not meet."""
    from verify.counterexamples.tables import draw_tables

    return unmet(theorem, Question(draw_tables(NumpyDraw(np.random.default_rng([seed, 0])), theorem.domain)))
