"""Samples to sides of W2: valid at the stated confidence, near the truth when there is a distance to see."""

import math

import numpy as np
import pytest

from bounds.steps.affine import Steps
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from tests.tolerances import STANDARD_ERRORS
from tests.verify.tolerances import CONJUGATE_MEAN, LOWER_SIDE_POWER
from verify.lower_sides.w2 import coupled, moments, projections, w2_from_samples
from verify.particles.simulation import sample

STANDARD = Gaussian([0.0], 1.0)


@pytest.mark.parametrize("side", [projections, moments])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_lower_side_is_covered(side, shift):
    """Over 200 runs of 400 samples the lower side exceeds the exact W2 at most delta of the time."""
    rng = np.random.default_rng(7)
    lowers = [side(STANDARD.sample(400, rng) + shift, STANDARD, delta=0.1).lower for _ in range(200)]
    misses = sum(lower > shift for lower in lowers)
    assert misses < 0.1 * 200 + STANDARD_ERRORS * math.sqrt(200 * 0.1 * 0.9)


@pytest.mark.parametrize("side", [projections, moments])
@pytest.mark.parametrize(
    "law, target, distance",
    [
        (Gaussian([1.0], 1.0), STANDARD, 1.0),
        (Gaussian([0.0], 4.0), STANDARD, 1.0),
        (Gaussian([0.6, 0.0, -0.8], 1.0), Gaussian([0.0] * 3, 1.0), 1.0),
        (Gaussian([0.0, 0.0], [4.0, 1.0]), Gaussian([0.0, 0.0], 1.0), 1.0),
        (
            GaussianMixture([[0.0], [4.0]], covariances=[[[1.0]], [[0.25]]]),
            GaussianMixture([[1.0], [5.0]], covariances=[[[1.0]], [[0.25]]]),
            1.0,
        ),
    ],
)
def test_lower_side_sees_a_distance(side, law, target, distance):
    """With 100,000 samples the lower side is within five per cent below the exact W2, and not above it."""
    lower = side(law.sample(100_000, np.random.default_rng(8)), target).lower
    assert LOWER_SIDE_POWER * distance < lower <= distance


@pytest.mark.parametrize("side", [projections, moments])
def test_potential_is_tested_on_samples_it_was_not_fitted_to(side):
    """A first half that promises more than the second half holds must earn nothing."""
    x = STANDARD.sample(100_000, np.random.default_rng(14))
    x[:50_000] += 1.0
    x[50_000:] += 0.4
    assert side(x, STANDARD).lower == 0.0


def test_projections_see_what_moments_cannot():
    """Equal mean and variance: only the projections notice that one law has two modes."""
    law = GaussianMixture([[-0.8], [0.8]], std=0.6)
    x = law.sample(100_000, np.random.default_rng(9))
    assert moments(x, STANDARD).lower == 0.0
    assert projections(x, STANDARD).lower > 0.1


def test_equal_laws_in_ten_dimensions_are_not_told_apart():
    """2000 samples of N(0, I) in R^10 against itself: 0, where a plug-in distance says 1.9."""
    law = Gaussian(np.zeros(10), 1.0)
    bracket = w2_from_samples(law.sample(2000, np.random.default_rng(10)), law)
    assert bracket.lower == 0.0 and bracket.upper == math.inf


@pytest.mark.parametrize("law", [Gaussian([2.0], 0.0), Gaussian([2.0, 1.0], [0.0, 1.0])])
def test_singular_targets_are_allowed(law):
    """A point mass along an axis: the distance to a unit Gaussian around it is 1 on that axis."""
    x = law.mean + np.random.default_rng(11).standard_normal((100_000, law.dim))
    assert LOWER_SIDE_POWER < projections(x, law).lower <= 1.0 + CONJUGATE_MEAN


def test_coupling_of_a_shift_is_exact():
    """Pairs a constant apart cost exactly that constant."""
    x = np.random.default_rng(12).standard_normal((1000, 2))
    assert coupled(x, x + np.array([3.0, 4.0])).upper == pytest.approx(5.0, rel=1e-12)


def test_sides_of_a_sampler_hold_its_exact_error():
    """Gaussian data, a biased sampler and a plain one on the same increments: W2 is between the sides."""
    time = np.linspace(3.0, 0.0, 13)
    h, a = -np.diff(time), np.exp(-time)
    steps = Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, a, 1.0 - a * a, 1.0)
    n = 50_000
    normals = np.random.default_rng(13).standard_normal((13, n, 1))
    plain = sample(STANDARD, steps, n, None, increments=normals)
    biased = sample(STANDARD, steps, n, None, increments=normals, score_error=1.0)
    variance, mean = 1.0, 0.0
    for step in h:
        variance, mean = (1.0 - step) ** 2 * variance + 2.0 * step, (1.0 - step) * mean + 2.0 * step
    bracket = w2_from_samples(biased, Gaussian([0.0], variance), pairs=(biased, plain))
    assert LOWER_SIDE_POWER * mean < bracket.lower <= mean <= bracket.upper * (1.0 + CONJUGATE_MEAN)
    assert "projections" in bracket.method or "covariance" in bracket.method


GOOD = np.zeros((200, 1)) + np.linspace(0.0, 1.0, 200)[:, None]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: projections(GOOD[:, 0], STANDARD), r"x must have shape \(n >= 4, 1\), got \(200,\)"),
        (lambda: projections(np.zeros((200, 2)), STANDARD), "x must have shape"),
        (lambda: projections(GOOD[:3], STANDARD), "x must have shape"),
        (lambda: moments(GOOD[:99], STANDARD), r"x must have shape \(n >= 100, 1\), got \(99, 1\)"),
        (lambda: moments(GOOD * np.nan, STANDARD), "x must have finite entries, got nan"),
        (lambda: projections(GOOD, STANDARD, delta=0.0), r"delta must be in \(0, 1\), got 0.0"),
        (lambda: w2_from_samples(GOOD, STANDARD, delta=1.0), "delta must be in"),
        (lambda: projections(GOOD, STANDARD, directions=[[0.0]]), "directions must not be zero"),
        (lambda: projections(GOOD, STANDARD, directions=[[1.0, 0.0]]), "directions must have shape"),
        (lambda: coupled(GOOD, GOOD[:150]), "as many rows as each other, got 200 and 150"),
        (lambda: coupled(GOOD, np.zeros((200, 2))), "y must have shape"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    """Wrong shapes, too few samples, entries that are not finite and impossible levels are named."""
    with pytest.raises(ValueError, match=message):
        call()
