"""W2 of a sampled density against closed forms and the certified coupling of two mixtures."""

import numpy as np
import pytest

from closed_form.distances.grid_density import density_w2
from closed_form.distances.line import w2_line
from closed_form.distances.line_mixture import LineMixture
from tests.closed_form.tolerances import SAMPLED_DENSITY


def sampled(law, spacing=0.1, reach=12.0):
    """(places, density) of a law on an even grid."""
    places = np.arange(-reach, reach, spacing)
    return places, law.pdf(places)


def test_two_gaussians():
    """N(0.3, 0.7²) against N(0, 1): √(0.3² + 0.3²)."""
    value, doubt = density_w2(LineMixture([0.0], 1.0), *sampled(LineMixture([0.3], 0.7)), 1e-13)
    assert value == pytest.approx(np.sqrt(0.18), rel=SAMPLED_DENSITY)
    assert abs(value - np.sqrt(0.18)) <= doubt + 1e-12
    assert doubt < SAMPLED_DENSITY


@pytest.mark.parametrize("apart", [1.0, 3.0, 6.0])
def test_modes_far_apart_make_the_map_jump(apart):
    """Unequal weights move mass across the gap, where the map jumps within 1e-10: agrees with the certified
    coupling."""
    target = LineMixture([-apart, apart], [0.5, 0.4], [0.5, 0.5])
    law = LineMixture([-apart, 0.1, apart], [0.5, 0.6, 0.5], [0.5, 0.1, 0.4])
    value, doubt = density_w2(target, *sampled(law, reach=20.0), 1e-14)
    exact = w2_line(law, target).midpoint
    assert value == pytest.approx(exact, rel=SAMPLED_DENSITY)
    assert abs(value - exact) <= doubt + SAMPLED_DENSITY * exact


def test_mass_astray_is_doubted():
    """Noise of that much mass in the tails moves the value by less than the doubt, which grows with it."""
    target, law = LineMixture([0.0], 1.0), LineMixture([0.1], 1.02)
    places, density = sampled(law)
    clean, _ = density_w2(target, places, density, 1e-14)
    doubts = []
    for astray in (1e-12, 1e-9):
        noise = np.random.default_rng(4).standard_normal(len(places)) * astray / 24.0
        value, doubt = density_w2(target, places, density + noise, astray)
        assert abs(value - clean) < doubt
        doubts.append(doubt)
    assert doubts[0] < doubts[1] < 1e-5
