"""The command ``report``: everything about a problem on one page that needs nothing else."""

import click

from verify.command_options import SET_OPTION, theorem_option, theorems_named
from verify.commands.certify import verdict_code
from verify.pages.console import Failure, print_text, progress
from verify.pages.new_file import check_new_file, new_file


@click.command(short_help="One self-contained HTML page about a problem.")
@click.argument("problem")
@click.option("--out", metavar="FILE.html", required=True, help="The page.")
@click.option("--force", is_flag=True, help="Replace the page if it exists.")
@theorem_option()
@SET_OPTION
def report(problem, out, force, theorem, overrides):
    """The question, its hypotheses, bounds with their formulas and terms, the exact error, the verdicts, curves over K
    and T, the grid and the sources of PROBLEM; exit codes as of certify."""
    from verify.reports.contents import contents
    from verify.reports.page import page

    if not out.lower().endswith((".html", ".htm")):
        raise Failure(f"--out must end in .html or .htm, got {out!r}")
    check_new_file(out, force)
    with progress("report") as tell:
        said = contents(problem, overrides, theorems_named(theorem), tell)
        text = page(said)
    with new_file(out, force) as part:
        part.write_text(text, encoding="utf-8")
    print_text(f"wrote {out}")
    return verdict_code(said["certificates"])


COMMAND = report
