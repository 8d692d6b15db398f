"""Settings: what a closed-form law knows, and what was asked."""

import numpy as np
import pytest

from bounds.schedules import ou
from bounds.schemes import euler_maruyama
from closed_form import Gaussian
from verify.settings import facts_of, setting_of


def test_facts_of_a_gaussian_are_consistent():
    """Spectrum and mean in the eigenbasis carry the second moment; the distance to N(0, v) is Bures'."""
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    law = Gaussian([0.3, -1.0], covariance)
    facts = facts_of(law)
    mean, variances = facts.gaussian_spectrum
    assert np.sum(mean**2) + np.sum(variances) == pytest.approx(law.second_moment)
    trace = np.trace(covariance) + 2 * 0.7 - 2 * np.sum(np.sqrt(np.linalg.eigvalsh(covariance) * 0.7))
    assert facts.distance_to_gaussian(0.7) == pytest.approx(np.sqrt(0.3**2 + 1 + trace), rel=1e-10)


def test_settings_record_what_was_asked():
    """The setting of a law carries its sharpest assumption."""
    setting = setting_of(ou(), Gaussian([0.0], 0.25), euler_maruyama(4.0, 50))
    assert (setting.assumption.m0, setting.assumption.L0) == (4.0, 4.0)
