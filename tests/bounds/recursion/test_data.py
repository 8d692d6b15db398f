"""The data as the recursion sees them: excesses of the Hessian, worked out by hand at a² = s² = 1."""

import numpy as np
import pytest

from bounds import StronglyLogConcave
from bounds.recursion.data import Constants

# 1/L = 1 and variance 2: (2 − 1)/((1 + 2)(1 + 1))
LINEAR = 1 / 6


class Known:
    """Posterior moments with a first moment and its error; the second is not looked at."""

    def __init__(self, first, error):
        self.first, self.error = np.array([first]), np.array([error])

    def at(self, q):
        return self.first, self.error, self.first**2, self.error


def test_the_linear_excess_is_that_of_the_centred_variance():
    """E‖X_0‖² = 6 and a mean of norm 2 leave the variance 2."""
    data = Constants(StronglyLogConcave(0.25, 1.0, second_moment=6.0, mean_norm=2.0), 1)
    assert data.linear_excess(1.0, 1.0) == pytest.approx(LINEAR)


@pytest.mark.parametrize(
    ("first", "error", "least"), [(0.1, 0.04, 0.06), (0.1, 0.2, 0.0), (0.3, 0.04, LINEAR)]
)
def test_the_known_excess_is_known_from_below(first, error, least):
    """It is the mean less its error, never below zero, never above the excess of the variance."""
    data = Constants(StronglyLogConcave(0.25, 1.0, second_moment=2.0), 1)
    excess, known = data.known_excess(Known(first, error), np.ones(1), np.ones(1))
    assert excess == pytest.approx(LINEAR) and known == pytest.approx(least)
    assert not np.any(data.known_excess(None, np.ones(1), np.ones(1))[1])
