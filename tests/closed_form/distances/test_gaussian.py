"""W2 against 60-digit arithmetic, closed forms of affine images, and exact assignment."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from closed_form import Bracket, Gaussian, GaussianMixture
from closed_form.distances import gaussian
from closed_form.distances.gaussian import SURE, _procrustes, w2_gaussian
from closed_form.distances.line import w2_line
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.samples import w2_samples
from tests.closed_form.tolerances import AFFINE_IMAGE, LARGE_BURES, PROCRUSTES, QUANTILE_COUPLING
from tests.drawn import examples


def bures_60_digits(p, q):
    """(‖m−m'‖² + tr Σ + tr Σ' − 2 tr(Σ^½Σ'Σ^½)^½)^½."""
    with mpmath.workdps(60):
        first, second = mpmath.matrix(p.covariance.tolist()), mpmath.matrix(q.covariance.tolist())
        values, vectors = mpmath.eigsy(first)
        root = vectors * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values]) * vectors.T
        inner = root * second * root
        squares = mpmath.eigsy((inner + inner.T) / 2, eigvals_only=True)
        total = -2 * sum(mpmath.sqrt(max(value, 0)) for value in squares)
        total += sum(first[i, i] + second[i, i] for i in range(p.dim))
        total += sum((mpmath.mpf(x) - mpmath.mpf(y)) ** 2 for x, y in zip(p.mean, q.mean, strict=True))
        return mpmath.sqrt(total)


def symmetrised(matrix):
    """Its symmetric part."""
    return (matrix + matrix.T) / 2


def neighbours(seed, d, condition, eps):
    """Σ of the given condition and Σ^½(I + eps E)Σ^½."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    values = np.geomspace(1 / condition, 1.0, d)
    noise = rng.normal(size=(d, d))
    noise = np.eye(d) + eps * (noise + noise.T) / 2
    root = (basis * np.sqrt(values)) @ basis.T
    return [Gaussian(np.zeros(d), (matrix + matrix.T) / 2) for matrix in (root @ root, root @ noise @ root)]


@pytest.mark.parametrize("condition", [1e1, 1e4, 1e8])
@pytest.mark.parametrize("eps", [1e-1, 1e-4, 1e-6])
@pytest.mark.parametrize("d", [2, 6])
def test_procrustes_accuracy(condition, eps, d):
    """For covariances a relative eps apart, W2² is right to 1e-8 and the bracket holds the truth."""
    for seed in range(3):
        p, q = neighbours(seed, d, condition, eps)
        exact, bracket = bures_60_digits(p, q), w2_gaussian(p, q)
        assert abs(mpmath.mpf(bracket.midpoint) ** 2 / exact**2 - 1) < PROCRUSTES
        assert bracket.lower <= exact <= bracket.upper
        assert bracket.relative_width < 1e-5


@pytest.mark.parametrize("draws", [70, 200, 3000])
def test_large_covariances_by_traces(draws):
    """Of two large covariances the trace formula is taken, agrees with Procrustes' form, and its bracket is as narrow as
    is said, whichever law comes first."""
    rng = np.random.default_rng(draws)
    p, q = (Gaussian(np.zeros(64), np.cov(rng.normal(size=(64, draws)) * scale)) for scale in (1.0, 1.5))
    slow, found = _procrustes(p, q), w2_gaussian(p, q)
    assert found.method == w2_gaussian(q, p).method == "Bures distance, trace formula"
    assert found.relative_width < 2 * SURE
    assert found.lower <= slow.upper and slow.lower <= found.upper
    assert found.midpoint == pytest.approx(slow.midpoint, rel=LARGE_BURES)
    assert w2_gaussian(q, p).midpoint == pytest.approx(slow.midpoint, rel=LARGE_BURES)


@pytest.mark.parametrize("d", [8, pytest.param(24, marks=pytest.mark.deep)])
def test_large_covariance_against_60_digits(d, monkeypatch):
    """The bracket of the trace formula holds 60 digits, for covariances that do not commute."""
    monkeypatch.setattr(gaussian, "LARGE", d)
    rng = np.random.default_rng(5)
    values = np.geomspace(1.0, 100.0, d)
    turn, other = (np.linalg.qr(rng.normal(size=(d, d)))[0] for _ in range(2))
    p, q = (Gaussian(np.zeros(d), symmetrised((basis * values) @ basis.T)) for basis in (turn, other))
    found, exact = w2_gaussian(p, q), bures_60_digits(p, q)
    assert found.method == "Bures distance, trace formula" and found.lower <= exact <= found.upper
    assert abs(found.midpoint / exact - 1) < LARGE_BURES


@pytest.mark.parametrize("seed", range(2))
def test_traces_of_a_nearly_singular_covariance(seed, monkeypatch):
    """Where the smallest eigenvalue of LᵀΣ₂L is hardly more than its rounding, the bracket still holds 60 digits, farther
    from its middle than the rounding of the traces."""
    monkeypatch.setattr(gaussian, "LARGE", 12)
    rng = np.random.default_rng(seed)
    spectra = np.geomspace(1.0, 2.0, 12), np.append(1e-8, np.geomspace(0.5, 100.0, 11))
    turns = [np.linalg.qr(rng.normal(size=(12, 12)))[0] for _ in spectra]
    p, q = (Gaussian(np.zeros(12), symmetrised((turn * values) @ turn.T))
            for turn, values in zip(turns, spectra, strict=True))
    found, exact = w2_gaussian(p, q), bures_60_digits(p, q)
    assert found.method == "Bures distance, trace formula" and found.lower <= exact <= found.upper
    assert abs(found.midpoint - exact) > np.finfo(float).eps * np.trace(p.covariance + q.covariance)


@pytest.mark.parametrize("rank", [0, 1, 63])
def test_large_singular_covariances(rank):
    """Singular and near covariances of 64 dimensions are left to Procrustes' form, which is exact for images of one
    another, the law to itself at 0."""
    rng = np.random.default_rng(rank)
    basis = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    values = np.where(np.arange(64) < rank, 2.0, 0.0)
    p, q = (Gaussian(np.zeros(64), symmetrised((basis * part) @ basis.T)) for part in (values, 4 * values))
    found = w2_gaussian(p, q)
    assert found.lower <= math.sqrt(2.0 * rank) <= found.upper
    assert w2_gaussian(p, p).lower == 0.0
    full = Gaussian(np.zeros(64), symmetrised((basis * (1 + values)) @ basis.T))
    near = Gaussian(np.zeros(64), full.covariance * (1 + 1e-7) ** 2)
    apart = w2_gaussian(full, near)
    assert apart.midpoint == pytest.approx(1e-7 * math.sqrt(np.trace(full.covariance)), rel=PROCRUSTES)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), forms=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_gaussians_in_any_form(seed, d, forms):
    """Isotropic, diagonal, full and singular covariances in any pair: the bracket holds 60 digits."""
    rng = np.random.default_rng(seed)
    laws = []
    for form in forms:
        root = rng.normal(size=(d, max(1, d - 1) if form == 3 else d))
        spread = [rng.uniform(0, 2), rng.uniform(0, 2, d), root @ root.T, root @ root.T][form]
        laws.append(Gaussian(rng.normal(size=d), spread))
    exact, bracket = bures_60_digits(*laws), w2_gaussian(*laws)
    assert bracket.lower <= exact <= bracket.upper
    assert bracket.upper - bracket.lower < 1e-5
    mirrored = w2_gaussian(laws[1], laws[0])
    assert mirrored.lower <= exact <= mirrored.upper


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), a=st.floats(0.1, 3.0), s_sq=st.floats(1e-12, 3.0))
def test_pushed_gaussian_shares_eigenvectors(seed, a, s_sq):
    """W2 to the pushed law is (‖(1−a)m‖² + Σ(√λ − √(a²λ+s_sq))²)^½."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 3))
    law = Gaussian(rng.normal(size=3), root @ root.T)
    values = law.eigenvalues
    moves = np.append(np.sqrt(values) - np.sqrt(a * a * values + s_sq), (1 - a) * law.mean_norm)
    bracket = w2_gaussian(law, law.pushed(a, s_sq))
    assert bracket.midpoint == pytest.approx(float(np.sqrt((moves**2).sum())), rel=1e-6, abs=1e-12)


def test_gaussian_edge_cases():
    """Point masses are as far apart as their points; equal laws are at 0; large d costs O(d) if it can."""
    assert 5.0 in w2_gaussian(Gaussian([0.0, 0.0], 0.0), Gaussian([3.0, 4.0], 0.0))
    p = neighbours(0, 3, 10.0, 0.1)[0]
    assert w2_gaussian(p, p).lower == 0.0
    assert w2_gaussian(p, p).upper < 1e-6
    d = 100_000
    bracket = w2_gaussian(Gaussian(np.zeros(d), 1.0), Gaussian(np.zeros(d), np.full(d, 1.0 + 1e-10)))
    assert bracket.midpoint == pytest.approx(math.sqrt(d) * 1e-10 / 2, rel=1e-5)
    assert bracket.relative_width < 1e-12
    with pytest.raises(ValueError, match="same dimension, got 2 and 3"):
        w2_gaussian(Gaussian([0.0, 0.0], 1.0), Gaussian([0.0, 0.0, 0.0], 1.0))


@settings(deadline=None, max_examples=examples(12))
@given(
    means=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    stds=st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)),
)
def test_line_agrees_with_the_gaussian_closed_form(means, stds):
    """Two Gaussians on the line: ((m−m')² + (σ−σ')²)^½ to 1e-10."""
    exact = math.hypot(means[0] - means[1], stds[0] - stds[1])
    assume(exact > 1e-4)
    bracket = w2_line(*(Gaussian([m], s * s) for m, s in zip(means, stds, strict=True)))
    assert bracket.midpoint == pytest.approx(exact, rel=QUANTILE_COUPLING)
    assert bracket.lower * (1 - 1e-15) <= exact <= bracket.upper * (1 + 1e-15)


@pytest.mark.parametrize(
    ("mean", "std", "other_mean", "other_std"),
    [
        (0, 1, 0, 1.0001),
        (0, 1, 1e-4, 1),
        (0, 1, 1e-7, 1),
        (0, 1, 0, 1e-6),
        (0, 1e-3, 50, 1),
        (5, 1e-3, 5, 1.1e-3),
    ],
)
def test_line_extremes(mean, std, other_mean, other_std):
    """Nearly equal, very narrow and very distant Gaussians keep their accuracy."""
    exact = math.hypot(mean - other_mean, std - other_std)
    bracket = w2_line(LineMixture([mean], [std]), LineMixture([other_mean], [other_std]))
    assert bracket.lower <= exact * (1 + 1e-15)
    assert exact * (1 - 1e-15) <= bracket.upper
    assert bracket.midpoint == pytest.approx(exact, rel=max(QUANTILE_COUPLING, 1e-15 / exact))


@st.composite
def line_mixtures(draw):
    """Up to six components with spreads and distances over three orders of magnitude."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c = draw(st.integers(1, 6))
    scale = draw(st.sampled_from([0.1, 1.0, 30.0]))
    return LineMixture(scale * rng.normal(size=c), np.exp(rng.uniform(-4, 1, c)), rng.dirichlet(np.ones(c)))


@settings(deadline=None, max_examples=examples(12))
@given(law=line_mixtures(), a=st.floats(0.2, 3.0), b=st.floats(-2.0, 2.0))
def test_affine_image(law, a, b):
    """x ↦ ax + b is increasing, so W2² = (a−1)²E X² + 2(a−1)bE X + b²."""
    mean, square = law.weights @ law.means, law.weights @ (law.means**2 + law.stds**2)
    exact_sq = (a - 1) ** 2 * square + 2 * (a - 1) * b * mean + b * b
    assume(exact_sq > 1e-6 * (1 + square))
    bracket = w2_line(law, LineMixture(a * law.means + b, a * law.stds, law.weights))
    assert bracket.midpoint == pytest.approx(math.sqrt(exact_sq), rel=AFFINE_IMAGE)
    assert bracket.relative_width < AFFINE_IMAGE


@settings(deadline=None, max_examples=examples(12))
@given(p=line_mixtures(), q=line_mixtures())
def test_line_is_a_distance_between_moment_bounds(p, q):
    """Symmetric, at least the distance of means and deviations (Gelbrich), at most that with no coupling."""
    forth, back = w2_line(p, q), w2_line(q, p)
    (mean, var), (other_mean, other_var) = (
        (law.weights @ law.means, law.weights @ (law.means**2 + law.stds**2) - (law.weights @ law.means) ** 2)
        for law in (p, q)
    )
    slack = 1e-9 * (1 + abs(mean) + abs(other_mean) + math.sqrt(var + other_var))
    assert forth.lower <= back.upper
    assert back.lower <= forth.upper
    assert forth.upper >= math.hypot(mean - other_mean, math.sqrt(var) - math.sqrt(other_var)) - slack
    assert forth.lower <= math.hypot(mean - other_mean, math.sqrt(var + other_var)) + slack
    assert forth.upper - forth.lower < 1e-6 * forth.upper + 1e-12


@pytest.mark.parametrize(
    ("p", "q", "exact"),
    [
        (([-1, 1], 0.5, [0.5, 0.5]), ([-1, 1], 0.5, [0.51, 0.49]), 0.02766734401389623),
        (([-1, 1], [0.25, 0.5], [0.3, 0.7]), ([-1.1, 1], [0.3, 0.5], [0.4, 0.6]), 0.3523287938384422),
        (([-5, 5], 0.5, [0.5, 0.5]), ([-5, 5], 0.5, [0.501, 0.499]), 0.216358399564551),
    ],
)
def test_mixtures_against_forty_digits(p, q, exact):
    """Values from the quantile formula in 40-digit arithmetic, with break points at the jumps of the map."""
    bracket = w2_line(LineMixture(*p), LineMixture(*q))
    assert bracket.midpoint == pytest.approx(exact, rel=1e-11)
    assert bracket.relative_width < 1e-10


def test_unequal_weights_of_distant_modes():
    """Mass δ crosses between modes far apart and little else moves: W2² = δ·separation² to first order."""
    for separation, delta in ((4000.0, 1e-3), (40.0, 1e-6)):
        modes = [-separation / 2, separation / 2]
        bracket = w2_line(
            LineMixture(modes, 0.01, [0.5, 0.5]), LineMixture(modes, 0.01, [0.5 + delta, 0.5 - delta])
        )
        assert bracket.midpoint == pytest.approx(math.sqrt(delta) * separation, rel=0.01)
        assert bracket.relative_width < 1e-8


def test_shifted_distant_modes():
    """A shift of 1e-4 of two modes with nothing between them is 1e-4, although half of each law is flat."""
    law = GaussianMixture.two_modes(40.0, 0.5)
    shifted = GaussianMixture(law.means + 1e-4, law.weights, std=0.5)
    assert w2_line(law, shifted).midpoint == pytest.approx(1e-4, rel=QUANTILE_COUPLING)
    assert w2_line(law, law).upper < 1e-7


@pytest.mark.parametrize("std", [0.05, 0.3])
def test_thousands_of_components(std):
    """A kernel density of 2,000 points against its own affine image: ((a−1)²E X² + 2(a−1)bE X + b²)^½."""
    means = np.random.default_rng(0).normal(size=2000)
    law, a, b = LineMixture(means, std), 1.001, 0.002
    exact_sq = (a - 1) ** 2 * ((means**2).mean() + std**2) + 2 * (a - 1) * b * means.mean() + b * b
    bracket = w2_line(law, LineMixture(a * means + b, a * std))
    assert bracket.midpoint == pytest.approx(math.sqrt(exact_sq), rel=1e-9)


class Logistic:
    """A law that is no mixture and offers no knots: the logistic with scale 1."""

    def cdf(self, x):
        """1/(1 + e⁻ˣ)."""
        return 1 / (1 + np.exp(-x))

    def sf(self, x):
        """1/(1 + eˣ)."""
        return 1 / (1 + np.exp(x))

    def pdf(self, x):
        """Derivative of the distribution function."""
        return self.cdf(x) * self.sf(x)

    def support(self):
        """Mass 2.6e-18 is left outside."""
        return -40.5, 40.5


def test_any_distribution_will_do():
    """Logistic against N(0, 1): W2² = π²/3 + 1 − 2∫ log(u/(1−u)) Φ⁻¹(u) du."""
    with mpmath.workdps(20):
        cross = 2 * mpmath.quad(
            lambda z: z * mpmath.npdf(z) * mpmath.log(mpmath.ncdf(z) / mpmath.ncdf(-z)), [0, 1, 3, 6, 12]
        )
        exact = float(mpmath.sqrt(mpmath.pi**2 / 3 + 1 - 2 * cross))
    assert w2_line(Logistic(), LineMixture([0.0], 1.0)).midpoint == pytest.approx(exact, rel=1e-9)


@settings(deadline=None)
@given(law=line_mixtures(), u=st.lists(st.floats(1e-12, 1 - 1e-12), min_size=1, max_size=5))
def test_line_mixture_functions(law, u):
    """cdf + sf = 1, quantiles invert the distribution function, and the density is its derivative."""
    x = law.ppf(np.array(u))
    assert law.cdf(x) + law.sf(x) == pytest.approx(np.ones(len(u)), rel=1e-13)
    assert law.cdf(x) == pytest.approx(np.array(u), rel=1e-9)
    step = 1e-5 * law.stds.min()
    slope = (law.cdf(x + step) - law.cdf(x - step)) / (2 * step)
    assert slope == pytest.approx(law.pdf(x), rel=1e-5, abs=1e-9)
    low, high = law.support()
    assert law.cdf(np.array([low]))[0] + law.sf(np.array([high]))[0] < 1e-18


def test_line_mixture_blocks_agree_with_the_plain_sum():
    """With many components, the blockwise sums equal the plain ones, the upper tail to relative accuracy."""
    rng = np.random.default_rng(1)
    means, stds = 3 * rng.normal(size=200), np.exp(rng.uniform(-5, 0, 200))
    weights = rng.dirichlet(np.ones(200))
    law, x = LineMixture(means, stds, weights), np.linspace(-12, 12, 1001)
    z = (x[::50, None] - means) / stds
    cdf = np.array([[float(mpmath.ncdf(value)) for value in row] for row in z.tolist()])
    sf = np.array([[float(mpmath.ncdf(-value)) for value in row] for row in z.tolist()])
    assert law.cdf(x)[::50] == pytest.approx(cdf @ weights, rel=1e-11, abs=1e-20)
    assert law.sf(x)[::50] == pytest.approx(sf @ weights, rel=1e-11, abs=1e-20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 1.0), "means must have shape"),
        (([[0.0]], 1.0), "means must have shape"),
        (([0.0], 0.0), "stds must be positive"),
        (([0.0, 1.0], [1.0]), "stds and weights must fit"),
        (([0.0, 1.0], 1.0, [1.0]), "stds and weights must fit"),
        (([0.0, 1.0], 1.0, [2.0, -1.0]), "weights must be non-negative"),
        (([0.0, 1.0], 1.0, [0.0, 0.0]), "positive sum"),
        (([np.nan], 1.0), "means must have finite entries"),
    ],
)
def test_bad_line_mixture(arguments, message):
    """What is not a mixture on the line is refused by name."""
    with pytest.raises(ValueError, match=message):
        LineMixture(*arguments)


def test_bad_line_laws():
    """Laws of higher dimension, no laws at all and quantile levels outside (0, 1) are refused."""
    line = LineMixture([0.0], 1.0)
    with pytest.raises(ValueError, match="dim = 1"):
        w2_line(line, GaussianMixture.two_modes(1.0, 1.0, dim=2))
    with pytest.raises(TypeError, match="law must be a law on the line"):
        w2_line(line, "a law")
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="strictly between 0 and 1"):
            line.ppf([level])


def assignment(x, y):
    """W2 between samples of any sizes by exact assignment of copies."""
    size = math.lcm(len(x), len(y))
    x, y = np.repeat(x, size // len(x), axis=0), np.repeat(y, size // len(y), axis=0)
    cost = ((x[:, None, :] - y) ** 2).sum(axis=2)
    return math.sqrt(cost[linear_sum_assignment(cost)].mean())


@settings(deadline=None, max_examples=examples(10))
@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    d=st.integers(1, 3),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_samples_by_assignment(seed, sizes, d, scale):
    """Samples of any two sizes: the bracket holds the optimal assignment of copies, and is tight."""
    rng = np.random.default_rng(seed)
    x, y = (scale * rng.normal(size=(n, d)) for n in sizes)
    exact, bracket = assignment(x, y), w2_samples(x, y)
    assert bracket.lower * (1 - 1e-12) <= exact <= bracket.upper * (1 + 1e-12)
    assert bracket.relative_width < 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_samples_that_nearly_coincide_in_many_dimensions(seed):
    """Where the costs of 400 coordinates cancel to rounding the bracket still holds the distance."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((4, 400))
    y = x + 1e-7 * rng.standard_normal((4, 400))
    exact = np.sqrt(np.mean(np.sum(np.square(x.astype(np.longdouble) - y), axis=1)))
    bracket = w2_samples(x, y)
    assert bracket.lower <= exact <= bracket.upper < 10 * exact


def test_optimal_transport_that_stops_early(monkeypatch):
    """A warning of the solver is an error here, never a distance."""
    import ot

    def unfinished(*arguments, **options):
        warnings.warn("numItermax reached before optimality", UserWarning, stacklevel=1)

    monkeypatch.setattr(ot, "emd", unfinished)
    with pytest.raises(ArithmeticError, match="did not converge: numItermax"):
        w2_samples(np.zeros((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((0, 2)), np.zeros((1, 2)), "x must have shape"),
        (np.zeros((1, 2)), np.zeros(2), "y must have shape"),
        (np.zeros((1, 2)), np.zeros((1, 3)), "same dimension, got 2 and 3"),
        (np.full((1, 1), np.nan), np.zeros((1, 1)), "x must have finite entries"),
    ],
)
def test_bad_samples(x, y, message):
    """Empty, non-finite or mismatched samples are refused by name."""
    with pytest.raises(ValueError, match=message):
        w2_samples(x, y)


def test_factors_add_in_squares():
    """Factors at distances 3 and 4 are 5 apart together."""
    bracket = Bracket.root_sum_sq([Bracket.exact(3.0), Bracket.exact(4.0)])
    assert 5.0 in bracket
    assert bracket.relative_width < 1e-14
