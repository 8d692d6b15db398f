"""Units found by being there: whatever the modules of a folder define under one agreed name, by key.

A package that is installed beside this one adds units of its own by entry points of the group
``sgm_bounds.<folder>``: ``sgm_bounds.theorems``, ``.processes``, ``.samplers``, ``.assumptions``, ``.laws``…
"""

import importlib
import pkgutil
from functools import lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType


def units(folder: str, name: str) -> MappingProxyType:
    """Every unit of a folder by its ``key``, in the alphabetical order of the files.

    The folder is named as "bounds.theorems", and each module calls its unit by the name, as "THEOREM".
    A folder appended to the package's ``__path__`` is searched too, so a unit may come from anywhere; last
    come those of entry points of the group ``sgm_bounds.theorems`` (for this folder).

    Raises
    ------
    TypeError
        If a module defines no such name, two units have one key, or an entry point cannot be loaded or is no
        unit.
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
    kinds = {type(unit) for unit in found.values()} - {type}
    for entry in entry_points(group=f"sgm_bounds.{folder.rpartition('.')[2]}"):
        unit = _loaded(entry)
        if getattr(unit, "key", None) is None or (kinds and type(unit) not in kinds):
            raise TypeError(f"entry point {entry.value} of {entry.group} must be a unit as the {name} of a file of "
                            f"{folder} is, got {type(unit).__name__}")
        if unit.key in found:
            raise TypeError(f"entry point {entry.value} of {entry.group} must have a key of its own, got "
                            f"{unit.key!r} a second time")
        found[unit.key] = unit
    return MappingProxyType(found)


def _loaded(entry):
    try:
        return entry.load()
    except Exception as error:  # whatever a stranger's module does
        why = " ".join(str(error).split())
        raise TypeError(f"entry point {entry.value} of {entry.group} must be importable, got {type(error).__name__}: "
                        f"{why}") from error
