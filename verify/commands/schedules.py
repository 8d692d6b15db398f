"""The command ``schedules``: noise schedules compared at equal steps, each on its best horizon and grid."""

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, INCONCLUSIVE, VIOLATED, Failure, print_json, print_text, progress
from verify.pages.figure import write_figure
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number


@click.command(short_help="Noise schedules at equal steps, bound and exact W2.")
@click.argument("problem")
@click.option(
    "--steps", type=click.IntRange(1, 100_000), default=400, show_default=True,
    help="Steps K of every sampler.",
)
@click.option("--sampler", default="euler-maruyama", show_default=True, metavar="KEY",
              help="Which sampler; those without noise are bounded by 'flow', and leave out CLD.")
@click.option("--schedule", "names", multiple=True, help="Only this schedule; may be repeated.")
@picture_options("Also draw the comparison.")
@SET_OPTION
@JSON_OPTION
def schedules(problem, steps, sampler, names, out, force, overrides, as_json):
    """Twelve noise schedules and critically-damped Langevin on the data of PROBLEM: martingale bound and
    exact W2.

    K steps of Euler–Maruyama, or of another sampler; each has its own best horizon, on a uniform grid and on
    the grid that makes its bound smallest.  Where no exact W2 is known the bounds are compared alone, and the
    exit code is 3.
    """
    from bounds.argument import unit_of
    from bounds.samplers import samplers
    from bounds.steps.rule import Sampler
    from verify.studies.schedules import SCHEDULES, compare, plot_comparison, rows, unknown

    question = load_question(problem, overrides)
    if question.law is None:
        raise Failure(f"{question.source}: the exact W2 needs a law in closed form, got constants")
    if not question.assumptions:
        raise Failure(f"{question.source}: data assumption: {'; '.join(question.notes)}")
    with progress("comparing") as tell:
        silent = unit_of("sampler", sampler, Sampler, samplers()).follows_ode
        every = tuple(name for name in SCHEDULES if not (silent and name == "CLD"))
        found = compare(question.law, steps, names or every, "flow" if silent else "martingale", tell,
                        question.assumptions[0], sampler)
    table, reasons = rows(found), unknown(found)
    refuted = any(each.exact.lower > each.bound for each in found)
    holds = None if reasons and not refuted else all(each.exact.upper <= each.bound for each in found)
    wrote = write_figure(out, force, lambda figure: plot_comparison(figure.add_subplot(), table), (7.0, 5.0),
                         title=tables.describe(question, f"{sampler}, {steps} steps, each schedule on its best horizon"))
    if as_json:
        known = {"steps": steps, "rows": table, "holds": holds, "notes": reasons}
        print_json({"schema_version": SCHEMA_VERSIONS["schedules"], **known, "problem": question.as_dict()})
    else:
        print_text(tables.describe(question), _table(table), *reasons, *wrote)
    return VIOLATED if refuted else INCONCLUSIVE if reasons else HOLDS


def _table(rows):
    figures = (">bound", ">exact", ">rank")
    table = tables.empty_table("schedule", ">T uniform", *figures, ">T best grid", *figures, ">gain bound",
                               ">gain exact")
    for row in rows:
        cells = [row["schedule"]]
        for grid in ("uniform", "best"):
            cells += [number(row[f"{grid}_{key}"]) for key in ("horizon", "bound", "exact")]
            cells.append(str(row[f"{grid}_rank"]))
        table.add_row(*cells, number(row["gain_bound"]), number(row["gain_exact"]))
    return table


COMMAND = schedules
