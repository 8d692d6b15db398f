"""Long work in parts, here or in processes of their own, and a file that says which parts are done."""

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from bounds.compiled import anew
from bounds.theorem import Theorem
from verify.certificates.theorem_named import find_theorem

#: In a process of a pool: the theorem that it is about, and the event that tells it to stop.
_here: dict = {}


def in_parts(function: Callable, items: Iterable, theorem: str | Theorem | None,
             workers: int = 1) -> Iterator:
    """``function(item, theorem, stop)`` of every item, as they are done; ``stop()`` says whether to end.

    Items are taken one at a time, each as if it were the first (`bounds.compiled.anew`), and work that is under way when
    the iterator is closed is told to stop.

    Parameters
    ----------
    function : callable
        Of a module, so that other processes find it.
    theorem : str, Theorem or None
        What `find_theorem` takes: every process finds it by its name, so that what is in FILE.py need not be
        pickled.
    workers : int
        Processes; with one it all happens here.
    """
    if workers == 1:
        found = theorem and find_theorem(theorem)
        for item in items:
            anew()
            yield function(item, found, _never)
        return
    # not forked: a process with threads may not be
    context = get_context("spawn")
    event, left = context.Event(), iter(items)
    try:
        with ProcessPoolExecutor(workers, context, _begin, (theorem, event)) as pool:
            try:
                # items are taken when every process is there: a clock that starts with the first is not
                # theirs
                wait([pool.submit(_never) for _ in range(workers)])
                running = {pool.submit(_call, function, item) for item in islice(left, workers)}
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    running |= {pool.submit(_call, function, item) for item in islice(left, len(done))}
                    yield from (each.result() for each in done)
            finally:
                event.set()
    except BrokenProcessPool:
        raise ChildProcessError("a worker process ended before its work was done") from None


def _never() -> bool:
    return False


def _begin(theorem, event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it, and says stop
    _here.update(theorem=theorem and find_theorem(theorem), stop=event.is_set)


def _call(function: Callable, item):
    anew()
    return function(item, _here["theorem"], _here["stop"])


class Done:
    """The parts that are done, by their number, kept in a file of JSON lines; without a path, in memory
    alone.

    A part is a line, written at once; one that was cut off is no part.

    Parameters
    ----------
    path : str, Path or None
        A file that is there is gone on with.
    asked : mapping
        What the parts are of: a file that was about something else is refused.

    Raises
    ------
    ValueError, OSError
        Naming the file, the requirement and what came.
    """

    def __init__(self, path: str | Path | None, asked: Mapping):
        self._path = None if path is None else Path(path)
        self.parts: dict[int, dict] = {}
        if self._path is None:
            return
        lines = self._whole_lines()
        if lines:
            self._check(lines[0], asked)
            for place, line in enumerate(lines[1:], start=2):
                part = self._parsed(line, place)
                if not isinstance(part.get("number"), int):
                    raise ValueError(f"resume: line {place} of {self._path} must have a number, got {line[:60]!r}")
                self.parts[part["number"]] = part
        else:
            self._write(dict(asked))

    def add(self, part: Mapping) -> None:
        """One more part, with its ``number``."""
        self.parts[part["number"]] = dict(part)
        if self._path is not None:
            self._write(part)

    def left(self, numbers: Iterable[int]) -> Iterator[int]:
        """Those that are not done."""
        return (number for number in numbers if number not in self.parts)

    def _whole_lines(self) -> list[str]:
        """The lines of the file; what was cut off at its end is removed."""
        if not self._path.exists():
            return []
        text = self._path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        if lines:
            self._parsed(lines[0], 1)
        elif text and not text.startswith(b"{"):
            raise ValueError(f"resume: {self._path} must be what an earlier run wrote, got {text[:60]!r}")
        if len(whole) < len(text):
            os.truncate(self._path, len(whole))
        return lines

    def _parsed(self, line: str, place: int) -> dict:
        try:
            found = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValueError(f"resume: line {place} of {self._path} must be a JSON object, got {line[:60]!r}")
        return found

    def _check(self, line: str, asked: Mapping) -> None:
        earlier = self._parsed(line, 1)
        for name, value in json.loads(json.dumps(dict(asked))).items():
            if earlier.get(name) != value:
                raise ValueError(f"resume: {self._path} must be of a run with {name} {value}, "
                                 f"got {earlier.get(name)}")

    def _write(self, part: Mapping) -> None:
        line = json.dumps(part) + "\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)
