"""Formulas as sums of monomials in h and d, by hand."""

import pytest
import sympy

from bounds.complexity.growth import NoOrder
from bounds.complexity.monomials import DIMENSION as d
from bounds.complexity.monomials import STEP as h
from bounds.complexity.monomials import leading, monomials, parts

x, half = sympy.Symbol("x", positive=True), sympy.Rational(1, 2)
exp, log, sqrt, Max, Min = sympy.exp, sympy.log, sympy.sqrt, sympy.Max, sympy.Min


@pytest.mark.parametrize(("expression", "expected"), [
    (x, {(0, 0): x}),
    (sympy.S.Zero, {}),
    (3 * h * sqrt(d) + h**2, {(1, half): 3}),
    (h + h**2 * d, {(1, 0): 1, (2, 1): 1}),
    (exp(x * h) - 1, {(1, 0): x}),
    (exp(x * h) - 1 - x * h, {(2, 0): x**2 / 2}),
    (exp(h) - 1 + h * x, {(1, 0): 1 + x}),
    (d * (exp(h) - 1) + h**5 * d**3, {(1, 1): 1, (5, 3): 1}),
    (sqrt(x * d + d), {(0, half): sqrt(x + 1)}),
    (sqrt(d + h * d**2), {(0, half): 1, (half, 1): 1}),
    (d * (1 + h * x) - d * h * x, {(0, 1): 1}),
    ((1 + h * d + (h * d) ** 2) * (x + h * d + (h * d) ** 2),
     {(0, 0): x, (1, 1): 1 + x, (2, 2): 2 + x, (3, 3): 2, (4, 4): 1}),
    (1 / (1 + h * x), {(0, 0): 1}),
    ((1 - x * h) ** (2 / h), {(0, 0): exp(-2 * x)}),
    (sympy.sin(h) * d, {(1, 1): 1}),
    (sympy.cosh(h) - 1, {(2, 0): half}),
    (log(1 + h * x), {(1, 0): x}),
    (Max(h, h**2 * x, 0), {(1, 0): 1}),
    (Max(2 * h, h * x), {(1, 0): Max(2, x)}),
    (Min(h, h * x), {(1, 0): Min(1, x)}),
    (Min(h, h**2), {(2, 0): 1}),
    (abs(h**2 - h), {(1, 0): 1}),
])
def test_monomials_by_hand(expression, expected):
    """What leads as h → 0 and d → ∞, its constant included, also where the first orders cancel."""
    found = monomials(expression)
    assert found.keys() == expected.keys()
    assert all(sympy.simplify(found[key] - expected[key]) == 0 for key in expected)


@pytest.mark.parametrize("expression", [
    log(d), log(h), exp(d), exp(h * d), 1 / (h + h**2 * d), d**x, sympy.sin(d), Min(h, h**2 * d), log(h) * h,
    sqrt(h) ** h])
def test_what_is_no_such_sum_is_refused(expression):
    """Logarithms and exponentials of h and d, and what is no sum of powers, are refused in one line."""
    with pytest.raises(NoOrder) as refused:
        monomials(expression)
    assert "\n" not in str(refused.value)


def test_one_leading_term():
    """One monomial is given as c, p, q; none, and two, are refused by name."""
    assert leading(2 * h * d + h**2, "it") == (2, 1, 1)
    for expression, why in ((sympy.S.Zero, "it is 0"), (h + h**2 * d, "it has no one leading term")):
        with pytest.raises(NoOrder, match=why):
            leading(expression, "it")


def test_parts_add_up_and_do_not_cancel():
    """The parts of a formula are summands; a sum that cancels to leading order stays whole."""
    formula = 2 * (exp(h) - 1) * (sqrt(h) * x + h * d)
    found = parts(formula)
    assert len(found) == 2 and sympy.simplify(sum(found) - formula) == 0
    assert parts(exp(h) - 1) == [exp(h) - 1] and set(parts(h + x * d)) == {h, x * d}
