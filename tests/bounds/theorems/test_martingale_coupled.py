"""The noise coupled to the posterior: what is left of it where the posterior is known, by hand."""

import numpy as np
import pytest

from bounds import euler_maruyama, ou
from bounds.theorems import theorems
from bounds.theorems.martingale_coupled import coupled_noise
from closed_form import Gaussian
from tests.bounds.tolerances import QUADRATURE
from verify.certificates.question import setting_of


@pytest.mark.parametrize("variance", [0.25, 4.0])
def test_known_noise_differs_by_its_size_alone(variance):
    """For N(0, V) the matched noise is the posterior's times a number: v² = d (√∫n*² − √2h)², which is less than
    what the sampler's own noise misses."""
    h, steps = 0.2, 4
    setting = setting_of(ou(), Gaussian(np.zeros(3), variance), euler_maruyama(h * steps, steps))
    found = coupled_noise(setting, theorems()["martingale-coupled"].functions)
    nodes, rule = np.polynomial.legendre.leggauss(30)
    for k in range(steps):
        low = h * (steps - 1 - k)
        t = low + h * (nodes + 1) / 2
        H = -1 / (variance * np.exp(-2 * t) - np.expm1(-2 * t))
        matched = np.exp(t - low) * np.sqrt(2) * (1 - np.expm1(-2 * (t - low)) * H)
        own = h / 2 * rule @ (matched - np.sqrt(2)) ** 2
        left = (np.sqrt(h / 2 * rule @ matched**2) - np.sqrt(2 * h)) ** 2
        assert left < own
        assert found[k] == pytest.approx(3 * left, rel=QUADRATURE)
