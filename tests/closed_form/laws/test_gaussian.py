"""The Gaussian law against scipy, finite differences and its own samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from closed_form import Gaussian
from closed_form.distances.gaussian import w2_gaussian
from tests.closed_form.tolerances import FINITE_DIFFERENCE
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS


@st.composite
def gaussians(draw):
    """Laws of dimension 1 to 4 in all three storage forms, condition up to 1e4."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d = draw(st.integers(1, 4))
    values = np.exp(rng.uniform(-4.6, 4.6, d))
    form = draw(st.sampled_from(["isotropic", "diagonal", "full"]))
    if form == "isotropic":
        return Gaussian(rng.normal(size=d), values[0])
    if form == "diagonal":
        return Gaussian(rng.normal(size=d), values)
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    matrix = (basis * values) @ basis.T
    return Gaussian(rng.normal(size=d), 0.5 * (matrix + matrix.T))


def near(law, n, seed):
    """Points within a few standard deviations."""
    return law.sample(n, np.random.default_rng(seed))


@settings(deadline=None)
@given(law=gaussians(), seed=st.integers(0, 99))
def test_density_agrees_with_scipy(law, seed):
    """log p is scipy's multivariate normal log-density."""
    x = near(law, 5, seed)
    expected = np.atleast_1d(multivariate_normal(law.mean, law.covariance).logpdf(x))
    assert law.log_density(x) == pytest.approx(expected, abs=LAW_ROUNDING, rel=LAW_ROUNDING)


@settings(deadline=None)
@given(law=gaussians(), seed=st.integers(0, 99))
def test_score_and_hessian_solve_with_the_covariance(law, seed):
    """Σ s(x) = m − x and Σ H(x) = −I."""
    x = near(law, 5, seed)
    size = 1.0 + np.abs(law.mean - x).max()
    assert law.score(x) @ law.covariance == pytest.approx(law.mean - x, abs=LAW_ROUNDING * size)
    assert law.hessian(x).shape == (5, law.dim, law.dim)
    assert law.hessian(x)[2] @ law.covariance == pytest.approx(-np.eye(law.dim), abs=LAW_ROUNDING)


@settings(deadline=None)
@given(law=gaussians(), a=st.floats(-2, 2), b=st.floats(-2, 2), s=st.floats(0, 3), r=st.floats(0, 3))
def test_pushing_twice(law, a, b, s, r):
    """aX + √s Z pushed by (b, r) is (ab)X + √(b²s + r) Z: mean a b m, covariance (ab)²Σ + (b²s + r)I."""
    image = law.pushed(a, s).pushed(b, r)
    expected = (a * b) ** 2 * law.covariance + (b * b * s + r) * np.eye(law.dim)
    assert image.mean == pytest.approx(a * b * law.mean, abs=LAW_ROUNDING)
    assert image.covariance == pytest.approx(expected, abs=LAW_ROUNDING * 1e3)
    rebuilt = expected if image.basis is None else (image.basis * image.eigenvalues) @ image.basis.T
    assert np.asarray(rebuilt) == pytest.approx(expected, abs=LAW_ROUNDING * 1e3)
    assert np.sort(image.eigenvalues) == pytest.approx(np.linalg.eigvalsh(expected), abs=LAW_ROUNDING * 1e3)


@settings(deadline=None)
@given(law=gaussians())
def test_moments(law):
    """E‖X‖² = ‖m‖² + tr Σ."""
    expected = float((law.mean**2).sum() + np.trace(law.covariance))
    assert law.second_moment == pytest.approx(expected, rel=LAW_ROUNDING)
    assert law.mean_norm == pytest.approx(float(np.sqrt((law.mean**2).sum())), rel=LAW_ROUNDING, abs=1e-300)


def test_hessian_is_the_derivative_of_the_score():
    """Central differences of log p and of the score reproduce the score and the Hessian."""
    law = Gaussian([0.3, -0.2], [[2.0, 0.6], [0.6, 0.5]])
    x, step = np.array([[0.1, 0.4], [-1.0, 2.0]]), 1e-5
    shifts = step * np.eye(2)
    score = np.stack([law.log_density(x + e) - law.log_density(x - e) for e in shifts], axis=1)
    hessian = np.stack([law.score(x + e) - law.score(x - e) for e in shifts], axis=1)
    assert law.score(x) == pytest.approx(score / (2 * step), abs=FINITE_DIFFERENCE)
    assert law.hessian(x) == pytest.approx(hessian / (2 * step), abs=FINITE_DIFFERENCE)


@pytest.mark.parametrize(
    "covariance", [0.5, [1.0, 4.0, 0.25], [[2.0, 0.5, 0], [0.5, 1.0, 0.3], [0, 0.3, 0.7]]]
)
def test_samples_have_the_moments(covariance):
    """Sample mean and covariance are within standard errors, and a seed gives the same sample."""
    law, n = Gaussian([1.0, -2.0, 0.5], covariance), 100_000
    x = law.sample(n, np.random.default_rng(7))
    assert x.tobytes() == law.sample(n, np.random.default_rng(7)).tobytes()
    deviations = np.sqrt(np.diag(law.covariance))
    assert np.abs((x.mean(axis=0) - law.mean) / deviations).max() < STANDARD_ERRORS / np.sqrt(n)
    scaled = (np.cov(x.T) - law.covariance) / np.outer(deviations, deviations)
    assert np.abs(scaled).max() < STANDARD_ERRORS * np.sqrt(2.0 / n)


def test_large_dimensions_stay_linear():
    """d = 100,000 isotropic or diagonal works without a d×d matrix."""
    d = 100_000
    for covariance in (2.0, np.full(d, 2.0)):
        law = Gaussian(np.ones(d), covariance).pushed(0.5, 0.5)
        assert law.second_moment == pytest.approx(d * (0.25 + 1.0), rel=LAW_ROUNDING)
        assert law.score(np.zeros((1, d)))[0, -1] == pytest.approx(0.5, rel=LAW_ROUNDING)


def test_point_mass():
    """A singular covariance is a law to sample and push, but has neither density nor smoothness."""
    law = Gaussian([1.0, 2.0], 0.0)
    assert law.sample(3, np.random.default_rng(0)).tolist() == [[1.0, 2.0]] * 3
    assert law.pushed(1.0, 0.5).covariance.tolist() == [[0.5, 0.0], [0.0, 0.5]]
    flat = Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]])
    for singular in (law, flat):
        for method in (singular.log_density, singular.score, singular.hessian):
            with pytest.raises(ValueError, match="regular covariance"):
                method(np.zeros((1, 2)))
    (point,), (strong,) = law.assumptions(), flat.assumptions()
    assert (point.key, point.radius) == ("bounded", 0.0)
    assert strong.m0 == pytest.approx(0.5, rel=LAW_ROUNDING) and strong.L0 == np.inf
    assert point.needs_early_stop and strong.needs_early_stop
    assert not Gaussian([0.0, 0.0], [1.0, 1e-20]).assumptions()[0].needs_early_stop


def test_assumption_constants():
    """m0 and L0 are the reciprocals of the extreme eigenvalues, the moments those of the law."""
    (assumption,) = Gaussian([3.0, 4.0], [[2.0, 1.0], [1.0, 2.0]]).assumptions()
    assert assumption.m0 == pytest.approx(1 / 3, rel=LAW_ROUNDING)
    assert assumption.L0 == pytest.approx(1.0, rel=LAW_ROUNDING)
    assert assumption.dim == 2
    assert assumption.mean_norm == pytest.approx(5.0, rel=LAW_ROUNDING)
    assert assumption.second_moment == pytest.approx(29.0, rel=LAW_ROUNDING)


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        ([], 1.0, "mean must have shape"),
        ([[0.0]], 1.0, "mean must have shape"),
        ([np.nan], 1.0, "mean must have finite entries"),
        (["a"], 1.0, "mean must be made of real numbers"),
        ([1j], 1.0, "mean must be made of real numbers"),
        ([True], 1.0, "mean must be made of real numbers"),
        ([[0.0], [0.0, 1.0]], 1.0, "mean must be a rectangular array"),
        ([0.0], -1.0, "covariance must have no negative variance"),
        ([0.0, 0.0], [1.0, -1.0], "covariance must have no negative variance"),
        ([0.0], np.inf, "covariance must have finite entries"),
        ([0.0, 0.0], [1.0, 1.0, 1.0], "covariance must have shape"),
        ([0.0, 0.0], np.eye(3), "covariance must have shape"),
        ([0.0, 0.0], [[1.0, 0.5], [0.4, 1.0]], "covariance must be symmetric"),
        ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "covariance must be positive semi-definite"),
    ],
)
def test_bad_input(mean, covariance, message):
    """What is not a mean with a covariance is refused by name."""
    with pytest.raises(ValueError, match=message):
        Gaussian(mean, covariance)


@pytest.mark.parametrize(
    ("a", "s_sq"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, -1e-9), (1.0, np.inf), (1.0, np.nan)]
)
def test_bad_push(a, s_sq):
    """Coefficients that are not finite, or a negative variance, are refused."""
    with pytest.raises(ValueError, match="must be finite"):
        Gaussian([0.0], 1.0).pushed(a, s_sq)


@pytest.mark.parametrize("x", [np.zeros(2), np.zeros((3, 1)), np.zeros((1, 2, 2))])
def test_bad_points(x):
    """Points must have shape (n, d)."""
    with pytest.raises(ValueError, match=r"x must have shape \(n, 2\)"):
        Gaussian([0.0, 0.0], 1.0).score(x)


def test_laws_cannot_be_changed():
    """Neither the attributes nor the arrays of a law can be assigned to, and the input is copied."""
    mean = np.zeros(2)
    law = Gaussian(mean, 1.0)
    mean[0] = 5.0
    assert law.mean[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        law.mean[0] = 1.0
    with pytest.raises(AttributeError):
        law.mean = mean


@settings(deadline=None)
@given(law=gaussians(), variance=st.floats(0.0, 20.0))
def test_the_distance_to_a_round_gaussian_is_bures(law, variance):
    """What bounds are told of W2(p_0, N(0, vI)) is the exact distance, from above; of constants alone,
    nothing."""
    exact = w2_gaussian(law, Gaussian(np.zeros(law.dim), variance))
    found = law.facts().distance_to_gaussian(variance)
    size = np.sqrt(np.trace(law.covariance) + law.dim * variance) + law.mean_norm
    assert exact.lower <= found
    assert found == pytest.approx(exact.midpoint, abs=1e-7 * size)
    assert law.facts("constants").distance_to_gaussian is None
