"""W2 between densities in the plane: both sides against closed forms and the quantiles of a line."""

import math

import numpy as np
import pytest

from closed_form.distances import planar
from closed_form.distances.line import w2_line
from closed_form.distances.planar import Planar
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.plane.law import Grid
from tests.closed_form.tolerances import PLANE_AFFINE, PLANE_FAR, PLANE_NARROW, PLANE_SAME
from tests.plane import between_cells, bures, gaussian


def mixture(first_weight, places=(-1.4, 1.4), std=0.5):
    """Two modes on the first axis: the density, and the law along it."""
    weights = [first_weight, 1 - first_weight]
    law = GaussianMixture([[place, 0.0] for place in places], weights, std=std)
    line = GaussianMixture([[place] for place in places], weights, std=std)
    return lambda x: np.exp(law.log_density(x.T)), line


def sides(first, second, half=7.0, spacing=0.2, moments=()):
    """Both sides between two densities on a box."""
    grid = Grid.around(np.full(2, -half), np.full(2, half), spacing)
    return Planar(grid, first(grid.points()).reshape(grid.shape), second, *moments).sides()


@pytest.mark.parametrize(("mean", "covariance"), [
    ([0.1, -0.05], [[1.0, 0.0], [0.0, 1.0]]),
    ([0.2, 0.1], [[1.1, 0.15], [0.15, 0.8]]),
])
def test_gaussians_are_between_the_sides(mean, covariance):
    """Bures's distance from N(0, I) is between both sides, which are close."""
    values = np.linalg.eigvalsh(covariance)
    exact = math.sqrt(float(np.dot(mean, mean)) + float(np.square(np.sqrt(values) - 1).sum()))
    lower, upper = sides(gaussian(mean, covariance), gaussian([0.0, 0.0], np.eye(2)))
    assert lower <= exact * (1 + PLANE_SAME) and exact <= upper * (1 + PLANE_SAME)
    assert upper - lower <= PLANE_NARROW * exact


def test_a_law_is_next_to_no_distance_from_itself():
    """The upper side is what is left of rounding, the lower one 0."""
    density, _ = mixture(0.3)
    lower, upper = sides(density, density, half=6.0, spacing=0.12)
    assert 0 <= lower <= upper <= PLANE_SAME


@pytest.mark.parametrize(("weight", "width"), [(0.501, PLANE_NARROW), (0.55, PLANE_FAR)])
def test_mass_that_changes_its_mode_is_between_the_sides(weight, width):
    """Modes of unequal weights: the distance is that along the line."""
    (first, line), (second, other) = mixture(weight), mixture(0.5)
    exact = w2_line(line, other).midpoint
    lower, upper = sides(first, second, half=6.0, spacing=0.12)
    assert lower <= exact <= upper and upper - lower <= width * exact


def test_modes_apart_have_a_finite_upper_side():
    """Where nothing connects two modes, mass that must change sides jumps: the upper side is finite."""
    (first, line), (second, other) = (mixture(weight, (-4.0, 4.0), 0.4) for weight in (0.52, 0.5))
    exact = w2_line(line, other).midpoint
    lower, upper = sides(first, second, half=8.0, spacing=0.14)
    assert lower <= exact <= upper <= 2 * exact


def test_a_wide_gaussian_is_known_to_the_letter_from_a_narrow_one():
    """Where the affine map between the moments is optimal both sides are its cost."""
    wide, narrow = np.array([[30.0, 6.0], [6.0, 14.0]]), np.array([[0.6, -0.2], [-0.2, 0.5]])
    exact = bures([0.3, -0.7], wide, narrow)
    lower, upper = sides(gaussian([0.3, -0.7], wide), gaussian([0.0, 0.0], narrow), 46.0, 0.9, (np.zeros(2), narrow))
    assert lower <= exact * (1 + PLANE_AFFINE) and exact <= upper * (1 + PLANE_AFFINE)
    assert upper - lower <= PLANE_AFFINE * exact


@pytest.mark.parametrize("rounds", [0, 1, 24])
def test_the_sides_hold_wherever_the_search_ends(monkeypatch, rounds):
    """A wide Gaussian and two modes on a turned line: squares of the line and of what is across it add up to between the
    sides, after no round of Newton's method, one and all; in the end the sides are close."""
    monkeypatch.setattr(planar, "ROUNDS", rounds)
    turn = np.array([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]])
    law = GaussianMixture(np.array([[-1.6, 0.0], [1.2, 0.0]]) @ turn.T, [0.35, 0.65], std=0.6)
    line = GaussianMixture([[-1.6], [1.2]], [0.35, 0.65], std=0.6)
    exact = math.hypot(w2_line(Gaussian([0.4], 9.0), line).midpoint, 3.0 - 0.6)
    lower, upper = sides(gaussian(turn @ [0.4, 0.0], 9 * np.eye(2)), lambda x: np.exp(law.log_density(x.T)), 26.0, 0.6,
                         (law.mean, law.covariance))
    assert lower <= exact <= upper
    assert rounds < 24 or upper - lower <= PLANE_AFFINE * exact


def test_transport_between_cells_is_between_the_sides():
    """Four unequal modes and a skew Gaussian: discrete transport between the middles of cells is off by no more than the
    cells are wide."""
    law = GaussianMixture([[1.5, 0.3], [-1.2, 1.1], [-0.4, -1.6], [0.6, 2.0]], [0.1, 0.4, 0.3, 0.2], std=0.5)
    second = lambda x: np.exp(law.log_density(x.T))  # noqa: E731
    first = gaussian([0.2, 0.1], [[3.0, 0.8], [0.8, 1.6]])
    lower, upper = sides(first, second, 13.0, 0.12, (law.mean, law.covariance))
    apart, width = between_cells((first, second), 6.5, 0.4)
    assert lower - width <= apart <= upper + width and lower > 2 * width
    assert upper - lower <= PLANE_AFFINE * upper
