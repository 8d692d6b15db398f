"""Ranges of floats hold what exact arithmetic on numbers in them gives."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds.symbolic.ranges import Range, passed

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def holds(found: Range, value: Fraction) -> bool:
    """Whether an exact number is in a range."""
    return Fraction(float(found.lower)) <= value <= Fraction(float(found.upper))


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 8), st.integers(0, 8))
def test_arithmetic_holds_exact_results(one, two, three, four, share, other_share):
    """Sums, differences, products and squares of numbers in two ranges are in the results."""
    left, right = (Range(min(pair), max(pair)) for pair in ((one, two), (three, four)))
    x, y = (Fraction(float(each.lower)) * (8 - part) / 8 + Fraction(float(each.upper)) * part / 8
            for each, part in ((left, share), (right, other_share)))
    assert holds(left + right, x + y) and holds(left - right, x - y) and holds(left * right, x * y)
    assert holds(left.square(), x * x) and left.square().lower >= 0
    assert holds(2.0 - left, 2 - x) and holds(-left, -x)
    assert left.least_size <= abs(x) <= left.size


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_inverse_and_root(one, two):
    """1/x and √x are in the results, squared and multiplied out exactly."""
    given_ = Range(min(one, two), max(one, two))
    inverse, root = given_.inverse(), given_.root()
    for x in (one, two):
        assert holds(inverse, 1 / Fraction(x))
        assert Fraction(float(root.lower)) ** 2 <= Fraction(x) <= Fraction(float(root.upper)) ** 2


def test_what_is_not_known_stays_unknown():
    """An infinite end stands for any number: times 0 it is 0, and less itself anything."""
    anything = Range(-np.inf, np.inf)
    product, difference = anything * Range(0.0), anything - anything
    assert abs(product.lower) < 1e-300 and abs(product.upper) < 1e-300
    assert difference.lower == -np.inf and difference.upper == np.inf
    assert Range(0.0, 1.0).inverse().upper == np.inf


def test_exponential_and_sum():
    """e^x and sums along an axis hold their exact values."""
    found = Range(np.array([0.0, 1.0]), np.array([0.0, 2.0])).exp()
    assert found.lower[0] <= 1 <= found.upper[0] and found.lower[1] <= np.e and found.upper[1] >= np.e**2
    many = Range(np.full((1000, 1), 0.1))
    exact = 1000 * Fraction(0.1)
    assert holds(many.sum(0)[0], exact) and many.sum(0).upper[0] == pytest.approx(100.0)


@given(st.floats(-5, 5), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 2.0))
def test_parabolas_stay_within_what_their_ends_and_slopes_say(start, first, bend, length):
    """A parabola on [0, l] is nowhere beyond what its values at both ends and its slopes allow."""
    at = lambda t: start + first * t + bend * t * t  # noqa: E731
    slopes = first, first + 2 * bend * length
    found = passed(Range(at(0.0)), Range.around(at(length), 1e-12), Range(min(slopes), max(slopes)), length)
    values = at(np.linspace(0, length, 101))
    assert found.lower <= values.min() + 1e-11 and values.max() - 1e-11 <= found.upper
    # its height above both ends is a quarter of what slopes allow at most, less where it is not symmetric
    assert found.upper - max(at(0.0), at(length)) <= abs(bend) * length**2 + 1e-9


def test_a_sawtooth_reaches_what_is_allowed():
    """Up at rate 2 and down at rate 1 from 0 to 0 over a length of 3 a function may reach 2, and does."""
    found = passed(Range(0.0), Range(0.0), Range(-1.0, 2.0), 3.0)
    assert found.upper == pytest.approx(2.0) and found.lower == pytest.approx(-2.0)


@given(st.floats(0.01, 50.0), st.floats(0.01, 50.0), st.floats(1e-3, 10.0))
def test_a_tent_fits_below_what_slopes_allow(up, down, length):
    """From 0 to 0 a function that rises at the one rate and falls at the other gets to length·uv/(u + v) in
    exact arithmetic, and the range holds that, and hardly more."""
    zero = Range(np.zeros(1), np.zeros(1))
    found = passed(zero, zero, Range(np.array([-down]), np.array([up])), np.array([length]))
    u, v = Fraction(up), Fraction(down)
    tent = Fraction(length) * u * v / (u + v)
    assert tent <= Fraction(float(found.upper[0])) <= tent * (1 + Fraction(1, 10**13))
    assert -tent >= Fraction(float(found.lower[0]))
