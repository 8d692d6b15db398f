"""The command ``search``: random problems held against every theorem, with the ratio of each side by side."""

import click

from verify.command_options import JSON_OPTION, hunting_options, theorem_option
from verify.pages import tables
from verify.pages.console import HOLDS, INCONCLUSIVE, VIOLATED, print_json, print_text, progress
from verify.pages.new_file import check_new_file
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.plain import number


@click.command(short_help="Random problems against every theorem: violations and ratios.")
@click.option(
    "--problems", type=click.IntRange(1), default=50, show_default=True, help="How many random problems."
)
@click.option("--kind", type=click.Choice(("gaussian", "mixture")), help="Only this kind of data.")
@click.option(
    "--process", type=click.Choice(("one-block", "cld", "ode")), default="one-block", show_default=True,
    help="VP, VE and other processes of one block, critically-damped Langevin, or processes of one block "
    "with samplers that have no noise.",
)
@click.option(
    "--sampler", metavar="KEY", help="This sampler (see 'sgm-bounds list') in place of the one drawn."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Seed of the first; the others follow.",
)
@click.option(
    "--most-steps", type=click.IntRange(2), default=300, show_default=True,
    help="Largest number of steps drawn.",
)
@theorem_option()
@hunting_options
@JSON_OPTION
def search(problems, kind, process, sampler, seed, most_steps, theorem, workers, resume, save, force,
           as_json):
    """Draw random admissible problems and certify every applicable theorem; exit code 1 if one is violated.

    Problems whose exact law is too dear are passed over and counted as missing.  With --process cld every
    sampler of position and velocity is drawn, with ode every one without noise.  A seed beside a ratio draws
    its problem again: --seed S --problems 1.
    """
    from verify.counterexamples.search import as_rows, examine_all, ratios

    check_new_file(save, force)
    drawn = {"kind": kind, "most_steps": most_steps, "process": process, "sampler": sampler}
    with progress("searching") as tell:
        found = examine_all(range(seed, seed + problems), theorem=theorem, workers=workers, resume=resume,
                            progress=lambda done: tell(done / problems, f"{done} of {problems}"), **drawn)
    measured = len({finding.seed for finding in found})
    bad = [finding for finding in found if finding.verdict == "VIOLATED"]
    undecided = [finding for finding in found if finding.verdict == "INCONCLUSIVE"]
    groups = ratios(found)
    if bad and save:
        _save(save, bad[0], theorem, drawn)
    if as_json:
        print_json({
            "schema_version": SCHEMA_VERSIONS["search"], "process": process, "problems": problems,
            "measured": measured, "violated": len(bad), "ratios": groups,
            "not_holding": as_rows([*bad, *undecided]),
        })
    else:
        figures = (">n", ">violated", ">least", ">seed", ">median", ">largest", ">seed")
        table = tables.empty_table("theorem", "data", "information", *figures)
        for group in groups:
            cells = (group["theorem"], group["data"], group["information"], str(group["n"]),
                     str(group["violated"]))
            least, largest = ((number(group[key]), str(group[f"{key}_seed"])) for key in ("least", "largest"))
            table.add_row(*cells, *least, number(group["median"]), *largest)
        lines = [f"{f.verdict}: seed {f.seed}, {f.theorem}, {f.description}" for f in (*bad, *undecided)]
        lines += [f"wrote {save}"] if bad and save else []
        print_text(f"{measured} of {problems} problems measured; bound over exact W2:", table, *lines)
    return VIOLATED if bad else INCONCLUSIVE if undecided else HOLDS


def _save(path: str, finding, named: str | None, drawn: dict) -> None:
    """The problem of a violation, made small, as a problem file."""
    from verify.certificates.theorem_named import find_theorem
    from verify.counterexamples.campaign import counterexample
    from verify.problems.writing import save_problem

    named = named or finding.theorem
    theorem = find_theorem(named)
    found = counterexample(finding.seed, finding.information, theorem, **drawn)
    save_problem(path, found.problem, found.violation(theorem, named))


COMMAND = search
