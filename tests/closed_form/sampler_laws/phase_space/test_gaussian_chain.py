"""The Gaussian chain of position and velocity against a dense recursion, 40 digits, and the printed
number."""

import mpmath
import numpy as np
import pytest
import scipy.linalg

from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from closed_form import Gaussian
from closed_form.sampler_laws.phase_space import gaussian_chain as phase_chain
from closed_form.sampler_laws.w2 import sampler_w2
from tests.closed_form.tolerances import PHASE_CHAIN_WIDTH
from tests.tolerances import GOLDEN, PHASE_CHAIN

CONSTANTS = {"slides": (1.0, 2.0, 0.0, 1.0), "elliptic": (0.5, 1.5, 0.4, 0.25)}
PROCESSES = {"slides": cld(), "elliptic": cld(a="1/2", sigma="3/2", epsilon="2/5", velocity_variance="1/4")}
GRID = TimeGrid.geometric(3.0, 40)


def dense(name, steps, mean, covariance, bias, noise_size):
    """Mean and covariance of (position, velocity) at the end, over all 2d coordinates at once."""
    a, sigma, epsilon, variance = CONSTANTS[name]
    drift, noise = np.array([[0.0, a * a], [-1.0, -2 * a]]), np.diag([epsilon**2, sigma**2])
    stationary = scipy.linalg.solve_continuous_lyapunov(drift, -noise)
    d = len(mean)
    start = scipy.linalg.block_diag(covariance, variance * np.eye(d))
    pushed = np.concatenate([np.zeros(d), bias])
    state, spread = np.zeros(2 * d), np.kron(stationary, np.eye(d))
    for i, clock in enumerate(steps.time[:-1]):
        small = scipy.linalg.expm(clock * drift)
        flow = np.kron(small, np.eye(d))
        own = stationary - small @ stationary @ small.T
        precision = np.linalg.inv(flow @ start @ flow.T + np.kron(own, np.eye(d)))
        centre = flow[:, :d] @ mean
        P, Q, added = (np.kron(matrix[i], np.eye(d)) for matrix in (steps.P, steps.Q, steps.noise_var))
        row = P - Q @ precision
        state = row @ state + Q @ (precision @ centre + pushed)
        fresh = Q @ scipy.linalg.block_diag(np.zeros((d, d)), noise_size**2 / d * np.eye(d)) @ Q.T
        spread = row @ spread @ row.T + added + fresh
    return state, spread


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", samplers(2))
def test_full_covariance_mean_and_score_errors_as_in_a_dense_recursion(key, name):
    """W2 of the position, data N(m, Σ) in R³, a constant error and fresh noise in the velocity's score."""
    rng = np.random.default_rng(11)
    root = rng.standard_normal((3, 3))
    covariance, mean, bias = (
        root @ root.T / 2 + 0.1 * np.eye(3),
        rng.standard_normal(3),
        0.3 * rng.standard_normal(3),
    )
    steps = Scheme(samplers()[key], GRID).steps(PROCESSES[name])
    state, spread = dense(name, steps, mean, covariance, bias, 0.2)
    # the two covariances commute
    roots = scipy.linalg.sqrtm(spread[:3, :3]).real - scipy.linalg.sqrtm(covariance).real
    expected = np.sqrt(np.sum((state[:3] - mean) ** 2) + np.sum(roots**2))
    found = phase_chain.phase_gaussian_w2(Gaussian(mean, covariance), steps, bias, 0.2)
    assert found.midpoint == pytest.approx(expected, rel=PHASE_CHAIN)
    assert found.lower < found.upper and found.relative_width < PHASE_CHAIN_WIDTH
    whole = sampler_w2(Gaussian(mean, covariance), steps, np.linalg.norm(bias), 0.2, direction=bias)
    assert whole.midpoint == pytest.approx(expected, rel=PHASE_CHAIN)


@pytest.mark.parametrize("name", PROCESSES)
def test_parts_of_the_chain_are_those_of_the_dense_recursion(name):
    """Gain, push, variance, noise push and covariance are linear responses of the one-dimensional
    recursion."""
    steps = Scheme(samplers()["euler-maruyama"], GRID).steps(PROCESSES[name])
    variances = np.array([0.04, 1.0, 9.0])
    chain = phase_chain.phase_chain(variances, steps)
    for i, variance in enumerate(variances):
        def run(mean, bias, noise_size, variance=variance):
            return dense(name, steps, np.array([mean]), np.array([[variance]]), np.array([bias]), noise_size)

        assert chain.gain[i] == pytest.approx(run(1.0, 0.0, 0.0)[0][0], rel=PHASE_CHAIN)
        assert chain.push[i] == pytest.approx(run(0.0, 1.0, 0.0)[0][0], rel=PHASE_CHAIN)
        spread = run(0.0, 0.0, 0.0)[1]
        assert chain.covariance[i] == pytest.approx(spread, rel=PHASE_CHAIN)
        assert chain.variance[i] == chain.covariance[i, 0, 0]
        noisy = run(0.0, 0.0, 1.0)[1]
        assert chain.noise_push[i] == pytest.approx(noisy[0, 0] - spread[0, 0], rel=PHASE_CHAIN)


@pytest.mark.parametrize("variance", [0.01, 1.0, 30.0])
def test_bracket_holds_the_value_with_forty_digits(variance):
    """Euler–Maruyama on N(m, σ²), a = 1, σ = 2, ε = 0, v² = 1, repeated with mpmath from the definition."""
    horizon, count, mean = 6, 300, 0.5
    steps = scheme("euler-maruyama", horizon=horizon, steps=count).steps(cld())
    with mpmath.workdps(40):
        drift, noise = mpmath.matrix([[0, 1], [-1, -2]]), mpmath.matrix([[0, 0], [0, 4]])
        start = mpmath.matrix([[mpmath.mpf(variance), 0], [0, 1]])
        one = mpmath.eye(2)
        h = mpmath.mpf(horizon) / count
        state, spread = mpmath.matrix([0, 0]), one.copy()
        for i in range(count):
            u = mpmath.mpf(horizon) * (count - i) / count
            flow = mpmath.exp(-u) * (one + u * (drift + one))
            precision = (flow * start * flow.T + one - flow * flow.T) ** -1
            row = one - h * drift - h * noise * precision
            state = row * state + h * noise * precision * flow * mpmath.matrix([mean, 0])
            spread = row * spread * row.T + h * noise
        exact = mpmath.sqrt(
            (state[0] - mean) ** 2 + (mpmath.sqrt(spread[0, 0]) - mpmath.sqrt(mpmath.mpf(variance))) ** 2
        )
    found = phase_chain.phase_gaussian_w2(Gaussian(mean, variance), steps, np.zeros(1), 0.0)
    assert found.lower <= float(exact) <= found.upper
    assert found.relative_width < PHASE_CHAIN_WIDTH


def test_printed_number():
    """docs/theory.md section 9: N(0, 1), T = 8, K = 1600, Euler–Maruyama: 0.00126."""
    steps = scheme("euler-maruyama", horizon=8, steps=1600).steps(cld())
    assert sampler_w2(Gaussian(0.0, 1.0), steps).midpoint == pytest.approx(0.00126, rel=GOLDEN)


def test_eigenvalues_in_blocks_are_the_same(monkeypatch):
    """Many variances are followed a few at a time."""
    steps = scheme("exponential", horizon=2, steps=30).steps(cld())
    variances = np.linspace(0.1, 2.0, 7)
    whole = phase_chain.phase_chain(variances, steps)
    monkeypatch.setattr(phase_chain, "BLOCK", 60)
    parts = phase_chain.phase_chain(variances, steps)
    for name in phase_chain.PhaseChain.__dataclass_fields__:
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=PHASE_CHAIN)


def test_score_error_of_the_velocity_moves_the_position():
    """On its own a constant error b moves the mean by |push| b, and W2 of centred data by exactly that in
    squares."""
    steps = scheme("sscs", horizon=5, steps=60).steps(cld())
    clean, pushed = (sampler_w2(Gaussian(0.0, 0.25), steps, score_error=size) for size in (0.0, 0.1))
    push = phase_chain.phase_chain([0.25], steps).push[0]
    assert pushed.midpoint**2 == pytest.approx(clean.midpoint**2 + (0.1 * push) ** 2, rel=PHASE_CHAIN)


def test_chain_that_overflows_says_nothing():
    """Unstable steps leave the range of numbers: the bracket is [0, ∞), never NaN."""
    steps = scheme("euler-maruyama", horizon=9000, steps=900).steps(cld())
    found = sampler_w2(Gaussian(0.0, 1.0), steps)
    assert (found.lower, found.upper) == (0.0, np.inf)
