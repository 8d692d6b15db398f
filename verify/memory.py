"""Memory that arrays have given back is kept for the next ones: the system would clear every page of it anew."""

import ctypes
import os

#: Parameters of glibc's mallopt, and bytes: arrays up to the second are taken from memory that is kept up to the first.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT, LARGEST = 1 << 28, 1 << 25
#: Variables of glibc that say something else.
_SET_BY_USER = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"


def keep_freed_memory() -> bool:
    """Ask glibc to keep it; whether it does: other C libraries and variables of the user's stay as they are."""
    if any(name in os.environ for name in _SET_BY_USER):
        return False
    try:
        ask = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(ask(_TRIM_THRESHOLD, KEPT)) and bool(ask(_MMAP_THRESHOLD, LARGEST))
