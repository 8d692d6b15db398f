"""Where the data are a ball plus a Gaussian, an error of the martingale recursion saturates."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import BoundedSupport, Setting, SmoothedSupport, TimeGrid, ou, ve, vp
from bounds.processes.cld import cld
from bounds.recursion import equal_steps
from bounds.recursion.saturation import Saturation
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import GaussianMixture
from tests.bounds.tolerances import FITTED_STEPS, FOUR_DIGITS, RECURSION_RELATIVE
from tests.drawn import examples, thinned
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of

MARTINGALE, COUPLED = theorems()["martingale"], theorems()["martingale-coupled"]
FAR = GaussianMixture.two_modes(2.0, 0.1)
VP = vp("1/10 + 199/10*t")
NOISY = ("euler-maruyama", "exponential", "posterior-mean", "posterior-mean-matched", "ancestral")


@pytest.mark.parametrize(
    ("process", "sampler", "known"),
    [(VP, scheme("euler-maruyama", 1, 50), 1.93932), (VP, scheme("posterior-mean", 1, 400), 1.91099),
     pytest.param(VP, scheme("ancestral", 1, 100), 1.91393, marks=pytest.mark.deep),
     (ou(), scheme("euler-maruyama", 4, 60), 1.94914)],
    ids=["Euler", "posterior mean", "ancestral", "OU"])
def test_far_modes_stay_below_their_distance(process, sampler, known):
    """At R/s0 = 10 the bound is below 2R = 2 where the constants of weak log-concavity give more than 1e3."""
    assumption = FAR.assumptions()[0]
    found = MARTINGALE.bound(Setting(process, assumption, sampler)).total
    assert found == pytest.approx(known, rel=FOUR_DIGITS)
    assert MARTINGALE.bound(Setting(process, assumption.weaker(), sampler)).total > 3.0
    assert found >= certify_setting(MARTINGALE, setting_of(process, FAR, sampler), FAR).measured.upper


def test_what_grew_without_measure_does_not():
    """At R/s0 = 10 on 2000 steps the product of contractions is above e^50, and the bound below 2R."""
    found = MARTINGALE.bound(Setting(VP, FAR.assumptions()[0], scheme("euler-maruyama", 1, 2000)))
    assert found.details["contraction"] > np.exp(50)
    assert found.total < 2.0
    assert found.total <= sum(found.terms.values())
    assert all(found.total >= term for term in found.terms.values())


@pytest.mark.parametrize("theorem", [MARTINGALE, COUPLED], ids=["martingale", "coupled"])
def test_near_modes_keep_their_value(theorem):
    """Where no error is saturated the bound is, to the last digit, that of the constants of weak log-concavity."""
    near = SmoothedSupport(1.0, 0.6, dim=2)
    one, other = (theorem.bound(Setting(ou(), each, scheme("euler-maruyama", 4, 200), 0.01, 0.02))
                  for each in (near, near.weaker()))
    assert one.total == other.total and dict(one.terms) == dict(other.terms)


@settings(max_examples=examples(8))
@given(
    far=st.floats(1.0, 12.0), std=st.floats(-1, 0.5).map(lambda x: 10.0**x), third=st.floats(0.0, 1.0),
    weight=st.floats(0.05, 0.9), steps=st.integers(1, 12), key=st.sampled_from(NOISY), which=st.integers(0, 2),
    error=st.sampled_from([0.0, 0.0, 0.3]), seed=st.integers(0, 99),
    theorem=st.sampled_from([MARTINGALE, COUPLED]))
def test_never_below_the_truth(far, std, third, weight, steps, key, which, error, seed, theorem):
    """On modes R standard deviations apart, from one long step to a dozen, the bound is at least the exact W2."""
    R = far * std
    law = GaussianMixture(np.array([[-R], [third * R], [R]]) + 0.3 * R, [weight / 2, weight / 2, 1 - weight], std=std)
    process = (ou(), VP, ve(1))[which]
    if which == 2 and key == "ancestral":
        key = "posterior-mean"
    times = np.random.default_rng(seed).uniform(0.0, (4.0, 1.0, 30.0)[which], steps)
    grid = TimeGrid.from_times(np.append(np.sort(times)[::-1], 0.0))
    setting = setting_of(process, law, Scheme(samplers()[key], grid), error / std, error / std)
    found = certify_setting(theorem, setting, law)
    assert found.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)
    assert found.bound.total <= sum(found.bound.terms.values()) * (1 + 1e-9)


@settings(max_examples=examples(15))
@given(std=st.floats(-1.5, 0.0).map(lambda x: 10.0**x), error=st.floats(0.0, 2.0), more=st.floats(0.0, 2.0),
       steps=st.integers(1, 200))
def test_grows_with_a_score_error(std, error, more, steps):
    """A larger score error never makes the bound smaller, saturated or not."""
    small, large = (MARTINGALE.bound(Setting(VP, SmoothedSupport(1.0, std), scheme("euler-maruyama", 1, steps), size)).total
                    for size in (error, error + more))
    assert small <= large * (1 + RECURSION_RELATIVE)


def test_a_batch_is_its_problems():
    """Constants in arrays give what each gives alone."""
    stds = np.array([0.6, 0.2, 0.1])
    whole = MARTINGALE.bound(Setting(VP, SmoothedSupport(1.0, stds, second_moment=1.0 + stds**2),
                                     scheme("posterior-mean", 1, 80), 0.1)).total
    for std, total in zip(stds.tolist(), whole, strict=True):
        alone = MARTINGALE.bound(Setting(VP, SmoothedSupport(1.0, std), scheme("posterior-mean", 1, 80), 0.1)).total
        assert total == pytest.approx(alone, rel=RECURSION_RELATIVE)


def test_the_bound_of_bounded_support_saturates():
    """Two points stopped early: below the diameter and what stopping leaves, and above the truth of near modes."""
    times = np.append(np.linspace(4.0, 0.0, 80, endpoint=False), 0.005)
    grid = TimeGrid.from_times(times)
    found = MARTINGALE.bound(Setting(ou(), BoundedSupport(1.0), Scheme(samplers()["posterior-mean"], grid)))
    assert found.total < 2.0 + found.terms["early stopping"] < 2.2


def test_many_steps_are_saturated_too(monkeypatch):
    """On more steps than are computed one by one the bound is what it is step by step."""
    setting = Setting(VP, FAR.assumptions()[0], scheme("euler-maruyama", 1, 21_000))
    fitted = MARTINGALE.bound(setting).total
    monkeypatch.setattr(equal_steps, "MANY_STEPS", 10**9)
    assert fitted == pytest.approx(MARTINGALE.bound(replace(setting)).total, rel=FITTED_STEPS)
    assert fitted < 2.0


@pytest.mark.parametrize("key, std", thinned(["euler-maruyama", "posterior-mean"], [0.1, 0.4], every=2))
def test_balls_saturate_as_floats_do(key, std):
    """In ball arithmetic the bound is the float's, a little below."""
    setting = Setting(ou(), SmoothedSupport(1.0, std, mean_norm=0.2), scheme(key, 4, 20), 0.05, 0.02)
    for theorem in (MARTINGALE, COUPLED):
        floats, balls = theorem.bound(setting), theorem.certified(setting)
        assert float(balls.total) <= floats.total <= float(balls.total) * (1 + 1e-6)
        assert all(float(balls.terms[name]) <= floats.terms[name] * (1 + 1e-9) for name in floats.terms)


def test_a_ball_of_radius_zero_is_a_gaussian():
    """With R = 0 nothing saturates, and the bound is that of the Gaussian's constants."""
    point = SmoothedSupport(0.0, 0.5)
    setting = Setting(ou(), point, scheme("euler-maruyama", 4, 50))
    assert Saturation.of(setting, MARTINGALE.functions).reach > 1e100
    assert MARTINGALE.bound(setting).total == MARTINGALE.bound(Setting(ou(), point.weaker(), setting.scheme)).total


@pytest.mark.parametrize("key", ["euler-maruyama", "posterior-mean", "sscs"])
def test_two_blocks_saturate(key):
    """With position and velocity too: at R/s0 = 10 the bound is near 2R where no weights give less than 1e7."""
    setting = Setting(cld(sigma=2), FAR.assumptions()[0], scheme(key, 6, 100), 0.01)
    found = MARTINGALE.bound(setting)
    assert found.total < 2.1 and found.details["weights"].startswith("saturated")
    assert MARTINGALE.bound(replace(setting, assumption=setting.assumption.weaker())).total > 1e7


@pytest.mark.parametrize("key", ["euler-maruyama", pytest.param("sscs", marks=pytest.mark.deep)])
def test_two_blocks_saturate_in_balls_too(key):
    """In ball arithmetic the bound of two blocks is the float's, hardly below."""
    setting = Setting(cld(sigma=2), FAR.assumptions()[0], scheme(key, 4, 12), 0.01)
    floats, balls = MARTINGALE.bound(setting), MARTINGALE.certified(setting)
    assert balls.details["weights"].startswith("saturated")
    assert floats.total * (1 - 1e-6) <= balls.total <= floats.total * (1 + 1e-6)


@settings(max_examples=examples(4))
@given(far=st.floats(3.0, 8.0), steps=st.integers(2, 12), horizon=st.floats(1.0, 6.0),
       key=st.sampled_from(["euler-maruyama", "exponential", "posterior-mean"]))
def test_two_blocks_never_below_the_truth(far, steps, horizon, key):
    """With two blocks the saturated bound is at least the exact W2 of the position."""
    law = GaussianMixture([[-far * 0.2], [far * 0.2]], [0.7, 0.3], std=0.2)
    found = certify_setting(MARTINGALE, setting_of(cld(sigma=2), law, scheme(key, horizon, steps)), law)
    assert found.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)
