"""The splitting whose score is that of the step's start: its law by matrix exponentials, and what is known of it."""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from bounds import cld
from bounds.sampler import scheme
from bounds.samplers import registered, samplers
from bounds.theorems import theorems
from closed_form import Gaussian, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import TEN_DIGITS
from tests.tolerances import STANDARD_ERRORS
from verify import sample
from verify.certificates.question import setting_of
from verify.problems.describing import described
from verify.problems.problem import read_problem

PROCESS, LAW = cld(sigma=2, epsilon=0.5, clock="t + t^2/4"), Gaussian([0.3], 0.25)
HORIZON, STEPS = 3.0, 5


def gram(drift, noise, h):
    """(e^{hB}, ∫_0^h e^{wB}De^{wBᵀ}dw) by one exponential (Van Loan)."""
    both = expm(h * np.block([[-drift, noise], [np.zeros((2, 2)), drift.T]]))
    moved = both[2:, 2:].T
    return moved, moved @ both[:2, 2:]


def by_hand(at):
    """W2 of the position: half a flow, the kick with the score at a fraction ``at`` of the step, half a flow."""
    A, D = np.array([[0.0, 1.0], [-1.0, -2.0]]), np.diag([0.25, 4.0])
    stationary = solve_continuous_lyapunov(A, -D)
    back = -A - D @ np.linalg.inv(stationary)
    clock = [t + t**2 / 4 for t in np.linspace(HORIZON, 0.0, STEPS + 1)]
    mean, covariance = np.zeros(2), stationary
    for high, low in itertools.pairwise(clock):
        h = high - low
        flow, added = gram(back, D, h / 2)
        moved, spread = gram(A, D, high - at * h)
        there = moved @ np.diag([0.25, 1.0]) @ moved.T + spread
        mean, covariance = flow @ mean, flow @ covariance @ flow.T + added
        kick = np.eye(2) + h * D @ (np.linalg.inv(stationary) - np.linalg.inv(there))
        mean = kick @ mean + h * D @ np.linalg.inv(there) @ moved[:, 0] * 0.3
        covariance = kick @ covariance @ kick.T
        mean, covariance = flow @ mean, flow @ covariance @ flow.T + added
    return np.hypot(mean[0] - 0.3, np.sqrt(covariance[0, 0]) - 0.5)


@pytest.mark.parametrize("at", [0.5, 0.2, 0.0])
def test_law_of_the_last_position(at):
    """The W2 is that of the chain by matrix exponentials, in extended precision and in balls."""
    chosen = scheme("sscs", HORIZON, STEPS, score_at=at)
    found, proved = sampler_w2(LAW, exact_steps(PROCESS, chosen)), certified_w2(LAW, PROCESS, chosen)
    assert found.midpoint == pytest.approx(by_hand(at), rel=TEN_DIGITS)
    assert found.lower <= proved.upper and proved.lower <= found.upper


@pytest.mark.parametrize(("at", "expected"), [(0.5, 0.348357246434), (0.0, 0.072618865618)])
def test_five_steps(at, expected):
    """On N(0.3, ¼), σ = 2, T = 8 five steps are at the W2 of an independent computation, which the time of the score
    decides."""
    process = cld(sigma=2, velocity_variance=0.04)
    found = sampler_w2(LAW, exact_steps(process, scheme("sscs", 8.0, STEPS, score_at=at)))
    assert found.midpoint == pytest.approx(expected, rel=TEN_DIGITS)


def test_particles_follow_the_law():
    """The variance of the position of 40,000 particles is that of the exact law."""
    n, steps = 40_000, scheme("sscs", HORIZON, STEPS, score_at=0.0).steps(PROCESS)
    found = sample(Gaussian([0.0], 0.25), steps, n, 7)
    w2 = sampler_w2(Gaussian([0.0], 0.25), exact_steps(PROCESS, scheme("sscs", HORIZON, STEPS, score_at=0.0))).midpoint
    std = found.std()
    assert min(abs(abs(std - 0.5) - w2), abs(std - 0.5 - w2)) <= STANDARD_ERRORS * std / np.sqrt(2 * n)


def test_rows_are_those_of_the_middle():
    """Only the law that the score is asked of differs; every row is as that of the middle."""
    late, own = (scheme("sscs", HORIZON, STEPS, **given).steps(PROCESS) for given in ({"score_at": 0.0}, {}))
    for name in ("P", "Q", "noise_var"):
        assert np.array_equal(getattr(late, name), getattr(own, name))
    clock = np.array([t + t**2 / 4 for t in np.linspace(HORIZON, 0.0, STEPS + 1)])
    assert late.time[1:-1] == pytest.approx(clock[:-1], rel=TEN_DIGITS) and late.time[0] == own.time[0]
    sampler = samplers()["sscs"]
    assert sampler.at(score_at=0.0).score_at == 0 and sampler.at(score_at=0.0).at(score_at=0.5) == sampler
    assert sampler.score_at is None and registered(sampler.at(score_at=0.1))


def test_other_fractions_are_refused():
    """One line names the argument, its range and what came; a file says it as Python does."""
    with pytest.raises(ValueError, match=r"^score_at must be a number between 0 and 0.5, got 0.6$"):
        scheme("sscs", 1.0, 4, score_at=0.6)
    chosen = scheme("sscs", HORIZON, STEPS, score_at=0.0)
    assert read_problem(described(cld(sigma=2), LAW, chosen)).scheme == chosen


def test_theorems_refuse_it():
    """A bound of the step with the score of the state's own time says nothing of it, by name."""
    asked = setting_of(PROCESS, LAW, scheme("sscs", HORIZON, STEPS, score_at=0.0))
    assert all(theorem.unmet(asked) for theorem in theorems().values())
    assert any("asks for the score of another time than the state's" in reason
               for reason in theorems()["martingale"].unmet(asked))
