"""The convexity profile: exact where it is known, never below what is proved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ive

from bounds import BoundedSupport, ou, ve
from closed_form import Gaussian, GaussianMixture
from closed_form.geometry.convexity_profile import convexity_profile
from tests.closed_form.tolerances import PROFILE
from tests.drawn import examples
from verify.studies.convexity_profile import profile_at

log_uniform = st.floats(-0.7, 0.7).map(lambda x: 10.0**x)


@settings(max_examples=examples(12))
@given(log_uniform, log_uniform)
def test_two_equal_modes_attain_the_constants(half, std):
    """½N(±m, s²): κ(r) = 1/s² − (2m/(r s²)) tanh(m r/(2 s²)), attained across the middle of the modes."""
    law = GaussianMixture.two_modes(2 * half, std)
    r = np.geomspace(0.1, 10, 9) * std
    expected = 1 / std**2 - 2 * half / (r * std**2) * np.tanh(half * r / (2 * std**2))
    np.testing.assert_allclose(
        convexity_profile(law, r).values, expected, rtol=PROFILE, atol=PROFILE * (half / std**2) ** 2
    )


def test_a_gaussian_has_its_smallest_precision():
    """N(m, Σ): κ is the inverse of the largest variance, at every distance."""
    law = Gaussian(np.array([1.0, -2.0, 0.5]), np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]]))
    expected = 1 / np.linalg.eigvalsh(law.covariance).max()
    np.testing.assert_allclose(convexity_profile(law, [0.1, 1.0, 30.0]).values, expected, rtol=1e-5)


def test_pairs_are_at_their_distance_and_have_their_slope():
    """|x − y| = r, and the slope of the score between them is the value."""
    law = GaussianMixture(np.array([[0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [0.0, 1.5, 1.0]]), std=0.6)
    found = convexity_profile(law, [0.3, 1.7])
    for r, value, (x, y) in zip(found.distances, found.values, found.pairs, strict=True):
        gap = x - y
        assert np.linalg.norm(gap) == pytest.approx(r, rel=1e-9)
        slope = -((law.score(x[None]) - law.score(y[None]))[0] @ gap) / r**2
        assert slope == pytest.approx(value, rel=1e-6, abs=1e-9)


@settings(max_examples=examples(7))
@given(
    st.integers(0, 10**6),
    st.integers(1, 7),
    st.integers(1, 10),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.sampled_from([ou(), ve(1)]),
)
def test_the_profile_never_drops_below_what_is_proved(seed, components, dim, time, process):
    """For random mixtures in 1 to 10 dimensions, along the forward flow, the least slope found is at least
    α − f_M(r)/r."""
    rng = np.random.default_rng(seed)
    law = GaussianMixture(
        rng.normal(size=(components, dim)) * 10 ** rng.uniform(-1, 1),
        std=10 ** rng.uniform(-0.5, 0.5),
        weights=rng.dirichlet(np.ones(components)),
    )
    found = profile_at(process, law, time, np.geomspace(0.05, 20, 6), seed=seed)
    assert found.gap.min() >= -PROFILE * (
        found.constants["alpha"] + found.constants["M"] / found.constants["alpha"]
    )


@given(st.floats(0.2, 3.0), st.floats(0.4, 2.0))
@settings(max_examples=examples(7))
def test_a_continuous_mixture_obeys_the_constants_of_its_ball(radius, std):
    """A circle of radius R smoothed with N(0, s² I): the profile is at least the smoothed ball's
    α − f_M(r)/r."""

    class Circle:
        dim = 2

        def score(self, x):
            rho = np.linalg.norm(x, axis=1, keepdims=True)
            z = radius * rho / std**2
            # E[Y | x] = R (I1/I0)(R|x|/s²) x/|x|
            return (radius * ive(1, z) / ive(0, z) * x / np.maximum(rho, 1e-300) - x) / std**2

        def sample(self, n, rng):
            angle = rng.uniform(0, 2 * np.pi, n)
            return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1) + std * rng.standard_normal(
                (n, 2)
            )

    proved = BoundedSupport(radius=radius, dim=2).smoothed(std**2)
    r = np.geomspace(0.05, 10, 7)
    found = convexity_profile(Circle(), r, pairs=500)
    assert (found.values - proved.profile(r)).min() >= -PROFILE * (proved.alpha + proved.M / proved.alpha)


@pytest.mark.parametrize("distances", [[0.0], [-1.0], [np.nan], [np.inf]])
def test_bad_distances_are_refused(distances):
    """A distance must be positive and finite."""
    with pytest.raises(ValueError, match="distances must be positive"):
        convexity_profile(GaussianMixture.two_modes(2.0, 0.5), distances)
