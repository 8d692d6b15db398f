"""What a page about a problem says, as plain data and pictures: asked, checked, bounded, measured, drawn, cited."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from bounds.grid import TimeGrid
from closed_form import Bracket
from verify.certificates.certificate import Certificate
from verify.command_options import load_question, setting_or_reason
from verify.commands.certify import certificate_lines, certificates_of, measured_error
from verify.installed import versions
from verify.pages import plots, tables
from verify.pages.console import EVALUATION, reason_of
from verify.pages.theorem_sheet import latex_names
from verify.plain import number, one_line
from verify.problems.problem import Problem
from verify.problems.writing import problem_text
from verify.reports.formulas import formula
from verify.reports.pictures import picture
from verify.reports.sources import of_problem, of_theorem

#: Processor seconds beyond which a curve takes no further exact error, and a formula's parts are left to ``show``.
PATIENCE = 0.3
#: Processor seconds that a curve's first exact error may take.
PATIENCE_FOR_ONE = 2 * PATIENCE
_GRIDS = {"uniform": TimeGrid.uniform, "geometric": TimeGrid.geometric}
FACTORS = (1 / 8, 1 / 4, 1 / 2, 1, 2)
#: Times drawn of a grid at most.
_MOST_TIMES = 120
_SIZE_OF_TEXT = 20_000
#: Of a legend.
_COLUMNS = 2


def contents(name: str, overrides: Iterable[str], theorems: list, tell: Callable) -> dict[str, Any]:
    """Everything that the page of a problem says.

    Parameters
    ----------
    name : str
        The file, or the name of a bundled problem.
    overrides : iterable of str
    theorems : list of Theorem
    tell : callable
        (fraction, what) of the progress.
    """
    overrides = tuple(overrides)
    problem = load_question(name, overrides)
    if problem.law is None:
        raise ValueError("report needs data.law: constants alone leave no exact law to hold a bound against")
    clock = _Clock()
    certificates = certificates_of(problem, theorems, "all", tell, measure=clock.measured)
    setting, reason = setting_or_reason(problem, "all")
    known = {each.key: each for each in theorems}
    applied = [each for each in certificates if each.bound is not None]
    tell(0.5, "pictures")
    end = process_time() + PATIENCE * len(applied) / 2  # of the parts of all formulas together
    bounds = [_bound(known[each.theorem], each, end) for each in sorted(applied, key=lambda one: one.bound.total)]
    lines = [line for line in certificate_lines(problem, certificates)[2:] if "--why" not in line]
    return {
        "title": problem.source, "asked": tables.describe(problem), "remarks": lines,
        "tables": _flat(problem), "hypotheses": [_hypotheses(known[each.theorem], setting, reason)
                                                 for each in certificates],
        "verdicts": [_verdict(each) for each in certificates],
        "bounds": bounds,
        "curves": _curves(problem, setting, [known[each.theorem] for each in applied], certificates, clock, tell),
        "regimes": _regimes(problem), "grid": _grid(problem),
        "certificates": certificates,
        "bibtex": of_problem(problem, [known[each.theorem] for each in applied]),
        "versions": versions(), "text": _text(name, problem), "file": one_line(name),
        "commands": [" ".join(("sgm-bounds", verb, _quoted(name), *(f"--set {_quoted(each)}" for each in overrides)))
                     for verb in ("certify", "report", "cite")],
    }


def _quoted(word: str) -> str:
    from shlex import quote

    return quote(one_line(word))


def _flat(problem: Problem) -> list[tuple[str, str]]:
    """Keys and values of the problem, long ones cut."""
    return [(f"{section}.{key}", one_line(value, 200)) for section, table in problem.as_dict().items()
            for key, value in table.items()]


def _text(name: str, problem: Problem) -> str:
    """The text of the file; of a bundled problem, or a long one, its normal form."""
    path = Path(name)
    if path.is_file():
        text = path.read_text(encoding="utf-8-sig")
        return text if len(text) <= _SIZE_OF_TEXT else text[:_SIZE_OF_TEXT] + "\n…"
    return problem_text(problem.as_dict(), f"the bundled problem {name}")


def _hypotheses(theorem, setting, reason: str | None) -> dict:
    """Each hypothesis of a theorem, with what is wrong where it does not hold."""
    checked = [{"name": each.name, "statement": each.statement,
                "wrong": None if setting is None else each.check(setting)} for each in theorem.conditions]
    return {"theorem": theorem.key, "title": theorem.title, "checked": checked, "unknown": reason,
            "met": setting is not None and not any(each["wrong"] for each in checked)}


def _verdict(certificate: Certificate) -> dict:
    measured = certificate.measured
    return {"theorem": certificate.theorem, "verdict": str(certificate.verdict), "ratio": certificate.ratio,
            "bound": certificate.bound and _finite(certificate.bound.total),
            "lower": measured and measured.lower, "upper": measured and _finite(measured.upper),
            "method": measured and measured.method, "sides": certificate.sides}


def _bound(theorem, certificate: Certificate, end: float) -> dict:
    """A bound with its formula, and its terms as shares of the largest."""
    import sympy

    bound = certificate.bound
    largest = max((value for value in bound.terms.values() if math.isfinite(value)), default=0.0)
    parts = []
    for name, expression in theorem.stated.items():
        if process_time() > end:
            break
        parts.append((name.replace("_", " "), formula(sympy.latex(expression, symbol_names=latex_names(expression)))))
    return {
        "theorem": theorem.key, "title": theorem.title, "kind": theorem.kind, "total": _finite(bound.total),
        "statement": formula(theorem.statement), "parts": parts, "left": len(theorem.stated) - len(parts),
        "terms": [{"name": name, "value": _finite(value),
                   "share": 100.0 * min(value / largest, 1.0) if largest and math.isfinite(value) else 100.0 * (value > 0)}
                  for name, value in bound.terms.items()],
        "symbols": {name: meaning for name, meaning in theorem.symbols.items()}, "source": str(theorem.source),
        "information": bound.information, "notes": bound.notes, "bibtex": of_theorem(theorem),
    }


def _curves(problem: Problem, setting, theorems: list, certificates: list[Certificate], clock: _Clock,
            tell: Callable) -> list[dict]:
    """Bounds against the exact error over the number of steps, and over the horizon."""
    grid, found = problem.scheme.grid, []
    if grid.kind not in _GRIDS:
        return [{"title": "Over K and over T", "svg": None, "rows": [], "why": f"the grid ({grid.kind}) has times of "
                 "its own, so that neither the number of steps nor the horizon can vary"}]
    if setting is None:
        return []
    counts = sorted({max(1, round(grid.steps * factor)) for factor in FACTORS})
    horizons = [float(f"{grid.horizon * factor:.6g}") for factor in (0.25, 0.5, 1, 1.5, 2)]
    horizons = [each for each in horizons if each > grid.early_stop]
    upper = [each for each in theorems if each.kind == "upper"]
    totals = {each.theorem: each.bound.total for each in certificates if each.bound is not None and each.bound.kind == "upper"}
    own = next((each.measured for each in certificates if each.measured is not None), None)
    ways = (("steps", "Over the number of steps K", counts, lambda value: (grid.horizon, value)),
            ("horizon", "Over the horizon T, at the same number of steps", horizons, lambda value: (value, grid.steps)))
    for key, title, values, grid_at in ways:
        tell(0.6, title)
        points, left = _points(problem, setting, values, upper, grid_at, (totals, own), clock)
        svg = None
        if len(points) > 1 and upper:
            svg = picture(key, f"{title}: bounds and the exact W2",
                          partial(_draw_curve, key=key, points=points, problem=problem),
                          below=math.ceil((len(upper) + 1) / _COLUMNS))
        rows = [{"value": value, "bounds": [_finite(bounds[each.key]) for each in upper],
                 "lower": truth.lower, "upper": _finite(truth.upper)} for value, bounds, truth in points]
        found.append({"title": title, "svg": svg, "why": "; ".join(left), "rows": rows, "key": key,
                      "theorems": [each.key for each in upper]})
    return found


@dataclass
class _Clock:
    """Measures exact errors, and what they take: processor seconds in all, and the last one's a step."""

    spent: float = 0.0
    per_step: float = 0.0

    def measured(self, setting, *question, **how):
        """As `verify.commands.certify.measured_error`."""
        begun = process_time()
        try:
            return measured_error(setting, *question, **how)
        finally:
            took = process_time() - begun
            self.spent, self.per_step = self.spent + took, took / setting.scheme.grid.steps

    def expected(self, steps: int) -> float:
        """What an exact error of so many steps is likely to take."""
        return self.per_step * steps


def _points(problem: Problem, setting, values, theorems: list, grid_at: Callable, known: tuple,
            clock: _Clock) -> tuple[list, list[str]]:
    """(value, bounds, exact error), and what is left out: the exact error once it would take long.  ``known`` has the
    bounds and the exact error of the problem itself."""
    points, left, begun, grid = [], [], clock.spent, problem.scheme.grid
    for value in values:
        horizon, steps = grid_at(value)
        try:
            if known[1] is not None and (horizon, steps) == (grid.horizon, grid.steps):
                points.append((value, *known))
                continue
            made = _GRIDS[grid.kind](horizon, steps, grid.early_stop)
            there = replace(setting, scheme=replace(setting.scheme, grid=made))
            with np.errstate(all="ignore"):
                bounds = {each.key: math.inf if each.unmet(there) else each.bound(there).total for each in theorems}
                spent, next_one = clock.spent - begun, clock.expected(steps)
                if spent + next_one > (PATIENCE if spent else PATIENCE_FOR_ONE):
                    truth = Bracket(0.0, math.inf, "left out")
                    left.append(f"{value:g}")
                else:
                    truth = clock.measured(there, problem.law)
            points.append((value, bounds, truth))
        except EVALUATION as error:
            left.append(f"{value:g} ({one_line(reason_of(error), 200)})")
    return points, [f"left out, as it would take long or cannot be: the exact W2 at {', '.join(left)}"] if left else []


def _draw_curve(figure, key: str, points: list, problem: Problem) -> None:
    ax = figure.subplots()
    bounds = {name: [found[name] for _, found, _ in points] for name in points[0][1]}
    plots.plot_bounds(ax, [value for value, *_ in points], [truth for *_, truth in points], bounds,
                      ceiling=math.sqrt(problem.law.second_moment))
    ax.set_xticks([value for value, *_ in points])
    if key == "horizon":
        ax.set_xlabel("horizon T")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_ylabel("W2, in the units of the data")
    figure.legend(loc="lower center", ncols=_COLUMNS, frameon=False)


def _regimes(problem: Problem) -> dict | None:
    """The phases of the reverse process, where the data are weakly log-concave."""
    from verify.studies.regimes import plot_regimes, regimes_of

    if not problem.assumptions or problem.assumptions[0].weak_log_concavity is None:
        return None
    try:
        found = regimes_of(problem.process, problem.assumptions[0], problem.scheme.grid.horizon)
    except EVALUATION as error:
        return {"why": one_line(reason_of(error)), "svg": None}
    alpha, M = problem.assumptions[0].weak_log_concavity
    svg = picture("regimes", "The contraction rate over backward time", lambda figure: plot_regimes(figure.subplots(), found))
    return {"svg": svg, "xi": found.xi, "eta": found.eta, "backward_time": found.backward_time,
            "horizon": found.horizon, "alpha": float(alpha), "M": float(M), "why": None}


def _grid(problem: Problem) -> dict:
    grid = problem.scheme.grid
    times, lengths = grid.times, -np.diff(grid.times)
    chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), _MOST_TIMES)).astype(int))

    def draw(figure) -> None:
        steps, dots = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        steps.step(times[:-1], lengths, where="pre", color="#0072B2")
        steps.set_ylabel("step")
        steps.set_ylim(0, 1.15 * lengths.max())
        dots.plot(times[chosen], np.zeros(len(chosen)), "|", color="#1a1a1a", markersize=10)
        dots.set_yticks([])
        dots.set_xlabel("time t; the sampler runs from right to left")

    return {"svg": picture("grid", "The steps of the grid over time", draw, (6.4, 2.8)), "kind": grid.kind,
            "horizon": grid.horizon, "steps": grid.steps, "early_stop": grid.early_stop,
            "longest": float(lengths.max()), "shortest": float(lengths.min()), "sampler": problem.scheme.name}


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def shown(value: float | None) -> str:
    """Four digits, or the word for what no float holds."""
    return "∞" if value is None else number(value)
