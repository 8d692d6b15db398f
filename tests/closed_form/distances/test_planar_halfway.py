"""W2 in the plane by what is half-way: both sides against closed forms, quantiles of lines and discrete transport."""

import math
from dataclasses import replace

import numpy as np
import pytest

from closed_form.distances import planar_halfway
from closed_form.distances.line import w2_line
from closed_form.distances.planar_halfway import Halfway, _Search
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.plane.law import Grid
from tests.closed_form.tolerances import PLANE_AFFINE, PLANE_JUMPS, PLANE_NARROW, PLANE_SAME
from tests.plane import between_cells, bures, gaussian, turned


def sides(first, second, half=7.0, spacing=0.2, moments=()):
    """Both sides between two densities on a box."""
    return Halfway(Grid.around(np.full(2, -half), np.full(2, half), spacing), first, second, *moments).sides()[:2]


def of(law):
    """The density of a mixture at points of shape (2, n)."""
    return lambda x: np.exp(law.log_density(x.T))


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
    density = of(GaussianMixture([[-1.4, 0.0], [1.4, 0.0]], [0.3, 0.7], std=0.5))
    lower, upper = sides(density, density, half=6.0, spacing=0.12)
    assert 0 <= lower <= upper <= PLANE_SAME


@pytest.mark.parametrize(("weight", "far", "std"), [
    (0.501, 1.4, 0.5), (0.55, 1.4, 0.5), (0.502, 2.5, 0.5), (0.53, 2.5, 0.5), (0.7, 2.5, 0.5), (0.97, 2.5, 0.5),
])
def test_mass_that_changes_its_mode_is_between_the_sides(weight, far, std):
    """Two modes of other weights, 6 and 10 deviations apart on a turned line: a little, some and nearly all of a mode jumps, and
    what quantiles say is between the sides, which are close."""
    lines = [GaussianMixture([[-far], [far]], [part, 1 - part], std=std) for part in (weight, 0.5)]
    exact = w2_line(*lines).midpoint
    first, second = (of(GaussianMixture(np.hstack([line.means, 0 * line.means]) @ turned(0.3).T, line.weights, std=std))
                     for line in lines)
    lower, upper = sides(first, second, far + 7 * std, 0.24 * std)
    assert lower <= exact <= upper and upper - lower <= PLANE_JUMPS * exact


@pytest.mark.parametrize("means", [[[3.0, 0.0], [-2.0, 2.5], [-1.5, -3.0]], [[1.6, 0.0], [-0.8, 1.1], [-0.7, -1.2]]],
                         ids=["far", "near"])
def test_transport_between_cells_of_modes_is_between_the_sides(means):
    """Three modes of other weights, 10 and 5 deviations apart: discrete transport between the middles of cells is off by no more
    than the cells are wide."""
    laws = [of(GaussianMixture(means, weights, std=0.5)) for weights in ([0.6, 0.15, 0.25], [0.3, 0.3, 0.4])]
    lower, upper = sides(*laws, 7.0, 0.12)
    apart, width = between_cells(laws, 5.0, 0.25)
    assert lower - width <= apart <= upper + width and lower > 2 * width
    assert upper - lower <= PLANE_JUMPS * upper


@pytest.mark.parametrize("moments", [(), (np.array([0.4, -0.3]), np.array([[0.8, 0.2], [0.2, 0.5]]))], ids=["same", "affine"])
def test_all_pairs_cost_between_the_potentials_and_twice_the_square_of_their_way(moments):
    """Of any function whose second derivatives are less than 1, of waves on the grid: φ(x) + ψ(y') is |x − y'|² for one point and
    no more for two, and no less than it less what the square of their way on the grid is said to cost."""
    grid = Grid.around(np.full(2, -6.0), np.full(2, 6.0), 0.15)
    search = _Search(grid, gaussian([0.1, 0.2], np.array([[1.1, -0.3], [-0.3, 0.7]])), gaussian([0.4, -0.3], np.eye(2)),
                     *(moments or (None, None)))
    length = grid.spacing * np.array(grid.shape)
    turns = [2 * np.pi * k * x / side for k, x, side in zip((9, 7), grid.points(), length, strict=True)]
    found = search.of((0.004 * (np.cos(turns[0] + turns[1]) + np.sin(2 * turns[0] - turns[1]))).reshape(grid.shape))
    assert 0 < found.room < 0.7
    rng = np.random.default_rng(5)
    one, near = rng.integers(0, grid.size, 4000), rng.integers(-12, 13, (2, 4000))
    two = np.ravel_multi_index(np.stack(np.unravel_index(one, grid.shape)) + near, grid.shape, mode="clip")
    for other in (one, two, rng.permutation(one)):
        x, y = (place.reshape(2, -1)[:, which] for place, which in zip(found.places, (one, other), strict=True))
        phi, psi = (each.ravel()[which] for each, which in zip(found.potentials, (one, other), strict=True))
        excess = np.square(x - y).sum(axis=0) - phi - psi
        ways_sq = np.square(grid.points()[:, one] - grid.points()[:, other]).sum(axis=0)
        assert (excess >= -PLANE_SAME).all() and (excess <= found.dear.ravel()[one] * ways_sq + PLANE_SAME).all()
        assert np.abs(excess[one == other]).max(initial=0.0) <= PLANE_SAME


def test_what_another_first_law_would_change_is_said():
    """The first law moved by next to nothing along the way to the second: its distance changes by as much; itself: by nothing."""
    shift, move = 0.3, 1e-4
    place = lambda x: gaussian([x, 0.0], np.eye(2))  # noqa: E731
    found = Halfway(Grid.around(np.full(2, -7.0), np.full(2, 7.0), 0.2), place(shift), place(0.0))
    assert found.sides(place(shift + move))[2] == pytest.approx(move, rel=PLANE_NARROW)
    assert found.sides()[2] <= PLANE_SAME * move


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
    monkeypatch.setattr(planar_halfway, "MOVES", rounds)
    monkeypatch.setattr(planar_halfway, "ROUNDS", 0)
    turn = turned(0.5)
    law = GaussianMixture(np.array([[-1.6, 0.0], [1.2, 0.0]]) @ turn.T, [0.35, 0.65], std=0.6)
    line = GaussianMixture([[-1.6], [1.2]], [0.35, 0.65], std=0.6)
    exact = math.hypot(w2_line(Gaussian([0.4], 9.0), line).midpoint, 3.0 - 0.6)
    lower, upper = sides(gaussian(turn @ [0.4, 0.0], 9 * np.eye(2)), of(law), 26.0, 0.6,
                         (law.mean, law.covariance))
    assert lower <= exact <= upper
    assert rounds < 24 or upper - lower <= PLANE_AFFINE * exact


def test_transport_between_cells_is_between_the_sides():
    """Four unequal modes and a skew Gaussian: discrete transport between the middles of cells is off by no more than the
    cells are wide."""
    law = GaussianMixture([[1.5, 0.3], [-1.2, 1.1], [-0.4, -1.6], [0.6, 2.0]], [0.1, 0.4, 0.3, 0.2], std=0.5)
    second = of(law)
    first = gaussian([0.2, 0.1], [[3.0, 0.8], [0.8, 1.6]])
    lower, upper = sides(first, second, 13.0, 0.12, (law.mean, law.covariance))
    apart, width = between_cells([first, second], 6.5, 0.4)
    assert lower - width <= apart <= upper + width and lower > 2 * width
    assert upper - lower <= PLANE_AFFINE * upper


def test_what_the_quadrature_may_do_is_on_both_sides():
    """With what it doubts taken for a tenth of D(g), the lower side squared is nine tenths, and the upper one eleven or more."""
    search = _Search(Grid.around(np.full(2, -7.0), np.full(2, 7.0), 0.2), gaussian([1.0, 0.0], np.eye(2)),
                     gaussian([0.0, 0.0], np.eye(2)), np.zeros(2), np.eye(2))
    image = search.of(np.zeros(search.grid.shape))
    lower, upper = search.held(replace(image, doubt=image.dual / 10))
    assert lower**2 == pytest.approx(0.9 * image.dual) and upper**2 >= 1.1 * image.dual * (1 - PLANE_SAME)
