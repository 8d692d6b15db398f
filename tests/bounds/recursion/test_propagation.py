"""The error recursion: vectorised form against the definition, monotone, rounded upwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mpmath import mpf, sqrt

from bounds.recursion import propagation
from bounds.recursion.ingredients import Columns, Ingredients, InitialTerm
from bounds.recursion.propagation import SMALLEST, propagate, round_up, weights
from tests.bounds.tolerances import SUMS_OF_RUNS

STEPS = st.integers(1, 30)
POSITIVE = st.floats(0.0, 3.0)


@given(st.data(), STEPS)
def test_one_and_many_follow_the_definition(data, steps):
    """E_k² = (A E + d)² + v², whether for one problem or for a batch, and never below its value in exact
    arithmetic."""
    a, d, v = (data.draw(arrays(float, (4, steps), elements=POSITIVE)) for _ in range(3))
    start = data.draw(arrays(float, 4, elements=POSITIVE))
    batch = propagate(start, a, d, v)
    for i in range(4):
        error = np.longdouble(start[i])
        for k in range(steps):
            error = np.sqrt((np.longdouble(a[i, k]) * error + d[i, k]) ** 2 + v[i, k])
        one = propagate(start[i], a[i], d[i], v[i])
        assert float(one) == pytest.approx(float(error), rel=1e-11, abs=2e-300)
        assert batch[i] == pytest.approx(float(error), rel=1e-11, abs=2e-300)
        assert one >= error


@pytest.mark.parametrize("bias", [0.0, 1e-12, 1e-3, 1e-170])
@pytest.mark.parametrize("start", [0.0, 1e-3, 10.0])
def test_runs_of_steps_follow_the_definition(bias, start):
    """Thousands of steps at once give the loop's value from above, whether bias or variance dominates, and
    from any start."""
    rng = np.random.default_rng(5)
    a, d = 1 - 1e-3 * rng.random(9000), bias * rng.random(9000)
    for variance in (0.0, 1e-10, 1.0):
        v, error = variance * rng.random(9000), np.longdouble(start)
        for k in range(9000):
            error = np.hypot(np.longdouble(a[k]) * error + d[k], np.sqrt(np.longdouble(v[k])))
        found = propagate(start, a, d, v)
        assert found >= error
        assert float(found) == pytest.approx(float(error), rel=SUMS_OF_RUNS, abs=1e-160)


def test_many_harmless_steps_are_not_taken_one_by_one(monkeypatch):
    """Thousands of contractions by a little are propagated by sums; without a bias E is the plain product."""
    monkeypatch.setattr(propagation, "_propagate_steps", None)
    a = np.full(3000, 0.999)
    assert float(propagate(2.0, a, 0 * a, 0 * a)) == pytest.approx(2.0 * 0.999**3000, rel=SUMS_OF_RUNS)


def test_contractions_beyond_the_range_of_floats_multiply_to_one_within():
    """1e-200 twice, and then 1e150 and 1e50 twice, make 1, however many steps lie between them."""
    a = np.ones(3 * propagation.FACTORS)
    a[:2], a[propagation.FACTORS :][:2], a[-2:] = 1e-200, 1e150, 1e50
    assert propagation.product_of(a) == pytest.approx(1.0, rel=SUMS_OF_RUNS)


@given(st.data(), STEPS)
def test_weights_are_products_of_later_steps(data, steps):
    """weights() gives ∏_{j>k} A_j and the whole product, zeros included."""
    a = data.draw(arrays(float, steps, elements=POSITIVE))
    later, total = weights(a)
    expected = [np.prod(a[k + 1 :]) for k in range(steps)]
    assert later == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert total == pytest.approx(np.prod(a), rel=1e-9, abs=1e-300)


def test_overflow_is_infinite_not_nan():
    """A recursion that leaves the range of floats ends at infinity, also where infinities meet zeros."""
    with np.errstate(over="ignore", invalid="ignore"):
        assert propagate(1.0, np.full(2000, 10.0), np.zeros(2000), np.zeros(2000)) == np.inf
        a = np.array([[1e200, 1e200, 0.0]])
        assert propagate(np.array([1.0]), a, np.zeros((1, 3)), np.zeros((1, 3)))[0] == np.inf


def test_rounding_goes_up():
    """round_up never lowers a value and allows for at least eight units in the last place an operation."""
    assert round_up(1.0, 0) >= 1.0
    assert round_up(1.0, 100) - 1.0 >= 800 * np.finfo(float).eps


def test_a_weight_whose_square_overflows_leaves_the_biased_score():
    """Without score noise the squares of the weights play no part in the total."""
    columns = Columns(np.full(500, 0.5), np.zeros(500), np.full(500, 1e-3), np.full(500, 1e160))
    found = Ingredients(1.0, columns, 0.0, InitialTerm("given")).totals(1e-3, 0.0)
    assert found.total == pytest.approx(2e157) and found.score_weight == pytest.approx(2e160)
    assert found.noise_weight == np.inf and np.isfinite(found.discretisation)


@pytest.mark.parametrize(("start", "a", "v"), [(1.0, 1e-110, 0.0), (1.6e-318, 0.7, 0.0), (0.0, 0.99, 5e-324),
                                               (0.0, 1.05, 1e-320), (1e-200, 0.5, 0.0)])
@pytest.mark.parametrize("steps", [3, 700])
def test_what_underflows_stays_above(start, a, v, steps):
    """Where the error or its square leaves the range of floats it is not below its value in exact arithmetic,
    and 0 stays 0."""
    error = mpf(start)
    for _ in range(steps):
        error = sqrt((a * error) ** 2 + mpf(v))
    columns = np.full(steps, a), np.zeros(steps), np.full(steps, v)
    two = propagate(np.full(2, start), *(np.tile(x, (2, 1)) for x in columns))
    for found in (propagate(start, *columns), two[0]):
        assert error <= mpf(float(found)) <= max(error * (1 + 1e-10), mpf(SMALLEST) * (1 + 1e-10))
    assert propagate(0.0, columns[0], columns[1], np.zeros(steps)) == 0
