"""Laws on a line whose bells numba sums: the same law, and no bell beyond its grid."""

import math
import os

import numpy as np
import pytest

from bounds import compiled, euler_maruyama, ou
from bounds.sampler import heun
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.line import propagation
from closed_form.sampler_laws.line.law import LineLaw
from closed_form.sampler_laws.line.maps import LineSteps
from closed_form.sampler_laws.line.point_by_point import banded_sum
from closed_form.sampler_laws.line.propagation import GridTooLarge, Route, Sources
from closed_form.sampler_laws.line.sampler import sampler_line
from tests.closed_form.tolerances import LINE_COMPILED


@pytest.fixture
def both(monkeypatch):
    """What numpy, in a process without much work, and numba, in one that has had enough, make of a computation."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")

    def twice(compute):
        monkeypatch.setattr(compiled, "WORTH", math.inf)
        plain = compute()
        monkeypatch.setattr(compiled, "WORTH", 0.0)
        assert compiled.compiled(propagation.add_bells, 0.0) is not None
        return plain, compute()

    return twice


@pytest.mark.parametrize(("std", "kinds"), [(0.02, 2), (0.3, 8), (4.0, 2)])
def test_numba_sums_the_same_bells(both, std, kinds):
    """Narrow and wide bells of sources in any order, several to a point, are summed kind by kind to the same."""
    rng = np.random.default_rng(5)
    means, weights = rng.normal(size=700), rng.random(700)
    sources = Sources(means, weights, std, np.arange(700) % kinds, np.linspace(-1.0, 1.0, kinds))
    dx = 0.4 * std
    low = means.min() - 8.6 * std
    (plain, doubt), (loop, other) = both(lambda: sources.density(low, dx, 3 + int((means.max() - low) / dx + 8.6 / 0.4)))
    assert not np.array_equal(plain, loop)  # numba was at work
    assert np.abs(loop - plain).max() <= LINE_COMPILED * plain.max()
    assert abs(other - doubt) <= LINE_COMPILED * max(1.0, doubt)


def test_the_law_of_a_sampler_is_the_same(both):
    """After fifty steps both laws of the last iterate have the same mixture, to what rounding does."""
    steps = euler_maruyama(4.0, 50).steps(ou())
    plain, loop = both(lambda: sampler_line(GaussianMixture.two_modes(1.5, 0.4), steps))
    assert loop.law.means == pytest.approx(plain.law.means, rel=LINE_COMPILED, abs=LINE_COMPILED)
    assert loop.law.weights == pytest.approx(plain.law.weights, abs=LINE_COMPILED)
    assert loop.points == plain.points and loop.reach == pytest.approx(plain.reach, rel=LINE_COMPILED)


def route_of(law, sources=None, most=10**5, noise=0.1, place=7):
    """What `Route._moved` makes of one step of a sampler, from N(0, 1) on 401 even points or other sources."""
    x = np.linspace(-9.0, 9.0, 401)
    even = Sources(x, np.exp(-0.5 * x * x), 0.3, np.arange(401) % 2, propagation._PARITY)
    chain = LineSteps.of(law, euler_maruyama(4.0, 50).steps(ou()), 0.2, 0.0)
    route = Route(even, 0.6, 1e-4, most)
    image = chain.through(place, place + 1)
    return route, image, lambda: route._moved(sources or even, image, noise, 1.0)


THREE = GaussianMixture([[-3.0], [0.0], [2.0]], [0.2, 0.3, 0.5], std=0.01)


@pytest.mark.parametrize("law", [GaussianMixture.two_modes(2.0, 0.5), THREE, Gaussian([0.5], 0.3)])
def test_one_step_is_the_same(both, law):
    """Points, weights, parities, slope, aliasing and reach of a step are those of numpy, however steep its map, and
    numba answers where the grid is even."""
    route, image, moved = route_of(law)
    (plain, slope, alias), (loop, other, same) = both(moved)
    assert route._compiled(route.sources, image, 0.1, 1.0) is not None
    assert loop.means == pytest.approx(plain.means, rel=LINE_COMPILED, abs=LINE_COMPILED)
    assert loop.weights == pytest.approx(plain.weights, abs=LINE_COMPILED)
    assert loop.kind.tolist() == plain.kind.tolist() and loop.doubt is plain.doubt
    assert other == pytest.approx(slope, rel=LINE_COMPILED) and same == pytest.approx(alias, abs=LINE_COMPILED)


def test_what_is_not_as_usual_is_left_to_numpy(both):
    """Grids beyond the limit, jumps that panels are for, laws beyond floats and sources that are not on an even grid end
    as without numba."""
    jump = GaussianMixture([[-10.0], [10.0]], std=1e-4)
    (plain, _, _), (loop, _, _) = both(route_of(jump, noise=0.01, place=48, most=10**6)[2])
    assert len(plain.doubt) == len(loop.doubt) == 8 and loop.means.tolist() == plain.means.tolist()

    def refused(**options):
        with pytest.raises(GridTooLarge) as error:
            route_of(THREE, **options)[2]()
        return str(error.value)

    for options, words in (({"most": 100}, "above the limit"), ({"most": 3}, "above the limit of 30"),
                           ({"sources": Sources(np.array([0.0, np.inf]), np.ones(2), 1.0, np.zeros(2, int),
                                                propagation._PARITY)}, "left the range")):
        plain, loop = both(lambda options=options: refused(**options))
        assert plain == loop and words in plain
    route, image, _ = route_of(THREE)
    single = Sources(np.zeros(1), np.ones(1), 1.0)
    assert route._compiled(single, image, 0.1, 1.0) is None


def test_maps_of_other_kinds_are_left_to_numpy(both):
    """Components of several variances, steps in a row, two evaluations and steps without a score have no numbers."""
    steps = euler_maruyama(4.0, 50).steps(ou())
    apart = GaussianMixture([[-1.0], [1.0]], covariances=[[[0.1]], [[0.5]]])
    assert LineSteps.of(apart, steps, 0.0, 0.0).through(7, 8).numbers is None
    assert LineSteps.of(THREE, steps, 0.0, 0.0).through(7, 9).numbers is None
    assert LineSteps.of(THREE, heun(4.0, 50).steps(ou()), 0.0, 0.0).through(7, 8).numbers is None
    assert LineSteps.of(THREE, steps, 0.0, 0.0).through(7, 8).numbers is not None


def test_distribution_functions_are_the_same(both):
    """Density and both distribution functions of a mixture on a grid are numpy's, relatively in their tails too, in any
    shape and order of places."""
    rng = np.random.default_rng(7)
    weights = rng.random(300)
    law = LineLaw(np.sort(rng.normal(size=300)), weights / weights.sum(), 0.05)
    x = rng.permutation(np.linspace(-4.2, 4.2, 240)).reshape(8, 30)
    for name in ("pdf", "cdf", "sf"):
        plain, loop = both(lambda name=name: getattr(law, name)(x))
        assert plain.shape == loop.shape == x.shape and not np.array_equal(plain, loop)
        assert loop == pytest.approx(plain, rel=LINE_COMPILED, abs=1e-300)
    assert compiled.compiled(banded_sum, 0.0) is not None


def test_no_bell_is_written_beyond_its_grid(both):
    """A bell that is not on the grid is refused by either: compiled code would write over what is not its own."""
    def refused():
        with pytest.raises(ValueError, match=r"negative|on the grid"):
            Sources(np.array([-99.0]), np.ones(1), 1.0).density(0.0, 0.5, 10)
        return True

    assert both(refused) == (True, True)
