"""Expansions on an interval: integrals of powers, of which the last is all remainder, come out exactly."""

import pytest
import sympy
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


def test_the_remainder_of_an_integral_is_taylors():
    """What is left out of ∫eᵗ over [0, 1/10] is at most that of the derivative of order TERMS at its
    largest."""
    with balls(128):
        function = Expansion.of(BallFunction(sympy.exp(TIME)), Interval.of(arb(0), arb(1) / 10), True)
        whole, remainder = function.integral()
        assert whole.overlaps((arb(1) / 10).exp() - 1)
        most = 2 * arb(0.05) ** (TERMS + 1) / arb(TERMS + 1).gamma() / (TERMS + 1) * (arb(1) / 10).exp()
        assert 0 < remainder.upper() <= 1.01 * most.upper()
