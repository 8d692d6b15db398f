"""Problem files that are written: what is read back, and that they are whole."""

import pytest

from verify.problems.problem import load_problem, read_problem
from verify.problems.writing import problem_text, save_problem

TABLES = {
    "process": {"family": "general", "f": "sin(t)/2", "g": "1 + t"},
    "data": {"law": "mixture", "means": [[-1.5], [1e-05]], "std": 0.5, "weights": [0.25, 0.75]},
    "scheme": {"kind": "exponential", "horizon": 1.0, "steps": 2, "grid": [1.0, 0.1, 0.0]}}


def test_what_is_written_is_read_back(tmp_path):
    """A problem written to a file is read as the same problem, with what is said about it in a comment."""
    file = tmp_path / "p.toml"
    save_problem(file, TABLES, "two\nlines")
    assert load_problem(file).as_dict() == read_problem(TABLES).as_dict()
    assert file.read_text().startswith("# two\n# lines\n") and list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_old_file(tmp_path):
    """What is no problem is not written, and the file that was there stays."""
    file = tmp_path / "p.toml"
    file.write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        save_problem(file, {"scheme": {"horizon": float("inf")}})
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_text_has_a_table_for_each():
    """Every table has its header and a line for every key."""
    text = problem_text(TABLES)
    assert text.count("[process]") == 1 and '"sin(t)/2"' in text and "weights = [0.25, 0.75]" in text
