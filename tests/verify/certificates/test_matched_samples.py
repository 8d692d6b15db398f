"""Where the data are no sum of Gaussians: matched samples of both laws hold what is known exactly."""

import math

import numpy as np
import pytest

from bounds import ou
from bounds.assumptions.strong_log_concave import StronglyLogConcave
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama, scheme
from closed_form import Funnel, Gaussian, sampler_w2
from closed_form.own_law import OwnLaw
from tests.drawn import thinned
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS
from verify import certify
from verify.certificates import matched_samples
from verify.certificates.certificate import Verdict
from verify.certificates.matched_samples import MATCHED, TIMES, _matched, upper_side
from verify.certificates.question import setting_of
from verify.certificates.sampled import DELTA


def hidden(mean, variance):
    """A Gaussian as a law of one's own, and as what it is."""
    known, d = Gaussian(mean, variance), len(mean)
    assumption = StronglyLogConcave(1 / variance, 1 / variance, dim=d, second_moment=known.second_moment,
                                    mean_norm=known.mean_norm)
    own = OwnLaw(d, sample=lambda n, rng: known.sample(n, rng), second_moment=known.second_moment,
                 mean_norm=known.mean_norm, score=lambda x, a, s_sq: known.pushed(a, s_sq).score(x),
                 assumptions=[assumption])
    return own, known


@pytest.mark.parametrize(("sampler", "mean"), thinned(
    [("euler-maruyama", 0.0), ("heun", 0.0), ("midpoint", 0.8), ("dpmpp-2m", 0.8), ("sscs", 0.3)], [[0.5], [0.5, -1.0, 0.0]],
    every=2))
def test_the_bracket_holds_what_is_known(sampler, mean):
    """A Gaussian that is not known to be one: its exact W2 is in the bracket, for every kind of sampler, and one that ends
    far away is seen from below."""
    (key, noise), (own, known) = sampler, hidden(mean, 0.4)
    process = cld() if key == "sscs" else ou()
    for horizon, far in ((2.0, {}), (0.2, {"prior_mean": 6.0})):
        setting = setting_of(process, own, scheme(key, horizon, 6, early_stop=0.01, **far), 0.2, noise)
        found = matched_samples.matched_samples(setting, own, 3, "asked for")
        exact = sampler_w2(known, setting.steps, 0.2, noise, direction=own.bias(1.0))
        assert found.lower <= exact.lower and exact.upper <= found.upper < math.inf
        assert found.proved == math.inf and found.method.endswith(f"{TIMES} matchings of {2048 if len(mean) == 1 else MATCHED} "
                                                                  "samples of both; asked for")
        assert not far or found.lower > 0


def test_the_upper_side_misses_as_seldom_as_it_says():
    """Of two Gaussians, a unit apart, W2 is above the upper side of a few samples no more often than its level and standard
    errors allow, and half of the sides are not far above."""
    rng, runs = np.random.default_rng(4), 200
    sides = np.array([upper_side(*rng.normal([[[0.0, 0.0]], [[1.0, 0.0]]], 0.5, size=(2, 32 * TIMES, 2)))
                      for _ in range(runs)])
    assert np.mean(sides < 1.0) <= DELTA + STANDARD_ERRORS * math.sqrt(DELTA / runs)
    assert np.median(sides) < 1.15


@pytest.mark.parametrize("d", [1, 3])
def test_the_best_matching_of_a_translation(d):
    """Points moved by a vector, in any order, are as far apart as it is long: no pair of the best matching is closer on the
    whole."""
    rng = np.random.default_rng(2)
    x, by = rng.normal(size=(40, d)), np.arange(1.0, d + 1)
    assert _matched(x, rng.permutation(x + by)) == pytest.approx(by @ by, rel=LAW_ROUNDING)


@pytest.mark.parametrize("key", ["euler-maruyama", "heun", "dpmpp-2m"])
def test_a_funnel_has_two_sides(key):
    """A funnel, of which nothing is proved, has a bracket with two finite sides."""
    law = Funnel(4, 0.5)
    setting = setting_of(ou(), hidden([0.0] * 4, 1.0)[0], scheme(key, 3.0, 20, early_stop=0.01))
    found = matched_samples.matched_samples(setting, law, 1, "asked for")
    assert 0 <= found.lower < found.upper < 2.0


def test_a_certificate_of_ones_own_law():
    """certify asks for it where no samples are given: the theorem is neither proved nor refuted, and too much work leaves
    [0, ∞)."""
    own, _ = hidden([0.0], 1.0)
    given = {"process": ou(), "law": own, "scheme": scheme("heun", 3.0, 20, early_stop=0.01)}
    found = certify("flow", **given)
    assert found.verdict is Verdict.INCONCLUSIVE and 0 <= found.measured.lower < found.measured.upper < 0.2


def test_too_much_work_stays_open(monkeypatch):
    """Where samples would take more than they may, and where particles diverge, the bracket is [0, ∞) with the reason."""
    own, _ = hidden([0.0], 1.0)
    setting = setting_of(ou(), own, euler_maruyama(3.0, 20))
    diverging = setting_of(ou(), own, scheme("ode-euler", 2e3, 12), 1e300)
    for asked, work in ((setting, 1), (diverging, matched_samples.WORK)):
        monkeypatch.setattr(matched_samples, "WORK", work)
        found = matched_samples.matched_samples(asked, own, 1, "asked for")
        assert (found.lower, found.upper, found.method) == (0.0, math.inf, "asked for")
