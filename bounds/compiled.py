"""Loops that numba compiles, where the extra ``fast`` is installed and a process has work enough to pay for that."""

import importlib
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from types import FunctionType

#: Seconds of work in one thread from which loading numba and a loop, 0.4 s (2 s the first time, when nothing is kept
#: yet), is paid for.
WORTH = 0.5
_spent = ContextVar("seconds of work until now", default=0.0)


def anew() -> None:
    """Count from nothing again: a question whose answer is compared or kept is answered as if it were the first, so that
    no digit of it depends on what the process did before."""
    _spent.set(0.0)


def compiled(loop: Callable, seconds: float, *helpers: Callable) -> Callable | None:
    """numba's translation of ``loop``, which may call ``helpers``; None without a numba that works here, and until there
    has been work enough.

    ``seconds`` is how long the work at hand takes without numba, roughly: they add up over the thread (`anew`), and
    whoever has worked for so long as loading takes is likely to work on.
    """
    if _spent.get() < WORTH:
        _spent.set(_spent.get() + seconds)
        return None
    return _kept(loop, *helpers)


def translated(loop: Callable, *helpers: Callable) -> Callable | None:
    """numba's translation, kept on disk beside the loop's file, or in NUMBA_CACHE_DIR; None without numba."""
    try:
        numba = importlib.import_module("numba")
    except ImportError:  # not installed, or not for this numpy
        return None
    if helpers:
        known = loop.__globals__ | {helper.__name__: numba.njit(helper, nogil=True) for helper in helpers}
        loop = FunctionType(loop.__code__, known, loop.__name__)
    try:
        return numba.njit(loop, nogil=True, cache=True)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(loop, nogil=True)


_kept = cache(translated)
