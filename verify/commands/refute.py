"""The command ``refute``: a hunt for a counterexample to one theorem."""

import click

from verify.command_options import JSON_OPTION, hunting_options, theorem_option
from verify.pages.console import HOLDS, VIOLATED, WRONG, Failure, print_json, print_text, progress
from verify.pages.new_file import check_new_file
from verify.pages.schema_versions import SCHEMA_VERSIONS


@click.command(short_help="Hunt for a counterexample to a theorem.")
@theorem_option(required=True)
@click.option("--seconds", type=click.FloatRange(0.0, min_open=True), default=60.0, show_default=True,
              help="How long to hunt, by the clock on the wall.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of what is drawn.")
@click.option("--most-steps", type=click.IntRange(2), default=300, show_default=True,
              help="Largest number of steps drawn.")
@hunting_options
@JSON_OPTION
def refute(theorem, seconds, seed, most_steps, workers, resume, save, force, as_json):
    """Hunt for a problem that violates a theorem, and make it small; exit code 1 if there is one.

    Rounds of problems drawn inside the hypotheses, each with descents of bound over exact W2 from its
    tightest problems.  Exit code 0: none was found, and the tightest is shown; 2: no problem met the
    hypotheses.
    """
    from verify.counterexamples.campaign import refute as hunted

    check_new_file(save, force)
    with progress("hunting") as tell:
        found = hunted(theorem, seconds=seconds, seed=seed, most_steps=most_steps, workers=workers,
                       resume=resume, progress=tell)
    code = VIOLATED if found.violated else HOLDS if found.total("applied") else WRONG
    if code == WRONG and not as_json:
        raise Failure(f"{found.theorem.key}: none of {found.total('drawn')} problems drawn meets its hypotheses")
    if found.violated and save:
        from verify.problems.writing import save_problem

        save_problem(save, found.violated.problem, found.violated.violation(found.theorem, theorem))
    if as_json:
        print_json(_document(found, theorem, seed))
    else:
        print_text(*_lines(found, theorem), *([f"wrote {save}"] if found.violated and save else []))
    return code


def _lines(found, name: str) -> list[str]:
    """What the hunt found, and the problem that shows it."""
    from verify.problems.writing import problem_text

    case = found.violated or found.tightest
    effort = (f"{len(found.rounds)} rounds: {found.total('drawn')} problems drawn, {found.total('applied')} inside "
              f"the hypotheses, {found.total('tried')} compared with the exact W2")
    if case is None:
        return [f"{found.theorem.key}: no counterexample in {effort}"]
    said = case.violation(found.theorem, name) if found.violated else (
        f"{found.theorem.key}: no counterexample in {effort}; the tightest, bound/exact {case.ratio:.6g}, with "
        f"--information {case.information}:")
    return [said, "", problem_text(case.problem)]


def _document(found, name: str, seed: int) -> dict:
    from dataclasses import asdict

    return {"schema_version": SCHEMA_VERSIONS["refute"], "theorem": found.theorem.key,
            "kind": found.theorem.kind,
            "named": name, "seed": seed, "rounds": len(found.rounds),
            **{key: found.total(key) for key in ("drawn", "applied", "tried", "seconds")},
            "violated": found.violated and asdict(found.violated),
            "tightest": found.tightest and asdict(found.tightest)}


COMMAND = refute
