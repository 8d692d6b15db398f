"""Ingredients fitted on long runs of equal steps, against every step computed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import sympy

from bounds import StronglyLogConcave, euler_maruyama, ou, ve, vp
from bounds.complexity.best_grid import model_of
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.recursion import equal_steps, fitted_columns
from bounds.recursion.equal_steps import fitted_ingredients
from bounds.recursion.fitted_columns import Laid
from bounds.recursion.propagation import RUN, propagate, round_up, weights
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.symbolic.integrals import TIME
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import FITTED_COEFFICIENT, FITTED_ROUNDING, FITTED_STEPS, SUMS_OF_RUNS
from tests.drawn import thinned
from verify.certificates.question import setting_of

STEPS = 30_000
PROCESSES = {"ou": (ou(), 8.0), "ve": (ve(1), 60.0), "vp": (vp("1/10+199/10*t"), 1.2)}
LAWS = {"one": Gaussian(np.full(2, 0.5), np.array([0.25, 2.0])), "two": GaussianMixture.two_modes(2.0, 0.5)}


def both(monkeypatch, theorem, setting):
    """(The bound from fitted ingredients, the bound step by step)."""
    fitted = theorem.bound(setting)
    with monkeypatch.context() as patched:
        patched.setattr(equal_steps, "MANY_STEPS", 10**9)
        return fitted, theorem.bound(replace(setting))


@pytest.mark.parametrize("name, law, grid", thinned(PROCESSES, LAWS, ["uniform", "best"], every=2))
def test_fitted_bounds_are_above_and_close(monkeypatch, name, law, grid):
    """Every part of the bound is at least the one of all steps computed, and hardly more."""
    key = {"ou": "ancestral", "ve": "posterior-mean-matched", "vp": "frozen-euler-maruyama"}[name]
    process, horizon = PROCESSES[name]
    setting = setting_of(process, LAWS[law], euler_maruyama(horizon, STEPS), 0.01, 0.02)
    setting = replace(setting, scheme=replace(setting.scheme, sampler=samplers()[key]))
    martingale = theorems()["martingale"]
    if grid == "best":
        setting = replace(
            setting, scheme=replace(setting.scheme, grid=model_of(martingale, setting).best_grid(STEPS))
        )
    fitted, whole = both(monkeypatch, martingale, setting)
    found = [fitted.total, *fitted.terms.values()]
    known = [whole.total, *whole.terms.values()]
    # E_0 is a difference of deviations: it is the same up to the rounding of these
    assert all(one >= other - FITTED_ROUNDING * whole.total for one, other in zip(found, known, strict=True))
    assert all(one <= other * (1 + FITTED_STEPS) for one, other in zip(found, known, strict=True))


def test_the_coupled_noise_is_fitted_too(monkeypatch):
    """The kink where the coupled noise takes over is found."""
    setting = setting_of(ou(), LAWS["two"], euler_maruyama(6.0, STEPS))
    fitted, whole = both(monkeypatch, theorems()["martingale-coupled"], setting)
    assert whole.total * (1 - FITTED_ROUNDING) <= fitted.total <= whole.total * (1 + FITTED_STEPS)


def step_by_step(setting):
    """The martingale theorem's ingredients, each step computed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(equal_steps, "MANY_STEPS", 10**9)
        return theorems()["martingale"].ingredients(setting, theorems()["martingale"].functions)


@pytest.mark.parametrize("place", [1.5, 2.0, 3.3337])
def test_a_bump_between_the_sampled_steps_is_seen(monkeypatch, place):
    """g² with a bump narrower than the gaps between samples: neither its steps nor the noise before it are
    taken for others."""
    bump = ForwardProcess.scalar(
        "bump", 1, 2 + 50 * sympy.exp(-(((TIME - sympy.Rational(str(place))) * 2000) ** 2))
    )
    setting = Setting(bump, StronglyLogConcave(m0=1.0, L0=2.0), euler_maruyama(5.0, STEPS))
    fitted, whole = both(monkeypatch, theorems()["martingale"], setting)
    assert whole.total * (1 - FITTED_ROUNDING) <= fitted.total <= whole.total * (1 + FITTED_STEPS)


@pytest.mark.parametrize("g", ["1+100*exp(-(10000*(t-0.65))**2)", "101/100+tanh(470*(t-0.5))"])
def test_noise_that_comes_in_a_moment_is_in_every_sample(monkeypatch, g):
    """Samples far from a spike or a step of g rest on the noise that came with it: rounds that disagree on s²
    are not fitted."""
    setting = setting_of(
        ve(g),
        Gaussian([10.0], 0.1),
        replace(euler_maruyama(1.0, STEPS), sampler=samplers()["posterior-mean"]),
    )
    fitted, whole = both(monkeypatch, theorems()["martingale"], setting)
    assert whole.total * (1 - FITTED_ROUNDING) <= fitted.total <= whole.total * (1 + FITTED_STEPS)


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_runs_are_found_across_blocks(block, monkeypatch):
    """A run is as long as its steps are equal, wherever it is cut when it is looked for; one step is a
    run."""
    lengths = np.repeat([0.5, 0.25, 0.125, 1.0], [4, 1, 3, 2])
    monkeypatch.setattr(equal_steps, "BLOCK", block)
    found = equal_steps._runs(np.append(np.cumsum(lengths[::-1])[::-1], 0.0))
    assert found.tolist() == [[0, 4], [4, 1], [5, 3], [8, 2]]


def test_a_grid_without_runs_is_left_alone():
    """Geometric grids have no equal steps, and short grids are not worth it: nothing is fitted."""
    data = StronglyLogConcave(m0=1.0, L0=2.0)
    for grid in (TimeGrid.geometric(5.0, STEPS), TimeGrid.uniform(5.0, 500)):
        setting = Setting(ou(), data, replace(euler_maruyama(1.0, 1), grid=grid))
        assert fitted_ingredients(setting, step_by_step) is None


@pytest.mark.parametrize(("count", "decay"), [(3_000_000, 10.0), (200_000, 10.0), (50_000, 100.0)])
def test_values_laid_through_a_few_places_of_a_chunk_are_the_series(count, decay):
    """Polynomials through six places of a chunk are above the series, by no more than is said, and that is
    rounding."""
    series = np.random.default_rng(3).standard_normal((4, 12)) * decay ** -np.arange(12.0)
    laid = Laid.of(series, count)
    assert laid.through.shape == (count // RUN, 4, fitted_columns.NODES)
    size = np.abs(series).max(axis=1)
    assert np.all(laid.missed <= 1e-13 * size)
    for start, values in laid.chunks():
        places = 2 * np.arange(start, start + values.shape[1]) / (count - 1) - 1
        over = values - np.polynomial.chebyshev.chebval(places, series.T)
        assert np.all(over.min(axis=1) >= -FITTED_ROUNDING * size)
        assert np.all(over.max(axis=1) <= 2 * laid.missed + FITTED_ROUNDING * size)


def test_what_polynomials_miss_is_added(monkeypatch):
    """Where the polynomials miss much, the values are above the series by at least nothing and at most twice
    what is said."""
    monkeypatch.setattr(fitted_columns, "ROUNDED", 1.0)
    series = np.random.default_rng(4).standard_normal((3, 12)) * 1.3 ** -np.arange(12.0)
    laid = Laid.of(series, 5 * RUN)
    assert np.all(laid.missed > 1e-9)
    for start, values in laid.chunks():
        places = 2 * np.arange(start, start + values.shape[1]) / (5 * RUN - 1) - 1
        over = values - np.polynomial.chebyshev.chebval(places, series.T)
        assert np.all(over >= 0) and np.all(over <= 2 * laid.missed[:, None])


def test_what_is_allowed_for_the_next_power_is_what_polynomials_miss_of_it():
    """T_6 is as far from the polynomial through six Chebyshev places of a chunk as half a chunk to the sixth
    power, and no more is allowed for it."""
    count = 4 * RUN
    half = (RUN - 1) / (count - 1)
    laid = Laid.of(np.array([[1.0, 0, 0, 0, 0, 0, 0.9 * fitted_columns.ROUNDED / half**6]]), count)
    assert laid.missed / fitted_columns.ROUNDED == pytest.approx(0.9, rel=FITTED_ROUNDING)


def test_a_panel_is_raised_by_its_error_and_never_below_zero():
    """A panel's values are the series plus what it may be off by; b, v² and Q are at least 0."""
    series, error = (
        np.array([[-0.5, 0.1], [-1.0, 0.0], [2.0, 1.0], [0.5, 0.5]]),
        np.array([0.1, 0.2, 0.3, 0.4]),
    )
    panel = equal_steps._raised(7, 100, series, error, 0.0)
    (found,) = panel.chunks()
    places = np.linspace(-1, 1, 100)
    expected = series[:, :1] + series[:, 1:] * places + error[:, None]
    expected[0] += 1.0
    assert panel.first == 7 and np.all(found[1] == 0)
    assert found == pytest.approx(np.maximum(expected, 0.0), rel=FITTED_ROUNDING)


def test_rough_series_are_summed_at_every_step():
    """Where polynomials through six places would miss more than rounding they are not used."""
    laid = Laid.of(np.ones((4, 12)), 30_000)
    assert laid.through is None and not laid.missed.any()


@pytest.mark.parametrize("grid", ["uniform", "best", "two runs"])
def test_blocks_are_the_columns(grid):
    """The blocks of fitted columns are all the steps in their order, and every sum over them is that over
    whole columns."""
    setting = setting_of(ou(), LAWS["one"], euler_maruyama(8.0, STEPS))
    if grid == "best":
        grid = model_of(theorems()["martingale"], setting).best_grid(STEPS)
    elif grid == "two runs":
        grid = TimeGrid.from_times(
            np.append(np.linspace(8.0, 3.0, STEPS)[:-1], np.linspace(3.0, 0.0, 7 * STEPS))
        )
    else:
        grid = setting.scheme.grid
    setting = replace(setting, scheme=replace(setting.scheme, grid=grid))
    parts = fitted_ingredients(setting, step_by_step)
    exact_scores, wrong_scores = parts.totals(), parts.totals(0.01, 0.02)
    blocks = list(parts.columns.blocks())
    sizes = [len(block[0]) for block in blocks]
    assert sum(sizes) == len(parts.columns) == grid.steps
    assert max(sizes) <= RUN
    assert all(one + other > RUN for one, other in itertools.pairwise(sizes))
    whole = parts.columns.whole
    assert np.array_equal(np.concatenate(blocks, axis=1), whole)
    exact = step_by_step(setting).columns
    for found, known in zip(
        whole, (exact.contraction, exact.bias, exact.variance, exact.score_weight), strict=True
    ):
        assert np.all(found >= known * (1 - FITTED_ROUNDING)) and np.all(
            found <= known + FITTED_COEFFICIENT * known.max()
        )
    a, d, v, weight = whole
    later, product = weights(a)
    start, drift = float(parts.initial), d + 0.01 * weight
    ends = propagate(start, a, d, v), propagate(0.0, a, d, v), product
    assert exact_scores[:3] == pytest.approx(ends, rel=SUMS_OF_RUNS)
    sizes = [
        round_up(x, grid.steps) for x in (np.sum(later * weight), np.sqrt(np.sum((later * weight) ** 2)))
    ]
    ends = propagate(start, a, drift, v + (0.02 * weight) ** 2), *ends[1:], *sizes
    assert wrong_scores[:5] == pytest.approx(ends, rel=SUMS_OF_RUNS)


def test_a_million_steps_are_fitted_as_a_few_are(monkeypatch):
    """The bound of a million steps is that with every chunk summed in full, up to rounding."""
    setting = setting_of(ou(), LAWS["one"], euler_maruyama(8.0, 1_000_000))
    martingale = theorems()["martingale"]
    quick = martingale.bound(setting).total
    monkeypatch.setattr(fitted_columns, "ROUNDED", 0.0)
    assert abs(quick - martingale.bound(replace(setting)).total) <= FITTED_STEPS * quick
