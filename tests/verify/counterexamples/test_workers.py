"""Work in parts: the same here and in other processes, and none of it twice."""

import os
from itertools import count

import pytest

from bounds.compiled import WORTH, compiled
from bounds.theorems import theorems
from verify.counterexamples.workers import Done, in_parts

ASKED = {"command": "test", "theorem": "martingale"}


def squared(item, theorem, stop):
    """A part of work."""
    return item**2, theorem and theorem.key, stop()


@pytest.mark.parametrize("workers", [1, 2])
def test_parts_are_done_anywhere(workers):
    """Every item is worked on once, with the theorem found by its name; endless work ends when nobody asks
    for more."""
    found = sorted(in_parts(squared, range(5), "martingale", workers))
    assert found == [(item**2, "martingale", False) for item in range(5)]
    endless = in_parts(squared, count(), theorems()["martingale"], workers)
    assert next(endless)[1] == "martingale"
    endless.close()


def test_what_is_done_is_kept(tmp_path):
    """Parts come back from the file, one cut off at its end does not, and the file goes on after it."""
    path = tmp_path / "done.jsonl"
    done = Done(path, ASKED)
    done.add({"number": 3, "found": [1.5, float("inf")]})
    path.write_bytes(path.read_bytes() + b'{"number": 4, "fou')
    again = Done(str(path), ASKED)
    assert again.parts == {3: {"number": 3, "found": [1.5, float("inf")]}}
    again.add({"number": 5})
    assert list(Done(path, ASKED).left(range(7))) == [0, 1, 2, 4, 6]


def test_without_a_file_it_is_remembered():
    """Without a path parts are kept in memory."""
    done = Done(None, ASKED)
    done.add({"number": 0})
    assert list(done.left(range(2))) == [1]


@pytest.mark.parametrize(("text", "why"), [
    ('{"command": "test", "theorem": "mine"}\n', "must be of a run with theorem martingale, got mine"),
    ("[process]\n", "line 1 of .* must be a JSON object"),
    ("no line at all", "must be what an earlier run wrote"),
    ('{"command": "test", "theorem": "martingale"}\n{"found": 1}\n', "line 2 of .* must have a number"),
])
def test_other_files_are_refused(tmp_path, text, why):
    """A file that is about something else, or was not written by an earlier run, is refused and left as it
    was."""
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(ValueError, match=why):
        Done(path, ASKED)
    assert path.read_text() == text


def worked(item, theorem, stop):
    """Whether this item finds that nothing was worked before, and then works."""
    return compiled(squared, 2 * WORTH) is None


@pytest.mark.parametrize("workers", [1, 2])
def test_every_part_is_the_first(workers):
    """Work that would pay for compiled loops is not counted from one item to the next, in this process or another."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")
    assert list(in_parts(worked, range(4), None, workers)) == [True] * 4
