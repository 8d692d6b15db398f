"""Read a TOML problem file into the objects it means; whatever is wrong is refused here, in one line."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bounds.argument import hint
from bounds.assumption import Assumption
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.score_error import ScoreError
from bounds.steps.from_noise import left_behind
from bounds.steps.path import Path as ProcessPath
from bounds.steps.path import check_drift
from bounds.steps.phase_space.table import PhaseTable
from bounds.value import Value
from closed_form.law import Law
from verify.problems.data import Data, read_data
from verify.problems.file import apply_override, file_text, parse_toml
from verify.problems.process import read_process
from verify.problems.sampler import read_sampler
from verify.problems.scheme import read_scheme, read_score_error
from verify.problems.section import ProblemError, Section, short_line, shown

MAX_FILE_BYTES = 1_000_000

_PROCESS_SAMPLES = 2048
_PROCESS_STEPS = 64


@dataclass(frozen=True, eq=False)
class Problem(Value):
    """A question, checked: which process, which data, which sampler.

    Attributes
    ----------
    process : ForwardProcess
    law : Law or None
        The data in closed form; None when only constants are given.
    assumptions : tuple of Assumption
        The constants given, or everything proved for the law (empty where nothing is).
    scheme : Scheme
    score_error : float or ScoreError
        M, L2 size of the score error; a `bounds.score_error.ScoreError` where it is a list or in another unit.
    score_noise : float
        M_noise, that of its conditionally centred part.
    time_regularity : float or None
        M1 of arXiv 2311.11003, Assumption 2, where given with constants.
    notes : tuple of str
        What was assumed on the reader's behalf.
    source : str
        The file's name.
    tables : dict
        Normal form: defaults filled in, ready to be read again; use `as_dict` for a copy.
    """

    process: ForwardProcess
    law: Law | None
    assumptions: tuple[Assumption, ...]
    scheme: Scheme
    score_error: float | ScoreError
    score_noise: float
    time_regularity: float | None
    notes: tuple[str, ...]
    source: str
    tables: Mapping[str, dict[str, Any]]

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The problem as plain data for JSON; `read_problem` turns it back into the same problem."""
        return copy.deepcopy(dict(self.tables))


def load_problem(path: str | Path, overrides: Iterable[str] = ()) -> Problem:
    """The problem in a TOML file, after overrides such as ``scheme.steps=800``.

    Parameters
    ----------
    path : str or path
        A UTF-8 TOML file of at most 1 MB with the tables process, data and scheme, and perhaps sampler.
    overrides : iterable of str
        ``section.key=value``; the value is read as TOML, and as bare text where it is not TOML.

    Raises
    ------
    ProblemError
        One line that names the key, the requirement and the value.
    """
    path = Path(path)
    tables = parse_toml(file_text(path, MAX_FILE_BYTES, "the problem file"), f"{path.name}")
    for override in overrides:
        apply_override(tables, override)
    return read_problem(tables, folder=path.parent, source=path.name)


def read_problem(tables: Mapping[str, Any], folder: str | Path = ".", source: str = "problem") -> Problem:
    """The problem in tables already parsed (TOML or JSON); data files are looked up from ``folder``.

    Parameters
    ----------
    tables : mapping
        The tables process, data and scheme, and perhaps sampler, of keys and values.
    folder : str or path
    source : str
        What messages begin with.

    Raises
    ------
    ProblemError
        As `load_problem`.
    """
    sections = _sections(tables)
    process, process_table = read_process(sections["process"], Path(folder))
    data, data_table = read_data(sections["data"], Path(folder))
    own, own_table = read_sampler(sections["sampler"]) if "sampler" in sections else (None, None)
    scheme, scheme_table, notes = read_scheme(sections["scheme"], process, data, Path(folder), own)
    error = read_score_error(sections["scheme"], process, scheme.grid.steps)
    noise = sections["scheme"].number("score_noise", 0.0, minimum=0.0)
    errors = (error.table() if isinstance(error, ScoreError) else {"score_error": error}) | {"score_noise": noise}
    _check_together(process, data, scheme)
    stated = {"sampler": own_table} if own is not None and scheme.sampler is own else {}
    return Problem(process, data.law, data.assumptions, scheme, error, noise, time_regularity=data.time_regularity,
                   notes=(*data.notes, *notes), source=source,
                   tables={"process": process_table, "data": data_table, **stated,
                           "scheme": {**scheme_table, **errors}})


def bundled_problem(name: str) -> Path:
    """Path of a problem file that comes with the package, by name (``old_faithful``, ``two_modes``…).

    Raises
    ------
    ProblemError
        If there is no such file.
    """
    names = bundled_problems()
    if name not in names:
        given = f"{shown(name)}{hint(name, names)}"
        raise ProblemError(f"a bundled problem must be one of {', '.join(names)}, got {given}")
    return _bundle() / f"{name}.toml"


def bundled_problems() -> tuple[str, ...]:
    """Names of the problem files that come with the package."""
    return tuple(sorted(path.stem for path in _bundle().glob("*.toml")))


def _bundle() -> Path:
    from importlib.resources import files

    return Path(str(files("verify.problems")))


def _sections(tables: Mapping[str, Any]) -> dict[str, Section]:
    names, may = ("process", "data", "scheme"), "sampler"
    for name, table in tables.items():
        if name not in (*names, may):
            unknown = f"unknown section [{short_line(name)}]{hint(name, (*names, may))}"
            raise ProblemError(f"{unknown}; a problem has {', '.join(names)}, and may have {may}")
        if not isinstance(table, dict):
            raise ProblemError(f"{name} must be a table, got {shown(table)}")
    for name in names:
        if name not in tables:
            raise ProblemError(f"the section [{name}] is missing")
    return {name: Section(name, dict(table)) for name, table in tables.items()}


def _check_together(process: ForwardProcess, data: Data, scheme: Scheme) -> None:
    """Refuse a process not usable up to the horizon, and a scheme the data do not allow."""
    if scheme.sampler.needs_envelope and not data.assumptions:
        raise ProblemError(f"scheme.kind = {scheme.key!r} needs constants for the data: {data.notes[-1]}")
    if data.law is None and data.assumptions[0].needs_early_stop and not scheme.grid.early_stop > 0:
        raise ProblemError("data.early_stop, or scheme.early_stop, must be positive for bounded data")
    if process.blocks == 2:
        with Section("process", {}).border(), np.errstate(all="ignore"):
            PhaseTable(process, scheme)
        return
    if scheme.sampler.one_block is None:
        raise ProblemError(
            f"scheme.kind must be one of {', '.join(samplers(1))} for a process of one block, got "
            f"{shown(scheme.key)}"
        )
    # where nothing is left of the data at the horizon the sampler is one on the times after it
    times = scheme.grid.times if left_behind(process, scheme) is None else scheme.grid.times[1:]
    steps = len(times) - 1
    chosen = np.unique(np.linspace(0, steps, min(steps, _PROCESS_STEPS) + 1).astype(int))
    inside = np.linspace(times[0], 0.0, _PROCESS_SAMPLES + 1)[:-1]
    try:
        with Section("process", {}).border(), np.errstate(all="ignore"):  # what overflows is refused by name
            process.f_values(inside)
            process.g_sq_values(inside)
            try:
                path = ProcessPath(process, times[chosen])
            except ValueError:  # what is refused is the grid itself, not a coarser one
                path = ProcessPath(process, times)
            if len(path.times) == len(times):
                check_drift(path)
    except (NameError, NotImplementedError):  # a special function that sympy cannot turn into numpy
        raise ProblemError("process: f and g² must be made of elementary functions") from None
