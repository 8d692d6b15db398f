"""Two expressions agree only if they are the same function, and a theorem says where its two forms do not."""

from dataclasses import replace

import pytest
import sympy

from bounds.symbolic.agreement import agrees, is_integral
from bounds.theorems import theorems

X, Y = sympy.symbols("x y_sq", real=True)


@pytest.mark.parametrize(
    ("stated", "derived", "same"),
    [
        ((X + 1) ** 2, X**2 + 2 * X + 1, True),
        (sympy.sqrt(Y) * sympy.sqrt(Y), Y, True),
        (sympy.Max(X, 0), (X + sympy.Abs(X)) / 2, True),
        ((X + 1) ** 2, X**2 + 2 * X + 1 + sympy.Rational(1, 10**25), False),
        (X, sympy.Abs(X), False),
        (X, X + sympy.I, False),
        (sympy.sqrt(-1 - X**2), X, False),
        (X**2, sympy.Integer(64), False),
        (64 * X**2, sympy.S.One, False),
    ],
    ids=str,
)
def test_expressions_agree_only_if_they_are_the_same(stated, derived, same):
    """Equal functions agree; a difference in the 25th digit, a lost sign, a value at one size of x alone or
    no usable point do not."""
    assert agrees(stated, derived) is same


def test_a_theorem_says_which_expressions_disagree():
    """A corrupted expression disagrees, one without a derivation too, and the others agree."""
    theorem = theorems()["gao2025-general-sde"]
    assert theorem.agreement() == dict.fromkeys(theorem.stated, True)
    wrong = theorem.corrupted("score", "9/10")
    assert wrong.agreement() == {**theorem.agreement(), "score": False}
    assert not replace(theorem, stated={**theorem.stated, "more": sympy.S.One}).agreement()["more"]


def test_what_is_seen_on_two_intervals_alone_is_not_taken_for_an_integral():
    """√(17/100 − u) is real on the first two intervals only: too few to tell."""
    u, t = sympy.symbols("u t")
    for end, seen in ((sympy.Integer(100), True), (sympy.Rational(17, 100), False)):
        found = sympy.Rational(2, 3) * (end ** sympy.Rational(3, 2) - (end - t) ** sympy.Rational(3, 2))
        assert is_integral(found, sympy.sqrt(end - u), u, 0, t) is seen
