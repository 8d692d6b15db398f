"""The command ``samplers``."""

from tests.command_line import answer, assert_refused, problem, run, schema

ONLY = ("--sampler", "ddim", "--sampler", "euler-maruyama")


def test_rows_in_json_text_and_picture(tmp_path):
    """Rows, verdicts and picture are there at equal evaluations and at equal steps."""
    path = problem(tmp_path, "gaussian")
    for count in ("--evaluations", "--steps"):
        document = answer("samplers", path, count, 12, *ONLY, "--out", tmp_path / "s.png", "--force")
        schema("samplers").validate(document)
        assert {row["sampler"] for row in document["rows"]} == {"ddim", "euler-maruyama"}
        assert {row["evaluations"] for row in document["rows"]} == {12} and document[count[2:]] == 12
    assert (tmp_path / "s.png").stat().st_size > 10_000
    assert "HOLDS" in run("samplers", path, *ONLY).stdout


def test_evaluations_for_an_error(tmp_path):
    """With an ε each sampler has its plan; a picture of them is drawn."""
    args = ("samplers", problem(tmp_path, "gaussian"), "--eps", 2.0, *ONLY, "--grid", "uniform")
    document = answer(*args, "--out", tmp_path / "s.png")
    schema("samplers").validate(document)
    assert all(row["bound"] <= 2.0 and row["evaluations"] == row["steps"] for row in document["rows"])
    assert (tmp_path / "s.png").stat().st_size > 10_000


def test_constants_alone_are_inconclusive(tmp_path):
    """Without a law there are bounds, a reason in place of the exact W2, and the exit code 3."""
    document = answer("samplers", problem(tmp_path, "strong"), "--steps", 10, *ONLY, code=3)
    schema("samplers").validate(document)
    assert all(row["bound"] > 0 and "constants alone" in row["reason"] for row in document["rows"])


def test_wrong_questions_are_refused(tmp_path):
    """Two kinds of effort, an unknown sampler and an error of nothing are refused in one line."""
    path = problem(tmp_path, "gaussian")
    assert "exclude each other" in run("samplers", path, "--steps", 3, "--eps", 1).stderr
    assert "sampler must be one of" in assert_refused(run("samplers", path, "--sampler", "em"))
    assert "eps must be positive" in assert_refused(run("samplers", path, "--eps", 0))
