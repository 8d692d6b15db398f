"""The families of forward processes, one a file: the folder is the registry, and problem files use the
keys."""

from collections.abc import Mapping

from bounds.registry import units


def families() -> Mapping:
    """Every `bounds.process.Family` by its key."""
    return units("bounds.processes", "FAMILY")
