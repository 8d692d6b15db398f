"""Churn: raised levels, layers of steps, exact laws and particles, and the flow bound of steps that start
higher."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, edm, ou, vp
from bounds.samplers import registered, samplers
from bounds.setting import Setting
from bounds.steps.churn import Churn, layers, raised_times
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import MIDDLE_LEVEL, PATH_RELATIVE
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from verify import rho_grid, sample
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of
from verify.problems.describing import described
from verify.problems.problem import read_problem

FLOW = theorems()["flow"]
KEYS = [key for key, sampler in samplers(1).items() if "churn" in sampler.given]
PROCESSES = {"edm": edm(), "vp": vp("1/10 + 5*t"), "ou": ou()}
MODES = GaussianMixture.two_modes(2.0, 0.5)


def churned(key="heun", churn=4.0, steps=16, **given):
    """A sampler with churn on EDM's grid from 20 to 0.02 and then to 0."""
    given = {"s_tmin": 0.05, "s_tmax": 10.0, **given}
    return Scheme(key, rho_grid(edm(), 20.0, 0.02, steps), churn=churn, **given)


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=30))
def test_layers_hold_every_span_once(spans):
    """Every span is in one layer, between the two of its times that its row says, and none overlaps another
    there."""
    lower = np.array([low for low, _ in spans])
    upper = lower + [length for _, length in spans]
    found = list(layers(upper, lower))
    assert sorted(np.concatenate([layer.which for layer in found]).tolist()) == list(range(len(spans)))
    for layer in found:
        assert np.all(np.diff(layer.times) < 0)
        assert np.array_equal(layer.times[layer.rows], upper[layer.which])
        assert np.array_equal(layer.times[layer.rows + 1], lower[layer.which])


@pytest.mark.parametrize("name", PROCESSES)
def test_levels_are_raised(name):
    """The steps between S_tmin and S_tmax start from the level τ(1 + S_churn/K), the others from their
    own."""
    process, times = PROCESSES[name], TimeGrid.uniform(1.3, 12).times
    path = Scheme("heun", TimeGrid(times)).table(process).path
    level = np.sqrt(path.s_sq) / path.a
    upper = raised_times(process, times, Churn(3.0, level[9], level[3]))
    fine = np.unique(np.concatenate([times, upper]))[::-1]
    path = Scheme("heun", TimeGrid(fine)).table(process).path
    found = (np.sqrt(path.s_sq) / path.a)[len(fine) - 1 - np.searchsorted(fine[::-1], upper)]
    raised = (np.arange(12) >= 3) & (np.arange(12) <= 9)
    assert found == pytest.approx(level[:-1] * np.where(raised, 1.25, 1.0), rel=MIDDLE_LEVEL)
    assert np.array_equal(upper[~raised], times[:-1][~raised])


def test_a_level_of_the_grid_is_its_time():
    """Where a raised level is one of the grid the step starts at its time, to the last digit."""
    grid = TimeGrid.from_times([3.0, 1.25, 1.0, 0.5, 0.0])
    assert raised_times(edm(), grid.times, Churn(1.0, 0.9, 1.1)).tolist() == [3.0, 1.25, 1.25, 0.5]


@pytest.mark.parametrize("key", KEYS)
def test_no_churn_is_the_sampler(key):
    """With S_churn = 0 it is the sampler of the registry; with a little its plain bound and its W2 are
    near."""
    plain = Scheme(key, churned().grid)
    assert Scheme(key, plain.grid, churn=0.0) == plain and registered(churned(key).sampler)
    law = Gaussian([0.0], 0.25)
    bounds = [FLOW.bound(setting_of(edm(), law, each)).details["plain_recursion"]
              for each in (plain, churned(key, 1e-9))]
    assert bounds[1] == pytest.approx(bounds[0], rel=1e-6)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", KEYS)
def test_claim_and_truth_have_the_same_steps(key, name):
    """The numbers of steps with churn by both routes agree, on a grid whose layers overlap."""
    plain, process = Scheme(key, TimeGrid.uniform(1.3, 12, 0.01)), PROCESSES[name]
    level = plain.table(process).levels.tau
    scheme = Scheme(key, plain.grid, churn=4.0, s_tmax=float(level[4]))
    mine, theirs = scheme.steps(process), exact_steps(process, scheme)
    assert len(scheme.table(process).layers) > 1 and mine.noise_var.any() and not theirs.estimated
    for one, other, names in ((mine, theirs, ("time", "P", "Q", "noise_var", "a", "s_sq")),
                              (mine.second, theirs.second, ("time", "keep", "P", "Q", "a", "s_sq"))):
        for field in names:
            assert getattr(one, field) == pytest.approx(np.asarray(getattr(other, field), dtype=float),
                                                        rel=PATH_RELATIVE * 100, abs=1e-15)


@pytest.mark.parametrize("key", KEYS)
def test_the_exact_law_on_a_gaussian(key):
    """Of N(0, S) the law is that of the recursion in Y: noise that raises the level, then the step's two
    evaluations."""
    S, scheme = 0.3, churned(key)
    table = scheme.table(edm())
    tau = scheme.grid.times[:-1]  # the noise level is the time
    variance, raised = tau[0] ** 2, tau * np.where((tau >= 0.05) & (tau <= 10), 1.25, 1.0)
    for k, (low, r) in enumerate(zip(raised, scheme.grid.times[1:], strict=True)):
        variance += low**2 - tau[k] ** 2
        m = {"heun": r, "midpoint": (low + r) / 2, "dpm-solver-2": np.sqrt(low * r)}[key]
        slope = low / (S + low**2)
        inner = 1 - (low - (r if key == "heun" else m)) * slope
        first, second = ((low - r) / 2,) * 2 if key == "heun" else (0.0, low - r)
        if r == 0 and key != "midpoint":
            first, second = low, 0.0
        variance *= (1 - first * slope - second * m / (S + m**2) * inner) ** 2
    expected = abs(np.sqrt(variance) - np.sqrt(S))
    found = sampler_w2(Gaussian([0.0], S), exact_steps(edm(), scheme))
    assert found.midpoint == pytest.approx(expected, rel=1e-9) and len(table.layers) > 1
    assert found.upper - found.lower < 1e-12


def test_particles_follow_the_law():
    """Second moments of 40,000 particles across the means of a mixture are those of its affine chain."""
    law, n = GaussianMixture([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], std=0.5), 40_000
    steps = churned().steps(edm())
    across = np.square(sample(law, steps, n, 5)[:, 1:]).mean()
    inner, variance = steps.inner, steps.prior_var
    for k in range(len(steps)):
        first = steps.P[k] - steps.Q[k] / (steps.a[k] ** 2 / 4 + steps.s_sq[k])
        spread = inner.a[k] ** 2 / 4 + inner.s_sq[k]
        again = inner.P[k] - (inner.Q[k] / spread if inner.Q[k] else 0.0)
        variance = (steps.second.keep[k] + again * first) ** 2 * variance + steps.noise_var[k]
    assert across == pytest.approx(variance, abs=STANDARD_ERRORS * variance * np.sqrt(2 / (2 * n)))


@st.composite
def questions(draw):
    """A setting with churn and its law: EDM, VP or OU, a Gaussian or two modes, with and without a score
    error."""
    process, steps = PROCESSES[draw(st.sampled_from(sorted(PROCESSES)))], draw(st.integers(2, 14))
    plain = Scheme(draw(st.sampled_from(KEYS)),
                   getattr(TimeGrid, draw(st.sampled_from(["uniform", "geometric"])))(
                       draw(st.floats(0.3, 3.0)), steps, draw(st.sampled_from([0.0, 0.01]))))
    level = Scheme("ddim", plain.grid).table(process).path
    level = np.sqrt(level.s_sq) / level.a
    churn = draw(st.floats(0.01, 2**0.5 - 1)) * steps * (1 - 1e-12)
    # the largest level that stays below the horizon's
    fits = np.flatnonzero(level[:-1] * (1 + churn / steps) <= level[0])
    top = float(level[fits[0]]) if len(fits) else 0.0
    bottom = draw(st.sampled_from([0.0, 0.05]))
    scheme = Scheme(plain.sampler, plain.grid, churn=churn, s_tmax=top, s_tmin=bottom)
    std = draw(st.floats(-1.0, 0.5).map(lambda x: 10.0**x))
    law = draw(st.sampled_from([Gaussian(np.zeros(3), std**2), Gaussian([2.0, 0.0], np.array([std**2, 1.0])),
                                GaussianMixture.two_modes(2.4 * std, std)]))
    return setting_of(process, law, scheme, draw(st.sampled_from([0.0, 0.1]))), law


@settings(max_examples=examples(8))
@given(questions())
def test_the_flow_bound_holds_with_churn(question):
    """On drawn problems with churn the bound is at least the exact W2."""
    setting, law = question
    assert certify_setting(FLOW, setting, law).verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


def test_the_flow_bound_saturates_with_churn():
    """Where modes are far apart the ball bounds the error with churn as it does without."""
    far = GaussianMixture.two_modes(2.0, 0.1)
    found = FLOW.bound(Setting(edm(), far.assumptions()[0], churned(steps=64)))
    assert found.total < 4.0 and found.details["recursion"] == "saturated"


def test_other_theorems_say_why_not():
    """Theorems of the reverse SDE refuse churn in words that name it."""
    with pytest.raises(NotApplicable,
                       match=r"heun \(churn = 4, s_tmin = 0.05, s_tmax = 10\) has noise between its steps"):
        theorems()["martingale"].bound(setting_of(edm(), MODES, churned()))


@pytest.mark.parametrize(("call", "words"), [
    (lambda: churned(churn=7.0), "churn must be at most (√2 − 1) × steps = 6.62742, got 7"),
    (lambda: churned(churn=-1.0), "churn must be a number of at least 0, got -1.0"),
    (lambda: churned(s_noise=1.003),
     "s_noise must be 1, as noise of another size does not lead to a law of the forward "
     "process, got 1.003"),
    (lambda: Scheme("heun-t", churned().grid, churn=1.0),
     "churn must be left out for heun-t, which takes no parameter, "
     "got 1.0"),
    (lambda: churned(s_tmax=float("inf")).steps(edm()),
     "s_tmax must be so small that no level is raised above that of the "
     "horizon, 20, got inf, by which 20 is raised to 25")])
def test_what_cannot_be_raised_is_refused(call, words):
    """Too much churn, noise of another size and a level above the horizon's are refused, in a line each."""
    with pytest.raises(ValueError, match="must be") as refused:
        call()
    assert str(refused.value) == words


def test_problem_files_say_the_churn():
    """A file with churn is read, its normal form reads back, and the question from Python is recorded as the
    same."""
    tables = {"process": {"family": "edm"}, "data": {"law": "gaussian", "mean": 0.5, "covariance": 0.25},
              "scheme": {"kind": "heun", "grid": "rho", "sigma_max": 20.0, "sigma_min": 0.02, "steps": 16,
                         "churn": 4.0,
                         "s_tmin": 0.05, "s_tmax": 10.0}}
    found = read_problem(tables)
    assert found.scheme == churned() and read_problem(found.as_dict()).scheme == found.scheme
    assert read_problem(described(found.process, found.law, found.scheme)).scheme == found.scheme
