"""The ball that holds finitely many points, out to the ends of the range of numbers."""

import numpy as np
import pytest
from tolerances import ENCLOSING_BALL

from closed_form.point_set import enclosing_radius


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_radius_scales_with_the_points_however_far(scale):
    """Points whose squares leave the range of numbers have the radius of the same points at size one; infinite ones ∞."""
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    assert enclosing_radius(scale * points) == pytest.approx(scale * enclosing_radius(points), rel=ENCLOSING_BALL)
    assert enclosing_radius(np.array([[0.0, 0.0], [np.inf, 1.0]])) == np.inf
