"""Score and density of a mixture in phase space against scipy's joint normals and finite differences."""

import numpy as np
import pytest
import scipy.linalg
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from closed_form.sampler_laws.phase_space.mixture_score import PhaseMixtureScore
from tests.closed_form.tolerances import PHASE_DIFFERENCE
from tests.tolerances import LAW_ROUNDING

CLOCK, STEP = 0.6, 1e-5
WEIGHTS, VARIANCES = np.array([0.2, 0.5, 0.3]), np.array([0.3, 0.05, 1.2])


def mixture(dim, variances=VARIANCES):
    """(means, score) of three components in R^d at clock 0.6, and points to look at."""
    rng = np.random.default_rng(dim)
    means = rng.standard_normal((3, dim))
    phi, S = PhasePath(cld(epsilon="1/5", velocity_variance="1/2")).kernel(np.array(CLOCK))
    score = PhaseMixtureScore(WEIGHTS, means, variances, phi, S)
    return means, score, rng.standard_normal((4, dim)), rng.standard_normal((4, dim))


def joint(means, variance):
    """Mean and covariance of (X_t, V_t) from N(μ, σ²I) × N(0, v²I), by scipy's exponential and Lyapunov
    equation."""
    drift, noise = np.array([[0.0, 1.0], [-1.0, -2.0]]), np.diag([0.04, 4.0])
    stationary = scipy.linalg.solve_continuous_lyapunov(drift, -noise)
    flow = scipy.linalg.expm(CLOCK * drift)
    spread = stationary + flow @ (np.diag([variance, 0.5]) - stationary) @ flow.T
    return np.kron(flow[:, 0], means), np.kron(spread, np.eye(len(means)))


@pytest.mark.parametrize("dim", [1, 3])
def test_density_is_that_of_the_joint_normal_mixture(dim):
    """log p_t agrees with scipy's multivariate normals on R^{2d}."""
    means, score, x, v = mixture(dim)
    points = np.concatenate([x, v], axis=1)
    logs = [
        multivariate_normal(*joint(mean, s)).logpdf(points) for mean, s in zip(means, VARIANCES, strict=True)
    ]
    expected = logsumexp(np.array(logs) + np.log(WEIGHTS)[:, None], axis=0)
    assert score.log_density(x, v) == pytest.approx(expected, rel=LAW_ROUNDING, abs=LAW_ROUNDING)


@pytest.mark.parametrize("dim", [1, 3])
def test_score_is_the_gradient_of_the_log_density(dim):
    """Central differences in every position and every velocity."""
    _, score, x, v = mixture(dim)
    by_x, by_v = score.score(x, v)
    for i in range(dim):
        shift = STEP * np.eye(dim)[i]
        up, down = score.log_density(x + shift, v), score.log_density(x - shift, v)
        assert by_x[:, i] == pytest.approx(
            (up - down) / (2 * STEP), rel=PHASE_DIFFERENCE, abs=PHASE_DIFFERENCE
        )
        up, down = score.log_density(x, v + shift), score.log_density(x, v - shift)
        assert by_v[:, i] == pytest.approx(
            (up - down) / (2 * STEP), rel=PHASE_DIFFERENCE, abs=PHASE_DIFFERENCE
        )


@pytest.mark.parametrize("variances", [VARIANCES, np.full(3, 0.3)], ids=["unequal", "equal"])
def test_velocity_score_on_a_grid_is_the_score(variances):
    """On the line the velocity's score takes rows and columns that broadcast, far out in the tails too."""
    _, score, _, _ = mixture(1, variances)
    x, v = np.linspace(-30, 30, 7)[None, :], np.linspace(-40, 40, 9)[:, None]
    wide_x, wide_v = (np.broadcast_to(array, (9, 7))[..., None] for array in (x, v))
    expected = score.score(wide_x, wide_v)[1][..., 0]
    assert score.pushed((0, 1), x, v) == pytest.approx(expected, rel=LAW_ROUNDING)


@pytest.mark.parametrize("variances", [VARIANCES, np.full(3, 0.3)], ids=["unequal", "equal"])
def test_the_slope_of_what_pushes_is_its_derivative(variances):
    """On the line the derivative in the position is that of central differences, for any push."""
    _, score, x, v = mixture(1, variances)
    for push in ((0.0, 1.0), (0.7, -0.4)):
        found, slope = score.pushed_with_slope(push, x, v)
        up, down = score.pushed(push, x + STEP, v), score.pushed(push, x - STEP, v)
        assert slope == pytest.approx((up - down) / (2 * STEP), rel=PHASE_DIFFERENCE, abs=PHASE_DIFFERENCE)
        assert found == pytest.approx(score.pushed(push, x, v), rel=LAW_ROUNDING)


@pytest.mark.parametrize("push", [(0.0, 1.0), (0.7, -0.4)])
@pytest.mark.parametrize("variances", [VARIANCES, np.full(3, 0.3)], ids=["unequal", "equal"])
@pytest.mark.parametrize("far", [3.0, 40.0])
def test_a_push_on_a_sheared_grid_is_the_push_there(far, variances, push):
    """Products of matrices give what every point gives by itself, in the box and so far out that a product would
    leave the range of floats."""
    _, score, _, _ = mixture(1, variances)
    place, v = np.linspace(-far, far, 7)[None, :], np.linspace(-far, far, 9)[:, None]
    expected = score.pushed(push, place - 0.3 * v, v)
    scale = np.abs(expected).max()
    assert score.pushed_sheared(push, place, -0.3, v) == pytest.approx(expected, rel=LAW_ROUNDING,
                                                                       abs=LAW_ROUNDING * scale)


def test_score_of_one_component_is_linear():
    """−V⁻¹(y − φμ), both ways of asking."""
    phi, S = np.array([0.8, -0.3]), np.array([[0.5, -0.1], [-0.1, 0.9]])
    score = PhaseMixtureScore([1.0], [[2.0]], [0.25], phi, S)
    expected = -np.linalg.solve(S + 0.25 * np.outer(phi, phi), [0.4 - 1.6, 1.5 + 0.6])
    found = score.score(np.array([0.4]), np.array([1.5]))
    assert [part[0] for part in found] == pytest.approx(expected.tolist(), rel=LAW_ROUNDING)
    assert score.pushed((0, 1), 0.4, 1.5) == pytest.approx(expected[1], rel=LAW_ROUNDING)


@pytest.mark.parametrize("push", [(0.0, 1.0), (0.7, 0.0), (0.7, -0.4)])
def test_a_push_and_its_slope_on_the_line(push):
    """push·score of three components, and its derivative in the position by central differences."""
    _, score, x, v = mixture(1)
    x, v = x[:, 0], v[:, 0]
    found, slope = score.pushed_with_slope(push, x, v)
    parts = score.score(x[:, None], v[:, None])
    assert found == pytest.approx(push[0] * parts[0][:, 0] + push[1] * parts[1][:, 0], rel=LAW_ROUNDING)
    up, down = score.pushed(push, x + STEP, v), score.pushed(push, x - STEP, v)
    assert slope == pytest.approx((up - down) / (2 * STEP), rel=PHASE_DIFFERENCE, abs=PHASE_DIFFERENCE)
