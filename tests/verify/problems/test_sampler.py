"""The table [sampler] of a problem file: read, written in normal form, replaced by a built-in, refused."""

import pytest

from tests.command_line import answer, assert_refused, run
from verify.problems.problem import ProblemError, load_problem, read_problem
from verify.problems.writing import save_problem

TABLES = {
    "process": {"family": "ou"},
    "data": {"law": "gaussian", "mean": [1.0], "covariance": 0.5},
    "sampler": {"P": "1 + F", "Q": "G", "noise": 0.01},
    "scheme": {"horizon": 1.0, "steps": 10},
}


def changed(section, **values):
    """The tables with values changed in one, None for a key taken away."""
    table = {**TABLES[section], **values}
    return {**TABLES, section: {key: value for key, value in table.items() if value is not None}}


def test_the_normal_form_is_read_as_the_same_problem(tmp_path):
    """Defaults are filled in, and what is written is read again as an equal problem."""
    found = read_problem(TABLES, source="p.toml")
    assert found.as_dict()["sampler"] == {"key": "own", "P": "1 + F", "Q": "G", "noise": 0.01}
    assert found.as_dict()["scheme"]["kind"] == found.scheme.key == "own"
    save_problem(tmp_path / "p.toml", found.as_dict())
    assert load_problem(tmp_path / "p.toml") == found


def test_a_named_sampler_takes_its_place(tmp_path):
    """``scheme.kind`` may name the file's own sampler or a built-in one, which leaves the formulas out."""
    assert read_problem(changed("scheme", kind="own")).scheme.key == "own"
    other = read_problem(changed("scheme", kind="ancestral"))
    assert other.scheme.key == "ancestral" and "sampler" not in other.as_dict()
    save_problem(tmp_path / "p.toml", changed("sampler", key="mine"))
    assert read_problem(answer("bound", tmp_path / "p.toml")["problem"]).scheme.key == "mine"
    asked = "bound", tmp_path / "p.toml", "--theorem", "martingale", "--set"
    one, other = (answer(*asked, f"sampler.noise={noise}") for noise in (0.01, "G"))
    assert one["results"][0]["total"] > other["results"][0]["total"]


@pytest.mark.parametrize(("tables", "message"), [
    (changed("sampler", P=None), "sampler.P is missing"),
    (changed("sampler", R="1"), "unknown key sampler.R for sampler, which takes key, P, Q, noise, source"),
    (changed("sampler", P="1 + q"), "sampler own: P must be a formula in known symbols: 'q' is neither"),
    (changed("sampler", Q=True), "sampler own: Q must be a formula, text or a number, got bool"),
    (changed("sampler", Q=["G"]), "sampler own: Q must be a formula, text or a number, got list"),
    (changed("sampler", key="ancestral"), "sampler.key must be a key that no sampler of this package has"),
    (changed("sampler", key="two words"), "sampler: key must be letters, digits and hyphens, and no number"),
    (changed("sampler", key=[1]), "sampler: key must be letters, digits and hyphens, and no number, got [1]"),
    (changed("sampler", source=""), "sampler own: source must be a text, got ''"),
    (changed("scheme", kind="onw"), "scheme.kind must be one of "),
    ({**TABLES, "sampler": "1 + F"}, "sampler must be a table, got"),
    ({**TABLES, "smapler": {}}, "unknown section [smapler] (did you mean 'sampler'?); a problem has process, "
     "data, scheme, and may have sampler"),
    ({**TABLES, "process": {"family": "cld"}}, "process: scheme must be one of "),
])
def test_wrong_tables_are_refused(tables, message):
    """One line names the key, the requirement and what came."""
    with pytest.raises(ProblemError) as refused:
        read_problem(tables)
    assert str(refused.value).startswith(message) and str(refused.value).isprintable()


def test_a_step_without_a_number_ends_a_command_in_one_line(tmp_path):
    """What a formula gives is known only at its steps: the command says which, and ends with 2."""
    save_problem(tmp_path / "p.toml", changed("sampler", noise="h - 1/5"))
    for command in ("bound", "certify", "lower-bound"):
        line = assert_refused(run(command, tmp_path / "p.toml"))
        assert "noise must be at least 0 in every step, got -0.1 in the step from t = 1 to r = 0.9" in line
