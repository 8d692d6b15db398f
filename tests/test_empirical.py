"""Samples to sides of W2: valid at the stated confidence, near the truth when there is a distance to see."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from bounds.steps import Steps
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture
from tolerances import CONJUGATE_GRID, CONJUGATE_MEAN, LOWER_SIDE_POWER, STANDARD_ERRORS
from verify.empirical import (
    _bernstein_lower,
    _fitted,
    _normal_lower,
    _Potential,
    coupled,
    moments,
    projections,
    w2_from_samples,
)
from verify.sampler import sample

STANDARD = Gaussian([0.0], 1.0)


@st.composite
def potentials(draw) -> _Potential:
    """Any increasing piecewise linear map with the identity at both ends."""
    pieces = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    knots, images = (np.concatenate([[0.0], rng.uniform(0.05, 1.0, pieces).cumsum()]) for _ in range(2))
    images *= knots[-1] / images[-1]
    images[-1] = knots[-1]
    return _Potential(knots, images)


@st.composite
def line_laws(draw) -> GaussianMixture:
    """Mixtures on the line."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c = draw(st.integers(1, 4))
    means, variances = rng.uniform(-1.0, 3.0, (c, 1)), rng.uniform(0.05, 1.0, (c, 1, 1))
    return GaussianMixture(means, rng.dirichlet(np.ones(c)), covariances=variances)


@settings(max_examples=50, deadline=None)
@given(potentials(), st.floats(-1.0, 7.0))
def test_potential_has_the_stated_slope(potential, x):
    """φ is the integral of 2(x − T(x)) from the left, where it is 0."""
    inside = [point for point in potential.knots if 0.0 < point < max(x, 0.0)]
    expected, _ = quad(
        lambda s: 2.0 * (s - np.interp(s, potential.knots, potential.images)),
        0.0,
        min(max(x, 0.0), potential.knots[-1]),
        points=inside or None,
    )
    assert abs(potential(np.array([x]))[0] - expected) < CONJUGATE_MEAN


@settings(max_examples=50, deadline=None)
@given(potentials())
def test_span_holds_every_value(potential):
    """max φ − min φ is the reported span, up to the grid."""
    values = potential(np.linspace(-1.0, 7.0, 100_001))
    assert np.ptp(values) <= potential.span + CONJUGATE_MEAN
    assert potential.span - np.ptp(values) < CONJUGATE_GRID


@settings(max_examples=50, deadline=None)
@given(potentials(), st.floats(-2.0, 8.0))
def test_conjugate_is_the_infimum(potential, y):
    """φᶜ at a point is the smallest |x − y|² − φ(x) over a fine grid, and never above it."""
    at_point = potential.conjugate_mean((np.ones(1), np.array([y]), np.array([1e-12])))
    x = np.linspace(-3.0, 9.0, 240_001)
    smallest = ((x - y) ** 2 - potential(x)).min()
    assert at_point <= smallest + CONJUGATE_MEAN
    assert smallest - at_point < CONJUGATE_GRID


@settings(max_examples=30, deadline=None)
@given(potentials(), line_laws())
def test_conjugate_mean_is_the_integral(potential, law):
    """E φᶜ by truncated moments equals the quadrature of φᶜ times the density."""
    stds = np.full(len(law.weights), law.std) if law.std else np.sqrt(law.covariances[:, 0, 0])
    actual = potential.conjugate_mean((law.weights, law.means[:, 0], stds))

    def integrand(y: float) -> float:
        x = np.interp(y, potential.images, potential.knots) if 0.0 < y < potential.images[-1] else y
        return float((x - y) ** 2 - potential(np.array([x]))[0]) * math.exp(law.log_density([[y]])[0])

    edges = np.unique(np.concatenate([[-12.0], potential.images, law.means[:, 0], [16.0]]))
    expected = sum(quad(integrand, *pair, epsabs=1e-13)[0] for pair in pairwise(edges))
    assert abs(actual - expected) < CONJUGATE_MEAN


@settings(max_examples=20, deadline=None)
@given(line_laws(), st.integers(0, 2**32 - 1))
def test_fitted_map_is_increasing_with_fixed_ends(law, seed):
    """Whatever the samples (ties included), T is increasing and the identity at both ends."""
    x = np.round(np.random.default_rng(seed).normal(size=50), 1)
    target = (law.weights, law.means[:, 0], np.full(len(law.weights), 0.3))
    potential = _fitted(x, target)
    assert (np.diff(potential.knots) > 0.0).all() and (np.diff(potential.images) > 0.0).all()
    assert potential.knots[0] == potential.images[0] and potential.knots[-1] == potential.images[-1]


def test_bernstein_bound_covers_at_small_samples():
    """Rare losses, 30 chances at a time, a fifth of the runs without any: the bound still covers."""
    rng = np.random.default_rng(5)
    misses = sum(_bernstein_lower((rng.random(30) < 0.05) * -1.0, 1.0, 0.1) > -0.05 for _ in range(2000))
    assert misses <= 0.1 * 2000


def test_normal_bound_covers():
    """One-sided normal bound: misses about a tenth of the time at delta 0.1."""
    rng = np.random.default_rng(6)
    misses = sum(_normal_lower(rng.exponential(size=500), 0.1) > 1.0 for _ in range(2000))
    assert abs(misses - 200) < STANDARD_ERRORS * math.sqrt(2000 * 0.1 * 0.9)


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
