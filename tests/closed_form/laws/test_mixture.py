"""Gaussian mixtures against plain sums over components, finite differences and their own samples."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from closed_form import Gaussian, GaussianMixture
from tests.closed_form.tolerances import FINITE_DIFFERENCE
from tests.tolerances import BRUTE_FORCE, LAW_ROUNDING, STANDARD_ERRORS


def spd(rng, d):
    """A random covariance of condition at most about a hundred."""
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    matrix = (basis * np.exp(rng.uniform(-2.3, 2.3, d))) @ basis.T
    return 0.5 * (matrix + matrix.T)


@st.composite
def mixtures(draw, forms=("std", "common", "general")):
    """Up to five components in up to four dimensions, in the three storage forms, zero weights included."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c, d = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    weights = rng.dirichlet(np.ones(c))
    if c > 1 and draw(st.booleans()):
        weights[0] = 0.0
        weights /= weights.sum()
    means, form = 2.0 * rng.normal(size=(c, d)), draw(st.sampled_from(forms))
    if form == "std":
        return GaussianMixture(means, weights, std=float(np.exp(rng.uniform(-2, 1))))
    if form == "common":
        return GaussianMixture(means, weights, covariance=spd(rng, d))
    return GaussianMixture(means, weights, covariances=[spd(rng, d) for _ in range(c)])


def component_covariances(law):
    """Σ_i of every component, written out."""
    if law.std is not None:
        return [law.std**2 * np.eye(law.dim)] * len(law.weights)
    if law.component_covariance is not None:
        return [law.component_covariance] * len(law.weights)
    return list(law.covariances)


def plain_density(law, x):
    """Σ w_i N(x; μ_i, Σ_i), by scipy."""
    parts = zip(law.weights, law.means, component_covariances(law), strict=True)
    return sum(w * np.atleast_1d(multivariate_normal(m, c).pdf(x)) for w, m, c in parts)


@settings(deadline=None)
@given(law=mixtures(), seed=st.integers(0, 99))
def test_density_is_the_plain_sum(law, seed):
    """exp(log_density) is the weighted sum of the component densities."""
    x = law.sample(6, np.random.default_rng(seed))
    assert np.exp(law.log_density(x)) == pytest.approx(plain_density(law, x), rel=LAW_ROUNDING)


@settings(deadline=None)
@given(law=mixtures(), seed=st.integers(0, 99))
def test_score_and_hessian_are_derivatives(law, seed):
    """Score = ∇log p and Hessian = ∇²log p, by central differences."""
    x, step = law.sample(4, np.random.default_rng(seed)), 1e-5
    shifts = step * np.eye(law.dim)
    score = np.stack([law.log_density(x + e) - law.log_density(x - e) for e in shifts], axis=1) / (2 * step)
    hessian = np.stack([law.score(x + e) - law.score(x - e) for e in shifts], axis=1) / (2 * step)
    scale = 1.0 + np.abs(law.hessian(x)).max() ** 2
    assert law.score(x) == pytest.approx(score, abs=FINITE_DIFFERENCE * scale)
    assert law.hessian(x) == pytest.approx(hessian, abs=FINITE_DIFFERENCE * scale)


@settings(deadline=None)
@given(law=mixtures(), a=st.floats(0.1, 2.0), s_sq=st.floats(0.0, 2.0), seed=st.integers(0, 99))
def test_pushed_density(law, a, s_sq, seed):
    """The pushed law has means aμ_i and covariances a²Σ_i + s_sq I."""
    image = law.pushed(a, s_sq)
    covariances = [a * a * c + s_sq * np.eye(law.dim) for c in component_covariances(law)]
    expected = GaussianMixture(a * law.means, law.weights, covariances=np.array(covariances))
    x = expected.sample(5, np.random.default_rng(seed))
    assert image.log_density(x) == pytest.approx(expected.log_density(x), abs=LAW_ROUNDING)


@settings(deadline=None)
@given(law=mixtures())
def test_moments(law):
    """Mean Σw_iμ_i, covariance ΣwΣ_i + Σw(μ_i−m)(μ_i−m)ᵀ, second moment tr of both plus ‖m‖²."""
    parts = list(zip(law.weights, law.means, component_covariances(law), strict=True))
    mean = sum(w * m for w, m, _ in parts)
    covariance = sum(w * (c + np.outer(m - mean, m - mean)) for w, m, c in parts)
    assert law.mean == pytest.approx(mean, abs=LAW_ROUNDING)
    assert law.covariance == pytest.approx(covariance, abs=LAW_ROUNDING)
    assert law.second_moment == pytest.approx(np.trace(covariance) + mean @ mean, rel=LAW_ROUNDING)
    assert law.mean_norm == pytest.approx(np.sqrt(mean @ mean), rel=LAW_ROUNDING)


@pytest.mark.parametrize("form", ["std", "common", "general"])
def test_samples_have_the_moments(form):
    """Sample mean and covariance are within standard errors, and a seed gives the same sample."""
    rng, n = np.random.default_rng(3), 200_000
    spread = {"std": 0.5, "common": spd(rng, 2), "general": np.array([spd(rng, 2) for _ in range(3)])}[form]
    name = {"std": "std", "common": "covariance", "general": "covariances"}[form]
    law = GaussianMixture([[0.0, 0], [2, 1], [-1, 3]], [0.2, 0.5, 0.3], **{name: spread})
    x = law.sample(n, np.random.default_rng(11))
    assert x.tobytes() == law.sample(n, np.random.default_rng(11)).tobytes()
    scale = np.sqrt(np.diag(law.covariance))
    assert np.abs((x.mean(axis=0) - law.mean) / scale).max() < STANDARD_ERRORS / np.sqrt(n)
    deviation = (np.cov(x.T) - law.covariance) / np.outer(scale, scale)
    assert np.abs(deviation).max() < 2 * STANDARD_ERRORS / np.sqrt(n)


@settings(deadline=None)
@given(law=mixtures(), seed=st.integers(0, 99))
def test_responsibilities_are_bayes_rule(law, seed):
    """P(i | x) = w_i N(x; μ_i, Σ_i) / p(x)."""
    x = law.sample(3, np.random.default_rng(seed))
    parts = zip(law.weights, law.means, component_covariances(law), strict=True)
    joint = np.stack([w * np.atleast_1d(multivariate_normal(m, c).pdf(x)) for w, m, c in parts], axis=1)
    expected = joint / joint.sum(axis=1, keepdims=True)
    assert law.responsibilities(x) == pytest.approx(expected, abs=LAW_ROUNDING)


def test_far_away_points():
    """Far in the tails nothing overflows: the score there is that of the nearest component."""
    law = GaussianMixture.two_modes(2.0, 0.5)
    assert law.score([[1e8]])[0, 0] == pytest.approx((1.0 - 1e8) / 0.25, rel=LAW_ROUNDING)
    assert law.log_density([[-1e5]])[0] == pytest.approx(-2.0 * (1e5 - 1.0) ** 2, rel=LAW_ROUNDING)
    assert np.isfinite(law.hessian([[1e8], [-1e8], [0.0]])).all()


def test_far_from_the_origin():
    """A mixture moved by 1e8 has the same score at the moved points, up to the rounding of the points."""
    law = GaussianMixture([[0.0], [1.0]], std=0.5)
    moved = GaussianMixture([[1e8], [1e8 + 1.0]], std=0.5)
    x = np.array([[0.25], [0.5], [1.5]])
    assert moved.score(x + 1e8) == pytest.approx(law.score(x), abs=1e-7)


@settings(deadline=None)
@given(law=mixtures(), n=st.integers(0, 40))
def test_rows_do_not_depend_on_each_other(law, n):
    """Any number of rows, none included, gives row by row what each gives alone."""
    x = law.sample(n, np.random.default_rng(0))
    together = law.score(x)
    assert together.shape == (n, law.dim)
    for row, expected in zip(x[:3], together[:3], strict=False):
        assert law.score(row[None])[0] == pytest.approx(expected, rel=LAW_ROUNDING, abs=LAW_ROUNDING)


def test_large_dimensions_stay_linear():
    """Two modes in d = 100,000: score, line and constants without a d×d matrix."""
    law = GaussianMixture.two_modes(2.0, 0.5, dim=100_000)
    line, unit, _ = law.line()
    assert line.means[:, 0].tolist() == [-1.0, 1.0]
    assert unit[0] == 1.0
    assert law.score(np.ones((1, 100_000)))[0, -1] == -4.0
    assert law.assumptions()[0].M == 16.0
    assert law.second_moment == pytest.approx(25_001.0, rel=LAW_ROUNDING)


def test_memory_does_not_grow_with_samples_times_components():
    """The score of 50,000 points under 200 components in 20 dimensions works in blocks."""
    rng = np.random.default_rng(0)
    law = GaussianMixture(rng.normal(size=(200, 20)), std=0.5)
    x = rng.normal(size=(50_000, 20))
    tracemalloc.start()
    law.score(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes + 16 * 2**20


def test_simplest_form():
    """Equal covariances are stored once, multiples of I as a std, and weight 0 drops a component."""
    means, shared = [[0.0, 0], [1, 0], [5, 5]], [[2.0, 0.5], [0.5, 1]]
    assert GaussianMixture(means, covariances=[4 * np.eye(2)] * 3).std == 2.0
    assert GaussianMixture(means, covariance=0.25 * np.eye(2)).std == 0.5
    assert GaussianMixture(means, covariances=[shared] * 3).component_covariance.tolist() == shared
    unequal = [shared, shared, np.eye(2)]
    law = GaussianMixture(means, [0.5, 0.5, 0.0], covariances=unequal)
    assert law.component_covariance.tolist() == shared
    assert GaussianMixture(means, [0.5, 0.5, 0.0], std=1.0).means.tolist() == means[:2]
    assert GaussianMixture([[0.0], [1.0]], covariances=[[[1.0]], [[4.0]]]).covariances.shape == (2, 1, 1)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), c=st.integers(1, 6), d=st.integers(1, 8), rank=st.integers(0, 8))
def test_span_finds_the_rank(seed, c, d, rank):
    """Means drawn in a random r-dimensional affine subspace are recognised as such and reproduced."""
    rng, rank = np.random.default_rng(seed), min(rank, c - 1, d)
    means = rng.normal(size=(c, rank)) @ rng.normal(size=(rank, d)) + 10.0 * rng.normal(size=d)
    law = GaussianMixture(means, std=1.0)
    origin, basis = law.span()
    assert basis.shape == (d, rank)
    assert basis.T @ basis == pytest.approx(np.eye(rank), abs=LAW_ROUNDING)
    assert basis.T @ origin == pytest.approx(np.zeros(rank), abs=LAW_ROUNDING * 100)
    assert origin + means @ basis @ basis.T == pytest.approx(means, abs=LAW_ROUNDING * 100)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), c=st.integers(1, 6), d=st.integers(1, 8))
def test_line_splits_the_density(seed, c, d):
    """For collinear means p is the law along the line times a Gaussian across it."""
    rng = np.random.default_rng(seed)
    direction, places = rng.normal(size=d), rng.normal(size=c)
    means = np.outer(places, direction) + rng.normal(size=d)
    law = GaussianMixture(means, rng.dirichlet(np.ones(c)), std=0.7)
    line, unit, offset = law.line()
    assert law.is_collinear
    assert line.dim == 1
    assert unit @ unit == pytest.approx(1.0, rel=LAW_ROUNDING)
    assert unit @ offset == pytest.approx(0.0, abs=LAW_ROUNDING)
    x = law.sample(5, rng)
    across = x - np.outer(x @ unit, unit) - offset
    log_across = -0.5 * ((across / 0.7) ** 2).sum(axis=1) - 0.5 * (d - 1) * np.log(2 * np.pi * 0.49)
    assert line.log_density((x @ unit)[:, None]) + log_across == pytest.approx(law.log_density(x), abs=1e-8)


def test_line_along_an_axis_is_exact():
    """Means that differ in one coordinate only give that axis, and their coordinates unrounded."""
    line, unit, offset = GaussianMixture([[0.1, 0.3, -7.0], [0.1, 0.7, -7.0]], std=1.0).line()
    assert unit.tolist() == [0.0, 1.0, 0.0]
    assert offset.tolist() == [0.1, 0.0, -7.0]
    assert line.means[:, 0].tolist() == [0.3, 0.7]
    line, unit, offset = GaussianMixture([[2.0, 3.0]], std=1.0).line()
    assert (unit.tolist(), offset.tolist(), line.means.tolist()) == ([1.0, 0.0], [0.0, 3.0], [[2.0]])


def test_line_refuses():
    """Means that span a plane, or components that are not isotropic, have no line."""
    with pytest.raises(ValueError, match="collinear means, got means spanning 2"):
        GaussianMixture([[0.0, 0], [1, 0], [0, 1]], std=1.0).line()
    with pytest.raises(ValueError, match="isotropic components"):
        GaussianMixture([[0.0, 0], [1, 0]], covariance=[[2.0, 0.5], [0.5, 1]]).line()


def test_isotropic_assumptions():
    """Two modes at ±1 with std ½: α = L = 4, M = R²/s⁴ = 16, Lipschitz constant R/s² = 4, E‖X‖² = 1.25."""
    weak, lipschitz = GaussianMixture.two_modes(2.0, 0.5).assumptions()
    assert (weak.alpha, weak.M, weak.L, weak.dim) == (4.0, 16.0, 4.0, 1)
    assert (lipschitz.alpha, lipschitz.lipschitz, lipschitz.L) == (4.0, 4.0, 4.0)
    assert weak.second_moment == pytest.approx(1.25, rel=LAW_ROUNDING)
    assert weak.mean_norm == 0.0


@settings(deadline=None)
@given(law=mixtures(forms=("std", "common")), seed=st.integers(0, 99), scale=st.floats(0.1, 5.0))
def test_constants_bound_the_hessian(law, seed, scale):
    """−L I ⪯ ∇²log p ⪯ (M − α) I everywhere, the limits r → 0 of the two assumptions."""
    x = law.mean + scale * (law.sample(20, np.random.default_rng(seed)) - law.mean)
    constants = law.assumptions()[0]
    alpha = getattr(constants, "alpha", None) or constants.m0
    values = np.linalg.eigvalsh(law.hessian(x))
    slack = 1e-9 * constants.smoothness
    assert values.min() >= -constants.smoothness - slack
    assert values.max() <= getattr(constants, "M", 0.0) - alpha + slack


@settings(deadline=None)
@given(law=mixtures(forms=("std", "common")), seed=st.integers(0, 99), reach=st.floats(0.01, 5.0))
def test_weak_log_concavity_between_two_points(law, seed, reach):
    """(∇U(x)−∇U(y))·(x−y) ≥ α‖x−y‖² − f_M(‖x−y‖)‖x−y‖ and, with the Lipschitz constant ℓ, ≥ α r² − 2ℓr."""
    rng = np.random.default_rng(seed)
    x, y = law.sample(20, rng), law.sample(20, rng)
    y = x + reach * (y - x)
    r = np.linalg.norm(x - y, axis=1)
    rise = -np.einsum("nd,nd->n", law.score(x) - law.score(y), x - y)
    if len(law.assumptions()) == 1:
        assert (rise >= (1 - 1e-9) * law.assumptions()[0].m0 * r**2 - 1e-9).all()
        return
    weak, lipschitz = law.assumptions()
    root = np.sqrt(weak.M)
    slack = 1e-9 * (1 + weak.L * r**2)
    assert (rise >= weak.alpha * r**2 - 2 * root * np.tanh(0.5 * r * root) * r - slack).all()
    assert (rise >= lipschitz.alpha * r**2 - 2 * lipschitz.lipschitz * r - slack).all()


def test_equal_means_are_a_gaussian():
    """One component, or equal means, gives the assumptions of that Gaussian: no perturbation at all."""
    for law in (GaussianMixture([[1.0, 2]], std=0.5), GaussianMixture([[1.0, 2]] * 3, std=0.5)):
        (got,) = law.assumptions()
        assert got == Gaussian([1.0, 2.0], 0.25).assumptions()[0]
    shared = [[2.0, 1.0], [1.0, 2.0]]
    law = GaussianMixture([[1.0, 2]], covariance=shared)
    assert law.assumptions() == Gaussian([1.0, 2], shared).assumptions()


def test_unequal_covariances_are_refused():
    """No constant is proved for components of different covariance, and the error says so."""
    law = GaussianMixture([[0.0], [1.0]], covariances=[[[1.0]], [[4.0]]])
    with pytest.raises(ValueError, match="unequal covariances have no proved log-concavity constant"):
        law.assumptions()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"means": [], "std": 1.0}, "means must have shape"),
        ({"means": [0.0, 1.0], "std": 1.0}, "means must have shape"),
        ({"means": [[0.0], [1.0, 2.0]], "std": 1.0}, "means must be a rectangular array"),
        ({"means": [[np.nan]], "std": 1.0}, "means must have finite entries"),
        ({"means": [["x"]], "std": 1.0}, "means must be made of real numbers"),
        ({"means": [[0.0]]}, "exactly one of std, covariance and covariances"),
        ({"means": [[0.0]], "std": 1.0, "covariance": [[1.0]]}, "exactly one of std"),
        ({"means": [[0.0]], "std": 0.0}, "std must be one positive number"),
        ({"means": [[0.0]], "std": -1.0}, "std must be one positive number"),
        ({"means": [[0.0]], "std": np.inf}, "std must have finite entries"),
        ({"means": [[0.0]], "std": [1.0]}, "std must be one positive number"),
        ({"means": [[0.0], [1.0]], "std": 1.0, "weights": [0.5, 0.6]}, "weights must sum to 1"),
        ({"means": [[0.0], [1.0]], "std": 1.0, "weights": [1.5, -0.5]}, "weights must be non-negative"),
        ({"means": [[0.0], [1.0]], "std": 1.0, "weights": [1.0]}, "weights must have shape"),
        ({"means": [[0.0], [1.0]], "std": 1.0, "weights": [np.nan, 1.0]}, "weights must have finite entries"),
        ({"means": [[0.0, 0.0]], "covariance": [[1.0]]}, "covariance must have shape"),
        ({"means": [[0.0, 0.0]], "covariance": [[1.0, 2.0], [2.0, 1.0]]}, "covariance must be positive"),
        ({"means": [[0.0, 0.0]], "covariance": np.ones((2, 2))}, "covariance must be positive definite"),
        ({"means": [[0.0, 0.0]], "covariance": [[1.0, 0.3], [0.2, 1.0]]}, "covariance must be symmetric"),
        ({"means": [[0.0], [1.0]], "covariances": [[[1.0]]]}, "covariances must have shape"),
        ({"means": [[0.0], [1.0]], "covariances": [[[1.0]], [[-1.0]]]}, "covariances must be positive"),
    ],
)
def test_bad_input(arguments, message):
    """What is not a mixture is refused by name."""
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**arguments)


def test_bad_use():
    """Points of the wrong shape, a push to a point mass and impossible modes are refused."""
    law = GaussianMixture.two_modes(2.0, 0.5, dim=3)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\)"):
        law.score(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="point mass"):
        law.pushed(0.0, 0.0)
    with pytest.raises(ValueError, match="s_sq must be finite"):
        law.pushed(1.0, -1.0)
    with pytest.raises(ValueError, match="dim must be an integer"):
        GaussianMixture.two_modes(2.0, 0.5, dim=0)


@pytest.mark.parametrize("form", ["covariance", "covariances"])
def test_the_posterior_is_prior_times_likelihood(form):
    """log p(x|u) − log p(x) + ‖u − ax‖²/(2s²) is the same at every x."""
    rng = np.random.default_rng(8)
    shapes = spd(rng, 2) if form == "covariance" else [spd(rng, 2), spd(rng, 2)]
    law, a, s_sq = GaussianMixture(rng.normal(size=(2, 2)), **{form: shapes}), 0.7, 0.4
    x, u = rng.normal(size=(20, 2)), rng.normal(size=2)
    ratio = law.posterior(u, a, s_sq).log_density(x) - law.log_density(x)
    assert np.ptp(ratio + np.square(u - a * x).sum(axis=1) / (2 * s_sq)) <= BRUTE_FORCE


def test_components_of_one_covariance_are_a_tilt_of_one_of_them():
    """Two assumptions of one mixture: M is the square of the tilt's Lipschitz constant, (1/2)‖Σ⁻¹(μ₁ − μ₂)‖."""
    law = GaussianMixture([[0.0, 0.0], [1.0, 3.0]], covariance=[[2.0, 0.0], [0.0, 0.5]])
    weak, tilted = law.assumptions()
    size = 0.5 * np.hypot(0.5, 6.0)
    assert tilted.lipschitz == pytest.approx(size, rel=LAW_ROUNDING)
    assert weak.weak_log_concavity == pytest.approx((0.5, size**2), rel=LAW_ROUNDING)
