"""The one line that refuses an object of a wrong type, or a key that nothing has, at a public function."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Unit = TypeVar("Unit")


def check_type(name: str, value: Any, kinds: type | tuple[type, ...], requirement: str) -> None:
    """Raise TypeError naming the argument, the requirement and the type that came, unless it is of a kind."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {requirement}, got {type(value).__name__}")


def check_key(name: str, key: Any, known: Iterable[str]) -> None:
    """Refuse what is no text (TypeError) or none of the known keys (ValueError), with the key it may have
    meant."""
    options = list(known)
    check_type(name, key, str, f"one of {', '.join(options)}")
    if key not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {key!r}{hint(key, options)}")


def hint(word: Any, options: Iterable[str]) -> str:
    """The option that a word may have meant, in brackets; nothing where none is close."""
    close = difflib.get_close_matches(str(word)[:100], list(options), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def unit_of(name: str, given: Unit | str, kind: type[Unit], known: Mapping[str, Unit]) -> Unit:
    """The unit that is given, itself or by its key in a registry.

    Raises
    ------
    TypeError
        If it is neither a unit of that kind nor a text.
    ValueError
        If no unit has the key; the line names those that there are and the one it may have meant.
    """
    if isinstance(given, kind):
        return given
    check_type(name, given, str, f"a {kind.__name__} or the key of one")
    check_key(name, given, known)
    return known[given]
