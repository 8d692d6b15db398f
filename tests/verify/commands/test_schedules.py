"""The command ``schedules``."""

from tests.command_line import answer, assert_refused, problem, run, schema


def test_two_schedules_in_json_text_and_picture(tmp_path):
    """Rows, verdict and picture are there."""
    args = (
        "schedules",
        problem(tmp_path, "gaussian"),
        "--steps",
        50,
        "--schedule",
        "OU",
        "--schedule",
        "VE, constant",
    )
    document = answer(*args, "--out", tmp_path / "s.png")
    schema("schedules").validate(document)
    assert document["holds"] and {row["schedule"] for row in document["rows"]} == {"OU", "VE, constant"}
    assert (tmp_path / "s.png").stat().st_size > 10_000
    assert "VE, constant" in run(*args).stdout


def test_constants_alone_are_refused(tmp_path):
    """Without a law there is no exact W2; unknown schedules are named."""
    assert "law in closed form" in assert_refused(run("schedules", problem(tmp_path, "strong")))
    assert "VP, linear" in assert_refused(run("schedules", "two_modes", "--schedule", "cubic"))
