"""Sheets of theorems read like mathematics, and both routes are compared to thirty digits."""


import pytest
import sympy

from bounds.theorems import theorems
from tests.page_text import text
from verify.pages import theorem_sheet

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
    ],
    ids=str,
)
def test_expressions_agree_only_if_they_are_the_same(stated, derived, same):
    """Equal functions agree; a difference in the 25th digit, a lost sign or no usable point do not."""
    assert theorem_sheet.agrees(stated, derived) is same


@pytest.mark.parametrize("key", theorems())
def test_latex_of_a_theorem_reads_like_mathematics(key):
    """No code names are left: _sq is a square, long subscripts are upright, and braces balance."""
    facts = theorem_sheet.theorem_facts(theorems()[key])
    latex = theorem_sheet.theorem_latex(facts)
    assert "sq" not in latex.replace("sqrt", "").replace(r"\ sq", "")
    assert latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")
    assert latex.count("&=") == len(facts["stated"])
    assert "mean_{norm}" not in latex
    sheet = text(*theorem_sheet.theorem_sheet(facts))
    assert key in sheet and "derived from" in sheet
