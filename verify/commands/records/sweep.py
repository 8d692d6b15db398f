"""The command ``sweep``: one question at many values of a problem's keys, kept as it goes."""

import os
import statistics
from pathlib import Path

import click

from verify.command_options import JSON_OPTION
from verify.pages import tables
from verify.pages.console import HOLDS, INCONCLUSIVE, VIOLATED, WRONG, cells_left, print_json, print_text
from verify.pages.new_file import check_new_file
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number

#: Reasons of failed cells that are shown.
_SHOWN = 5


@click.command(short_help="One question at many values of its keys; resumable, on many processes.")
@click.argument("file", metavar="S.toml")
@click.option("--out", metavar="FILE.jsonl", help="Where answers are kept, and a run goes on from; by default beside "
              "S.toml, by its name.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; by default one a processor.")
@click.option("--dask", metavar="ADDRESS", help="Compute on the workers of a Dask scheduler instead.")
@click.option("--theorem", "theorems", multiple=True, metavar="KEY",
              help="This theorem in place of those of S.toml: a key, FILE.toml or FILE.py:NAME; may be repeated.")
@click.option("--retry", is_flag=True, help="Compute cells that failed in an earlier run again.")
@click.option("--table", metavar="FILE.csv|.parquet", help="Also write one row for each cell and theorem.")
@click.option("--plot", metavar="FILE.png|.pdf|.svg", help="Also draw the bounds, and the exact W2, over a key.")
@click.option("--over", metavar="SECTION.KEY", help="The key of the picture's axis; by default the first of numbers.")
@click.option("--force", is_flag=True, help="Replace files that exist, and leave out of FILE.jsonl what S.toml does "
              "not ask for.")
@JSON_OPTION
def sweep(file, out, workers, dask, theorems, retry, table, plot, over, force, as_json):
    """Answer the question of S.toml (docs/sweeps.md) in every cell, and keep each answer as it comes.

    A run that was ended, by whatever, goes on from where it was, and ends with the same file.
    """
    from verify.sweeps.asking import load_sweep
    from verify.sweeps.picture import axis_of, draw
    from verify.sweeps.running import sweep as run
    from verify.sweeps.tables import ending_of, write_table

    if dask and workers:
        raise click.UsageError("--workers and --dask exclude each other")
    check_new_file(table, force)
    check_new_file(plot, force)
    if table:
        ending_of(table)
    if plot:
        from verify.pages.figure import ending_of as ending_of_picture

        ending_of_picture(plot, "--plot")
        axis_of([(axis.name, axis.values) for axis in load_sweep(file).axes], over)
    out = out or f"{Path(file).with_suffix('')}.jsonl"
    with cells_left("sweep") as tell:
        found = run(file, out=out, theorems=theorems or None, dask=dask, retry=retry, force=force, progress=tell,
                    workers=workers or os.cpu_count() or 1)
    summary, failed = summary_of(found), [cell for cell in found.cells if cell["failed"]]
    wrote = [f"wrote {out}"]
    if table:
        wrote.append(write_table(table, found.rows, force))
    if plot:
        from verify.pages.figure import write_figure

        wrote += write_figure(plot, force, lambda figure: draw(figure, found, over))
    if as_json:
        print_json({"schema_version": SCHEMA_VERSIONS["sweep"], "cells": len(found.cells),
                    "computed": found.computed, "failed": len(failed), "sweep": found.header["sweep"],
                    "theorems": summary, "out": out})
    else:
        print_text(*_text(file, found, summary, failed), *wrote)
    return _code(summary, failed)


def summary_of(found) -> list[dict]:
    """What each theorem says over the cells: to how many it applies, its bounds, and its verdicts."""
    rows = []
    for key in found.header["theorems"]:
        said = [each for cell in found.cells for each in cell["results"] if each["theorem"] == key]
        bounds = [each["bound"] for each in said if each["bound"] is not None]
        ratios = [each["ratio"] for each in said if each["ratio"] is not None]
        verdicts = [each["verdict"] for each in said if each["applicable"] and each["verdict"]]
        rows.append({"theorem": key, "applicable": sum(each["applicable"] for each in said),
                     "least": min(bounds, default=None), "largest": max(bounds, default=None),
                     "median_ratio": statistics.median(ratios) if ratios else None,
                     "verdicts": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}})
    return rows


def _text(file: str, found, summary: list[dict], failed: list[dict]) -> list:
    certified = found.header["compute"] == "certify"
    extra = (">median ratio", "verdicts") if certified else ()
    table = tables.empty_table("theorem", ">applies to", ">least bound", ">largest", *extra)
    for row in summary:
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in row["verdicts"].items())
        cells = [number(row["median_ratio"]), verdicts] if certified else []
        table.add_row(row["theorem"], str(row["applicable"]), number(row["least"]), number(row["largest"]), *cells)
    sizes = " × ".join(f"{name} ({len(values)})" for name, values in found.header["sweep"].items())
    lines = [f"{file} · {sizes} · {len(found.cells)} cells, {found.computed} computed now", table]
    reasons: dict[str, list[dict]] = {}
    for cell in failed:
        reasons.setdefault(cell["failed"], []).append(cell)
    for reason, cells in list(reasons.items())[:_SHOWN]:
        others = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        lines.append(f"cell {cells[0]['cell']}{others} failed ({_said(cells[0]['values'])}): {reason}")
    if len(reasons) > _SHOWN:
        lines.append(f"{len(failed)} cells failed; the other reasons are in the file")
    return lines


def _said(values: dict) -> str:
    from verify.plain import one_line

    return ", ".join(f"{name} = {one_line(value, 60)}" for name, value in values.items())


def _code(summary: list[dict], failed: list[dict]) -> int:
    """1 if a bound is violated, 2 if a cell failed or nothing applies, 3 if some verdict is open, else 0."""
    verdicts = {verdict for row in summary for verdict in row["verdicts"]}
    if "VIOLATED" in verdicts:
        return VIOLATED
    if failed or not any(row["applicable"] for row in summary):
        return WRONG
    return INCONCLUSIVE if "INCONCLUSIVE" in verdicts else HOLDS


COMMAND = sweep
