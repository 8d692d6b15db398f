"""Polynomials in Bernstein's form: integrals of positive parts and largest values, next to dense
evaluations."""

import itertools

import numpy as np
import pytest
from flint import arb, arb_mat
from hypothesis import given
from hypothesis import strategies as st

from bounds.certified.interpolation import interpolation
from bounds.certified.polynomials import halves, largest, positive_integral
from tests.bounds.tolerances import DENSE, OPEN, PLATEAU
from tests.work_limit import at_most

COEFFICIENTS = st.lists(st.floats(-4, 4), min_size=2, max_size=9)


def balls(values, radius: float = 0.0) -> list:
    """Balls around floats."""
    return [arb(float(value), radius) for value in values]


def dense(values) -> np.ndarray:
    """A polynomial at the middles of a hundred thousand parts of [0, 1]."""
    x, degree = (np.arange(100_000) + 0.5) / 100_000, len(values) - 1
    for _ in range(degree):
        values = [(1 - x) * u + x * w for u, w in itertools.pairwise(values)]
    return values[0] + 0 * x


@given(COEFFICIENTS)
def test_the_integral_of_a_positive_part(values):
    """∫max(p, 0) is enclosed, within what may be left open."""
    found = positive_integral(balls(values), OPEN)
    wanted = float(np.mean(np.maximum(dense(values), 0.0)))
    assert abs(float(found.mid()) - wanted) <= DENSE and float(found.rad()) <= 2 * OPEN


@given(COEFFICIENTS)
def test_the_largest_value(values):
    """max(p, 0) is between a value that is reached and one that none exceeds, near to each other."""
    seen, most = largest(balls(values), OPEN)
    wanted = max(float(dense(values).max()), values[0], values[-1], 0.0)
    # what it is held against is rounded
    assert seen <= wanted + DENSE and most >= wanted * (1 - 1e-14) and most - seen <= 2 * OPEN * wanted + DENSE


def test_wide_balls_end():
    """Balls so wide that no half is better known are taken as they are, and enclose both of their ends."""
    found = positive_integral(balls([-1.0, 1.0, -1.0], 3.0), 0.0)
    assert found.contains(0) and found.contains(arb(2))
    seen, most = largest(balls([-1.0, 1.0, -1.0], 3.0), 0.0)
    assert seen == 0.0 and most >= 3


def test_a_plateau_ends():
    """Of a constant, and of what is nearly one, the largest value is found at once."""
    assert largest(balls([0.1] * 9), OPEN)[1] == pytest.approx(0.1)
    with at_most(PLATEAU):
        assert largest(balls([0.1, *[0.1 + 1e-13] * 8]), OPEN)[1] == pytest.approx(0.1)


def test_nothing_but_zero():
    """Of p = 0 both are 0, with no tolerance at all."""
    assert positive_integral(balls([0.0] * 5), 0.0) == 0 and largest(balls([0.0] * 5), 0.0)[0] == 0


@given(COEFFICIENTS)
def test_halves_are_the_polynomial(values):
    """Both halves together have its integral, and meet in its value in the middle."""
    left, right = halves(balls(values))
    assert (sum(left) + sum(right)).overlaps(2 * sum(balls(values)) + arb(0, 1e-12))
    assert left[-1].overlaps(right[0])


@pytest.mark.parametrize("count", [4, 11, 24])
def test_coefficients_from_the_points(count):
    """The values at the points of a product of x and others give the coefficients of that polynomial."""
    rule = interpolation(count, 128)
    values = arb_mat(count, 1, [(x + 1) ** (count - 1) for x in rule.nodes])
    found = (rule.bernstein * values).entries()
    assert all(value.contains(0) for value in found[:-1]) and found[-1].contains(arb(2) ** (count - 1))
