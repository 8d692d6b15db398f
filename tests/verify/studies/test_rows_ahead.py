"""The published rows derived ahead: those of the theorems as they are, and no other question is answered by them."""

from dataclasses import replace

import pytest

from bounds.complexity import orders as derivations
from bounds.complexity.published import published_orders
from bounds.theorems import theorems
from verify.studies import orders, rows_ahead


def test_the_file_is_what_sympy_derives():
    """``published_rows.json`` is, to the character, what derivations give; `make functions` writes it anew."""
    assert rows_ahead.FILE.read_text(encoding="utf-8") == rows_ahead.written(orders.published_row)


def test_published_rows_are_read_and_nothing_is_derived(monkeypatch):
    """The table's rows come from the file: no order is asked of sympy."""
    def derived(*_):
        raise AssertionError("an order was derived")

    monkeypatch.setattr(derivations, "complexity", derived)
    rows = orders.published_rows()
    assert [row["process"] for row in rows] == [each.name for each in published_orders()]
    assert all(set(row) >= {"derived", "sharper_start", "martingale", "published", "agrees"} for row in rows)


@pytest.mark.parametrize("change", [
    lambda row: replace(row, g_sq=2 * row.g_sq), lambda row: replace(row, steps=row.steps * row.steps),
    lambda row: replace(row, remark="other"), lambda row: replace(row, name="other")])
def test_a_row_of_another_question_is_not_read(change):
    """With another process, published order, remark or name the file has no row."""
    for row in published_orders():
        assert rows_ahead.row_ahead(row)["process"] == row.name and rows_ahead.row_ahead(change(row)) is None


def test_rows_of_other_theorems_are_not_read(monkeypatch):
    """Where a theorem states another leading order, or is new, every row is derived anew."""
    known = dict(theorems())
    order = known["martingale"].leading()
    row = published_orders()[0]
    for changed in ({"martingale": replace(known["martingale"], leading=lambda: replace(order, step_power=2))},
                    {"new": replace(known["martingale"], key="new")}):
        with monkeypatch.context() as patched:
            patched.setattr("bounds.theorems.theorems", lambda changed=changed: known | changed)
            rows_ahead.leading_orders.cache_clear()
            assert rows_ahead.row_ahead(row) is None
    rows_ahead.leading_orders.cache_clear()
    assert rows_ahead.row_ahead(row) is not None
