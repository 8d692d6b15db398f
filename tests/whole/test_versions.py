"""What is promised of versions: the lowest ones are constraints, every promised Python is run, and none is left out unsaid."""

import ast
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests import matrix

ROOT = Path(__file__).resolve().parents[2]
#: Extras whose lowest versions are not installed together: torch, numba (which holds numpy back), and tools that only the
#: project's own checks use.
OWN_TOOLS = ("torch", "fast", "docs", "test")
#: Constraints that belong to no requirement: what a lowest version needs of its time.
OF_ITS_TIME = {"pyparsing"}


def settings():
    """The sections of setup.cfg."""
    found = ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def minimums():
    """Least version of every package that users need, for themselves or for an extra."""
    found = settings()
    lists = [found["options"]["install_requires"],
             *(text for extra, text in found["options.extras_require"].items() if extra not in OWN_TOOLS)]
    lines = [line.partition(">=") for text in lists for line in text.split("\n") if line.strip()]
    return {name.strip(): release(least) for name, _, least in lines}


def release(text):
    """A version as numbers, zeros at the end left out: 2.0 and 2.0.0 are one."""
    numbers = [int(part) for part in text.strip().split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def test_the_lowest_versions_are_those_of_setup():
    """Each constraint of lowest.txt is a minimum of setup.cfg, and each minimum is there; on a Python for which it
    was never built the constraint is a later one."""
    lines = (ROOT / "lowest.txt").read_text(encoding="utf-8").splitlines()
    pinned, later = {}, {}
    for line in lines:
        if line and not line.startswith("#"):
            name, _, version = line.partition(";")[0].partition("==")
            assert not line.endswith('"') or line.endswith(('; python_version < "3.13"', '; python_version >= "3.13"'))
            (later if ">=" in line else pinned)[name] = release(version)
    assert {name: version for name, version in pinned.items() if name not in OF_ITS_TIME} == minimums()
    assert all(version > pinned[name] for name, version in later.items())
    assert set(later) == {line.partition("==")[0] for line in lines if line.endswith('< "3.13"')}


@pytest.mark.parametrize(("extra", "package"), [("certified", "python-flint"), ("transport", "POT")])
def test_an_extra_asks_for_what_everybody_needs(extra, package):
    """What `--certified`, or a distance between samples, needs has an extra of its name, which asks for the version that
    every installation has."""
    asked = settings()["options.extras_require"][extra].strip()
    assert asked.startswith(package) and asked in settings()["options"]["install_requires"].split("\n")


#: What comes with a package that is required, or has another name there.
COMES_WITH = {"flint": "python-flint", "ot": "POT", "array_api_compat": "array-api-compat", "mpmath": "sympy",
              "markupsafe": "jinja2"}

#: Modules for those who have pytest or Hypothesis, the one whose import of torch is answered where it is called, and the one
#: of numba's loops, whose own import is.
FOR_SOME = ("verify/pytest_plugin.py", "verify/strategies.py", "verify/particles/backends.py", "verify/particles/lanes.py")


def imported(tree, guarded=False):
    """Names of packages that code imports, but for those whose lack it answers itself."""
    for node in ast.iter_child_nodes(tree):
        inside = guarded or (isinstance(node, ast.Try) and "ImportError" in ast.dump(node))
        if isinstance(node, ast.Import | ast.ImportFrom) and not inside:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            yield from (name.partition(".")[0] for name in names)
        yield from imported(node, inside)


@pytest.mark.parametrize("package", ["bounds", "closed_form", "verify"])
def test_every_package_that_is_imported_is_required(package):
    """An installation without extras has all that the code imports, but where it says what is missing."""
    required = re.findall(r"^(\S+) >=", settings()["options"]["install_requires"], re.M)
    for path in sorted((ROOT / package).rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in FOR_SOME:
            continue
        names = set(imported(ast.parse(path.read_text(encoding="utf-8")))) - sys.stdlib_module_names
        assert {COMES_WITH.get(name, name) for name in names} <= {*required, "bounds", "closed_form", "verify"}, path


def test_two_lists_ask_for_one_version():
    """What the extra test asks for is what the others ask for, where both name a package."""
    own = [line.partition(">=") for line in settings()["options.extras_require"]["test"].split("\n") if ">=" in line]
    shared = {name.strip(): release(least) for name, _, least in own if name.strip() in minimums()}
    assert {"pytest", "hypothesis"} <= set(shared) and shared == {name: minimums()[name] for name in shared}


def test_the_hosted_matrix_is_the_promised_one():
    """The workflow runs every promised Python, lowest and newest, by `make matrix`, and names no registry."""
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^ +python: \[(.*)\]$", text, re.M)
    assert re.findall(r'"(3\.\d+)"', listed) == matrix.promised() == ["3.11", "3.12", "3.13"]
    assert f"versions: [{', '.join(matrix.VERSIONS)}]" in text and "make matrix" in text
    assert "index-url" not in text and "://" not in text


@pytest.mark.parametrize(("status", "said", "code"), [(0, "passed", 0), (1, "failed: -m venv ended with 1", 1)])
def test_what_ran_is_said_of_each_combination(status, said, code, monkeypatch, capsys):
    """Each combination has its line, and one that fails ends the run with 1."""
    ran = []
    monkeypatch.setattr(matrix, "missing", lambda version: "")
    monkeypatch.setattr(matrix.subprocess, "run", lambda command, **_: ran.append(command) or Done(status))
    assert matrix.main(["--python", "3.12"]) == code
    out = capsys.readouterr().out
    assert f"python 3.12, lowest versions: {said}" in out and f"python 3.12, newest versions: {said}" in out
    installed = [command for command in ran if "install" in command]
    assert [("lowest.txt" in command) for command in installed] == [True, False][:len(installed)]


class Done:
    """What became of a process."""

    def __init__(self, returncode):
        self.returncode = returncode


def test_a_missing_interpreter_is_not_passed_over(monkeypatch, capsys):
    """Without an interpreter the run says so and fails, unless only those that are found are asked for."""
    monkeypatch.setattr(matrix.shutil, "which", lambda name: None)
    for options, code in (([], 1), (["--found"], 0)):
        assert matrix.main(options) == code
        out = capsys.readouterr().out
        for version in matrix.promised():
            assert f"python {version}, lowest versions: not installed: no python{version} on the PATH" in out


@pytest.mark.parametrize(("script", "said"), [
    ("echo 'pyenv: not found' >&2; exit 127", "python3.12 on the PATH does not start: pyenv: not found"),
    ("echo 3.11", "python3.12 on the PATH is 3.11"),
    ("echo 3.12", "")])
def test_a_name_that_leads_nowhere_is_no_interpreter(script, said, tmp_path, monkeypatch):
    """A version manager's name on the PATH counts where it starts the version that it names, and only there."""
    (tmp_path / "python3.12").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tmp_path / "python3.12").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert matrix.missing("3.12") == said
