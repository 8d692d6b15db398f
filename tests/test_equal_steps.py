"""Ingredients fitted on long runs of equal steps, against every step computed."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from tolerances import FITTED_COEFFICIENT, FITTED_ROUNDING, FITTED_STEPS

from bounds import StronglyLogConcave, equal_steps, euler_maruyama, ou, ve, vp
from bounds.best_grid import model_of
from bounds.equal_steps import fitted_ingredients
from bounds.grid import TimeGrid
from bounds.process import TIME, ForwardProcess
from bounds.schemes import SCHEMES
from bounds.setting import Setting
from bounds.theorem import theorems
from closed_form import Gaussian, GaussianMixture
from verify.settings import setting_of

STEPS = 30_000
PROCESSES = {"ou": (ou(), 8.0), "ve": (ve(1), 60.0), "vp": (vp("1/10+199/10*t"), 1.2)}
LAWS = {"one": Gaussian(np.full(2, 0.5), np.array([0.25, 2.0])), "two": GaussianMixture.two_modes(2.0, 0.5)}


def both(monkeypatch, theorem, setting):
    """(The bound from fitted ingredients, the bound step by step)."""
    fitted = theorem.bound(setting)
    with monkeypatch.context() as patched:
        patched.setattr(equal_steps, "MANY_STEPS", 10**9)
        return fitted, theorem.bound(replace(setting))


@pytest.mark.parametrize("grid", ["uniform", "best"])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("name", "key"), [("ou", "ancestral"), ("ve", "posterior-mean-matched"), ("vp", "frozen-euler-maruyama")])
def test_fitted_bounds_are_above_and_close(monkeypatch, name, key, law, grid):
    """Every part of the bound is at least the one of all steps computed, and hardly more."""
    process, horizon = PROCESSES[name]
    setting = setting_of(process, LAWS[law], euler_maruyama(horizon, STEPS), 0.01, 0.02)
    setting = replace(setting, scheme=replace(setting.scheme, rule=SCHEMES[key]))
    martingale = theorems()["martingale"]
    if grid == "best":
        setting = replace(setting, scheme=replace(setting.scheme, grid=model_of(martingale, setting).best_grid(STEPS)))
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
def test_a_bump_between_the_sampled_steps_is_seen(place):
    """g² with a bump narrower than the gaps between samples: the steps in it are not taken for their neighbours."""
    bump = ForwardProcess.scalar("bump", 1, 2 + 50 * sympy.exp(-(((TIME - sympy.Rational(str(place))) * 2000) ** 2)))
    setting = Setting(bump, StronglyLogConcave(m0=1.0, L0=2.0), euler_maruyama(5.0, STEPS))
    fitted, whole = fitted_ingredients(setting, step_by_step), step_by_step(setting)
    assert np.all(fitted.variance >= whole.variance * (1 - FITTED_COEFFICIENT))
    assert np.all(np.abs(fitted.score_weight / whole.score_weight - 1) <= FITTED_COEFFICIENT)


def test_a_grid_without_runs_is_left_alone():
    """Geometric grids have no equal steps, and short grids are not worth it: nothing is fitted."""
    data = StronglyLogConcave(m0=1.0, L0=2.0)
    for grid in (TimeGrid.geometric(5.0, STEPS), TimeGrid.uniform(5.0, 500)):
        setting = Setting(ou(), data, replace(euler_maruyama(1.0, 1), grid=grid))
        assert fitted_ingredients(setting, step_by_step) is None


@pytest.mark.parametrize(("count", "decay"), [(3_000_000, 10.0), (200_000, 10.0), (50_000, 100.0)])
def test_values_laid_through_a_few_places_of_a_chunk_are_the_series(count, decay):
    """Polynomials through six places of a chunk miss no more of the series than is said, and that is rounding."""
    series = np.random.default_rng(3).standard_normal((4, 12)) * decay ** -np.arange(12.0)
    through, missed = equal_steps._through(series, count)
    assert through.shape == (count // equal_steps.CHUNK, 4, equal_steps.NODES)
    assert np.all(missed <= 1e-13 * np.abs(series).max(axis=1))
    for chunk in (0, len(through) // 2, len(through) - 1):
        places = 2 * (chunk * equal_steps.CHUNK + np.arange(equal_steps.CHUNK)) / (count - 1) - 1
        expected = np.polynomial.chebyshev.chebval(places, series.T)
        off = np.abs(through[chunk] @ equal_steps._LAGRANGE - expected).max(axis=1)
        assert np.all(off <= missed + FITTED_ROUNDING * np.abs(series).max(axis=1))


def test_rough_series_are_summed_at_every_step():
    """Where polynomials through six places would miss more than rounding they are not used."""
    series = np.ones((4, 12))
    through, missed = equal_steps._through(series, 30_000)
    assert through is None and not missed.any()


def test_a_million_steps_are_fitted_as_a_few_are(monkeypatch):
    """The bound of a million steps is that with every chunk summed in full, up to rounding."""
    setting = setting_of(ou(), LAWS["one"], euler_maruyama(8.0, 1_000_000))
    martingale = theorems()["martingale"]
    quick = martingale.bound(setting).total
    monkeypatch.setattr(equal_steps, "ROUNDED", 0.0)
    assert abs(quick - martingale.bound(replace(setting)).total) <= FITTED_STEPS * quick
