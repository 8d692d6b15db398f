"""Memory that is kept: pages are not asked for twice."""

import os
import platform
import subprocess
import sys

import pytest

#: Twenty times as many arrays of a mebibyte are filled and given back; pages that the system cleared for them.
FILL = """
import resource, numpy, verify.memory
kept = verify.memory.keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    arrays = [numpy.ones(1 << 17) for _ in range(20)]
    del arrays
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
MEBIBYTES, PAGE = 20, 4096


def filled(**variables):
    """(Whether memory was kept, pages cleared) in a process of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run([sys.executable, "-c", FILL], capture_output=True, text=True, check=True,
                          env=own | variables)
    kept, pages = done.stdout.split()
    return kept == "True", int(pages)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_pages_are_cleared_once():
    """Arrays given back are filled again without new pages, where they were cleared twenty times; what the user says
    of memory stays."""
    kept, pages = filled()
    asked, others = filled(MALLOC_MMAP_THRESHOLD_="131072")
    once = MEBIBYTES * 2**20 / PAGE
    assert kept and not asked
    assert pages < 3 * once and others > 15 * once


def test_other_libraries_are_left_alone(monkeypatch):
    """Where there is no mallopt nothing is kept and nothing fails."""
    from verify import memory

    for failure in (AttributeError, OSError, TypeError):
        def none(_, failure=failure):
            raise failure

        monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
        monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
        monkeypatch.setattr(memory.ctypes, "CDLL", none)
        assert memory.keep_freed_memory() is False
