"""How a command talks to its reader: text, JSON, progress, and one line with an exit code for a failure.

Wrong input, and arithmetic or memory that fails on the way, is one line on the error stream.  Programming
errors (AttributeError, TypeError, KeyError…) keep their traceback: hiding them would hide bugs.
SGM_BOUNDS_DEBUG=1 keeps every traceback.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator

import click

from verify.plain import one_line, plain

HOLDS, VIOLATED, WRONG, INCONCLUSIVE, INTERRUPTED, READER_LEFT = 0, 1, 2, 3, 130, 141
#: What the arithmetic of a problem may raise, and what may stop a command without being a bug.
EVALUATION = (ArithmeticError, ValueError, MemoryError)
FAILURES = (*EVALUATION, OSError, ImportError, RecursionError, NotImplementedError)

_PROGRESS_DELAY = 0.5
#: Seconds between two lines of progress where the error stream is no terminal.
_LINE_EVERY = 60.0
#: Columns of output that is not a terminal's, where COLUMNS does not say.
_WIDTH = 140
#: Fewer columns than these hold no table.
_LEAST_WIDTH = 20


class Failure(click.ClickException):
    """A refusal: one line, and the exit code."""

    def __init__(self, message: object, exit_code: int = WRONG):
        super().__init__(one_line(message))
        self.exit_code = exit_code


def complain(message: str, code: int) -> int:
    """One line on the error stream; returns the exit code."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(f"sgm-bounds: {one_line(message)}", err=True)
    return code


def settle() -> None:
    """Let go of an output that cannot be written, so that the interpreter does not try again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reason_of(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    prefix = {MemoryError: "not enough memory", RecursionError: "nested too deeply"}.get(type(error), "")
    return ": ".join(part for part in (prefix, str(error)) if part) or type(error).__name__


def keeps_tracebacks() -> bool:
    """Whether the reader asked for every traceback."""
    return bool(os.environ.get("SGM_BOUNDS_DEBUG"))


@contextlib.contextmanager
def naming(what: str) -> Iterator[None]:
    """Put ``what`` in front of a failure."""
    try:
        yield
    except EVALUATION as error:
        if keeps_tracebacks():
            raise
        raise Failure(f"{what}: {reason_of(error)}") from None


def emit(text: str) -> None:
    """Write to the output and flush; characters it cannot encode become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(f"the output cannot be written: {error.strerror}") from None


class _Page(io.StringIO):
    """Text for the output, in its encoding."""

    encoding = property(lambda self: getattr(sys.stdout, "encoding", None) or "utf-8")


def print_text(*renderables) -> None:
    """Tables and lines as text, in colour only on a terminal that wants it."""
    from rich.console import Console
    from rich.text import Text

    tty = sys.stdout.isatty()
    console = Console(file=_Page(), force_terminal=tty,
                      color_system="auto" if tty and not os.environ.get("NO_COLOR") else None,
                      width=None if tty else _columns(), markup=False, highlight=False, emoji=False)
    for renderable in renderables:
        console.print(Text(renderable) if isinstance(renderable, str) else renderable)
    emit("\n".join(line.rstrip() for line in console.file.getvalue().split("\n")))


def _columns() -> int:
    """The columns that piped output may take: COLUMNS, where it is a number."""
    said = os.environ.get("COLUMNS", "")
    return max(int(said), _LEAST_WIDTH) if said.isdecimal() else _WIDTH


def print_json(document) -> None:
    """One JSON document: full precision, no NaN, no infinity."""
    import json

    emit(json.dumps(plain(document), allow_nan=False, indent=2) + "\n")


@contextlib.contextmanager
def progress(label: str) -> Iterator[Callable]:
    """Yield ``tell(fraction, label)``, drawn on the error stream, if a terminal, after half a second."""
    if not sys.stderr.isatty():
        yield lambda fraction=None, what=None: None
        return
    import threading

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    live = Progress(*columns, console=Console(stderr=True), transient=True)
    task = live.add_task(label, total=None)

    def tell(fraction=None, what=None):
        known = {} if fraction is None else {"total": 1.0, "completed": fraction}
        live.update(task, description=what, **known)

    timer = threading.Timer(_PROGRESS_DELAY, live.start)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        live.stop()


@contextlib.contextmanager
def cells_left(label: str) -> Iterator[Callable]:
    """Yield ``tell(done, cells, seconds)``, drawn as `progress` draws it with the time left; where the error
    stream is no terminal it is a line each minute."""
    from time import monotonic

    with progress(label) as tell:
        last = monotonic()

        def said(done: int, cells: int, seconds: float | None) -> None:
            nonlocal last
            line = f"{label}: {done} of {cells} cells" + ("" if seconds is None else f", {_lasting(seconds)} left")
            tell(done / cells, line)
            if not sys.stderr.isatty() and monotonic() - last > _LINE_EVERY:
                last = monotonic()
                click.echo(line, err=True)

        yield said


def _lasting(seconds: float) -> str:
    """A time to go, in the unit that a reader takes."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
