"""The exact W2 of a sampler in any dimension: which laws have one, and that it is the right one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from bounds.steps.affine import Steps
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.sampler import line_w2, sampler_line
from closed_form.sampler_laws.w2 import exact_law_available, sampler_w2
from tests.closed_form.tolerances import LAW_SYMMETRY, LINE_GAUSSIAN
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS

WEIGHTS = [0.3, 0.7]


def ou_euler(horizon, k):
    """Euler-Maruyama for dX = −X dt + √2 dB on a uniform grid, coefficients by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h, s_sq = -np.diff(time), -np.expm1(-2.0 * time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, np.exp(-time), s_sq, float(s_sq[0]))


def rotation(dim, seed):
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


def embedded(line_means, std, basis, offset):
    """The mixture with means ``line_means`` along the first column of ``basis``, shifted by the rest."""
    means = np.outer(line_means, basis[:, 0]) + basis[:, 1:] @ offset
    return GaussianMixture(means, WEIGHTS, std=std)


@given(
    means=st.tuples(st.floats(-2.0, -0.1), st.floats(0.1, 2.0)),
    std=st.floats(0.2, 1.0),
    offset=st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)),
    score_error=st.sampled_from([0.0, 0.3]),
    score_noise=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=examples(6), deadline=None)
def test_embedded_mixture_is_line_plus_chain(means, std, offset, score_error, score_noise, seed):
    """Two modes, rotated and shifted in R³: the 1-D problem and a Gaussian one, added in squares."""
    steps, basis, offset = ou_euler(3.0, 20), rotation(3, seed), np.array(offset)
    law = embedded(means, std, basis, offset)
    measured = sampler_w2(law, steps, score_error, score_noise, direction=basis[:, 0])
    line_law = GaussianMixture(np.array(means)[:, None], WEIGHTS, std=std)
    line = line_w2(line_law, steps, score_error, score_noise / math.sqrt(3))
    across_noise = score_noise * math.sqrt(2 / 3)
    across = gaussian_chain(Gaussian(offset, std**2), steps, None, across_noise).w2()
    assert measured.midpoint == pytest.approx(math.hypot(line.midpoint, across.midpoint), rel=LAW_SYMMETRY)


def test_bias_across_the_line_goes_to_the_chain():
    """A score error at right angles to the line moves only the Gaussian part."""
    steps, basis, offset = ou_euler(3.0, 20), rotation(3, 4), np.array([0.5, -0.25])
    law = embedded((-1.0, 0.5), 0.5, basis, offset)
    measured = sampler_w2(law, steps, 0.4, 0.0, direction=5.0 * basis[:, 2])
    line = line_w2(GaussianMixture([[-1.0], [0.5]], WEIGHTS, std=0.5), steps)
    across = gaussian_chain(Gaussian(offset, 0.25), steps, [0.0, 0.4]).w2()
    assert measured.midpoint == pytest.approx(math.hypot(line.midpoint, across.midpoint), rel=LAW_SYMMETRY)


@given(seed=st.integers(0, 1000), dim=st.integers(2, 6))
@settings(max_examples=examples(5), deadline=None)
def test_rotating_everything_changes_nothing(seed, dim):
    """W2 is the same after a rotation of the data and of the direction of the error."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(2, dim))
    direction, turn, steps = rng.normal(size=dim), rotation(dim, seed + 1), ou_euler(2.0, 10)
    plain = sampler_w2(GaussianMixture(means, WEIGHTS, std=0.6), steps, 0.2, 0.3, direction)
    turned_law = GaussianMixture(means @ turn.T, WEIGHTS, std=0.6)
    turned = sampler_w2(turned_law, steps, 0.2, 0.3, turn @ direction)
    assert turned.midpoint == pytest.approx(plain.midpoint, rel=LAW_SYMMETRY)


def test_dimension_adds_one_chain_for_each_direction_across():
    """Centred two modes in R^50: W2² of the line plus 49 times that of N(0, s²)."""
    steps = ou_euler(4.0, 50)
    measured = sampler_w2(GaussianMixture.two_modes(2.0, 0.5, dim=50), steps)
    line = line_w2(GaussianMixture.two_modes(2.0, 0.5), steps).midpoint
    across = gaussian_chain(Gaussian([0.0], 0.25), steps).w2().midpoint
    assert measured.midpoint == pytest.approx(math.sqrt(line**2 + 49 * across**2), rel=LAW_SYMMETRY)


def test_simulation_in_three_dimensions_agrees_in_projection():
    """Along the line and across it, the sampler's mean, variance and P(Y > 0) are those of the two laws."""
    n, k, score_noise = 100_000, 12, 0.6
    basis, offset, steps = rotation(3, 8), np.array([0.7, -0.4]), ou_euler(2.0, k)
    law, bias = embedded((-1.0, 1.5), 0.4, basis, offset), 0.3 * basis[:, 0]
    rng = np.random.default_rng(21)
    y = math.sqrt(steps.prior_var) * rng.standard_normal((n, 3))
    for i in range(k):
        noise = score_noise / math.sqrt(3) * rng.standard_normal((n, 3))
        score = law.pushed(steps.a[i], steps.s_sq[i]).score(y) + bias + noise
        y = steps.P[i] * y + steps.Q[i] * score + math.sqrt(steps.noise_var[i]) * rng.standard_normal((n, 3))
    along, across = y @ basis[:, 0], y @ basis[:, 1]
    line_law = GaussianMixture([[-1.0], [1.5]], WEIGHTS, std=0.4)
    line = sampler_line(line_law, steps, 0.3, score_noise / math.sqrt(3)).law
    chain = gaussian_chain(Gaussian(offset, 0.16), steps, None, score_noise * math.sqrt(2 / 3))
    line_mean = line.weights @ line.means
    line_var = line.weights @ (line.means - line_mean) ** 2 + line.std**2
    chain_mean, chain_var = chain.mean[0], chain.variances[0]
    expectations = [
        (along, line_mean),
        ((along - line_mean) ** 2, line_var),
        (along > 0.0, line.sf(np.zeros(1))[0]),
        (across, chain_mean),
        ((across - chain_mean) ** 2, chain_var),
        (across > 0.0, ndtr(chain_mean / math.sqrt(chain_var))),
        ((along - line_mean) * (across - chain_mean), 0.0),
    ]
    for values, expected in expectations:
        assert abs(values.mean() - expected) < STANDARD_ERRORS * values.std() / math.sqrt(n)


def test_default_direction_of_the_error():
    """Against the mean for a Gaussian, the first axis if that is 0, along the line for a mixture."""
    steps = ou_euler(2.0, 20)
    law = Gaussian([3.0, 4.0], [1.0, 0.5])
    assert sampler_w2(law, steps, 0.5) == sampler_w2(law, steps, 0.5, direction=[-3.0, -4.0])
    centred = Gaussian([0.0, 0.0], [1.0, 0.5])
    assert sampler_w2(centred, steps, 0.5) == sampler_w2(centred, steps, 0.5, direction=[1.0, 0.0])
    mixture = GaussianMixture([[1.0, 1.0], [1.0, 2.0]], std=0.5)
    expected = sampler_w2(mixture, steps, 0.5, direction=[0.0, 1.0])
    assert sampler_w2(mixture, steps, 0.5).midpoint == pytest.approx(expected.midpoint, rel=LAW_SYMMETRY)


def test_mixture_of_one_gaussian_is_that_gaussian():
    """Equal components are a Gaussian, whatever their covariance and dimension."""
    steps, covariance = ou_euler(2.0, 20), np.array([[2.0, 0.5], [0.5, 1.0]])
    law = GaussianMixture([[1.0, 2.0], [1.0, 2.0]], WEIGHTS, covariance=covariance)
    assert sampler_w2(law, steps, 0.1) == sampler_w2(Gaussian([1.0, 2.0], covariance), steps, 0.1)


def test_line_of_unequal_widths_is_available():
    """In dimension 1 components may have different variances; equal means included."""
    law = GaussianMixture([[0.0], [0.0]], WEIGHTS, covariances=[[[0.1]], [[2.0]]])
    assert exact_law_available(law) is None
    assert sampler_w2(law, ou_euler(3.0, 200)).upper < 0.1


def test_gaussian_agrees_with_the_same_law_as_a_line():
    """A 1-D Gaussian by the chain equals the quadrature on the same problem."""
    steps, law = ou_euler(3.0, 40), Gaussian([0.5], 0.4)
    expected = line_w2(law, steps, -0.2, 0.3).midpoint
    assert sampler_w2(law, steps, 0.2, 0.3).midpoint == pytest.approx(expected, rel=LINE_GAUSSIAN)


@pytest.mark.parametrize(
    ("law", "reason"),
    [
        (GaussianMixture(np.vstack([np.zeros(3), np.eye(3)]), std=1.0), "span 3 dimensions"),
        (GaussianMixture([[0.0, 0.0], [1.0, 0.0]], covariance=np.diag([1.0, 2.0])), "not isotropic"),
        (
            GaussianMixture([[0.0, 0.0], [1.0, 0.0]], covariances=[np.eye(2), 2.0 * np.eye(2)]),
            "unequal covariances",
        ),
    ],
)
def test_laws_without_an_exact_answer_are_refused_with_the_reason(law, reason):
    """The reason names the rank of the means or the kind of covariance; of no law at all, its type."""
    assert reason in exact_law_available(law) and "type str" in exact_law_available("two modes")
    with pytest.raises(ValueError, match=reason):
        sampler_w2(law, ou_euler(1.0, 2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"score_error": -1.0}, ValueError, "score_error"),
        ({"score_error": math.nan}, ValueError, "score_error"),
        ({"score_noise": math.inf}, ValueError, "score_noise"),
        ({"score_noise": "much"}, TypeError, "score_noise"),
        ({"direction": [1.0]}, ValueError, "direction"),
        ({"direction": [0.0, 0.0]}, ValueError, "direction"),
        ({"direction": [math.inf, 0.0]}, ValueError, "direction"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    """Each argument that is not as documented is named."""
    with pytest.raises(error, match=message):
        sampler_w2(Gaussian([0.0, 0.0], 1.0), ou_euler(1.0, 2), **call)
