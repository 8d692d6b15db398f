"""A picture in a file: made, drawn and written whole, or not at all."""

from collections.abc import Callable

from verify.pages.new_file import new_file


def write_figure(path: str | None, force: bool, draw: Callable,
                 size: tuple[float, float] = (6.5, 4.0)) -> list[str]:
    """Draw on a new matplotlib figure and write it as a PNG, where a path is given.

    Parameters
    ----------
    path : str or None
    force : bool
        Replace a file that exists.
    draw : callable
        (matplotlib Figure) -> None.
    size : (float, float)
        Width and height in inches.

    Returns
    -------
    list of str
        What the reader is told: one line, or none where there is no path.
    """
    if path is None:
        return []
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    save_figure(figure, path, force)
    return [f"wrote {path}"]


def save_figure(figure, path: str, force: bool, dpi: int = 160) -> None:
    """Write a figure as a PNG file that appears whole or not at all."""
    with new_file(path, force) as part:
        figure.savefig(part, format="png", dpi=dpi)
