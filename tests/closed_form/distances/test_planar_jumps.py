"""W2 in the plane where mass jumps between modes far apart: both sides against lines and discrete transport."""

import math

import numpy as np
import ot
import pytest

from closed_form.distances import planar_jumps, planar_links
from closed_form.distances.line import w2_line
from closed_form.distances.planar_jumps import Jumps, _lowered
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.plane.law import Grid
from closed_form.sampler_laws.plane.sampler import density
from tests.closed_form.tolerances import PLANE_BALANCE, PLANE_JUMPS
from tests.plane import turned


def sides(first, second, half=8.5, spacing=0.12):
    """Both sides between two mixtures of the same means, a component a group."""
    grid = Grid.around(np.full(2, -half), np.full(2, half), spacing)
    points = grid.points()
    parts = [density(first, points, which=[j]).reshape(grid.shape) for j in range(len(first.weights))]
    densities = [lambda x, j=j: density(second, x, which=[j]) for j in range(len(second.weights))]
    return Jumps(grid, parts, densities, second.means, second.std).sides()


@pytest.mark.parametrize("weight", [0.502, 0.53, 0.7])
def test_two_modes_are_measured_as_on_their_line(weight):
    """A little, some and much of a mode jumps ten deviations far along a turned line: what quantiles say is between the sides,
    which are close."""
    lines = [GaussianMixture([[-2.5], [2.5]], [part, 1 - part], std=0.5) for part in (weight, 0.5)]
    exact = w2_line(*lines).midpoint
    planes = [GaussianMixture(np.hstack([line.means, 0 * line.means]) @ turned(0.3).T, line.weights, std=0.5) for line in lines]
    lower, upper = sides(*planes)
    assert lower <= exact <= upper and upper - lower <= PLANE_JUMPS * exact


def test_a_rectangle_is_measured_as_its_lines():
    """Four modes with the weights of a product, at distances of which one is twice the other: squares of lines add up."""
    weights = ([0.3, 0.7], [0.55, 0.45]), ([0.28, 0.72], [0.5, 0.5])
    lines = [[GaussianMixture([[-far], [far]], part, std=0.5) for far, part in zip((4.0, 2.0), pair, strict=True)]
             for pair in weights]
    exact = math.hypot(*(w2_line(*pair).midpoint for pair in zip(*lines, strict=True)))
    corners = np.array([(x, y) for x in (-4.0, 4.0) for y in (-2.0, 2.0)]) @ turned(0.4).T
    lower, upper = sides(*(GaussianMixture(corners, np.multiply.outer(*pair).ravel(), std=0.5) for pair in weights))
    assert lower <= exact <= upper and upper - lower <= PLANE_JUMPS * exact


def test_transport_between_cells_is_between_the_sides():
    """Three modes of other weights: discrete transport between the middles of cells is off by no more than the cells are wide."""
    means = [[3.0, 0.0], [-2.0, 2.5], [-1.5, -3.0]]
    laws = [GaussianMixture(means, weights, std=0.5) for weights in ([0.42, 0.26, 0.32], [0.36, 0.31, 0.33])]
    lower, upper = sides(*laws)
    cells = Grid.around(np.full(2, -5.0), np.full(2, 5.0), 0.25)
    masses = [density(law, cells.points()) for law in laws]
    places = [cells.points()[:, mass > 1e-5].T for mass in masses]
    masses = [mass[mass > 1e-5] / mass[mass > 1e-5].sum() for mass in masses]
    apart = math.sqrt(ot.emd2(*masses, ot.dist(*places), numItermax=1_000_000))
    width = 2 * cells.spacing / math.sqrt(6)
    assert lower - width <= apart <= upper + width and lower > 3 * width
    assert upper - lower <= PLANE_JUMPS * upper


def test_what_lines_cannot_carry_is_not_bounded_from_above():
    """Where nearly all of a mode must go no lines cut it off: the sides are 0 and infinity, or hold what the line says."""
    lines = [GaussianMixture([[-2.5], [2.5]], [part, 1 - part], std=0.5) for part in (0.97, 0.05)]
    exact = w2_line(*lines).midpoint
    lower, upper = sides(*(GaussianMixture(np.hstack([line.means, 0 * line.means]), line.weights, std=0.5) for line in lines))
    assert lower <= exact <= upper


def test_a_grid_that_ends_before_a_mean_has_no_link_to_there():
    """Where the window of the first law does not reach a mean of the second from behind nothing is said."""
    law = GaussianMixture([[-11.0, 0.0], [-8.0, 0.0]], std=0.5)
    grid = Grid.around(np.full(2, -7.0), np.full(2, 7.0), 0.14)
    parts = [np.exp(-np.square(grid.points() - [[x], [0.0]]).sum(axis=0)).reshape(grid.shape) for x in (-2.5, 2.5)]
    found = Jumps(grid, parts, [lambda x, j=j: density(law, x, which=[j]) for j in range(2)], law.means, 0.5)
    assert planar_links.links_of(found.groups) == [] and found.sides() == (0.0, math.inf)


def test_excesses_are_carried_off_along_the_links():
    """What jumps along all links makes good what each of nine groups has too much of, and dearer links carry less."""
    means = np.array([(x, y) for x in (-4.0, 0.0, 4.0) for y in (-4.0, 0.0, 4.0)]) @ turned(0.2).T
    rng = np.random.default_rng(3)
    first, second = (GaussianMixture(means, rng.dirichlet(np.full(9, 40.0)), std=0.4) for _ in range(2))
    grid = Grid.around(np.full(2, -7.5), np.full(2, 7.5), 0.12)
    parts = [density(first, grid.points(), which=[j]).reshape(grid.shape) for j in range(9)]
    groups = Jumps(grid, parts, [lambda x, j=j: density(second, x, which=[j]) for j in range(9)], means, 0.4).groups
    links, excess = planar_links.links_of(groups), np.array([group.excess for group in groups])
    assert len(links) == 2 * 12
    levels, masses = planar_links.levels_of(links, excess)
    out = np.zeros(9)
    for link, mass in zip(links, masses, strict=True):
        out[link.source] += mass
        out[link.target] -= mass
        assert mass == 0.0 or levels[link.source] > levels[link.target]
    assert np.abs(out - excess).max() <= PLANE_BALANCE * np.abs(excess).max()


def test_what_a_grid_misses_of_a_minimum_is_taken_off():
    """A potential on a grid whose points are in the middles of the other's cells: safe, it is what all points of the plane leave,
    which the nearest points of the other grid miss by h²/2."""
    one, two = Grid(np.zeros(2), 0.2, (16, 16)), Grid(np.full(2, 0.5), 0.2, (4, 4))
    own, field = [np.full(one.shape, 1.0), np.full(two.shape, 1.0)], [np.full(one.shape, 0.3), np.full(two.shape, -9.0)]
    seen = [np.ones(each.shape, dtype=bool) for each in (one, two)]
    assert _lowered([one, two], own, field, seen, safe=True)[1] == pytest.approx(np.full(two.shape, -0.3), abs=PLANE_BALANCE)
    assert _lowered([one, two], own, field, seen)[1] == pytest.approx(np.full(two.shape, 0.02 - 0.3), abs=PLANE_BALANCE)


def test_the_lower_side_makes_room_for_what_its_grid_misses(monkeypatch):
    """Where mass changes its group the lower side is below what potentials without that room would say."""
    first, second = (GaussianMixture([[-1.5, 0.0], [1.5, 0.0]], [w, 1 - w], std=0.5) for w in (0.7, 0.5))
    safe, _ = sides(first, second)
    monkeypatch.setattr(planar_jumps, "_lowered", lambda *given, safe=False: _lowered(*given))
    assert 0 < safe < sides(first, second)[0]
