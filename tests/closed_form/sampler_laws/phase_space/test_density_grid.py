"""A density on a box against Gaussians, whose image under shears, kicks and noise is known."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from closed_form.sampler_laws.phase_space import density_grid
from closed_form.sampler_laws.phase_space.density_grid import PhaseField
from tests.closed_form.tolerances import FIELD

COVARIANCE = np.array([[1.0, 0.3], [0.3, 0.5]])


def field_and_density(dv=0.15, widest=0.8):
    """A box and N(0, COVARIANCE) on it, as density (velocities, positions)."""
    field = PhaseField(np.arange(-64, 64) * 0.15, np.arange(-60, 60) * dv, widest)
    return field, normal(field, COVARIANCE)


def normal(field, covariance, mean=(0.0, 0.0)):
    """The density of N(mean, covariance) of (position, velocity) on the box."""
    points = np.stack(np.broadcast_arrays(field.x, field.v), axis=-1)
    return multivariate_normal(mean, covariance).pdf(points)


def test_shear_moves_positions_by_their_velocity():
    """p(x − sv, v) of a Gaussian is the Gaussian of (X + sV, V), in units that stretch."""
    field, values = field_and_density()
    move = np.array([[1.0, 0.4], [0.0, 1.0]])
    field.stretch = 2.0
    found = field.sheared(values, 0.8)
    assert found == pytest.approx(normal(field, move @ COVARIANCE @ move.T), abs=FIELD)
    assert field.sheared(values, 0) is values


def test_blur_adds_noise_along_a_direction_and_takes_an_excess_away():
    """ξ·along adds its outer product to the covariance; the excess leaves the velocity's variance."""
    field, values = field_and_density()
    along = np.array([0.5, -0.3])
    assert field.blurred(values, along, 0.0) == pytest.approx(
        normal(field, COVARIANCE + np.outer(along, along)), abs=FIELD
    )
    less = COVARIANCE + np.outer(along, along) - np.diag([0.0, 0.04])
    assert field.blurred(values, along, 0.04) == pytest.approx(normal(field, less), abs=FIELD)
    less = COVARIANCE - np.diag([0.0, 0.04])
    assert field.blurred(values, (0.0, 0.0), 0.04) == pytest.approx(normal(field, less), abs=FIELD)
    assert field.blurred(values, (0.0, 0.0), 0.0) is values


@pytest.mark.parametrize(("slope", "offset"), [(0.0, 0.0), (-0.2, 0.5), (0.3, -1.0), (-1.6, 0.2)])
def test_kick_of_a_gaussian_is_gaussian(slope, offset):
    """v' = v + slope v + x/5 + offset + noise: an affine map, whatever its sign."""
    field, values = field_and_density()
    shift = slope * field.v + 0.2 * field.x + offset
    found, excess = field.kicked(values, shift, 0.09, 1.0)
    move = np.array([[1.0, 0.0], [0.2, 1.0 + slope]])
    assert excess == 0.0
    expected = normal(field, move @ COVARIANCE @ move.T + np.diag([0.0, 0.09]), (0.0, offset))
    assert found == pytest.approx(expected, abs=FIELD)


def test_kick_with_less_noise_than_the_grid_shows_returns_the_excess():
    """The kernel is widened to what the grid shows; without the excess the noise is the one asked for."""
    field, values = field_and_density()
    shift = -0.02 * field.v + 0.05 * field.x
    wide, excess = field.kicked(values, shift, 1e-3, 1.0)
    assert excess == pytest.approx((0.15 / 0.8) ** 2 - 1e-3)
    move = np.array([[1.0, 0.0], [0.05, 0.98]])
    expected = normal(field, move @ COVARIANCE @ move.T + np.diag([0.0, 1e-3]))
    assert field.blurred(wide, (0.0, 0.0), excess) == pytest.approx(expected, abs=FIELD)


def test_kicks_far_beyond_the_kernel_are_spread_in_blocks():
    """A kick of many kernel widths that depends on the velocity agrees with a plain sum over all pairs."""
    field, values = field_and_density(dv=0.1)
    shift = 4.5 * np.tanh(3 * field.v) + 0.0 * field.x
    found, _ = field.kicked(values, shift, 0.02, 1.0)
    v = field.v[:, 0]
    kernel = norm.pdf(v[:, None], (v + shift[:, 0])[None, :], np.sqrt(0.02))
    assert found == pytest.approx(kernel @ values * field.dv, abs=FIELD)


def test_kicks_over_many_blocks_are_spread_point_by_point(monkeypatch):
    """The same density as in blocks, also where some of it leaves the box; and no block is spread."""
    field, values = field_and_density(dv=0.1)
    shift = 12.0 * np.tanh(2 * field.v) + 3.0 * field.x
    with monkeypatch.context() as patch:
        patch.setattr(density_grid, "MOST_BLOCKS", 1000)
        blocks, _ = field.kicked(values, shift, 0.0225, 1.0)
    monkeypatch.setattr(PhaseField, "_spread", None)
    found, _ = field.kicked(values, shift, 0.0225, 1.0)
    assert found == pytest.approx(blocks, abs=FIELD)
    assert 0.01 < found.sum() / values.sum() < 0.99


@pytest.mark.parametrize("g, slope", [(0.36, 1.0), (1e-3, 10.0)])
def test_noise_of_many_cells_is_spread_by_waves(g, slope):
    """A kick of a Gaussian whose noise is twelve cells wide, asked for or for its slope, is the affine image."""
    field = PhaseField(np.arange(-64, 64) * 0.15, np.arange(-200, 200) * 0.05, 0.8)
    shift = 0.1 * field.v + 0.2 * field.x + 0.3
    found, excess = field.kicked(normal(field, COVARIANCE), shift, g, slope)
    move = np.array([[1.0, 0.0], [0.2, 1.1]])
    expected = normal(field, move @ COVARIANCE @ move.T + np.diag([0.0, g + excess]), (0.0, 0.3))
    assert found == pytest.approx(expected, abs=FIELD)


def test_watch_keeps_the_most_mass_near_a_side():
    """Mass at one side is leak and noise alike; noise that alternates leaks next to nothing."""
    field, values = field_and_density()
    field.watch(values)
    assert field.leak < FIELD
    values = values * 0
    values[:, 0] = 1.0
    field.watch(values)
    assert field.leak == pytest.approx(len(field.v) * field.dx * field.dv)
    other, values = field_and_density()
    other.watch(1e-3 * np.where(np.arange(len(field.v))[:, None] % 2, 1.0, -1.0) + 0 * values)
    assert other.noise > 1e-3 and other.leak < other.noise / 2


def test_kicks_fade_out_near_the_sides_of_a_periodic_box():
    """A kick narrower than the grid shows is whole up to 0.85 of the box's half-height, half as large
    half-way from there, and none at the side."""
    field = PhaseField(np.arange(-4, 4) * 0.15, np.arange(-1000, 1001) * 0.01, 0.8)
    v = field.v[:, 0]
    assert field._inner[np.abs(v) <= 8.5].min() == 1.0
    assert field._inner[np.abs(v) == v.max()].max() < FIELD
    assert np.interp(9.25, v, field._inner[:, 0]) == pytest.approx(0.5, abs=1e-6)
    assert np.all(np.diff(field._inner[v >= 0, 0]) <= 0)


@pytest.mark.parametrize("slope, size", [(-0.2, 1.0), (0.15, 1.0), (0.6, 0.5), (1.5, 0.25)])
def test_a_steep_map_of_positions_is_followed_between_the_places(slope, size):
    """x → x + slope·x + v/5 of a Gaussian is one, also where neighbouring places end farther apart than the
    grid's."""
    field, _ = field_and_density()
    found = field.displaced(normal(field, size * COVARIANCE), lambda offset: (
        slope * (field.x + offset) + 0.2 * field.v), 1.0 + slope)
    move = np.array([[1.0 + slope, 0.2], [0.0, 1.0]])
    assert found == pytest.approx(normal(field, size * move @ COVARIANCE @ move.T), abs=10 * FIELD)


def test_kicks_are_spread_from_few_columns_at_once(monkeypatch):
    """However many columns are taken together, BLAS adds no more numbers than that at once and no bit of the density
    changes."""
    field, values = field_and_density()
    shift = 0.3 * np.sin(field.x) - 0.2 * field.v
    sizes, add = [], density_grid.daxpy

    def counted(x, y, a):
        sizes.append(len(x))
        return add(x, y, a=a)

    monkeypatch.setattr(density_grid, "daxpy", counted)
    found = []
    for together in (density_grid.TOGETHER, 7 * len(field.v), 10**9):
        monkeypatch.setattr(density_grid, "TOGETHER", together)
        sizes.clear()
        found.append(field.kicked(values, shift, 0.4, 0.3)[0])
        assert max(sizes) == min(together, values.size) // len(field.v) * len(field.v)
    assert np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[2])
