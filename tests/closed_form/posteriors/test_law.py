"""The law of X_0 given the noised variable, against Tweedie's formula and Bayes' rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from closed_form import Gaussian, GaussianMixture, posterior
from tests.tolerances import BRUTE_FORCE

ROTATED = np.array([[1.0, 0.4], [0.4, 0.5]])
LAWS = {
    "isotropic": Gaussian([0.3, -1.0], 0.7),
    "diagonal": Gaussian([0.3, -1.0], [0.7, 2.0]),
    "full": Gaussian([0.3, -1.0], ROTATED),
    "singular": Gaussian([0.3, -1.0], [[1.0, 1.0], [1.0, 1.0]]),
    "modes": GaussianMixture([[1.0, 0.0], [-1.0, 0.5], [0.0, 2.0]], weights=[0.2, 0.5, 0.3], std=0.6),
    "one covariance": GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], covariance=ROTATED),
    "covariances": GaussianMixture([[1.0, 0.0], [-1.0, 0.5]], covariances=[ROTATED, np.eye(2)]),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@given(a=st.floats(0.05, 2.0), s=st.floats(0.05, 3.0), x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_moments_are_those_of_tweedie(law, a, s, x, y):
    """E[X_0|u] = (u + s²∇log p_t(u))/a and Cov(X_0|u) = (s²/a²)(I + s²∇²log p_t(u))."""
    u = np.array([x, y])
    found, noised = posterior(law, u, a, s * s), law.pushed(a, s * s)
    mean = (u + s * s * noised.score(u[None])[0]) / a
    covariance = s * s / a**2 * (np.eye(2) + s * s * noised.hessian(u[None])[0])
    centre = found.mean
    # both routes lose the size of what they subtract
    scale = (np.abs(u).max() + 1 + s * s) / a
    assert np.abs(centre - mean).max() <= BRUTE_FORCE * scale
    assert np.abs(found.covariance - covariance).max() <= BRUTE_FORCE * (1 + scale**2)


@pytest.mark.parametrize(
    "law", [law for name, law in LAWS.items() if name != "singular"], ids=lambda law: type(law).__name__
)
def test_density_is_that_of_bayes(law):
    """log p(x|u) = log p(x) + log N(u; ax, s²I) − log p_t(u) at points of both."""
    rng = np.random.default_rng(2)
    a, s_sq, u = 0.6, 0.8, np.array([0.4, -0.2])
    x = 2 * rng.standard_normal((50, 2))
    likelihood = Gaussian([0.0, 0.0], s_sq).log_density(u - a * x)
    expected = law.log_density(x) + likelihood - law.pushed(a, s_sq).log_density(u[None])
    assert np.abs(posterior(law, u, a, s_sq).log_density(x) - expected).max() <= BRUTE_FORCE


def test_what_has_no_posterior_is_refused():
    """Another shape, a value that is not finite and no noise are named."""
    cases = (
        ([0.0], 1.0, r"u must have shape \(2,\)"),
        ([0.0, np.nan], 1.0, "u must have finite"),
        ([0.0, 0.0], 0.0, "s_sq"),
    )
    for u, s_sq, words in cases:
        with pytest.raises(ValueError, match=words):
            posterior(LAWS["full"], u, 1.0, s_sq)
