"""The hunt: what it finds is a counterexample, small and the same again, and on true theorems it finds
none."""

from dataclasses import asdict, replace

import pytest

from bounds import claim
from bounds.theorems import theorems
from tests.whole.planted import CLAIM, PLANTED
from verify.certificates.certificate import Verdict, certify_setting
from verify.counterexamples import refuting
from verify.counterexamples.campaign import refute, statement_digest
from verify.counterexamples.inside import Question
from verify.counterexamples.refuting import hunt

FALSE = claim.recursion(**{**CLAIM, "initial": "exp(-T)^2*sqrt(m2)"})


def test_a_counterexample_is_one():
    """The problem found is violated when it is certified anew, and made small: one dimension, round
    numbers."""
    found = refute(FALSE, seconds=60)
    question = Question(found.violated.problem, found.violated.information)
    certificate = certify_setting(FALSE, question.setting, question.problem.law)
    assert certificate.verdict is Verdict.VIOLATED
    assert (certificate.bound.total, certificate.ratio) == (found.violated.bound, found.violated.ratio)
    assert question.problem.law.dim == 1 and question.setting.scheme.grid.steps == 1


def test_a_round_is_the_same_again():
    """A seed and a number give the same round, another number another one."""
    first, again, other = (hunt(FALSE, 1, number) for number in (0, 0, 1))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert first.violated and first.violated != other.violated


def test_rounds_are_not_run_again(tmp_path, monkeypatch):
    """Rounds in the file are taken from it, and a counterexample in it ends the hunt before it begins."""
    path = tmp_path / "rounds.jsonl"
    found = refute(FALSE, seconds=60, resume=path)
    monkeypatch.setattr("verify.counterexamples.campaign.hunt", lambda *_: pytest.fail("a round was run"))
    again = refute(FALSE, seconds=60, resume=path)
    assert [asdict(each) for each in again.rounds] == [asdict(each) for each in found.rounds]
    assert again.violated == found.violated
    with pytest.raises(ValueError, match=r"resume: .* must be of a run with statement digest"):
        refute(claim.recursion(**{**CLAIM, "initial": "0"}), seconds=1, resume=path)
    with pytest.raises(ValueError, match=r"resume: .* must be of a run with seed 1, got 0"):
        refute(FALSE, seconds=1, seed=1, resume=path)


def test_a_round_that_is_stopped_says_so():
    """Told to stop, a round ends after its first problem and is not finished."""
    found = hunt(theorems()["gao2025-general-sde"], 0, 0, stop=lambda: True)
    assert (found.drawn, found.finished) == (1, False)


def test_a_descent_takes_it_further(monkeypatch):
    """A mistake that none of the problems drawn shows is found on the way down from one of them."""
    (planted,) = (each for each in PLANTED if each.mistake == "M1 terms missing")
    found = hunt(planted.make(), 0, 0)
    assert found.violated and found.drawn == found.applied == 30 < found.tried
    for name in ("TRIES", "FEWER"):
        monkeypatch.setattr(refuting, name, 1)
    assert hunt(planted.make(), 0, 0).violated is None


def test_digests_tell_statements_apart():
    """Another formula, hypothesis or kind is another statement; the same claim made anew is the same."""
    digests = {statement_digest(claim.recursion(**{**CLAIM, **changed})) for changed in (
        {}, {"initial": "0"}, {"hypotheses": ["h <= 1"]}, {"grid": ["uniform"]}, {"kind": "lower"},
        {"title": "Mine"})}
    assert len(digests) == 5


@pytest.mark.parametrize(("name", "value"), [("seconds", 0.0), ("workers", 0)])
def test_wrong_numbers_are_refused(name, value):
    """Seconds and workers that are not positive are refused by name."""
    with pytest.raises(ValueError, match=f"{name} must be positive, got"):
        refute(FALSE, **{name: value})
