"""One-sided bounds of means cover as often as they say."""

import math

import numpy as np

from tests.tolerances import STANDARD_ERRORS
from verify.lower_sides.confidence import bernstein_lower, normal_lower


def test_bernstein_bound_covers_at_small_samples():
    """Rare losses, 30 chances at a time, a fifth of the runs without any: the bound still covers."""
    rng = np.random.default_rng(5)
    misses = sum(bernstein_lower((rng.random(30) < 0.05) * -1.0, 1.0, 0.1) > -0.05 for _ in range(2000))
    assert misses <= 0.1 * 2000


def test_normal_bound_covers():
    """One-sided normal bound: misses about a tenth of the time at delta 0.1."""
    rng = np.random.default_rng(6)
    misses = sum(normal_lower(rng.exponential(size=500), 0.1) > 1.0 for _ in range(2000))
    assert abs(misses - 200) < STANDARD_ERRORS * math.sqrt(2000 * 0.1 * 0.9)
