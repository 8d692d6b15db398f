"""Values as plain data and short text: what JSON can hold, four digits, one line."""

import math
from collections.abc import Iterable, Mapping
from typing import Any


def plain(value: Any) -> Any:
    """``value`` as data that JSON can hold: numpy becomes Python, tuples lists, NaN and infinities None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def number(value: float | None) -> str:
    """Four significant digits; a dash where there is no number."""
    return "–" if value is None else f"{value:.4g}"


def one_line(text: Any, limit: int = 500) -> str:
    """Any message on one printable line of moderate length."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."
