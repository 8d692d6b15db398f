"""A picture in a file: made, drawn and written whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from verify.pages.new_file import new_file


def write_figure(path: str, force: bool, draw: Callable, size: tuple[float, float] = (6.5, 4.0)) -> None:
    """Draw on a new matplotlib figure and write it as a PNG.

    Parameters
    ----------
    path : str
    force : bool
        Replace a file that exists.
    draw : callable
        (matplotlib Figure) -> None.
    size : (float, float)
        Width and height in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    save_figure(figure, path, force)


def save_figure(figure, path: str, force: bool, dpi: int = 160) -> None:
    """Write a figure as a PNG file that appears whole or not at all."""
    with new_file(path, force) as part:
        figure.savefig(part, format="png", dpi=dpi)
