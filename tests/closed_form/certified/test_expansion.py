"""Expansions on an interval: integrals of powers, of which the last is all remainder, come out exactly."""

import pytest
from flint import arb

from bounds.symbolic.balls import BallFunction
from bounds.symbolic.integrals import TIME
from closed_form.certified.expansion import TERMS, Expansion, Interval, Root, balls


@pytest.mark.parametrize("power", [0, 1, 7, TERMS - 1, TERMS])
def test_integrals_of_powers(power):
    """∫ tⁿ over [−1, 1] and over [0, 1] are their closed forms, to the bits of the balls, where n is the
    order of the remainder as well."""
    with balls(128):
        interval = Interval.of(arb(-1), arb(1))
        function = Expansion.of(BallFunction(TIME**power), interval, True)
        whole, remainder = function.integral()
        wanted = arb(1 + (-1) ** power) / (power + 1)
        assert whole.overlaps(wanted) and whole.rad() < 1e-30
        assert (remainder == 0) == (power < TERMS)
        # ∫ from −1 to the middle, as a value of the antiderivative there
        moved = function.antiderivative(arb(0)).at[0]
        assert moved.overlaps(arb((-1) ** power) / (power + 1)) and moved.rad() < 1e-30


def test_an_integral_is_worked_out_once():
    """Two integrals of one function are the same objects, and the product of equal roots is the function."""
    with balls(128):
        function = Expansion.of(BallFunction(1 + TIME**2), Interval.of(arb(0), arb(1)), True)
        assert function.integral()[0] is function.integral()[0]
        assert function.integral()[0].contains(arb(4) / 3)
        assert Root(function, 1) * Root(function, 1) is function
        assert (Root(function, 2) * Root(function, 1)).integral()[0].contains(arb(8) / 3)
