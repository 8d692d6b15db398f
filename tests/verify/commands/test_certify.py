"""certify: verdicts, numbers and exit codes are those of the library."""

import json

import numpy as np
import pytest

import verify.certificates.certificate
from bounds.theorems import theorems
from tests.command_line import FAST, answer, assert_refused, problem, run, schema
from verify import bundled_problem, certify, load_problem
from verify.certificates.certificate import Certificate, Verdict
from verify.commands.certify import verdict_code

NOT_PLANAR = {"data.means": "[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]",
              "data.weights": None}


def test_certify_holds_and_measures_once(monkeypatch):
    """Every theorem that applies holds against one measurement, and certificates can be read again.

    The theorems on position and velocity and on samplers without noise do not apply.
    """
    calls = []
    measure = verify.certificates.certificate.measure
    monkeypatch.setattr(
        verify.certificates.certificate, "measure", lambda *args: calls.append(1) or measure(*args)
    )
    document = answer("certify", "lower_bound", *FAST)
    schema("certificate").validate(document)
    assert len(calls) == 1
    question = load_problem(bundled_problem("lower_bound"), ["scheme.steps=20"])
    for entry in document["certificates"]:
        schema("certificate").validate(entry)
        again = Certificate.from_json(json.dumps(entry))
        if again.theorem in ("strasman2025-cld", "flow"):
            assert again.verdict is Verdict.NOT_APPLICABLE and again.bound is None
            continue
        expected = certify(again.theorem, process=question.process, law=question.law, scheme=question.scheme)
        assert again.verdict is Verdict.HOLDS
        assert (again.bound, again.measured) == (expected.bound, expected.measured)


def test_certify_prints_verdict_bound_measurement_and_ratio():
    """The table has the four digits of bound, exact error and ratio, and how the error was measured."""
    (entry, *_) = answer("certify", "two_modes", *FAST)["certificates"]
    text = run("certify", "two_modes", *FAST).stdout
    row = next(line.split() for line in text.splitlines() if line.startswith(" martingale "))
    exact = entry["measured"]["upper"]
    assert row[:5] == [
        "martingale",
        "HOLDS",
        *(f"{x:.4g}" for x in (entry["bound"]["total"], exact, entry["ratio"])),
    ]
    assert entry["measured"]["method"] in text


def test_a_violated_bound_exits_1(monkeypatch):
    """A corrupted statement is caught, and the exit code says so even though other theorems hold."""
    corrupted = theorems()["martingale"].corrupted("variance_known", "1/4")
    monkeypatch.setattr("bounds.theorems.theorems", lambda: {**theorems(), "martingale": corrupted})
    certificates = answer("certify", "ve_constant", code=1)["certificates"]
    verdicts = {entry["theorem"]: entry["verdict"] for entry in certificates}
    assert verdicts["martingale"] == "VIOLATED" and verdicts["gaussian-lower-bound"] == "HOLDS"
    assert "VIOLATED" in run("certify", "ve_constant").stdout


def test_where_no_exact_law_is_known_both_sides_are_finite(tmp_path):
    """Means that span a space leave a bracket from samples, with the reason; more samples may be asked for."""
    path = problem(tmp_path, "mixture", NOT_PLANAR)
    document = answer("certify", path, code=0)
    schema("certificate").validate(document)
    entry = document["certificates"][0]
    measured = entry["measured"]
    assert 0 <= measured["lower"] < measured["upper"] <= measured["proved"] <= entry["bound"]["total"]
    assert (entry["verdict"], measured["given"], entry["seed"]) == ("HOLDS", "", 0) and entry["ratio"] > 1
    assert "span 3 dimensions" in measured["method"] and "at confidence 1 - 1e-06" in measured["estimated"]
    assert "W2, from samples" in " ".join(run("certify", path).stdout.split())
    sampled = answer("certify", path, "--samples", 2000, "--seed", 4, code=3)
    schema("certificate").validate(sampled)
    entry = sampled["certificates"][0]
    assert "2000 samples" in entry["measured"]["method"] and entry["seed"] == 4
    assert entry["measured"]["given"] in theorems() and entry["ratio"] is not None


def test_a_measurement_that_fails_is_inconclusive(monkeypatch):
    """When the exact law cannot be computed the reason takes the place of the method."""

    def fail(*_):
        raise ValueError("the grid would be too large")

    monkeypatch.setattr(verify.certificates.certificate, "measure", fail)
    entry = answer("certify", "two_modes", *FAST, code=3)["certificates"][0]
    assert entry["measured"] == {
        "lower": 0.0,
        "upper": None,
        "method": "not measured: the grid would be too large",
        "given": None,
        "proved": None,
        "proof": None,
        "estimated": "",
    }


def test_certify_needs_a_law(tmp_path):
    """Constants alone leave nothing to compare with: one line names what is missing."""
    assert "data.law" in assert_refused(run("certify", problem(tmp_path, "strong")))


def test_the_measured_score_error_is_described():
    """With a score error the reader is told which error the measured sampler has."""
    result = run("certify", "wide_gaussian", *FAST, "--set", "scheme.score_error=0.1")
    assert result.exit_code == 0 and "constant vector of norm 0.1" in result.stdout
    said = " ".join(result.stdout.split())
    assert "another error of that L2 size, such as a network's, has another W2" in said
    entry = answer("certify", "wide_gaussian", *FAST, "--set", "scheme.score_error=0.1", "--set",
                   "scheme.score_noise=0.2", "--theorem", "martingale")["certificates"][0]
    assert entry["measured"]["method"].endswith(
        "; its score is off by one constant vector of norm 0.1 and fresh noise of L2 size 0.2 a step")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["HOLDS"], 0),
        (["HOLDS", "NOT_APPLICABLE"], 0),
        (["HOLDS", "VIOLATED", "INCONCLUSIVE"], 1),
        (["HOLDS", "INCONCLUSIVE"], 3),
        (["NOT_APPLICABLE"], 2),
    ],
)
def test_exit_codes_follow_the_worst_verdict(verdicts, code):
    """1 if any is violated, else 3 if any is inconclusive, else 0 if any holds, else 2."""
    assert verdict_code([Certificate("", Verdict(v), None, None, None) for v in verdicts]) == code


def test_given_samples_are_held_against_the_bounds(tmp_path):
    """Samples of the data leave a verdict open, samples far away violate every upper bound, and the method
    says whose samples they are."""
    data = np.random.default_rng(0).standard_normal((4000, 1))
    file, far = tmp_path / "y.npy", tmp_path / "far.npy"
    np.save(file, data)
    np.save(far, data + 30.0)
    path = problem(tmp_path, "gaussian", {"process.family": '"ou"', "process.beta": None, "data.mean": "0.0",
                                          "data.covariance": "1.0"})
    entries = answer("certify", path, "--theorem", "martingale", "--samples-from", file,
                     code=3)["certificates"]
    assert entries[0]["measured"]["method"].startswith("the 4000 samples given, not the exact law of this sampler")
    said = " ".join(run("certify", path, "--samples-from", far).stdout.split())
    assert "W2, from samples" in said and "exact W2" not in said
    assert "note: the W2 is that of the samples given, whatever made them, from the data" in said
    document = answer("certify", path, "--samples-from", far, code=1)
    schema("certificate").validate(document)
    verdicts = {entry["theorem"]: entry["verdict"] for entry in document["certificates"]}
    assert verdicts["martingale"] == "VIOLATED" and verdicts["gaussian-lower-bound"] == "INCONCLUSIVE"


def test_wrong_samples_are_refused(tmp_path):
    """A file that is none, is no array, holds objects or has the wrong shape is refused in one line, and two
    kinds of samples exclude each other."""
    path = problem(tmp_path, "mixture")
    text, objects, shape = (tmp_path / name for name in ("text.npy", "objects.npy", "shape.npy"))
    text.write_text("no array")
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    np.save(shape, np.zeros((200, 3)))
    for file, said in ((tmp_path / "none.npy", "cannot read"), (text, "must be a .npy file"),
                       (objects, "must be a .npy file"), (shape, "x must have shape")):
        assert said in assert_refused(run("certify", path, "--samples-from", file))
    assert "goes neither with" in assert_refused(run("certify", path, "--samples-from", shape, "--samples",
                                                     100))
