"""Running error analysis: the error of an operation holds the exact result, whatever its operands are."""

import operator
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closed_form.within import WIDE, Within

numbers = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
errors = st.sampled_from([0.0, 2.0**-70, 2.0**-50, 2.0**-10])


def exact(value) -> Fraction:
    """An extended number as a fraction."""
    high = float(value)
    return Fraction(high) + Fraction(float(value - WIDE(high)))


def ends(value: float, error: float) -> list[Fraction]:
    """The two ends and the middle of what a number may be."""
    return [Fraction(value) + sign * Fraction(error) for sign in (-1, 0, 1)]


def holds(found: Within, wanted) -> bool:
    """Whether an exact number is within the error."""
    error = float(found.error)
    return not np.isfinite(error) or abs(exact(found.value[()]) - wanted) <= Fraction(error)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv])
@given(numbers, errors, numbers, errors)
def test_arithmetic_holds_every_result(operation, x, dx, y, dy):
    """Sums, products and quotients of all ends of the operands are within the error."""
    found = operation(Within(x, dx), Within(y, dy))
    if operation is operator.truediv and abs(y) <= dy:
        assert not np.isfinite(found.error)
        return
    assert all(holds(found, operation(one, other)) for one in ends(x, dx) for other in ends(y, dy))
    plain = operation(Within(x), y)
    assert plain.error <= 1e-15 * abs(float(plain.value)) + 1e-300  # no wider than it needs to be


@given(st.floats(-30, 30), errors)
def test_exponentials_hold_every_result(x, dx):
    """e^x and e^x − 1 at the ends of x, in 60 digits, are within the error."""
    with mpmath.workdps(60):
        for name in ("exp", "expm1"):
            found = getattr(Within(x, dx), name)()
            for end in ends(x, dx):
                value = getattr(mpmath, name)(mpmath.mpf(end.numerator) / end.denominator)
                middle = exact(found.value[()])
                off = abs(mpmath.mpf(middle.numerator) / middle.denominator - value)
                assert off <= mpmath.mpf(float(found.error))


@given(st.lists(st.tuples(numbers, errors), min_size=8, max_size=8))
def test_matrix_products_and_sums_hold_every_result(entries):
    """A product of two matrices and a sum, each entry moved to either end of its own."""
    value, error = np.array(entries).T
    one, other = (Within(value[at : at + 4].reshape(2, 2), error[at : at + 4].reshape(2, 2)) for at in (0, 4))
    product, total = one @ other, Within(value, error).sum(0)
    for sign in (-1, 0, 1):
        moved = [Fraction(x) + sign * Fraction(dx) for x, dx in entries]
        assert holds(total, sum(moved))
        for i in (0, 1):
            for j in (0, 1):
                assert holds(product[i, j], moved[2 * i] * moved[4 + j] + moved[2 * i + 1] * moved[6 + j])


def test_balls_become_numbers_within_their_radii():
    """A ball's middle and radius survive, and numbers meet arrays from either side."""
    from flint import arb

    found = Within.ball([arb(1) / 3, arb(2, 1e-3)])
    assert holds(found[0], Fraction(1, 3)) and found.error[0] < 1e-15
    assert all(holds(found[1], end) for end in ends(2.0, 1e-3))
    for made in (np.ones(2) + found, np.ones(2) * found, found + np.ones(2)):
        assert isinstance(made, Within) and made.shape == (2,)


def test_an_exponential_is_no_less_certain_than_its_exponent():
    """An error of 1/1000 of x is hardly more of e^x or of e^x − 1 at 0."""
    for found in (Within(0.0, 1e-3).exp(), Within(0.0, 1e-3).expm1()):
        assert 1e-3 * 1.0005 <= found.error <= 1e-3 * 1.002
