"""Sheets of theorems and processes read like mathematics, and both routes are compared to thirty digits."""

import pytest
import sympy
from page_text import text

from bounds.process import ForwardProcess
from bounds.schedules import vp
from bounds.theorems import theorems
from verify.pages import theorem_sheet


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


def test_a_process_says_by_which_route():
    """A drift whose exponential has no elementary integral is marked as quadrature, in words and LaTeX."""
    t = sympy.Symbol("t", nonnegative=True)
    facts = theorem_sheet.process_facts(ForwardProcess.scalar("odd", 0, sympy.exp(sympy.sin(t))), {"g": "odd"})
    assert facts["closed_forms"]["a"]["route"] == "closed form"
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"
    assert r"\text{(quadrature)}" in theorem_sheet.process_latex(facts)
    assert "quadrature" in text(*theorem_sheet.process_sheet(facts))


def test_the_closed_forms_of_vp_are_right():
    """For constant β = 2 the sheet shows a = e^{-t} and s² = 1 − e^{-2t}."""
    facts = theorem_sheet.process_facts(vp(2), {"beta": 2})
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t)"
    assert sympy.sympify(facts["closed_forms"]["s_sq"]["expression"]) == 1 - sympy.exp(-2 * sympy.Symbol("t"))
