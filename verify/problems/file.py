"""Read the text of a problem file into tables, and write overrides into them."""

import tomllib
from pathlib import Path
from typing import Any

from verify.problems.section import ProblemError, short_line, shown

MAX_OVERRIDE = 10_000


def file_text(path: Path, limit: int, what: str) -> str:
    """The text of a regular UTF-8 file of limited size."""
    check_file(path, limit, what)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProblemError(f"{what} must be UTF-8 text: {shown(str(path))}") from None
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {shown(str(path))} ({error.strerror})") from None


def check_file(path: Path, limit: int, what: str) -> None:
    """Refuse a path that is not a regular file of limited size."""
    try:
        if not path.exists():
            raise ProblemError(f"{what} does not exist: {shown(str(path))}")
        if not path.is_file():
            raise ProblemError(f"{what} must be a regular file: {shown(str(path))}")
        size = path.stat().st_size
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {shown(str(path))} ({error.strerror})") from None
    if size > limit:
        raise ProblemError(f"{what} must be at most {limit} bytes: {shown(str(path))} has {size}")


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """TOML as plain data."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why = short_line(error)
    except ValueError:
        why = "a number has too many digits"
    except RecursionError:
        why = "it is nested too deeply"
    raise ProblemError(f"{short_line(source)} is not valid TOML: {why}")


def apply_override(tables: dict[str, Any], override: str) -> None:
    """Write one ``section.key=value`` into the tables."""
    target, equals, text = override.partition("=")
    section, dot, key = target.strip().partition(".")
    if not (equals and dot and section and key) or len(override) > MAX_OVERRIDE:
        raise ProblemError(f"an override must have the form section.key=value, got {shown(override)}")
    try:
        parsed = tomllib.loads(f"value = {text}")
        value = parsed["value"] if parsed.keys() == {"value"} else text.strip()
    except (ValueError, RecursionError):
        value = text.strip()
    table = tables.setdefault(section, {})
    if not isinstance(table, dict):
        raise ProblemError(f"{short_line(section)} must be a table, got {shown(table)}")
    table[key] = value
