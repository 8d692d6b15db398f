"""Read the table of the forward process, within a limit of time for what sympy derives."""

from __future__ import annotations

from bounds.process import TIME, ForwardProcess
from bounds.processes import DEFAULTS, FAMILIES
from bounds.symbolic.deadline import Deadline
from bounds.symbolic.expressions import parse_expression
from verify.problems.section import ProblemError, Section

BUILD_SECONDS = 15.0


def read_process(section: Section) -> tuple[ForwardProcess, dict]:
    """The forward process and its normal form."""
    family = section.choice("family", FAMILIES)
    make, keys = FAMILIES[family]
    known = {key for _, needed in FAMILIES.values() for key in needed}
    section.only(("family", *keys), known, f"family {family!r}")
    defaults = DEFAULTS.get(family, {})
    given = {key: section.get(key, defaults[key]) if key in defaults else section.get(key) for key in keys}
    with section.border():
        expressions = [parse_expression(value, TIME, name=f"process.{key}") for key, value in given.items()]
        try:
            with Deadline(BUILD_SECONDS):  # sub-vp integrates, and a square root can hang sympy
                process = make(*expressions)
        except TimeoutError:
            why = f"no answer in {BUILD_SECONDS:g} s"
            raise ProblemError(f"process: f and g² must be simpler: {why}") from None
    return process, {"family": family, **given}
