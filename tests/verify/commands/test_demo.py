"""demo: two problems certified and one picture, or nothing."""

import errno

import pytest

from tests.command_line import answer, assert_refused, everything_in, run, schema
from verify.commands.demo import DEMO_STEPS, PICTURE, load_question


@pytest.fixture
def quick_demo(monkeypatch):
    """The demo with few steps."""
    monkeypatch.setattr(
        "verify.commands.demo.load_question",
        lambda name, overrides: load_question(name, (*overrides, "scheme.steps=10")),
    )
    monkeypatch.setattr("verify.commands.demo.DEMO_STEPS", dict.fromkeys(DEMO_STEPS, (5, 10)))


@pytest.mark.usefixtures("quick_demo")
def test_demo_certifies_both_problems_and_writes_one_picture(tmp_path):
    """Both problems hold, the folder is made, and exactly one PNG is in it; a second run replaces it."""
    folder = tmp_path / "new" / "out"
    document = answer("demo", "--out", folder)
    schema("certificate").validate(document)
    verdicts = [entry["verdict"] for entry in document["certificates"]]
    assert set(verdicts) <= {"HOLDS", "NOT_APPLICABLE"}
    assert [e["verdict"] for e in document["certificates"] if e["theorem"] == "martingale"] == ["HOLDS"] * 2
    assert everything_in(folder) == [PICTURE]
    assert (folder / PICTURE).read_bytes().startswith(b"\x89PNG\r\n")
    result = run("demo", "--out", folder)
    assert result.exit_code == 0 and str(folder / PICTURE) in result.stdout
    assert result.stdout.count("HOLDS") == verdicts.count("HOLDS")


@pytest.mark.usefixtures("quick_demo")
def test_a_demo_that_fails_leaves_no_picture(tmp_path, monkeypatch):
    """An error while the picture is written leaves nothing in the folder."""

    def fail(_self, path, **_):
        path.write_bytes(b"half a picture")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    assert "No space left" in assert_refused(run("demo", "--out", tmp_path))
    assert everything_in(tmp_path) == []
