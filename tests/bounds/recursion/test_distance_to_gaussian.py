"""Bounds of W2(p_0, N(0, vI)): each holds, and the closed form joins them where it is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds import BoundedSupport, WeaklyLogConcave
from bounds.recursion.distance_to_gaussian import DistanceFrom, distances
from bounds.theorems import theorems
from closed_form import Gaussian
from closed_form.distances.gaussian import w2_gaussian
from tests.bounds.tolerances import INITIAL_EXACT

FUNCTIONS = theorems()["martingale"].functions
VARIANCES = st.lists(st.floats(0.05, 20), min_size=1, max_size=4)


def test_distances_of_modes():
    """For N(0, 1/2) said to be (2, 0)-log-concave each bound of W2(p_0, N(0, γ)) holds, the log-concave one
    exactly."""
    assumption = WeaklyLogConcave(2.0, 0.0, 2.0, second_moment=0.5, mean_norm=0.0)
    for gamma in (0.1, 0.5, 3.0):
        exact = (np.sqrt(0.5) - np.sqrt(gamma)) ** 2
        found = distances(assumption, FUNCTIONS, gamma)
        assert found["constants, log-concave"] == pytest.approx(exact, rel=INITIAL_EXACT, abs=INITIAL_EXACT)
        assert found["constants"] >= exact - INITIAL_EXACT


def test_what_is_known_decides_which_bounds_there_are():
    """A bounded support has the constants alone; a closed form is added, squared."""
    assumption = BoundedSupport(2.0)
    assert set(distances(assumption, FUNCTIONS, 1.0)) == {DistanceFrom.CONSTANTS}
    assert distances(assumption, FUNCTIONS, 1.0, lambda v: 3.0 * v)[DistanceFrom.CLOSED_FORM] == 9.0


@given(VARIANCES, st.floats(0, 3), st.floats(0, 5), st.floats(0, 6))
def test_distance_from_constants_is_an_upper_bound(variances, mean, v, M):
    """W2(N(m, Σ), N(0, vI)) is at most what the constants say, which beats the independent coupling."""
    law = Gaussian([mean] + [0.0] * (len(variances) - 1), np.array(variances))
    alpha, L = 1 / max(variances), 1 / min(variances)
    data = WeaklyLogConcave(alpha, M, L, law.dim, law.second_moment, mean)
    found = np.sqrt(min(distances(data, FUNCTIONS, v).values()))
    if v > 0:
        truth = w2_gaussian(law, Gaussian(np.zeros(law.dim), v)).lower
    else:
        truth = np.sqrt(law.second_moment)
    assert truth <= found * (1 + 1e-9) + 1e-9
    assert found <= np.sqrt(law.second_moment + law.dim * v) * (1 + 1e-12)


def test_distance_from_constants_is_exact_for_isotropic_gaussians():
    """For N(m, σ²I) the constants give the distance itself, with M = 0 or without log-concavity."""
    for M in (0.0, 50.0):
        data = WeaklyLogConcave(4.0, M, 4.0, 3, 3 / 4 + 1.0, 1.0)
        found = np.sqrt(min(distances(data, FUNCTIONS, 1.0).values()))
        assert found == pytest.approx(np.sqrt(1.0 + 3 * 0.25), rel=1e-12)
