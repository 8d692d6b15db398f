"""Particles of a sampler that uses the step before: the definition, every backend, one's own score, reduced
runs."""

import numpy as np
import pytest

from bounds import ou
from bounds.sampler import dpmpp_2m
from closed_form import Funnel, Gaussian, GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from verify.particles.simulation import sample

FULL = np.array([[1.0, 0.3], [0.3, 0.5]])
MEANS, WEIGHTS = [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.2, 0.5, 0.3]
LAWS = {
    "gaussian": Gaussian([1.0, 2.0, 3.0], np.diag([0.2, 0.5, 1.0])),
    "one std": GaussianMixture(MEANS, WEIGHTS, std=0.6),
    "many covariances": GaussianMixture(MEANS, WEIGHTS, covariances=[np.eye(2), FULL, 2 * np.eye(2)]),
    "funnel": Funnel(3, 1.0)}


def defined(law, steps, y, bias=0.0):
    """The steps one after another, with the law's own score."""
    past, seen = steps.past, 0.0
    for i in range(len(steps)):
        score = law.pushed(float(steps.a[i]), float(steps.s_sq[i])).score(y) + bias
        now = steps.P[i] * y + steps.Q[i] * score
        y, seen = past.keep[i] * y + past.now[i] * now + past.before[i] * seen, now
    return y


@pytest.mark.parametrize("name", LAWS)
def test_particles_follow_the_definition(name):
    """From given starts every kind of law moves as the steps say, with a biased score too."""
    law, steps = LAWS[name], dpmpp_2m(2.0, 12, early_stop=0.02).steps(ou())
    y, direction = np.random.default_rng(2).standard_normal((40, law.dim)), np.eye(law.dim)[0]
    found = sample(law, steps, 40, 1, start=y, score_error=0.2, direction=direction)
    # the funnel's kernel has a rule of its own for the score
    slack = 1e-3 if name == "funnel" else SAME_INCREMENTS
    assert found == pytest.approx(defined(law, steps, y, 0.2 * direction), rel=slack, abs=slack)


def test_torch_and_ones_own_score_give_the_same():
    """The same particles on torch, and from a callable, which is asked once a step."""
    law, steps, asked = LAWS["one std"], dpmpp_2m(2.0, 12).steps(ou()), []

    def score(x, t):
        asked.append(t)
        return law.pushed(float(np.exp(-t)), float(-np.expm1(-2 * t))).score(x)

    y = np.random.default_rng(2).standard_normal((40, 2))
    plain = sample(law, steps, 40, 1, start=y)
    for options in ({"backend": torch_backend()}, {"score": score}):
        assert sample(law, steps, 40, 1, start=y, **options) == pytest.approx(plain, abs=SAME_INCREMENTS)
    assert asked == steps.time[:-1].tolist()


def test_reduced_runs_have_the_same_law():
    """What is across the means is drawn from the Gaussian that the chain has there, and a funnel's others
    from the ray on which they stay."""
    law, n = GaussianMixture([[1.0, 0.3, 0.0], [-1.0, 0.3, 0.0]], std=0.5), 40_000
    steps = dpmpp_2m(2.0, 6).steps(ou())
    found = sample(law, steps, n, 4, reduce=True)
    chain = gaussian_chain(Gaussian([0.3, 0.0], 0.25), steps)
    assert np.var(found[:, 1]) == pytest.approx(chain.variances[0], rel=STANDARD_ERRORS * np.sqrt(2 / n))
    error = STANDARD_ERRORS * np.sqrt(chain.variances[0] / n)
    assert np.mean(found[:, 1]) == pytest.approx(chain.mean[0], abs=error)
    funnel, steps = Funnel(10, 1.0), dpmpp_2m(1.0, 8, early_stop=0.05).steps(ou())
    plain, reduced = (np.mean(np.abs(sample(funnel, steps, 4000, 4 + reduce, reduce=reduce)[:, 3]) < 0.5)
                      for reduce in (False, True))
    assert plain == pytest.approx(reduced, abs=STANDARD_ERRORS * np.sqrt(0.5 / 4000))


def test_fresh_noise_of_the_score():
    """Gaussian data: with fresh noise in the score, which a step passes on, particles have the variances of the exact
    chain; nothing is drawn at once then, which is refused by name where it is asked for."""
    n, noise, law = 20_000, 0.9, Gaussian([0.3, 0.0, 0.0], np.array([0.2, 0.5, 1.0]))
    steps = dpmpp_2m(2.0, 8).steps(ou())
    chain, found = gaussian_chain(law, steps, np.zeros(3), noise), sample(law, steps, n, 4, score_noise=noise)
    assert found.var(axis=0) == pytest.approx(chain.variances.astype(float), rel=STANDARD_ERRORS * np.sqrt(2 / n))
    assert np.all(chain.variances > (1 + STANDARD_ERRORS * np.sqrt(2 / n)) * gaussian_chain(law, steps).variances)
    wide = GaussianMixture(np.eye(80)[:2], std=0.5)
    assert sample(wide, steps, 10, 1, score_noise=noise) == pytest.approx(
        sample(wide, steps, 10, 1, score_noise=noise, reduce=False))
    with pytest.raises(ValueError, match="reduce needs score_noise = 0 for samplers that use the step before"):
        sample(wide, steps, 10, 1, score_noise=noise, reduce=True)
