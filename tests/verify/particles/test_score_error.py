"""The constant error of the score points where the exact law of the sampler is known."""

import numpy as np
from verify.particles.score_error import bias_direction

from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from tests.verify.tolerances import SAME_INCREMENTS


def test_default_directions():
    """Against the mean of a Gaussian, along collinear means, the first axis otherwise."""
    cases = [
        (Gaussian([3.0, -4.0], 1.0), [-0.6, 0.8]),
        (Gaussian([0.0, 0.0], 1.0), [1.0, 0.0]),
        (GaussianMixture([[3.0, -4.0], [3.0, -4.0]], std=1.0), [-0.6, 0.8]),
        (GaussianMixture([[0.0, -2.0], [0.0, 5.0]], std=1.0), [0.0, 1.0]),
        (GaussianMixture([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], std=1.0), [1.0, 0.0]),
        (GaussianMixture([[0.0, 1.0], [0.0, 0.0]], covariance=np.diag([1.0, 2.0])), [1.0, 0.0]),
    ]
    for law, expected in cases:
        assert np.allclose(bias_direction(law), expected, rtol=0.0, atol=SAME_INCREMENTS)
