"""Units found by being there: whatever the modules of a folder define under one agreed name, by key."""

import importlib
import pkgutil
from functools import lru_cache
from types import MappingProxyType


def units(folder: str, name: str) -> MappingProxyType:
    """Every unit of a folder by its ``key``, in the alphabetical order of the files.

    The folder is named as "bounds.theorems", and each module calls its unit by the name, as "THEOREM".
    A folder appended to the package's ``__path__`` is searched too, so a unit may come from anywhere.

    Raises
    ------
    TypeError
        If a module defines no such name, or two units have one key.
    """
    return _units(folder, name, tuple(importlib.import_module(folder).__path__))


@lru_cache
def _units(folder: str, name: str, path: tuple) -> MappingProxyType:
    found = {}
    for module in sorted(pkgutil.iter_modules(path), key=lambda module: module.name):
        unit = getattr(importlib.import_module(f"{folder}.{module.name}"), name, None)
        if unit is None:
            raise TypeError(f"{folder}.{module.name} must define {name}: every file of {folder} is one unit")
        if unit.key in found:
            raise TypeError(f"{folder}.{module.name} must have a key of its own, got {unit.key!r} a second "
                            "time")
        found[unit.key] = unit
    return MappingProxyType(found)
