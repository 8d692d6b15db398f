"""One colour for one thing in every picture: the truth, what is claimed, each theorem; safe for the colour-blind."""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["colour", "series", "styles"]

#: What is true is black, what is proved or claimed is blue unless it is some theorem's.
EXACT, BOUND = "#1a1a1a", "#0072B2"
#: Third and fourth things beside the two; what a picture is not about; a face that is left open.
OTHER, FOURTH, MUTED, OPEN = "#D55E00", "#009E73", "#8a8a8a", "white"
#: Grid lines, shaded regions, and words in them.
GRID, SHADE, NOTE = "#e3e3e3", "#f0efec", "#77756f"

#: Ours are blue, told apart by shade and dashes.
_THEOREMS: dict[str, dict[str, Any]] = {
    "martingale": {"color": "#0072B2"},
    "martingale-coupled": {"color": "#56B4E9", "dashes": (4, 1.5)},
    "flow": {"color": "#08306B"},
    "flow-between": {"color": "#4292C6", "dashes": (1.5, 1)},
    "gao2025-general-sde": {"color": "#D55E00"},
    "gentiloni2025-weak-log-concave": {"color": "#CC79A7"},
    "strasman2025-cld": {"color": "#009E73"},
    "gaussian-lower-bound": {"color": "#E69F00"},
}
_OTHERS = ("#7F3C8D", "#999933", "#882255", "#44AA99", "#661100")
#: For lines that are neither truth nor theorem: one quantity for several parameters.
SERIES = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#7F3C8D", "#999933")


def styles(keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Arguments of ``Axes.plot`` for theorems: their own colour and dashes, of theorems not built in one of those left.

    There are no errors: every key has a colour.

    Parameters
    ----------
    keys : iterable of str
    """
    free = iter(())
    found: dict[str, dict[str, Any]] = {}
    for key in keys:
        if key in _THEOREMS:
            found[key] = dict(_THEOREMS[key])
            continue
        colour = next(free, None)
        if colour is None:
            free = iter(_OTHERS)
            colour = next(free)
        found[key] = {"color": colour}
    return found


def colour(name: str) -> str:
    """That of a row's quantity.  There are no errors: every name has a colour.

    Parameters
    ----------
    name : str
        "exact", or the key of a theorem; any other has one of the colours left.

    Raises
    ------
    TypeError
        If ``name`` is not a text.
    """
    return EXACT if name == "exact" else styles([name])[name]["color"]


def series(names: Sequence[Any]) -> dict[Any, str]:
    """A colour for each of several lines of one kind, round again where there are many.

    Parameters
    ----------
    names : sequence
        Of what tells the lines apart.

    Raises
    ------
    TypeError
        If a name is not hashable.
    """
    return {name: SERIES[place % len(SERIES)] for place, name in enumerate(names)}
