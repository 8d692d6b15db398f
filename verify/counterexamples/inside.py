"""Problems inside the hypotheses of a theorem: drawn where it is stated, then changed until each is met."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bounds.setting import Setting
from bounds.steps.path import StepTooLong
from bounds.theorem import Theorem
from closed_form import Bracket
from closed_form.law import Law
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of_problem
from verify.counterexamples.drawing import Draw
from verify.counterexamples.search import EXACT_BUDGET, PHASE_BUDGET, exact_cost
from verify.counterexamples.tables import changes, draw_tables
from verify.problems.problem import Problem, read_problem

#: Changes made to one problem, one after the other, before it is given up.
MOST_CHANGES = 8
#: Problems drawn for one that is inside.
MOST_DRAWS = 20


@dataclass(frozen=True)
class Question:
    """A problem as tables, and what is asked of a theorem there.

    Attributes
    ----------
    tables : dict
        Of a problem file.
    information : str
        "all" or "constants": what a bound may know of the data.
    effort : float
        What the exact law may cost, as a part of what the search lets it cost.
    """

    tables: Mapping[str, dict[str, Any]]
    information: str = "all"
    effort: float = 1.0

    @cached_property
    def problem(self) -> Problem:
        """The problem, checked."""
        return read_problem(self.tables)

    @property
    def law(self) -> Law:
        """The data.

        Raises
        ------
        ValueError
            If the tables give constants alone, which no drawn ones do.
        """
        if self.problem.law is None:
            raise ValueError("data must name a law, got constants alone")
        return self.problem.law

    @cached_property
    def setting(self) -> Setting:
        """What bound and truth share."""
        return setting_of_problem(self.problem, self.information)

    @cached_property
    def measurable(self) -> bool:
        """Whether the exact W2 is known and not too dear."""
        budget = EXACT_BUDGET if self.setting.process.blocks == 1 else PHASE_BUDGET
        return exact_cost(self.setting, self.law) <= self.effort * budget

    @cached_property
    def measured(self) -> Bracket | None:
        """The exact W2; None where it is too dear, or not found."""
        found = measure(self.setting, self.law) if self.measurable else None
        return found if found and np.isfinite(found.upper) else None


def unmet(theorem: Theorem, question: Question) -> tuple[str, ...]:
    """Hypotheses that do not hold, or why the problem is none."""
    try:
        return theorem.unmet(question.setting)
    except (StepTooLong, ValueError, OverflowError) as error:
        return (str(error), "") * 2  # worse than a hypothesis


def question_inside(draw: Draw, theorem: Theorem, most_steps: int = 300, emphasis: str | None = None,
                    effort: float = 1.0) -> Question | None:
    """A random problem in which every hypothesis of a theorem holds and whose exact W2 can be had.

    Of a problem drawn from the theorem's `Domain` that does not meet a hypothesis, what meets one more of
    them is changed, again and again.  None where no such problem is found.
    """
    for _ in range(MOST_DRAWS):
        tables = draw_tables(draw, theorem.domain, most_steps, emphasis)
        information = ("all", "constants")[draw.integer(0, 1)]
        found = _brought_inside(theorem, Question(tables, information, effort))
        if found is not None and found.measurable:
            return found
    return None


def _brought_inside(theorem: Theorem, question: Question) -> Question | None:
    """The problem after changes that each meet one hypothesis more; None where none of them does."""
    missing = unmet(theorem, question)
    for _ in range(MOST_CHANGES):
        if not missing:
            return question
        for tables in changes(question.tables):
            other = replace(question, tables=tables)
            left = unmet(theorem, other)
            if len(left) < len(missing):
                question, missing = other, left
                break
        else:
            return None
    return None if missing else question
