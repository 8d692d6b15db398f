"""Two levels: pairs of runs are a coupling on one Brownian path, and the brackets they give hold the exact
W2."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import ou
from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, euler_maruyama, scheme, sscs
from bounds.samplers import samplers
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS
from verify.certificates.question import setting_of
from verify.certificates.sampled import Sampled, measured_by_samples
from verify.certificates.two_levels import FINER, lipschitz, synchronous, upper_side

LAW, MODES = Gaussian([0.0], 0.25), GaussianMixture.two_modes(1.5, 0.7, dim=2)


def linear(steps, law) -> np.ndarray:
    """Weights of the normals in the last iterate, for centred Gaussian data on the line: the score is
    −y/V."""
    weights = np.array([np.sqrt(steps.prior_var)])
    for i in range(len(steps)):
        step = steps.P[i] - steps.Q[i] / (steps.a[i] ** 2 * law.covariance[0, 0] + steps.s_sq[i])
        weights = np.append(weights * step, np.sqrt(steps.noise_var[i]))
    return weights


@pytest.mark.parametrize("key", ["euler-maruyama", "exponential", "posterior-mean"])
def test_pairs_are_as_far_apart_as_their_normals_say(key):
    """Gaussian data: both runs are linear in the normals, and so are mean squares of each and of the gap."""
    numbers = [scheme(key, 2.0, steps).steps(ou()) for steps in (10, 40)]
    coarse, fine = (linear(steps, LAW) for steps in numbers)
    shares = np.sqrt(numbers[1].noise_var).reshape(10, 4)
    shares = (shares / np.linalg.norm(shares, axis=1, keepdims=True)).ravel()
    spread = np.append(coarse[0], np.repeat(coarse[1:], 4) * shares)
    x, y = synchronous(LAW, *numbers, 20_000, np.random.default_rng(3))
    for values, expected in ((x, coarse), (y, fine), (x - y, spread - fine)):
        assert abs(np.mean(values**2) / (expected @ expected) - 1) < STANDARD_ERRORS * np.sqrt(2 / 20_000)


def test_stretch_of_a_linear_sampler_is_its_spread():
    """Gaussian data: Λ is the length of the weights of the normals, the standard deviation of the iterate."""
    setting = setting_of(ou(), LAW, euler_maruyama(2.0, 40))
    assert lipschitz(setting) == pytest.approx(np.linalg.norm(linear(setting.table.steps(), LAW)),
                                               rel=LAW_ROUNDING)


@pytest.mark.parametrize("errors", [(0.0, 0.0), (0.2, 0.3)])
def test_brackets_from_samples_hold_the_exact_error(errors):
    """Where the error is known exactly it is in the bracket, and the bracket is tighter than the bound."""
    setting = setting_of(ou(), MODES, euler_maruyama(3.0, 10), *errors)
    found = measured_by_samples(setting, MODES, 20_000, 2, "asked for")
    exact = sampler_w2(MODES, setting.table.steps(), *errors)
    assert 0 < found.lower <= exact.lower <= exact.upper <= found.upper
    side = upper_side(setting, MODES, 1250, 2, 0.05)
    assert side.refinement in FINER and side.given == found.given == "martingale-coupled"
    assert exact.upper <= side.asymptotic < side.proved


@pytest.mark.parametrize("given", [{"sampler": "heun"}, {"sampler": "midpoint"}, {"sampler": "heun", "churn": 2.0, "s_tmax": 3.0}])
def test_brackets_of_two_evaluations_with_fresh_noise(given):
    """Of Gaussian data and a sampler with two evaluations, whose score has fresh noise, the exact error is in the bracket
    of samples and of two levels."""
    data = Gaussian([0.5, 0.0], 0.4)
    setting = setting_of(ou(), data, scheme(horizon=2.0, steps=10, **given), 0.0, 4.0)
    found, exact = measured_by_samples(setting, data, 20_000, 2, "asked for"), sampler_w2(data, setting.steps, 0.0, 4.0)
    assert 0 < found.lower <= exact.lower <= exact.upper <= found.upper < np.inf


def test_brackets_from_samples_begin_where_the_sampler_does():
    """Of a sampler that starts far away, and forgets little of it, the exact error is in the bracket of its samples."""
    setting = setting_of(ou(), MODES, euler_maruyama(0.3, 10, prior_mean=[4.0, -3.0], prior_covariance=[0.5, 2.0]))
    found = measured_by_samples(setting, MODES, 20_000, 2, "asked for")
    exact = sampler_w2(MODES, setting.steps)
    assert 2.5 < found.lower <= exact.lower <= exact.upper <= found.upper


@pytest.mark.parametrize("grid", [TimeGrid.geometric(3.0, 12), TimeGrid.from_times([3.0, 1.0, 0.4, 0.1, 0.0])])
def test_every_step_is_cut_in_m(grid):
    """Grids of any kind: the exact error is below the upper side."""
    setting = setting_of(ou(), MODES, Scheme(samplers()["euler-maruyama"], grid))
    exact = sampler_w2(MODES, setting.table.steps())
    assert exact.upper <= upper_side(setting, MODES, 200, 4, 0.05).asymptotic


def test_position_and_velocity():
    """Two blocks: pairs narrow the bound where a step is a step of the grid; a splitting has its bound
    alone."""
    process = cld(a=1, sigma=2, epsilon=0, velocity_variance=1)
    euler = setting_of(process, LAW, euler_maruyama(6.0, 40))
    side, exact = upper_side(euler, LAW, 500, 5, 0.05), sampler_w2(LAW, euler.table.steps())
    assert side.refinement in FINER and exact.upper <= side.asymptotic
    splitting = replace(euler, scheme=sscs(6.0, 40))
    assert upper_side(splitting, LAW, 500, 5, 0.05).refinement == 1


def test_without_a_theorem_there_is_no_upper_side():
    """Where every theorem is refused, or says infinity, only the lower side is left."""
    far = GaussianMixture([[-600.0, 0.0], [600.0, 0.0], [0.0, 600.0]], std=0.5)
    setting = setting_of(ou(), far, euler_maruyama(3.0, 100), assumption="log-lipschitz")
    found = measured_by_samples(setting, far, 200, 6, "asked for")
    assert isinstance(found, Sampled) and found.upper == np.inf and found.given == ""
