"""A time limit for sympy, which may otherwise think forever about a stranger's expression."""

import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any


class Deadline(contextlib.AbstractContextManager):
    """Raise ``TimeoutError`` in the block after ``seconds`` (main thread, POSIX; elsewhere no limit)."""

    def __init__(self, seconds: float):
        self.seconds = seconds

    def __enter__(self):
        self._armed = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if self._armed:
            self._previous = signal.signal(signal.SIGALRM, self._ring)
            # again every 0.1 s: an alarm inside a garbage-collection callback is swallowed
            self._remaining = signal.setitimer(signal.ITIMER_REAL, self.seconds, 0.1)[0]
        return self

    def __exit__(self, *_):
        if self._armed:
            signal.setitimer(signal.ITIMER_REAL, self._remaining)
            signal.signal(signal.SIGALRM, self._previous)

    def _ring(self, *_):
        raise TimeoutError(f"no answer within {self.seconds:g} s")


def attempt(compute: Callable[[], Any], otherwise: Any, seconds: float) -> Any:
    """What sympy computes, or ``otherwise`` where it gives up, has no answer in time or none that prints."""
    try:
        with Deadline(seconds):
            found = compute()
            str(found)
            return found
    except Exception:  # sympy gives up in many ways: RecursionError in a gcd, ValueError for long numbers, …
        return otherwise
