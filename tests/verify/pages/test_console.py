"""What a command writes where, and one line with an exit code for whatever stops it."""

import io
import os
import pty
import subprocess
import sys
import time

import pytest

from bounds.theorem import Theorem
from tests.command_line import FAST, assert_refused, run, started
from verify.pages.console import progress


@pytest.mark.parametrize(
    ("error", "fragment"),
    [
        (OverflowError("too large"), "martingale: too large"),
        (FloatingPointError("underflow"), "martingale: underflow"),
        (MemoryError(), "martingale: not enough memory"),
        (ValueError("two\nlines"), "martingale: two lines"),
        (ImportError("no module"), "no module"),
        (RecursionError(), "nested too deeply"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failures_of_evaluation_are_one_line(error, fragment, monkeypatch):
    """Arithmetic, memory and missing parts give exit 2 and one line, with the theorem where there is one."""

    def fail(*_):
        raise error

    monkeypatch.setattr(Theorem, "bound", fail)
    assert fragment in assert_refused(run("bound", "two_modes", *FAST))


@pytest.mark.parametrize("error", [AttributeError, TypeError, KeyError, AssertionError])
def test_programming_errors_keep_their_traceback(error, monkeypatch):
    """A bug is not dressed up as wrong input."""

    def fail(*_):
        raise error("bug")

    monkeypatch.setattr(Theorem, "bound", fail)
    with pytest.raises(error):
        run("bound", "two_modes", *FAST)


def test_the_debug_variable_keeps_every_traceback(monkeypatch):
    """SGM_BOUNDS_DEBUG=1 lets refusals of the library through as they are."""
    monkeypatch.setenv("SGM_BOUNDS_DEBUG", "1")
    with pytest.raises(ValueError, match="theorem must be one of"):
        run("bound", "two_modes", "--theorem", "none")


def test_interruption_is_one_line(monkeypatch):
    """Ctrl-C during an evaluation gives exit 130 and one line."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Theorem, "bound", interrupt)
    assert assert_refused(run("bound", "two_modes", *FAST), 130) == "sgm-bounds: interrupted"


@pytest.mark.parametrize("args", [pytest.param(["list"], marks=pytest.mark.deep), ["--help"]])
def test_a_reader_that_leaves_is_not_an_error(args):
    """A closed pipe ends the command silently, with the code of a broken pipe."""
    process = started(*args)
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 141)
    process.stderr.close()


@pytest.mark.parametrize("args", [pytest.param(["list"], marks=pytest.mark.deep), ["list", "--json"], ["--help"]])
def test_an_output_that_cannot_be_written_is_one_line(args):
    """A full disk behind the output gives exit 2 and one line."""
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "verify.cli", *args]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr


def on_a_terminal(*args, **environment):
    """Everything a command writes to a terminal, both streams."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "verify.cli", *args]
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**plain, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while True:
            try:
                part = stream.read(65536)
            except OSError:  # how a terminal says that nobody writes any more
                break
            if not part:
                break
            written += part
    assert process.wait() == 0
    return written


def test_colours_and_progress_are_for_terminals():
    """A terminal gets colours unless NO_COLOR is set; a pipe gets none even if FORCE_COLOR is."""
    assert b"\x1b[" in on_a_terminal("doctor")
    assert b"\x1b[" not in on_a_terminal("doctor", NO_COLOR="1")
    process = started("doctor", env={**os.environ, "FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"})
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"") and b"\x1b" not in out and b"numpy" in out


def appears(screen, words):
    """Whether the words are on the screen after at most a thousand looks."""
    for _ in range(1000):
        if words in screen.getvalue():
            return True
        time.sleep(0.02)
    return False


def test_long_work_shows_progress_on_the_error_stream_only(monkeypatch):
    """After a moment a bar appears on a terminal's error stream and is gone at the end."""
    monkeypatch.setattr("verify.pages.console._PROGRESS_DELAY", 0.0)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress("working") as tell:
        assert appears(screen, "working")
        tell(0.5, "half way")
        assert appears(screen, "half way")


def test_piped_output_is_as_wide_as_columns_says(monkeypatch):
    """COLUMNS, where it is a number, is the width of what is not written to a terminal; 140 otherwise."""
    widths = []
    for said in ("60", "none", None):
        monkeypatch.setenv("COLUMNS", said) if said else monkeypatch.delenv("COLUMNS", raising=False)
        widths.append(max(map(len, run("list", "problems").stdout.splitlines())))
    assert widths[0] <= 60 < widths[1] == widths[2] <= 140


def test_the_package_is_run_as_a_module():
    """``python -m verify`` is the command: it answers, and its exit codes are those of ``sgm-bounds``."""
    done = subprocess.run([sys.executable, "-m", "verify", "bound", "nowhere.toml"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("sgm-bounds: ")


def test_why_says_which_hypotheses_are_not_met():
    """bound names theorems that do not apply in one line; --why, or asking for one, says what is not met; the JSON is
    the same with and without."""
    short, long = run("bound", "two_modes", *FAST).stdout, run("bound", "two_modes", *FAST, "--why").stdout
    assert "do not apply (--why says why): " in short and "does not apply: " not in short
    assert "does not apply: " in long and "--why" not in long
    assert "does not apply: " in run("bound", "two_modes", *FAST, "--theorem", "gaussian-lower-bound").stdout
    one, other = (run("bound", "two_modes", *FAST, "--json", *more).stdout for more in ((), ("--why",)))
    assert one == other
