"""Read the table of the forward process, within a limit of time for what sympy derives."""

from pathlib import Path

import numpy as np

from bounds.noise_levels import DiscreteSchedule
from bounds.process import ForwardProcess
from bounds.processes import families
from bounds.schedules import discrete, noise_levels
from bounds.symbolic.deadline import Deadline
from bounds.symbolic.expressions import parse_expression
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_constant import step_table
from bounds.symbolic.piecewise_linear import table
from verify.problems.number_file import numbers_of
from verify.problems.section import ProblemError, Section

BUILD_SECONDS = 15.0
#: What may be given in place of a coefficient of a family.
LEVELS = {"vp": {"alphas_cumprod": "beta"}, "ve": {"sigmas": "g"}}


def _expression(section: Section, key: str, value, folder: Path):
    """A coefficient: text or a number, a list, or the name of a file that has one."""
    if isinstance(value, str) and value.lower().endswith((".npy", ".csv")):
        numbers = numbers_of(section, key, folder, (1, 2))
    elif not isinstance(value, list):
        return parse_expression(value, TIME, name=f"process.{key}")
    else:
        try:
            numbers = section.array(key, (1, 2), "a list")
        except ProblemError:
            numbers = np.empty(0)
    columns = numbers.shape[1:] or len(numbers) > 0
    if columns == (2,):
        return table(f"process.{key}", *numbers.T)
    if columns == (3,):
        return _pieces(f"process.{key}", numbers)
    if columns is True and key == "beta":
        return discrete(numbers)
    raise ProblemError(f"process.{key} must be an expression, a list of points [time, value] or of pieces [from, to, "
                       f"value]{', or of β as DDPM has them' * (key == 'beta')}, got a list of something else")


def _pieces(name: str, numbers: np.ndarray):
    """A table of constants from rows (from, to, value)."""
    if np.any(numbers[1:, 0] != numbers[:-1, 1]):
        at = int(np.argmax(numbers[1:, 0] != numbers[:-1, 1]))
        raise ProblemError(f"{name} must have pieces that begin where the one before ends, got {numbers[at + 1, 0]:g} "
                           f"after {numbers[at, 1]:g}")
    return step_table(name, np.append(numbers[:1, 0], numbers[:, 1]), numbers[:, 2])


def _levels(section: Section, folder: Path) -> dict:
    """Coefficients from levels in place of them: ᾱ for β, σ for g."""
    found = {}
    if "alphas_cumprod" in section.values:
        schedule = DiscreteSchedule.from_alphas_cumprod(numbers_of(section, "alphas_cumprod", folder))
        logs = np.diff(schedule.log_alphas_cumprod, prepend=0.0)
        found["beta"] = step_table("alphas_cumprod", np.arange(len(logs) + 1), -logs)
    if "sigmas" in section.values:
        found["g"] = noise_levels(numbers_of(section, "sigmas", folder))
    return found


def read_process(section: Section, folder: Path = Path()) -> tuple[ForwardProcess, dict]:
    """The forward process and its normal form; files are looked up from ``folder``."""
    known = families()
    family = known[section.choice("family", known)]
    every = {name for each in known.values() for name in each.coefficients} | {key for keys in LEVELS.values() for key in keys}
    instead = {key: name for key, name in LEVELS.get(family.key, {}).items() if key in section.values}
    kept = {name: coefficient for name, coefficient in family.coefficients.items() if name not in instead.values()}
    section.only(("family", *kept, *LEVELS.get(family.key, ())), every, f"family {family.key!r}")
    given = {
        name: section.get(name) if coefficient.default is None else section.get(name, coefficient.default)
        for name, coefficient in kept.items()
    }
    with section.border():
        expressions = {key: _expression(section, key, value, folder) for key, value in given.items()}
        expressions |= _levels(section, folder)
        try:
            with Deadline(BUILD_SECONDS):  # sub-vp integrates, and a square root can hang sympy
                process = family.make(**expressions)
        except (ValueError, TypeError):  # of the family's own making
            raise
        except Exception as error:  # of sympy's, which gives up in many ways
            why = (f"no answer in {BUILD_SECONDS:g} s" if isinstance(error, TimeoutError)
                   else f"sympy fails on them ({type(error).__name__})")
            raise ProblemError(f"process: f and g² must be simpler: {why}") from None
    return process, {"family": family.key, **given, **{key: section.get(key) for key in instead}}
