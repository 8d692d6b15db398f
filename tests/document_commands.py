"""Write the files that a page of docs/ shows, and run its commands as after an installation."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.command_line import PLUGIN

ROOT = Path(__file__).resolve().parents[1]


def blocks_of(page):
    """(Language, text) of every fenced block of docs/PAGE."""
    return re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


def write_files(blocks, folder):
    """Write the blocks that begin with ``# file: NAME``."""
    for _language, text in blocks:
        if name := re.match(r"# file: (\S+)\n", text):
            (folder / name.group(1)).write_text(text, encoding="utf-8")


def started(command, folder):
    """What a command of a page prints, run as it would be after an installation."""
    words = shlex.split(command)
    program = {"python": [], "sgm-bounds": ["-m", "verify.cli"],
               "pytest": ["-m", "pytest", *PLUGIN]}[words[0]]
    return subprocess.run([sys.executable, *program, *words[1:]], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


def run_commands(blocks, folder):
    """Run every command of the console blocks, hold it to the lines below it, and say how many there were."""
    ran = 0
    for _, text in (block for block in blocks if block[0] == "console"):
        for part in text.split("$ ")[1:]:
            command, *expected = part.splitlines()
            done = started(command, folder)
            said = done.stdout + done.stderr
            for line in expected:
                assert line in said, (command, said)
            failed = any("failed" in line for line in expected)
            assert done.returncode == (1 if failed else 0), (command, said)
            ran += 1
    return ran
