"""The answers of a sweep as flat rows, in CSV and Parquet files."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from verify.pages.console import Failure
from verify.pages.new_file import new_file

#: What a table may be, by the ending of its file.
ENDINGS = (".csv", ".parquet")
_NUMBERS = ("bound", "lower", "upper", "ratio")
_TEXTS = ("information", "estimated", "measured_by")


def rows_of(cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each cell and theorem, all with the same columns; a cell that failed is one row."""
    cells = list(cells)
    names = sorted({name for cell in cells for found in cell["results"] for name in found["terms"]})
    rows = []
    for cell in cells:
        for found in cell["results"] or [None]:
            said = found or {"unmet": (), "terms": {}}
            rows.append({
                "cell": cell["cell"], **cell["values"],
                **{name: said.get(name) for name in ("theorem", "kind", "applicable", "verdict", *_NUMBERS)},
                **{f"term.{name}": said["terms"].get(name) for name in names},
                **{name: said.get(name) for name in _TEXTS}, "unmet": "; ".join(said["unmet"]),
                "failed": cell["failed"], "seed": cell["seed"], "key": cell["key"],
            })
    return rows


def ending_of(path: str) -> str:
    """The ending of a table's path in lower case, one of `ENDINGS`; any other is refused, and so is Parquet where
    pyarrow is missing."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise Failure(f"--table must end in {' or '.join(ENDINGS)}, got {str(path)!r}")
    if ending == ".parquet":
        optional("pyarrow")
    return ending


def write_table(path: str, rows: Sequence[Mapping[str, Any]], force: bool) -> str:
    """Write rows as the file's ending says, whole or not at all; returns what the reader is told."""
    ending = ending_of(path)
    columns = {name: [_cell(row[name]) for row in rows] for name in rows[0]}
    with new_file(path, force) as part:
        if ending == ".csv":
            with open(part, "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
        else:
            pyarrow = optional("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
            parquet.write_table(pyarrow.table({name: _alike(each) for name, each in columns.items()}), part)
    return f"wrote {path}"


def optional(module: str, extra: str = "tables") -> ModuleType:
    """A library that is not installed with the package; where it is missing the error names what brings it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(f"{module} is not installed: pip install 'sgm-bounds[{extra}]' brings it") from None


def _cell(value: Any) -> Any:
    """A value that a table can hold: lists are their JSON."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _alike(values: list) -> list:
    """A column of one type: numbers where all are numbers, else texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        return [value if value is None or kinds != {int, float} else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
