"""The Gaussian chain of position and velocity against a dense recursion, many digits, and the printed
number."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import scipy.linalg
import sympy

from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.symbolic.integrals import TIME
from closed_form import Gaussian
from closed_form.sampler_laws.phase_space import gaussian_chain as phase_chain
from closed_form.sampler_laws.w2 import sampler_w2
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import PHASE_CHAIN_DRAWN, PHASE_CHAIN_WIDTH
from tests.phase_space_exact import ExactPhase, exact_rows, exact_w2
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
    """Lag, push, variance and covariance are linear responses of the one-dimensional recursion."""
    steps = Scheme(samplers()["euler-maruyama"], GRID).steps(PROCESSES[name])
    variances = np.array([0.04, 1.0, 9.0])
    chain, noisy = (phase_chain.phase_chain(variances, steps, noise) for noise in (0.0, 1.0))
    for i, variance in enumerate(variances):
        def run(mean, bias, noise_size, variance=variance):
            return dense(name, steps, np.array([mean]), np.array([[variance]]), np.array([bias]), noise_size)

        assert chain.lag.value[i] + 1 == pytest.approx(run(1.0, 0.0, 0.0)[0][0], rel=PHASE_CHAIN)
        assert chain.push.value[i] == pytest.approx(run(0.0, 1.0, 0.0)[0][0], rel=PHASE_CHAIN)
        spread = run(0.0, 0.0, 0.0)[1]
        assert chain.covariance[i] == pytest.approx(spread, rel=PHASE_CHAIN)
        assert chain.variance.value[i] == pytest.approx(chain.covariance[i, 0, 0], rel=PHASE_CHAIN)
        assert noisy.variance.value[i] == pytest.approx(run(0.0, 0.0, 1.0)[1][0, 0], rel=PHASE_CHAIN)


def drawn(seed: int):
    """A problem in unusual units: process, scheme, clock, mean, deviation, error and noise of the score."""
    rng = np.random.default_rng(seed)

    def number(low, high):
        return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.4g}")

    key = sorted(samplers(2))[seed % len(samplers(2))]
    a, sigma = number(0.05, 30), number(0.1, 7)
    epsilon, variance = (float(rng.choice([0, number(low, high)])) for low, high in ((1e-3, 3), (0.01, 30)))
    clock, count = str(rng.choice(list(CLOCKS))), int(rng.integers(1, 25))
    lengths = (np.full(count, number(1e-3, 1) / a), np.exp(rng.uniform(np.log(1e-8), np.log(1 / a), count)),
               np.exp(rng.uniform(np.log(1e-3), np.log(4 / a), count)),
               number(3e-4, 0.3) / a * 1.2 ** np.arange(count))[seed // 7 % 4]
    times = np.cumsum(np.append(rng.choice([0, 0.01]), lengths))[::-1]
    mean, std = float(rng.choice([0, 1, -300, 1e6])), number(1e-6, 30)
    bias, noise = (float(rng.choice([0, number(0.01, 1)])) for _ in range(2))
    constants = a, sigma, epsilon, variance
    return constants, clock, Scheme(samplers(2)[key], TimeGrid(times)), mean, std, bias, noise


#: Clocks of the drawn problems, for mpmath.
CLOCKS = {"t": lambda t: t, "t+t^2": lambda t: t + t * t, "log(1+t)": mpmath.log1p,
          "t+sin(t)/2": lambda t: t + mpmath.sin(t) / 2}


def excluded(seed: int) -> str:
    """What is wrong with the bracket of a drawn problem, or ""."""
    constants, clock, chosen, mean, std, bias, noise = drawn(seed)
    try:
        steps = exact_steps(cld(*constants, clock), chosen)
    except ValueError as error:
        assert "steps of at most" in str(error)
        return ""
    law = Gaussian([mean], std**2)
    found = sampler_w2(law, steps, bias, noise, direction=np.ones(1))
    with mpmath.workdps(MANY_DIGITS):
        exact = ExactPhase(*map(str, constants), digits=MANY_DIGITS)
        rows = exact_rows(exact, chosen.key, chosen.grid.times, CLOCKS[clock])
        truth = exact_w2(exact, rows, mean, law.eigenvalues[0], bias, noise)
        right = found.lower <= truth <= found.upper and "estimated" not in found.method
        wide = np.isfinite(found.upper) and found.upper - found.lower > PHASE_CHAIN_DRAWN * max(truth, std)
    return "" if right and not wide else f"seed {seed}: {found}, the truth is {mpmath.nstr(truth, 20)}"


QUICK, DEEP, AT_ONCE = 42, 3000, 500
#: Long rows cancel most of what they are made of: their products reach e^100.
MANY_DIGITS = 300


def test_no_bracket_excludes_the_truth():
    """All samplers, grids, units, means and errors of all sizes: the value in many digits is in the bracket,
    a narrow one."""
    assert not [line for seed in range(QUICK) if (line := excluded(seed))]


@pytest.mark.deep
@pytest.mark.parametrize("start", range(QUICK, QUICK + DEEP, AT_ONCE))
def test_no_bracket_excludes_the_truth_of_many(start):
    """The same on three thousand others."""
    assert not [line for seed in range(start, start + AT_ONCE) if (line := excluded(seed))]


def test_a_row_that_is_off_leaves_the_bracket():
    """A bracket does not hold the truth of a sampler whose maps differ by a part in 1e12."""
    chosen = scheme("sscs", 3.0, 12)
    steps = exact_steps(cld(), chosen)
    with mpmath.workdps(60):
        exact = ExactPhase(1, 2, 0, 1)
        rows = exact_rows(exact, "sscs", chosen.grid.times, CLOCKS["t"])
        truth = exact_w2(exact, rows, 0.5, 0.25)
    for part in ("P", "Q", "noise_var", "a", "s_sq"):
        off = replace(steps, **{part: getattr(steps, part) * (1 + np.longdouble(1e-12))})
        found, right = (phase_chain.phase_gaussian_w2(Gaussian([0.5], 0.25), each, np.zeros(1), 0.0)
                        for each in (off, steps))
        assert right.lower <= truth <= right.upper
        assert not found.lower <= truth <= found.upper


def test_what_is_estimated_says_so():
    """A clock without ball arithmetic gives a bracket that says so."""
    process = replace(cld(), clock=TIME + sympy.atan(TIME) / 2)
    found = sampler_w2(Gaussian([0.5], 0.25), exact_steps(process, scheme("sscs", 3.0, 12)))
    assert "estimated: not enclosed" in found.method and "atan" in found.method


def test_printed_number():
    """docs/theory.md section 9: N(0, 1), T = 8, K = 1600, Euler–Maruyama: 0.00126."""
    steps = scheme("euler-maruyama", horizon=8, steps=1600).steps(cld())
    assert sampler_w2(Gaussian(0.0, 1.0), steps).midpoint == pytest.approx(0.00126, rel=GOLDEN)


def test_eigenvalues_in_blocks_are_the_same(monkeypatch):
    """Many variances are followed a few at a time, a row at a time where there are more than fit."""
    steps = scheme("exponential", horizon=2, steps=30).steps(cld())
    variances = np.linspace(0.1, 2.0, 7)
    whole = phase_chain.phase_chain(variances, steps)
    monkeypatch.setattr(phase_chain, "BLOCK", 60)
    monkeypatch.setattr(phase_chain, "AT_ONCE", 1)
    parts = phase_chain.phase_chain(variances, steps)
    for name in ("lag", "push", "variance"):
        assert getattr(parts, name).value.astype(float) == pytest.approx(
            getattr(whole, name).value.astype(float), rel=PHASE_CHAIN)


def test_score_error_of_the_velocity_moves_the_position():
    """On its own a constant error b moves the mean by |push| b, and W2 of centred data by exactly that in
    squares."""
    steps = scheme("sscs", horizon=5, steps=60).steps(cld())
    clean, pushed = (sampler_w2(Gaussian(0.0, 0.25), steps, score_error=size) for size in (0.0, 0.1))
    push = float(phase_chain.phase_chain([0.25], steps).push.value[0])
    assert pushed.midpoint**2 == pytest.approx(clean.midpoint**2 + (0.1 * push) ** 2, rel=PHASE_CHAIN)


def test_chain_that_overflows_says_nothing():
    """Unstable steps leave the range of numbers: the bracket is [0, ∞), never NaN."""
    steps = scheme("euler-maruyama", horizon=9000, steps=900).steps(cld())
    found = sampler_w2(Gaussian(0.0, 1.0), steps)
    assert (found.lower, found.upper) == (0.0, np.inf)
