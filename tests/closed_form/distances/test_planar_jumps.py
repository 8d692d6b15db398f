"""W2 in the plane where mass jumps between modes far apart: both sides against lines and discrete transport."""

import math

import numpy as np
import ot
import pytest
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import maximum_filter

from closed_form.distances import planar_jumps, planar_links
from closed_form.distances.line import w2_line
from closed_form.distances.planar_jumps import Jumps, _between
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.plane.law import Grid
from closed_form.sampler_laws.plane.sampler import density
from tests.closed_form.tolerances import PLANE_BALANCE, PLANE_CELLS, PLANE_JUMPS
from tests.plane import gaussian, turned


def sides(first, second, half=8.5, spacing=0.12):
    """Both sides between two mixtures of the same means, a component a group."""
    grid = Grid.around(np.full(2, -half), np.full(2, half), spacing)
    points = grid.points()
    parts = [density(first, points, which=[j]).reshape(grid.shape) for j in range(len(first.weights))]
    densities = [lambda x, j=j: density(second, x, which=[j]) for j in range(len(second.weights))]
    return Jumps(grid, parts, densities, second.means, second.std).sides()


def planes(lines):
    """Mixtures of lines, as ones of the plane with the same deviation everywhere, turned."""
    return [GaussianMixture(np.hstack([line.means, 0 * line.means]) @ turned(0.3).T, line.weights, std=line.std) for line in lines]


@pytest.mark.parametrize("weight", [0.502, 0.53, 0.7])
def test_two_modes_are_measured_as_on_their_line(weight):
    """A little, some and much of a mode jumps ten deviations far along a turned line: what quantiles say is between the sides,
    which are close."""
    lines = [GaussianMixture([[-2.5], [2.5]], [part, 1 - part], std=0.5) for part in (weight, 0.5)]
    exact = w2_line(*lines).midpoint
    lower, upper = sides(*planes(lines))
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


@pytest.mark.parametrize("widths", [(0.5, 0.3), (0.3, 0.5)])
def test_modes_that_also_change_their_width_are_measured_as_on_their_line(widths):
    """Squares add up of what two lines say, of which one only is stretched: the map's stretch is not one."""
    lines = [GaussianMixture([[-2.5], [2.5]], [part, 1 - part], std=std) for part, std in zip((0.53, 0.5), widths, strict=True)]
    exact = math.hypot(w2_line(*lines).midpoint, widths[0] - widths[1])
    lower, upper = sides(*planes(lines))
    assert lower <= exact <= upper and upper - lower <= PLANE_JUMPS * exact


def bowl(grid, stretch, kinks, seed=0):
    """v = stretch·|y|²/2, raised to the most of it and some planes where there are kinks, at points of a grid."""
    points, rng = grid.points(), np.random.default_rng(seed)
    planes = 0.6 * rng.standard_normal((kinks, 2)) @ points - 0.1 * rng.random((kinks, 1))
    return np.vstack([stretch * np.square(points).sum(axis=0) / 2, planes]).max(axis=0).reshape(grid.shape)


@pytest.mark.parametrize(("stretch", "kinks"), [(0.4, 0), (1.0, 0), (3.0, 0), (0.4, 4), (1.0, 4), (3.0, 9)])
def test_what_a_grid_misses_of_a_minimum_is_made_room_for(stretch, kinks):
    """|x − y|² − ψ(y), with ψ smooth where it was not lowered and of the bilinear ṽ where it was, is nowhere between the points of
    a grid less than it is with the safe ψ at all of them."""
    grid, fine = Grid(np.full(2, -1.0), 0.1, (21, 21)), Grid(np.full(2, -1.0), 0.01, (201, 201))
    squares = [np.square(each.points()).sum(axis=0).reshape(each.shape) for each in (grid, fine)]
    own, low = (squares[0] - 2 * bowl(grid, stretch, number) for number in (0, kinks))
    safe, _ = _between(grid, own, low)
    straight = RegularGridInterpolator(grid.axes(), (squares[0] - low) / 2)(fine.points().T).reshape(fine.shape)
    cells = (low < own).astype(float)
    lowered = maximum_filter(cells, 2, origin=-1)[np.ix_(*[np.minimum(np.arange(201) // 10, 19)] * 2)] > 0
    true = squares[1] - 2 * np.where(lowered, straight, bowl(fine, stretch, 0))
    for x in np.random.default_rng(1).uniform(-3, 3, (40, 2)) * stretch:
        away, apart = (np.square(each.points() - x[:, None]).sum(axis=0).reshape(each.shape) for each in (fine, grid))
        assert (away - true).min() >= (apart - safe).min() - PLANE_BALANCE


def test_the_room_that_a_grid_needs_is_h_sq_over_two_at_a_stretch_of_one():
    """v = |y|²/2 makes ψ = 0, of which |x − y|² is least at x: h²/2 less than at the corners of a cell of which x is the middle."""
    grid = Grid(np.full(2, -1.0), 0.1, (21, 21))
    none = np.zeros(grid.shape)
    safe, dear = _between(grid, none, none)
    assert safe == pytest.approx(np.full(grid.shape, grid.cell / 2), rel=PLANE_BALANCE) and not dear.any()


@pytest.mark.parametrize("stretch", [0.4, 1.0, 3.0])
def test_what_is_lowered_costs_what_cells_lose_of_it(stretch):
    """The mean of |y|² − 2ṽ, ṽ bilinear in all cells, is as much less than a sum over the points as is found, to the next order."""
    grid, fine = Grid(np.full(2, -1.0), 0.1, (21, 21)), Grid(np.full(2, -1.0), 0.005, (401, 401))
    squares = np.square(grid.points()).sum(axis=0).reshape(grid.shape)
    own = squares - 2 * bowl(grid, stretch, 0)
    low = own - 0.01
    _, dear = _between(grid, own, low)
    law = gaussian([0.05, -0.1], 0.04 * np.eye(2))
    straight = RegularGridInterpolator(grid.axes(), (squares - low) / 2)(fine.points().T)
    truth = float(((np.square(fine.points()).sum(axis=0) - 2 * straight) * law(fine.points())).sum()) * fine.cell
    mass = law(grid.points()).reshape(grid.shape) * grid.cell
    assert float(((low - dear) * mass).sum()) == pytest.approx(truth, abs=PLANE_CELLS * stretch)


def test_the_lower_side_makes_room_for_what_its_grid_misses(monkeypatch):
    """Where mass changes its group the lower side is below what potentials without that room would say."""
    first, second = (GaussianMixture([[-1.5, 0.0], [1.5, 0.0]], [w, 1 - w], std=0.5) for w in (0.7, 0.5))
    safe, _ = sides(first, second)
    monkeypatch.setattr(planar_jumps, "_between", lambda grid, own, low: (low, np.zeros(grid.shape)))
    assert 0 < safe < sides(first, second)[0]
