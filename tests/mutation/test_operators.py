"""The mutants: formulas change and words do not, and of a run only what no test sees survives."""

import ast
import os
import subprocess
import sys

import pytest

from tests.mutation.campaign import ROOT, append, drawn, equivalents, main, results, shuffled
from tests.mutation.operators import mutants, mutated

SOURCE = '''"""A module."""
import math

import numpy as np

SETTING = 3
MOST, SIZE = 1 << 12, 2
COUNTS = 8, SETTING


def area(x: int = 4):
    """Two + two."""
    if x < 0:
        raise ValueError(f"{x + 1}" + "a")
    return math.sqrt(1 - x) * np.sum(x, axis=-1) * min(x, -x) + 4 * np.finfo(float).eps


class Box:
    side = 2.5

    def corner(self, box, A, B):
        return A @ B @ box[0] / (1.0 + self.side)
'''

BOX = "def area(edge):\n    return edge * edge\n\n\ndef rim(edge):\n    return edge + 0.5\n"
TEST = "from bounds.box import area\n\n\ndef test_area():\n    assert area(3.0) == 9.0\n"


@pytest.fixture
def found(tmp_path):
    """The mutants of the source above."""
    (tmp_path / "module.py").write_text(SOURCE)
    return mutants(tmp_path, tmp_path / "module.py")


@pytest.mark.parametrize("change", [
    ("area", "1 - x", "1 + x"), ("area", "x < 0", "x >= 0"), ("area", "math.sqrt(1 - x)", "abs(1 - x)"),
    ("area", "min(x, -x)", "max(x, -x)"), ("area", "min(x, -x)", "min(x, x)"),
    ("Box", "side = 2.5", "side = 5.0"),
    ("Box.corner", "box[0]", "box[1]"), ("Box.corner", "A @ B @ box[0]", "B @ A @ box[0]"),
    ("Box.corner", "A @ B @ box[0] / (1.0 + self.side)", "A @ B @ box[0] * (1.0 + self.side)"),
    ("Box.corner", "1.0 + self.side", "2.0 + self.side"),
])
def test_formulas_are_changed(found, change):
    """Operators, comparisons, functions, signs, indices, constants and the order of factors all change."""
    assert change in [(each.function, each.before, each.after) for each in found]


def test_words_and_settings_are_not_changed(found):
    """Nothing happens to a docstring, a message, an axis, a setting in capitals or a number of roundings."""
    text = " ".join(f"{each.before} {each.after}" for each in found)
    words = "Two", "'a'", "axis=1", "SETTING", "MOST", "COUNTS", "5 * np.finfo"
    assert not [word for word in words if word in text]


def test_a_mutant_is_the_module_with_one_change(found):
    """The changed tree holds the changed expression, and is the tree of the source in all but that."""
    for each in found:
        lines = [ast.unparse(tree).splitlines() for tree in (ast.parse(SOURCE), mutated(SOURCE, each.site))]
        (before, after), = [(one, two) for one, two in zip(*lines, strict=True) if one != two]
        assert each.before in before and each.after in after


def test_mutants_can_be_told_apart():
    """No two mutants of the packages have the same key, and what is known to be equivalent is among them."""
    keys = [each.key for each in drawn(ROOT)]
    assert len(set(keys)) == len(keys) > 5000
    assert not set(equivalents()) - set(keys)


def test_a_sample_keeps_its_mutants(found):
    """A mutant more or less leaves the others of a sample in their order, and another seed draws others."""
    few = shuffled(found[::2], 1)
    assert [each for each in shuffled(found, 1) if each in few] == few != shuffled(found[::2], 2)


def test_a_result_that_was_cut_off_is_run_again(tmp_path):
    """A file of results is read up to where a run was ended; the last result of a mutant counts."""
    path = tmp_path / "out" / "results.jsonl"
    key = "a.py", "f", "x", "y", 1
    for failed in (None, "a test"):
        append(path, {"key": key, "failed": failed})
    with path.open("a") as file:
        file.write('{"key": ["b.p')
    assert results(path) == {key: {"key": list(key), "failed": "a test"}}


def test_the_run_kills_what_a_test_sees(tmp_path, monkeypatch, capsys):
    """A mutant that a test fails on is killed, one that no test sees survives, and a run that
    has all results runs nothing."""
    (tmp_path / "bounds").mkdir()
    (tmp_path / "bounds" / "__init__.py").touch()
    (tmp_path / "bounds" / "box.py").write_text(BOX)
    (tmp_path / "tests" / "bounds").mkdir(parents=True)
    (tmp_path / "tests" / "bounds" / "test_box.py").write_text(TEST)
    asked = ["--root", str(tmp_path)]
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    run = subprocess.run([sys.executable, "-m", "tests.mutation.campaign", *asked], cwd=tmp_path,
                         env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    outcomes = {key[2:4]: result["failed"] for key, result in
                results(tmp_path / "out" / "mutants.jsonl").items()}
    assert sorted(change for change, failed in outcomes.items() if failed is None) == [
        ("edge + 0.5", "edge + 1.0"), ("edge + 0.5", "edge - 0.5")]
    assert outcomes["edge * edge", "edge / edge"] == "tests/bounds/test_box.py::test_area"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["campaign", *asked])
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    assert main() == 1 and "0 to run" in capsys.readouterr().out
