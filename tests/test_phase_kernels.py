"""Particles of two-block samplers: against a plain loop, against exact moments, and whatever the blocks and threads."""

import numpy as np
import pytest
from tolerances import SAME_INCREMENTS, SAME_INCREMENTS_FLOAT32, STANDARD_ERRORS

from bounds.langevin import cld
from bounds.schemes import scheme
from closed_form import Gaussian, GaussianMixture
from closed_form.phase_chain import phase_chain
from verify.backends import backend
from verify.sampler import sample

KEYS = ("euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean", "sscs", "leapfrog", "symplectic-euler")
TILTED = np.array([[1.0, 0.3], [0.3, 0.5]])
LAWS = {
    "isotropic Gaussian": Gaussian([0.5, -1.0], 0.7),
    "full Gaussian": Gaussian([0.5, -1.0], TILTED),
    "isotropic mixture": GaussianMixture([[1.0, 0.0], [-1.0, 0.5], [0.0, 2.0]], weights=[0.5, 0.2, 0.3], std=0.6),
    "common covariance": GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], weights=[0.7, 0.3], covariance=TILTED),
    "unequal covariances": GaussianMixture(
        [[1.0, 0.0], [-1.0, 0.5]], weights=[0.7, 0.3], covariances=[TILTED, np.diag([0.2, 2.0])]
    ),
}


def components(law):
    """(weights, means, covariances) of a law."""
    if isinstance(law, Gaussian):
        return [1.0], [law.mean], [law.covariance]
    if law.covariances is not None:
        return law.weights, law.means, law.covariances
    common = np.eye(law.dim) * law.std**2 if law.std is not None else law.component_covariance
    return law.weights, law.means, [common] * len(law.weights)


def plain_score(law, phi, S, u):
    """∇log of the mixture of N(φ ⊗ m, S ⊗ I + φφᵀ ⊗ Σ) at the states u (n, 2d), by dense matrices."""
    logs, pulls = [], []
    for weight, mean, covariance in zip(*components(law), strict=True):
        V = np.kron(S, np.eye(law.dim)) + np.kron(np.outer(phi, phi), covariance)
        gap = u - np.kron(phi, mean)
        pull = np.linalg.solve(V, gap.T).T
        logs.append(np.log(weight) - 0.5 * np.linalg.slogdet(V)[1] - 0.5 * np.sum(gap * pull, axis=1))
        pulls.append(pull)
    share = np.exp(np.array(logs) - np.max(logs, axis=0))
    return -np.einsum("cn,cnk->nk", share / share.sum(axis=0), np.array(pulls))


def plain_loop(law, steps, normals, bias):
    """The sampler as its definition says, one row after the other."""
    n, d = normals.shape[1], law.dim

    def kick(covariance, both):
        # the velocity's normals first; what rounding leaves of a singular covariance is none
        size = np.sqrt(covariance[1, 1])
        cross = covariance[0, 1] / size if size else 0.0
        left = covariance[0, 0] - cross**2
        own = np.sqrt(left) if left > 1e-12 * covariance[0, 0] else 0.0
        return np.concatenate([cross * both[:, 0] + own * both[:, 1], size * both[:, 0]], axis=1)

    u = kick(steps.prior, normals[0])
    for i in range(len(steps)):
        phi, S = steps.path.kernel(steps.clock[i])
        moved = u @ np.kron(steps.P[i], np.eye(d)).T
        if steps.Q[i].any():
            wrong = plain_score(law, phi, S, u) + np.concatenate([np.zeros(d), bias])
            moved = moved + wrong @ np.kron(steps.Q[i], np.eye(d)).T
        u = moved + kick(steps.noise[i], normals[i + 1]).reshape(n, 2 * d)
    return u[:, :d]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("epsilon", [0, 0.5])
@pytest.mark.parametrize("name", LAWS)
def test_against_a_plain_loop(name, epsilon, key):
    """Driven by the same increments, every sampler on every law gives the positions of a plain loop over dense matrices."""
    law = LAWS[name]
    steps = scheme(key, 3.0, 12).steps(cld(epsilon=epsilon, velocity_variance=0.4))
    normals = np.random.default_rng(5).standard_normal((len(steps) + 1, 40, 2, 2))
    direction = np.array([0.6, -0.8])
    found = sample(law, steps, 40, None, increments=normals, score_error=0.3, direction=direction)
    expected = plain_loop(law, steps, normals, 0.3 * direction)
    assert np.abs(found - expected).max() <= SAME_INCREMENTS * 100 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("epsilon", [0, 0.5])
def test_moments_are_those_of_the_chain(key, epsilon):
    """Mean and variance of the drawn positions are the exact ones, within standard errors, fresh score noise included."""
    law, n = Gaussian([0.8, -0.4], [0.5, 2.0]), 20_000
    steps = scheme(key, 4.0, 16).steps(cld(epsilon=epsilon))
    drawn = sample(law, steps, n, 17, score_noise=0.6)
    chain = phase_chain(np.array([0.5, 2.0]), steps)
    variance = chain.variance + chain.noise_push * 0.6**2 / 2
    assert np.all(np.abs(drawn.mean(axis=0) - chain.gain * law.mean) <= STANDARD_ERRORS * np.sqrt(variance / n))
    assert np.all(np.abs(drawn.var(axis=0) - variance) <= STANDARD_ERRORS * variance * np.sqrt(2 / n))


@pytest.mark.parametrize("name", LAWS)
def test_blocks_and_threads_change_nothing(name):
    """A seed fixes every bit, whatever the block, the threads and how many particles follow."""
    law, steps = LAWS[name], scheme("sscs", 2.0, 6).steps(cld())
    whole = sample(law, steps, 3000, 3)
    assert np.array_equal(whole, sample(law, steps, 3000, 3, block=17, threads=2))
    assert np.array_equal(whole[:700], sample(law, steps, 700, 3))
    assert not np.array_equal(whole[:700], sample(law, steps, 700, 4))


@pytest.mark.parametrize("name", LAWS)
def test_backends_agree(name):
    """torch on the CPU, in both precisions, gives numpy's particles to rounding."""
    law, steps = LAWS[name], scheme("euler-maruyama", 2.0, 8).steps(cld(epsilon=0.3))
    expected = sample(law, steps, 500, 3)
    for dtype, tolerance in (("float64", SAME_INCREMENTS * 100), ("float32", SAME_INCREMENTS_FLOAT32)):
        found = sample(law, steps, 500, 3, backend=backend("torch", dtype=dtype))
        assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def test_what_is_refused():
    """reduce is for one block; increments have a block axis; singular laws have no score at 0; divergence is said."""
    law, steps = LAWS["isotropic mixture"], scheme("euler-maruyama", 2.0, 4).steps(cld())
    with pytest.raises(ValueError, match="one block"):
        sample(law, steps, 5, 0, reduce=True)
    with pytest.raises(ValueError, match=r"increments must have shape .*\(5, 5, 2, 2\)"):
        sample(law, steps, 5, None, increments=np.zeros((5, 5, 2)))
    with pytest.raises(TypeError, match="Gaussian or a GaussianMixture"):
        sample(object(), steps, 5, 0)
    huge = scheme("euler-maruyama", 1e5, 200).steps(cld())
    with pytest.raises(OverflowError, match="diverges"):
        sample(law, huge, 5, 0)
