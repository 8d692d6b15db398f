"""The lower side between two samples: below the truth however often it is drawn, and far enough from 0 to
refute."""

import numpy as np
import pytest

from closed_form import Gaussian, GaussianMixture, w2_gaussian
from verify.lower_sides.projections import Potential, between_samples


def test_it_is_below_the_truth():
    """Over 200 draws of two laws a distance apart, the lower side at level 1/20 is above it in at most a few,
    and of one law with itself it is hardly ever above 0."""
    one, two = Gaussian([0.0, 0.0], 1.0), Gaussian([0.3, 0.0], np.array([1.0, 1.5]))
    truth, rng = w2_gaussian(one, two).upper, np.random.default_rng(4)
    apart = [between_samples(one.sample(300, rng), two.sample(300, rng), delta=0.05).lower for _
             in range(200)]
    same = [between_samples(one.sample(300, rng), one.sample(300, rng), delta=0.05).lower for _ in range(200)]
    assert sum(low > truth for low in apart) <= 16 and sum(low > 0 for low in same) <= 16


def test_it_sees_a_distance():
    """Two laws three units apart are seen to be more than two apart from 2,000 samples of each."""
    rng = np.random.default_rng(4)
    law, far = GaussianMixture.two_modes(2.0, 0.5, dim=3), Gaussian([3.0, 0.0, 0.0], 1.0)
    found = between_samples(far.sample(2000, rng), law.sample(2000, rng), delta=1e-3)
    assert 2.2 < found.lower < 3.1 and "2000 samples against 2000 of the data" in found.method


def test_the_conjugate_is_one():
    """φ(x) + φᶜ(y) ≤ (x − y)² for all x, y, with equality at y = T(x), and φᶜ has no wider range than φ."""
    potential = Potential(np.array([-3.0, -1.0, 0.5, 4.0]), np.array([-3.0, 0.0, 0.8, 4.0]))
    x, y = np.linspace(-6, 6, 301), np.linspace(-6, 6, 241)
    assert np.all(potential(x)[:, None] + potential.conjugate(y) <= (x[:, None] - y) ** 2 + 1e-12)
    image = np.interp(x, potential.knots, potential.images)
    inside = np.abs(x) < 3
    assert (potential(x) + potential.conjugate(image))[inside] == pytest.approx(((x - image) ** 2)[inside], abs=1e-12)
    assert np.ptp(potential.conjugate(y)) <= potential.span + 1e-12


def test_the_span_is_that_of_the_values(monkeypatch):
    """Both means are of values that vary by no more than the span they are granted, and each is held at half the
    level."""
    seen = []

    def recorded(values, span, delta):
        seen.append((np.ptp(values) <= span * (1 + 1e-12), delta))
        return values.mean()

    monkeypatch.setattr("verify.lower_sides.projections.bernstein_lower", recorded)
    rng = np.random.default_rng(8)
    between_samples(rng.standard_normal((500, 2)), 1 + 2 * rng.standard_normal((400, 2)), delta=0.02)
    assert seen == [(True, 0.01)] * 2
