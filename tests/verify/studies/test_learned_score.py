"""A learned score: what it is off by along its own sampler, and what the bound makes of that."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import euler_maruyama, ou
from bounds.recursion.stepwise import stepwise_bound
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.line.perturbed_score import perturbed_line, perturbed_w2
from tests.torch_required import require_torch
from tests.verify.tolerances import MEASURED_SIZE
from verify import sample, score_error_of, setting_of
from verify.studies.learned_score import train

LAW = GaussianMixture.two_modes(3.0, 0.5)
SETTING = setting_of(ou(), LAW, euler_maruyama(3.0, 40, early_stop=0.02))
STEPS = SETTING.table.steps()


@pytest.fixture(scope="module")
def learned():
    """A network that has learned from samples of two modes that are far apart."""
    require_torch()
    return train(LAW.sample(4000, np.random.default_rng(1)), ou(), 3.0, iterations=400, width=16, seed=1)


def test_the_error_of_each_step_against_the_largest_for_all(learned):
    """Where the later steps expand errors, the bound with each step's own error is less than three quarters of the
    one with the largest for all, which saturates, and above the exact W2 of the sampler with this network."""
    martingale, error = theorems()["martingale"], learned.error(LAW, STEPS)
    sizes = perturbed_line(LAW, STEPS, error).sizes
    one = martingale.bound(replace(SETTING, score_error=float(sizes.max()))).total
    assert perturbed_w2(LAW, STEPS, error).upper <= stepwise_bound(martingale, SETTING, sizes).total < 0.75 * one


def test_errors_along_particles_are_those_under_the_exact_law(learned):
    """The errors that particles measure, with the score as a callable, are those by quadrature under the
    exact law of the iterates, and their upper limits are above these."""
    score = learned.along(STEPS)
    found = score_error_of(score, LAW, STEPS, 20_000, seed=3)
    sizes = perturbed_line(LAW, STEPS, learned.error(LAW, STEPS)).sizes
    assert found.estimates == pytest.approx(sizes, rel=MEASURED_SIZE) and np.all(found.sizes >= sizes)
    assert sample(LAW, STEPS, 100, 0, score=score).shape == (100, 1)


def test_training_is_the_same_for_a_seed():
    """Two trainings with one seed give the same network."""
    require_torch()
    one, two = (train(Gaussian([0.0], 1.0), ou(), 1.0, iterations=3, width=4, seed=5) for _ in range(2))
    x = np.linspace(-2.0, 2.0, 9)
    assert np.array_equal(one.values(0.8, 0.36, x), two.values(0.8, 0.36, x))


@pytest.mark.parametrize(("law", "options", "named"), [
    (Gaussian([0.0, 0.0], 1.0), {}, "law must have dimension 1, got 2"),
    (np.zeros(5), {}, r"law must be a law or finite samples of shape \(n, 1\), got shape \(5,\)"),
    (np.full((5, 1), np.nan), {}, "law must be a law or finite samples"),
    (Gaussian([0.0], 1.0), {"width": 0}, "iterations and width must be at least 1, got 2000 and 0"),
])
def test_wrong_arguments_are_named(law, options, named):
    """Laws off a line, samples of another shape or not finite, and counts below 1 are refused by name."""
    with pytest.raises(ValueError, match=named):
        train(law, ou(), 1.0, **options)
