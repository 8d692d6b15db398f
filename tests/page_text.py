"""Read in tests what a reader of tables would see."""

from rich.console import Console


def text(*renderables):
    """What a plain page 120 characters wide shows."""
    console = Console(width=120, color_system=None, force_terminal=False)
    with console.capture() as captured:
        for renderable in renderables:
            console.print(renderable, markup=False, highlight=False)
    return captured.get()
