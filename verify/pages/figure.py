"""A picture in a file: made, drawn and written whole, or not at all."""

import textwrap
from collections.abc import Callable
from pathlib import Path

from verify.pages.console import Failure
from verify.pages.new_file import new_file

#: What a picture may be, by the ending of its file.
ENDINGS = (".png", ".pdf", ".svg")


def write_figure(path: str | None, force: bool, draw: Callable,
                 size: tuple[float, float] = (6.5, 4.0), title: str = "") -> list[str]:
    """Draw on a new matplotlib figure and write it, as its ending says, where a path is given.

    Parameters
    ----------
    path : str or None
    force : bool
        Replace a file that exists.
    draw : callable
        (matplotlib Figure) -> None.
    size : (float, float)
        Width and height in inches.
    title : str
        What the picture is about: data, process, sampler and steps, over everything; folded where it is long.

    Returns
    -------
    list of str
        What the reader is told: one line, or none where there is no path.
    """
    if path is None:
        return []
    ending_of(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    if title:
        figure.suptitle(textwrap.fill(title, int(14 * size[0])), fontsize="small")
    save_figure(figure, path, force)
    return [f"wrote {path}"]


def save_figure(figure, path: str, force: bool, dpi: int = 160) -> None:
    """Write a figure as a file, of the kind its ending says, that appears whole or not at all."""
    kind = ending_of(path)[1:]
    with new_file(path, force) as part:
        figure.savefig(part, format=kind, dpi=dpi)


def ending_of(path: str, option: str = "--out") -> str:
    """The ending of a picture's path in lower case, one of `ENDINGS`; any other is refused, by the option's name."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise Failure(f"{option} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, got {str(path)!r}")
    return ending
