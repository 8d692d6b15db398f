"""The command ``constants``: (α, M, L) of samples over bandwidths, and which bandwidth makes a bound
useful."""

import os
from pathlib import Path

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, Failure, naming, print_json, print_text, progress
from verify.pages.figure import write_figure
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number, plain

#: Scheme of the bound for a bare file of data.
HORIZON, STEPS = 8.0, 2000


@click.command(short_help="Constants (α, M, L) from samples, over bandwidths.")
@click.argument("source", metavar="PROBLEM|FILE.csv|.npy|.parquet")
@click.option(
    "--bandwidth", "bandwidths", type=float, multiple=True,
    help="A bandwidth s; may be repeated (default: a range).",
)
@click.option("--columns", help="Columns of the file, separated by commas (default: all).")
@click.option(
    "--standardize", is_flag=True, help="Shift and scale the columns of the file to mean 0 and variance 1."
)
@click.option(
    "--header/--no-header", default=None,
    help="Whether the first line of a CSV file names the columns (default: it does, unless made of numbers).",
)
@picture_options("Also draw the bound over the bandwidth.")
@SET_OPTION
@JSON_OPTION
def constants(source, bandwidths, columns, standardize, header, out, force, overrides, as_json):
    """Constants of the smoothed empirical law (1/n) Σ N(x_i, s² I), exact for it, as the bandwidth s varies.

    PROBLEM has data.law = "samples"; a file of data (CSV, an array of numpy, Parquet) is taken with OU and
    Euler–Maruyama, T = 8, 2000 steps.
    """
    from bounds.theorems import theorems
    from verify.studies.constants import constants_of_samples, plot_constants

    samples, process, scheme, about = _question(source, columns, standardize, header, overrides)
    with naming(about), progress("constants"):
        found = constants_of_samples(samples, process, scheme, theorems()["martingale"], bandwidths or None)
    wrote = write_figure(out, force, lambda figure: plot_constants(figure.add_subplot(), found),
                         title=f"{about} · {scheme.name}, T = {scheme.grid.horizon:g}, {scheme.grid.steps} steps")
    if as_json:
        print_json({"schema_version": SCHEMA_VERSIONS["constants"], "source": about, **_document(found)})
    else:
        print_text(*_lines(found, about), *wrote)
    return HOLDS


def _question(source: str, columns, standardize: bool, header: bool | None, overrides):
    """(samples, process, scheme, what they are called)."""
    from bounds import euler_maruyama, ou
    from closed_form.laws.samples import BINARY, read_samples

    if source.lower().endswith((".csv", *BINARY)):
        if overrides:
            raise click.UsageError("--set belongs to a problem, not to a file of data")
        with naming(os.path.basename(source)):
            samples = read_samples(source, columns.split(",") if columns else None, standardize, header)
        return samples, ou(), euler_maruyama(HORIZON, STEPS), os.path.basename(source)
    if columns or standardize or header is not None:
        raise click.UsageError("--columns, --standardize and --header belong to a file of data; "
                               "a problem has its own")
    from verify.problems.problem import bundled_problem

    question = load_question(source, overrides)
    table = question.tables["data"]
    if table.get("law") != "samples":
        found = table.get("law") or table.get("assumption")
        raise Failure(f'{question.source}: needs data.law = "samples", got {found!r}')
    folder = Path(source).parent if os.path.exists(source) else Path(bundled_problem(source)).parent
    samples = read_samples(folder / table["file"], table.get("columns"), table.get("standardize", False),
                           table.get("header"))
    return samples, question.process, question.scheme, question.source


def _document(found) -> dict:
    rows = [
        {
            "bandwidth": row.bandwidth, "alpha": row.assumption.alpha, "M": row.assumption.M,
            "L": row.assumption.L,
            "expansion": row.expansion, "xi": row.xi, "eta": row.eta, "moved": row.moved, "bound": row.bound,
            "vacuous": row.vacuous,
        }
        for row in found.rows
    ]
    useful = None if found.useful is None else {
        "bandwidth": found.useful.noise_std, "moved": found.useful.moved, "bound": found.useful.bound
    }
    return plain({
        "samples": found.samples, "dim": found.dim, "radius": found.radius,
        "radius_range": found.radius_range,
        "reference_bandwidths": found.reference_bandwidths, "rows": rows, "useful": useful,
    })


def _lines(found, about: str) -> list:
    table = tables.empty_table(">s", ">α = L", ">M", ">R²/s²", ">ξ", ">η", ">s√d", ">bound", "")
    for row in found.rows:
        values = (row.bandwidth, row.assumption.alpha, row.assumption.M, row.expansion, row.xi, row.eta,
                  row.moved, row.bound)
        table.add_row(*map(number, values), "vacuous" if row.vacuous else "")
    low, high = found.radius_range
    rules = ", ".join(f"{name.capitalize()} {value:.4g}"
                      for name, value in found.reference_bandwidths.items())
    lines = [
        f"{about}: {found.samples} samples in dimension {found.dim}",
        table,
        "Constants of the smoothed empirical law (1/n) Σ N(x_i, s² I), exact for it; not of the law the "
        "samples came from.",
        f"R = {found.radius:.4g}, in bootstrap resamples {low:.4g} to {high:.4g} (5 % to 95 %); bandwidth "
        f"rules: {rules}.",
    ]
    if found.useful is None:
        return [*lines, "No bandwidth makes the bound useful with this sampler."]
    useful = found.useful
    return [*lines, f"Useful from s = {useful.noise_std:g} on: bound {useful.bound:.4g}; it moves the data "
    f"by at most "
            f"s√d = {useful.moved:.4g}."]


COMMAND = constants
