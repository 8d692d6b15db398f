"""Samplers that ask for the score of other times than the state's: exact laws, particles, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from bounds import Scheme, TimeGrid, cld, ou
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.symbolic.balls import NotEnclosed
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.steps.table import exact_steps
from tests.drawn import examples
from tests.tolerances import BRUTE_FORCE, SAME_INCREMENTS
from tests.torch_required import torch_backend
from tests.verify.tolerances import MANY_QUANTILES
from verify import sample
from verify.certificates.question import setting_of
from verify.problems.describing import described
from verify.problems.problem import read_problem

LAW, MODES = Gaussian([0.3], 0.25), GaussianMixture([[-1.0], [1.5]], [0.3, 0.7], std=0.5)
GRID = TimeGrid.uniform(3, 6, 0.1)
ONCE = sorted(key for key, each in samplers(1).items() if each.evaluations == 1 and each.multistep is None)
EARLIER = GRID.times[1:] + 0.05


@given(st.lists(st.floats(0.01, 4), min_size=5, max_size=5), st.sampled_from(["ddim", "ancestral", "euler-maruyama"]),
       st.floats(0, 0.3))
@settings(max_examples=examples(15))
def test_a_gaussian_follows_its_recursion(times, key, error):
    """On a Gaussian mean and variance follow two recursions in which the score alone has the law of the time asked for."""
    chosen = Scheme(key, TimeGrid.uniform(2, 5), score_times=times)
    plain = Scheme(key, chosen.grid).steps(ou())
    mean, variance = 0.0, plain.prior_var
    for P, Q, noise, t in zip(plain.P, plain.Q, plain.noise_var, times, strict=True):
        V = np.exp(-2 * t) / 4 - np.expm1(-2 * t)
        mean = P * mean + Q * ((0.3 * np.exp(-t) - mean) / V - error)
        variance = (P - Q / V) ** 2 * variance + noise
    expected = np.hypot(mean - 0.3, np.sqrt(variance) - 0.5)
    for steps in (exact_steps(ou(), chosen), chosen.steps(ou())):
        assert sampler_w2(LAW, steps, error).midpoint == pytest.approx(expected, rel=BRUTE_FORCE)


@pytest.mark.parametrize("key", ONCE)
def test_times_of_the_states_change_nothing(key):
    """Asked at the states' own times every sampler with one evaluation a step is itself, on Gaussians and on a line."""
    plain, asked = Scheme(key, GRID), Scheme(key, GRID, score_times=GRID.times[:-1])
    for law in (LAW, MODES) if key == "ddim" else (LAW,):
        known = law.assumptions()[0], law.posterior_moments()
        found, other = (sampler_w2(law, exact_steps(ou(), each, *known)) for each in (plain, asked))
        assert other.midpoint == pytest.approx(found.midpoint, rel=BRUTE_FORCE)


def test_a_line_is_where_its_particles_are():
    """Off Gaussian data the exact W2 is that of a plain loop from the quantiles of the start, which `sample` takes as well;
    with noise particles are the same on numpy, on torch, and by a score of one's own that is asked at the times given."""
    chosen, places = Scheme("ddim", GRID, score_times=EARLIER), (np.arange(40_000) + 0.5) / 40_000
    plain = Scheme("ddim", GRID).steps(ou())
    y = start = np.sqrt(plain.prior_var) * ndtri(places)[:, None]
    for P, Q, t in zip(plain.P, plain.Q, EARLIER, strict=True):
        y = P * y + Q * MODES.pushed(np.exp(-t), -np.expm1(-2 * t)).score(y)
    drawn = sample(MODES, chosen.steps(ou()), 40_000, 1, start=start)
    assert drawn == pytest.approx(y, abs=SAME_INCREMENTS)
    direct = np.sqrt(np.mean(np.square(np.sort(y[:, 0]) - _quantiles(places))))
    assert sampler_w2(MODES, exact_steps(ou(), chosen)).midpoint == pytest.approx(direct, rel=MANY_QUANTILES)
    steps = Scheme("ancestral", GRID, score_times=EARLIER).steps(ou())
    asked = []

    def score(x, t):
        asked.append(t)
        return MODES.pushed(float(np.exp(-t)), float(-np.expm1(-2 * t))).score(x)

    few = sample(MODES, steps, 64, 3)
    assert sample(MODES, steps, 64, 3, score=score) == pytest.approx(few, abs=SAME_INCREMENTS)
    assert asked == EARLIER.tolist()
    assert sample(MODES, steps, 64, 3, backend=torch_backend()) == pytest.approx(few, abs=SAME_INCREMENTS)


def test_no_theorem_is_about_it():
    """Every theorem refuses it by name, and so do balls."""
    chosen = Scheme("euler-maruyama", GRID, score_times=EARLIER)
    setting = setting_of(ou(), LAW, chosen)
    for theorem in theorems().values():
        (reason,) = theorem.unmet(setting)
        assert reason.startswith("score in time: no bound is known where scores of other times")
    with pytest.raises(NotEnclosed, match="scores of other times"):
        certified_w2(LAW, ou(), chosen)


@pytest.mark.parametrize(("key", "times", "message"), [
    ("heun", EARLIER, "score_times must be left out for heun"), ("dpmpp-2m", EARLIER, "must be left out for dpmpp-2m"),
    ("sscs", EARLIER, "must be left out for sscs"), ("ddim", EARLIER[1:], "one time for each of the 6 steps"),
    ("ddim", -EARLIER, r"score_times must be positive and finite, got -2\.5.* at place 0")])
def test_lists_that_are_none_are_refused(key, times, message):
    """A sampler with other evaluations, and a list that is not one positive time a step, are refused by name."""
    with pytest.raises(ValueError, match=message):
        Scheme(key, GRID, score_times=times)


def test_two_blocks_refuse_it():
    """On critically-damped Langevin it is refused by name, with the parameter that does this there."""
    with pytest.raises(ValueError, match="score_times must be left out for critically-damped Langevin: score_at of sscs"):
        Scheme("exponential", GRID, score_times=EARLIER).steps(cld())


def test_files_say_it_back():
    """A file's list is read, described and read again, and leaves its first out where a(T) = 0."""
    file = {"process": {"family": "flow-matching"}, "data": {"law": "gaussian", "mean": 0.3, "covariance": 0.25},
            "scheme": {"kind": "ddim", "horizon": 1.0, "steps": 3, "score_times": [0.9, 0.7, 0.2]}}
    problem = read_problem(file)
    assert read_problem(described(problem.process, problem.law, problem.scheme)).scheme == problem.scheme
    assert exact_steps(problem.process, problem.scheme).second.time.tolist() == [0.7, 0.2]
    assert scheme("ddim", 1.0, 3) != problem.scheme


def _quantiles(places):
    """Quantiles of the mixture, by interpolating its distribution function on a fine grid."""
    x = np.linspace(-5, 6, 200_001)
    return np.interp(places, MODES.weights @ ndtr((x - MODES.means) / MODES.std), x)
