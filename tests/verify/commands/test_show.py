"""show: a theorem or a family of processes, in words, JSON and LaTeX."""

import sys

import pytest

from bounds import processes
from bounds.processes import families
from bounds.theorems import theorems
from tests.command_line import answer, assert_refused, run
from tests.drawn import thinned


@pytest.mark.parametrize("key", thinned(theorems(), every=3))
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


@pytest.mark.parametrize("family", thinned(families(), every=3))
def test_show_a_process(family):
    """Each family has closed forms from sympy, in words and in LaTeX, with the route."""
    facts = answer("show", family)
    one = {"integral_f", "integral_g_sq", "transition", "covariance", "a", "s_sq"}
    two = {
        "drift", "noise", "transition", "stationary", "covariance", "kernel_mean", "kernel_covariance",
        "renormalised_drift", "metric", "rate",
    }
    damped = {"drift", "noise", "rate_mean", "discriminant", "transition", "stationary"}
    assert set(facts["closed_forms"]) == {"cld": two, "langevin": damped}.get(family, one)
    assert {form["route"] for form in facts["closed_forms"].values()} == {"closed form"}
    latex = run("show", family, "--latex").stdout
    assert (r"\Sigma_\infty = \left[" if family in ("cld", "langevin") else r"\Phi(\tau, r)") in latex
    assert "closed form" in run("show", family).stdout


def test_show_takes_coefficients_and_says_quadrature():
    """--set changes the process; where sympy finds no integral in time the route is quadrature."""
    facts = answer("show", "vp", "--set", "process.beta=2*t")
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t**2/2)"
    facts = answer("show", "cld", "--set", "process.sigma=2", "--set", "process.clock=4*t")
    assert facts["clock"] == "4*t" and "sigma" not in facts["closed_forms"]["stationary"]["expression"]
    facts = answer("show", "ve", "--set", "process.g=exp(sin(t))")
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"


SCALED = '''"""A process whose rate has no example."""

from bounds.process import Coefficient, Family, ForwardProcess
from tests.drawn import thinned


def scaled(rate) -> ForwardProcess:
    """Ornstein–Uhlenbeck at a rate."""
    return ForwardProcess.scalar("scaled", rate, 2 * rate)


FAMILY = Family("scaled", scaled, {"rate": Coefficient()})
'''


@pytest.fixture
def scaled(monkeypatch, tmp_path):
    """A family in a folder of its own, put on the registry's path."""
    (tmp_path / "scaled.py").write_text(SCALED, encoding="utf-8")
    monkeypatch.setattr(processes, "__path__", [*processes.__path__, str(tmp_path)])
    yield "scaled"
    sys.modules.pop("bounds.processes.scaled", None)
    vars(processes).pop("scaled", None)


def test_show_asks_for_coefficients_that_have_no_example(scaled):
    """A family from anywhere is shown; one line says which coefficients must be given, and with them it has
    closed forms."""
    assert scaled in families()
    assert "--set process.rate=..." in assert_refused(run("show", scaled))
    facts = answer("show", scaled, "--set", "process.rate=3")
    assert facts["closed_forms"]["a"]["expression"] == "exp(-3*t)"
