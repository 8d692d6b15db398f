"""verify.testing.check: true theorems pass, false ones fail with a small problem, and nothing passes for
nothing."""

import numpy as np
import pytest

from bounds import claim
from bounds.theorems import theorems
from tests.bounds.claim.test_claim import SIMPLE, simple
from verify import check_reports, load_problem
from verify.certificates.certificate import Verdict, certify
from verify.counterexamples.drawing import NumpyDraw
from verify.counterexamples.inside import Question, question_inside, unmet
from verify.counterexamples.tables import EMPHASES, STANDARD, STATIONARY, checked, draw_tables
from verify.testing import NothingApplied, Violated, check

#: The claim of the docs where it is true: p_t is no rounder and no narrower than the data and N(0, I).
TRUE = simple(hypotheses=["m0 <= 1", "L0 >= 1"])


@pytest.fixture(autouse=True)
def own_reports(monkeypatch):
    """Checks of these tests are not among those that pytest reports."""
    monkeypatch.setattr(check_reports, "found", [])


def test_a_true_claim_passes():
    """A claim that is true holds on all problems, most of which are inside its hypotheses, and every term of
    it is tested: half of it would be caught."""
    report = check(TRUE, problems=16)
    assert report.applied >= 14 and not report.violation
    assert 1 <= report.least_ratio <= report.median_ratio
    assert all(factor in ("1/2", "1/4") for factor in report.caught.values())
    assert set(report.caught) == {"initial", "growth", "local"}
    assert check_reports.found == [report] and f"{report.applied} of 16 problems" in str(report)


@pytest.mark.parametrize("changed", [
    {"local": f"({SIMPLE['local']})/1000"}, {"initial": "exp(-2*T)*sqrt(m2 + d)"}, {"growth": "exp(-h)"},
    {"hypotheses": []},
], ids=["local", "initial", "growth", "hypotheses"])
def test_a_false_claim_fails(changed, tmp_path):
    """A wrong term, or a hypothesis left out, is VIOLATED, and the small problem file that is written shows
    it."""
    theorem, file = simple(**{"hypotheses": ["m0 <= 1", "L0 >= 1"], **changed}), tmp_path / "found.toml"
    with pytest.raises(Violated, match=r"simple2026 is VIOLATED: bound .* < exact W2") as failed:
        check(theorem, problems=24, save=file)
    problem = load_problem(file)
    again = certify(theorem, process=problem.process, law=problem.law, scheme=problem.scheme,
                    score_error=problem.score_error, score_noise=problem.score_noise)
    assert again.verdict is Verdict.VIOLATED
    assert failed.value.certificate.bound.total == pytest.approx(again.bound.total, rel=1e-12)
    assert problem.scheme.grid.steps <= 40 and problem.law.dim <= 2
    assert failed.value.report.violation in str(failed.value)


def test_a_lower_claim_is_checked_from_below(tmp_path):
    """A lower bound that is too large is VIOLATED; one that is 0 holds, and no problem tests it."""
    low = lambda text: claim.closed_form(  # noqa: E731
        "low", source="Me", kind="lower", terms={"all": text}, process=["ou"], data=["strong-log-concave"])
    assert check(low("0"), problems=4).caught == {"all": None}
    with pytest.raises(Violated, match=r"low is VIOLATED: bound .* > exact W2"):
        check(low("sqrt(m2)"), problems=8, save=tmp_path / "x.toml")


@pytest.mark.parametrize("hypotheses", [["d > 10^9"], pytest.param(["T < 0"], marks=pytest.mark.deep)])
def test_where_nothing_applies_a_check_fails(hypotheses):
    """Hypotheses that no problem meets make the check fail, with the hypothesis in the message."""
    with pytest.raises(NothingApplied, match=f"none of 2 problems drawn meets .*{hypotheses[0][0]}"):
        check(simple(hypotheses=hypotheses), problems=2)


def test_data_without_an_exact_law_are_named():
    """A claim for data of which no law has an exact answer says so."""
    theorem = claim.closed_form("ball", source="Me", data=["bounded"], terms={"initialisation": "radius"})
    with pytest.raises(ValueError, match="no law with an exact answer has data bounded"):
        check(theorem, problems=2)


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_the_number_of_problems_is_checked(count):
    """A number of problems that is none is refused by name."""
    with pytest.raises(ValueError, match=f"problems must be a whole number >= 1, got {count!r}"):
        check(TRUE, problems=count)


def test_a_narrow_hypothesis_is_met_by_construction():
    """Problems are brought inside hypotheses that few problems drawn meet: short steps, a long horizon, no
    error."""
    theorem = simple(hypotheses=["m0 <= 1", "L0 >= 1", "h*L0 <= 1/50", "T >= 2", "M <= 0"])
    inside = [question_inside(NumpyDraw(np.random.default_rng([3, n])), theorem) for n in range(4)]
    assert sum(each is not None for each in inside) >= 3
    for question in filter(None, inside):
        assert not theorem.unmet(question.setting)
        assert question.setting.scheme.key == "exponential" and question.setting.process.name == "ou"
    drawn = [Question(draw_tables(NumpyDraw(np.random.default_rng([3, n])), theorem.domain)) for n
             in range(4)]
    assert sum(not unmet(theorem, question) for question in drawn) <= 1


@pytest.mark.parametrize("emphasis", [*EMPHASES, STANDARD, STATIONARY])
def test_what_is_drawn_is_a_problem(emphasis):
    """Every table drawn is one that a problem file may hold, in which the theorems of this project hold."""
    theorem = theorems()["martingale"]
    for number in range(3):
        question = question_inside(NumpyDraw(np.random.default_rng([5, number])), theorem, 40, emphasis)
        assert Question(question.problem.as_dict()).problem.as_dict() == question.problem.as_dict()
        assert question.measured.lower <= theorem.bound(question.setting).total


def test_standard_data_are_drawn_where_a_process_keeps_them():
    """A check draws N(0, I), without errors, where a variance preserving process is in the domain, and not
    for others."""
    theorem, langevin = (theorems()[key] for key in ("gao2025-general-sde", "strasman2025-cld"))
    assert STANDARD in checked(theorem.domain) and STANDARD not in checked(langevin.domain)
    tables = draw_tables(NumpyDraw(np.random.default_rng(1)), theorem.domain, emphasis=STANDARD)
    assert (tables["data"]["mean"], tables["data"]["covariance"]) == (0.0, 1.0)
    assert tables["process"]["family"] in ("ou", "vp")
    assert not {"score_error", "score_noise", "early_stop"} & set(tables["scheme"])
