"""The command ``samplers``: every sampler on one problem, at equal effort or for one error."""

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, INCONCLUSIVE, VIOLATED, naming, print_json, print_text, progress
from verify.pages.figure import write_figure
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number

#: Score evaluations where nothing is asked for.
EVALUATIONS = 64
_MOST = 1_000_000


@click.command(short_help="Every sampler at equal score evaluations, bound and exact W2.")
@click.argument("problem")
@click.option("--evaluations", type=click.IntRange(1, _MOST),
              help=f"Score evaluations of each (default {EVALUATIONS}).")
@click.option("--steps", type=click.IntRange(1, _MOST), help="Steps of each, in place of evaluations.")
@click.option("--eps", type=float,
              help="In place of both: the evaluations that each needs for W2 <= eps, by plan.")
@click.option("--grid", type=click.Choice(("uniform", "best")), default="best", show_default=True,
              help="Of the plans of --eps: equal steps, or steps where the bound needs them.")
@click.option("--horizon", type=float,
              help="Of the plans of --eps: a fixed one; by default the best of each.")
@click.option("--sampler", "names", metavar="KEY", multiple=True, help="Only this sampler; may be repeated.")
@click.option("--information", type=click.Choice(("all", "constants")), default="all", show_default=True,
              help="What a bound may know: all about a law in closed form, or its assumption's constants.")
@picture_options("Also draw the comparison.")
@SET_OPTION
@JSON_OPTION
def samplers(problem, evaluations, steps, eps, grid, horizon, names, information, out, force, overrides,
             as_json):
    """Every sampler on the process, data, horizon and kind of grid of PROBLEM, with its smallest bound and
    the exact W2.

    The grid is laid out again with as many steps as the score evaluations allow: half as many where a step
    takes two, and the step to time 0 of Heun's method takes one.  With --eps the horizon is free and the grid
    the plan's.  A sampler without a bound, or whose exact W2 is not known, has its reason in place of it.
    """
    from verify.studies.equal_effort import compare_samplers, plan_samplers, plot_effort, plot_plans

    asked = [name for name, value in (("--evaluations", evaluations), ("--steps", steps), ("--eps", eps))
             if value is not None]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} exclude each other")
    question = load_question(problem, overrides)
    with progress("comparing") as tell, naming(question.source):
        if eps is not None:
            rows = plan_samplers(question, eps, grid=grid, horizon=horizon, names=names,
                                 information=information, tell=tell)
        else:
            evaluations = EVALUATIONS if steps is None and evaluations is None else evaluations
            rows = compare_samplers(question, evaluations=evaluations, steps=steps, names=names,
                                    information=information, tell=tell)
    title = _title(question, evaluations, steps, eps)
    wrote = write_figure(
        out, force, lambda figure: (plot_effort(figure.add_subplot(), rows, title) if eps is None
                                    else plot_plans(figure.add_subplot(), rows, eps, title)), (7.0, 5.0))
    verdicts = [str(row.verdict) for row in rows if row.verdict is not None]
    if as_json:
        print_json({"schema_version": SCHEMA_VERSIONS["samplers"], "evaluations": evaluations, "steps": steps,
                    "eps": eps, "rows": [row.as_dict() for row in rows], "problem": question.as_dict()})
    else:
        print_text(tables.describe(question), _table(rows), *_reasons(rows), *wrote)
    if "VIOLATED" in verdicts:
        return VIOLATED
    return HOLDS if verdicts and set(verdicts) == {"HOLDS"} else INCONCLUSIVE


def _title(question, evaluations: int | None, steps: int | None, eps: float | None) -> str:
    """Process, data and what is equal, for the picture."""
    data = question.as_dict()["data"]
    what = data.get("law") or data.get("assumption")
    equal = (f"W2 at most {eps:g}" if eps is not None else f"{evaluations} score evaluations" if steps is None
             else f"{steps} steps")
    return f"{question.source}: {question.process.name}, {what} in dimension {data.get('dim', 1)}, {equal}"


def _table(rows):
    numbers = (">steps", ">evaluations", ">horizon", ">bound", ">exact W2", ">ratio")
    table = tables.empty_table("sampler", "noise", *numbers, "theorem", "verdict")
    for row in rows:
        known = row.as_dict()
        counts = (tables.number_of_steps(known[key]) for key in ("steps", "evaluations"))
        bound, exact = number(known["bound"]), number(known["exact_upper"])
        if row.bound is not None and known["bound"] is None:
            bound = "inf"
        if row.exact is not None and known["exact_upper"] is None:
            exact = "unknown"
        cells = (number(known["horizon"]), bound, exact, number(known["ratio"]))
        table.add_row(row.sampler, "yes" if row.noise else "no", *counts, *cells, row.theorem or "–",
                      known["verdict"] or "–")
    return table


def _reasons(rows) -> list[str]:
    """Why something is missing, a line for each reason with its samplers."""
    said: dict[str, list[str]] = {}
    for row in rows:
        if row.reason:
            said.setdefault(row.reason, []).append(row.sampler)
    return [f"{', '.join(names)}: {reason}" for reason, names in said.items()]


COMMAND = samplers
