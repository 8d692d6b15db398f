"""A question asked in Python as the tables of a problem file, where it can be asked by one."""

from dataclasses import fields
from functools import lru_cache

import numpy as np

from bounds.assumption import Assumption
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.processes import families
from bounds.sampler import Scheme, variance_of
from bounds.samplers import registered
from bounds.score_error import ScoreError
from bounds.symbolic.piecewise_constant import PiecewiseConstant
from bounds.symbolic.piecewise_linear import PiecewiseLinear
from closed_form.law import Law, NoAssumption
from verify.levels import grid_made
from verify.problems.process import read_process
from verify.problems.sampler import sampler_table
from verify.problems.scheme import said_of_last_step, said_of_start, table_of_grid
from verify.problems.section import Section

#: Dimensions beyond which a question is not recorded: its means would fill a file.
MOST_DIM = 10_000


def described(process: ForwardProcess, law: Law, scheme: Scheme, score_error: float | ScoreError = 0.0,
              score_noise: float = 0.0, assumption: Assumption | None = None) -> dict[str, dict] | None:
    """The tables of a problem file that asks the same; None where none does (a law by functions, a sampler of
    one's own that is not stated by formulas, a process that is not made by a family) or it would be too
    long."""
    stated = registered(scheme.sampler) or scheme.sampler.formulas is not None
    known = stated and law.dim <= MOST_DIM
    tables = tables_of(process, law, scheme, score_error, score_noise) if known else None
    if tables is None or not _made_by_its_family(process):
        return None
    if assumption is not None and assumption != _first_of(law):
        tables["data"] |= {"assumption": assumption.key}
        tables["data"] |= {each.name: float(getattr(assumption, each.name)) for each in fields(assumption)
                           if each.name != "dim" and getattr(assumption, each.name) is not None}
    return tables


def _first_of(law: Law) -> Assumption | None:
    """The assumption that a file gets without stating one; None where nothing is proved of the law."""
    try:
        return law.assumptions()[0]
    except NoAssumption:
        return None


@lru_cache(maxsize=64)
def _made_by_its_family(process: ForwardProcess) -> bool:
    """Whether the table of a process is read as the same process."""
    try:
        return read_process(Section("process", _process(process)))[0] == process
    except (ValueError, TypeError):
        return False


def tables_of(process: ForwardProcess, law: Law, scheme: Scheme, score_error: float | ScoreError = 0.0,
              score_noise: float = 0.0) -> dict[str, dict] | None:
    """The tables of a problem, to the last digit; None where the law or the process is in no file."""
    data = law.table()
    if data is None or process.name not in families():
        return None
    own = sampler_table(scheme.sampler)
    return {"process": _process(process), "data": data, **({} if own is None else {"sampler": own}),
            "scheme": {**_scheme(process, law, scheme), **_error(score_error), "score_noise": float(score_noise)}}


def _error(error: float | ScoreError) -> dict:
    return error.table() if isinstance(error, ScoreError) else {"score_error": float(error)}


def _process(process: ForwardProcess) -> dict:
    names = families()[process.name].coefficients
    given = {name: value for name, value in process.parameters.items() if name in names}
    if "clock" in names:
        given["clock"] = str(process.clock)
    kinds = PiecewiseLinear, PiecewiseConstant
    for table in process.drift.atoms(*kinds) | process.noise.atoms(*kinds):
        times, values = (part.tolist() for part in table.points)
        columns = (times, values) if len(times) == len(values) else (times[:-1], times[1:], values)
        points = [list(row) for row in zip(*columns, strict=True)]
        given = {name: points if value == str(table) else value for name, value in given.items()}
    return {"family": process.name, **{name: value if isinstance(value, list) else _plain(value)
                                       for name, value in given.items()}}


def _scheme(process: ForwardProcess, law: Law, scheme: Scheme) -> dict:
    grid = scheme.grid
    if grid.made and not _made_on(process, grid):
        grid = TimeGrid(grid.times)
    table = {"kind": scheme.key, **scheme.sampler.given, **table_of_grid(grid), **said_of_last_step(scheme),
             **said_of_start(scheme)}
    if scheme.from_mean:
        table["prior"] = "mean"
    if scheme.prior_std is not None:
        return {**table, "prior_std": float(scheme.prior_std)}
    if not scheme.prior_spread:
        return table
    spread = float(scheme.prior_spread)
    return {**table, "prior": "spread" if spread == variance_of(law) else spread}


def _made_on(process: ForwardProcess, grid: TimeGrid) -> bool:
    """Whether the noise levels of a grid are at its times on this process, as times that say no levels always are."""
    if grid.kind == "shift":
        return True
    try:
        return bool(np.array_equal(grid_made(process, grid.kind, grid.made).times, grid.times))
    except ValueError:
        return False


def _plain(value):
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
