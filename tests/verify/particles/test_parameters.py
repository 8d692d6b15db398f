"""Particles of samplers that take parameters: the same on torch, and from a score of one's own."""

import numpy as np
import pytest

from bounds import TimeGrid, ou
from bounds.sampler import Scheme, ddim, euler_maruyama_lambda, heun
from closed_form import GaussianMixture
from tests.tolerances import SAME_INCREMENTS
from tests.torch_required import torch_backend
from verify.particles.simulation import sample

LAW = GaussianMixture([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.2, 0.5, 0.3], std=0.6)
SCHEMES = {"ddim with half the noise": ddim(2, 12, eta=0.5), "lambda": euler_maruyama_lambda(2, 12, lambda_=0.7),
           "churn": heun(2, 12, churn=2, s_tmax=1.0),
           "no noise at last": Scheme("ancestral", TimeGrid.uniform(2, 12), last_step_noise=False)}


@pytest.mark.parametrize("name", SCHEMES)
def test_torch_and_ones_own_score_give_the_same(name):
    """The same particles from the same increments on torch, and from a callable that is asked at the evaluations' times."""
    steps = SCHEMES[name].steps(ou())

    def score(x, t):
        return LAW.pushed(float(np.exp(-t)), float(-np.expm1(-2 * t))).score(x)

    plain = sample(LAW, steps, 40, 1)
    for options in ({"backend": torch_backend()}, {"score": score}):
        assert sample(LAW, steps, 40, 1, **options) == pytest.approx(plain, abs=SAME_INCREMENTS)
    assert np.ptp(plain) > 1
