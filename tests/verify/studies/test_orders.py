"""The table of iteration complexities as rows, Markdown and LaTeX."""

import pytest
import sympy

from bounds import ou, vp
from verify.studies import orders


@pytest.fixture(scope="module")
def rows():
    """The published rows, derived once."""
    return orders.published_rows()


def test_every_published_row_is_derived(rows):
    """Eight rows; seven agree, and the one that does not says why."""
    assert len(rows) == 8 and sum(row["agrees"] for row in rows) == 7
    assert all(bool(row["remark"]) is not row["agrees"] for row in rows)
    assert (
        rows[4]["derived"]["steps"] == "d log(d/ε)/ε^2" and rows[4]["martingale"]["steps"] == "√d log(d/ε)/ε"
    )


def test_markdown_and_latex_hold_every_row(rows):
    """Each format has one line a row, with balanced braces and columns."""
    markdown, latex = orders.markdown(rows), orders.latex(rows)
    assert [line.count("|") for line in markdown.splitlines()] == [10] * 10
    assert latex.count("{") == latex.count("}") and latex.count(r" \\") == 9
    assert all(row["published"]["latex"] in latex for row in rows)


def test_a_process_of_ones_own_has_a_row():
    """OU's row has the published row's orders; a process that forgets nothing has the reason in place of
    orders."""
    assert orders.process_row("mine", ou())["derived"]["steps"] == "d log(d/ε)/ε^2"
    stuck = orders.process_row("stuck", vp(sympy.exp(-sympy.Symbol("t", nonnegative=True))))
    assert "does not vanish" in stuck["martingale"]["reason"]
    assert "none:" in orders.markdown([stuck])


def test_a_row_without_time_says_so(monkeypatch):
    """Where the time for a row is over, every order has that as its reason."""
    monkeypatch.setattr(orders, "ROW_SECONDS", 0.0)
    row = orders.process_row("mine", vp(7 + 3 * sympy.Symbol("t", nonnegative=True) ** 5))
    assert "the time for a row" in row["derived"]["reason"] and "for a row" in row["martingale"]["reason"]


def test_remarks_and_details_name_their_rows(rows):
    """Horizon, step and score error are there for every theorem that holds for a row; the lower bound closes
    the remarks, before it what a sharper start changes."""
    assert "VE, constant d^(4/3)/ε^(8/3); VE, √(2at) d^(7/6)/ε^(7/3); VE, (b+at)^c" in orders.remarks(rows)[1]
    assert len(orders.details(rows)) == 8 * 4 + 4 and "Ω(√d/ε)" in orders.remarks(rows)[-1]
