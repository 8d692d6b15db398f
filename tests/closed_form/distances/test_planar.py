"""W2 between densities in the plane: both sides against closed forms and the quantiles of a line."""

import math

import numpy as np
import pytest

from closed_form.distances.line import w2_line
from closed_form.distances.planar import Planar
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.plane.law import Grid
from tests.closed_form.tolerances import PLANE_FAR, PLANE_NARROW, PLANE_SAME


def gaussian(mean, covariance):
    """The density of a Gaussian at points of shape (2, n)."""
    precision, centre = np.linalg.inv(covariance), np.array(mean)[:, None]
    height = math.sqrt(np.linalg.det(precision)) / (2 * math.pi)
    return lambda x: height * np.exp(-0.5 * np.einsum("in,ij,jn->n", x - centre, precision, x - centre))


def mixture(first_weight, places=(-1.4, 1.4), std=0.5):
    """Two modes on the first axis: the density, and the law along it."""
    weights = [first_weight, 1 - first_weight]
    law = GaussianMixture([[place, 0.0] for place in places], weights, std=std)
    line = GaussianMixture([[place] for place in places], weights, std=std)
    return lambda x: np.exp(law.log_density(x.T)), line


def sides(first, second, half=7.0, spacing=0.2):
    """Both sides between two densities on a box."""
    grid = Grid.around(np.full(2, -half), np.full(2, half), spacing)
    return Planar(grid, first(grid.points()).reshape(grid.shape), second).sides()


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
