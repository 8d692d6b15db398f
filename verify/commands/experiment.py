"""The command ``experiment``: questions of the papers, answered by computing."""

import click

from verify.command_options import JSON_OPTION, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, Failure, naming, print_json, print_text, progress
from verify.pages.figure import write_figure
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number, plain


@click.command(short_help="Experiments of the papers, by name.")
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="Smaller grids and fewer cases.")
@picture_options("Also draw the result.")
@JSON_OPTION
def experiment(name, quick, out, force, as_json):
    """Run the experiment NAME; without a name, list them."""
    from verify.experiments import experiments

    known = experiments()
    if name is None:
        listed = [{"key": e.key, "title": e.title, "question": e.question} for e in known.values()]
        if as_json:
            print_json({"schema_version": SCHEMA_VERSIONS["experiment"], "experiments": listed})
        else:
            table = tables.empty_table("experiment", "question")
            for each in listed:
                table.add_row(each["key"], each["question"])
            print_text(table)
        return HOLDS
    if name not in known:
        raise Failure(f"experiment must be one of {', '.join(known)}, got {name!r}")
    chosen = known[name]
    with naming(name), progress(chosen.title) as tell:
        result = chosen.run(quick, tell)
    wrote = write_figure(out, force, lambda figure: chosen.draw(figure, result), (8.0, 4.5))
    if as_json:
        document = {
            "experiment": name,
            "question": chosen.question,
            "rows": result.rows,
            "findings": result.findings,
        }
        print_json({"schema_version": SCHEMA_VERSIONS["experiment"], **plain(document)})
    else:
        lines = [f"{chosen.title}: {chosen.question}", _table(result.rows),
                 *(f"* {line}" for line in result.findings)]
        print_text(*lines, *wrote)
    return HOLDS


def _table(rows):
    """The scalar columns that differ between rows, at most eleven."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [key for key in keys if not any(isinstance(row.get(key), list) for row in rows)]
    varying = [key for key in keys if len({row.get(key) for row in rows}) > 1][:11]
    table = tables.empty_table(
        *(in_words(name) if isinstance(rows[0].get(name), str) else f">{in_words(name)}" for name in varying)
    )
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in varying))
    return table


def in_words(name: str) -> str:
    """A key of rows as the head of a column."""
    return {"exact": "exact W2", "dim": "d", "std": "s"}.get(name, name.replace("_", " "))


def _cell(value) -> str:
    return str(value) if isinstance(value, str | bool) else number(value)


COMMAND = experiment
