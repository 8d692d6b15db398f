"""Numbers of a problem file as their user has them: a list, or columns in a file beside it."""

from pathlib import Path

import numpy as np

from verify.problems.file import check_file, file_text
from verify.problems.section import ProblemError, Section, short_line, shown

MAX_COLUMN_BYTES = 50_000_000


def file_named(section: Section, key: str, folder: Path, endings: tuple[str, ...]) -> Path:
    """Path of a file named relative to a folder, with an ending that is known."""
    name = section.get(key)
    if not isinstance(name, str) or not name or "\0" in name or Path(name).suffix.lower() not in endings:
        raise section.refuse(key, f"the name of a file that ends in {' or '.join(endings)}")
    return folder / name


def numbers_of(section: Section, key: str, folder: Path, ndims: tuple[int, ...] = (1,)) -> np.ndarray:
    """Numbers given as a list, or as columns in a file."""
    if isinstance(section.get(key), list):
        return section.array(key, ndims, "a list of numbers, or the name of a file")
    path = file_named(section, key, folder, (".npy", ".csv"))
    what = f"{section.name}.{key}"
    if path.suffix.lower() == ".csv":
        return _numbers(file_text(path, MAX_COLUMN_BYTES, what), what, path.name, 2 in ndims)
    check_file(path, MAX_COLUMN_BYTES, what)
    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise ProblemError(f"{what} must be an array of numbers saved by numpy, got {shown(path.name)}: "
                           f"{short_line(error)}") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
        raise ProblemError(f"{what} must be an array of real numbers, got {shown(path.name)} of "
                           f"{getattr(found, 'dtype', 'several arrays')}")
    return found


def _numbers(text: str, what: str, name: str, several: bool) -> np.ndarray:
    """One number a line, or all on one line, or where ``several`` are allowed as many on every line; a first line
    may name the columns."""
    rows = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
    if len(rows) > 1 and not _is_number(rows[0][0]):
        rows = rows[1:]
    table = several and len({len(row) for row in rows}) == 1
    if len(rows) > 1 and not table and any(len(row) > 1 for row in rows):
        raise ProblemError(f"{what} must have one number a line, or all on one line: {shown(name)} has "
                           "lines of several")
    fields = [field for row in rows for field in row]
    for field in fields:
        if not _is_number(field):
            raise ProblemError(f"{what} must be made of numbers: {shown(name)} has {shown(field)}")
    found = np.array([float(field) for field in fields])
    return found.reshape(len(rows), -1) if table and len(rows) > 1 and len(rows[0]) > 1 else found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
