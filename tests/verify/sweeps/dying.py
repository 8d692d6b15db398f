"""A task that ends its process: apart, so that a process of its own need import nothing else."""

import os


class Item:
    """A cell of no sweep."""

    def __init__(self, index):
        self.index = index


def deadly(cell):
    """End the process at one cell."""
    if cell.index == 1:
        os._exit(7)
    return {"results": [cell.index], "failed": None}
