"""A time limit for sympy, which may otherwise think forever about a stranger's expression."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

#: An alarm rings again after this: one inside a garbage-collection callback is swallowed.
_AGAIN = 0.1


class Deadline(contextlib.AbstractContextManager):
    """Raise ``TimeoutError`` in the block after ``seconds``, or when an outer one is over (main thread and
    POSIX; elsewhere no limit)."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        #: Whether an outer one was over when this one ended.
        self.outer_over = False

    def __enter__(self):
        self._armed = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if self._armed:
            self._previous = signal.signal(signal.SIGALRM, self._ring)
            self._unraisable, sys.unraisablehook = sys.unraisablehook, self._swallowed
            self._outer, self._started = signal.getitimer(signal.ITIMER_REAL), time.monotonic()
            first = min(self.seconds, self._outer[0] or self.seconds)
            signal.setitimer(signal.ITIMER_REAL, first, _AGAIN)
        return self

    def __exit__(self, *_):
        if self._armed:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, self._previous)
            sys.unraisablehook = self._unraisable
            left, again = self._outer
            if left:  # one that rang in the meantime rings now
                self.outer_over = time.monotonic() - self._started >= left
                left = max(left - (time.monotonic() - self._started), 1e-6)
                signal.setitimer(signal.ITIMER_REAL, left, again)

    def _swallowed(self, unraisable):
        """Say nothing of an alarm that went off where nothing can be raised: it rings again."""
        if unraisable.exc_type is not TimeoutError:
            self._unraisable(unraisable)

    def _ring(self, number, frame):
        # entering and leaving must not stop halfway; it rings again
        below = frame
        while below is not None:
            if below.f_code in _UNBROKEN:
                return
            below = below.f_back
        left = self._outer[0]
        if left and time.monotonic() - self._started >= left and callable(self._previous):
            self._previous(number, frame)
        raise TimeoutError(f"no answer within {self.seconds:g} s")


_UNBROKEN = (Deadline.__enter__.__code__, Deadline.__exit__.__code__)


def attempt(compute: Callable[[], Any], otherwise: Any, seconds: float) -> Any:
    """What sympy computes, or ``otherwise`` where it gives up, has no answer in time or none that prints."""
    deadline = Deadline(seconds)
    try:
        with deadline:
            found = compute()
            str(found)
            return found
    except TimeoutError:
        if deadline.outer_over:
            raise
        return otherwise
    except Exception:  # sympy gives up in many ways: RecursionError in a gcd, ValueError for long numbers, …
        return otherwise
