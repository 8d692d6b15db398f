"""list and show: everything there is, in words, JSON and LaTeX."""


import pytest
from command_line import answer, run

from bounds.processes import FAMILIES
from bounds.sampler import SAMPLERS
from bounds.theorems import theorems


def test_list_names_everything():
    """Every theorem, process, scheme, assumption and bundled problem is there, in both forms."""
    document = answer("list")
    assert [entry["key"] for entry in document["theorems"]] == list(theorems())
    assert [entry["key"] for entry in document["processes"]] == list(FAMILIES)
    assert [entry["key"] for entry in document["schemes"]] == list(SAMPLERS)
    assert {"two_modes", "old_faithful"} <= {entry["name"] for entry in document["problems"]}
    text = run("list").stdout
    names = [entry.get("key") or entry["name"] for section in document.values() for entry in section]
    assert all(name in text for name in names)


@pytest.mark.parametrize("key", theorems())
def test_show_a_theorem(key):
    """Statement, symbols, hypotheses and source are shown, and both routes agree."""
    facts, theorem = answer("show", key), theorems()[key]
    assert facts["agrees"] and facts["statement"] == theorem.statement
    assert set(facts["stated"]) == set(theorem.stated) and set(facts["symbols"]) == set(theorem.symbols)
    assert [each["name"] for each in facts["hypotheses"]] == [c.name for c in theorem.conditions]
    text, latex = run("show", key).stdout, run("show", key, "--latex").stdout
    assert "expressions agree" in text and theorem.source.paper in text
    assert all(name in text for name in theorem.stated)
    assert latex.startswith(r"\begin{align*}") and theorem.statement in latex
    assert latex.count("{") == latex.count("}")


def test_show_says_when_the_routes_disagree(monkeypatch):
    """A corrupted statement differs from its derivation, and the sheet says so."""
    corrupted = {"martingale": theorems()["martingale"].corrupted("contraction", "9/10")}
    monkeypatch.setattr("bounds.theorems.theorems", lambda: corrupted)
    facts = answer("show", "martingale")
    assert not facts["agrees"] and not facts["stated"]["contraction"]["agrees"]
    assert "DO NOT AGREE" in run("show", "martingale").stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_show_a_process(family):
    """Each family has closed forms from sympy, in words and in LaTeX, with the route."""
    facts = answer("show", family)
    one = {"integral_f", "integral_g_sq", "transition", "covariance", "a", "s_sq"}
    two = {
        "drift", "noise", "transition", "stationary", "covariance", "kernel_mean", "kernel_covariance",
        "renormalised_drift", "metric", "rate",
    }  # fmt: skip
    assert set(facts["closed_forms"]) == (two if family == "cld" else one)
    assert {form["route"] for form in facts["closed_forms"].values()} == {"closed form"}
    latex = run("show", family, "--latex").stdout
    assert (r"\Sigma_\infty = \left[" if family == "cld" else r"\Phi(\tau, r)") in latex
    assert "closed form" in run("show", family).stdout


def test_show_takes_coefficients_and_says_quadrature():
    """--set changes the process; where sympy finds no integral in time the route is quadrature."""
    facts = answer("show", "vp", "--set", "process.beta=2*t")
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t**2/2)"
    facts = answer("show", "cld", "--set", "process.sigma=2", "--set", "process.clock=4*t")
    assert facts["clock"] == "4*t" and "sigma" not in facts["closed_forms"]["stationary"]["expression"]
    facts = answer("show", "ve", "--set", "process.g=exp(sin(t))")
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"
