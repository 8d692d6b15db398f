"""A question asked in Python as the tables of a problem file, where it can be asked by one."""

from dataclasses import fields

from bounds.assumption import Assumption
from bounds.process import ForwardProcess
from bounds.processes import families
from bounds.sampler import Scheme
from bounds.symbolic.piecewise_linear import PiecewiseLinear
from closed_form.law import Law
from verify.problems.problem import Problem, read_problem


def described(process: ForwardProcess, law: Law, scheme: Scheme, score_error: float = 0.0,
              score_noise: float = 0.0,
              assumption: Assumption | None = None) -> Problem | None:
    """The problem whose parts are equal to these; None where no problem file says them (a law by functions, a
    sampler of one's own, a process that is not made by a family)."""
    data = law.table()
    if data is None or process.name not in families():
        return None
    if assumption is not None and assumption != law.assumptions()[0]:
        data |= {"assumption": assumption.key}
        data |= {each.name: float(getattr(assumption, each.name)) for each in fields(assumption)
                 if each.name != "dim" and getattr(assumption, each.name) is not None}
    tables = {"process": _process(process), "data": data,
              "scheme": {**_scheme(scheme), "score_error": float(score_error),
                         "score_noise": float(score_noise)}}
    try:
        found = read_problem(tables)
    except (ValueError, TypeError):
        return None
    same = (found.process, found.law, found.scheme) == (process, law, scheme)
    return found if same and found.assumptions[:1] == ((assumption or law.assumptions()[0]),) else None


def _process(process: ForwardProcess) -> dict:
    names = families()[process.name].coefficients
    given = {name: value for name, value in process.parameters.items() if name in names}
    if "clock" in names:
        given["clock"] = str(process.clock)
    for table in process.drift.atoms(PiecewiseLinear) | process.noise.atoms(PiecewiseLinear):
        points = [list(pair) for pair in zip(*(part.tolist() for part in table.points), strict=True)]
        given = {name: points if value == str(table) else value for name, value in given.items()}
    return {"family": process.name, **{name: value if isinstance(value, list) else _plain(value)
                                       for name, value in given.items()}}


def _scheme(scheme: Scheme) -> dict:
    grid = scheme.grid
    table = {"kind": scheme.key, "horizon": grid.horizon, "steps": grid.steps, "early_stop": grid.early_stop,
             "grid": grid.times.tolist() if grid.kind == "list" else grid.kind}
    return table if scheme.prior_std is None else {**table, "prior_std": float(scheme.prior_std)}


def _plain(value):
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
