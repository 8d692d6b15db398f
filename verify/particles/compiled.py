"""Loops that numba compiles, where the extra ``fast`` is installed and a run draws enough normals."""

import importlib
from functools import cache
from types import ModuleType

#: Normals of a run from which loading numba and the loops, half a second (three the first time), is paid for.
LEAST = 1 << 27


def loops(normals: int) -> ModuleType | None:
    """`verify.particles.lanes` if so many normals pay for loading it; None without a numba that works here, and draws
    numpy's normals."""
    return _loaded() if normals >= LEAST else None


@cache
def _loaded() -> ModuleType | None:
    try:
        lanes = importlib.import_module("verify.particles.lanes")
    except ImportError:  # not installed, or not for this numpy
        return None
    return lanes if lanes.agree() else None
