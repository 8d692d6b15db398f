"""The command ``plan``: how many steps, which horizon, grid and score error reach W2 ≤ ε."""

import math

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, setting_or_reason
from verify.pages import tables
from verify.pages.console import HOLDS, WRONG, Failure, naming, print_json, print_text, progress
from verify.pages.new_file import check_new_file, new_file
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number

#: A grid with more times than this is described, not listed.
MOST_TIMES = 2000


@click.command(short_help="The fewest steps that reach an error, with horizon, grid and score error.")
@click.argument("problems", nargs=-1, required=True, metavar="PROBLEM...")
@click.option(
    "--eps", type=float, multiple=True, required=True, help="Error W2 <= eps to reach; may be repeated."
)
@click.option(
    "--theorem", metavar="KEY",
    help="The upper bound to plan with: a key of sgm-bounds list, FILE.toml or FILE.py:NAME; by default "
    "martingale, and flow for samplers without noise.",
)
@click.option(
    "--grid", type=click.Choice(("uniform", "best")), default="uniform", show_default=True,
    help="Equal steps, or steps where the bound needs them.",
)
@click.option("--horizon", type=float, help="A fixed horizon; by default the best one.")
@click.option(
    "--score-share", type=float, default=0.0, show_default=True,
    help="Share of eps set aside for a score error, whose size is then part of the plan.",
)
@click.option(
    "--information", type=click.Choice(("all", "constants")), default="all", show_default=True,
    help="What the bound may know: all about a law in closed form, or its assumption's constants.",
)
@click.option("--seconds", type=click.FloatRange(0.0, min_open=True), default=300.0, show_default=True,
              help="Give a plan up after so long.")
@click.option("--certify", "with_truth", is_flag=True, help="Also measure the exact W2 at the plan.")
@click.option("--save", metavar="FILE.toml", help="Write the plan as a problem file; of one problem and one eps.")
@click.option("--force", is_flag=True, help="Replace that file if it exists.")
@SET_OPTION
@JSON_OPTION
def plan(problems, eps, theorem, grid, horizon, score_share, information, seconds, with_truth, save, force, overrides, as_json):
    """The smallest number of steps K whose bound is at most each eps, for each PROBLEM; K − 1 does not
    suffice.

    The grid, the steps and (unless --horizon fixes it) the horizon of the file are replaced.  Several
    problems are compared, the one with the fewest score evaluations first: K, or about 2 K where a step takes
    two.  Exit code 2 if an error is out of reach.
    """
    from bounds.symbolic.deadline import Deadline
    from bounds.theorem import NotApplicable
    from verify.certificates.theorem_named import find_theorem
    from verify.planning.by_bound import planner_of

    if save and len(problems) * len(eps) > 1:
        raise click.UsageError("--save is for one problem and one --eps")
    check_new_file(save, force)
    asked = None if theorem is None else find_theorem(theorem)
    entries, questions = [], [load_question(name, overrides) for name in problems]
    with progress("planning") as tell:
        for place, question in enumerate(questions):
            setting, reason = setting_or_reason(question, information)
            if setting is None:
                raise Failure(f"{question.source}: {reason}")
            chosen = asked or find_theorem("flow" if question.scheme.sampler.follows_ode else "martingale")
            with naming(question.source):
                try:
                    planner = planner_of(chosen, setting, grid=grid, horizon=horizon, score_share=score_share)
                except NotApplicable as error:
                    raise Failure(f"{question.source}: {error}") from None
                for done, error in enumerate(eps):
                    tell((place + done / len(eps)) / len(questions), f"{question.source}, eps = {error:g}")
                    try:
                        with Deadline(seconds):
                            found = planner.plan(error)
                    except TimeoutError:
                        raise Failure(f"{question.source}: no plan for eps = {error:g} was found within {seconds:g} s "
                                      "(--seconds); a fixed --horizon asks for less") from None
                    truth = _truth(planner, found, question) if with_truth and found.reached else None
                    entries.append(_entry(question, found, truth))
    wrote = _save(save, force, problems[0], questions[0], found) if save else []
    entries.sort(key=lambda entry: (-entry["eps"], entry["steps"] is None, entry["evaluations"] or 0))
    if as_json:
        known = {question.source: question.as_dict() for question in questions}
        # one plan is also at the top, so that a script need not look into the list
        alone = entries[0] if len(entries) == 1 else {}
        print_json({"schema_version": SCHEMA_VERSIONS["plan"], **alone, "plans": entries, "problems": known})
    else:
        sought = _asked(grid, horizon)
        print_text(*[tables.describe(question, sought) for question in questions], _table(entries, with_truth),
                   *_lines(entries, with_truth), *wrote)
    return HOLDS if all(entry["reached"] for entry in entries) else WRONG


def _save(path: str, force: bool, name: str, question, found) -> list[str]:
    """Write the plan as a problem file, where it reaches its error; what the reader is told."""
    from pathlib import Path

    from verify.planning.saved import planned_tables
    from verify.problems.problem import bundled_problem
    from verify.problems.writing import problem_text

    if not found.reached:
        return [f"{path} was not written: the error is out of reach"]
    folder = (Path(name) if Path(name).exists() else bundled_problem(name)).parent
    about = f"{question.source} planned for W2 <= {found.eps:g} by {found.theorem}: {found.steps} steps"
    with new_file(path, force) as part:
        part.write_text(problem_text(planned_tables(question, found, folder), about), encoding="utf-8")
    return [f"wrote {path}"]


def _truth(planner, found, question):
    """The exact W2 of the planned sampler and the verdict; None without a law, of constants alone."""
    from dataclasses import replace

    from verify.certificates.certificate import verdict_of
    from verify.commands.certify import measured_error

    if question.law is None:
        return None
    scheme = replace(planner.setting.scheme, grid=found.grid)
    measured = measured_error(replace(planner.setting, scheme=scheme, score_error=found.score_error),
                              question.law)
    verdict = verdict_of("upper", found.bound.total, measured)
    return {
        "lower": measured.lower,
        "upper": measured.upper if math.isfinite(measured.upper) else None,
        "method": measured.method,
        "verdict": str(verdict),
    }


def _entry(question, found, truth) -> dict:
    from verify.studies.equal_effort import evaluations_of

    evaluations = None
    if found.steps is not None:
        to_zero = question.scheme.grid.early_stop == 0
        evaluations = evaluations_of(question.scheme.sampler, found.steps, to_zero)
    grid = None
    if found.grid is not None:
        listed = found.grid.kind != "uniform" and found.steps < MOST_TIMES
        grid = {"kind": found.grid.kind, "times": found.grid.times.tolist() if listed else None}
    return {
        "problem": question.source, "process": question.process.name, "eps": found.eps,
        "theorem": found.theorem,
        "reached": found.reached, "steps": found.steps, "evaluations": evaluations, "horizon": found.horizon,
        "grid": grid,
        **_table_of_error(found.score_error), "bound": found.bound.total if found.bound else None,
        "terms": dict(found.bound.terms) if found.bound else None,
        "bound_one_step_less": found.bound_one_step_less, "floor": found.floor, "blocking": found.blocking,
        "truth": truth, "notes": _notes(question),
    }


def _notes(question) -> list[str]:
    """What of the file the plan does not answer: a grid that says more than a horizon and a number of steps."""
    grid = question.scheme.grid
    if grid.kind == "uniform":
        return []
    return [f"{question.source}: its grid ({grid.kind}, T = {grid.horizon:g}, {grid.steps} steps) is not the plan's: "
            "a plan looks for a grid of its own, and bound and certify take the file's"]


def _asked(grid: str, horizon: float | None) -> str:
    """The horizon, steps and grid that are looked for, as the line about a problem has them."""
    given = "the best T" if horizon is None else f"T = {horizon:g}"
    return f"{given}, the fewest steps, grid {grid}"


def _table_of_error(error) -> dict:
    """A score error as a problem file says it."""
    return {"score_error": error} if isinstance(error, float) else error.table()


def _table(entries, with_truth: bool):
    extra = (">exact W2", "verdict") if with_truth else ()
    twice = any(entry["evaluations"] != entry["steps"] for entry in entries)
    counted = (">K", ">evaluations") if twice else (">K",)
    table = tables.empty_table("problem", ">eps", *counted, ">horizon", "grid", ">score error", ">bound",
                               ">K − 1", *extra)
    for entry in entries:
        truth = entry["truth"] or {}
        exact = "unknown" if truth.get("method") and truth["upper"] is None else number(truth.get("upper"))
        cells = [exact, truth.get("verdict", "")] if with_truth else []
        counts = [str(entry[key] or "–") for key in ("steps", "evaluations")[: len(counted)]]
        counts += [number(entry["horizon"]), entry["grid"]["kind"] if entry["grid"] else "–"]
        table.add_row(entry["problem"], number(entry["eps"]), *counts, number(entry["score_error"]),
                      number(entry["bound"]), number(entry["bound_one_step_less"]), *cells)
    return table


def _lines(entries, with_truth: bool) -> list[str]:
    from verify.certificates.sampled import NO_EXACT_LAW

    blocked = [_why_not(entry) for entry in entries if not entry["reached"]]
    unknown = [
        f"{entry['problem']}: no exact W2 is known: "
        + (truth["method"].removeprefix(NO_EXACT_LAW) if truth else "the data are constants alone")
        for entry in entries if with_truth and entry["reached"]
        if not (truth := entry["truth"]) or truth["upper"] is None
    ]
    notes = [f"note: {note}" for entry in entries for note in entry["notes"]]
    return list(dict.fromkeys([*blocked, *unknown, *notes]))


def _why_not(entry) -> str:
    """Why an error is out of reach, in words: what stays whatever the steps, or that they are too many."""
    start = f"{entry['problem']}: eps = {entry['eps']:g} is out of reach"
    if entry["floor"] < entry["eps"]:
        return f"{start}, {entry['blocking']}; only with ever more would the bound tend to {entry['floor']:.4g}"
    return f"{start}, the bound stays above {entry['floor']:.4g}; {entry['blocking']}"


COMMAND = plan
