"""The command ``bound``: what every theorem claims about a problem."""

import click

from verify.command_options import (
    certified_options,
    load_question,
    problem_options,
    setting_or_reason,
    theorems_named,
    without_balls,
)
from verify.pages import tables
from verify.pages.console import HOLDS, WRONG, naming, print_json, print_text, progress
from verify.pages.entry import entry_of
from verify.pages.schema_versions import SCHEMA_VERSIONS


@click.command(short_help="Bounds of every theorem that applies.")
@problem_options
@certified_options
def bound(problem, theorem, information, overrides, as_json, why, certified, precision):
    """Evaluate every theorem (or one) on PROBLEM, and name the hypotheses that are not met."""
    from verify.certificates.useful_smoothing import explained

    question = load_question(problem, overrides)
    if certified and question.law is not None:
        from verify.certificates.certificate import check_certifiable

        check_certifiable(question.law)
    chosen, results = theorems_named(theorem), []
    setting, reason = setting_or_reason(question, information)
    with progress("bounds") as tell:
        for index, each in enumerate(chosen):
            tell(index / len(chosen), each.key)
            with naming(each.key):
                unmet = (reason,) if setting is None else each.unmet(setting)
                if certified and not unmet:
                    unmet = without_balls(each, chosen)
                if unmet:
                    value = None
                elif certified:
                    value = each.certified(setting, precision)
                else:
                    value = explained(each.bound(setting), each, setting)
            results.append(entry_of(each, value, unmet))
    if as_json:
        document = {"results": results, "notes": question.notes, "problem": question.as_dict()}
        print_json({**document, "schema_version": SCHEMA_VERSIONS["bound"]})
    else:
        entries = [(entry["theorem"], entry["unmet"], entry["notes"]) for entry in results]
        informed = tables.informed((entry["theorem"], entry["information"]) for entry in results if entry["applicable"])
        print_text(tables.describe(question), tables.bounds_table(results), *informed,
                   *tables.remarks(entries, question.notes, why))
    return HOLDS if any(entry["applicable"] for entry in results) else WRONG


COMMAND = bound
