"""Sheets of theorems read like mathematics, and both routes are compared to thirty digits."""

import pytest

from bounds.theorems import theorems
from tests.page_text import text
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
