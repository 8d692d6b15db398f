"""The file of answers: whole lines only, put in order at the end, and refusals in one line."""

import errno
import json
import os

import pytest

from verify.sweeps.lines import Lines

A, B = ({"cell": place, "key": str(place), "failed": None, "said": "∫\u2028"} for place in (0, 1))


def kept(path):
    """Keys of the answers in a file."""
    lines = Lines(path)
    lines.close()
    return sorted(lines.answers)


def test_a_line_that_was_cut_off_is_none(tmp_path):
    """Whole lines come back, what was cut off is removed, and the file goes on after it."""
    path = tmp_path / "o.jsonl"
    lines = Lines(path)
    lines.add(A)
    lines.close()
    part = tmp_path / "o.jsonl.part"
    part.write_bytes(part.read_bytes() + b'{"cell": 1, "k')
    again = Lines(path)
    assert list(again.answers.values()) == [A]
    again.add(B)
    again.close()
    assert kept(path) == ["0", "1"]


def test_the_end_replaces_the_file_at_one_stroke(tmp_path):
    """The finished file has the header, then the lines as given; nothing else is left, and it is read again."""
    path = tmp_path / "o.jsonl"
    for _ in range(2):
        lines = Lines(path)
        lines.add(B)
        lines.finish({"header": True}, [A, B])
        lines.close()
        assert [os.path.basename(each) for each in tmp_path.iterdir()] == ["o.jsonl"]
    assert path.read_text().startswith('{"header": true}\n{"cell": 0') and kept(path) == ["0", "1"]
    assert len(list(tmp_path.iterdir())) == 1


def test_one_run_at_a_time(tmp_path):
    """A file that another run writes is refused in one line."""
    lines = Lines(tmp_path / "o.jsonl")
    with pytest.raises(BlockingIOError, match=r"o.jsonl' is being written by another run"):
        Lines(tmp_path / "o.jsonl")
    lines.close()
    assert kept(tmp_path / "o.jsonl") == []


@pytest.mark.parametrize("text", ["[process]\n", "no line", '{"number": 3}\n', '{"key": 3}\n', "[1]\n", "\n"])
def test_other_files_are_refused(tmp_path, text):
    """A file that no sweep wrote is refused, and left as it was."""
    path = tmp_path / "o.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match="must be what a sweep wrote"):
        Lines(path)
    assert path.read_text() == text and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_one_line(tmp_path, monkeypatch):
    """A line that no longer fits is taken back, and the error says how many cells are kept."""
    lines, real = Lines(tmp_path / "o.jsonl"), os.write
    lines.add(A)

    def full(handle, data):
        if len(data) < len(whole):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data[:9])

    whole = json.dumps(B) + "\n"
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=r"cannot write .*o.jsonl.part': the disk is full; 1 cells are kept"):
        lines.add(B)
    monkeypatch.undo()
    lines.close()
    assert (tmp_path / "o.jsonl.part").read_bytes().count(b"\n") == 1 and kept(tmp_path / "o.jsonl") == ["0"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A folder that is not there, and one in place of a file, are refused."""
    with pytest.raises(OSError, match=r"cannot write .*No such file"):
        Lines(tmp_path / "none" / "o.jsonl")
    with pytest.raises(ValueError, match="not a regular file"):
        Lines(tmp_path)
