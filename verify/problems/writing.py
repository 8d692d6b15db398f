"""The tables of a problem as the text of a problem file."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def problem_text(tables: Mapping[str, Mapping], about: str = "") -> str:
    """TOML that `verify.problems.problem.load_problem` reads back to the same tables; ``about`` is a
    comment."""
    lines = [f"# {line}" for line in about.splitlines()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines).strip() + "\n"


def _value(value) -> str:
    # JSON's numbers, strings and lists are TOML's; infinities are not in a problem
    return json.dumps(value, allow_nan=False)


def save_problem(path: str | Path, tables: Mapping[str, Mapping], about: str = "") -> None:
    """Write a problem file, whole or not at all; an old one is replaced."""
    path = Path(path)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".sgm-bounds-", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(problem_text(tables, about))
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
