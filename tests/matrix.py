"""Run the suite on every CPython that is promised, with the lowest and with the newest versions of what is needed.

An interpreter that is not on the PATH, or does not start, is named, and the run fails unless ``--found`` asks for
those that are there. Only the standard library is needed to start it.
"""

import argparse
import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("lowest", "newest")
SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "SYMPY_CACHE_SIZE": "50000"}
#: Torch and numba are not among them: `make test` and .ci/run test them; torch in the version of constraints.txt.
EXTRAS = "test,transport,tables,dask"
_CLASSIFIER = "Programming Language :: Python :: 3."


def promised() -> list[str]:
    """Versions of Python, as "3.12", that the classifiers of setup.cfg name."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = settings["metadata"]["classifiers"].splitlines()
    return ["3." + line.removeprefix(_CLASSIFIER) for line in lines if line.startswith(_CLASSIFIER)]


def commands(python: str, versions: str, folder: Path, tests: list[str]) -> list[list[str]]:
    """What makes an environment in ``folder`` and runs the tests there."""
    own = str(folder / "bin" / "python")
    constraints = ["-c", "constraints.txt", *(["-c", "lowest.txt"] if versions == "lowest" else [])]
    return [
        [python, "-m", "venv", "--clear", str(folder)],
        [own, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *constraints, "-e", f".[{EXTRAS}]"],
        [own, "-m", "pytest", "-n", "2", "--dist", "worksteal", *tests],
    ]


def missing(version: str) -> str:
    """Why there is no such interpreter, or "": a name on the PATH may be a version manager's that leads nowhere."""
    python = shutil.which(f"python{version}")
    if python is None:
        return f"no python{version} on the PATH"
    asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    said = subprocess.run(asked, capture_output=True, text=True)
    if said.returncode:
        return f"python{version} on the PATH does not start: {' '.join(said.stderr.split())}"
    return "" if said.stdout.strip() == version else f"python{version} on the PATH is {said.stdout.strip()}"


def outcome(version: str, versions: str, tests: list[str]) -> str:
    """What came of one combination: "passed", "failed", or "not installed" where there is no interpreter."""
    if why := missing(version):
        return f"not installed: {why}"
    for command in commands(f"python{version}", versions, ROOT / "out" / "matrix" / f"{version}-{versions}", tests):
        print("+", *command, flush=True)
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **SETTINGS})
        if done.returncode:
            return f"failed: {' '.join(command[1:3])} ended with {done.returncode}"
    return "passed"


def main(arguments: list[str] | None = None) -> int:
    """0 where every combination passed, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=promised(), metavar="3.X", help="versions of Python")
    parser.add_argument("--versions", nargs="+", choices=VERSIONS, default=VERSIONS, help="of what is needed")
    parser.add_argument("--found", action="store_true", help="do not fail for interpreters that are not installed")
    parser.add_argument("--tests", nargs="+", default=[], help="files or folders of tests (default: the whole suite)")
    given = parser.parse_args(arguments)
    found = {(python, versions): outcome(python, versions, given.tests)
             for python in given.python for versions in given.versions}
    for (python, versions), said in found.items():
        print(f"python {python}, {versions} versions: {said}")
    allowed = ("passed", "not installed") if given.found else ("passed",)
    return 0 if all(said.startswith(allowed) for said in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
