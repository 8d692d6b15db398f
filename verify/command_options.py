"""What the commands about a problem share: its file, its setting, the theorems asked for, the options."""

import os
import re

import click

from verify.pages.console import naming

JSON_OPTION = click.option("--json", "as_json", is_flag=True,
                           help="Print one JSON document instead of tables.")
SET_OPTION = click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE",
                          help="Override the file; may be repeated.")


def theorem_option(required: bool = False):
    """The option ``--theorem``."""
    return click.option("--theorem", metavar="KEY", required=required,
                        help="Only this theorem: a key of 'sgm-bounds list', FILE.toml or FILE.py:NAME.")


def hunting_options(command):
    """The options of commands that look for counterexamples for long."""
    options = (
        click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True,
                     help="Processes."),
        click.option("--resume", metavar="FILE.jsonl",
                     help="Keep what is done in this file, and go on where it ends."),
        click.option("--save", metavar="FILE.toml", help="Write the counterexample as a problem file."),
        click.option("--force", is_flag=True, help="Replace that file if it exists."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def picture_options(drawn: str):
    """The options ``--out`` and ``--force`` of commands that can draw what they found, said in the help as
    ``drawn``."""

    def add(command):
        force = click.option("--force", is_flag=True, help="Replace the picture if it exists.")
        return click.option("--out", metavar="FILE.png|.pdf|.svg", help=drawn, callback=_picture)(force(command))

    return add


def _picture(_context, _parameter, path: str | None) -> str | None:
    """The path of a picture, whose ending is judged before anything is computed."""
    if path is not None:
        from verify.pages.figure import ending_of

        ending_of(path)
    return path


def certified_options(command):
    """The options ``--certified`` and ``--precision``."""
    from bounds.symbolic.proof import LEAST_BITS, MOST_BITS, PRECISION

    bits = click.option("--precision", type=click.IntRange(LEAST_BITS, MOST_BITS), default=PRECISION,
                        metavar="BITS",
                        show_default=True, help="Of the ball arithmetic of --certified.")
    return click.option("--certified", is_flag=True,
                        help="In ball arithmetic: every digit is proved (Gaussian data; bound also takes "
                             "constants alone).")(bits(command))


def problem_options(command):
    """The argument and the options of commands about a problem."""
    options = (
        click.argument("problem"),
        theorem_option(),
        click.option(
            "--information", type=click.Choice(("all", "constants")), default="all", show_default=True,
            help="What a bound may know: all about a law in closed form, or its assumption's constants.",
        ),
        SET_OPTION,
        JSON_OPTION,
        click.option("--why", is_flag=True,
                     help="Say of every theorem that does not apply which hypothesis is not met."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def load_question(name: str, overrides):
    """The problem in a file, or the bundled one of that name; a path that exists wins.

    Until the command ends numpy does not warn: what overflows is in the numbers.
    """
    import numpy as np

    from verify.problems.problem import bundled_problem, load_problem

    if context := click.get_current_context(silent=True):
        context.with_resource(np.errstate(all="ignore"))
    if re.fullmatch(r"[\w-]+", name) and not os.path.exists(name):
        with naming(f"no file is called {name!r}"):
            name = bundled_problem(name)
    return load_problem(name, overrides)


def setting_or_reason(problem, information: str):
    """(setting, None), or (None, why nothing is known of the data)."""
    from verify.certificates.question import setting_of_problem

    if not problem.assumptions:
        return None, f"data assumption: {'; '.join(problem.notes)}"
    return setting_of_problem(problem, information), None


def theorems_named(key: str | None) -> list:
    """The theorem of that key, or all of them."""
    from bounds.theorems import theorems
    from verify.certificates.theorem_named import find_theorem

    return list(theorems().values()) if key is None else [find_theorem(key)]


def without_balls(theorem, chosen: list) -> tuple[str, ...]:
    """Why a theorem that applies is left out where all are to be certified; one that is named is refused."""
    if theorem.in_balls is not None or len(chosen) == 1:
        return ()
    return (f"certified: needs a form in ball arithmetic, which {theorem.key} has not",)
