"""The command ``table``."""

from command_line import answer, assert_refused, problem, run, schema


def test_the_table_in_text_and_json():
    """The JSON holds eight published rows and the problem's own; the text shows them with the remark."""
    document = answer("table", "two_modes")
    schema("table").validate(document)
    assert len(document["rows"]) == 9 and document["rows"][-1]["published"] is None
    assert document["rows"][-1]["martingale"]["steps"] == "√d log(d/ε)/ε"
    text = run("table").stdout
    assert "VP, linear" in text and "logarithm is not needed" in text and "Ω(√d/ε)" in text


def test_formats():
    """Markdown and LaTeX come out as such, and exclude --json."""
    assert run("table", "--format", "latex").stdout.startswith(r"\begin{tabular}")
    assert_refused(run("table", "--format", "latex", "--json"))


def test_a_missing_problem_is_refused(tmp_path):
    """A file that is not there is named."""
    assert "does not exist" in assert_refused(run("table", problem(tmp_path, "gaussian"), tmp_path / "nothing.toml"))
