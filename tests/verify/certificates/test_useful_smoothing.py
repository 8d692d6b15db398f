"""The smoothing that makes a vacuous bound useful."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import LogLipschitz, StronglyLogConcave, WeaklyLogConcave, euler_maruyama, ou
from bounds.facts import DataFacts
from bounds.setting import Setting
from bounds.theorems import theorems
from closed_form import GaussianMixture
from tests.drawn import examples
from verify.certificates import useful_smoothing as useful_smoothing_module
from verify.certificates.question import setting_of
from verify.certificates.useful_smoothing import explained, useful_smoothing

MARTINGALE = theorems()["martingale"]


def after(setting, std):
    """(bound, size) with the data smoothed by hand: the mixture's own constants at the larger variance."""
    law = GaussianMixture(np.array([[-1.0], [1.0]]), std=math.hypot(setting, std))
    again = setting_of(ou(), law, euler_maruyama(5, 400), information="constants")
    return MARTINGALE.bound(again).total, math.sqrt(law.second_moment)


@settings(max_examples=examples(5))
@given(st.floats(0.08, 0.3))
def test_the_smoothing_flips_the_verdict(std):
    """At s the bound of the smoothed mixture, from its own constants, is useful; at 0.9 s it is not."""
    setting = setting_of(
        ou(), GaussianMixture.two_modes(2.0, std), euler_maruyama(5, 400), information="constants"
    )
    found = useful_smoothing(MARTINGALE, setting)
    bound, size = after(std, found.noise_std)
    assert bound <= size and bound == pytest.approx(found.bound, rel=1e-6) and found.moved == found.noise_std
    bound, size = after(std, 0.9 * found.noise_std)
    assert bound > size


def test_no_smoothing_is_tried_twice(monkeypatch):
    """The bound is evaluated once at every smoothing of the search, and at most once more at its end."""
    tried, smoothed = [], useful_smoothing_module._smoothed
    monkeypatch.setattr(useful_smoothing_module, "_smoothed",
                        lambda theorem, setting, std: tried.append(std) or smoothed(theorem, setting, std))
    setting = setting_of(ou(), GaussianMixture.two_modes(2.0, 0.2), euler_maruyama(5, 40), information="constants")
    assert useful_smoothing(MARTINGALE, setting) is not None
    assert len(tried) == len(set(tried)) <= 20


def test_the_bound_says_so():
    """A vacuous bound on a mixture gains a note and details; a useful one, or a log-concave one, stays as it
    is."""
    setting = setting_of(ou(), GaussianMixture.two_modes(2.0, 0.2, dim=3), euler_maruyama(5, 400))
    bound = explained(MARTINGALE.bound(setting), MARTINGALE, setting)
    assert "would make it useful" in bound.notes[-1]
    assert bound.details["moved_by_smoothing"] == pytest.approx(
        math.sqrt(3) * bound.details["useful_smoothing"]
    )
    useful = setting_of(ou(), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(5, 400))
    assert explained(MARTINGALE.bound(useful), MARTINGALE, useful) == MARTINGALE.bound(useful)
    strong = Setting(ou(), StronglyLogConcave(1.0, 1.0), euler_maruyama(0.1, 1), score_error=100.0)
    assert explained(MARTINGALE.bound(strong), MARTINGALE, strong).notes == MARTINGALE.bound(strong).notes


def test_a_perturbation_can_be_smoothed_too():
    """The log-Lipschitz row has a useful smoothing; a large score error has none."""
    assumption = LogLipschitz(alpha=25.0, lipschitz=25.0, L=25.0, second_moment=1.04)
    setting = Setting(ou(), assumption, euler_maruyama(5, 400))
    assert useful_smoothing(MARTINGALE, setting).noise_std > 0
    bad = replace(
        setting,
        assumption=WeaklyLogConcave(25.0, 625.0, 25.0, second_moment=1.04),
        score_error=1e9,
        facts=DataFacts(),
    )
    assert useful_smoothing(MARTINGALE, bad) is None
    assert "no Gaussian smoothing" in explained(MARTINGALE.bound(bad), MARTINGALE, bad).notes[-1]


def test_smoothing_that_constants_cannot_take_is_none():
    """Constants so small that those of smoothed data would leave their range: none is found, nothing
    raised."""
    assumption = WeaklyLogConcave(alpha=1e-25, M=2.0, L=4.0)
    setting = Setting(ou(), assumption, euler_maruyama(3, 20))
    assert useful_smoothing(MARTINGALE, setting) is None
    assert explained(MARTINGALE.bound(setting), MARTINGALE, setting).is_vacuous(1.0)


def test_vacuous_means_above_the_size_of_the_data():
    """The threshold is sqrt(E‖X‖²), and infinity is vacuous."""
    setting = setting_of(ou(), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(5, 400))
    bound = MARTINGALE.bound(setting)
    assert not bound.is_vacuous(bound.total**2 * 1.01) and bound.is_vacuous(bound.total**2 * 0.99)
    assert replace(bound, total=math.inf).is_vacuous(1e300)
