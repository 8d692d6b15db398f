"""Scores in phase space: one block at the right signal-to-noise ratio is the two-block score."""

import numpy as np
import pytest

from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.phase_space.mixture_score import PhaseMixtureScore
from closed_form.sampler_laws.phase_space.score import PhaseLaw, whitening
from tests.closed_form.tolerances import FINITE_DIFFERENCE, PHASE_SCORE

COVARIANCE = np.array([[1.0, 0.4, 0.0], [0.4, 0.8, 0.1], [0.0, 0.1, 0.5]])


def kernel(clock, epsilon=0.3, velocity=0.4):
    path = PhasePath(cld(a=1.2, sigma=1.5, epsilon=epsilon, velocity_variance=velocity))
    phi, S = path.kernel(np.array([clock]))
    return phi[0], S[0]


@pytest.mark.parametrize("clock", [0.01, 0.5, 4.0])
def test_gaussian_with_full_covariance(clock):
    """Score and density are those of N(φ⊗m, S⊗I + φφᵀ⊗Σ), written out with Kronecker products."""
    phi, S = kernel(clock)
    mean = np.array([1.0, -0.5, 0.2])
    law = PhaseLaw(Gaussian(mean, COVARIANCE), phi, S)
    whole = np.kron(S, np.eye(3)) + np.kron(np.outer(phi, phi), COVARIANCE)
    u = np.random.default_rng(0).standard_normal((5, 6))
    gap = u - np.kron(phi, mean)
    solved = np.linalg.solve(whole, gap.T).T
    logs = -0.5 * (np.sum(gap * solved, axis=1) + np.linalg.slogdet(2 * np.pi * whole)[1])
    found = np.concatenate(law.score(u[:, :3], u[:, 3:]), axis=1)
    assert np.abs(found + solved).max() < PHASE_SCORE * np.abs(solved).max()
    assert np.abs(law.log_density(u[:, :3], u[:, 3:]) - logs).max() < PHASE_SCORE * np.abs(logs).max()


@pytest.mark.parametrize("clock", [0.05, 0.5, 4.0])
def test_mixtures_agree_with_their_components(clock):
    """The isotropic mixture's score is that of the module which inverts each component's 2×2 matrix."""
    phi, S = kernel(clock)
    means, weights = np.array([[-1.0, 0.5], [1.0, 0.0], [0.3, 2.0]]), np.array([0.2, 0.5, 0.3])
    other = PhaseMixtureScore(weights, means, np.full(3, 0.25), phi, S)
    law = PhaseLaw(GaussianMixture(means, weights, std=0.5), phi, S)
    x, v = np.random.default_rng(1).standard_normal((2, 6, 2))
    for found, known in zip(
        (*law.score(x, v), law.log_density(x, v)), (*other.score(x, v), other.log_density(x, v)), strict=True
    ):
        assert np.abs(found - known).max() < PHASE_SCORE * np.abs(known).max()


@pytest.mark.parametrize(
    "law",
    [
        Funnel(3, 1.2),
        GaussianMixture([[0.0, 1.0], [1.0, -1.0]], covariances=[np.eye(2), np.diag([0.3, 2.0])]),
    ],
)
def test_scores_are_slopes(law):
    """The score is the gradient of the log density, by central differences, for a funnel and unequal
    covariances."""
    phi, S = kernel(0.4)
    pushed, h = PhaseLaw(law, phi, S), 1e-5
    x, v = np.random.default_rng(2).standard_normal((2, 4, law.dim))
    in_x, in_v = pushed.score(x, v)
    for i, shift in enumerate(h * np.eye(law.dim)):
        slope_x = (pushed.log_density(x + shift, v) - pushed.log_density(x - shift, v)) / (2 * h)
        slope_v = (pushed.log_density(x, v + shift) - pushed.log_density(x, v - shift)) / (2 * h)
        size = 1 + np.abs(in_x).max() + np.abs(in_v).max()
        assert np.abs(in_x[:, i] - slope_x).max() < 10 * FINITE_DIFFERENCE * size
        assert np.abs(in_v[:, i] - slope_v).max() < 10 * FINITE_DIFFERENCE * size


def test_whitening_splits_and_refuses_time_zero():
    """L is a root of S⁻¹ that maps φ to (√q, 0); at t = 0, where S is singular, it is refused."""
    phi, S = kernel(0.3, epsilon=0.0)
    signal, L = whitening(phi, S)
    assert np.abs(L.T @ L @ S - np.eye(2)).max() < PHASE_SCORE
    assert np.abs(L @ phi - [signal, 0.0]).max() < PHASE_SCORE * signal
    with pytest.raises(ValueError, match="no score exists at t = 0"):
        whitening(*kernel(0.0))
