"""Certificates: verdicts only from guaranteed sides, JSON there and back, refusals named."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds import ou, ve, vp
from bounds.sampler import euler_maruyama, scheme
from bounds.theorems import theorems
from closed_form import Bracket, Gaussian, GaussianMixture
from verify.certificates.certificate import Certificate, Verdict, certify, verdict_of
from verify.certificates.sampled import Sampled

LAW, SAMPLER = Gaussian([0.0], 0.25), euler_maruyama(4.0, 50)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 20), st.sampled_from(["upper", "lower"]))
def test_verdicts_come_from_guaranteed_sides(low, width, total, kind):
    """HOLDS needs every value of the bracket to agree with the bound, VIOLATED every one to contradict it."""
    measured = Bracket(low, low + width, "test")
    agrees = [x <= total if kind == "upper" else x >= total for x in (measured.lower, measured.upper)]
    expected = Verdict.HOLDS if all(agrees) else Verdict.INCONCLUSIVE if any(agrees) else Verdict.VIOLATED
    assert verdict_of(kind, total, measured) == expected


def test_an_unknown_upper_side_never_holds():
    """Against [0, ∞) even an infinite bound is inconclusive, and a lower side alone can violate."""
    assert verdict_of("upper", np.inf, Bracket(0.0, np.inf, "")) is Verdict.INCONCLUSIVE
    assert verdict_of("upper", 1.0, Bracket(2.0, np.inf, "")) is Verdict.VIOLATED


@pytest.mark.parametrize("key", theorems())
def test_json_there_and_back(key):
    """A certificate survives JSON unchanged."""
    certificate = certify(key, process=ou(), law=LAW, scheme=SAMPLER, problem={"note": 1})
    assert Certificate.from_json(certificate.to_json()) == certificate
    assert json.loads(certificate.to_json())["schema_version"] == 3


def test_each_side_says_what_it_rests_on():
    """Bound, lower and upper side are proved, guaranteed up to rounding, or estimated, and then it is said
    how."""
    ask, gaussian = partial(certify, "martingale", process=ou(), scheme=SAMPLER), {"law": LAW}
    proved = "proved in ball arithmetic of 128 bits"
    assert ask(**gaussian, certified=True).sides == dict.fromkeys(("bound", "lower", "upper"), proved)
    rounded = "guaranteed, rounding to first order"
    assert ask(**gaussian).sides == dict.fromkeys(("bound", "lower", "upper"), rounded)
    found = ask(law=GaussianMixture.two_modes(2.0, 0.5))
    assert found.sides["bound"] == rounded and found.sides["upper"].startswith("estimated: quadrature")
    matched = certify("martingale", process=ou(), law=LAW, scheme=scheme("posterior-mean-matched", 1.0, 5))
    assert matched.sides["lower"].startswith("estimated: the noise of a step")
    singular = certify("martingale", process=ve("t^(-1/4)"), law=LAW, scheme=euler_maruyama(1.0, 5))
    assert singular.sides["bound"].startswith("estimated: not enclosed") and not singular.certified
    assert json.loads(matched.to_json())["sides"] == matched.sides == Certificate.from_json(matched.to_json()).sides


def test_sides_from_samples():
    """A lower side from samples is at a confidence, an upper one is an estimate; where there is none it says
    so."""
    found = replace(certify("martingale", process=ou(), law=LAW, scheme=SAMPLER),
                    measured=Sampled(0.1, 0.2, "", "asymptotic, given martingale", "martingale"))
    assert found.sides["lower"] == "proved at confidence 1 - 1e-06"
    assert found.sides["upper"] == "estimated: asymptotic, given martingale"
    assert replace(found, measured=Bracket(0.0, np.inf, "")).sides["upper"] == "none"


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 20), st.sampled_from(["upper", "lower"]))
def test_an_upper_side_given_a_theorem_decides_nothing(low, width, total, kind):
    """With samples a verdict is that of [lower, ∞), or of what is proved: a theorem is never shown by what takes one
    for true."""
    measured = Sampled(low, low + width, "test", "martingale")
    assert verdict_of(kind, total, measured) == verdict_of(kind, total, Bracket(low, np.inf, "test"))
    sure = Bracket(low, low + 2 * width, "test")
    assert verdict_of(kind, total, replace(measured, proved=sure.upper)) == verdict_of(kind, total, sure)


def test_a_forged_verdict_is_caught():
    """A certificate whose verdict its numbers do not support cannot be read."""
    certificate = certify("martingale", process=ou(), law=LAW, scheme=SAMPLER)
    forged = replace(certificate, measured=Bracket(9.0, 9.1, "forged"))
    with pytest.raises(ValueError, match="numbers say VIOLATED"):
        Certificate.from_json(forged.to_json())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"theorem": "martingale"}'])
def test_what_is_no_certificate_is_refused(text):
    """Text that is not a certificate is refused in one line."""
    with pytest.raises(ValueError, match="not a certificate"):
        Certificate.from_json(text)


def test_refusals_name_the_hypothesis():
    """A theorem that does not apply gives NOT_APPLICABLE with the hypothesis, and no numbers."""
    certificate = certify("gao2025-general-sde", process=ou(), law=LAW, scheme=scheme("exponential", 1.0, 5))
    assert certificate.verdict is Verdict.NOT_APPLICABLE
    assert certificate.bound is None and certificate.measured is None
    assert any("Euler–Maruyama" in line for line in certificate.unmet)


def test_unequal_covariances_are_refused_with_the_reason():
    """Mixtures whose covariances differ have no proved constants: refused, not guessed."""
    law = GaussianMixture([[-1.0], [1.0]], covariances=[[[0.1]], [[0.5]]])
    certificate = certify("martingale", process=ou(), law=law, scheme=SAMPLER)
    assert certificate.verdict is Verdict.NOT_APPLICABLE
    assert "unequal covariances" in certificate.unmet[0]


def test_means_off_a_plane_have_a_bracket_that_says_what_it_rests_on():
    """Without an exact law both sides are finite, what is proved of the upper one decides, and the method says why."""
    law = GaussianMixture([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.3, 1.0]], std=0.6)
    certificate = certify("martingale", process=ou(), law=law, scheme=euler_maruyama(4.0, 20))
    measured = certificate.measured
    assert "3 dimensions" in measured.method and measured.given == "" and certificate.seed == 0
    assert 0 <= measured.lower < measured.upper <= measured.proved < certificate.bound.total
    assert certificate.verdict is Verdict.HOLDS and "asymptotic in" in certificate.sides["upper"]
    assert Certificate.from_json(certificate.to_json()) == certificate
    forged = replace(certificate, measured=replace(measured, proved=2 * certificate.bound.total))
    with pytest.raises(ValueError, match="numbers say INCONCLUSIVE"):
        Certificate.from_json(forged.to_json())


def test_unknown_names_are_refused():
    """Theorems and kinds of information that do not exist are named."""
    with pytest.raises(ValueError, match="theorem must be one of"):
        certify("gronwall", process=ou(), law=LAW, scheme=SAMPLER)
    with pytest.raises(ValueError, match="information must be"):
        certify("martingale", process=ou(), law=LAW, scheme=SAMPLER, information="some")


@pytest.mark.parametrize("error, noise", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.5)])
@pytest.mark.parametrize(
    "law",
    [Gaussian([1.0, 0.0], 0.5), GaussianMixture.two_modes(1.5, 0.6, dim=2)],
    ids=["gaussian", "mixture"],
)
def test_injected_score_errors_are_measured_and_bounded(law, error, noise):
    """Score errors move the measured W2 and the bound stays above it, with a score term to show for it."""
    exact = certify("martingale", process=ou(), law=law, scheme=SAMPLER)
    wrong = certify("martingale", process=ou(), law=law, scheme=SAMPLER, score_error=error, score_noise=noise)
    assert wrong.verdict is Verdict.HOLDS
    assert wrong.measured.lower > exact.measured.upper
    assert (wrong.bound.terms["score bias"] > 0) == (error > 0)
    assert (wrong.bound.terms["score noise"] > 0) == (noise > 0)


def test_samples_refute_a_false_theorem_where_no_exact_law_is_known():
    """Four modes in space: samples leave the bound INCONCLUSIVE, refute a tenth of it, and are recorded
    with their seed."""
    law = GaussianMixture([[1.0, 0.0, 0.0], [-0.5, 0.8, 0.0], [-0.5, -0.8, 0.0], [0.0, 0.0, 0.3]], std=0.5)
    true = theorems()["martingale"]

    def tenth(setting, functions):
        bound = true.evaluate(setting, functions)
        return replace(bound, total=bound.total / 10)

    question = dict(process=ou(), law=law, scheme=euler_maruyama(1.0, 3), samples=20_000, seed=3)
    fair, false = (certify(theorem, **question) for theorem in (true, replace(true, evaluate=tenth)))
    assert 0 < fair.measured.lower <= fair.measured.upper < np.inf and "20000 samples" in fair.measured.method
    assert fair.ratio >= 1 and "95 % one-sided from 1250 pairs" in fair.measured.method
    assert Certificate.from_json(fair.to_json()) == fair
    assert (fair.verdict, false.verdict, fair.seed) == (Verdict.INCONCLUSIVE, Verdict.VIOLATED, 3)
    with pytest.raises(ValueError, match="n >= 100"):
        certify(true, **question | {"samples": 99})


def test_samples_are_not_drawn_where_the_truth_is_exact():
    """With an exact law the samples change nothing, and no seed is recorded."""
    plain, sampled = (
        certify("martingale", process=ou(), law=LAW, scheme=SAMPLER, samples=n) for n in (0, 1000)
    )
    assert plain == replace(sampled, asked=plain.asked) and sampled.seed is None


@pytest.mark.parametrize("information", ["all", "constants"])
def test_a_certificate_is_run_again(information):
    """A certificate made in Python holds its question, and comes out the same when it is run again, also from
    JSON."""
    found = certify("martingale", process=vp("1 + t"), law=Gaussian([0.5], 0.8),
                    scheme=euler_maruyama(2.0, 30),
                    score_error=0.1, information=information)
    again = Certificate.from_json(found.to_json()).rerun()
    assert again == found and again.bound.total == found.bound.total and again.problem["process"]["beta"] == "t + 1"
    assert replace(found, problem={}).problem == {} and found.asked["information"] == information
    with pytest.raises(ValueError, match="must hold its question"):
        replace(found, problem={}).rerun()
