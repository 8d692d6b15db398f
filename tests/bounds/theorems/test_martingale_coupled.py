"""The noise coupled to the posterior: what is left of it where the posterior is known, by hand."""

import numpy as np
import pytest

from bounds import euler_maruyama, general, ou
from bounds.theorems import martingale_coupled, theorems
from bounds.theorems.martingale_coupled import coupled_noise
from closed_form import Gaussian
from tests.bounds.tolerances import QUADRATURE
from verify.certificates.question import setting_of


@pytest.mark.parametrize("variance", [0.25, 4.0])
def test_known_noise_differs_by_its_size_alone(variance):
    """For N(0, V) the matched noise is the posterior's times a number: v² = d (√∫n*² − √2h)², which is less
    than what the sampler's own noise misses."""
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


def test_known_noise_where_g_changes():
    """For f = 0, g = 1 + t the coupled noise is as large as the sampler's and everywhere a number times the
    posterior's g(1 + CH): v² = d (√∫g² − √∫g²(1 + CH)²)², over each step."""
    h, steps, variance = 0.5, 4, 0.5
    law, scheme = Gaussian([0.0, 0.0], variance), euler_maruyama(h * steps, steps)
    setting = setting_of(general("0", "1+t"), law, scheme)
    found = coupled_noise(setting, theorems()["martingale-coupled"].functions)
    nodes, rule = np.polynomial.legendre.leggauss(30)
    for k in range(steps):
        low = h * (steps - 1 - k)
        t = low + h * (nodes + 1) / 2
        s_sq = ((1 + t) ** 3 - 1) / 3
        H, C = -1 / (variance + s_sq), ((1 + t) ** 3 - (1 + low) ** 3) / 3
        own, matched = 1 + t, (1 + t) * (1 + C * H)
        square = [h / 2 * rule @ each**2 for each in (own, matched)]
        assert found[k] == pytest.approx(2 * (np.sqrt(square[0]) - np.sqrt(square[1])) ** 2, rel=QUADRATURE)


def test_the_size_of_the_noise_is_not_taken_to_be_exact(monkeypatch):
    """A factor λ known to 1e-12 leaves so much of the noise's deviation √(3·2h), however little is missed."""
    monkeypatch.setattr(martingale_coupled, "missed_noise",
                        lambda setting, functions, other=None: np.full(4, 1.0 if other is None else 1e-24))
    setting = setting_of(ou(), Gaussian(np.zeros(3), 0.25), euler_maruyama(0.8, 4))
    found = np.sqrt(coupled_noise(setting, theorems()["martingale-coupled"].functions))
    left = (found - 1e-12) / np.sqrt(3 * 2 * 0.2)
    assert np.all(left >= 1e-12 * (1 - 1e-6)) and np.all(left <= 1e-10)
