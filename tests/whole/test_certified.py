"""Certified bounds against the certified truth: drawn problems, verdicts, corruptions, the command line,
JSON."""

import json

import numpy as np
import pytest

from bounds import euler_maruyama, ou, vp
from bounds.certified.data import NotCertified
from bounds.processes.cld import cld
from bounds.sampler import posterior_mean
from bounds.steps.phase_space.path import PhasePath
from bounds.theorems import theorems
from closed_form import Gaussian
from closed_form.certified.chain import certified_w2
from tests.command_line import answer, assert_refused, run, schema
from tests.unusual import draw
from verify import certify, setting_of
from verify.certificates.certificate import Certificate, Verdict
from verify.counterexamples.drawing import NumpyDraw, problem

#: Seeds of `tests.unusual`, all kinds of features; one that is a bound in floats once below what is proved.
SEEDS, NEGATIVE_FACTOR = range(60), 61
AT_ONCE = 5
#: Drawn problems of position and velocity, and the longest step that is drawn, in relaxation times.
PHASE_SPACE, STEEP = 100, 1.5
KEYS = ("martingale", "martingale", "gaussian-lower-bound", "martingale-coupled")
ASKED = ("--certified", "--set", "scheme.steps=20")


@pytest.mark.parametrize("start", [
    pytest.param(start, marks=[pytest.mark.deep] * (start > 0)) for start in range(0, len(SEEDS), AT_ONCE)])
def test_drawn_problems(start):
    """On drawn problems of unusual shape none is refused, and no certified bound is on the wrong side of the
    truth."""
    wrong = []
    for seed in SEEDS[start : start + AT_ONCE]:
        drawn = draw(seed)
        silent = drawn.scheme.sampler.follows_ode
        theorem = theorems()["gaussian-lower-bound" if silent else KEYS[seed % len(KEYS)]]
        setting = setting_of(drawn.process, drawn.law, drawn.scheme,
                             information=("all", "constants")[seed % 3 == 0])
        truth = certified_w2(drawn.law, drawn.process, drawn.scheme, setting.assumption,
                             setting.facts.moments)
        total = theorem.certified(setting).total
        if total < truth.lower if theorem.kind == "upper" else total > truth.upper:
            wrong.append((seed, theorem.key, total, truth))
    assert not wrong


def test_floats_are_not_below_where_a_step_turns_around():
    """Where a step is so long that P < 0, the bound in floats has its rounding added, not taken off."""
    drawn, theorem = draw(NEGATIVE_FACTOR), theorems()["martingale"]
    setting = setting_of(drawn.process, drawn.law, drawn.scheme)
    assert setting.table.P.min() < 0 and theorem.bound(setting).total >= theorem.certified(setting).total


@pytest.mark.parametrize("key", [key for key, theorem in theorems().items() if theorem.in_balls])
def test_every_certified_theorem_holds(key):
    """Every theorem with a form in balls holds, and its certificate can be written and read again."""
    process = ou() if key.startswith("gentiloni") else cld() if key.endswith("cld") else vp("1/10 + 3*t")
    found = certify(key, process=process, law=Gaussian([1.0, 0.0], np.array([0.5, 2.0])),
                    scheme=euler_maruyama(1.0, 20), certified=True)
    assert found.verdict is Verdict.HOLDS and found.certified
    schema("certificate").validate(json.loads(found.to_json()))
    assert Certificate.from_json(found.to_json()) == found


@pytest.mark.parametrize(("key", "name", "factor"), [("martingale", "variance_known", "1/4"),
                                                     ("gaussian-lower-bound", "distance_sq", 4)])
def test_a_corrupted_formula_is_refuted(key, name, factor):
    """A statement made wrong is violated by certified numbers."""
    theorem = theorems()[key].corrupted(name, factor)
    found = certify(theorem, process=ou(), law=Gaussian([0.0], 0.25), scheme=euler_maruyama(4, 100),
                    certified=True)
    assert found.verdict is Verdict.VIOLATED and found.certified


@pytest.mark.parametrize("start", [
    pytest.param(start, marks=[pytest.mark.deep] * (start > 0)) for start in range(0, PHASE_SPACE, AT_ONCE)])
def test_drawn_problems_of_position_and_velocity(start):
    """On drawn problems of critically-damped Langevin no certified bound is below the certified truth."""
    wrong = []
    for seed in range(start, start + AT_ONCE):
        setting, law = drawn_in_phase_space(seed)
        truth = certified_w2(law, setting.process, setting.scheme)
        for key in ("martingale", "strasman2025-cld")[: 1 + (setting.scheme.key == "euler-maruyama")]:
            total = theorems()[key].certified(setting).total
            if not total >= truth.upper:
                wrong.append((seed, key, total, truth))
    assert not wrong


def drawn_in_phase_space(seed: int):
    """A drawn question of critically-damped Langevin with few steps and axes that are given, and its law."""
    rng = np.random.default_rng(seed)
    while True:
        drawn = problem(NumpyDraw(rng), kind="gaussian", process="cld", most_steps=12)
        if drawn.law.basis is None and drawn.law.dim <= 10 and steepness(drawn) < STEEP:
            break
    information = "constants" if seed % 5 == 0 and drawn.scheme.grid.steps > 1 else "all"
    return setting_of(drawn.process, drawn.law, drawn.scheme, information=information), drawn.law


def steepness(drawn) -> float:
    """The longest step in relaxation times: long ones are integrated in many parts."""
    clock = PhasePath(drawn.process).clock(drawn.scheme.grid.times)
    return float(drawn.process.parameters["a"]) * float(np.max(clock[:-1] - clock[1:]))


#: Theorem, corrupted statement, factor, data, sampler at work.
WIDE, FAR = (Gaussian([0.0], 4.0), posterior_mean(8, 40)), (Gaussian([30.0, 0.0], 0.25),
                                                            euler_maruyama(0.01, 1))
CORRUPTED = (("martingale", "phase_variance_known", "1/4", *WIDE),
             ("strasman2025-cld", "projection", "9/10", *FAR),
             ("strasman2025-cld", "phase_initial_sq", "9/10", *FAR))


@pytest.mark.parametrize(("key", "name", "factor", "law", "chosen"), CORRUPTED)
def test_a_corrupted_formula_of_two_blocks_is_refuted(key, name, factor, law, chosen):
    """A statement about two blocks made wrong is violated by certified numbers, and holds as it is."""
    theorem = theorems()[key]
    for stated, verdict in ((theorem, Verdict.HOLDS), (theorem.corrupted(name, factor), Verdict.VIOLATED)):
        found = certify(stated, process=cld(), law=law, scheme=chosen, certified=True)
        assert found.verdict is verdict and found.certified


def test_on_the_command_line_of_two_blocks(tmp_path):
    """A problem of critically-damped Langevin is bounded and certified by the theorems that apply."""
    file = tmp_path / "problem.toml"
    file.write_text('[process]\nfamily = "cld"\n[data]\nlaw = "gaussian"\nmean = [1.0]\ncovariance = 0.5\n'
                    '[scheme]\nkind = "euler-maruyama"\nhorizon = 2.0\nsteps = 10\n', encoding="utf-8")
    document = answer("certify", file, "--certified")
    schema("certificate").validate(document)
    entries = {entry["theorem"]: entry for entry in document["certificates"] if entry["bound"]}
    assert set(entries) == {"martingale", "strasman2025-cld"}
    assert all(entry["certified"] and entry["verdict"] == "HOLDS" for entry in entries.values())
    document = answer("bound", file, "--certified", "--information", "constants")
    schema("bound").validate(document)
    assert {entry["theorem"] for entry in document["results"] if entry["applicable"]} == set(entries)
    assert all(entry["certified"] for entry in document["results"] if entry["applicable"])


def test_on_the_command_line():
    """Bounds and certificates fit their schemas, say that they are certified, and show proved digits."""
    document = answer("certify", "lower_bound", *ASKED, "--precision", 96)
    schema("certificate").validate(document)
    entries = {entry["theorem"]: entry for entry in document["certificates"] if entry["bound"]}
    assert all(entry["certified"] and entry["verdict"] == "HOLDS" for entry in entries.values())
    assert entries["martingale"]["measured"]["proof"]["precision"] == 96
    left_out = {entry["theorem"]: entry["unmet"] for entry in document["certificates"] if not entry["bound"]}
    line = "certified: needs a form in ball arithmetic, which flow-between has not"
    assert left_out["flow-between"] == [line]
    refused = assert_refused(run("certify", "lower_bound", *ASKED, "--theorem", "flow-between"))
    assert "certified needs a theorem with a form in ball arithmetic, flow-between has none" in refused
    document = answer("bound", "lower_bound", *ASKED)
    schema("bound").validate(document)
    assert all(entry["certified"] for entry in document["results"] if entry["applicable"])
    proof = entries["martingale"]["bound"]["proof"]
    assert proof["radius"] < 1e-12 and proof["digits"][:14] in run("certify", "lower_bound", *ASKED).stdout


@pytest.mark.parametrize("problem_file", ["two_modes", "critically_damped"])
@pytest.mark.parametrize("command", ["bound", "certify"])
def test_what_is_not_certified_is_refused(command, problem_file):
    """A mixture is refused in one line that names it, with exit code 2."""
    assert "Gaussian" in assert_refused(run(command, problem_file, "--certified"))


@pytest.mark.parametrize(("options", "named"),
                         [({"samples": 1000}, "samples"), ({"score_error": 0.5}, "score_error")])
def test_truths_that_are_not_certified_are_refused(options, named):
    """Samples, and a score error, have no truth in balls."""
    with pytest.raises(NotCertified, match=named):
        certify("martingale", process=ou(), law=Gaussian([0.0], 0.25), scheme=euler_maruyama(1, 5),
                certified=True,
                **options)
