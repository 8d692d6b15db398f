"""When loops are compiled, and that nothing needs it."""

import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from bounds import compiled as home
from bounds.compiled import anew, compiled, translated


@pytest.fixture(autouse=True)
def fresh():
    """Nothing is translated yet, and what a test translates is forgotten."""
    home._kept.cache_clear()
    yield
    home._kept.cache_clear()


def twice(x):
    return 2 * x


def four_times(x):
    return twice(twice(x))


def test_work_adds_up_until_it_pays_for_loading(monkeypatch):
    """numba is asked for once the work of the process before is as long as loading takes, and is asked once."""
    asked = []
    fake = SimpleNamespace(njit=lambda loop, **options: asked.append(loop) or loop)
    monkeypatch.setitem(sys.modules, "numba", fake)
    assert [compiled(twice, 0.4 * home.WORTH) for _ in range(3)] == [None] * 3 and not asked
    assert compiled(twice, 0.0) is twice
    assert compiled(twice, 0.0) is twice and asked == [twice]


def test_a_question_is_answered_as_the_first(monkeypatch):
    """What was worked before does not count after `anew`, nor in another thread."""
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=lambda loop, **options: loop))
    compiled(twice, 2 * home.WORTH)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(compiled, twice, 0.0).result() is None
    assert compiled(twice, 0.0) is twice
    anew()
    assert compiled(twice, 0.0) is None


def test_nothing_is_compiled_without_numba(monkeypatch):
    """Without numba, or with one that refuses this numpy, there is no translation, however long the work."""
    monkeypatch.setitem(sys.modules, "numba", None)
    assert translated(twice) is None
    assert [compiled(twice, 2 * home.WORTH) for _ in range(2)] == [None] * 2


def test_a_loop_that_cannot_be_kept_is_translated_all_the_same(monkeypatch):
    """Where no folder can be written to the loop is compiled for this process."""
    def njit(loop, *, nogil, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return loop

    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=njit))
    assert translated(twice) is twice
    assert translated(four_times, twice)(3) == 12
