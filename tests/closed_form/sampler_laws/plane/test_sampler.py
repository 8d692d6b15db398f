"""The W2 of a sampler in the plane: it holds what other routes and particles say."""

import math

import numpy as np
import pytest

from bounds import TimeGrid, euler_maruyama, ou, vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line import w2_line
from closed_form.distances.samples import w2_samples
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.line.sampler import line_w2
from closed_form.sampler_laws.plane import law as law_of_plane
from closed_form.sampler_laws.plane import sampler
from closed_form.sampler_laws.plane.law import PlaneLaw
from closed_form.sampler_laws.plane.sampler import FAR, groups_of, plane_w2, projected, reweighted
from closed_form.sampler_laws.w2 import exact_law_available, sampler_w2
from tests.closed_form.tolerances import PLANE_NARROW, PLANE_WIDTH
from verify.certificates.certificate import Verdict, certify

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(5, 5)))[0]
THREE = GaussianMixture([[1.0, 0.0], [-0.5, 0.8], [-0.4, -0.9]], [0.3, 0.3, 0.4], std=0.6)


def ou_euler(horizon, k):
    """Euler-Maruyama for dX = −X dt + √2 dB on a uniform grid, coefficients by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h, s_sq = -np.diff(time), -np.expm1(-2.0 * time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, np.exp(-time), s_sq, float(s_sq[0]))


@pytest.mark.parametrize(("std", "horizon", "count"), [(0.6, 3.0, 20), (1.0, 1.8, 2)], ids=["short steps", "narrowing steps"])
def test_a_product_turned_in_the_plane_is_measured_as_its_lines(std, horizon, count):
    """Lines of the product add in squares to what the plane brackets, also where a step leaves a tenth of what is apart before its
    noise is added."""
    first, second = GaussianMixture([[-0.9], [0.9]], [0.3, 0.7], std=std), GaussianMixture([[-0.8], [1.0]], std=std)
    corners = [(x, y) for x in first.means[:, 0] for y in second.means[:, 0]]
    turn = np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    law = GaussianMixture(np.array(corners) @ turn.T, np.multiply.outer(first.weights, second.weights).ravel(), std=std)
    steps = ou_euler(horizon, count)
    exact = Bracket.root_sum_sq([line_w2(line, steps) for line in (first, second)])
    found = plane_w2(law, steps)
    assert found.lower <= exact.lower and exact.upper <= found.upper and found.relative_width <= PLANE_WIDTH


@pytest.mark.parametrize("means", [[[0.4, -0.3]], [[-0.8, 0.3], [0.8, -0.3]]], ids=["point", "line"])
def test_less_than_a_plane_is_measured_as_by_its_own_route(means):
    """A Gaussian, and two modes on a line, in the plane."""
    law, steps = GaussianMixture(means, std=0.7), ou_euler(3.0, 15)
    exact = sampler_w2(law, steps)
    found = plane_w2(law, steps)
    assert found.lower <= exact.lower and exact.upper <= found.upper and found.relative_width <= PLANE_WIDTH


def test_shares_of_modes_far_apart_are_moved_and_seen():
    """Mean shares of two modes under a Gaussian are those of a sum along the line; what they miss moves over the gap, and
    along a line the distance is that of the line."""
    law, start = GaussianMixture([[-1.2, 0.9], [1.2, -0.9]], [0.7, 0.3], std=0.5), PlaneLaw.gaussian(1.0, 0.2)
    other, moved, axes = reweighted(law, start)
    t = np.linspace(-9.0, 9.0, 4001)
    first = float(np.exp(-0.5 * t * t) @ (1 / (1 + 3 / 7 * np.exp(12 * t)))) * (t[1] - t[0]) / math.sqrt(2 * math.pi)
    assert other.weights[0] == pytest.approx(first, rel=PLANE_NARROW)
    assert moved == pytest.approx(3.0 * math.sqrt(0.7 - other.weights[0]))
    assert abs(axes[1] @ [0.8, -0.6]) == pytest.approx(1.0)
    for axis in axes:
        line = GaussianMixture((law.means @ axis)[:, None], law.weights, std=law.std)
        assert projected(law, start, axis) == pytest.approx(w2_line(Gaussian([0.0], 1.0), line).midpoint, rel=PLANE_NARROW)


@pytest.mark.parametrize(("std", "groups"), [(0.8, 1), (0.5, 1), (0.28, 4)])
def test_modes_apart_exchange_mass_and_are_measured_as_their_lines(std, groups):
    """A turned product of unequal weights, 5, 8 and 14 deviations apart one way and a quarter more the other: lines add in squares
    to what is bracketed by what is half-way, and by groups where those are farthest apart."""
    first, second = GaussianMixture([[-2.0], [2.0]], [0.3, 0.7], std=std), GaussianMixture([[-2.5], [2.5]], [0.6, 0.4], std=std)
    corners = [(x, y) for x in first.means[:, 0] for y in second.means[:, 0]]
    turn = np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    law = GaussianMixture(np.array(corners) @ turn.T, np.multiply.outer(first.weights, second.weights).ravel(), std=std)
    steps = ou_euler(4.0, 20)
    exact = Bracket.root_sum_sq([line_w2(line, steps) for line in (first, second)])
    found = plane_w2(law, steps)
    assert len(groups_of(law, FAR)) == groups
    assert found.lower <= exact.lower and exact.upper <= found.upper and found.relative_width <= PLANE_WIDTH


@pytest.mark.deep
def test_a_turned_grid_is_measured_as_its_lines_after_a_thousand_steps():
    """25 modes ten deviations apart, next to W2 of a quarter of one: squares of lines add up to what is bracketed."""
    places = 2.0 * np.arange(-2.0, 3.0)
    grid = np.array([(i, j) for i in places for j in places])
    turn = np.array([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]])
    steps = euler_maruyama(1.0, 1000).steps(vp("0.1+19.9*t"))
    line = line_w2(GaussianMixture(places[:, None], std=0.2), steps)
    exact, found = Bracket.root_sum_sq([line, line]), plane_w2(GaussianMixture(grid @ turn.T, std=0.2), steps)
    assert found.lower <= exact.lower and exact.upper <= found.upper and found.relative_width <= PLANE_WIDTH


def test_across_the_plane_the_law_is_a_gaussian_that_adds_in_squares():
    """Three modes turned into R⁵ and shifted: the plane, and the chain of what is across it."""
    steps, offset = ou_euler(3.0, 15), np.array([0.7, 0.0, -0.4])
    law = GaussianMixture(THREE.means @ TURN[:, :2].T + TURN[:, 2:] @ offset, THREE.weights, std=THREE.std)
    plane = plane_w2(THREE, steps, (0.2, 0.0), 0.5 / math.sqrt(5))
    across = gaussian_chain(Gaussian(offset, THREE.std**2), steps, [0.0, 0.1, 0.0], 0.5 * math.sqrt(3 / 5)).w2()
    expected = Bracket.root_sum_sq([plane, across])
    direction = 0.2 * TURN[:, 0] + 0.1 * TURN[:, 3]
    found = sampler_w2(law, steps, float(np.linalg.norm(direction)), 0.5, direction)
    assert exact_law_available(law) is None and found.method.startswith("planar density")
    assert found.midpoint == pytest.approx(expected.midpoint, rel=PLANE_NARROW)
    assert found.relative_width <= PLANE_WIDTH and "coarse grid" in found.estimated


def test_a_step_that_makes_the_law_narrower_than_its_grid_sees_is_refused():
    """Where a step leaves a fiftieth of what is apart before noise is added no grid holds what it leaves."""
    law, steps = GaussianMixture([[1.0, 0.0], [-0.5, 0.8], [-0.4, -0.9]], std=1.0), ou_euler(1.96, 2)
    with pytest.raises(GridTooLarge, match=r"before its noise the law is .* times too narrow for a grid"):
        plane_w2(law, steps)


def test_a_grid_that_misses_mass_is_refused(monkeypatch):
    """Where a law before noise is looked at on the grid that holds it afterwards, mass is missed and said to be."""
    monkeypatch.setattr(law_of_plane, "NARROWER", 1e6)
    law, steps = GaussianMixture([[1.0, 0.0], [-0.5, 0.8], [-0.4, -0.9]], std=1.0), ou_euler(1.96, 2)
    with pytest.raises(GridTooLarge, match=r"so narrow that its grid misses .* of its mass"):
        plane_w2(law, steps)


def test_a_grid_without_the_detail_of_a_law_is_not_the_last(monkeypatch):
    """Where the first grids lack the detail of a law it is followed on finer ones, and measured as well."""
    steps, known = ou_euler(3.0, 5), plane_w2(THREE, ou_euler(3.0, 5))
    monkeypatch.setattr(sampler, "FINE", 1.0)
    found = plane_w2(THREE, steps)
    assert max(found.lower, known.lower) <= min(found.upper, known.upper) and found.relative_width <= PLANE_WIDTH


def test_data_too_narrow_for_a_grid_are_refused(monkeypatch):
    """Where neither way has a grid for the data it is said why, and in seconds."""
    monkeypatch.setattr(sampler, "MOST_HALFWAY", 400)
    with pytest.raises(GridTooLarge, match="not found on a grid of at most 400 points: the data are too narrow"):
        plane_w2(THREE, ou_euler(3.0, 5))


@pytest.mark.parametrize("apart", [False, True])
def test_one_way_makes_the_other_no_wider(monkeypatch, apart):
    """The sides of one way hold what the other is not sure of: groups come first where modes are far apart, else second."""
    law = GaussianMixture([[-4.0, 0.0], [4.0, 1.0], [4.0, -1.0]] if apart else [[-0.4, 0.0], [0.4, 1.0]], std=0.5)
    order, asked = ["_grouped", "_halfway"] if apart else ["_halfway", "_grouped"], []
    for name, sides in zip(order, [(0.2, 0.5), (0.31, 0.32)], strict=True):
        monkeypatch.setattr(sampler, name, lambda *given, name=name, sides=sides: asked.append(name) or sides)
    assert sampler._sides(law, None, None) == (0.31, 0.32)
    assert asked == order


def test_particles_agree_with_the_bracket():
    """Samples of the sampler are as far from the data as the bracket says, give or take what samples are off."""
    steps, rng, n = ou_euler(1.0, 4), np.random.default_rng(11), 700
    found, y = plane_w2(THREE, steps, (0.6, 0.3)), rng.standard_normal((n, 2)) * math.sqrt(steps.prior_var)
    for i in range(len(steps)):
        score = THREE.pushed(steps.a[i], steps.s_sq[i]).score(y) + np.array([0.6, 0.3])
        y = steps.P[i] * y + steps.Q[i] * score + math.sqrt(steps.noise_var[i]) * rng.standard_normal((n, 2))
    apart = w2_samples(y, THREE.sample(n, rng))
    spread = w2_samples(THREE.sample(n, rng), THREE.sample(n, rng))
    assert found.lower - spread.upper <= apart.upper and apart.lower <= found.upper + spread.upper
    assert found.lower > 2 * spread.upper


def test_a_bound_is_held_against_the_plane():
    """Modes that span a plane are certified: the martingale bound holds, and a score error shows."""
    asked = dict(process=ou(), law=THREE, scheme=euler_maruyama(3.0, 20))
    found = certify("martingale", **asked)
    assert found.verdict is Verdict.HOLDS and found.measured.method.startswith("planar density")


@pytest.mark.deep
def test_eight_modes_on_a_circle_are_known_to_a_few_percent():
    """Eight modes of deviation 0.5 on a circle of radius 4, 500 steps: the width is a few percent."""
    angles = np.arange(8) * np.pi / 4
    found = plane_w2(GaussianMixture(4 * np.stack([np.cos(angles), np.sin(angles)], axis=1), std=0.5), ou_euler(5.0, 500))
    assert 0.0208 < found.lower < 0.0209 and found.relative_width <= PLANE_WIDTH


@pytest.mark.deep
@pytest.mark.parametrize("weights", [None, np.random.default_rng(0).dirichlet(np.full(25, 5.0))], ids=["equal", "unequal"])
def test_a_turned_grid_of_modes_ten_deviations_apart_is_known_to_a_few_percent(weights):
    """25 modes of deviation 0.1, 1 apart, T = 4, 400 steps: the width is a few percent whatever the weights."""
    grid = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)], dtype=float)
    turn = np.array([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]])
    found = plane_w2(GaussianMixture(grid @ turn.T, weights, std=0.1), ou_euler(4.0, 400))
    assert found.lower > 0.09 and found.relative_width <= PLANE_WIDTH


@pytest.mark.deep
@pytest.mark.parametrize(("means", "weights", "horizon", "count", "key"), [
    ([[1.54, 6.17], [-0.59, 0.23], [-3.43, -2.17], [-0.12, -4.88], [-2.72, 4.52], [3.9, 0.43]],
     [0.1757, 0.1793, 0.1435, 0.1754, 0.1841, 0.142], 2.4, 100, "frozen-euler-maruyama"),
    ([[4.42, 0.83], [2.61, -3.69], [-2.47, 1.88], [0.56, -0.29], [-5.09, -5.34]], [0.1673, 0.2184, 0.2389, 0.1975, 0.1779],
     4.3, 40, "exponential")])
def test_some_modes_ten_deviations_apart_are_known_to_a_few_percent(means, weights, horizon, count, key):
    """Where one of the two ways is wide the other is not."""
    steps = Scheme(samplers(1)[key], TimeGrid(np.linspace(horizon, 0.0, count + 1))).steps(vp("2"))
    assert plane_w2(GaussianMixture(means, weights, std=0.5), steps).relative_width <= PLANE_WIDTH
