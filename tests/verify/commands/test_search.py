"""The command ``search``."""

import math

from bounds.theorems import theorems
from tests.command_line import answer, assert_refused, run, schema
from verify.counterexamples import search as searching
from verify.counterexamples.search import Finding


def test_random_problems_hold():
    """Ten problems: none violated, every group has its ratios, and the text has the same table."""
    document = answer("search", "--problems", 10, "--kind", "gaussian", "--most-steps", 50)
    schema("search").validate(document)
    assert document["measured"] == 10 and document["violated"] == 0 and document["not_holding"] == []
    assert {group["theorem"] for group in document["ratios"]} >= {"martingale", "martingale-coupled"}
    assert all(1 <= group["least"] <= group["median"] <= group["largest"] for group in document["ratios"])
    assert (
        "10 of 10 problems measured"
        in run("search", "--problems", 10, "--kind", "gaussian", "--most-steps", 50).stdout
    )


def test_a_seed_draws_its_problem_again():
    """The problems with the least and the largest ratio come back alone, from their seeds, with the same
    ratios."""
    drawn = ("--kind", "gaussian", "--most-steps", 30)
    many = answer("search", "--problems", 6, *drawn)["ratios"]
    group = next(row for row in many if row["theorem"] == "martingale" and row["information"] == "all")
    for end in ("least", "largest"):
        again = answer("search", "--problems", 1, *drawn, "--seed", group[f"{end}_seed"])["ratios"]
        assert [
            row[end] for row in again if row["theorem"] == "martingale" and row["information"] == "all"
        ] == [group[end]]


def test_a_sampler_can_be_asked_for():
    """Only the sampler named is examined; one without a form for the process is refused in one line."""
    drawn = ("--problems", 4, "--kind", "gaussian", "--most-steps", 20)
    assert answer("search", *drawn, "--sampler", "ancestral")["measured"] == 4
    assert "sampler must be one of" in assert_refused(run("search", *drawn, "--sampler", "nothing"))
    assert "for a process of one block" in assert_refused(run("search", *drawn, "--sampler", "leapfrog"))


def test_a_violation_is_exit_code_one(monkeypatch):
    """With a planted error the seeds are named and the exit code is 1."""
    broken = theorems()["martingale"].corrupted("variance_known", 0.25)
    monkeypatch.setattr(searching, "theorems", lambda: {"martingale": broken})
    result = run("search", "--problems", 40, "--kind", "gaussian")
    assert result.exit_code == 1 and "VIOLATED: seed" in result.stdout


def test_critically_damped_langevin_holds():
    """Six problems of position and velocity: none violated, the theorem of one block is not among the
    ratios."""
    document = answer("search", "--problems", 6, "--process", "cld", "--kind", "gaussian", "--most-steps", 20)
    schema("search").validate(document)
    assert (document["process"], document["measured"], document["violated"]) == ("cld", 6, 0)
    found = {group["theorem"] for group in document["ratios"]}
    assert "martingale" in found and "martingale-coupled" not in found
    assert all(1 <= group["least"] <= group["median"] <= group["largest"] for group in document["ratios"])


def test_problems_passed_over_are_counted(monkeypatch):
    """Mixtures in phase space whose exact law is too dear are missing from the count of measured problems."""
    monkeypatch.setattr(searching, "PHASE_BUDGET", 1.0)
    document = answer("search", "--problems", 3, "--process", "cld", "--kind", "mixture", "--most-steps", 10)
    assert (document["problems"], document["measured"], document["ratios"]) == (3, 0, [])


def test_an_infinite_ratio_is_null(monkeypatch):
    """A ratio beyond the floats, or to a W2 of 0, is null in the JSON and "inf" in the table."""
    finding = Finding(0, "Gaussian", "all", "martingale", "HOLDS", math.inf, 0.0, 1.0, math.inf, "drawn")
    monkeypatch.setattr("verify.counterexamples.search.examine_all", lambda *_, **__: [finding])
    document = answer("search", "--problems", 1)
    schema("search").validate(document)
    assert document["ratios"][0]["median"] is None and "inf" in run("search", "--problems", 1).stdout


def test_a_violation_is_saved(tmp_path):
    """With --save the first violation of the theorem asked for is a problem file that certify finds
    violated."""
    wrong, saved = tmp_path / "wrong.py", tmp_path / "found.toml"
    wrong.write_text("from bounds.theorems import theorems\n"
                     "WRONG = theorems()['martingale'].corrupted('variance_known', '1/1000')\n")
    named = ("--theorem", f"{wrong}:WRONG")
    drawn = ("search", "--problems", 12, "--kind", "gaussian", "--most-steps", 50, *named)
    result = run(*drawn, "--save", saved, "--resume", tmp_path / "seeds.jsonl")
    assert result.exit_code == 1 and f"wrote {saved}" in result.stdout
    assert answer(*drawn, "--resume", tmp_path / "seeds.jsonl", code=1)["violated"] >= 1
    found = answer("certify", saved, *named, code=1)["certificates"][0]
    assert found["verdict"] == "VIOLATED" and found["problem"]["data"]["dim"] == 1
    assert "exists already" in assert_refused(run(*drawn, "--save", saved))
