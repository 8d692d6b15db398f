"""A command's file appears whole or not at all, and what was there stays."""

import errno
import signal
import time

import numpy as np
import pytest

from tests.command_line import assert_refused, everything_in, problem, run, started


def test_sample_replaces_a_file_only_by_force(tmp_path):
    """An existing file stays as it was, byte for byte, unless --force is given."""
    path, out = problem(tmp_path, "gaussian"), tmp_path / "x.npy"
    out.write_bytes(b"precious")
    assert "--force" in assert_refused(run("sample", path, "--out", out))
    assert out.read_bytes() == b"precious"
    assert run("sample", path, "--out", out, "-n", 10, "--force").exit_code == 0
    assert np.load(out).shape == (10, 2)


@pytest.mark.parametrize("out", ["missing/x.npy", "problem.toml/x.npy", ".", "x" * 300, "a\0b"])
def test_sample_refuses_a_path_it_cannot_write(out, tmp_path):
    """Folders, missing folders and impossible names are one line, and nothing is written."""
    path = problem(tmp_path, "gaussian")
    before = everything_in(tmp_path)
    assert_refused(run("sample", path, "--out", f"{tmp_path}/{out}", "-n", 10))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("the score does not exist"), 2),
        (MemoryError(), 2),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (KeyboardInterrupt(), 130),
    ],
    ids=["ValueError", "MemoryError", "full disk", "Ctrl-C"],
)
def test_a_run_that_fails_leaves_no_file(error, code, tmp_path, monkeypatch):
    """Whatever stops the sampler, the temporary file goes and the old file stays."""

    def fail(*_, out, **__):
        out[:] = 1.0
        raise error

    monkeypatch.setattr("verify.particles.simulation.sample", fail)
    path, out = problem(tmp_path, "gaussian"), tmp_path / "x.npy"
    out.write_bytes(b"precious")
    before = everything_in(tmp_path)
    assert_refused(run("sample", path, "--out", out, "-n", 10, "--force"), code)
    assert (everything_in(tmp_path), out.read_bytes()) == (before, b"precious")


@pytest.mark.parametrize(
    ("stop", "code", "line"), [("SIGINT", 130, b"sgm-bounds: interrupted\n"), ("SIGTERM", 143, b"")]
)
def test_a_killed_run_leaves_no_file(stop, code, line, tmp_path):
    """Ctrl-C and termination in the middle of a long run remove the unfinished file."""
    path = problem(tmp_path, "mixture")
    before = everything_in(tmp_path)
    process = started("sample", path, "--out", tmp_path / "x.npy", "-n", 10_000_000)
    while everything_in(tmp_path) == before and process.poll() is None:
        time.sleep(0.05)
    assert everything_in(tmp_path) != before
    process.send_signal(getattr(signal, stop))
    out, err = process.communicate()
    assert (process.returncode, out, err) == (code, b"", line)
    assert everything_in(tmp_path) == before
