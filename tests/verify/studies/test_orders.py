"""The table of iteration complexities as rows, Markdown and LaTeX."""

import pytest
import sympy

from bounds import claim, ou, ve, vp
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


def test_a_claim_has_a_column_and_rows(monkeypatch):
    """A claim has its orders, or why not, in every row of its column, and a row for a process that no other
    is about; what it assumes is among the remarks."""
    theorem = claim.recursion(
        "mine", source="Me", process=["ou", "cld"], hypotheses=["m0 >= 1"], initial="exp(-T)*sqrt(m2)",
        growth="1 - h*m0", local="sqrt(h)*h*sqrt(d)")
    (own,) = orders.stated_rows(theorem)
    other = orders.process_row("my VE", ve(1), theorem)
    assert own["process"] == "ou" and own["asked"]["steps"] == "d log(d/ε)/ε^2"
    assert (own["asked"]["score_error"], own["asked"]["latex"]["score_error"]) == ("0", "0")
    assert other["asked"]["reason"] == "mine: stated for ou or cld"
    text, tex = orders.markdown([own, other]), orders.latex([own, other])
    assert "| mine K | lower bound |" in text and "| none: stated for ou or cld |" in text
    assert [line.count("|") for line in text.splitlines()] == [11] * 4
    assert all(line.count(" & ") == 9 for line in tex.splitlines() if line.endswith(r"\\"))
    assert "ou, mine: T = log(d/ε), h = ε^2 d^(-1), M = 0, K = d log(d/ε)/ε^2" in orders.details([own, other])
    assert "mine assumes m0 >= 1." in orders.remarks([own, other])
    monkeypatch.setattr(orders, "ROW_SECONDS", 2.0)  # only the rows' names are looked at
    example = claim.closed_form("both", source="Me", process=["sub-vp", "vp"], terms={"initialisation": "1"})
    assert [row["process"] for row in orders.stated_rows(example)] == ["sub-vp (beta = 1/10 + 199/10*t)"]


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
