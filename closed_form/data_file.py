"""Columns of numbers in binary files: arrays of numpy (.npy) and tables of Parquet."""

import importlib
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

#: Most numbers that are read of a file, which may say more of them than it has bytes.
MOST_NUMBERS = 10_000_000
#: A column in which pandas keeps an index that is not the row's number.
_INDEX = "__index_level_"


def columns_of_array(path: str | PathLike[str]) -> tuple[list[str], np.ndarray]:
    """Names "1", "2", … and values (n, d) of an array of shape (n, d) or (n,); no object is ever unpickled.

    Raises
    ------
    ValueError
        If the file cannot be read, or its array is empty, of another shape, too large or not of finite real
        numbers.
    """
    try:
        found = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise ValueError(f"no such file: {path}") from None
    except Exception as error:  # numpy reads the header as an expression, which fails in many ways
        raise ValueError(f"cannot read {path} as an array of numbers saved by numpy: {_line(error)}") from None
    if found.dtype.kind not in "fiu" or found.ndim not in (1, 2) or not found.size:
        raise ValueError(f"{path} must hold real numbers in shape (n, d), got {found.dtype} in shape {found.shape}")
    _check_size(path, found.size)
    values = np.array(found, dtype=float).reshape(len(found), -1)
    _check_finite(path, values, lambda column: f"column {column + 1}")
    return [str(1 + place) for place in range(values.shape[1])], values


def columns_of_table(path: str | PathLike[str],
                     chosen: Callable[[list[str]], Sequence[int]] | None = None) -> tuple[list[str], np.ndarray]:
    """Names and values (n, d) of the columns of a Parquet file, which pyarrow reads.

    Parameters
    ----------
    path : str or path
    chosen : callable, optional
        The names of all columns to the places of those wanted; all of them by default.

    Raises
    ------
    ValueError
        If pyarrow is missing, the file cannot be read, or what is wanted is empty, too large or not of finite
        real numbers.
    """
    try:
        pyarrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise ValueError(f"{path} needs pyarrow, which is not installed: pip install 'sgm-bounds[tables]' brings it"
                         ) from None
    if not Path(path).exists():
        raise ValueError(f"no such file: {path}")
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            names = list(schema.names)
            if chosen is None and any(name.startswith(_INDEX) for name in names):
                raise ValueError(f"{path} has an index written by pandas: name the columns that are data, columns = "
                                 f"{[name for name in names if not name.startswith(_INDEX)]!r:.80}")
            wanted = [names[place] for place in (range(len(names)) if chosen is None else chosen(names))]
            if repeated := {name for name in wanted if names.count(name) > 1}:
                raise ValueError(f"column {min(repeated)!r} of {path} must be there once")
            for name in wanted:
                kind = schema.field(name).type
                if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
                    raise ValueError(f"{path}, column {name!r}: expected numbers, got {kind}")
            if not wanted or not rows:
                raise ValueError(f"{path} must have at least one column and one row, got {len(wanted)} and {rows}")
            _check_size(path, rows * len(wanted))
            table = file.read(columns=wanted)
    except (OSError, NotImplementedError, MemoryError, pyarrow.ArrowException) as error:
        raise ValueError(f"cannot read {path} as Parquet: {_line(error)}") from None
    for name in wanted:
        if table.column(name).null_count:
            raise ValueError(f"{path}, column {name!r}: expected a finite number, got none in a row")
    values = np.column_stack([table.column(name).to_numpy().astype(float) for name in wanted])
    _check_finite(path, values, lambda column: f"column {wanted[column]!r}")
    return wanted, values


def _check_size(path, numbers: int) -> None:
    if numbers > MOST_NUMBERS:
        raise ValueError(f"{path} must hold at most {MOST_NUMBERS} numbers, got {numbers}")


def _check_finite(path, values: np.ndarray, name: Callable[[int], str]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise ValueError(f"{path}, row {row + 1}, {name(column)}: expected a finite number, got {values[row, column]}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
