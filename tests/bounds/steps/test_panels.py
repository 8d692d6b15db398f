"""Gauss panels integrate polynomials exactly, and say at least what they miss of a smooth function."""

import numpy as np
import pytest

from bounds.steps.panels import FEW_PANELS, integrals, largest, missed, panel_rule
from tests.bounds.tolerances import PATH_RELATIVE


@pytest.mark.parametrize("nodes", [5, 6, 10])
def test_polynomials_are_exact_over_the_panel_and_up_to_each_node(nodes):
    """Degree 2n − 1 over [0, 1] and degree n − 1 up to each node have their integrals."""
    rule = panel_rule(nodes)
    found, _ = integrals(rule.places ** (2 * nodes - 1), np.ones(1), rule)
    assert found == pytest.approx(1 / (2 * nodes), rel=PATH_RELATIVE)
    assert rule.places ** (nodes - 1) @ rule.inner == pytest.approx(
        rule.places**nodes / nodes, rel=PATH_RELATIVE
    )


@pytest.mark.parametrize("nodes", [5, 6, 10])
@pytest.mark.parametrize("rate", [2.0, 6.0, 15.0, 40.0])
def test_what_is_missed_of_an_exponential_is_covered(nodes, rate):
    """The estimate is at least the error of ∫e^{−cx}, unless both are rounding; where nothing is there,
    nothing is missed."""
    rule = panel_rule(nodes)
    found, seen = integrals(np.exp(-rate * rule.places), np.ones(1), rule)
    exact = -np.expm1(-rate) / rate
    assert abs(found - exact) <= missed(seen, found) + PATH_RELATIVE * exact
    assert missed(np.zeros(1), np.zeros(1)) == 0.0


@pytest.mark.parametrize("panels", [3, FEW_PANELS])
def test_the_largest_values_of_few_panels_and_of_many(panels):
    """Panel by panel they are numpy's largest and smallest, and NaN where something is none."""
    values = np.random.default_rng(3).standard_normal((2, panels, 7))
    values[1, -1, 4] = np.nan
    np.testing.assert_array_equal(largest(values), values.max(axis=-1))
    np.testing.assert_array_equal(largest(values, np.minimum), values.min(axis=-1))
    assert np.isnan(largest(values)[1, -1])
