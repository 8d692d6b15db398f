"""The command ``refute``."""

import textwrap

import pytest

from tests.command_line import answer, assert_refused, run, schema
from tests.whole.planted import CLAIM

MARTINGALE = ("--theorem", "martingale", "--seconds", 0.01)


@pytest.fixture
def false_claim(tmp_path):
    """A file with a claim whose initial term is e^{−2T} for e^{−T}."""
    path = tmp_path / "false.toml"
    values = {**CLAIM, "initial": "exp(-T)^2*sqrt(m2)"}
    path.write_text("[claim]\n" + "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in values.items()))
    return path


def test_a_counterexample_is_saved(false_claim, tmp_path):
    """Exit code 1, the JSON of the schema, and a problem file that certify finds violated as its comment
    says."""
    saved = tmp_path / "found.toml"
    document = answer("refute", "--theorem", false_claim, "--save", saved, code=1)
    schema("refute").validate(document)
    assert document["violated"]["verdict"] == "VIOLATED" and document["theorem"] == "synchronous"
    information = document["violated"]["information"]
    certified = answer("certify", saved, "--theorem", false_claim, "--information", information, code=1)
    assert certified["certificates"][0]["bound"]["total"] == document["violated"]["bound"]
    said = run("refute", "--theorem", false_claim, "--save", saved, "--force")
    assert said.exit_code == 1 and f"--information {information}" in saved.read_text()
    assert said.stdout.startswith("synchronous is VIOLATED: bound") and f"wrote {saved}" in said.stdout
    assert "exists already; --force replaces it" in assert_refused(
        run("refute", "--theorem", false_claim, "--save", saved))


def test_a_true_theorem_is_not_refuted():
    """Exit code 0, and the tightest problem with its ratio; nothing is saved."""
    document = answer("refute", *MARTINGALE)
    schema("refute").validate(document)
    assert document["violated"] is None and document["tightest"]["ratio"] >= 1 and document["applied"] == 1
    text = run("refute", *MARTINGALE).stdout
    assert text.startswith("martingale: no counterexample in 1 rounds") and "[process]" in text


def test_where_nothing_applies(tmp_path):
    """A theorem whose hypotheses nothing drawn meets ends with exit code 2: one line, or a JSON document."""
    path = tmp_path / "mine.toml"
    path.write_text(textwrap.dedent("""
        [claim]
        key = "mine"
        source = "Me"
        terms = {initialisation = "m2"}
        hypotheses = ["1 < 0"]
        process = ["ou"]
        """))
    asked = ("refute", "--theorem", path, "--seconds", 0.01)
    assert "mine: none of 1 problems drawn meets its hypotheses" in assert_refused(run(*asked))
    document = answer(*asked, code=2)
    schema("refute").validate(document)
    assert (document["applied"], document["tightest"]) == (0, None)


def test_a_theorem_in_python_goes_to_other_processes(tmp_path):
    """A theorem that cannot be pickled is found by its name in every process, and refuted there."""
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent("""
        from dataclasses import replace
        from bounds.theorems import theorems
        GAO = theorems()["gao2025-general-sde"].corrupted("score", "1/100")
        MINE = replace(GAO, key="mine", evaluate=lambda *given: GAO.evaluate(*given))
        """))
    document = answer("refute", "--theorem", f"{path}:MINE", "--workers", 2, code=1)
    assert (document["theorem"], document["violated"]["verdict"]) == ("mine", "VIOLATED")


@pytest.mark.parametrize(("args", "fragment"), [
    ((), "Missing option '--theorem'"),
    (("--theorem", "nothing"), "theorem must be one of martingale"),
    ((*MARTINGALE[:2], "--seconds", "0"), "not in the range"),
    ((*MARTINGALE[:2], "--workers", "0"), "not in the range"),
    ((*MARTINGALE, "--save", "nowhere/found.toml"), "cannot write"),
    ((*MARTINGALE, "--resume", "README.md"), "must be a JSON object"),
])
def test_mistakes_are_one_line(args, fragment):
    """What is wrong with the options is said in one line."""
    assert fragment in assert_refused(run("refute", *args))
