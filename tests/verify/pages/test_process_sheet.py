"""Sheets of processes give sympy's closed forms, and the route to each."""

import sympy

from bounds import vp
from bounds.process import ForwardProcess
from tests.page_text import text
from verify.pages import process_sheet


def test_a_process_says_by_which_route():
    """A drift whose exponential has no elementary integral is marked as quadrature, in words and LaTeX."""
    t = sympy.Symbol("t", nonnegative=True)
    facts = process_sheet.process_facts(
        ForwardProcess.scalar("odd", 0, sympy.exp(sympy.sin(t))), {"g": "odd"}
    )
    assert facts["closed_forms"]["a"]["route"] == "closed form"
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"
    assert r"\text{(quadrature)}" in process_sheet.process_latex(facts)
    assert "quadrature" in text(*process_sheet.process_sheet(facts))


def test_the_closed_forms_of_vp_are_right():
    """For constant β = 2 the sheet shows a = e^{-t} and s² = 1 − e^{-2t}."""
    facts = process_sheet.process_facts(vp(2), {"beta": 2})
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t)"
    assert sympy.sympify(facts["closed_forms"]["s_sq"]["expression"]) == 1 - sympy.exp(-2 * sympy.Symbol("t"))
