"""The command ``list``: every theorem, process, sampler, assumption and bundled problem there is."""

from collections.abc import Mapping, Sequence

import click

from verify.command_options import JSON_OPTION
from verify.pages import tables
from verify.pages.console import print_json, print_text

#: What may be listed; symbols only where they are asked for.
SECTIONS = ("theorems", "processes", "schemes", "laws", "assumptions", "problems", "experiments", "commands", "symbols")


@click.command("list", short_help="What there is: theorems, processes, schemes, laws, …")
@click.argument("section", required=False, type=click.Choice(SECTIONS))
@JSON_OPTION
def list_everything(section, as_json):
    """Theorems, processes, schemes, laws, assumptions, bundled problems, experiments and commands, or one SECTION of these.

    The section symbols holds what a formula of a claim (docs/your-own-theorem.md), or one of a sampler
    (docs/your-own-sampler.md), may contain.
    """
    found = everything()
    if section == "symbols":
        found = {"symbols": symbols()}
    elif section:
        found = {section: found[section]}
    if as_json:
        print_json(found)
    else:
        print_text(*tables.catalogue_tables(found))


def everything() -> dict[str, list[dict]]:
    """The catalogue with the bundled problems, about each of which its first comment tells."""
    from verify.problems.problem import bundled_problem, bundled_problems

    problems = []
    for name in bundled_problems():
        text = bundled_problem(name).read_text(encoding="utf-8")
        comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        problems.append({"name": name, "about": " ".join(comment)})
    return catalogue(problems)


def catalogue(problems: Sequence[Mapping]) -> dict[str, list[dict]]:
    """Every theorem, process, scheme, law, assumption, experiment and command the package knows, and the bundled problems
    given."""
    from dataclasses import fields

    from bounds.assumptions import assumptions
    from bounds.processes import families
    from bounds.samplers import samplers
    from bounds.theorems import theorems
    from closed_form.laws import laws
    from verify.cli import CommandFiles
    from verify.experiments import experiments

    moments = ("dim", "second_moment", "mean_norm")
    return {
        "theorems": [
            {"key": t.key, "title": t.title, "kind": t.kind, "source": str(t.source)}
            for t in theorems().values()
        ],
        "processes": [
            {"key": family.key, "parameters": list(family.coefficients), "about": _summary(family.make)}
            for family in families().values()
        ],
        "schemes": [{"key": each.key,
                     "parameters": [f"{one.name}: {one.requirement}, by default {one.default:g}"
                                    for one in each.parameters],
                     "source": each.source} for each in samplers().values()],
        "laws": [{"key": key, "takes": list(law.keys)} for key, law in laws().items()],
        "assumptions": [
            {
                "key": key,
                "constants": [f.name for f in fields(kind) if f.name not in moments],
                "about": _summary(kind),
            }
            for key, kind in assumptions().items()
        ],
        "problems": [dict(problem) for problem in problems],
        "experiments": [{"key": each.key, "question": each.question} for each in experiments().values()],
        "commands": [{"name": name, "about": command.get_short_help_str(limit=200)}
                     for name, command in CommandFiles().items()],
    }


def symbols() -> list[dict]:
    """The symbols of formulas, and whether a claim or a sampler may contain them."""
    from bounds.claim.symbols import SYMBOLS
    from bounds.steps.formulas import SYMBOLS as OF_A_STEP

    found = [{"symbol": known.name, "scope": known.scope, "meaning": known.meaning,
              "of": "one block" if known.one_block else "any process",
              "in": "claim, sampler" if known.name in OF_A_STEP else "claim"} for known in SYMBOLS.values()]
    return found + [{"symbol": name, "scope": "step", "meaning": meaning, "of": "one block", "in": "sampler"}
                    for name, meaning in OF_A_STEP.items() if name not in SYMBOLS]


def _summary(thing) -> str:
    """The first line of a docstring, without its mathematics."""
    return (thing.__doc__ or "").strip().splitlines()[0].split(": :math:")[0].rstrip(".")


COMMAND = list_everything
