"""Read the table of the forward process, within a limit of time for what sympy derives."""

from __future__ import annotations

from bounds.deadline import Deadline
from bounds.expressions import parse_expression
from bounds.process import TIME, ForwardProcess
from bounds.schedules import FAMILIES
from verify.problem_section import ProblemError, Section

BUILD_SECONDS = 15.0

_LATER = {"cld": "critically-damped Langevin is not available yet"}


def read_process(section: Section) -> tuple[ForwardProcess, dict]:
    """The forward process and its normal form."""
    family = section.get("family")
    if isinstance(family, str) and family in _LATER:
        raise ProblemError(f"process.family = {family!r}: {_LATER[family]}")
    family = section.choice("family", FAMILIES)
    make, keys = FAMILIES[family]
    known = {key for _, needed in FAMILIES.values() for key in needed}
    section.only(("family", *keys), known, f"family {family!r}")
    with section.border():
        expressions = [parse_expression(section.get(key), TIME, name=f"process.{key}") for key in keys]
        try:
            with Deadline(BUILD_SECONDS):  # sub-vp integrates, and a square root can hang sympy
                process = make(*expressions)
        except TimeoutError:
            why = f"no answer in {BUILD_SECONDS:g} s"
            raise ProblemError(f"process: f and g² must be simpler: {why}") from None
    return process, {"family": family, **{key: section.get(key) for key in keys}}
