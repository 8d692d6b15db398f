"""W2 on the line where one law is a point beside the other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from closed_form import GaussianMixture, w2_line
from closed_form.distances.line_mixture import LineMixture
from tests.closed_form.tolerances import QUANTILE_COUPLING


@given(st.floats(-70, -1), st.floats(-3, 3))
def test_a_law_however_narrow_is_found(log_width, place):
    """The distance from a narrow Gaussian is that from its middle up to its width, either way round."""
    law, width = GaussianMixture.two_modes(2.0, 0.5), 10**log_width
    found = w2_line(LineMixture([place], width), law)
    assert found.lower - 2 * width <= math.sqrt(1.25 + place**2) * (1 + QUANTILE_COUPLING)
    assert found.upper + 2 * width >= math.sqrt(1.25 + place**2) * (1 - QUANTILE_COUPLING)
    turned = w2_line(law, LineMixture([place], width))
    assert turned.midpoint == pytest.approx(found.midpoint, rel=width + QUANTILE_COUPLING * 1e5)
