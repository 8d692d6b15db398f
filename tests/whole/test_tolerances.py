"""Every tolerance has one home, a reason, and a use."""

import ast
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
HOMES = sorted(TESTS.rglob("tolerances.py"))
ids = lambda path: str(path.relative_to(TESTS))  # noqa: E731


def defined(path):
    """The tolerances of one file."""
    return [node.targets[0].id for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]


@cache
def uses():
    """Per tolerance, as (folder of its home, name), the folders of the test files that import it."""
    found = {}
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] == "tolerances":
                home = TESTS.joinpath(*node.module.split(".")[1:-1])
                for alias in node.names:
                    found.setdefault((home, alias.name), set()).add(path.relative_to(TESTS).parts[0])
    return found


@pytest.mark.parametrize("path", HOMES, ids=ids)
def test_every_tolerance_is_used_where_it_lives(path):
    """A folder's tolerances are used in that folder alone; those of ``tests/`` itself by more than one."""
    found = uses()
    for name in defined(path):
        folders = found.get((path.parent, name), set())
        if path.parent == TESTS:
            assert len(folders) > 1, f"{name} is used in {sorted(folders)}"
        else:
            assert folders == {path.parent.name}, f"{name} is used in {sorted(folders)}"


def test_no_tolerance_is_defined_twice():
    """One name is one number, whichever file it is in."""
    names = [name for path in HOMES for name in defined(path)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", HOMES, ids=ids)
def test_every_tolerance_gives_its_reason(path):
    """The line above a tolerance ends the sentence that says why it is as large as it is."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if line[:1].isupper():
            assert above.startswith("#: ") and above.endswith("."), line
