"""Run a sweep: what is not answered yet is computed, here, on processes, on any executor or on Dask."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from bounds.theorem import Theorem
from verify.certificates.theorem_named import find_theorem
from verify.installed import versions
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.sweeps.asking import Cell, Sweep, load_sweep, read_sweep
from verify.sweeps.cell import answer
from verify.sweeps.lines import Lines
from verify.sweeps.processes import AHEAD, here, in_processes, on_executor
from verify.sweeps.tables import rows_of


@dataclass(frozen=True)
class Swept:
    """The answers of a sweep.

    Attributes
    ----------
    header : dict
        What was asked: the keys that vary with their values, the question, the versions.
    cells : tuple of dict
        One for each cell, in order: ``cell``, ``key``, ``values``, ``seed``, ``results`` (one for each theorem)
        and ``failed``, None or why there are none.
    computed : int
        Cells that this run computed; the others were in the file.
    """

    header: dict[str, Any]
    cells: tuple[dict[str, Any], ...]
    computed: int

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One flat row for each cell and theorem: what CSV and Parquet files hold."""
        return rows_of(self.cells)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        from verify.sweeps.tables import optional

        return optional("pandas").DataFrame(self.rows)


def sweep(source: str | Path | Mapping[str, Any], *, out: str | Path | None = None,
          theorems: Sequence[str | Theorem] | None = None, executor: Executor | None = None, workers: int = 1,
          dask: str | None = None, retry: bool = False, force: bool = False,
          progress: Callable[[int, int, float | None], None] = lambda done, cells, seconds: None) -> Swept:
    """Answer one question at many values of its keys.

    Parameters
    ----------
    source : str, Path or mapping
        A sweep file (docs/sweeps.md), or its tables.
    out : str or Path, optional
        A file of JSON lines that keeps what is done: a run that was ended at any moment goes on from there, and
        the finished file is the same, to the byte.
    theorems : sequence of (str or Theorem), optional
        In place of those of the file, as `verify.certify` takes one.
    executor : concurrent.futures.Executor, optional
        Where cells are computed; it is not shut down.
    workers : int
        Without an executor: processes of this machine, or 1 for this process.
    dask : str, optional
        Without an executor: the address of a Dask scheduler, whose workers have sgm-bounds.
    retry : bool
        Compute those that failed in an earlier run again.
    force : bool
        Leave answers that are no longer asked for out of ``out``; they are refused otherwise.
    progress : callable
        (cells done, cells in all, seconds left or None).

    Returns
    -------
    Swept

    Raises
    ------
    ValueError, OSError, ImportError
        One line that names what is wrong: with the sweep, the file, or the executor.  What fails in a cell is
        in that cell.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if executor is not None and dask is not None:
        raise ValueError("executor must be left out where dask is given")
    if isinstance(source, Mapping):
        asked = read_sweep(source, theorems_asked=theorems)
    else:
        asked = load_sweep(source, theorems)
    for each in asked.theorems:  # what is misspelt is refused here, not in every cell
        find_theorem(each)
    with _kept(out) as lines:
        return _run(asked, lines, retry, force, progress,
                    partial(_computed, executor=executor, workers=workers, dask=dask))


@contextlib.contextmanager
def _kept(out: str | Path | None) -> Iterator[Lines | None]:
    """The file of answers, locked; None where there is none."""
    if out is None:
        yield None
        return
    lines = Lines(out)
    try:
        yield lines
    finally:
        lines.close()


def _run(asked: Sweep, lines: Lines | None, retry: bool, force: bool, progress: Callable,
         computed: Callable[[Callable, Iterator[Cell]], Iterator[tuple[Cell, dict]]]) -> Swept:
    known = {} if lines is None else lines.answers
    keys = [cell.key for cell in asked]
    wanted = set(keys)
    others = [line for key, line in known.items() if line["failed"] is None and key not in wanted]
    if others and not force:
        raise ValueError(f"{os.fspath(lines.path)!r} holds {len(others)} cells that this sweep does not ask for: "
                         "name another file, or --force leaves them out")
    found = {key: known[key] for key in keys if key in known and not (retry and known[key]["failed"])}
    left, begun, before = (cell for cell in asked if cell.key not in found), monotonic(), len(found)
    progress(before, len(keys), None)
    for cell, said in computed(partial(_answer, asked), left):
        line = _line(asked, cell, said)
        if lines is not None:
            lines.add(line)
        found[cell.key] = line
        passed, done = monotonic() - begun, len(found) - before
        progress(len(found), len(keys), passed / done * (len(keys) - len(found)))
    header = {"header": True, "schema_version": SCHEMA_VERSIONS["sweep"], "cells": len(keys),
              "sweep": {axis.name: list(axis.values) for axis in asked.axes}, "base": asked.base, **asked.asked,
              "versions": versions()}
    # an answer found by its key may have been another cell of an earlier sweep
    cells = tuple({**found[cell.key], "cell": cell.index, "values": cell.values} for cell in asked)
    if lines is not None:
        lines.finish(header, cells)
    return Swept(header, cells, len(found) - before)


def _computed(task: Callable, cells: Iterator[Cell], executor: Executor | None, workers: int,
              dask: str | None) -> Iterator[tuple[Cell, dict]]:
    """The cells with their answers, wherever they are computed."""
    if executor is not None:
        return on_executor(executor, task, cells)
    if dask is not None:
        return _on_dask(task, cells, dask)
    return here(task, cells) if workers == 1 else in_processes(task, cells, workers)


def _on_dask(task: Callable, cells: Iterator[Cell], address: str) -> Iterator[tuple[Cell, dict]]:
    """On the workers of a Dask cluster, which gives the cells of a worker that died to others."""
    from verify.sweeps.tables import optional

    distributed = optional("distributed", "dask")
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {address!r}: {error}") from None
    with client:
        ahead = max(AHEAD, 4 * sum(client.nthreads().values()))
        yield from on_executor(client.get_executor(), task, cells, ahead, (distributed.scheduler.KilledWorker,))


def _answer(asked: Sweep, cell: Cell) -> dict:
    return answer(cell.tables, asked.asked, asked.theorems, _seed(asked, cell), asked.folder)


def _seed(asked: Sweep, cell: Cell) -> int:
    """The seed of a cell's samples: made of its key, so that neither its place nor the order matters."""
    return int.from_bytes(sha256(f"{asked.seed} {cell.key}".encode()).digest()[:4], "big")


def _line(asked: Sweep, cell: Cell, said: dict) -> dict:
    return {"cell": cell.index, "key": cell.key, "values": cell.values,
            "seed": _seed(asked, cell) if asked.samples else None, **said}
