"""A finite data set, read from a file or given, smoothed into a mixture of which everything is known."""

import csv
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from closed_form.data_file import columns_of_array, columns_of_table
from closed_form.law import DataLaw
from closed_form.law_input import LARGEST, finite_array, of_moderate_size
from closed_form.laws.mixture import GaussianMixture

#: Endings of files that are not CSV.
BINARY = (".npy", ".parquet")
#: What a field without a value may hold.
_MISSING = {"", "-", "?", "na", "n/a", "nan", "none", "null"}


def smoothed_data(samples: ArrayLike, smoothing: float, standardize: bool = False) -> GaussianMixture:
    r"""Law of a point drawn from the data plus N(0, s²I): :math:`\frac1n \sum_i N(x_i, s^2 I)`.

    Parameters
    ----------
    samples : array of shape (n, d)
        The data, n >= 1. Equal points become one component with their joint weight.
    smoothing : float
        s > 0, in the units of the (standardised) data.
    standardize : bool
        Shift and scale every column to mean 0 and standard deviation 1 first (population, divisor n); one of a
        single value is shifted only, and ``notes`` of the law say so.

    Raises
    ------
    ValueError
        If ``samples`` is empty, not of shape (n, d) or not finite, or ``smoothing`` is not positive.
    """
    samples = _checked_samples(samples)
    std = finite_array("smoothing", smoothing)
    if std.ndim != 0 or not std > 0.0:
        raise ValueError(f"smoothing must be one positive number, got {smoothing!r}")
    of_moderate_size("smoothing", std)
    constant = constant_columns(samples) if standardize else np.empty(0)
    if standardize:
        samples = _standardized(samples)
    centres, counts = np.unique(samples, axis=0, return_counts=True)
    law = GaussianMixture(centres, counts / len(samples), std=float(std))
    if constant.size:
        law.__dict__["notes"] = (f"standardize: of one value only, so shifted to 0 and not scaled: column"
                                 f"{'s' * (constant.size > 1)} {', '.join(map(str, constant))} (from 0)",)
    return law


def read_samples(path: str | PathLike[str], columns: Sequence[str] | None = None,
                 standardize: bool = False, header: bool | None = None) -> Array:
    """Columns of a CSV, .npy or Parquet file, as an array of shape (n, d).

    Parameters
    ----------
    path : str or path
        An array saved by numpy where it ends in ``.npy``, which is never unpickled; a table that pyarrow reads
        where it ends in ``.parquet``; else CSV in UTF-8, whose blank lines are skipped.
    columns : sequence of str, optional
        Names from the header, in the order wanted; all of them by default. Without a header, and in an array, the
        columns are called "1", "2", ….
    standardize : bool
        Shift and scale every column to mean 0 and standard deviation 1 (population, divisor n); one of a
        single value is shifted only.
    header : bool, optional
        Whether the first line of CSV names the columns; by default it does, and is refused if it looks like data.

    Raises
    ------
    ValueError
        If the file cannot be read, pyarrow is missing for one that needs it, ``header`` is said of a file that is
        not CSV, or it has no rows, its first line is made of numbers and ``header`` not given,
        a line has too few or too many fields, a column is missing, repeated or without a name (unless
        ``columns`` are given), or a field is not a finite number.
    """
    ending = Path(path).suffix.lower()
    if ending in BINARY:
        if header is not None:
            raise ValueError(f"header must be left out for {ending}, which has no header line, got {header}")
        values = _binary(path, ending, columns)
        return _standardized(values) if standardize else values
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, strict=True)
            lines = [(rows.line_num, row) for row in rows if row]
    except FileNotFoundError:
        raise ValueError(f"no such file: {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {path} as CSV: {error}") from None
    if not lines:
        raise ValueError(f"{path} is empty, it needs a header line and at least one row")
    names = [name.strip() for name in lines[0][1]]
    if header is not False and columns is None and "" in names:
        raise ValueError(f"column {names.index('') + 1} of {path} has no name, as an index written by pandas: name "
                         f"the columns that are data, columns = {[name for name in names if name]!r:.80}")
    if header is None and _looks_like_data(names):
        raise ValueError(f"the first line of {path} must name the columns, got numbers: "
                         f"{', '.join(names):.60}; write header = false (sgm-bounds constants: "
                         "--no-header) if it is data, header = true (--header) if these are names")
    if header is False:
        names = [str(1 + place) for place in range(len(names))]
    chosen = _positions(path, names, names if columns is None else columns)
    values = np.array([_numbers(path, line, row, names, chosen)
                       for line, row in lines[header is not False:]])
    if not len(values):
        raise ValueError(f"{path} has a header line but no rows")
    return _standardized(values) if standardize else values


def _binary(path, ending: str, columns: Sequence[str] | None) -> Array:
    """The columns of a file of `BINARY`."""
    if ending == ".parquet":
        return columns_of_table(path, None if columns is None else lambda names: _positions(path, names, columns))[1]
    names, values = columns_of_array(path)
    return values if columns is None else values[:, _positions(path, names, columns)]


def _looks_like_data(names: list[str]) -> bool:
    """Whether a line is made of numbers, but for entries that are missing."""
    present = [name for name in names if name.lower() not in _MISSING]
    return bool(present) and all(_number(name) is not None for name in present)


def _number(text: str) -> float | None:
    """The number a field holds, which need not be finite; None if it holds none."""
    try:
        return float(text)
    except ValueError:
        return None


def _positions(path, header: list[str], columns: Sequence[str]) -> list[int]:
    if isinstance(columns, str) or not all(isinstance(name, str) for name in columns) or not len(columns):
        raise ValueError(f"columns must be a list of one or more column names, got {columns!r}")
    for name in columns:
        if header.count(name) == 0:
            raise ValueError(f"{path} has no column {name!r}, its columns are {', '.join(header)}")
        if header.count(name) > 1 or list(columns).count(name) > 1:
            raise ValueError(f"column {name!r} of {path} must be there, and asked for, once")
    return [header.index(name) for name in columns]


def _numbers(path, line: int, row: list[str], header: list[str], chosen: list[int]) -> list[float]:
    if len(row) != len(header):
        raise ValueError(f"{path}, line {line}: expected {len(header)} fields, got {len(row)}")
    numbers = []
    for position in chosen:
        number = _number(row[position])
        if number is None or not np.isfinite(number):
            where = f"{path}, line {line}, column {header[position]!r}"
            raise ValueError(f"{where}: expected a finite number, got {row[position]!r:.40}")
        numbers.append(number)
    return numbers


def _checked_samples(samples) -> np.ndarray:
    samples = finite_array("samples", samples)
    if samples.ndim != 2 or samples.size == 0:
        raise ValueError(f"samples must have shape (n, d) with n, d >= 1, got {samples.shape}")
    return samples


def _standardized(samples: np.ndarray) -> np.ndarray:
    """Every column shifted to mean 0 and scaled to standard deviation 1 (divisor n), but for those of one
    value."""
    constant = constant_columns(samples)
    scale = np.abs(samples).max(axis=0)
    scale[constant] = 1.0
    centred = samples / scale - (samples / scale).mean(axis=0)
    centred[:, constant] = 0.0
    spread = centred.std(axis=0)
    spread[constant] = 1.0
    return centred / spread


def constant_columns(samples: Array) -> Array:
    """Places of the columns of samples (n, d) that have one value only."""
    return np.flatnonzero(np.ptp(samples, axis=0) == 0.0)


def _read(section, folder) -> GaussianMixture:
    path, columns = section.file("file", folder, "a CSV, .npy or Parquet file"), section.get("columns", None)
    if columns is not None and not (isinstance(columns, list) and columns
                                    and all(isinstance(column, str) for column in columns)):
        raise section.refuse("columns", "a list of column names")
    smoothing = section.number("smoothing", positive=True)
    standardize = section.flag("standardize", False)
    header = section.flag("header", True) if "header" in section.values else None
    try:
        samples = read_samples(path, columns, header=header)
        if (largest := np.abs(samples).max()) > LARGEST:
            raise ValueError(f"numbers must be at most {LARGEST:g} in size, got {largest:g}")
        return smoothed_data(samples, smoothing, standardize)
    except ValueError as error:
        raise section.fault(f"data.file: {error}") from None


LAW = DataLaw("samples", ("file", "header", "columns", "standardize", "smoothing", "dim"), _read,
              needed=("file", "smoothing"),
              forms={"file": "text", "header": "flag", "columns": "list of texts", "standardize": "flag",
                     "smoothing": "positive number", "dim": "count"})
