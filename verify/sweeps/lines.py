"""The answers of a sweep in a file of JSON lines: kept as they come, put in order when the last is there."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


class Lines:
    """Answers by the key of their cell, in a file that a run which is killed leaves whole.

    While cells are missing each answer is a line of ``NAME.part``, written at once, in the order in which they
    came; a line that was cut off is none.  `finish` writes the whole file in order and replaces what was there,
    at one stroke.  An answer that is in either file is not computed again.

    Parameters
    ----------
    path : str or Path
        Of the finished file.

    Raises
    ------
    ValueError, OSError
        Where a file is something else, cannot be read or written, or another run is at it; one line.
    """

    def __init__(self, path: str | Path):
        self.path = Path(os.path.realpath(path))
        self._part = self.path.with_name(self.path.name + ".part")
        if self.path.exists() and not self.path.is_file():
            raise ValueError(f"cannot write {str(self.path)!r}: it is not a regular file")
        self.answers: dict[str, dict[str, Any]] = {}
        with self._named(self._part):
            self._handle = os.open(self._part, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            self._lock()
            for where in (self.path, self._part):
                self._read(where)
        except BaseException:
            self.close()
            raise

    def add(self, line: Mapping[str, Any]) -> None:
        """One more answer."""
        self._append(self._handle, self._part, _text(line))
        self.answers[line["key"]] = dict(line)

    def finish(self, header: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> None:
        """Write the file: a header, then the lines in the order in which they are given."""
        whole = self.path.with_name(self.path.name + ".whole")
        with self._named(self.path):
            text = "".join(map(_text, (header, *lines)))
            if not self.path.exists() or self.path.read_bytes() != text.encode():
                try:
                    with open(whole, "w", encoding="utf-8", newline="\n") as file:
                        file.write(text)
                        file.flush()
                        os.fsync(file.fileno())
                    os.replace(whole, self.path)
                finally:
                    with contextlib.suppress(OSError):
                        whole.unlink(missing_ok=True)
            self._part.unlink()

    def close(self) -> None:
        """Let another run at it; a part without answers is removed."""
        with contextlib.suppress(OSError):
            if os.fstat(self._handle).st_size == 0:
                self._part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.close(self._handle)

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # no such locks here: two runs at once may both compute a cell
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BlockingIOError(f"{str(self.path)!r} is being written by another run of a sweep") from None

    def _read(self, path: Path) -> None:
        """Take the answers of a file; what was cut off at the end of the part is removed from it."""
        if not path.exists():
            return
        with self._named(path):
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data) and (path != self._part or not data.startswith(b"{")):
                raise ValueError(f"{str(path)!r} must be what a sweep wrote, got {data[:40]!r}")
            for place, line in enumerate(whole.decode("utf-8", "replace").split("\n")[:-1], start=1):
                found = _parsed(line)
                if found is None or not ("key" in found or found.get("header") is True):
                    raise ValueError(f"line {place} of {str(path)!r} must be what a sweep wrote, got {line[:60]!r}")
                if "key" in found:
                    self.answers[found["key"]] = found
            if len(whole) < len(data):
                os.truncate(path, len(whole))

    def _append(self, handle: int, path: Path, text: str) -> None:
        """Write a line whole, or take back what of it was written."""
        with self._named(path):
            before, left = os.fstat(handle).st_size, text.encode()
            try:
                while left:
                    left = left[os.write(handle, left):]
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, before)
                raise

    @contextlib.contextmanager
    def _named(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = f"; {len(self.answers)} cells are kept" if self.answers else ""
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else error.strerror or error
            raise OSError(error.errno, f"cannot write {str(path)!r}: {why}{kept}") from None


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, allow_nan=False) + "\n"


def _parsed(line: str) -> dict | None:
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("key", ""), str) else None
