"""Particles of samplers with two score evaluations a step: the definition, every backend, one's own score."""

import numpy as np
import pytest

from bounds import ou
from bounds.sampler import heun, midpoint, scheme
from bounds.samplers import samplers
from closed_form import Funnel, Gaussian, GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from verify.particles.score_errors import score_error_of
from verify.particles.simulation import sample
from verify.studies.learned_score import LearnedScore

TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]
FULL = np.array([[1.0, 0.3], [0.3, 0.5]])
MEANS = [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
WEIGHTS = [0.2, 0.5, 0.3]
LAWS = {
    "gaussian": Gaussian([1.0, 2.0, 3.0], np.diag([0.2, 0.5, 1.0])),
    "one std": GaussianMixture(MEANS, WEIGHTS, std=0.6),
    "one covariance": GaussianMixture(MEANS, WEIGHTS, covariance=FULL),
    "many covariances": GaussianMixture(MEANS, WEIGHTS, covariances=[np.eye(2), FULL, 2 * np.eye(2)]),
    "funnel": Funnel(3, 1.0)}


def defined(law, steps, y, bias=0.0):
    """The steps one after another, with the law's own score."""
    second = steps.second

    def moved(stage, i, x):
        asked = stage.Q[i] and law.pushed(float(stage.a[i]), float(stage.s_sq[i])).score(x) + bias
        return stage.P[i] * x + stage.Q[i] * asked

    for i in range(len(steps)):
        y = second.keep[i] * y + moved(second, i, moved(steps, i, y))
    return y


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("key", TWICE)
def test_particles_follow_the_definition(key, name):
    """From given starts every kind of law moves as the steps say, with a biased score too."""
    law, steps = LAWS[name], scheme(key, 2.0, 12, early_stop=0.02).steps(ou())
    y = np.random.default_rng(2).standard_normal((40, law.dim))
    direction = np.eye(law.dim)[0]
    if name == "funnel":
        found = sample(law, steps, 40, 1, start=y, score_error=0.2, direction=direction)
        # its kernel has a rule of its own for the score
        assert found == pytest.approx(defined(law, steps, y, 0.2 * direction), rel=1e-3, abs=1e-3)
        return
    found = sample(law, steps, 40, 1, start=y, score_error=0.2, direction=direction)
    assert found == pytest.approx(defined(law, steps, y, 0.2 * direction), rel=SAME_INCREMENTS,
                                  abs=SAME_INCREMENTS)


@pytest.mark.parametrize("key", TWICE)
def test_torch_and_ones_own_score_give_the_same(key):
    """The same particles on torch, and from a callable that is asked at the times of both evaluations."""
    law, steps, asked = LAWS["one std"], scheme(key, 2.0, 12).steps(ou()), set()

    def score(x, t):
        asked.add(t)
        return law.pushed(float(np.exp(-t)), float(-np.expm1(-2 * t))).score(x)

    y = np.random.default_rng(2).standard_normal((40, 2))
    plain = sample(law, steps, 40, 1, start=y)
    for options in ({"backend": torch_backend()}, {"score": score}):
        assert sample(law, steps, 40, 1, start=y, **options) == pytest.approx(plain, abs=SAME_INCREMENTS)
    used = steps.second.Q != 0
    assert asked == {*steps.time[:-1].tolist(), *steps.second.time[used].tolist()}


def test_reduced_runs_have_the_same_law():
    """What is across the means, and a funnel's Gram matrix, are drawn from the law that a full run has there."""
    law, steps, n = GaussianMixture([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], std=0.5), heun(2.0,
                                                                                        6).steps(ou()), 40_000
    # affine across the means: the variance is known
    second, V, W = steps.second, steps.a**2 * 0.25 + steps.s_sq, steps.second.a**2 * 0.25 + steps.second.s_sq
    factors = second.keep + (second.P - second.Q / W) * (steps.P - steps.Q / V[:-1])
    found = sample(law, steps, n, 4, reduce=True)
    expected = steps.prior_var * np.prod(factors) ** 2
    assert np.var(found[:, 1]) == pytest.approx(expected, rel=STANDARD_ERRORS * np.sqrt(2 / n))
    funnel, steps = Funnel(10, 1.0), midpoint(1.0, 8, early_stop=0.05).steps(ou())
    plain, reduced = (np.mean(np.abs(sample(funnel, steps, 4000, 4 + reduce, reduce=reduce)[:, 3]) < 0.5)
                      for reduce in (False, True))
    assert plain == pytest.approx(reduced, abs=STANDARD_ERRORS * np.sqrt(0.5 / 4000))


@pytest.mark.parametrize("churn", [0.0, 3.0])
@pytest.mark.parametrize("key", TWICE)
def test_fresh_noise_of_both_evaluations(key, churn):
    """Gaussian data: with fresh noise in the score particles have the variances of the exact chain, and means of two
    components apart the same across them, also where that is drawn at once."""
    given = {"churn": churn, "s_tmax": 2.0} if churn and key in ("heun", "midpoint", "dpm-solver-2") else {}
    n, noise, law = 20_000, 0.9, Gaussian([0.3, 0.0, 0.0], np.array([0.2, 0.5, 1.0]))
    steps = scheme(key, 2.0, 8, **given).steps(ou())
    chain, found = gaussian_chain(law, steps, np.zeros(3), noise), sample(law, steps, n, 4, score_noise=noise)
    assert found.var(axis=0) == pytest.approx(chain.variances.astype(float), rel=STANDARD_ERRORS * np.sqrt(2 / n))
    plain = gaussian_chain(law, steps)
    assert np.all(chain.variances > (1 + STANDARD_ERRORS * np.sqrt(2 / n)) * plain.variances)
    modes = GaussianMixture([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], std=0.5)
    across = gaussian_chain(Gaussian([0.0], 0.25), steps, np.zeros(1), noise / np.sqrt(3)).variances[0]
    for reduce in (False, True):
        drawn = sample(modes, steps, n, 5, score_noise=noise, reduce=reduce)
        assert drawn[:, 2].var() == pytest.approx(across, rel=STANDARD_ERRORS * np.sqrt(2 / n))


def test_fresh_noise_of_a_reduced_funnel():
    """A funnel's others by their Gram matrix have the law of a full run where both evaluations have fresh noise, which
    spreads them."""
    law, steps, n = Funnel(10, 1.0), midpoint(1.0, 8, early_stop=0.05).steps(ou()), 4000
    plain, reduced, quiet = (np.abs(sample(law, steps, n, 4 + reduce, reduce=reduce, score_noise=noise)[:, 3])
                             for reduce, noise in ((False, 9.0), (True, 9.0), (True, 0.0)))
    for edge in (0.3, 0.6, 1.5):
        shares = [np.mean(found < edge) for found in (plain, reduced)]
        assert shares[0] == pytest.approx(shares[1], abs=STANDARD_ERRORS * np.sqrt(0.5 / n))
    assert np.mean(quiet < 0.3) - np.mean(reduced < 0.3) > 0.1


def test_normals_of_fresh_noise_are_given_in_turn():
    """Increments have the first evaluation's normals and those of what comes after, and the start has the latter."""
    law, steps, noise = LAWS["one std"], heun(2.0, 4).steps(ou()), 0.7
    normals, second = np.random.default_rng(3).standard_normal((5, 2, 30, 2)), steps.second
    y, size = np.sqrt(steps.prior_var) * normals[0, 1], noise / np.sqrt(2)

    def moved(stage, i, x, drawn):
        asked = stage.Q[i] and law.pushed(float(stage.a[i]), float(stage.s_sq[i])).score(x)
        return stage.P[i] * x + stage.Q[i] * (asked + size * drawn)

    for i in range(len(steps)):
        y = second.keep[i] * y + moved(second, i, moved(steps, i, y, normals[i + 1, 0]), normals[i + 1, 1])
    found = sample(law, steps, 30, None, increments=normals, score_noise=noise)
    assert found == pytest.approx(y, rel=SAME_INCREMENTS, abs=SAME_INCREMENTS)
    with pytest.raises(ValueError, match=r"increments must have shape \(k\+1, 2, n, d\) = \(5, 2, 30, 2\), got \(5, 30, 2\)"):
        sample(law, steps, 30, None, increments=normals[:, 0], score_noise=noise)


def test_what_does_not_go_with_two_evaluations_is_refused():
    """Sizes of a score's error at the iterates alone are refused by name."""
    law, steps = LAWS["one std"], heun(2.0, 6).steps(ou())
    with pytest.raises(ValueError, match="steps must evaluate the score once a step"):
        score_error_of(lambda x, t: -x, law, steps, 200)


def test_a_learned_score_knows_the_middle_times():
    """A trained score is asked at every time of either evaluation, with a and s² there."""
    law, steps = Gaussian([0.5], 0.3), midpoint(2.0, 6).steps(ou())
    exact = LearnedScore(lambda a, s_sq, x: ((a * 0.5 - x) / (a * a * 0.3 + s_sq), None), ())
    found = sample(law, steps, 50, 3, score=exact.along(steps))
    assert found == pytest.approx(sample(law, steps, 50, 3), abs=SAME_INCREMENTS)
