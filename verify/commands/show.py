"""The commands ``list`` and ``show``: what there is, and everything about one theorem or process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from verify.command_options import JSON_OPTION
from verify.pages import tables, theorem_sheet
from verify.pages.console import Failure, emit, print_json, print_text, progress

#: Coefficients that ``show`` takes where --set gives none.
_EXAMPLES = {"beta": "1/10 + 199/10*t", "g": "exp(t)", "f": "1/2"}
_FAMILY_EXAMPLES = {"general": {"g": "1"}}


@click.command("list", short_help="What there is: theorems, processes, schemes, problems.")
@JSON_OPTION
def list_everything(as_json):
    """Theorems, processes, schemes, assumptions and bundled problems."""
    from verify.problems.problem import bundled_problem, bundled_problems

    problems = []
    for name in bundled_problems():
        text = bundled_problem(name).read_text(encoding="utf-8")
        comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        problems.append({"name": name, "about": " ".join(comment)})
    found = catalogue(problems)
    if as_json:
        print_json(found)
    else:
        print_text(*tables.catalogue_tables(found))


def catalogue(problems: Sequence[Mapping]) -> dict[str, list[dict]]:
    """Every theorem, process, scheme and assumption the package knows, and the bundled problems given."""
    from dataclasses import fields

    from bounds.assumptions import ASSUMPTIONS
    from bounds.processes import FAMILIES
    from bounds.sampler import SAMPLERS
    from bounds.theorem import theorems

    moments = ("dim", "second_moment", "mean_norm")
    return {
        "theorems": [
            {"key": t.key, "title": t.title, "kind": t.kind, "source": str(t.source)}
            for t in theorems().values()
        ],
        "processes": [
            {"key": key, "parameters": list(names), "about": _summary(make)}
            for key, (make, names) in FAMILIES.items()
        ],
        "schemes": [{"key": key, "source": rule.source} for key, rule in SAMPLERS.items()],
        "assumptions": [
            {
                "key": key,
                "constants": [f.name for f in fields(kind) if f.name not in moments],
                "about": _summary(kind),
            }
            for key, kind in ASSUMPTIONS.items()
        ],
        "problems": [dict(problem) for problem in problems],
    }


def _summary(thing) -> str:
    """The first line of a docstring, without its mathematics."""
    return (thing.__doc__ or "").strip().splitlines()[0].split(": :math:")[0].rstrip(".")


@click.command(short_help="A theorem, or the closed forms of a process.")
@click.argument("key")
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option(
    "--set", "overrides", multiple=True, metavar="process.KEY=VALUE", help="A coefficient of a process."
)
@JSON_OPTION
def show(key, latex, overrides, as_json):
    """A theorem (statement, hypotheses, source, derivation), or the closed forms of a process family."""
    from bounds.processes import FAMILIES
    from bounds.theorem import theorems

    if latex and as_json:
        raise click.UsageError("--latex and --json exclude each other (the JSON holds the LaTeX)")
    if key in theorems():
        if overrides:
            raise click.UsageError("--set belongs to a process, not to a theorem")
        with progress("deriving the theorem again"):
            facts = theorem_sheet.theorem_facts(theorems()[key])
        forms = theorem_sheet.theorem_latex, theorem_sheet.theorem_sheet
    elif key in FAMILIES:
        facts = _process_facts(key, overrides)
        forms = theorem_sheet.process_latex, theorem_sheet.process_sheet
    else:
        known = ", ".join([*theorems(), *FAMILIES])
        raise Failure(f"KEY must be a theorem or a process family, one of {known}, got {key!r}")
    if as_json:
        print_json(facts)
    elif latex:
        emit(forms[0](facts) + "\n")
    else:
        print_text(*forms[1](facts))


def _process_facts(family: str, overrides) -> dict:
    """The closed forms of a family, with example coefficients where none are given."""
    from bounds.process import TIME
    from bounds.processes import DEFAULTS, FAMILIES
    from bounds.symbolic.expressions import parse_expression

    make, names = FAMILIES[family]
    examples = {**_EXAMPLES, **_FAMILY_EXAMPLES.get(family, {})}
    # what may be left out stays symbolic
    parameters = {name: examples[name] for name in names if name not in DEFAULTS.get(family, {})}
    for override in overrides:
        target, _, value = override.partition("=")
        name = target.strip().removeprefix("process.")
        if name not in names or not target.strip().startswith("process."):
            wanted = " or ".join(f"process.{known}=..." for known in names) or "nothing"
            raise Failure(f"--set for {family} takes {wanted}, got {override!r}")
        parameters[name] = value.strip().strip("\"'")
    expressions = {
        name: parse_expression(value, TIME, name=f"process.{name}") for name, value in parameters.items()
    }
    with progress("deriving closed forms"):
        return theorem_sheet.process_facts(make(**expressions), parameters)


COMMAND = show
