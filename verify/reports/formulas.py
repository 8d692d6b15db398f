"""Formulas in LaTeX as SVG: one path each, drawn by matplotlib, in the colour of the text around it."""

from __future__ import annotations

import re
from functools import lru_cache

from markupsafe import Markup

#: What matplotlib's mathtext does not know, and what it is drawn as.
_UNKNOWN = (
    (r"\\(?:bigl|bigr|Bigl|Bigr|big|Big)(?![A-Za-z])", ""), (r"\\textstyle(?![A-Za-z])", ""),
    (r"\\displaystyle(?![A-Za-z])", ""), (r"\\le(?![A-Za-z])", r"\\leq"), (r"\\ge(?![A-Za-z])", r"\\geq"),
    (r"\\operatorname\{(\w+)\}", r"\\mathrm{\1}"), (r"\\\|", r"\\Vert "), (r"\\sqrt ([A-Za-z])", r"\\sqrt{\1}"),
    (r"\\text\{([^{}]*)\}", r"\\mathrm{\1}"),
)
#: Size of a formula's letters in pixels, and margin around it.
_SIZE, _MARGIN = 15.0, 2.0
_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
_POINTS = {1: 1, 2: 1, 3: 2, 4: 3, 79: 1}


@lru_cache(maxsize=512)
def formula(latex: str) -> Markup:
    """A formula as inline SVG, or as code where it cannot be drawn."""
    drawn = latex
    for pattern, replacement in _UNKNOWN:
        drawn = re.sub(pattern, replacement, drawn)
    try:
        path = _path(f"${' '.join(drawn.split())}$")
    except ValueError:
        return Markup("<code>{}</code>").format(latex)
    (left, bottom), (right, top) = path.get_extents().get_points()
    box = (left - _MARGIN, -top - _MARGIN, right - left + 2 * _MARGIN, top - bottom + 2 * _MARGIN)
    return Markup('<svg class="formula" role="img" aria-label="{}" viewBox="{}" width="{:.0f}" height="{:.0f}">'
                  '<path d="{}"/></svg>').format(
        latex, " ".join(f"{each:.1f}" for each in box), box[2], box[3], _commands(path))


def _path(text: str):
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    # what a configuration of the reader's says of mathematics is not asked
    with rc_context({"mathtext.fontset": "dejavuserif", "text.usetex": False}):
        return TextPath((0, 0), text, size=_SIZE, prop=FontProperties(family="DejaVu Serif"))


def _commands(path) -> str:
    """A path in the words of SVG, whose y grows downwards."""
    said, place = [], 0
    while place < len(path.codes):
        code = int(path.codes[place])
        points = path.vertices[place: place + _POINTS[code]]
        numbers = " ".join(f"{x:.1f} {-y:.1f}" for x, y in points)
        said.append("Z" if code == 79 else _LETTERS[code] + numbers)
        place += _POINTS[code]
    return "".join(said)
