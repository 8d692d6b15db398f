"""Pairs of data and last iterates: each has its own law, and together they are as near as normals allow."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from bounds import ou
from bounds.sampler import scheme
from bounds.steps.affine import Steps
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS
from tests.verify.tolerances import FLOW_RATIO, LEAST_P
from verify.particles.backwards import beside_flow, beside_process

SPREAD = [[0.5, 0.2], [0.2, 0.3]]
MEANS = [[-1.0, 0.3], [0.8, 0.0], [0.2, -0.9]]
LAWS = {"isotropic": GaussianMixture(MEANS, [0.5, 0.3, 0.2], std=0.4),
        "shared": GaussianMixture(MEANS, [0.5, 0.3, 0.2], covariance=SPREAD),
        "own": GaussianMixture(MEANS, covariances=[SPREAD, [[0.2, 0.0], [0.0, 0.4]], [[0.1, -0.05], [-0.05, 0.3]]])}


def noise_alone(steps: Steps, kept: float) -> Steps:
    """A sampler whose iterates are sums of its normals: y ← kept·y + z, from z."""
    ones = np.ones(len(steps))
    return Steps(steps.time, kept * ones, 0 * ones, ones, steps.a, steps.s_sq, 1.0)


@pytest.mark.parametrize("mapped", [2, 1, 0])
@pytest.mark.parametrize("kind", LAWS)
def test_both_of_a_pair_have_their_own_law(kind, mapped):
    """X is the data, whatever the sampler; the last normals are standard, and the sum of all has as many variances."""
    law, n, count = LAWS[kind], 3000, 6
    steps = scheme("euler-maruyama", 2.0, count).steps(ou())
    for kept, variance in ((0.0, 1.0), (1.0, count + 1.0)):
        x, y = beside_process(law, noise_alone(steps, kept), n, np.random.default_rng(4), np.zeros(2), 0.0, mapped)
        for direction in ([1.0, 0.0], [0.0, 1.0], [0.6, -0.8]):
            assert kstest(y @ direction / math.sqrt(variance), "norm").pvalue > LEAST_P
            means, variances = law.components().along(np.array(direction))
            line = GaussianMixture(means[:, None], law.weights, covariances=variances[:, None, None])
            assert kstest(x @ direction, lambda t, line=line: _below(line, t)).pvalue > LEAST_P
        assert abs(np.corrcoef(y.T)[0, 1]) < STANDARD_ERRORS / math.sqrt(n)


def _below(law, t: np.ndarray) -> np.ndarray:
    from scipy.stats import norm

    stds = np.sqrt(law.components().spectrum.ravel())
    return norm.cdf((t[:, None] - law.means[:, 0]) / stds) @ law.weights


def test_of_a_gaussian_the_normals_are_those_of_its_own_process():
    """With the steps of its process backwards a sampler ends where X does, but for the mean, which it does not know."""
    law, horizon = GaussianMixture([[0.3], [0.3]], std=0.5), 2.0
    steps = scheme("euler-maruyama", horizon, 5).steps(ou())
    V = steps.a**2 * 0.25 + steps.s_sq
    phi = steps.a[:-1] / steps.a[1:]
    added = steps.s_sq[:-1] - phi**2 * steps.s_sq[1:]
    gain = V[1:] * phi / V[:-1]
    own = Steps(steps.time, gain, 0 * gain, V[1:] * added / V[:-1], steps.a, steps.s_sq, float(V[0]))
    x, y = beside_process(law, own, 500, np.random.default_rng(1), np.zeros(1))
    assert x - y == pytest.approx(np.full((500, 1), 0.3), abs=LAW_ROUNDING)


@pytest.mark.parametrize(("key", "errors"), [("euler-maruyama", 0.0), ("posterior-mean", 0.3), ("ddim", 0.3), ("heun", 0.0),
                                             ("dpmpp-2m", 0.0)])
def test_pairs_are_nearly_as_near_as_can_be(key, errors):
    """Two modes: the mean square of pairs is above the exact W2, by a third at most."""
    law, steps = GaussianMixture.two_modes(1.5, 0.7, dim=2), scheme(key, 3.0, 12).steps(ou())
    beside = beside_process if np.any(steps.noise_var > 0) else beside_flow
    squares = np.square(np.subtract(*beside(law, steps, 2000, np.random.default_rng(2), law.bias(errors)))).sum(axis=1)
    exact, error = sampler_w2(law, steps, errors), STANDARD_ERRORS * squares.std() / math.sqrt(2000)
    assert exact.lower**2 - error < squares.mean() < (4 / 3 * exact.upper) ** 2 + error


def test_the_flow_of_a_gaussian_is_a_scaling():
    """X and Y are both multiples of their common start, as exact scalings of one Gaussian say."""
    law, steps = GaussianMixture([[0.0], [0.0]], std=0.5), scheme("ddim", 3.0, 10).steps(ou())
    x, y = beside_flow(law, steps, 50, np.random.default_rng(3), np.zeros(1))
    exact = sampler_w2(Gaussian([0.0], 0.25), steps).midpoint
    assert np.abs(y / x - 1) == pytest.approx(np.full((50, 1), exact / 0.5), rel=FLOW_RATIO)


@pytest.mark.parametrize("kind", ["isotropic", "own"])
def test_normals_of_one_long_step_depend_on_nothing(kind):
    """Modes that one coordinate only half tells apart, in one step: each normal is standard, also where the other is large."""
    means, n = [[-0.6, -1.5], [0.6, 1.5]], 20_000
    law = GaussianMixture(means, std=0.5) if kind == "isotropic" else GaussianMixture(
        means, covariances=[[[0.3, 0.1], [0.1, 0.2]], [[0.2, 0.0], [0.0, 0.3]]])
    steps = noise_alone(scheme("euler-maruyama", 2.0, 1).steps(ou()), 0.0)
    _, z = beside_process(law, steps, n, np.random.default_rng(6), np.zeros(2))
    for chosen in (np.ones(n, dtype=bool), np.abs(z[:, 0]) < 0.4, z[:, 0] > 0.7):
        assert kstest(z[chosen, 1], "norm").pvalue > LEAST_P


def test_fresh_noise_of_the_score_moves_the_iterate():
    """The same normals with and without noise of the score: what is between is Qη times them, in every step."""
    law, n, count = LAWS["shared"], 4000, 3
    steps = scheme("euler-maruyama", 2.0, count).steps(ou())
    still = Steps(steps.time, steps.P, 0.7 + 0 * steps.Q, 0 * steps.noise_var, steps.a, steps.s_sq, 1.0)
    alone, noisy = (beside_process(law, still, n, np.random.default_rng(8), np.zeros(2), size)[1] for size in (0.0, 1e-6))
    # of a first step alone, as later ones see the score elsewhere
    one = Steps(still.time[-2:], still.P[-1:], still.Q[-1:], still.noise_var[-1:], still.a[-2:], still.s_sq[-2:], 1.0)
    quiet, moved = (beside_process(law, one, n, np.random.default_rng(8), np.zeros(2), size)[1] for size in (0.0, 0.5))
    assert not np.array_equal(alone, noisy)
    for direction in ([1.0, 0.0], [0.6, -0.8]):
        assert kstest((moved - quiet) @ direction / (0.7 * 0.5), "norm").pvalue > LEAST_P
