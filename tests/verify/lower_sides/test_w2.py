"""Samples to sides of W2: valid at the stated confidence, near the truth when there is a distance to see."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.steps.affine import Steps
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from tests.verify.tolerances import CONJUGATE_MEAN, COVERED, LOWER_SIDE_POWER, REFUTED
from verify.lower_sides.w2 import coupled, projections, w2_from_samples
from verify.particles.simulation import sample

STANDARD = Gaussian([0.0], 1.0)


TWO_MODES = GaussianMixture([[-1.0], [1.0]], std=0.5)


def funnel_distance() -> float:
    """W2 of a funnel's second coordinate and N(0, 1), by the increasing map between them, x ↦ Φ⁻¹(F(x))."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x = np.exp(nodes / 2)[:, None] * nodes
    below = ndtr(x[..., None] * np.exp(-nodes / 2)) @ weights
    mapped = np.where(x < 0, ndtri(below), -ndtri(ndtr(-x[..., None] * np.exp(-nodes / 2)) @ weights))
    return math.sqrt(weights @ (x - mapped) ** 2 @ weights)


def second_of_funnel(n, rng):
    """Draws of a funnel's second coordinate."""
    return Funnel(2).sample(n, rng)[:, 1:]


#: How the samples are drawn, the law they are held against, and the distance.
COVERAGE = {
    "gaussian": (STANDARD.sample, STANDARD, 0.0),
    "shifted gaussian": (lambda n, rng: STANDARD.sample(n, rng) + 0.5, STANDARD, 0.5),
    "two modes": (TWO_MODES.sample, TWO_MODES, 0.0),
    "shifted modes": (lambda n, rng: TWO_MODES.sample(n, rng) - 0.5, TWO_MODES, 0.5),
    "funnel": (second_of_funnel, STANDARD, funnel_distance()),
}


def covered(name: str, runs: int) -> float:
    """Share of the runs of 400 samples in which the lower side at 95 % is not above the distance."""
    draw, law, distance = COVERAGE[name]
    rng = np.random.default_rng(7)
    return np.mean([projections(draw(400, rng), law, delta=0.05).lower <= distance for _ in range(runs)])


@pytest.mark.parametrize("name", COVERAGE)
def test_lower_side_is_covered(name):
    """Over 100 runs of 400 samples the lower side at 95 % exceeds the exact W2 at most that often."""
    assert covered(name, 100) >= COVERED


@pytest.mark.deep
@pytest.mark.parametrize("name", COVERAGE)
def test_lower_side_is_covered_over_many_runs(name):
    """… and over 2,000."""
    assert covered(name, 2000) >= COVERED


def refuted(steps: int, samples: int, runs: int, delta: float) -> float:
    """Share of the runs in which samples refute half the exact error as a bound, two modes in d = 10."""
    law = GaussianMixture.two_modes(2.0, 0.7, dim=10)
    numbers = euler_maruyama(4.0, steps).steps(ou())
    claim = sampler_w2(law, numbers).lower / 2
    return np.mean([w2_from_samples(sample(law, numbers, samples, seed, reduce=True), law, delta=delta).lower
                    > claim
                    for seed in range(runs)])


def test_half_the_error_is_refuted():
    """Two modes in d = 10: 20,000 samples refute a bound made twice too small, at one in a million."""
    assert refuted(20, 20_000, 5, 1e-6) >= REFUTED


@pytest.mark.deep
@pytest.mark.parametrize("steps", [20, 40, 80])
def test_half_a_small_error_is_refuted(steps):
    """With 100,000 samples at one in a million, down to W2 = 0.096."""
    assert refuted(steps, 100_000, 30, 1e-6) >= REFUTED


@pytest.mark.parametrize(
    "law, target, distance",
    [
        (Gaussian([1.0], 1.0), STANDARD, 1.0),
        (Gaussian([0.0], 4.0), STANDARD, 1.0),
        (Gaussian([0.6, 0.0, -0.8], 1.0), Gaussian([0.0] * 3, 1.0), 1.0),
        (Gaussian([0.0, 0.0], [4.0, 1.0]), Gaussian([0.0, 0.0], 1.0), 1.0),
        (Gaussian([0.0, 0.0], [[2.5, 1.5], [1.5, 2.5]]), Gaussian([0.0, 0.0], 1.0), 1.0),
        (Gaussian(np.zeros(16), 1.5625), Gaussian(np.zeros(16), 1.0), 1.0),
        (
            GaussianMixture([[0.0], [4.0]], covariances=[[[1.0]], [[0.25]]]),
            GaussianMixture([[1.0], [5.0]], covariances=[[[1.0]], [[0.25]]]),
            1.0,
        ),
    ],
)
def test_lower_side_sees_a_distance(law, target, distance):
    """With 100,000 samples the lower side is within five per cent below the exact W2, and not above it."""
    lower = projections(law.sample(100_000, np.random.default_rng(8)), target).lower
    assert LOWER_SIDE_POWER * distance < lower <= distance


def test_potential_is_tested_on_samples_it_was_not_fitted_to():
    """A first half that promises more than the second half holds must earn nothing."""
    x = STANDARD.sample(100_000, np.random.default_rng(14))
    x[:50_000] += 1.0
    x[50_000:] += 0.4
    assert projections(x, STANDARD).lower == 0.0


def test_two_modes_are_told_from_one():
    """Equal mean and variance: the potential notices that one law has two modes."""
    law = GaussianMixture([[-0.8], [0.8]], std=0.6)
    x = law.sample(100_000, np.random.default_rng(9))
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
    assert "projections" in bracket.method and "asymptotic" in bracket.method


GOOD = np.zeros((200, 1)) + np.linspace(0.0, 1.0, 200)[:, None]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: projections(GOOD[:, 0], STANDARD), r"x must have shape \(n >= 8, 1\), got \(200,\)"),
        (lambda: projections(np.zeros((200, 2)), STANDARD), "x must have shape"),
        (lambda: projections(GOOD[:3], STANDARD), "x must have shape"),
        (lambda: w2_from_samples(GOOD[:99], STANDARD), r"x must have shape \(n >= 100, 1\), got \(99, 1\)"),
        (lambda: w2_from_samples(GOOD * np.nan, STANDARD), "x must have finite entries, got nan"),
        (lambda: projections(GOOD, STANDARD, delta=0.0), r"delta must be in \(0, 1\), got 0.0"),
        (lambda: w2_from_samples(GOOD, STANDARD, delta=1.0), "delta must be in"),
        (lambda: coupled(GOOD, GOOD[:150]), "as many rows as each other, got 200 and 150"),
        (lambda: coupled(GOOD, np.zeros((200, 2))), "y must have shape"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    """Wrong shapes, too few samples, entries that are not finite and impossible levels are named."""
    with pytest.raises(ValueError, match=message):
        call()
