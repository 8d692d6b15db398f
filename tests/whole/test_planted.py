"""The hunt finds mistakes planted in theorems, and none in the theorems themselves."""

import re
import tomllib
from pathlib import Path

import pytest

from bounds.theorems import theorems
from tests.whole.planted import CLAIM, PLANTED, hunted
from verify.counterexamples import refuting
from verify.counterexamples.refuting import hunt

#: Some that are found at once, one of each kind of theorem.
AT_ONCE = ("gao2025-general-sde: score term missing", "gentiloni2025-weak-log-concave: local error missing",
           "gaussian-lower-bound: twice the distance", "claim: e^{−4T} for e^{−2T}")


@pytest.mark.parametrize("name", AT_ONCE)
def test_some_are_found_at_once(name):
    """A mistake of each kind of theorem is found in the first round."""
    (planted,) = (each for each in PLANTED if str(each) == name)
    rounds, _ = hunted(planted)
    assert len(rounds) == 1 and rounds[0].violated.verdict == "VIOLATED"


def test_none_in_ours(monkeypatch):
    """A short round finds no mistake in a theorem without any."""
    monkeypatch.setattr(refuting, "TRIES", 10)
    found = hunt(theorems()["gao2025-general-sde"], 0, 3, 20)
    assert found.violated is None and found.applied == 30


def test_the_page_is_about_these():
    """docs/refute.md has a row for each mistake, in order, and the claim that some are planted in."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "refute.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[:2] for line in page.splitlines() if line.startswith(("| `", "| claim"))]
    assert [f"{theorem.strip('| `')}: {mistake}" for theorem,
            mistake in rows] == [str(each) for each in PLANTED]
    text = re.search(r"```toml\n(.*?)```", page, re.DOTALL).group(1)
    assert tomllib.loads(text)["claim"] == CLAIM


@pytest.mark.deep
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_all_are_found(planted, record_property):
    """Every mistake that makes a theorem false is found within 60 s of CPU, and no other is."""
    rounds, seconds = hunted(planted)
    tried = sum(each.tried for each in rounds)
    record_property("summary", f"{planted}: {tried} problems, {seconds:.1f} s")
    assert bool(rounds[-1].violated) == (not planted.because)


@pytest.mark.deep
@pytest.mark.parametrize("key", theorems())
def test_none_in_any_of_ours(key):
    """Ten rounds find no mistake in any theorem."""
    assert not [each for each in (hunt(theorems()[key], 0, number) for number in range(10)) if each.violated]
