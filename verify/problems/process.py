"""Read the table of the forward process, within a limit of time for what sympy derives."""

from bounds.process import ForwardProcess
from bounds.processes import families
from bounds.symbolic.deadline import Deadline
from bounds.symbolic.expressions import parse_expression
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_linear import table
from verify.problems.section import ProblemError, Section

BUILD_SECONDS = 15.0


def _expression(key: str, value):
    """A coefficient: text or a number, or a list of points [time, value]."""
    if not isinstance(value, list):
        return parse_expression(value, TIME, name=f"process.{key}")
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2
             and all(isinstance(x, int | float) and not isinstance(x, bool) for x in pair)]
    if len(pairs) != len(value):
        raise ProblemError(f"process.{key} must be an expression, or a list of points [time, value], got a "
                           "list of something else")
    return table(f"process.{key}", *zip(*pairs, strict=True)) if pairs else table(f"process.{key}", [], [])


def read_process(section: Section) -> tuple[ForwardProcess, dict]:
    """The forward process and its normal form."""
    known = families()
    family = known[section.choice("family", known)]
    every = {name for each in known.values() for name in each.coefficients}
    section.only(("family", *family.coefficients), every, f"family {family.key!r}")
    given = {
        name: section.get(name) if coefficient.default is None else section.get(name, coefficient.default)
        for name, coefficient in family.coefficients.items()
    }
    with section.border():
        expressions = {key: _expression(key, value) for key, value in given.items()}
        try:
            with Deadline(BUILD_SECONDS):  # sub-vp integrates, and a square root can hang sympy
                process = family.make(**expressions)
        except (ValueError, TypeError):  # of the family's own making
            raise
        except Exception as error:  # of sympy's, which gives up in many ways
            why = (f"no answer in {BUILD_SECONDS:g} s" if isinstance(error, TimeoutError)
                   else f"sympy fails on them ({type(error).__name__})")
            raise ProblemError(f"process: f and g² must be simpler: {why}") from None
    return process, {"family": family.key, **given}
