"""What type checkers say of code against the public interface: nothing of right calls, something of every
wrong one."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tests.whole.shown_code import PACKAGES, shown_code

ROOT = Path(__file__).resolve().parents[2]
WRONG_CALLS = Path(__file__).with_name("wrong_calls.py")
STUBS = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.pyi"))
ids = lambda path: str(path.relative_to(ROOT))  # noqa: E731


def mypy(folder):
    """(file, line, message) of every error of mypy with the settings of setup.cfg, ``strict`` among them."""
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "setup.cfg"), "--cache-dir",
               os.devnull, "--no-error-summary", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    errors = (re.match(r"(\S+?):(\d+): error: (.*)", line) for line in done.stdout.splitlines())
    return {(each[1], int(each[2]), each[3]) for each in errors if each}


def pyright(folder, inferred=False):
    """The same of pyright in its default mode; what libraries without types have is inferred where asked."""
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT)], "useLibraryCodeForTypes": inferred}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson",
               "--level", "error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] > 10
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
            for each in found["generalDiagnostics"]}


@pytest.mark.parametrize("checker", [
    pytest.param(mypy, id="mypy"), pytest.param(pyright, id="pyright", marks=pytest.mark.deep),
    pytest.param(partial(pyright, inferred=True), id="pyright, libraries inferred", marks=pytest.mark.deep)])
def test_right_calls_pass_and_wrong_ones_do_not(checker, tmp_path):
    """The code of README, docs and notebooks is clean; of the wrong calls each line marked so is refused, and
    no other."""
    wrong_calls = WRONG_CALLS.read_text(encoding="utf-8")
    for name, text in {**shown_code(), WRONG_CALLS.name: wrong_calls}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    errors = checker(tmp_path)
    assert not [each for each in sorted(errors) if each[0] != WRONG_CALLS.name]
    marks = ["  # wrong: ", *(["  # before numpy 2.2: "] if np.lib.NumpyVersion(np.__version__) < "2.2.0" else [])]
    lines = enumerate(wrong_calls.splitlines(), start=1)
    marked = {number for number, line in lines if any(mark in line for mark in marks)}
    assert len(marked) > 60
    assert {line for _, line, _ in errors} == marked


@pytest.mark.parametrize("path", STUBS, ids=ids)
def test_a_stub_says_what_is_there(path):
    """What a stub imports is what the package offers, from there; its functions have the parameters that they
    have."""
    module = import_module(".".join(path.relative_to(ROOT).parent.parts))
    offered, functions = set(), set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in (alias for alias in node.names if alias.asname):
                offered.add(alias.name)
                assert getattr(module, alias.name) is getattr(import_module(node.module), alias.name)
        if isinstance(node, ast.FunctionDef):
            parameters = inspect.signature(getattr(module, node.name)).parameters
            assert [argument.arg for argument in node.args.args] == list(parameters)
            functions.add(node.name)
        if isinstance(node, ast.AnnAssign):
            assert type(getattr(module, node.target.id)).__name__ == node.annotation.id
    assert offered == set(getattr(module, "__all__", ())) - functions
