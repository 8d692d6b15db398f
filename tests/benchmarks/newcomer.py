"""Go the way of docs/newcomer.md, from a clean clone and an empty environment, and say how long each part took:
python -m tests.benchmarks.newcomer."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.document_commands import ROOT, blocks_of, run_commands, write_files

PAGE = "newcomer.md"


def tell(what: str, since: float) -> None:
    """Print the seconds since then."""
    sys.stdout.write(f"{what:<80}{time.perf_counter() - since:>8.1f} s\n")
    sys.stdout.flush()


def timed_in(environment: dict):
    """What runs a command with the new environment alone, and times it; as `tests.document_commands.said`."""

    def said(command: str):
        since = time.perf_counter()
        done = subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True)
        tell(command, since)
        return done.returncode, done.stdout + done.stderr

    return said


def main() -> None:
    """Clone, install as the page says, then run its commands in the folder that it makes."""
    blocks, began = blocks_of(PAGE), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "sgm-bounds"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        (install,) = (text for language, text in blocks if language == "sh")
        # what a shell of the new environment has, without anything of this one
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        done = subprocess.run(["bash", "-ec", install], cwd=clone, env=kept, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        tell("clone and installation", began)
        os.chdir(Path(folder) / "first")
        write_files(blocks, Path.cwd())
        environment = {**kept, "PATH": f"{clone / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}"}
        since = time.perf_counter()
        number = run_commands(blocks, said=timed_in(environment))
        tell(f"{number} commands", since)
        tell("in all", began)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
