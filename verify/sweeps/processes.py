"""Cells on processes of this machine, or on any executor, as they are done; a process that dies takes one cell
with it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context

from verify.plain import one_line

#: Cells handed to an executor ahead of time, whatever it is made of.
AHEAD = 256
#: Threads of the libraries below numpy: one a process.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_DIED = "its process ended before it was done (killed, or out of memory)"


def here(task: Callable, cells: Iterable) -> Iterator[tuple]:
    """(cell, task(cell)) of every cell, in this process."""
    return ((cell, task(cell)) for cell in cells)


def in_processes(task: Callable, cells: Iterable, workers: int) -> Iterator[tuple]:
    """(cell, task(cell)) of every cell as they are done, in so many processes.

    Where a process dies the cells that were under way are done again one at a time, and that which ends its
    process when it is alone has failed.  The processes end with this one, whatever ends it.
    """
    left = iter(cells)
    while True:
        flying: dict = {}
        try:
            with _pool(workers) as pool:
                yield from _in_flight(pool, task, left, flying, 2 * workers + 2)
            return
        except BrokenProcessPool:
            pass
        for cell in list(flying.values()):
            yield _alone(task, cell)


def on_executor(executor: Executor, task: Callable, cells: Iterable, ahead: int = AHEAD,
                died: tuple[type[BaseException], ...] = ()) -> Iterator[tuple]:
    """(cell, task(cell)) of every cell as they are done; a cell whose result is one of the errors ``died`` has
    failed."""
    try:
        yield from _in_flight(executor, task, iter(cells), {}, ahead, died)
    except BrokenExecutor as error:
        raise ChildProcessError(f"the executor broke before its work was done: {one_line(error)}") from None


def _in_flight(executor: Executor, task: Callable, left: Iterator, flying: dict, ahead: int,
               died: tuple = ()) -> Iterator[tuple]:
    """Keep so many cells under way; ``flying`` holds those that are, by their number."""
    running = {}
    try:
        while True:
            for cell in islice(left, ahead - len(running)):
                flying[cell.index] = cell
                running[executor.submit(task, cell)] = cell
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    found = future.result()
                except died as error:
                    found = {"results": [], "failed": one_line(f"{_DIED}: {error}")}
                cell = running.pop(future)
                del flying[cell.index]
                yield cell, found
    finally:
        for future in running:
            future.cancel()


def _alone(task: Callable, cell) -> tuple:
    """A cell in a process of its own."""
    try:
        with _pool(1) as pool:
            return cell, pool.submit(task, cell).result()
    except BrokenProcessPool:
        return cell, {"results": [], "failed": _DIED}


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end at once when this one does, or leaves the block by an exception."""
    context = get_context("spawn")  # not forked: a process with threads may not be
    reader, writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _begin, (reader,))
    try:
        yield pool
    except BaseException:
        writer.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        writer.close()
        reader.close()


def _begin(reader) -> None:
    """What a process does first: leave Ctrl-C to the first one, and wait for its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what overflows is in the numbers
    threading.Thread(target=_leave_with, args=(reader,), daemon=True).start()


def _leave_with(reader) -> None:
    """End this process when the pipe's other end is closed: by the first process, or because it is gone."""
    with contextlib.suppress(EOFError, OSError):
        reader.recv()
    os._exit(1)
