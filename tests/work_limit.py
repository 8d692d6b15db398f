"""Bound the work of a piece of code by counting its function calls, the same on every machine."""

import contextlib
import sys
from collections.abc import Iterator


class TooMuchWork(BaseException):
    """More calls than allowed; not an Exception, so that no refusal swallows it."""


@contextlib.contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Raise `TooMuchWork` in the block, in this thread, at the first call beyond ``calls``."""
    left, before = calls, sys.getprofile()

    def count(_frame, event, _argument):
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            raise TooMuchWork(f"more than {calls} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
