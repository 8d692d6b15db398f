"""The command ``cite``: BibTeX for what a result used."""

import click

from verify.command_options import (
    JSON_OPTION,
    SET_OPTION,
    load_question,
    setting_or_reason,
    theorem_option,
    theorems_named,
)
from verify.pages.console import HOLDS, emit, print_json


@click.command(short_help="BibTeX for what a result, or a theorem, rests on.")
@click.argument("problem", required=False)
@theorem_option()
@SET_OPTION
@JSON_OPTION
def cite(problem, theorem, overrides, as_json):
    """The sources of the theorems that apply to PROBLEM, of its sampler and its process, and of this package; or of
    one theorem alone."""
    from verify.reports.sources import of_problem, of_theorem

    if problem is None and theorem is None:
        raise click.UsageError("cite needs a PROBLEM, or --theorem KEY")
    chosen = theorems_named(theorem)
    if problem is None:
        found = [of_theorem(each) for each in chosen]
    else:
        question = load_question(problem, overrides)
        setting, _ = setting_or_reason(question, "all")
        found = of_problem(question, [each for each in chosen if setting is not None and not each.unmet(setting)])
    if as_json:
        print_json({"bibtex": found})
    else:
        emit("\n\n".join(found) + "\n")
    return HOLDS


COMMAND = cite
