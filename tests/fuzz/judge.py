"""Run a command on a mutant in this process, and say what is wrong with what it did."""

import contextlib
import json
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from bounds.compiled import anew
from tests.fuzz.mutants import Mutant
from verify.cli import cli

#: Processor seconds that a command may take.
SECONDS = 10.0
#: What no problem file may make the tool do.
FORBIDDEN = {
    "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
    "os.mkdir", "os.putenv", "socket.connect", "socket.bind", "shutil.rmtree", "pty.spawn",
}  # fmt: skip
#: What scikit-learn tells the threads of its own process when it is imported.
TOLD = {b"KMP_DUPLICATE_LIB_OK", b"KMP_INIT_AT_FORK"}
#: A refusal names a table of the problem or its file.
NAMES = re.compile(r"\b(process|data|sampler|scheme)\b|problem\.toml|the problem file")
WRITTEN = "written.npy"
#: Commands whose exit code is a verdict.
VERDICTS = ("certify", "schedules", "samplers")
_seen: list[str] = []
_armed = False


@dataclass(frozen=True)
class Finding:
    """What a command did: seconds of processor, exit code, and the fault with all that was said, or None."""

    seconds: float
    code: int | None
    fault: str | None
    said: str


class TooSlow(BaseException):
    """The limit of time is over; not an Exception, so that no refusal swallows it."""


def _listen(event: str, arguments) -> None:
    if _armed and event in FORBIDDEN and not _meant(event, arguments):
        _seen.append(event)


def _meant(event: str, arguments: tuple) -> bool:
    """What libraries do for themselves: variables of the own process, and the folder of what numba has compiled."""
    if event == "os.mkdir":
        return Path(os.fsdecode(arguments[0])).name == "__pycache__"
    return event == "os.putenv" and arguments[0] in TOLD


sys.addaudithook(_listen)
# a module that a command imports is not to be compiled into a folder of its own: that would be a deed
sys.dont_write_bytecode = True


def judged(mutant: Mutant, folder: Path) -> Finding:
    """Write a mutant into an empty folder, run its command there, and judge code, output and deeds."""
    with contextlib.suppress(ImportError):  # it sets variables of the environment when it is first imported
        import ot  # noqa: F401
    (folder / "problem.toml").write_bytes(mutant.problem)
    (folder / "data.csv").write_bytes(mutant.data)
    arguments = [str(folder / "problem.toml") if each == "PROBLEM" else each for each in mutant.arguments]
    arguments = [str(folder / WRITTEN) if each == WRITTEN else each for each in arguments]
    anew()
    start = time.process_time()
    code, fault, said = None, None, ""
    try:
        with _as_a_user_has_it(folder), _limit():
            result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        code, said = result.exit_code, f"{result.stdout}\n{result.stderr}"
        fault = _fault(mutant, code, result.stdout, result.stderr)
    except TooSlow:
        fault, said = f"it takes longer than {SECONDS:g} s", traceback.format_exc(limit=-6)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        fault, said = f"{type(error).__name__} comes through", traceback.format_exc()
    written = {path.name for path in folder.iterdir()} - {"problem.toml", "data.csv", WRITTEN}
    if _seen or written:
        fault = f"it did {_seen}, wrote {sorted(written)}"
    return Finding(time.process_time() - start, code, fault, said)


def _fault(mutant: Mutant, code: int, stdout: str, stderr: str) -> str | None:
    """What is wrong with an answer."""
    # no mutant brings a theorem of its own: those of the project are true
    if code not in ((0, 2, 3) if mutant.arguments[0] in VERDICTS else (0, 2)):
        return f"exit code {code}"
    if stderr:
        line = stderr.removesuffix("\n")
        if code != 2 or stdout:
            return "something is said on the error stream beside an answer"
        if not line.startswith("sgm-bounds: ") or not line.isprintable() or len(line) > 600:
            return "the refusal is not one line"
        if not NAMES.search(line):
            return "the refusal names no table"
        # a coefficient may have no value where it is asked for one
        coefficient = "process" in line
        if re.search(r"\bnan\b", line) and not coefficient and b"nan" not in mutant.problem:
            return "the refusal speaks of a nan that is not in the file"
    elif not stdout:
        return "nothing is said"
    elif "--json" in mutant.arguments:
        try:
            json.loads(stdout, parse_constant=lambda word: int(word))
        except ValueError:
            return "the answer is not JSON"
    elif re.search(r"\bnan\b", stdout):
        return "the answer is not a number"
    return None


@contextlib.contextmanager
def _as_a_user_has_it(folder: Path) -> Iterator[None]:
    """The settings of the console script, in a folder, with the audit on."""
    global _armed
    before = os.getcwd()
    os.chdir(folder)
    _seen.clear()
    try:
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("ignore")
            _armed = True
            yield
    finally:
        _armed = False
        os.chdir(before)


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    """`TooSlow` after `SECONDS` of this process, and again every 0.1 s."""

    def ring(*_):
        raise TooSlow

    previous = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        # it may have come while a limit of the tool's own was taken down
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGPROF, previous)
