"""One-sided limits of means cover as often as they say, over 2,000 runs at a time."""

import math

import numpy as np
import pytest

from closed_form import Gaussian, GaussianMixture
from closed_form.laws.funnel import Funnel
from tests.verify.tolerances import COVERED, LIMIT_AT_A_MILLION
from verify.lower_sides.confidence import bernstein_lower, lipschitz_upper, student_upper

RUNS, DELTA = 2000, 0.05
#: Laws whose last coordinate is symmetric about 0, with its variance.
LAWS = {"gaussian": (Gaussian([0.0], 1.0), 1.0),
        "two modes": (GaussianMixture([[-1.0], [1.0]], std=0.5), 1.25),
        "funnel": (Funnel(2), math.exp(0.5))}


def drawn(law, n: int) -> np.ndarray:
    """The last coordinate in 2,000 runs of n samples, shape (2000, n)."""
    return law.sample(RUNS * n, np.random.default_rng(15))[:, -1].reshape(RUNS, n)


@pytest.mark.parametrize("name", LAWS)
def test_bernstein_limit_covers(name):
    """The mean of the clipped coordinate, 0 by symmetry, is above its lower limit of 30 samples."""
    assert np.mean(bernstein_lower(drawn(LAWS[name][0], 30).clip(-2, 2), 4.0, DELTA) <= 0.0) >= COVERED


def test_bernstein_limit_covers_rare_losses():
    """Rare losses, 30 chances at a time, a fifth of the runs without any: the limit still covers."""
    losses = -1.0 * (np.random.default_rng(5).random((RUNS, 30)) < 0.05)
    assert np.mean(bernstein_lower(losses, 1.0, 0.1) <= -0.05) >= 0.9


@pytest.mark.parametrize("name", LAWS)
def test_student_limit_covers_heavy_tails(name):
    """The second moment is below its upper limit of 1,000 samples, for the funnel too, whose kurtosis is
    8."""
    law, second_moment = LAWS[name]
    assert np.mean(student_upper(drawn(law, 1000) ** 2, DELTA) >= second_moment) >= COVERED


@pytest.mark.parametrize("length, mean_square", [(lambda z: z, 1.0), (lambda z: z.clip(0.0), 0.5)])
def test_lipschitz_limit_covers_and_narrows(length, mean_square):
    """E|D|² of a 1-Lipschitz map is below its upper limit of ten samples, and near it at a million."""
    z = np.random.default_rng(16).standard_normal((RUNS, 10))
    assert np.mean(lipschitz_upper(length(z) ** 2, DELTA, 1.0) >= mean_square) >= COVERED
    many = length(np.random.default_rng(17).standard_normal(1_000_000)) ** 2
    assert lipschitz_upper(many, DELTA, 1.0) == pytest.approx(mean_square, rel=LIMIT_AT_A_MILLION)


def test_lipschitz_limit_is_sharp():
    """For D constant in all but the mean the two terms are those of Gaussian concentration and Poincaré."""
    upper = lipschitz_upper(np.full(50, 4.0), math.exp(-2.0), 3.0)
    assert upper == pytest.approx((2.0 + 3.0 * math.sqrt(4.0 / 50)) ** 2 + 9.0 / 50, rel=1e-12)
