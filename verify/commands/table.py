"""The command ``table``: iteration complexities, published and derived, for eight processes and the user's
own."""

import click

from verify.command_options import JSON_OPTION, load_question
from verify.pages.console import Failure, emit, print_json, print_text, progress
from verify.pages.schema_versions import SCHEMA_VERSIONS

FORMATS = ("text", "markdown", "latex")


@click.command(short_help="Iteration complexity K(ε, d): published, derived, and ours.")
@click.argument("problems", nargs=-1, metavar="[PROBLEM]...")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="Text (default), Markdown or LaTeX."
)
@click.option("--theorem", metavar="KEY",
              help="One more column: a key of 'sgm-bounds list', FILE.toml or FILE.py:NAME.")
@click.option("--ode", is_flag=True,
              help="In place of it: samplers without noise on Gaussian data in closed form, and best grids.")
@click.option("--details", is_flag=True, help="Also T, h and M of each row.")
@JSON_OPTION
def table(problems, theorem, form, ode, details, as_json):
    """Orders of K in ε and d that sympy derives from f and g, beside those printed in arXiv 2311.11003.

    With problems, one more row for the process of each.  log is log(√d/ε); the data are strongly log-concave.
    With a theorem, one more column, and a row for every process it is stated for.  With --ode what sympy
    derives of samplers of the probability-flow ODE on N(0, v I): W2 on equal steps, and on the best grid.
    """
    from verify.certificates.theorem_named import find_theorem
    from verify.studies import orders

    if as_json and form != "text":
        raise click.UsageError("--format and --json exclude each other (the JSON holds the LaTeX)")
    if ode:
        if problems or theorem or details:
            raise click.UsageError("--ode takes no problem, --theorem or --details")
        return _of_ode(form, as_json)
    questions = [load_question(name, ()) for name in problems]
    for question in questions:
        if question.process.blocks != 1:
            raise Failure(
                f"{question.source}: orders are derived for one-block processes, got {question.process.name}"
            )
    asked = theorem and find_theorem(theorem)
    with progress("limits") as tell:
        rows = orders.published_rows(tell, asked)
        rows += orders.stated_rows(asked) if asked else []
        rows += [orders.process_row(question.source, question.process, asked) for question in questions]
    if as_json:
        print_json({"schema_version": SCHEMA_VERSIONS["table"], "rows": rows})
    elif form == "text":
        print_text(orders.text_table(rows), *(orders.details(rows) if details else ()), *orders.remarks(rows))
    else:
        emit(getattr(orders, form)(rows))


def _of_ode(form, as_json):
    from verify.studies import flow_orders

    with progress("series") as tell:
        rows = flow_orders.ode_rows(tell)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSIONS["table"], "rows": [], "ode": rows})
    elif form == "text":
        print_text(flow_orders.ode_text(rows), *flow_orders.ode_remarks(rows))
    else:
        emit(getattr(flow_orders, f"ode_{form}")(rows))


COMMAND = table
