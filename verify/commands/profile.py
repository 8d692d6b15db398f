"""The command ``profile``: how convex −log p is at each distance, and what is proved about it."""

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, Failure, naming, print_json, print_text, progress
from verify.pages.figure import write_figure
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number, plain


@click.command(short_help="Convexity profile of the data against (α, M).")
@click.argument("problem")
@click.option("--at", "time", type=float, default=0.0, show_default=True, help="Forward time t.")
@picture_options("Also draw both curves.")
@SET_OPTION
@JSON_OPTION
def profile(problem, time, out, force, overrides, as_json):
    """The convexity profile κ(r) of the law of X_t, searched for numerically, against α − f_M(r)/r.

    The search gives an upper estimate of κ; the curve of the constants is proved and must lie below it.
    Mixtures with unequal covariances have a profile but no proved constants.
    """
    from verify.studies.convexity_profile import plot_profile, profile_at

    question = load_question(problem, overrides)
    if question.law is None:
        raise Failure(f"{question.source}: a profile needs a law in closed form, got constants")
    with naming(f"{question.source}: profile at t = {time:g} (--at)"), progress("searching"):
        found = profile_at(question.process, question.law, time)
    wrote = write_figure(out, force, lambda figure: plot_profile(figure.add_subplot(), found),
                         title=tables.describe(question))
    if as_json:
        print_json(
            {
                "schema_version": SCHEMA_VERSIONS["profile"],
                **plain(found.as_dict()),
                "problem": question.as_dict(),
            }
        )
        return HOLDS
    table = tables.empty_table(">r", ">κ(r)", ">α − f_M(r)/r", ">gap")
    for place in range(0, len(found.found.distances), 4):
        proved = (None, None) if found.proved is None else (found.proved[place], found.gap[place])
        table.add_row(number(found.found.distances[place]), number(found.found.values[place]),
                      *map(number, proved))
    lines = [f"nothing is proved: {found.reason}"] if found.reason else [
        f"at t = {time:g}: alpha = {found.constants['alpha']:.4g}, M = {found.constants['M']:.4g}; "
        f"smallest gap {found.gap.min():.3g}"
    ]
    print_text(tables.describe(question), table, *lines, *wrote)
    return HOLDS


COMMAND = profile
