"""The command ``experiment``."""

from tests.command_line import answer, assert_refused, run, schema
from tests.quick_results import remembered
from verify import experiments as registry


def test_experiments_are_listed():
    """Without a name every experiment is there with its question."""
    keys = [each["key"] for each in answer("experiment")["experiments"]]
    assert "adaptive-grid" in keys and all(key in run("experiment").stdout for key in keys)


def test_one_experiment_in_json_text_and_picture(tmp_path, monkeypatch, shared_folder):
    """The JSON fits its schema, the picture is written, the text has the findings; it is run once for all
    three."""
    known = remembered(shared_folder)
    monkeypatch.setattr(registry, "experiments", lambda: known)
    document = answer("experiment", "score-error-shape", "--quick", "--out", tmp_path / "e.png")
    schema("experiment").validate(document)
    assert (tmp_path / "e.png").stat().st_size > 10_000
    assert "does not predict W2" in " ".join(run("experiment", "score-error-shape", "--quick").stdout.split())


def test_unknown_names_are_refused():
    """The message lists the experiments."""
    assert "many-modes" in assert_refused(run("experiment", "nothing"))
