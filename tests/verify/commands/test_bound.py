"""bound and lower-bound: the library's numbers, and which hypotheses are not met."""

import math
from dataclasses import replace

import pytest

from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from tests.bad_problems import VALID
from tests.command_line import FAST, answer, assert_refused, problem, run, schema
from tests.drawn import thinned
from tests.tolerances import THREE_DIGITS
from verify import bundled_problem, load_problem
from verify.certificates.question import setting_of_problem

UNEQUAL = {
    "data.means": "[[0.0], [1.0]]",
    "data.std": None,
    "data.covariances": "[1.0, 0.5]",
    "scheme.kind": '"euler-maruyama"',
}


#: Of problems whose bound takes longest.
FEW_STEPS = {"churn": {"scheme.steps": "10"}, "mixture": {"scheme.steps": "12"}, "cld": {"scheme.steps": "6"}}


@pytest.mark.parametrize("name", ["two_modes", "lower_bound", "ve_constant", "wide_gaussian"])
def test_bound_prints_the_numbers_of_the_library(name):
    """Every theorem appears, with the total, terms and unmet hypotheses that the library gives."""
    document = answer("bound", name, *FAST)
    schema("bound").validate(document)
    setting = setting_of_problem(load_problem(bundled_problem(name), ["scheme.steps=20"]))
    assert [entry["theorem"] for entry in document["results"]] == list(theorems())
    for entry in document["results"]:
        try:
            expected = theorems()[entry["theorem"]].bound(setting)
        except NotApplicable as error:
            assert (entry["applicable"], entry["unmet"]) == (False, list(error.unmet))
        else:
            assert entry["applicable"] and entry["total"] == float(expected.total)
            assert entry["terms"] == {term: float(value) for term, value in expected.terms.items()}


def test_bound_of_one_theorem_that_does_not_apply_exits_2_with_the_reason():
    """The hypothesis that is not met is named, in JSON and in words."""
    document = answer("bound", "two_modes", *FAST, "--theorem", "gaussian-lower-bound", code=2)
    schema("bound").validate(document)
    (entry,) = document["results"]
    assert not entry["applicable"] and entry["unmet"][0].startswith("Gaussian data: ")
    result = run("bound", "two_modes", *FAST, "--theorem", "gaussian-lower-bound")
    assert result.exit_code == 2 and "Gaussian data" in result.stdout


def test_information_constants_leaves_the_mmse_curve_out():
    """A bound from constants alone is larger, and says so."""
    sharp = answer("bound", "two_modes", *FAST)["results"][0]
    plain = answer("bound", "two_modes", *FAST, "--information", "constants")["results"][0]
    assert sharp["total"] < plain["total"]
    assert (sharp["information"], plain["information"]) == ("MMSE curve", "constants")


@pytest.mark.parametrize("base", thinned(sorted(set(VALID) - {"samples", "funnel", "asked"}), every=3))
def test_every_kind_of_problem_gets_a_table(base, tmp_path):
    """Every family, law that proves something, assumption and scheme gets a table with four digits and its
    notes."""
    path = problem(tmp_path, base, FEW_STEPS.get(base, {}))
    document, result = answer("bound", path), run("bound", path)
    schema("bound").validate(document)
    assert result.exit_code == 0 and result.stderr == ""
    entry = next(entry for entry in document["results"] if entry["applicable"])
    assert f"{entry['total']:.4g}" in result.stdout
    flat = " ".join(result.stdout.split())
    assert all(note in flat for note in document["notes"])


def test_unequal_covariances_apply_nowhere_but_can_be_sampled(tmp_path):
    """Where nothing is proved about the data every theorem says why, and the sampler still runs."""
    path = problem(tmp_path, "mixture", UNEQUAL)
    document = answer("bound", path, code=2)
    schema("bound").validate(document)
    assert all("unequal covariances" in entry["unmet"][0] for entry in document["results"])
    certificates = answer("certify", path, code=2)
    schema("certificate").validate(certificates)
    assert {c["verdict"] for c in certificates["certificates"]} == {"NOT_APPLICABLE"}
    assert " ".join(run("certify", path).stdout.split()).count("unequal covariances") == 1
    assert run("sample", path, "--out", tmp_path / "x.npy", "-n", 50).exit_code == 0


def test_an_infinite_bound_is_null_in_json(tmp_path):
    """Overflow never becomes NaN or Infinity in the document."""
    path = problem(tmp_path, "weak", {"data.M": "1e12", "scheme.steps": "400"})
    document = answer("bound", path)
    schema("bound").validate(document)
    assert document["results"][0]["total"] is None
    assert " inf " in run("bound", path).stdout


def test_lower_bound_on_the_standard_gaussian():
    """OU, N(0, I_100): exact 0.006253, leading order sqrt(d) h/4, and K = c T sqrt(d)/eps steps."""
    document = answer("lower-bound", "lower_bound", "--eps", 0.01, "--eps", 1)
    h = 4 / 1600
    assert document["total"] == pytest.approx(0.006253, rel=THREE_DIGITS)
    assert document["leading_order"] == pytest.approx(math.sqrt(100) * h / 4, rel=THREE_DIGITS)
    assert document["c"] == pytest.approx(1 / 4, rel=THREE_DIGITS)
    wanted = [math.ceil(document["c"] * 4 * math.sqrt(100) / eps) for eps in (0.01, 1)]
    assert [needed["steps"] for needed in document["requirements"]] == wanted
    text = run("lower-bound", "lower_bound").stdout
    assert "0.006253" in text and "ε = 0.001" in text


def test_lower_bound_names_what_is_not_met():
    """On a mixture, and with a score error, it exits 2 with the hypotheses that fail."""
    document = answer("lower-bound", "two_modes", "--set", "scheme.score_error=0.1", code=2)
    assert [line.split(":")[0] for line in document["unmet"]] == ["Gaussian data", "exact score"]
    assert run("lower-bound", "two_modes").exit_code == 2


def test_lower_bound_without_a_leading_order():
    """On another grid the exact value stands alone, and asking for an error is refused."""
    grid = ("--set", "scheme.grid=geometric")
    document = answer("lower-bound", "lower_bound", *grid)
    assert document["total"] > 0 and document["c"] is None and document["requirements"] == []
    assert "uniform grid" in assert_refused(run("lower-bound", "lower_bound", *grid, "--eps", 1))


def test_lower_bound_says_where_the_mild_condition_fails(monkeypatch):
    """Where the leading order vanishes no number of steps is claimed."""
    evaluate = theorems()["gaussian-lower-bound"].evaluate

    def vanishing(*args):
        bound = evaluate(*args)
        return replace(bound, details={**bound.details, "leading_order_vanishes": True})

    theorem = replace(theorems()["gaussian-lower-bound"], evaluate=vanishing)
    monkeypatch.setattr("verify.certificates.theorem_named.theorems", lambda: {theorem.key: theorem})
    document = answer("lower-bound", "lower_bound", *FAST)
    assert {needed["steps"] for needed in document["requirements"]} == {None}


def test_lower_bound_with_its_formula_and_picture(tmp_path):
    """--formula gives λ, the integral and the σ0 where c vanishes; --out draws them."""
    document = answer("lower-bound", "lower_bound", "--formula", "--out", tmp_path / "c.png")
    assert document["formula"]["route"] == "closed form" and len(document["formula"]["vanishing"]) == 1
    assert (tmp_path / "c.png").stat().st_size > 10_000
    assert "vanishes at σ0 = 1.26" in run("lower-bound", "lower_bound", "--formula").stdout


def test_a_step_too_long_for_floats_is_named(tmp_path):
    """Where e^(2∫f) of a step leaves the floats, every sampler says so: nothing is NaN, nor silently 0."""
    long = {"scheme.horizon": "4000.0", "scheme.steps": "4", "scheme.grid": None}
    for kind in ("euler-maruyama", "posterior-mean-matched"):
        path = problem(tmp_path, "mixture", {**long, "scheme.kind": f'"{kind}"'})
        line = assert_refused(run("bound", path))
        assert "∫f over a step must be at most 350, got 1000 between t =" in line and "nan" not in line
    switched = {"process.beta": '"1 + 1000000000/(1 + exp((t - 1/2)*400))"'}
    line = assert_refused(run("bound", problem(tmp_path, "gaussian", switched)))
    assert "∫f over a step must be at most 350" in line
    early = {"scheme.kind": '"euler-maruyama"', "scheme.grid": None, "scheme.horizon": "4000.0",
             "scheme.steps": "4000", "scheme.early_stop": "2000.0"}
    assert "early_stop must be" in assert_refused(run("bound", problem(tmp_path, "mixture", early)))
