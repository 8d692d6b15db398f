"""Functions of t keep their digits where floats would lose them, and are numpy's where they would not."""

import mpmath
import numpy as np
import pytest
import sympy

from bounds import ve
from bounds.process import ForwardProcess
from bounds.symbolic.digits import ALLOWED, InTime
from bounds.symbolic.expressions import for_numbers, numpy_function, real_function
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import IN_TIME

LOSING = ["20 + cos(1e17 + t)", "1e9*(exp(t/1e9) - 1)", "1e6*(cos(1e9 + t) - cos(1e9))", "(1 - exp(-t))/t", "(cosh(t) - 1)/t^2",
          "sqrt(1 + t/1e12) - 1", "1 + sin(1e5*t)"]
KEEPING = ["1/10 + 199/10*t", "exp(-3*t)", "1/sqrt(1 + t)", "cosh(t)", "2 + cos(3*t)"]
TIMES = np.array([[2e-8, 1e-4, 0.1], [0.3, 1.0, 2.7]])


def by_hand(expression, time):
    """A value in sixty digits."""
    with mpmath.workdps(60):
        return sympy.lambdify(TIME, expression, modules="mpmath")(mpmath.mpf(time))


@pytest.mark.parametrize("text", LOSING)
def test_digits_are_kept(text):
    """At every time, near 0 too, a value is the one of sixty digits, of which a float has hardly twelve somewhere."""
    expression = real_function("f", text)
    found, exact = InTime(expression)(TIMES), np.vectorize(lambda t: float(by_hand(expression, t)))(TIMES)
    assert found.shape == TIMES.shape
    assert np.all(np.abs(found - exact) <= IN_TIME * np.abs(exact))
    plain = numpy_function((TIME,), for_numbers(expression))(TIMES)
    assert InTime(expression).lost(2.7) > ALLOWED and np.max(np.abs(plain / exact - 1)) > IN_TIME


@pytest.mark.parametrize("text", KEEPING)
def test_what_loses_none_is_numpys(text):
    """An expression that keeps its digits is the numpy function, bit for bit, and nothing is added to its rounding."""
    expression = real_function("f", text)
    given = InTime(expression)
    assert np.array_equal(given(TIMES), numpy_function((TIME,), expression)(TIMES))
    assert given.rounding(2.7) == 0.0


def test_what_is_lost_is_added_where_floats_are_good_enough():
    """Between what is lost as a matter of course and what is worked out in balls the loss counts as rounding, of ∫f and C."""
    wave = real_function("f", "2 + sin(300*t)")
    rounding = InTime(wave).rounding(1.0)
    assert 1e-15 < rounding < 1e-12
    process = ForwardProcess.scalar("waves", wave, wave)
    assert process.rounding(1.0) == (rounding, rounding) and ve("1").rounding(1.0) == (0.0, 0.0)
    exact = np.array([float(by_hand(wave, t)) for t in np.linspace(0.1, 1.0, 50)])
    assert np.all(np.abs(InTime(wave)(np.linspace(0.1, 1.0, 50)) / exact - 1) <= rounding)


def test_constants_and_what_no_ball_holds_are_left_to_numpy():
    """Of a constant nothing is lost, nor is anything known of a function given as Python code; at time 0 and of no time at
    all nothing is asked."""
    given = InTime(sympy.Integer(3))
    assert given(TIMES) == 3 and given.lost(1.0) == 0
    own = real_function("f", lambda t: 1 + t)
    assert InTime(own).lost(1.0) == 0 and np.array_equal(InTime(own)(TIMES), 1 + TIMES)
    assert InTime(real_function("f", LOSING[0]))(np.empty(0)).size == 0
    assert InTime(real_function("f", "1e9*(exp(t/1e9) - 1)"))(np.zeros(1)).tolist() == [0.0]


def test_digits_are_those_of_values_that_are_not_the_largest_too():
    """What is lost counts against a value, down to a sixty-fourth of the largest: the same rounding matters where f falls, and
    not where it stays."""
    noise = "60*(sin(t)^2 + cos(t)^2 - 1)"
    falls, stays = (InTime(real_function("f", f"{text} + {noise}")) for text in ("1 - 99*t/100", "1 + t"))
    assert falls.lost(0.99) > ALLOWED >= stays.lost(0.99)
