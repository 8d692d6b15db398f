"""Orders and growth classes by limits, against functions whose growth is known."""

import math

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.complexity.growth import ACCURACY, LATE, NoOrder, Order, growth_of, integral_order, limit
from tests.drawn import examples

t = LATE
positive = st.fractions(min_value="1/5", max_value=5, max_denominator=7).map(
    lambda q: sympy.Rational(q.numerator, q.denominator)
)


def growth(function):
    """Growth of the function, from its derivative."""
    slope = sympy.diff(function, t)
    return growth_of(sympy.diff(slope, t) / slope, sympy.log(slope))


@settings(max_examples=examples(3))
@given(positive, positive)
def test_powers_exponentials_and_double_exponentials_are_told_apart(power, factor):
    """c·t^p has level 0, e^{c t^p} level 1, e^{e^{ct}} level 2, each with its exponent and coefficient."""
    found = growth(factor * t ** (power + 1))
    assert (found.level, found.exponent) == (0, power + 1) and sympy.simplify(found.coefficient - factor) == 0
    found = growth_of(*_exponential(factor, power))
    assert (found.level, found.exponent) == (1, power) and sympy.simplify(found.coefficient - factor) == 0
    found = growth(sympy.exp(sympy.exp(factor * t)))
    assert (found.level, found.exponent, sympy.simplify(found.coefficient - factor)) == (2, 1, 0)


def _exponential(factor, power):
    """(R″/R′, log R′) for R = e^{factor·t^power}, in the expanded form a process gives them."""
    exponent = factor * t**power
    inner = sympy.diff(exponent, t)
    return inner + sympy.diff(inner, t) / inner, exponent + sympy.log(inner)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (1 - sympy.exp(-t), "vanish"),
        (sympy.log(1 + t), "derivative behaves"),
        (t * sympy.log(1 + t), "something slower"),
    ],
)
def test_what_has_no_order_is_refused(function, why):
    """A bounded, a logarithmic or an irregular s²/a² is refused with the reason."""
    with pytest.raises(NoOrder, match=why):
        growth(function)


@pytest.mark.parametrize(
    ("density", "order", "converges"),
    [
        ((1 + t) ** -2, Order(), True),
        (sympy.exp(-t), Order(), True),
        (1 / (1 + t), Order(log=1), False),
        (sympy.S.One + 0 * t, ACCURACY ** sympy.Rational(1, 2), False),
        (t**2, ACCURACY ** sympy.Rational(3, 2), False),
    ],
)
def test_integrals_up_to_the_horizon(density, order, converges):
    """With R = t² a density t^q adds up to T^{q+1}, log T or a constant, T = (√d/ε)^{1/2}."""
    found, bounded = integral_order(sympy.diff(density, t) / density, growth(t**2))
    assert found.same(order) and bounded is converges


def test_densities_between_the_powers_are_refused():
    """1/(t log t) adds up to log log T, which no order here holds: refused."""
    density = 1 / (t * sympy.log(1 + t))
    with pytest.raises(NoOrder, match="log t"):
        integral_order(sympy.diff(density, t) / density, growth(t**2))


@settings(max_examples=examples(10))
@given(positive, positive, positive)
def test_the_horizon_solves_its_equation(power, factor, scale):
    """T = c·(order) gives R(T) = (scale·√d/ε)^{1/2} to leading order for R = factor·t^p."""
    found, accuracy = growth(factor * t**power), 1e12
    horizon = float(found.horizon_factor(sympy.Rational(1, 2), scale)) * accuracy ** float(1 / (2 * power))
    assert math.isclose(
        float(factor) * horizon ** float(power), math.sqrt(float(scale) * accuracy), rel_tol=1e-9
    )
    order = found.horizon_order ** sympy.Rational(1, 2)
    assert order.same(ACCURACY ** (1 / (2 * power)))


def test_orders_multiply_and_print():
    """Orders form a group under multiplication, and print as in the papers."""
    order = Order(d=1, eps=-2, log=sympy.Rational(1, 2))
    assert str(order) == "d √log(d/ε)/ε^2" and str(Order()) == "1" and str(Order(eps=1)) == "ε"
    assert (order * order**-1).same(Order()) and not order.same(Order(d=1, eps=-2))
    assert order.latex == r"d\,\varepsilon^{-2}\,\log(d/\varepsilon)^{\frac{1}{2}}"
    d, eps = sympy.symbols("d varepsilon", positive=True)
    assert sympy.simplify(order.expression - d / eps**2 * sympy.sqrt(sympy.log(d / eps))) == 0


def test_a_limit_that_is_not_there_is_said():
    """An oscillating function has no limit."""
    with pytest.raises(NoOrder, match="no limit"):
        limit(sympy.sin(t))
