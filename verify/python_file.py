"""An object that a user names in a Python file of their own, as ``FILE.py:NAME``."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path


def object_in(path: Path, name: str, what: str, is_one: Callable, kind: str):
    """The object called ``name`` in a Python file, which is run, as ``python FILE.py`` would run it.

    Parameters
    ----------
    what : str
        What errors call it, as "theorem".
    is_one : callable
        Whether an object is of the kind.
    kind : str
        What it must be, as "a Theorem".

    Raises
    ------
    ValueError, OSError
        Naming the file, the requirement and what came.
    """
    module = f"sgm_bounds_{what}_in_{path.stem}"
    if not path.is_file():
        raise FileNotFoundError(2, f"{what} must be in a file that exists", str(path))
    spec = importlib.util.spec_from_file_location(module, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[module] = found  # so that what it defines can be pickled
    try:
        spec.loader.exec_module(found)
    except Exception as error:  # whatever the user's own file does
        why = " ".join(str(error).split())
        raise ValueError(f"{what} must be in a file that runs, {path} ends with {type(error).__name__}: {why}"
                         ) from error
    unit = getattr(found, name, None)
    if not is_one(unit):
        held = [key for key, value in vars(found).items() if is_one(value) and not key.startswith("_")]
        raise ValueError(f"{what} {name!r} of {path} must be {kind}, got "
                         f"{'nothing of that name' if unit is None else type(unit).__name__}; it holds "
                         f"{', '.join(held) or 'none'}")
    return unit
