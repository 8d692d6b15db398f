"""The model of the bound on every grid, and the grid that makes it smallest."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from bounds import euler_maruyama, ou, posterior_mean, ve, vp
from bounds.complexity.best_grid import FLOOR, model_of, per_step
from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.recursion.ingredients import Columns
from bounds.sampler import scheme
from bounds.theorems import theorems
from closed_form import Gaussian
from closed_form.sampler_laws.w2 import sampler_w2
from tests.bounds.tolerances import MODEL, TWO_DIGITS
from tests.drawn import examples
from tests.tolerances import BEST_GRID, PHASE_CHAIN
from verify.certificates.question import setting_of
from verify.planning.by_model import Planner

MARTINGALE = theorems()["martingale"]
log_uniform = st.floats(-1.5, 1.5).map(lambda x: 10.0**x)


def on_grid(setting, grid):
    """The same setting on another grid."""
    return replace(setting, scheme=replace(setting.scheme, grid=grid))


def test_a_sampler_without_bias_has_a_best_grid():
    """Where the mean of every step is exact the best steps are short where the noise is missed."""
    setting = setting_of(ou(), Gaussian([0.0], 0.05), posterior_mean(4.0, 50))
    model = model_of(MARTINGALE, setting, 60)
    columns = model.ingredients.columns
    exact = Columns(columns.contraction, 0 * columns.bias, columns.variance, columns.score_weight)
    model = replace(model, ingredients=replace(model.ingredients, columns=exact))
    assert model.error(model.best_counts(50)) < 0.9 * model.error(model.uniform_counts(50))


def test_a_kick_between_two_steps_is_shared_by_them():
    """Of the kicks of a splitting the first and the last belong to one step, others half to each beside
    them."""
    kicks = np.array([1.0, 4.0, 2.0, 8.0])
    found = per_step(Columns(np.ones(4), kicks, 2 * kicks, 3 * kicks), 3)
    assert [found.bias.tolist(), found.variance.tolist()] == [[3.0, 3.0, 9.0], [6.0, 6.0, 18.0]]


@settings(max_examples=examples(15))
@given(
    log_uniform,
    st.floats(0, 2),
    st.sampled_from([ou(), ve(1), vp("1/2+t")]),
    st.sampled_from([euler_maruyama, posterior_mean]),
)
def test_the_model_is_the_bound_for_small_steps(variance, mean, process, sampler):
    """On a uniform grid whose steps are short for the data, the model agrees with the bound."""
    setting = setting_of(process, Gaussian(np.full(2, mean), variance), sampler(2.0, 8000))
    model = model_of(MARTINGALE, setting)
    steps = 8000 * max(1, round(1 / (8 * variance)))
    bound = MARTINGALE.bound(on_grid(setting, type(setting.scheme.grid).uniform(2.0, steps))).total
    assert math.isclose(model.error(model.uniform_counts(steps)), bound, rel_tol=MODEL)


@settings(max_examples=examples(10))
@given(log_uniform, st.floats(0, 2), st.sampled_from([ou(), ve(1), vp("1/10+2*t")]), st.integers(50, 2000))
def test_the_best_grid_is_a_grid_and_not_worse_than_the_uniform_one(variance, mean, process, steps):
    """It has the steps asked for, ends where it must, and the model's error does not exceed the uniform
    grid's."""
    model = model_of(
        MARTINGALE, setting_of(process, Gaussian(np.full(1, mean), variance), euler_maruyama(3.0, 1))
    )
    counts, grid = model.best_counts(steps), model.best_grid(steps)
    assert math.isclose(counts.sum(), steps, rel_tol=FLOOR * 2) and counts.min() > 0
    assert (grid.steps, grid.horizon, grid.early_stop, grid.kind) == (steps, 3.0, 0.0, "best")
    assert model.error(counts) <= model.error(model.uniform_counts(steps)) * (1 + MODEL)


def test_the_density_of_steps_is_optimal():
    """scipy's minimiser, started from it and from the uniform grid, finds nothing better by more than the
    tolerance."""
    setting = setting_of(ou(), Gaussian(np.full(1, 1.0), 0.25), euler_maruyama(3.0, 1))
    model, steps, groups = model_of(MARTINGALE, setting), 200, 24
    cells = np.array_split(np.arange(len(model.lengths)), groups)

    def error(logs, shape):
        counts = shape * np.concatenate(
            [np.full(len(cell), math.exp(x)) for cell, x in zip(cells, logs, strict=True)]
        )
        return model.error(counts * steps / counts.sum())

    best = model.error(model.best_counts(steps))
    for shape in (model.best_counts(steps), model.uniform_counts(steps)):
        found = minimize(error, np.zeros(groups), args=(shape,), method="L-BFGS-B", options={"maxiter": 60})
        assert best <= found.fun * (1 + BEST_GRID)


def test_ve_with_constant_g_on_its_best_grid():
    """VE g = 1, N(0, 1/4), 1600 steps: 0.0102 from ‖X_0‖ on, 0.0032 from the sharper start, 0.00070 on the
    best grid."""
    law = Gaussian(np.zeros(1), 0.25)
    setting = setting_of(ve(1), law, euler_maruyama(40.0, 1600))

    def from_the_data(horizon):
        parts = MARTINGALE.ingredients(
            on_grid(setting, TimeGrid.uniform(horizon, 1600)), MARTINGALE.functions
        )
        return replace(parts, initial=0.5).total()

    plain = minimize_scalar(from_the_data, bounds=(1.0, 100.0), method="bounded").fun
    assert math.isclose(plain, 0.0102, rel_tol=TWO_DIGITS)
    for grid, bound, ratio in (("uniform", 0.0032, 2.3), ("best", 0.00070, 1.4)):
        planner = Planner(MARTINGALE, setting, grid=grid)
        horizon, least = planner.least_bound(1600)
        assert math.isclose(least.total, bound, rel_tol=TWO_DIGITS)
        truth = sampler_w2(law, on_grid(setting, planner.grid(horizon, 1600)).table.steps())
        assert least.total / ratio <= truth.upper <= least.total


def test_theorems_without_a_recursion_are_refused():
    """Theorem G has no recursion to model."""
    setting = setting_of(ou(), Gaussian(np.zeros(1), 1.0), euler_maruyama(3.0, 10))
    with pytest.raises(ValueError, match="gao2025"):
        model_of(theorems()["gao2025-general-sde"], setting)


def test_the_kicks_of_a_splitting_are_shared_between_steps():
    """A splitting has a row more than steps; the model has one a step, and their sums are those of the
    kicks."""
    question = setting_of(cld(), Gaussian([1.0, -0.5], [0.25, 1.0]), scheme("sscs", 4.0, 50))
    kicks = MARTINGALE.ingredients(question, MARTINGALE.functions).columns
    shared = per_step(kicks, 50)
    assert len(kicks) == 51 and len(shared) == 50
    for one, other in zip(kicks.whole[1:], shared.whole[1:], strict=True):
        assert math.isclose(one.sum(), other.sum(), rel_tol=PHASE_CHAIN)
    assert per_step(shared, 50) is shared
    assert len(model_of(MARTINGALE, question, 50).ingredients.columns) == 50
