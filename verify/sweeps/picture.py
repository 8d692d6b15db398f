"""A sweep drawn: the bound of every theorem, and the exact W2, over one of the keys that vary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from verify.pages.console import Failure
from verify.plain import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verify.sweeps.running import Swept

#: Lines that a legend still names one by one.
_MOST_NAMED = 12
#: From this ratio of the ends on an axis is logarithmic.
_WIDE = 20.0
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#999933")
_EXACT = "#1a1a1a"


def axis_of(axes: Sequence[tuple[str, Sequence[Any]]], over: str | None) -> str:
    """The key that a picture is drawn over: the one named, or the first whose values are numbers, at least two.

    Raises
    ------
    Failure
        Where there is none, or that is none.
    """
    able = [name for name, values in axes if len(values) > 1 and all(map(_is_number, values))]
    if over is None and able:
        return able[0]
    if over not in able:
        found = f"one of {', '.join(able)}" if able else "left out, as no key of this sweep has two numbers"
        raise Failure(f"--over must be {found}, got {over!r}" if over else
                      "--plot needs a key that varies over numbers, this sweep has none")
    return over


def draw(figure: Figure, found: Swept, over: str | None) -> None:
    """The bounds as lines and the exact errors as markers; the other keys make a line each."""
    name = axis_of(list(found.header["sweep"].items()), over)
    lines = _lines(found.cells, name)
    theorems = [key for key in found.header["theorems"] if any(theorem == key for theorem, _ in lines)]
    colors = {key: _COLORS[place % len(_COLORS)] for place, key in enumerate(theorems)}
    ax = figure.subplots()
    named = len(lines) <= _MOST_NAMED
    for (theorem, others), points in lines.items():
        x, bounds, exact = zip(*sorted(points), strict=True)
        label = ", ".join([theorem, *others]) if named else None
        ax.plot(x, bounds, "-", color=colors[theorem], linewidth=2 if named else 1, label=label)
        ax.plot(x, exact, "o", color=_EXACT, markersize=4, zorder=5)
    if any(not math.isnan(exact) for points in lines.values() for _, _, exact in points):
        ax.plot([], [], "o", color=_EXACT, markersize=4, label="exact W2")
    if not named:
        for key in theorems:
            ax.plot([], [], "-", color=colors[key], label=key)
    values = [abs(value) for value in found.header["sweep"][name]]
    if min(values) > 0 and max(values) > _WIDE * min(values) and min(found.header["sweep"][name]) > 0:
        ax.set_xscale("log")
    heights = [height for points in lines.values() for _, *both in points for height in both if height > 0]
    if heights and max(heights) > _WIDE * min(heights):
        ax.set_yscale("log")
    ax.set_xlabel(name)
    ax.set_ylabel("W2, in the units of the data")
    ax.grid(True, which="major", color="#e3e3e3", linewidth=0.8)
    if lines:
        ax.legend(fontsize=8, frameon=False)


def _lines(cells: Sequence[Mapping[str, Any]], name: str) -> dict[tuple, list[tuple[float, float, float]]]:
    """(theorem, the other keys) -> points (value, bound, middle of the exact error), NaN where there is none."""
    lines: dict[tuple, list] = {}
    for cell in cells:
        others = tuple(f"{key} = {one_line(value, 20)}" for key, value in cell["values"].items() if key != name)
        for each in cell["results"]:
            if each["applicable"]:
                bound = math.nan if each["bound"] is None else each["bound"]
                known = each["lower"] is not None and each["upper"] is not None
                exact = (each["lower"] + each["upper"]) / 2 if known else math.nan
                lines.setdefault((each["theorem"], others), []).append((cell["values"][name], bound, exact))
    return lines


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
