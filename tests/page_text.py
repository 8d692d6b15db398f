"""Read in tests what a reader of tables would see."""

from rich.console import Console


def text(*renderables, width=120):
    """What a plain page of so many characters shows."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        for renderable in renderables:
            console.print(renderable, markup=False, highlight=False)
    return captured.get()
