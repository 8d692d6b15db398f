"""Experiments: each runs in its quick form, its findings follow from its rows, and its picture can be
drawn."""

import math
from functools import lru_cache

import numpy as np
import pytest
import sympy
from matplotlib.figure import Figure

from tests.quick_results import quick_result
from tests.torch_required import require_torch
from tests.verify.tolerances import EXPERIMENT_RECURSION, EXPERIMENT_SLOPE
from verify.experiments import experiments
from verify.experiments.adaptive_grid import two_phase_grid
from verify.experiments.dimension import slope as slope_of_dimension
from verify.experiments.horizon_and_step import slope
from verify.experiments.noise_schedule import THEOREMS, best, schedule

KNOWN = experiments()


@pytest.fixture(scope="module")
def results(shared_folder):
    """Quick results by key, run once."""
    return lru_cache(lambda key: quick_result(KNOWN[key], shared_folder))


def test_the_folder_is_the_list():
    """Every question of the seed is there, under its key."""
    assert set(KNOWN) == {
        "adaptive-grid", "dimension", "funnel", "horizon-and-step", "learned-score", "many-modes", "noise-schedule",
        "published-schedules", "regime-boundary", "score-error-shape"
    }


@pytest.mark.parametrize("key", [key for key in KNOWN if key != "learned-score"])
def test_every_experiment_runs_and_draws(key, results):
    """Rows, findings of one line each, and a figure with axes."""
    result, figure = results(key), Figure()
    KNOWN[key].draw(figure, result)
    assert result.rows and figure.axes
    assert all("\n" not in line and line for line in result.findings)


def test_slopes_over_horizon_and_step(results):
    """Exact W2 falls at least like e^{−T} and like h; every bound is above it."""
    rows = results("horizon-and-step").rows
    over_time, over_step = ([row for row in rows if row["sweep"] == s] for s in ("horizon", "step"))
    assert slope(over_time, "exact") <= -1 + EXPERIMENT_SLOPE
    assert abs(slope(over_step, "exact") - 1) <= EXPERIMENT_SLOPE
    assert all(
        row["exact"] <= min(row[k] for k in row if k.startswith(("mart", "gen")) and "_" not in k)
        for row in rows
    )


def test_a_push_contracts_no_slower_than_the_rate_allows(results):
    """What is left of a push is at most exp(−∫rate), which is at most the bound's product up to its
    discretisation."""
    for row in results("regime-boundary").rows:
        assert row["measured_factor"] <= row["rate_factor"] * (1 + EXPERIMENT_SLOPE)
        assert row["exact"] <= row["bound"]
        assert row["factor_below_eta"] > 1 > row["factor_above_eta"] or row["horizon"] <= row["eta"]


def test_shapes_of_equal_size_differ_and_all_bounds_hold(results):
    """W2 differs by more than a factor 2 at the same L2 size; no shape exceeds the bound; the valley moves
    mass."""
    rows = results("score-error-shape").rows
    assert max(r["exact"] for r in rows) > 2 * min(r["exact"] for r in rows)
    assert all(r["exact_upper"] <= r["bound"] for r in rows)
    by_shape = {row["shape"]: row for row in rows}
    assert by_shape["in the valley, to the right"]["right_mass"] > 0.55
    assert by_shape["wave"]["right_mass"] == pytest.approx(0.5, abs=0.01)


def test_many_modes_hold_and_factors_help(results):
    """Every bound is above the truth, and the factors' envelope is far sharper on a product, where the ball's
    saturates."""
    rows = results("many-modes").rows
    for row in rows:
        bounds = [v for k, v in row.items() if k.startswith(("martingale", "gentiloni")) and v is not None]
        assert min(bounds) >= row["lower"]
    scattered = next(row for row in rows if row["truth"] != "exact")
    assert 0 < scattered["upper"] < scattered["martingale"] / 1.5 and "given" in scattered["truth"]
    product = next(row for row in rows if "2^4" in row["law"])
    assert product["martingale (factors)"] < 0.4 * product["martingale"]


def test_refining_below_the_boundary_helps_the_truth(results):
    """At equal steps the two-phase grid lowers the exact W2 of at least six mixtures."""
    rows = results("adaptive-grid").rows
    assert len(rows) >= 6 and all(row["gain_exact"] > 1 for row in rows)
    assert all(row["best_grid_gain_bound"] > 1 - EXPERIMENT_SLOPE for row in rows)


def test_two_phase_grids_have_their_share():
    """A share of the steps lies below the boundary, which is a grid time, and the steps add up."""
    grid = two_phase_grid(4.0, 0.5, 20, 0.4)
    assert grid.steps == 20 and 0.5 in grid.times and int(np.sum(grid.times < 0.5)) == 8
    assert math.isclose(grid.horizon, 4.0) and grid.early_stop == 0.0


def test_the_funnel_over_epsilon(results):
    """Where the process has not mixed a small ε helps; started from p_T it makes no difference; the bound is
    above the truth."""
    rows = results("funnel").rows
    floor = next(row["sliced_w2"] for row in rows if row["sweep"] == "floor")
    cells = {(row["a"], row["epsilon"]): row["sliced_w2"] for row in rows if row["sweep"] == "sweep"}
    assert cells[0.1, 0.0] > 2 * cells[0.1, 0.25] and cells[0.1, 1.0] > 2 * cells[0.1, 0.25]
    assert all(row["sliced_w2"] < 1.5 * floor for row in rows if row["sweep"] == "from p_T")
    assert all(0 < row["sliced_w2"] < floor / 4 for row in rows if row["sweep"] == "pairs")
    known = [row for row in rows if row["sweep"] == "bound"]
    assert len(known) == 10 and all(row["exact"] <= row["bound"] for row in known)


def test_a_learned_score_is_bounded_by_its_error(results):
    """With the L2 error measured at the iterates the bound holds for the network's score, for one M and step
    by step, and step by step it is less than half."""
    require_torch()
    result, figure = results("learned-score"), Figure()
    KNOWN["learned-score"].draw(figure, result)
    for row in result.rows:
        assert (
            row["holds"]
            and row["exact_upper"] <= row["bound_stepwise"] < row["bound"] / 2
            and row["exact"] > row["exact_without"]
        )


def test_the_truth_of_the_schedules_prefers_what_one_bound_picks(results):
    """N(1, ½ I_50): the exact W2 is least at a = 2, where its value is known by a recursion of its own, and so is the martingale
    bound; the other two are least where the exact W2 is 5.5 times as large."""
    rows = results("noise-schedule").rows
    by_a = {row["a"]: row for row in rows}
    for name, a in (("exact", 2), ("martingale", 2), ("gao2025-general-sde", 5), ("gentiloni2025-weak-log-concave", 5)):
        assert best(rows, name)["a"] == a
    assert by_a[5]["exact"] / by_a[2]["exact"] == pytest.approx(5.5, abs=0.05)
    for a, row in by_a.items():
        assert row["exact"] == pytest.approx(_isotropic(schedule(a)), rel=EXPERIMENT_RECURSION)
        assert row["exact"] <= min(row[key] for key in THEOREMS)


def _isotropic(beta: str) -> float:
    """W2 of Euler–Maruyama for N(1, ½ I_50) under VP, T = 1, 500 steps from N(0, s(T)² I): mean and variance, step by step."""
    t = sympy.Symbol("t")
    rate = sympy.sympify(beta, {"t": t})
    integral = sympy.lambdify(t, sympy.integrate(rate, (t, 0, t)))
    times = np.linspace(1.0, 0.0, 501)
    a_sq = np.array([np.exp(-integral(time)) for time in times])
    mean, variance = 0.0, 1 - a_sq[0]
    for k in range(500):
        step = integral(times[k]) - integral(times[k + 1])
        of_law = 0.5 * a_sq[k] + 1 - a_sq[k]
        keep = 1 + step / 2 - step / of_law
        mean, variance = keep * mean + step * np.sqrt(a_sq[k]) / of_law, keep**2 * variance + step
    return np.sqrt(50 * ((mean - 1) ** 2 + (np.sqrt(variance) - np.sqrt(0.5)) ** 2))


def test_error_and_steps_grow_like_the_root_of_the_dimension(results):
    """The exact W2 and the martingale bound at 10⁴ dimensions are a hundred times those at one."""
    rows = results("dimension").rows
    assert slope_of_dimension(rows, "exact") == pytest.approx(0.5, abs=1e-9)
    assert slope_of_dimension(rows, "martingale") == pytest.approx(0.5, abs=1e-6)
    assert all(row["exact"] <= min(row[key] for key in row if key.startswith(("mart", "gao", "gen"))) for row in rows)


def test_published_schedules_hold_and_the_best_is_variance_preserving(results):
    """Every bound is above the exact W2, and the least exact W2 is a VP schedule's."""
    rows = results("published-schedules").rows
    assert min(rows, key=lambda row: row["exact"])["family"] == "vp"
    assert all(row["exact"] <= min(row["martingale"], row["gao2025-general-sde"]) for row in rows)
