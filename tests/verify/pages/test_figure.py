"""A picture is written whole where a path is given, and nothing is drawn where there is none."""

import matplotlib.image
import pytest

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
