"""Roots of many functions at once are scipy's, to the last bit, wherever they are first looked for."""

import numpy as np
import pytest
from scipy.optimize.elementwise import find_root
from scipy.special import ndtr

from closed_form.distances.roots import elementwise_roots

RNG = np.random.default_rng(3)


def two_bells(x, level, place):
    """A distribution function with a steep and a flat part, less a level."""
    return 0.3 * ndtr(x - place) + 0.7 * ndtr((x + place) / 0.01) - level


@pytest.mark.parametrize("count", [1, 7, 500])
@pytest.mark.parametrize("accuracy", [0.0, 1e-9])
def test_roots_are_those_of_scipy(count, accuracy):
    """Chandrupatla's method takes the same steps as scipy's and ends where that ends."""
    given = 10.0 ** RNG.uniform(-12, 0, count), RNG.uniform(-3, 3, count)
    found = elementwise_roots(two_bells, -40.0, 40.0, given, accuracy)
    assert np.array_equal(found, find_root(two_bells, (-40.0, 40.0), args=given, tolerances={"xatol": accuracy}).x)


def test_a_root_elsewhere_is_looked_for_farther_out():
    """Where the first interval holds no root the wide one is searched; without one that is an error."""
    line, wanted = lambda x, root: x - root, np.array([[0.5, 3.0], [-40.0, 1.0]])
    found = elementwise_roots(line, -np.ones((2, 2)), 1.0, (wanted,), wide=np.full((2, 2), 50.0))
    assert np.array_equal(found, wanted)
    with pytest.raises(ArithmeticError, match=r"no root between -1.0 and 1.0"):
        elementwise_roots(line, -1.0, 1.0, (wanted,))
