"""A claim in a TOML file: the table ``[claim]``, whose keys are the arguments of `bounds.claim`."""

import tomllib
from collections.abc import Callable
from inspect import signature

from bounds.theorem import Theorem

#: Most bytes of a file.
MOST_BYTES = 100_000


def claim_in(path, recursion: Callable, closed_form: Callable) -> Theorem:
    """The claim of a file, made by either; see `bounds.claim.load`."""
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"{path} must have at most {MOST_BYTES} bytes")
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{path} must be TOML in UTF-8: {' '.join(str(error).split())}") from None
    table = document.get("claim")
    if not isinstance(table, dict) or len(document) > 1:
        raise ValueError(f"{path} must hold one table [claim], got {', '.join(document) or 'nothing'}")
    make = closed_form if "terms" in table else recursion
    known = signature(make).parameters
    if unknown := [key for key in table if key not in known]:
        raise ValueError(f"{path}: claim.{unknown[0]} is unknown; the keys of a claim are {', '.join(known)}")
    needed = [name for name, each in known.items() if each.default is each.empty]
    if missing := [name for name in needed if name not in table]:
        raise ValueError(f"{path}: claim.{missing[0]} is missing; a claim needs {', '.join(needed)}")
    return make(**table)
