"""A score of your own: the exact one as a callable gives the same particles, errors are measured, wrong ones
named."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import euler_maruyama, ou
from bounds.recursion.stepwise import stepwise_bound
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.laws.funnel import Funnel
from closed_form.sampler_laws.w2 import sampler_w2
from tests.torch_required import torch_backend
from tests.verify.tolerances import OWN_SCORE, SCORE_ERROR
from verify import setting_of
from verify.particles.own_score import torch_score
from verify.particles.score_errors import score_error_of
from verify.particles.simulation import sample

LAW = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], std=0.5)
SETTING = setting_of(ou(), LAW, euler_maruyama(3.0, 40))
STEPS = SETTING.table.steps()
PLACE = {float(time): i for i, time in enumerate(STEPS.time)}


def exact(x, t, law=LAW):
    """The exact score, as a callable of particles and time."""
    i = PLACE[t]
    return law.pushed(float(STEPS.a[i]), float(STEPS.s_sq[i])).score(x)


@pytest.mark.parametrize("options", [{}, {"threads": 2, "block": 300}], ids=["one thread", "blocks"])
def test_the_exact_score_as_a_callable(options):
    """With the exact score as a callable the particles are those of the sampler, whatever blocks and
    threads."""
    found = sample(LAW, STEPS, 1000, 3, score=exact, **options)
    assert found == pytest.approx(sample(LAW, STEPS, 1000, 3), rel=OWN_SCORE, abs=OWN_SCORE)
    assert np.array_equal(found, sample(LAW, STEPS, 1000, 3, score=exact))


def test_a_constant_bias_is_measured():
    """Off by (0.1, 0.1) the L2 error is 0.1√2 at every step, and the bound with these sizes is the bound with
    M."""
    errors = score_error_of(lambda x, t: exact(x, t) + 0.1, LAW, STEPS, 200)
    assert errors.estimates == pytest.approx(0.1 * np.sqrt(2), rel=SCORE_ERROR)
    assert errors.sizes == pytest.approx(0.1 * np.sqrt(2),
                                         rel=SCORE_ERROR) and errors.largest == errors.sizes.max()
    theorem = theorems()["martingale"]
    one = theorem.bound(replace(SETTING, score_error=0.1 * np.sqrt(2)))
    stepwise = stepwise_bound(theorem, SETTING, np.full(40, 0.1 * np.sqrt(2)))
    assert stepwise.total == pytest.approx(one.total, rel=1e-9)
    assert stepwise.terms["score bias"] == pytest.approx(one.terms["score bias"], rel=1e-9)


def test_sizes_cover_an_error_that_depends_on_the_particle():
    """Off by y/10 the upper limits are above (E‖y‖²)^{1/2}/10, exactly known for Gaussian data, and close to
    it."""
    law = Gaussian([1.0], 0.5)
    steps = setting_of(ou(), law, euler_maruyama(2.0, 10)).table.steps()
    place = {float(time): i for i, time in enumerate(steps.time)}

    def score(x, t):
        i = place[t]
        return law.pushed(float(steps.a[i]), float(steps.s_sq[i])).score(x) + x / 10

    errors = score_error_of(score, law, steps, 4000, delta=0.01)
    mean, variance, sizes = 0.0, float(steps.prior_var), []
    for i in range(len(steps)):
        sizes.append(np.sqrt(mean**2 + variance) / 10)
        marginal = steps.a[i] ** 2 * 0.5 + steps.s_sq[i]
        factor = steps.P[i] + steps.Q[i] * (0.1 - 1 / marginal)
        mean = factor * mean + steps.Q[i] * steps.a[i] / marginal
        variance = factor**2 * variance + steps.noise_var[i]
    assert np.all(errors.sizes >= sizes) and np.all(errors.sizes <= 1.2 * np.array(sizes))
    assert np.all(errors.estimates < errors.sizes)


def test_smaller_errors_late_make_a_smaller_bound():
    """A bound with the error of each step is below the one with the largest for all, and both are above the
    truth."""
    theorem, sizes = theorems()["martingale"], np.linspace(0.1, 0.002, 40)
    stepwise, one = stepwise_bound(theorem, SETTING,
                                   sizes).total, stepwise_bound(theorem, SETTING, np.full(40, 0.1)).total
    assert sampler_w2(LAW, STEPS).upper <= stepwise < 0.7 * one
    assert stepwise_bound(theorem, SETTING,
                          np.zeros(40)).total == pytest.approx(theorem.bound(SETTING).total, rel=1e-11)


def test_a_torch_module_is_a_score():
    """A module of x and t is a score on numpy's particles and on torch's, the same to the precision it
    computes in."""
    chosen = torch_backend()
    score = torch_score(lambda x, t: -x * (1 + t[:, None]), dtype="float64")
    one, two = sample(LAW, STEPS, 500, 3, score=score), sample(LAW, STEPS, 500, 3, score=score,
                                                               backend=chosen)
    assert one == pytest.approx(two, rel=OWN_SCORE, abs=OWN_SCORE)
    assert one == pytest.approx(sample(LAW, STEPS, 500, 3, score=lambda x, t: -x * (1 + t)), rel=OWN_SCORE,
                                abs=OWN_SCORE)


@pytest.mark.parametrize(("options", "named"), [
    ({"score": 3}, r"score must be a callable score\(x, t\), got int"),
    ({"score": lambda x, t: x[:, :1]}, r"score must return an array of shape \(\d+, 2\)"),
    ({"score": exact, "reduce": True}, "reduce needs the exact score"),
])
def test_a_wrong_score_is_named(options, named):
    """What is no score, returns another shape, or goes with reduce is refused by name."""
    with pytest.raises((TypeError, ValueError), match=named):
        sample(LAW, STEPS, 200, 3, **options)


def test_a_funnel_takes_a_score_on_any_backend():
    """A law that is no sum of Gaussians moves by a given score, here that of a standard normal."""
    law = Funnel(3, 0.5)
    found = sample(law, STEPS, 300, 3, score=lambda x, t: -x)
    assert found.shape == (300, 3) and np.isfinite(found).all()


@pytest.mark.parametrize(("sizes", "named"), [
    (np.ones(39), r"sizes must be 40 finite numbers >= 0, one a step, got an array of shape \(39,\)"),
    (-np.ones(40), "sizes must be 40 finite numbers"),
])
def test_wrong_sizes_are_named(sizes, named):
    """Sizes of another number of steps, or negative, are refused by name, and so is a theorem without a
    recursion."""
    with pytest.raises(ValueError, match=named):
        stepwise_bound(theorems()["martingale"], SETTING, sizes)
    with pytest.raises(ValueError, match=r"must state the error recursion .*got gao2025"):
        stepwise_bound(theorems()["gao2025-general-sde"], SETTING, np.ones(40))


def test_the_number_of_particles_is_checked():
    """Too few particles, and more than memory holds for so many steps, are refused by name."""
    with pytest.raises(ValueError, match=r"n must be between 100 and .* for 40 steps, got 50"):
        score_error_of(exact, LAW, STEPS, 50)


def test_a_score_of_another_shape_is_not_measured():
    """A score that would broadcast against the exact one is refused by name where its error is asked."""
    with pytest.raises(ValueError, match=r"score must return an array of shape \(\d+, 2\) .*got \(\d+,\)"):
        score_error_of(lambda x, t: x[:, 0], LAW, STEPS, 200)
