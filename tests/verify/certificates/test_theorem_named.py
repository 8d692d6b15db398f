"""The theorem that a user names: keys, claims in TOML, objects in Python files, entry points, and what is
refused."""

import re

import pytest

from bounds.registry import _units
from bounds.theorems import theorems
from tests.command_line import FAST, answer, assert_refused, run, schema
from verify.certificates.theorem_named import find_theorem

PYTHON = """
from bounds import claim

THEOREM = claim.closed_form("mine", source="Me", terms={"initialisation": "9*sqrt(m2 + d)", "score bias": "T*M"})
NUMBER = 3
"""
TOML = """
[claim]
key = "low"
source = "Me"
kind = "lower"
[claim.terms]
all = "0"
"""


@pytest.fixture
def files(tmp_path):
    """A Python file and a TOML file with a claim each."""
    (tmp_path / "mine.py").write_text(PYTHON)
    (tmp_path / "low.toml").write_text(TOML)
    return tmp_path


def test_a_key_a_file_an_object(files):
    """A key, a claim in TOML, NAME in a Python file and a theorem are each found."""
    assert find_theorem("martingale") is theorems()["martingale"]
    assert find_theorem(str(files / "low.toml")).kind == "lower"
    assert find_theorem(f"{files / 'mine.py'}:THEOREM").key == "mine"
    assert find_theorem(theorems()["martingale"]).key == "martingale"


def test_every_command_takes_a_file(files):
    """bound, certify, plan and show take a claim from a file, and their answers keep their schemas."""
    python, low = f"{files / 'mine.py'}:THEOREM", files / "low.toml"
    document = answer("certify", "two_modes", "--theorem", python, *FAST)
    schema("certificate").validate(document)
    assert [(c["theorem"], c["verdict"]) for c in document["certificates"]] == [("mine", "HOLDS")]
    (entry,) = answer("certify", "two_modes", "--theorem", low, *FAST)["certificates"]
    assert (entry["theorem"], entry["kind"], entry["verdict"]) == ("low", "lower", "HOLDS")
    document = answer("bound", "two_modes", "--theorem", low, *FAST)
    schema("bound").validate(document)
    facts = answer("show", python)
    assert facts["agrees"] is None and facts["stated"]["score bias"]["derived"] is None
    assert "taken as stated" in run("show", low).stdout
    plan = answer("plan", "two_modes", "--theorem", python, "--eps", "20")
    assert plan["reached"] and plan["theorem"] == "mine"


@pytest.mark.parametrize(("asked", "said"), [
    ("nothing", "theorem must be one of martingale, .*FILE.toml or FILE.py:NAME, got 'nothing'"),
    ("none.py:THEOREM", "no such file|must be in a file that exists"),
    ("mine.py:OTHER", "theorem 'OTHER' of mine.py must be a Theorem, got nothing of that name; it holds THEOREM"),
    ("mine.py:NUMBER", "theorem 'NUMBER' of mine.py must be a Theorem, got int"),
    ("bad.py:THEOREM", "bad.py ends with ZeroDivisionError: division by zero"),
    ("none.toml", "none.toml"),
    ("mine.toml", "TOML"),
])
def test_what_is_wrong_is_one_line(files, monkeypatch, asked, said):
    """A wrong name, file or object is refused in one line by every command."""
    (files / "bad.py").write_text("1 / 0")
    (files / "mine.toml").write_text("[claim")
    monkeypatch.chdir(files)
    line = assert_refused(run("certify", "two_modes", "--theorem", asked, *FAST))
    assert re.search(said, line)


class Entry:
    """An entry point of a package that is not there."""

    group, value = "sgm_bounds.theorems", "somewhere:THEOREM"

    def __init__(self, unit):
        self._unit = unit

    def load(self):
        """What it stands for, or what goes wrong."""
        if isinstance(self._unit, Exception):
            raise self._unit
        return self._unit


@pytest.fixture
def installed(monkeypatch):
    """Have a unit installed under the group of theorems."""
    def install(unit):
        monkeypatch.setattr("bounds.registry.entry_points",
                            lambda group: [Entry(unit)] if group == Entry.group else [])
        _units.cache_clear()

    yield install
    _units.cache_clear()


def test_an_entry_point_adds_a_theorem(installed, files):
    """A theorem of another package is listed and found by its key."""
    installed(find_theorem(str(files / "low.toml")))
    assert "low" in theorems() and find_theorem("low").kind == "lower"
    assert "low" in run("list", "theorems").stdout


@pytest.mark.parametrize(("unit", "said"), [
    (ImportError("no module"), "must be importable, got ImportError: no module"),
    (3, "must be a unit as the THEOREM of a file of bounds.theorems is, got int"),
    (theorems()["martingale"], "must have a key of its own, got 'martingale' a second time"),
])
def test_a_wrong_entry_point_is_named(installed, unit, said):
    """An entry point that cannot be loaded, is no theorem, or has a known key is named."""
    installed(unit)
    with pytest.raises(TypeError, match=said) as refused:
        theorems()
    assert "somewhere:THEOREM" in str(refused.value)
