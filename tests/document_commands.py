"""Write the files that a page of docs/ shows, and run its commands as after an installation."""

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from tests.command_line import PLUGIN, run

ROOT = Path(__file__).resolve().parents[1]


def blocks_of(page):
    """(Language, text) of every fenced block of docs/PAGE."""
    return re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


def write_files(blocks, folder):
    """Write the blocks that begin with ``# file: NAME``."""
    for _language, text in blocks:
        if name := re.match(r"# file: (\S+)\n", text):
            (folder / name.group(1)).write_text(text, encoding="utf-8")


def said(command):
    """(Exit code, what a command of a page prints), in the working folder and in this process."""
    program, *words = shlex.split(command)
    if program == "sgm-bounds":
        done = run(*words)
        return done.exit_code, done.output
    if program == "python":
        with contextlib.redirect_stdout(io.StringIO()) as printed, _neighbours():
            runpy.run_path(*words, run_name="__main__")
        return 0, printed.getvalue()
    assert program == "pytest", command
    # of a run inside a run: faults of the process are the outer one's
    with contextlib.redirect_stdout(io.StringIO()) as printed, _neighbours():
        code = pytest.main([*PLUGIN, "-p", "no:faulthandler", "-p", "no:cacheprovider", *words])
    return int(code), printed.getvalue()


@contextlib.contextmanager
def _neighbours():
    """Modules of the working folder can be imported, and are forgotten afterwards."""
    before, folder = set(sys.modules), os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(folder):
                del sys.modules[name]


def red_or_green(lines):
    """1 for a command below which something failed, else 0."""
    return 1 if any("failed" in line for line in lines) else 0


def run_commands(blocks, code_of=red_or_green, said=said):
    """Run every command of the console blocks in the working folder, by ``said``, hold it to the lines below it and the
    exit code that they mean, and say how many there were."""
    ran = 0
    for _, text in (block for block in blocks if block[0] == "console"):
        for part in text.split("$ ")[1:]:
            command, *expected = part.splitlines()
            code, printed = said(command)
            for line in expected:
                assert line in printed, (command, printed)
            assert code == code_of(expected), (command, printed)
            ran += 1
    return ran
