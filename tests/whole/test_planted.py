"""The hunt finds mistakes planted in theorems, and none in the theorems themselves."""

import re
import tomllib
from pathlib import Path

import pytest

from bounds import cld, euler_maruyama
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.whole.planted import CLAIM, PLANTED, hunted
from verify import certify
from verify.certificates.certificate import Verdict
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


def test_the_halved_score_term_is_too_small():
    """Two long steps of Langevin from stationary data with a large score error: half of the score term of
    `strasman2025-cld` is below what the error does to the position, all of it is not."""
    theorem = theorems()["strasman2025-cld"]
    asked = dict(process=cld(), law=Gaussian([0.0], 1.0), scheme=euler_maruyama(4.0, 2), score_error=1000.0)
    verdicts = [certify(each, **asked).verdict for each in (theorem, theorem.corrupted("score", "1/2"))]
    assert verdicts == [Verdict.HOLDS, Verdict.VIOLATED]


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
