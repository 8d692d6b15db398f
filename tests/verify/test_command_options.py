"""The problem a command is asked about: files, bundled names, overrides, and mistakes in them."""


import pytest

from tests.bad_problems import BAD_OVERRIDES, BAD_PROBLEMS
from tests.command_line import answer, assert_refused, everything_in, problem, run


def test_set_overrides_the_file():
    """The problem evaluated is the one with the overrides, and the document records it."""
    document = answer("bound", "two_modes", "--set", "scheme.steps=7", "--set", "data.std=1.5")
    assert document["problem"]["scheme"]["steps"] == 7
    assert document["problem"]["data"]["std"] == 1.5
    assert document["results"][0]["details"]["steps"] == 7


def test_a_path_that_exists_wins_over_a_bundled_name(tmp_path, monkeypatch):
    """A file called two_modes in the working folder is read in place of the bundled problem."""
    problem(tmp_path, "gaussian").rename(tmp_path / "two_modes")
    monkeypatch.chdir(tmp_path)
    assert answer("bound", "two_modes")["problem"]["data"]["law"] == "gaussian"


@pytest.mark.parametrize("bad", BAD_PROBLEMS, ids=lambda bad: bad.name)
def test_bad_problems_are_one_line(bad, tmp_path):
    """Each mistake in a file gives exit 2 and one line with the expected words, and nothing is written."""
    path = bad.write(tmp_path)
    before = everything_in(tmp_path)
    assert bad.fragment in assert_refused(run("bound", path))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("override", BAD_OVERRIDES, ids=lambda text: text[:20])
def test_bad_overrides_are_one_line(override, tmp_path):
    """Each mistake in --set gives exit 2 and one line with the expected words."""
    line = assert_refused(run("certify", problem(tmp_path, "gaussian"), "--set", override))
    assert BAD_OVERRIDES[override] in line
