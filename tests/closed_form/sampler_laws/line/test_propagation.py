"""One noisy step of a law on a line: which points its grid takes, and that both kinds give the same law."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from closed_form.sampler_laws.line.propagation import Route, Sources
from tests.closed_form.tolerances import LINE_GAUSSIAN

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
