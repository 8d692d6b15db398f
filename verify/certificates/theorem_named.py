"""The theorem that a user names: by its key, as a claim in a TOML file, or as an object in a Python file."""

import importlib.util
import sys
from pathlib import Path

from bounds import claim
from bounds.argument import hint, unit_of
from bounds.theorem import Theorem
from bounds.theorems import theorems


def find_theorem(theorem: str | Theorem) -> Theorem:
    """The theorem of that key, in ``FILE.toml`` (a ``[claim]``), called NAME in ``FILE.py:NAME``, or the one
    given.

    A Python file is run, as ``python FILE.py`` would run it; a TOML file never runs anything.

    Raises
    ------
    ValueError, TypeError, OSError
        Naming the key or the file, the requirement and what came.
    """
    if isinstance(theorem, Theorem):
        return theorem
    known = theorems()
    if not isinstance(theorem, str) or theorem in known:
        return unit_of("theorem", theorem, Theorem, known)
    if theorem.endswith(".toml"):
        return claim.load(theorem)
    file, _, name = theorem.rpartition(":")
    if file.endswith(".py"):
        return _in_python_file(Path(file), name)
    raise ValueError(f"theorem must be one of {', '.join(known)}, FILE.toml or FILE.py:NAME, got {theorem!r}"
                     + hint(theorem, known))


def _in_python_file(path: Path, name: str) -> Theorem:
    module = f"sgm_bounds_theorem_in_{path.stem}"
    if not path.is_file():
        raise FileNotFoundError(2, "theorem must be in a file that exists", str(path))
    spec = importlib.util.spec_from_file_location(module, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[module] = found  # so that what it defines can be pickled
    try:
        spec.loader.exec_module(found)
    except Exception as error:  # whatever the user's own file does
        why = " ".join(str(error).split())
        raise ValueError(f"theorem must be in a file that runs, {path} ends with {type(error).__name__}: {why}"
                         ) from error
    unit = getattr(found, name, None)
    if not isinstance(unit, Theorem):
        held = [key for key, value in vars(found).items() if isinstance(value, Theorem)]
        raise ValueError(f"theorem {name!r} of {path} must be a Theorem, got "
                         f"{'nothing of that name' if unit is None else type(unit).__name__}; it holds "
                         f"{', '.join(held) or 'none'}")
    return unit
