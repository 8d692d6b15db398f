"""Read one table of a problem file key by key, and refuse a wrong type or range in one line."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.argument import hint
from closed_form.law_input import LARGEST, SMALLEST
from verify.plain import one_line

REQUIRED = object()


class ProblemError(ValueError):
    """The problem file or an override is wrong; the message is one line naming key and requirement."""


@dataclass(frozen=True)
class Section:
    """One table of the file; every reader refuses a wrong type or range in one line."""

    name: str
    values: dict[str, Any]

    def only(self, allowed: Iterable[str], known: Iterable[str], owner: str) -> None:
        """Refuse keys that are unknown, or known but belong to another owner."""
        allowed = tuple(allowed)
        for key in self.values:
            if key in allowed:
                continue
            takes = f"{owner}, which takes {', '.join(allowed)}"
            if key in known:
                raise ProblemError(f"{self.name}.{key} does not belong to {takes}")
            raise ProblemError(f"unknown key {self.name}.{short_line(key)} for {takes}{hint(key, allowed)}")

    def get(self, key: str, default: Any = REQUIRED) -> Any:
        """The value as the file has it."""
        if key not in self.values and default is REQUIRED:
            raise ProblemError(f"{self.name}.{key} is missing")
        return self.values.get(key, default)

    def refuse(self, key: str, requirement: str) -> ProblemError:
        """The error that names a key, what it must be and what it is."""
        return ProblemError(f"{self.name}.{key} must be {requirement}, got {shown(self.values.get(key))}")

    def fault(self, text: str) -> ProblemError:
        """The error with a text of its own, for what no single key is to blame."""
        return ProblemError(short_line(text))

    def choice(self, key: str, options: Iterable[str], default: Any = REQUIRED) -> str:
        """One of the options."""
        value, options = self.get(key, default), tuple(options)
        if not isinstance(value, str) or value not in options:
            given = f"{shown(value)}{hint(value, options)}"
            raise ProblemError(f"{self.name}.{key} must be one of {', '.join(options)}, got {given}")
        return value

    def number(self, key: str, default: Any = REQUIRED, minimum: float = -math.inf,
               positive: bool = False) -> Any:
        """A finite float within range; the default, None included, is returned as it is."""
        if key not in self.values and default is not REQUIRED:
            return default
        value = _finite(self.get(key))
        if value is None or value < minimum or (positive and value <= 0):
            least = f" of at least {minimum:g}" if minimum > -math.inf else ""
            raise self.refuse(key, "a positive finite number" if positive else f"a finite number{least}")
        if value and not SMALLEST <= abs(value) <= LARGEST:
            zero = "" if positive else "0 or "
            raise self.refuse(key, f"{zero}between {SMALLEST:g} and {LARGEST:g} in size")
        return value

    def count(self, key: str, largest: int, default: Any = REQUIRED) -> Any:
        """A whole number from 1 to ``largest``; the default is returned as it is."""
        if key not in self.values and default is not REQUIRED:
            return default
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise self.refuse(key, f"a whole number from 1 to {largest}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def array(self, key: str, ndims: tuple[int, ...], shape: str) -> np.ndarray:
        """A rectangular array of finite numbers with an allowed number of axes."""
        value = self.get(key)
        array = _array(value)
        if array is None or array.ndim not in ndims:
            raise self.refuse(key, f"{shape} (finite numbers, rectangular, not empty)")
        if np.abs(array).max() > LARGEST:
            raise self.refuse(key, f"made of numbers of at most {LARGEST:g} in size")
        return array

    @contextlib.contextmanager
    def border(self) -> Iterator[None]:
        """Put the section in front of what a constructor says about its argument."""
        try:
            yield
        except ProblemError:
            raise
        except (ValueError, TypeError, ArithmeticError, TimeoutError, MemoryError) as error:
            message = short_line(error)
            known = message.split(" ", 1)[0].rstrip(",") in self.values
            if message.startswith(f"{self.name}.") or message.startswith(f"{self.name}:"):
                raise ProblemError(message) from None
            raise ProblemError(f"{self.name}{'.' if known else ': '}{message}") from None


def _finite(value: Any) -> float | None:
    """A number of the file as a finite float, None if it is not one (booleans are not numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _array(value: Any, depth: int = 0) -> np.ndarray | None:
    """Nested lists of numbers as a rectangular array, None if they are not."""
    if not isinstance(value, list):
        number = _finite(value)
        return None if number is None else np.array(number)
    if depth == 3 or not value:
        return None
    parts = [_array(item, depth + 1) for item in value]
    if any(part is None or part.shape != getattr(parts[0], "shape", ()) for part in parts):
        return None
    return np.array(parts)


def short_line(text: Any) -> str:
    """Any message on one printable line of at most 400 characters."""
    return one_line(text, 400)


def shown(value: Any) -> str:
    """A value of the file, shortened."""
    try:
        text = str(value).lower() if isinstance(value, bool) else short_line(repr(value))
    except ValueError:  # an integer too long to print
        text = type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."
