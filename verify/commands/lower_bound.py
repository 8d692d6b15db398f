"""The command ``lower-bound``: the exact error on Gaussian data, and the steps that an error needs."""

import math

import click

from verify.command_options import (
    JSON_OPTION,
    SET_OPTION,
    load_question,
    picture_options,
    setting_or_reason,
    theorems_named,
)
from verify.pages import tables
from verify.pages.console import HOLDS, WRONG, Failure, naming, print_json, print_text, progress
from verify.pages.entry import entry_of
from verify.pages.figure import write_figure


def _errors(_context, _parameter, values):
    """Refuse errors that are not positive and finite."""
    for value in values:
        if not 0 < value < float("inf"):
            raise click.BadParameter(f"must be positive and finite, got {value:g}")
    return values


@click.command("lower-bound", short_help="Exact error on Gaussian data, and the steps it takes.")
@click.argument("problem")
@click.option(
    "--eps", type=float, multiple=True, callback=_errors, help="Steps needed for this error; may be repeated."
)
@click.option("--formula", is_flag=True, help="Also λ(τ), c(σ0) by sympy, and the σ0 where c vanishes.")
@picture_options("Also draw c(σ0) with the exact error on top.")
@SET_OPTION
@JSON_OPTION
def lower_bound(problem, eps, formula, out, force, overrides, as_json):
    """Exact error of the sampler on Gaussian data, and the steps K ≥ c(σ0) T √d / ε that an error ε needs."""
    question = load_question(problem, overrides)
    theorem = theorems_named("gaussian-lower-bound")[0]
    setting, reason = setting_or_reason(question, "all")
    with naming(theorem.key):
        unmet = (reason,) if setting is None else theorem.unmet(setting)
        value = None if unmet else theorem.bound(setting)
    answer = {**entry_of(theorem, value, unmet), **_leading_order(question, value, eps)}
    if formula:
        answer["formula"] = _formula(question)
    wrote = write_figure(out, force, lambda figure: _draw(figure.add_subplot(), question),
                         title=tables.describe(question))
    if as_json:
        print_json({**answer, "notes": [*answer["notes"], *question.notes], "problem": question.as_dict()})
    else:
        table = [tables.lower_bound_table(answer)] if value else []
        lines = tables.remarks([(theorem.key, unmet, answer["notes"])], question.notes)
        if formula:
            found = answer["formula"]
            lines += [f"λ(t) = {found['rate']}", f"e/h = {found['integral']}  ({found['route']}; S = σ0²)"]
            lines += [f"c(σ0) vanishes at σ0 = {std:.6g}" for std in found["vanishing"]]
        print_text(tables.describe(question), *table, *lines, *wrote)
    return HOLDS if value else WRONG


def _formula(question) -> dict:
    """λ, e/h and the zeros of c(σ0), for Euler–Maruyama on a uniform grid."""
    import sympy

    from verify.studies.lower_constants import symbolic_constant, vanishing_stds

    with naming(question.source), progress("integrating λ"):
        found = symbolic_constant(question.process)
        zeros = vanishing_stds(question.process, question.scheme.grid.horizon)
    return {
        "rate": str(found.rate), "rate_latex": sympy.latex(found.rate), "integral": str(found.integral),
        "integral_latex": sympy.latex(found.integral), "route": found.route, "vanishing": zeros,
    }


def _draw(ax, question) -> None:
    from verify.studies.lower_constants import plot_lower_constants

    with naming(question.source), progress("measuring"):
        plot_lower_constants(ax, question.process, question.scheme.grid.horizon)


def _leading_order(question, value, eps) -> dict:
    """The leading-order part of the lower bound's answer: c(σ0), and the steps each error needs."""
    names = ("leading_order", "c", "integral")
    details = dict.fromkeys(names) if value is None else {name: value.details.get(name) for name in names}
    grid, found = question.scheme.grid, {"steps": question.scheme.grid.steps, **details, "requirements": []}
    if value is None:
        return found
    if details["c"] is None:
        if eps:
            raise Failure(
                "--eps needs euler-maruyama, a uniform grid and data N(m, s0^2 I): c(s0) is stated for those"
            )
        return found
    scale = float(details["c"]) * (grid.horizon - grid.early_stop) * math.sqrt(value.details["dim"])
    void = value.details["leading_order_vanishes"]
    for error in eps or (1e-1, 1e-2, 1e-3):
        found["requirements"].append({"eps": error, "steps": None if void else math.ceil(scale / error)})
    return found


COMMAND = lower_bound
