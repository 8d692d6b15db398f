"""Samplers with two evaluations a step: where the second is, and what the step does, against its definition."""

import numpy as np
import pytest

from bounds import general, ou, vp
from bounds.claim.hypotheses import conditions
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.processes.edm import edm
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.steps.stages import refined
from bounds.symbolic.integrals import TIME
from bounds.theorem import Domain, NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import MIDDLE_LEVEL, PATH_RELATIVE
from verify.certificates.question import setting_of

TIMES = TimeGrid.from_times([1.3, 1.0, 0.2, 0.0])
STOPPED = TimeGrid.from_times([1.3, 1.0, 0.2, 0.05])
#: a(t), s²(t), f(t), g²(t) in closed form.
CLOSED = {
    "ou": (ou(), lambda t: np.exp(-t), lambda t: -np.expm1(-2 * t), lambda t: 1.0, lambda t: 2.0),
    "edm": (edm(), lambda t: 1.0, np.square, lambda t: 0.0, lambda t: 2 * t),
    "vp": (vp("2 + 6*t"), lambda t: np.exp(-t - 1.5 * t * t), lambda t: -np.expm1(-2 * t - 3 * t * t),
           lambda t: 1 + 3 * t, lambda t: 2 + 6 * t)}
TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]


def one_step(key, closed, t, r, y, score):
    """A step as its definition says it in x: predictor and corrector, with the score s(t, x)."""
    _, a, s_sq, f, g_sq = closed
    sigma = lambda t: np.sqrt(s_sq(t)) / a(t)  # noqa: E731
    if key == "heun-t":
        velocity = lambda t, x: f(t) * x + g_sq(t) / 2 * score(t, x)  # noqa: E731
        first = velocity(t, y)
        euler = y + (t - r) * first
        return euler if r == 0 else y + (t - r) / 2 * (first + velocity(r, euler))
    noise = lambda t, x: -np.sqrt(s_sq(t)) * score(t, x)  # noqa: E731
    tau, rho, Y, first = sigma(t), sigma(r), y / a(t), noise(t, y)
    if key == "heun" or (key == "dpm-solver-2" and r == 0):
        euler = Y - (tau - rho) * first
        if r == 0:
            return a(r) * euler
        return a(r) * (Y - (tau - rho) / 2 * (first + noise(r, a(r) * euler)))
    m = (tau + rho) / 2 if key == "midpoint" else np.sqrt(tau * rho)
    low, high = r, t
    for _ in range(200):
        low, high = ((low + high) / 2, high) if sigma((low + high) / 2) < m else (low, (low + high) / 2)
    return a(r) * (Y - (tau - rho) * noise(low, a(low) * (Y - (tau - m) * first)))


@pytest.mark.parametrize("grid", [TIMES, STOPPED], ids=["to 0", "stopped"])
@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("key", TWICE)
def test_steps_are_the_sampler(key, name, grid):
    """With the score of N(0.3, 0.7) every step moves a point as the sampler's definition says."""
    closed = CLOSED[name]
    process, a, s_sq = closed[:3]
    score = lambda t, x: (a(t) * 0.3 - x) / (a(t) ** 2 * 0.7 + s_sq(t))  # noqa: E731
    steps = Scheme(samplers()[key], grid).steps(process)
    second, times = steps.second, grid.times
    for i in range(len(steps)):
        inner = steps.P[i] * 1.7 + steps.Q[i] * score(times[i], 1.7)
        found = second.keep[i] * 1.7 + second.P[i] * inner + second.Q[i] * score(second.time[i], inner)
        assert found == pytest.approx(one_step(key, closed, times[i], times[i + 1], 1.7, score), rel=1e-11)
        assert second.a[i] == pytest.approx(a(second.time[i]), rel=PATH_RELATIVE)
        assert second.s_sq[i] == pytest.approx(s_sq(second.time[i]), rel=PATH_RELATIVE)


@pytest.mark.parametrize("count", [1, 7, 300])
@pytest.mark.parametrize("process", [ou(), edm(), general(TIME - 1, 1 + 9 * TIME**6)],
                         ids=["ou", "edm", "general"])
def test_the_middle_is_where_it_is_asked_for(process, count):
    """σ at the middle times is (τ + r)/2 and (τ r)^½, on grids of one step, of long and of short ones."""
    grid = TimeGrid.uniform(3.0, count, 1e-3)
    for key, wanted in (("midpoint", lambda x, y: (x + y) / 2),
                        ("dpm-solver-2", lambda x, y: np.sqrt(x * y))):
        levels = Scheme(samplers()[key], grid).table(process).levels
        assert levels.m == pytest.approx(wanted(levels.tau, levels.r), rel=MIDDLE_LEVEL)
        assert levels.first == pytest.approx(levels.tau - levels.m, abs=1e-12 * levels.tau[0])


def test_a_step_without_a_time_inside_is_refused():
    """Between neighbouring floats there is no second evaluation."""
    grid = TimeGrid.from_times([1.0, 0.5, np.nextafter(0.5, 0.0), 0.0])
    with pytest.raises(ValueError, match="long enough for a time inside"):
        refined(ou(), grid.times, samplers()["midpoint"].stages)


def test_what_needs_one_evaluation_refuses_two():
    """Theorems whose numbers are P and Q of a step, and claims that contain them, refuse Heun's method by name."""
    setting = setting_of(ou(), Gaussian([0.0], 1.0), Scheme(samplers()["heun"], TIMES))
    with pytest.raises(NotApplicable, match="one evaluation: heun evaluates the score 2 times a step"):
        theorems()["gaussian-lower-bound"].bound(setting)
    from bounds.claim.symbols import SYMBOLS

    asked = conditions(Domain(), [SYMBOLS["P"].symbol], (), True)
    assert next(each.check(setting) for each in asked if each.name == "one evaluation")
    free = conditions(Domain(), [SYMBOLS["h"].symbol, SYMBOLS["a_T"].symbol], (), True)
    assert "one evaluation" not in {each.name for each in free}


def test_time_may_run_at_any_speed():
    """Samplers in the noise level do not see how fast time runs: of g² = 2t and of g² = 1 they make one map."""
    fast = ForwardProcess.scalar("fast", 0 * TIME, TIME**0)
    for key in ("heun", "midpoint", "dpm-solver-2"):
        one = Scheme(samplers()[key], STOPPED).steps(edm())
        two = Scheme(samplers()[key], TimeGrid.from_times(STOPPED.times**2)).steps(fast)
        for mine, other in ((one.P, two.P), (one.Q, two.Q), (one.second.Q, two.second.Q),
                            (one.second.s_sq, two.second.s_sq)):
            assert mine == pytest.approx(other, rel=1e-12)
