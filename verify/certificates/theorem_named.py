"""The theorem that a user names: by its key, as a claim in a TOML file, or as an object in a Python file."""

from pathlib import Path

from bounds.argument import hint, unit_of
from bounds.theorem import Theorem
from bounds.theorems import theorems
from verify.python_file import object_in


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
        from bounds import claim

        return claim.load(theorem)
    file, _, name = theorem.rpartition(":")
    if file.endswith(".py"):
        return object_in(Path(file), name, "theorem", lambda unit: isinstance(unit, Theorem), "a Theorem")
    raise ValueError(f"theorem must be one of {', '.join(known)}, FILE.toml or FILE.py:NAME, got {theorem!r}"
                     + hint(theorem, known))
