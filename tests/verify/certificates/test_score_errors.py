"""Certificates with score errors in other units and one for each step: bound, exact law, samples, JSON, plans."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import ScoreError, edm, flow_matching, ou, vp
from bounds.sampler import scheme
from bounds.samplers import samplers
from closed_form import Funnel, Gaussian, GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from tests.bad_problems import VALID
from tests.command_line import answer, assert_refused, problem, run
from tests.drawn import examples
from tests.tolerances import SAME_INCREMENTS
from tests.verify.tolerances import PROBLEM_ROUNDING
from verify import sample
from verify.certificates.certificate import Certificate, Verdict, certify
from verify.certificates.question import setting_of
from verify.planning.by_bound import planner_of
from verify.problems.problem import read_problem

VP = vp("1/10 + 199/10*t")
MODES = GaussianMixture.two_modes(2.0, 0.5)
PLANE = Gaussian([1.0, -0.5], [0.3, 1.2])
SILENT = [key for key, each in samplers(1).items() if each.follows_ode]
UNITS = {"score": lambda a, s: 1.0, "epsilon": lambda a, s: 1 / s, "denoiser": lambda a, s: a / s**2}


@settings(max_examples=examples(24))
@given(
    key=st.sampled_from([key for key, each in samplers(1).items() if each.multistep is None]),
    law=st.sampled_from([MODES, PLANE, Gaussian([0.3], 2.0)]),
    which=st.integers(0, 3), unit=st.sampled_from(["score", "epsilon", "denoiser", "velocity"]),
    size=st.floats(0.0, 0.3), steps=st.integers(1, 25), listed=st.booleans(), seed=st.integers(0, 99))
def test_never_below_the_truth(key, law, which, unit, size, steps, listed, seed):
    """Whatever the error is of and however it varies over the steps, the bound is at least the exact W2."""
    process, horizon = ((ou(), 3.0), (VP, 1.0), (edm(), 10.0), (flow_matching(), 0.95))[which]
    if unit == "velocity":
        process, horizon = flow_matching(), 0.95
    if process.name in ("edm", "flow-matching") and key == "ancestral":
        key = "posterior-mean"
    shape = np.random.default_rng(seed).uniform(0.0, 1.0, steps)
    error = (size * shape).tolist() if listed else size
    theorem = "flow" if key in SILENT else "martingale"
    found = certify(theorem, process=process, law=law, scheme=scheme(key, horizon, steps), score_error=error,
                    score_error_in=unit)
    assert found.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE), found
    if found.problem:
        again = Certificate.from_json(found.to_json()).rerun()
        assert again.bound.total == pytest.approx(found.bound.total, rel=PROBLEM_ROUNDING)


def defined(law, steps, y, first, second=None):
    """The steps one after another with the law's own score, off by a vector of its own at every evaluation."""

    def moved(stage, i, x, off):
        asked = stage.Q[i] and law.pushed(float(stage.a[i]), float(stage.s_sq[i])).score(x) + off
        return stage.P[i] * x + stage.Q[i] * asked

    for i in range(len(steps)):
        if steps.second is None:
            y = moved(steps, i, y, first[i])
        else:
            y = steps.second.keep[i] * y + moved(steps.second, i, moved(steps, i, y, first[i]), second[i])
    return y


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("key", ["ddim", "heun", "midpoint"])
@pytest.mark.parametrize(
    "law", [PLANE, GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], [0.4, 0.6], std=0.6),
            GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], [0.4, 0.6], covariances=[np.eye(2), [[1.0, 0.3], [0.3, 0.5]]])],
    ids=["Gaussian", "one std", "many"])
def test_particles_are_off_by_each_step_s_own(law, key, unit):
    """Of particles and of an own score each evaluation is off by its size, in its unit, along the direction."""
    sizes = np.linspace(0.3, 0.1, 6)
    steps = scheme(key, 2.0, 6).steps(ou())
    y, u = np.random.default_rng(3).standard_normal((20, 2)), np.array([0.6, 0.8])
    weight = UNITS[unit]
    first = [size * weight(a, np.sqrt(s)) * u for size, a, s in zip(sizes, steps.a, steps.s_sq, strict=False)]
    second = None if steps.second is None else [
        size * (weight(a, np.sqrt(s)) if s > 0 else 0.0) * u
        for size, a, s in zip(sizes, steps.second.a, steps.second.s_sq, strict=True)]
    known = defined(law, steps, y, first, second)
    options = dict(start=y, score_error=sizes, score_error_in=unit, direction=u)
    found = sample(law, steps, 20, 1, **options)
    assert found == pytest.approx(known, rel=SAME_INCREMENTS, abs=10 * SAME_INCREMENTS)

    def score(x, t):
        at = int(np.argmin(np.abs(np.append(steps.time[:-1], [] if second is None else steps.second.time) - t)))
        stage = steps if at < len(steps) else steps.second
        at %= len(steps)
        return law.pushed(float(stage.a[at]), float(stage.s_sq[at])).score(x)

    own = sample(law, steps, 20, 1, score=score, **options)
    assert own == pytest.approx(known, rel=1e3 * SAME_INCREMENTS, abs=1e3 * SAME_INCREMENTS)


def test_the_funnel_is_off_by_each_step_s_own():
    """With ``reduce`` a funnel moves with the list of errors as without."""
    law, steps = Funnel(6, 1.0), scheme("heun", 2.0, 8, early_stop=0.02).steps(ou())
    y = np.random.default_rng(5).standard_normal((2000, 6))
    one, other = (sample(law, steps, 2000, 1, start=y, score_error=np.linspace(0.5, 2.0, 8), reduce=reduce)[:, 0]
                  for reduce in (False, True))
    assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("key", ["euler-maruyama", "ddim", "heun"])
def test_exact_laws_have_each_step_s_own(key):
    """On a line the exact W2 of a list is that of the particles, and that of a Gaussian the affine chain's."""
    sizes = np.linspace(0.4, 0.0, 8).tolist()
    steps = scheme(key, 2.0, 8).steps(ou())
    law = Gaussian([0.5], 0.25)
    chain = sampler_w2(law, steps, ScoreError(sizes, "epsilon"), direction=[-1.0])
    line = sampler_w2(GaussianMixture([[0.5], [0.5]], [0.5, 0.5], std=0.5), steps, ScoreError(sizes, "epsilon"),
                      direction=[-1.0])
    assert line.lower <= chain.upper and chain.lower <= line.upper and chain.upper - chain.lower < 1e-9
    none = sampler_w2(law, steps)
    assert chain.lower > none.upper
    assert sampler_w2(law, steps, [0.1] * 8).midpoint == pytest.approx(sampler_w2(law, steps, 0.1).midpoint, rel=1e-12)
    assert sampler_w2(law, steps, [0.0] * 8).midpoint == none.midpoint


def test_a_problem_file_keeps_its_list(tmp_path):
    """Read, written and read again the errors and their unit are the same; ``--json`` has them."""
    path = problem(tmp_path, "network")
    found = answer("certify", path)["certificates"][0]["problem"]["scheme"]
    assert found["score_error"] == [0.1, 0.05, 0.05, 0.2] and found["score_error_in"] == "velocity"
    tables = {"process": {"family": "flow-matching"}, "data": {"law": "gaussian", "mean": [0.0], "covariance": 1.0},
              "scheme": found}
    once = read_problem(tables)
    assert once.score_error == ScoreError([0.1, 0.05, 0.05, 0.2], "velocity")
    assert read_problem(once.as_dict()).score_error == once.score_error
    plain = read_problem(tables | {"scheme": {**found, "score_error": 0.1, "score_error_in": "score"}})
    assert plain.score_error == 0.1 and "score_error_in" not in plain.as_dict()["scheme"]
    assert VALID["network"]["scheme.score_error_in"] == '"velocity"'


def test_commands_say_what_the_error_is_of(tmp_path):
    """``bound`` and ``certify`` name sizes and unit; a list is refused by what looks for a number of steps."""
    path = problem(tmp_path, "network")
    assert "0.05 to 0.2 of the velocity" in run("bound", path).stdout
    assert "one constant vector" in run("certify", path).stdout
    refused = assert_refused(run("plan", path, "--eps", "0.5", "--theorem", "flow"))
    assert "score_error must be one number for all steps where their number is looked for, got a list of 4" in refused


def test_a_plan_has_any_unit():
    """With one size of the predicted noise K steps reach ε and K − 1 do not; a list is refused by name."""
    setting = setting_of(ou(), Gaussian([0.0], 0.25), scheme("euler-maruyama", 4.0, 10), 0.01, score_error_in="epsilon")
    found = planner_of("martingale", setting, horizon=4.0).plan(0.1)
    assert found.reached and found.bound.total <= 0.1 < found.bound_one_step_less
    assert found.score_error == ScoreError(0.01, "epsilon")
    with pytest.raises(ValueError, match=r"^score_error must be one number for all steps"):
        planner_of("martingale", replace(setting, score_error=[0.01] * 10))
