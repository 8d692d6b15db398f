"""Settings: what a closed-form law knows, and what was asked."""

import numpy as np
import pytest

from bounds import WeaklyLogConcave, ou
from bounds.sampler import euler_maruyama
from closed_form import Gaussian
from verify.certificates.certificate import certify
from verify.certificates.question import setting_of


def test_facts_of_a_gaussian_are_consistent():
    """Spectrum and mean in the eigenbasis carry the second moment; the distance to N(0, v) is Bures'."""
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    law = Gaussian([0.3, -1.0], covariance)
    facts = law.facts()
    mean, variances = facts.gaussian_spectrum
    assert np.sum(mean**2) + np.sum(variances) == pytest.approx(law.second_moment)
    trace = np.trace(covariance) + 2 * 0.7 - 2 * np.sum(np.sqrt(np.linalg.eigvalsh(covariance) * 0.7))
    assert facts.distance_to_gaussian(0.7) == pytest.approx(np.sqrt(0.3**2 + 1 + trace), rel=1e-10)


def test_settings_record_what_was_asked():
    """The setting of a law carries its sharpest assumption."""
    setting = setting_of(ou(), Gaussian([0.0], 0.25), euler_maruyama(4.0, 50))
    assert (setting.assumption.m0, setting.assumption.L0) == (4.0, 4.0)


def test_the_mmse_curve_counts_from_the_assumptions_own_floor():
    """With a larger L than the law's the curve is left out, and the bound holds still: it would be too small
    with it."""
    law = Gaussian([0.0], 0.25)
    loose = WeaklyLogConcave(4.0, 0.0, 8.0, second_moment=0.25)
    setting = setting_of(ou(), law, euler_maruyama(4.0, 100), assumption=loose)
    assert setting.facts.moments is None
    certificate = certify(
        "martingale", process=ou(), law=law, scheme=euler_maruyama(4.0, 100), assumption=loose
    )
    assert certificate.verdict == "HOLDS"
    assert certificate.bound.information == "constants"


@pytest.mark.parametrize(
    "assumption, words",
    [
        (WeaklyLogConcave(1.0, 0.0, 8.0, dim=2), "dim"),
        (WeaklyLogConcave(1.0, 0.0, 8.0, second_moment=0.2), "second_moment"),
        (WeaklyLogConcave(1.0, 0.0, 8.0, second_moment=1.2, mean_norm=0.5), "mean_norm"),
        (WeaklyLogConcave(1.0, 0.0, 2.0, second_moment=0.9), "smoothness"),
    ],
)
def test_assumptions_that_contradict_the_law_are_refused(assumption, words):
    """Constants said of a law must not contradict its dimension, moments or smoothness."""
    with pytest.raises(ValueError, match=words):
        setting_of(ou(), Gaussian([0.0], 0.25), euler_maruyama(4.0, 10), assumption=assumption)
