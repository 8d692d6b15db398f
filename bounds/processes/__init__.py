"""The families of forward processes, one a file: the folder is the registry."""

from collections.abc import Mapping

from bounds.registry import units


def families() -> Mapping:
    """Every `bounds.process.Family` by its key, which problem files use."""
    return units("bounds.processes", "FAMILY")
