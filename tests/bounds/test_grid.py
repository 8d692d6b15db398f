"""Time grids: shared by bound, exact law and sampler."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds.grid import TimeGrid


@given(
    st.floats(1e-3, 1e3), st.integers(1, 500), st.sampled_from(["uniform", "geometric", "quadratic", "shifted"]),
    st.floats(0, 0.9), st.floats(0.1, 10),
)
def test_grids_run_from_the_horizon_down_to_the_early_stop(horizon, steps, kind, fraction, shift):
    """Every grid has the asked number of steps, starts at the horizon, decreases strictly and ends at the
    stop."""
    stop = horizon * fraction if fraction > 0.01 else 0.0
    grid = getattr(TimeGrid, kind)(horizon, steps, stop, **({"shift": shift} if kind == "shifted" else {}))
    assert grid.steps == steps
    assert grid.horizon == horizon
    assert grid.early_stop == stop
    assert np.all(np.diff(grid.times) < 0)


def test_geometric_grid_keeps_the_ratio():
    """A geometric grid with early stopping divides the time by the same number at every step."""
    times = TimeGrid.geometric(8.0, 3, 1.0).times
    assert np.allclose(times[:-1] / times[1:], 2.0, rtol=1e-14)


def test_quadratic_grid_has_equal_steps_of_the_root():
    """Times are squares of equal steps: of 4 steps from 16, the squares of 4, 3, 2, 1 and 0."""
    assert TimeGrid.quadratic(16.0, 4).times.tolist() == [16.0, 9.0, 4.0, 1.0, 0.0]
    assert np.allclose(np.diff(np.sqrt(TimeGrid.quadratic(9.0, 4, 1.0).times)), -0.5, rtol=1e-14)


@pytest.mark.parametrize("shift", [1.0, 3.0, 0.5])
def test_shifted_grid_multiplies_the_noise_levels(shift):
    """On flow matching t/(1−t) is the shift times that of equal steps; stopped early, it is still in equal steps of the
    inverse; one of 1 is uniform."""
    times, even = TimeGrid.shifted(1.0, 8, shift=shift).times[1:], TimeGrid.uniform(1.0, 8).times[1:]
    assert np.allclose(times / (1 - times), shift * even / (1 - even), rtol=1e-14)
    part = TimeGrid.shifted(2.0, 5, 0.1, shift=shift).times / 2
    assert np.allclose(np.diff(part / (shift - (shift - 1) * part), 2), 0, atol=1e-14)


def test_times_stay_as_they_were():
    """What is later written into the array a grid was made of does not reach the grid, and nobody writes into
    a grid's."""
    times = np.array([2.0, 1.0, 0.0])
    grid = TimeGrid(times)
    times[1] = 1.5
    assert grid.times[1] == 1.0
    assert not any(
        made.times.flags.writeable for made in (grid, TimeGrid(times, copy=False), TimeGrid.uniform(1.0, 3))
    )


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: TimeGrid.uniform(0.0, 5), "horizon"),
        (lambda: TimeGrid.uniform(np.nan, 5), "horizon"),
        (lambda: TimeGrid.uniform(1.0, 0), "steps"),
        (lambda: TimeGrid.uniform(1.0, 10**9), "steps"),
        (lambda: TimeGrid.uniform(1.0, 5, 1.0), "early_stop"),
        (lambda: TimeGrid.uniform(1.0, 5, -0.1), "early_stop"),
        (lambda: TimeGrid.geometric(1.0, 5, smallest=2.0), "smallest"),
        (lambda: TimeGrid.from_times([1.0, 1.0, 0.0]), "decrease strictly"),
        (lambda: TimeGrid.from_times([0.0, 1.0]), "decrease strictly"),
        (lambda: TimeGrid.from_times([1.0]), "at least two"),
        (lambda: TimeGrid.shifted(1.0, 5, shift=0.0), "shift must be positive"),
        (lambda: TimeGrid.from_times([1.0, np.nan]), "finite"),
        (lambda: TimeGrid.from_times([1.0, -0.5]), ">= 0"),
    ],
)
def test_bad_grids_are_refused_by_name(make, words):
    """A grid that is not one is refused, and the message names what is wrong."""
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("steps", [2.5, True, "3"])
def test_steps_must_be_a_whole_number(steps):
    """Booleans, floats and strings are not numbers of steps."""
    with pytest.raises(TypeError, match="steps"):
        TimeGrid.uniform(1.0, steps)
