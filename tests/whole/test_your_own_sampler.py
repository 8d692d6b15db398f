"""Samplers by formulas against the built-in ones on every route and against exact laws; their page, run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bounds import own_sampler, ve
from bounds.certified.steps import ball_steps as claimed_balls
from bounds.conditions import LONGEST
from bounds.recursion.equal_steps import MANY_STEPS
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.certified.steps import ball_steps as true_balls
from closed_form.steps.table import exact_steps
from tests.document_commands import blocks_of, run_commands, write_files
from tests.drawn import thinned
from tests.own_samplers import FORMULAS, PROCESSES, own
from tests.whole.tolerances import STATED_BOUND, STATED_LAW
from verify import certify, planner_of, sample
from verify.certificates.certificate import certify_setting, measure
from verify.certificates.question import setting_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "your-own-sampler.md").read_text(encoding="utf-8")
BLOCKS = blocks_of("your-own-sampler.md")
LAWS = {"gaussian": Gaussian([1.0], 0.5), "mixture": GaussianMixture.two_modes(2.0, 0.5)}
#: Theorems that ask nothing of the sampler but P, Q and its noise.
ASKED = ("martingale", "martingale-coupled", "gaussian-lower-bound")
#: The same of samplers without noise, and of those in ball arithmetic.
SILENT = ("flow", "gaussian-lower-bound")
#: Samplers that nobody would use: every coefficient wrong in its own way.
ODD = [("1", "G", "G"), ("1 - F", "E/2", "C"), ("exp(F)*(1 + h)", "h*g_r^2", "h"),
       ("1/(1 - F/8)", "6/5*E", "0"), ("a_r/a", "a_r/a*s_sq - sqrt(s_sq*s_sq_r)", "0"),
       ("0", "0", "s_sq_r"), ("-1", "G", "2*G"),
       ("Max(1, 1 + F)", "Min(G, C)", "abs(h - 1/10)*G")]

#: Samplers whose noise formulas spread over a step as their own rule does; how it is spread is no part of a formula, and
#: bounds look at it.
SPREAD = [key for key in FORMULAS if key != "ancestral-large"]


def asked_of(formulas, certified=False):
    """Theorems that apply to a sampler."""
    return ASKED if formulas[2] != "0" else SILENT[certified:]


def test_every_sampler_of_one_block_has_its_formulas():
    """The formulas that the tests below go through are those of all samplers of one block and one evaluation."""
    assert set(FORMULAS) == {key for key, sampler in samplers(1).items()
                             if sampler.evaluations == 1 and sampler.multistep is None}


@pytest.mark.parametrize(("key", "name", "data"), [
    *thinned(SPREAD, PROCESSES, ["gaussian"], every=2),
    *((key, "vp", "mixture") for key in SPREAD if key != "posterior-mean-matched")])
def test_formulas_of_a_sampler_give_its_bounds_and_its_law(key, name, data):
    """Bounds and brackets of the exact law are those of the built-in sampler, to rounding.

    Matched noise is that of Gaussian data only, and its bound that of the noise coupled to the posterior: how
    it lies in the step is no part of a sampler.
    """
    asked = [each for each in asked_of(FORMULAS[key]) if data != "mixture" or each != "gaussian-lower-bound"]
    asked = asked[key == "posterior-mean-matched":]
    steps = {"gaussian": 12, "mixture": 6}[data]
    law, settings = LAWS[data], [setting_of(PROCESSES[name], LAWS[data], scheme(each, 1.5, steps))
                                 for each in (own(FORMULAS[key]), key)]
    truths = [measure(setting, law) for setting in settings]
    for theorem in asked:
        mine, theirs = (certify_setting(theorems()[theorem], setting, law, truth)
                        for setting, truth in zip(settings, truths, strict=True))
        assert mine.verdict == theirs.verdict == "HOLDS"
        assert mine.bound.total == pytest.approx(theirs.bound.total, rel=STATED_BOUND)
        assert mine.bound.estimated == theirs.bound.estimated == ""
        for side in ("lower", "upper"):
            assert getattr(mine.measured, side) == pytest.approx(
                getattr(theirs.measured, side), rel=STATED_LAW, abs=STATED_LAW)
        assert not mine.measured.estimated or mine.measured.estimated == theirs.measured.estimated


@pytest.mark.parametrize("key, name", thinned(SPREAD, ["vp", "general"], every=2))
def test_certified_formulas_give_the_certified_sampler(key, name):
    """In ball arithmetic, too, bound and truth are those of the built-in sampler, down to an early stop."""
    for theorem in asked_of(FORMULAS[key], certified=True)[key == "posterior-mean-matched":]:
        mine, theirs = (certify(theorem, process=PROCESSES[name], law=LAWS["gaussian"], certified=True,
                                scheme=scheme(each, 1.5, 6, early_stop=0.1))
                        for each in (own(FORMULAS[key]), key))
        assert mine.verdict == theirs.verdict == "HOLDS"
        assert mine.bound.total == pytest.approx(theirs.bound.total, rel=STATED_BOUND)
        assert mine.measured.upper == pytest.approx(theirs.measured.upper, rel=STATED_LAW)


@pytest.mark.parametrize("formulas", thinned(ODD, every=2), ids=lambda formulas: "; ".join(formulas))
def test_odd_samplers_are_below_their_bounds(formulas):
    """Whatever the coefficients are, exact laws are within what the theorems say, on every process, certified
    or not."""
    for name, process in PROCESSES.items():
        for certified in (False, True):
            between = () if certified or formulas[2] == "0" else ("flow-between",)
            for theorem in (*asked_of(formulas, certified), *between):
                found = certify(theorem, process=process, law=Gaussian([0.5, -1.0], 0.3),
                                scheme=scheme(own(formulas), 0.9, 7), certified=certified)
                assert found.verdict == "HOLDS", (name, theorem, found)


@pytest.mark.parametrize("formulas", [*FORMULAS.values(), *ODD], ids=lambda formulas: "; ".join(formulas))
def test_four_routes_take_formulas_alike(formulas):
    """P, Q and noise of claim and truth, in floats and balls, agree to what the least exact may be off by."""
    process, at = PROCESSES["general"], scheme(own(formulas), 1.0, 5, early_stop=0.125)
    table, truth = at.table(process), exact_steps(process, at)
    balls = true_balls(process, at.grid.times, at.sampler.one_block)
    claimed = list(claimed_balls(process, at, lambda view: None, 128))[::-1]
    assert not truth.estimated
    for part, label in (("P", "P"), ("Q", "Q"), ("noise", "noise_var")):
        exact = [float(ball.mid()) for ball in getattr(balls, label)]
        assert [float(getattr(step, label).mid()) for step in claimed] == pytest.approx(exact, rel=STATED_LAW)
        assert np.all(np.abs(np.asarray(getattr(truth, label), dtype=float) - exact)
                      <= getattr(truth.errors, label) + 2e-16 * np.abs(exact))
        assert np.all(np.abs(getattr(table, label) - exact) <= getattr(table.stated, f"{part}_error"))


def test_many_steps_are_computed_one_by_one():
    """Nothing is assumed of a formula between the steps sampled of a long run: a spike at one step counts."""
    spike = own(("1 + F", f"G*(1 + 1e4*exp(-(1e5*(t - 8642/{MANY_STEPS + 1}))^2))", "G"))
    plain = own(FORMULAS["euler-maruyama"])
    theorem, law = theorems()["martingale"], LAWS["gaussian"]
    totals = [theorem.bound(setting_of(ve(1), law, scheme(each, 1.0, MANY_STEPS + 1))).total
              for each in (spike, plain)]
    assert totals[0] > 1.01 * totals[1]


def test_long_steps_are_refused_as_for_the_posterior_mean():
    """A step over which ∫f is too long for floats is refused by name."""
    found = certify("martingale", process=PROCESSES["ou"], law=LAWS["gaussian"],
                    scheme=scheme(own(FORMULAS["posterior-mean"]), 2 * LONGEST, 1))
    assert found.verdict == "NOT_APPLICABLE" and "for own" in found.unmet[0]


@pytest.mark.parametrize("key", ["gao2025-general-sde", "gentiloni2025-weak-log-concave", "strasman2025-cld"])
def test_theorems_of_one_sampler_refuse_another_by_name(key):
    """Euler–Maruyama in formulas is still not the sampler that a theorem is stated for."""
    found = certify(key, process=PROCESSES["ou"], law=LAWS["gaussian"],
                    scheme=scheme(own(FORMULAS["euler-maruyama"]), 1.0, 10))
    assert found.verdict == "NOT_APPLICABLE"
    assert "stated for euler-maruyama, got own" in "; ".join(found.unmet)


def test_a_plan_and_samples_of_formulas():
    """The steps that a plan asks for and the particles, too, are those of the built-in sampler."""
    mine, theirs = own(FORMULAS["exponential"]), samplers()["exponential"]
    plans = [planner_of(theorems()["martingale"],
                        setting_of(PROCESSES["vp"], LAWS["gaussian"], scheme(each, 1.0, 10))).plan(0.2)
             for each in (mine, theirs)]
    assert plans[0].steps == plans[1].steps
    runs = [sample(LAWS["mixture"], scheme(each, 1.0, 10).steps(PROCESSES["vp"]), 500, 3)
            for each in (mine, theirs)]
    assert runs[0] == pytest.approx(runs[1], rel=STATED_LAW, abs=STATED_LAW)


def test_a_file_of_the_registry_may_hold_formulas(tmp_path, monkeypatch):
    """A file with ``SAMPLER = own_sampler(…)`` on the registry's path is a sampler like the others."""
    import bounds.samplers

    (tmp_path / "midway.py").write_text('"""A sampler by formulas."""\n\nfrom bounds import own_sampler\n\n'
                                        'SAMPLER = own_sampler("midway", P="1 + F", Q="E", noise="G")\n')
    monkeypatch.setattr(bounds.samplers, "__path__", [*bounds.samplers.__path__, str(tmp_path)])
    found = certify("martingale", process=PROCESSES["ou"], law=LAWS["gaussian"],
                    scheme=scheme("midway", 1.0, 20))
    assert found.verdict == "HOLDS" and found.problem["scheme"]["kind"] == "midway"
    assert "sampler" not in found.problem


def test_a_certificate_holds_the_formulas_and_is_rerun():
    """What is recorded is the table [sampler], and asked again it gives the same."""
    mine = own_sampler("mine", P="1 + F", Q="G", noise=0.01, source="Me 2026")
    found = certify("martingale", process=PROCESSES["ou"], law=LAWS["gaussian"], scheme=scheme(mine, 1.0, 20))
    assert found.problem["sampler"] == {"key": "mine", "P": "1 + F", "Q": "G", "noise": 0.01,
                                        "source": "Me 2026"}
    again = found.rerun()
    assert replace(again, asked=found.asked) == found
    assert json.loads(json.dumps(found.problem)) == found.problem


def test_the_page(tmp_path, monkeypatch):
    """What the page says a command prints is printed; what is refused ends with 2, what is open with 3."""
    def code_of(lines):
        return 2 if any("must be" in line for line in lines) else 3 if "INCONCLUSIVE" in lines else 0

    monkeypatch.chdir(tmp_path)
    write_files(BLOCKS, tmp_path)
    assert run_commands(BLOCKS, code_of) == 9


def test_the_table_of_the_page():
    """The formulas the page gives for built-in samplers are theirs: step for step the same numbers."""
    rows = re.findall(r"^\| `([\w-]+)` \| `(.*)` \| `(.*)` \| `(.*)` \|$", PAGE, re.MULTILINE)
    assert {key for key, *_ in rows} == set(FORMULAS) - {"posterior-mean-matched"}
    for key, *formulas in rows:
        mine, theirs = (scheme(each, 1.0, 5).steps(PROCESSES["general"]) for each in (own(formulas), key))
        for part in ("P", "Q", "noise_var"):
            assert getattr(mine, part) == pytest.approx(getattr(theirs, part), rel=STATED_LAW, abs=STATED_LAW)


@pytest.mark.parametrize("name", PROCESSES)
def test_formulas_whose_noise_is_spread_otherwise_give_the_same_law(name):
    """The exact W2 looks at the noise of a whole step: of DDPM's large variance it is that of the formulas."""
    law = LAWS["gaussian"]
    mine, theirs = (measure(setting_of(PROCESSES[name], law, scheme(each, 1.5, 7)), law)
                    for each in (own(FORMULAS["ancestral-large"]), "ancestral-large"))
    assert mine.midpoint == pytest.approx(theirs.midpoint, rel=STATED_LAW)
