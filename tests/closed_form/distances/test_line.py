"""W2 on the line: a law that is a point beside the other, and panels whose doubts hold what a rule misses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from closed_form import GaussianMixture, w2_line
from closed_form.distances.line import _Coupling, _Panels
from closed_form.distances.line_mixture import LineMixture
from tests.closed_form.tolerances import LINE_INTEGRAL, QUANTILE_COUPLING


@given(st.floats(-70, -1), st.floats(-3, 3))
def test_a_law_however_narrow_is_found(log_width, place):
    """The distance from a narrow Gaussian is that from its middle up to its width, either way round."""
    law, width = GaussianMixture.two_modes(2.0, 0.5), 10**log_width
    found = w2_line(LineMixture([place], width), law)
    assert found.lower - 2 * width <= math.sqrt(1.25 + place**2) * (1 + QUANTILE_COUPLING)
    assert found.upper + 2 * width >= math.sqrt(1.25 + place**2) * (1 - QUANTILE_COUPLING)
    turned = w2_line(law, LineMixture([place], width))
    assert turned.midpoint == pytest.approx(found.midpoint, rel=width + QUANTILE_COUPLING * 1e5)


@pytest.mark.parametrize("half", [9.0, 12.0, 15.0])
def test_the_doubt_of_a_long_panel_holds_its_error(half):
    """N(0, 1) and N(0, 4) are 1 apart. On a panel so long that its rule misses much of the mass the share is
    off by no more than noise and what was not seen, though x = y in its middle."""
    curve = _Coupling.of(LineMixture([0.0], [1.0]), LineMixture([0.0], [2.0]))
    s = np.array([[-half, half]])
    panel = _Panels.of(curve, s, curve.half_gap(s.ravel()).reshape(1, 2))
    assert abs(panel.delta[0, 1]) < 1e-9 * half
    assert panel.unseen[0] > 1e-3
    assert abs(panel.share[0] - 1.0) <= panel.unseen[0] + panel.noise[0]


def test_the_doubt_of_short_panels_is_small():
    """On panels of a tenth of a deviation nothing is unseen, noise is rounding, and the shares add up to W2²
    = 1."""
    curve = _Coupling.of(LineMixture([0.0], [1.0]), LineMixture([0.0], [2.0]))
    ends = np.linspace(-13.0, 13.0, 261)
    delta = curve.half_gap(ends)
    panels = _Panels.of(curve, *(np.stack([array[:-1], array[1:]], axis=1) for array in (ends, delta)))
    assert panels.share.sum() == pytest.approx(1.0, rel=1e-12)
    assert panels.unseen.sum() < 1e-12 and 0 < panels.noise.sum() < 1e-11


def test_what_rounding_may_move_between_two_modes():
    """Between modes at ±5 both levels are 1/2 while the other law stays at 0: on [1, 2] a few roundings of
    that level may lie as far apart as x and y are, no fewer than 8 and no more than 20."""
    curve = _Coupling.of(LineMixture([-5.0, 5.0], [0.1, 0.1]), LineMixture([0.0], [1.0]))
    s = np.array([[1.0, 2.0]])
    panel = _Panels.of(curve, s, curve.half_gap(s.ravel()).reshape(1, 2))
    far, unit = 2 * np.abs(panel.delta).max(), np.finfo(float).eps
    assert far == pytest.approx(4.0, rel=1e-3) and 8 * unit * far / 2 <= panel.noise[0] <= 20 * unit * far / 2


@pytest.mark.parametrize("width", [0.05, 4.0])
def test_many_components_add_up_like_few(width):
    """The distribution function of forty Gaussians is their weighted sum, however wide they are."""
    means, weights = np.linspace(-60.0, 60.0, 40), np.arange(1.0, 41.0) / 820
    x = np.linspace(-90.0, 90.0, 1201)
    law = LineMixture(means, width, weights)
    wanted = ndtr((x[:, None] - means) / width) @ weights
    assert law.cdf(x) == pytest.approx(wanted, rel=LINE_INTEGRAL, abs=LINE_INTEGRAL)
