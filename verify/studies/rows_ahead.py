"""The published rows of the table of orders, derived ahead: `make functions` writes them into a file beside this.

A row of the file is read only where it was derived from the same process, published order and leading orders of
the same theorems; sympy derives it anew otherwise.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bounds.complexity.published import PublishedOrder, published_orders

FILE = Path(__file__).with_name("published_rows.json")


def row_ahead(published: PublishedOrder) -> dict | None:
    """The row as `verify.studies.orders.published_row` derives it; None where the file does not have it."""
    rows = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return rows.get(question_of(published))


def question_of(published: PublishedOrder) -> str:
    """A digest of all that a row is derived from."""
    from sympy import srepr

    from bounds.complexity.growth import Order

    powers = [srepr(getattr(published.steps, name)) for name in Order.__dataclass_fields__]
    refused = [each.unmet(published.f, published.g_sq) for _, each in leading_orders()]
    asked = (published.name, srepr(published.f), srepr(published.g_sq), powers, published.remark, refused,
             _stated_orders())
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def written(derive: Callable[[PublishedOrder], dict]) -> str:
    """The file, from rows derived here and now."""
    rows = {question_of(each): derive(each) for each in published_orders()}
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def write(derive: Callable[[PublishedOrder], dict]) -> None:
    """Write the file anew."""
    FILE.write_text(written(derive), encoding="utf-8")


@cache
def leading_orders() -> list:
    """(key, leading order) of the theorems that state one."""
    from bounds.theorems import theorems

    return [(key, each.leading()) for key, each in theorems().items() if each.leading is not None]


def _stated_orders() -> list:
    """The same as text, symbols with what is assumed of them."""
    from sympy import srepr

    return [(key, srepr(each.initial), srepr(each.step_power), each.assumes,
             [(srepr(density.expression), density.p) for density in (*each.steps, each.score)])
            for key, each in leading_orders()]
