"""The page of a problem: one file of HTML, without scripts and without anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from verify.plain import plain
from verify.reports.contents import shown


def page(said: Mapping[str, Any]) -> str:
    """The HTML of what `verify.reports.contents.contents` found; every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = _number
    template = made.from_string((files("verify.reports") / "page.html").read_text(encoding="utf-8"))
    text = json.dumps(plain({"certificates": [each.as_dict() for each in said["certificates"]]}), allow_nan=False)
    # in a script element nothing is escaped, so that no tag may open or close in it
    data = Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
    return template.render(**said, data=data) + "\n"


def _number(value: float | None) -> Markup:
    """A number to four digits, with all of them in the element's value."""
    if value is None:
        return Markup("<data>∞</data>")
    return Markup('<data value="{}">{}</data>').format(repr(value), shown(value))
