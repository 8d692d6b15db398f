"""One noisy step of a law on a line: which points its grid takes, and that both kinds give the same law."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from closed_form.sampler_laws.line.propagation import GridTooLarge, Route, Sources
from tests.closed_form.tolerances import LINE_GAUSSIAN, LINE_WAVES

ATOM = Sources(np.zeros(1), np.ones(1), 0.0)


def moved(image, noise):
    """The sources of image(Z) + noise, Z ~ N(0, 1), on a grid."""
    route = Route(ATOM, spacing=0.5, tolerance=1e-10, max_points=10**6)
    route.move(lambda x: (x, np.ones_like(x)), 1.0)
    route.move(image, noise)
    return route


def test_an_even_grid_stays_where_every_point_matters():
    """A map as steep everywhere needs thousands of points, and no panels; the law is N(0, 9 + noise²)."""
    route = moved(lambda x: (3.0 * x, np.full_like(x, 3.0)), 0.03)
    assert route.points > 2000 and len(route.sources.doubt) == 2
    values, doubt = route.sources.density(-27.0, 0.015, 3601)
    x, variance = np.linspace(-27.0, 27.0, 3601), 9.0009
    assert doubt <= 1e-6  # every other point alone
    assert values == pytest.approx(np.exp(-x * x / (2 * variance)) / math.sqrt(2 * math.pi * variance),
                                   rel=LINE_GAUSSIAN, abs=LINE_GAUSSIAN)


def test_panels_take_over_where_few_points_matter():
    """A jump much narrower than the noise apart needs points at the jump only: panels, and far fewer points
    than an even grid; half of the mass ends on either side."""
    def jump(x):
        steep = np.tanh(1e6 * (x - 0.25))
        return 50.0 * steep, 50.0e6 * (1.0 - steep * steep)

    route = moved(jump, 0.5)
    assert len(route.sources.doubt) == 8 and route.points < 100_000
    right = route.sources.weights[route.sources.means > 0].sum()
    assert right == pytest.approx(1.0 - ndtr(0.25), rel=1e-6)
    assert route.sources.weights.sum() == pytest.approx(1.0, rel=LINE_GAUSSIAN)


def test_waves_that_fall_between_the_points_are_seen_by_their_slope():
    """A map that waves once a point rises evenly from point to point: its slopes say that a finer grid is
    due, and the law of the image is that of a far finer quadrature."""
    noise = 1.0
    first = 0.5 / math.hypot(1.0, 1.05 / noise)  # the distance of points for a map of slope 1
    wave = 2 * math.pi / first * 1.05

    def image(x):
        return x + 3.0 / wave * np.sin(wave * x), 1.0 + 3.0 * np.cos(wave * x)

    values, _ = moved(image, noise).sources.density(-20.0, 0.1, 401)
    y, z = np.linspace(-20.0, 20.0, 401), np.linspace(-9.0, 9.0, 5001)
    weights = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    exact = np.exp(-np.square(y[:, None] - image(z)[0]) / 2) @ weights / math.sqrt(2 * math.pi)
    assert values == pytest.approx(exact, abs=LINE_WAVES)


def test_a_grid_far_beyond_the_limit_is_refused_before_it_is_laid():
    """Of ten times as many points as are allowed none is looked at."""
    route = Route(ATOM, spacing=0.5, tolerance=1e-10, max_points=100)
    route.move(lambda x: (x, np.ones_like(x)), 1.0)
    with pytest.raises(GridTooLarge, match="above the limit of 1000"):
        route.move(lambda x: (3.0 * x, np.full_like(x, 3.0)), 0.01)


def test_sources_too_far_apart_are_in_doubt_where_they_matter():
    """Points three deviations apart make a density that every other of them does not."""
    means = 3.0 * np.arange(-2.0, 3.0)
    sources = Sources(means, np.full(5, 0.2), 1.0, np.arange(5) % 2, np.array([1.0, -1.0]))
    assert sources.density(-20.0, 0.1, 401)[1] > 0.5
