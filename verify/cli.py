"""The command ``sgm-bounds``: problem files in; tables, JSON and exit codes out.

Exit codes: 0 fine, or some verdict is HOLDS and none is worse; 1 a bound is violated; 2 wrong input, or
nothing applies; 3 inconclusive; 130 interrupted; 141 the reader of the output left.  Nothing heavy is
imported before a command needs it.
"""

from __future__ import annotations

import os
import sys

import click

from verify.commands.bound import bound, lower_bound
from verify.commands.certify import certify
from verify.commands.constants import constants
from verify.commands.demo import demo
from verify.commands.doctor import doctor
from verify.commands.experiment import experiment
from verify.commands.list import list_everything
from verify.commands.plan import plan
from verify.commands.profile import profile
from verify.commands.regimes import regimes
from verify.commands.sample import sample
from verify.commands.schedules import schedules
from verify.commands.search import search
from verify.commands.show import show
from verify.commands.table import table
from verify.pages.console import (
    FAILURES,
    HOLDS,
    INTERRUPTED,
    READER_LEFT,
    WRONG,
    complain,
    keeps_tracebacks,
    reason_of,
    settle,
)


class Commands(click.Group):
    """The group of commands, with one policy for errors: a line on the error stream and an exit code."""

    def main(self, args=None, prog_name=None, complete_var=None, standalone_mode=True, **extra):
        """Run and exit, in place of click's own handling: its exit code 1 would say "violated"."""
        args = sys.argv[1:] if args is None else list(args)
        if instruction := os.environ.get("_SGM_BOUNDS_COMPLETE"):
            from click.shell_completion import shell_complete

            sys.exit(shell_complete(self, extra, "sgm-bounds", "_SGM_BOUNDS_COMPLETE", instruction))
        try:
            with self.make_context("sgm-bounds", args, **extra) as context:
                code = self.invoke(context) or HOLDS
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        except click.ClickException as error:
            code = complain(error.format_message(), error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            code = complain("interrupted", INTERRUPTED)
        except BrokenPipeError:
            code = READER_LEFT
        except FAILURES as error:
            if keeps_tracebacks():
                raise
            code = complain(reason_of(error), WRONG)
        settle()
        sys.exit(code)


def _version(context, _parameter, wanted):
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("sgm-bounds")
        except PackageNotFoundError:
            found = "(not installed: running from its source)"
        click.echo(f"sgm-bounds {found}")
        context.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="PROBLEM is a TOML file, or the name of a bundled problem such as two_modes. "
    "Exit codes: 0 fine or holds, 1 violated, 2 wrong input or not applicable, 3 inconclusive.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def cli(context):
    """Compute, certify and refute 2-Wasserstein bounds for score-based generative models."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_COMMANDS = (
    bound, certify, constants, demo, doctor, experiment, list_everything, lower_bound, plan, profile, regimes, sample,
    schedules, search, show, table,
)  # fmt: skip
for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Entry point of the console script."""
    import signal
    import warnings

    if not sys.warnoptions and not keeps_tracebacks():
        warnings.simplefilter("ignore")  # what overflows is in the numbers; stderr is for one line
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that unfinished files are removed
    cli.main()


if __name__ == "__main__":
    main()
