"""The command ``show``: everything about one theorem or one family of processes, or the schema of problem files."""

import click

from verify.command_options import JSON_OPTION
from verify.pages import process_sheet, theorem_sheet
from verify.pages.console import Failure, emit, print_json, print_text, progress

#: The key of the schema of problem files.
SCHEMA = "schema"


@click.command(short_help="A theorem, or the closed forms of a process.")
@click.argument("key")
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option(
    "--set", "overrides", multiple=True, metavar="process.KEY=VALUE", help="A coefficient of a process."
)
@JSON_OPTION
def show(key, latex, overrides, as_json):
    """A theorem (statement, hypotheses, source, derivation), or the closed forms of a process family.

    A theorem may be one of your own: FILE.toml with a [claim], or FILE.py:NAME. The KEY schema prints the JSON
    Schema of problem files, for editors.
    """
    from bounds.processes import families
    from bounds.theorems import theorems
    from verify.certificates.theorem_named import find_theorem

    if latex and as_json:
        raise click.UsageError("--latex and --json exclude each other (the JSON holds the LaTeX)")
    if key == SCHEMA:
        if latex or overrides:
            raise click.UsageError("--latex and --set belong to a theorem or a process, not to the schema")
        from verify.problems.schema import problem_schema

        print_json(problem_schema())
        return
    if key in theorems() or key.endswith(".toml") or ".py:" in key:
        if overrides:
            raise click.UsageError("--set belongs to a process, not to a theorem")
        with progress("deriving the theorem again"):
            facts = theorem_sheet.theorem_facts(theorems()[key] if key in theorems() else find_theorem(key))
        forms = theorem_sheet.theorem_latex, theorem_sheet.theorem_sheet
    elif key in families():
        facts = _process_facts(families()[key], overrides)
        forms = process_sheet.process_latex, process_sheet.process_sheet
    else:
        known = ", ".join([*theorems(), *families(), SCHEMA])
        raise Failure(f"KEY must be a theorem or a process family, one of {known}, got {key!r}")
    if as_json:
        print_json(facts)
    elif latex:
        emit(forms[0](facts) + "\n")
    else:
        print_text(*forms[1](facts))


def _process_facts(family, overrides) -> dict:
    """The closed forms of a family, with example coefficients where none are given."""
    from bounds.symbolic.expressions import parse_expression
    from bounds.symbolic.integrals import TIME

    names = family.coefficients
    # what may be left out stays symbolic
    parameters = {name: each.example for name, each in names.items() if each.default is None}
    for override in overrides:
        target, _, value = override.partition("=")
        name = target.strip().removeprefix("process.")
        if name not in names or not target.strip().startswith("process."):
            wanted = " or ".join(f"process.{known}=..." for known in names) or "nothing"
            raise Failure(f"--set for {family.key} takes {wanted}, got {override!r}")
        parameters[name] = value.strip().strip("\"'")
    missing = [f"--set process.{name}=..." for name, value in parameters.items() if value is None]
    if missing:
        raise Failure(f"{family.key} has coefficients without an example: give {' '.join(missing)}")
    expressions = {
        name: parse_expression(value, TIME, name=f"process.{name}") for name, value in parameters.items()
    }
    with progress("deriving closed forms"):
        return process_sheet.process_facts(family.make(**expressions), parameters)


COMMAND = show
