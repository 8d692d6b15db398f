"""A picture is written whole where a path is given, and nothing is drawn where there is none."""

import matplotlib.image
import pytest

from tests.command_line import assert_refused, everything_in, run
from verify.pages.console import Failure
from verify.pages.figure import write_figure


def test_a_picture_has_its_size_and_is_told_of(tmp_path):
    """The PNG has the inches asked for at 160 dots each, and the reader is told where it is."""
    path = str(tmp_path / "x.png")
    assert write_figure(path, False, lambda figure: figure.subplots().plot([1, 2]), (3.0, 2.0)) == [
        f"wrote {path}"
    ]
    assert matplotlib.image.imread(path).shape[:2] == (320, 480)
    with pytest.raises(Failure, match="--force"):
        write_figure(path, False, lambda figure: None)


def test_without_a_path_nothing_is_drawn():
    """No path: no figure, nothing to tell."""
    assert write_figure(None, False, lambda figure: pytest.fail("drawn")) == []


@pytest.mark.parametrize("name, start", [("x.png", b"\x89PNG"), ("x.PDF", b"%PDF-"), ("x.svg", b"<?xml")])
def test_a_picture_is_what_its_ending_says(name, start, tmp_path):
    """PNG, PDF or SVG by the ending of the file, in either case."""
    write_figure(str(tmp_path / name), False, lambda figure: figure.subplots().plot([1, 2]))
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.png.tmp"])
def test_another_ending_is_refused_before_anything_is_computed(name, tmp_path):
    """One line names the option, what it must be and what was given, and no file appears; so from Python."""
    path = str(tmp_path / name)
    line = assert_refused(run("profile", "two_modes", "--out", path))
    assert "--out must end in .png, .pdf or .svg, got" in line and name in line
    with pytest.raises(Failure, match="must end in"):
        write_figure(path, False, lambda figure: pytest.fail("drawn"))
    assert everything_in(tmp_path) == []
