"""Pictures of a page as inline SVG whose colours are the page's, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from markupsafe import Markup

#: What matplotlib draws with, and the property of the page that it becomes.
_COLORS = {"#1a1a1a": "var(--ink)", "#000000": "var(--ink)", "#e3e3e3": "var(--line)", "#f0efec": "var(--shade)",
           "#77756f": "var(--dim)", "#8a8a8a": "var(--dim)", "#6b6b6b": "var(--dim)", "#808080": "var(--dim)"}
_INK = "#1a1a1a"
#: Margins in inches, left, right, top and bottom, and what a line of a legend below adds: matplotlib's own layouts draw
#: everything one time more.
_LEFT, _RIGHT, _TOP, _BOTTOM, _LINE = 1.0, 0.15, 0.15, 0.6, 0.24
_SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "sgm-bounds", "font.size": 11, "text.color": _INK,
    "axes.labelcolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
    "axes.facecolor": "none", "figure.facecolor": "none", "savefig.facecolor": "none", "legend.framealpha": 0.0,
    "legend.edgecolor": "none", "text.usetex": False, "text.parse_math": True, "svg.id": None,
}


def picture(name: str, about: str, draw: Callable, size: tuple[float, float] = (6.4, 4.0),
            below: int = 0) -> Markup:
    """A figure as inline SVG, with ids of its own.

    Parameters
    ----------
    name : str
        What its ids begin with.
    about : str
        What it shows, for those who do not see it.
    draw : callable
        (matplotlib Figure) -> None.
    size : (float, float)
        In inches.
    below : int
        Lines of a legend below the axes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({key: value for key, value in _SETTINGS.items() if value is not None}):
        (width, height), figure, text = size, Figure(figsize=size), io.StringIO()
        figure.subplots_adjust(left=_LEFT / width, right=1 - _RIGHT / width, top=1 - _TOP / height,
                               bottom=(_BOTTOM + _LINE * below) / height)
        draw(figure)
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None,
                                                                       "Format": None, "Type": None})
    found = text.getvalue()
    found = found[found.index("<svg"):]
    found = re.sub(r"<metadata>.*?</metadata>", "", found, flags=re.DOTALL)
    found = re.sub(r' xmlns(?::\w+)?="[^"]*"', "", found.replace("xlink:href", "href"))
    found = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', found)
    found = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', found)
    found = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", found)
    for color, property_ in _COLORS.items():
        found = found.replace(color, property_)
    found = re.sub(r'<svg [^>]*viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1">', found, count=1)
    # matplotlib has escaped every text in it
    return Markup('<div class="picture" role="img" aria-label="{}">{}</div>').format(about, Markup(found))
