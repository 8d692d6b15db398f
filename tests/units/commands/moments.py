"""The command ``moments``: mean and size of the data of a problem."""

from __future__ import annotations

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question
from verify.pages import tables
from verify.pages.console import HOLDS, Failure, print_json, print_text


@click.command(short_help="Mean and size of the data.")
@click.argument("problem")
@SET_OPTION
@JSON_OPTION
def moments(problem, overrides, as_json):
    """E‖X_0‖² and ‖E X_0‖ of the data of PROBLEM."""
    question = load_question(problem, overrides)
    if question.law is None:
        raise Failure(f"{question.source}: moments need a law in closed form, got constants")
    found = {"second_moment": question.law.second_moment, "mean_norm": question.law.mean_norm}
    if as_json:
        print_json({**found, "problem": question.as_dict()})
        return HOLDS
    table = tables.empty_table("moment", ">value")
    for name, value in found.items():
        table.add_row(name, f"{value:.6g}")
    print_text(tables.describe(question), table)
    return HOLDS


COMMAND = moments
