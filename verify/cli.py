"""The command ``sgm-bounds``: problem files in; tables, JSON and exit codes out.

Exit codes: 0 fine, or some verdict is HOLDS and none is worse; 1 a bound is violated; 2 wrong input, or
nothing applies; 3 inconclusive; 130 interrupted; 141 the reader of the output left.  Nothing heavy is
imported before a command needs it.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping

import click

import verify.commands
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


class CommandFiles(Mapping):
    """Commands by name: every file of `verify.commands` defines one, as ``COMMAND``, and is imported when it
    is looked up.

    A file ``lower_bound.py`` holds the command ``lower-bound``.  The folders in the package are searched too,
    and a folder appended to its ``__path__``.
    """

    def _files(self) -> dict[str, str]:
        """The module of every command, by its name."""
        found, home = {}, verify.commands.__name__
        for module in pkgutil.iter_modules(verify.commands.__path__):
            inside = [os.path.join(module.module_finder.path, module.name)] if module.ispkg else []
            files = [f"{home}.{module.name}"] if not module.ispkg else [
                f"{home}.{module.name}.{each.name}" for each in pkgutil.iter_modules(inside)]
            found |= {file.rpartition(".")[2].replace("_", "-"): file for file in files}
        return dict(sorted(found.items()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files())

    def __len__(self) -> int:
        return len(self._files())

    def __getitem__(self, name: str) -> click.Command:
        file = self._files()[name]
        command = getattr(importlib.import_module(file), "COMMAND", None)
        if command is None or command.name != name:
            raise TypeError(f"{file} must define COMMAND, a command called {name!r}")
        return command


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
        from verify.installed import version_of

        click.echo(f"sgm-bounds {version_of('sgm-bounds') or '(not installed: running from its source)'}")
        context.exit()


@click.group(
    cls=Commands,
    commands=CommandFiles(),
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


def main() -> None:
    """Entry point of the console script."""
    import gc
    import signal
    import warnings

    from verify.memory import keep_freed_memory

    if sys.argv[1:2] != ["sample"]:
        # products here are small: threads of BLAS cost more than they save, and half the CPU of some commands
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed_memory()
    # what imports make stays: looking through it again and again is a twelfth of a short command
    gc.set_threshold(100_000, 50, 100)
    if not sys.warnoptions and not keeps_tracebacks():
        warnings.simplefilter("ignore")  # what overflows is in the numbers; stderr is for one line
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that unfinished files are removed
    cli.main()


if __name__ == "__main__":
    main()
