"""Posterior moments against exact linear algebra, Gauss quadrature, sampling and the I-MMSE identity."""

import math
from unittest import mock

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_form import Gaussian, GaussianMixture
from closed_form.posteriors import moment_table
from closed_form.posteriors.moments import posterior_moments
from tests.closed_form.tolerances import POSTERIOR_MOMENTS, POSTERIOR_TABLE_INTEGRALS
from tests.drawn import examples
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS


@st.composite
def lines(draw):
    """Isotropic mixtures with up to five collinear means in up to four dimensions, near and far apart."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c, d = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    places = draw(st.sampled_from([0.3, 1.0, 4.0, 20.0])) * rng.normal(size=c)
    means = np.outer(places, rng.normal(size=d)) + rng.normal(size=d)
    return GaussianMixture(means, rng.dirichlet(np.ones(c)), std=float(np.exp(rng.uniform(-2, 1))))


def by_quadrature(law, q):
    """E tr(excess)/d and E tr(excess²)/d for means on a line: 40 Gauss nodes between many break points."""
    line, _, _ = law.line()
    means, weights, s_sq = line.means[:, 0], line.weights, law.std**2
    tau = math.sqrt(s_sq + 1 / q)
    middles = (means[:, None] + means).ravel() / 2
    widths = tau * np.array([1.0, min(1.0, tau / np.ptp(means))])  # of a mode, and of a passage between two
    ends = np.unique(middles[:, None] + np.outer(widths, np.arange(-12, 13)).ravel())
    nodes, rule = np.polynomial.legendre.leggauss(40)
    half = np.diff(ends)[:, None] / 2
    y, dy = (ends[:-1, None] + half * (1 + nodes)).ravel(), (half * rule).ravel()
    parts = weights * np.exp(-0.5 * ((y[:, None] - means) / tau) ** 2)
    total = np.maximum(parts.sum(axis=1), 1e-290)
    deviations = means - (parts @ means / total)[:, None]
    spread = (parts * deviations**2).sum(axis=1) / total
    density = total / (tau * math.sqrt(2 * math.pi)) * dy
    return [density @ spread**power / (1 + s_sq * q) ** (2 * power) / law.dim for power in (1, 2)]


@settings(deadline=None, max_examples=examples(12))
@given(law=lines(), log_q=st.floats(-8.0, 8.0))
def test_line_moments_agree_with_quadrature(law, log_q):
    """The table gives what a fine Gauss rule gives, within a stated error that is small."""
    q = math.exp(log_q)
    e1, e1_error, e2, e2_error = (float(value) for value in posterior_moments(law).at(q))
    expected1, expected2 = by_quadrature(law, q)
    floor = 1 / (law.std**-2 + q)
    assert abs(e1 - expected1) <= e1_error + 1e-8 * expected1
    assert abs(e2 - expected2) <= e2_error + 1e-8 * expected2
    assert e1_error <= POSTERIOR_MOMENTS * (e1 + floor)
    assert e2_error <= POSTERIOR_MOMENTS * (e2 + floor**2)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), log_q=st.floats(-20.0, 60.0))
def test_gaussian_moments_are_exact(seed, d, log_q):
    """(λ_i⁻¹+q)⁻¹ − (λ_min⁻¹+q)⁻¹, averaged, with 200 digits, is met within the stated error."""
    values = np.exp(np.random.default_rng(seed).uniform(-8, 8, d))
    moments = posterior_moments(Gaussian(np.zeros(d), values))
    e1, e1_error, e2, e2_error = (float(value) for value in moments.at(math.exp(log_q)))
    with mpmath.workdps(200):
        q = mpmath.mpf(math.exp(log_q))
        post = [1 / (1 / mpmath.mpf(float(value)) + q) for value in values]
        excess = [value - min(post) for value in post]
        exact1, exact2 = sum(excess) / d, sum(value**2 for value in excess) / d
        assert abs(e1 - exact1) <= e1_error
        assert abs(e2 - exact2) <= e2_error
        assert e1_error <= LAW_ROUNDING * exact1
        assert e2_error <= LAW_ROUNDING * exact2


def test_gaussian_in_any_form():
    """Isotropic laws have no excess; a full covariance agrees with the posterior covariance by inversion."""
    for law in (Gaussian(np.ones(5), 2.0), GaussianMixture([[1.0, 2.0]], std=0.5)):
        assert [float(value) for value in posterior_moments(law).at(3.0)] == [0.0, 0.0, 0.0, 0.0]
    shared = np.array([[2.0, 0.7], [0.7, 1.0]])
    excess = np.linalg.inv(np.linalg.inv(shared) + 3.0 * np.eye(2))
    for law in (Gaussian([0.0, 0.0], shared), GaussianMixture([[1.0, 2.0]] * 2, covariance=shared)):
        moments = posterior_moments(law)
        rest = excess - np.eye(2) / (moments.smoothness + 3.0)
        e1, _, e2, _ = moments.at(3.0)
        assert e1 == pytest.approx(np.trace(rest) / 2, rel=LAW_ROUNDING)
        assert e2 == pytest.approx(np.trace(rest @ rest) / 2, rel=LAW_ROUNDING)


def test_nearly_equal_means():
    """Means 1e-200 or 1e-17 standard deviations apart are a Gaussian for every purpose."""
    for gap in (1e-200, 1e-17):
        moments = posterior_moments(GaussianMixture([[0.0], [gap]], std=1.0))
        assert float(moments.at(1.0)[0]) == 0.0


def test_singular_gaussian():
    """A law on a line in the plane has L = ∞, c_lo = 0 and all of its posterior variance as excess."""
    moments = posterior_moments(Gaussian([0.0, 0.0], [1.0, 0.0]))
    assert moments.smoothness == math.inf
    assert moments.at(3.0)[0] == pytest.approx(0.125, rel=LAW_ROUNDING)


@settings(deadline=None, max_examples=examples(10))
@given(law=lines(), log_q=st.floats(-5.0, 4.0))
def test_information_identity(law, log_q):
    """d mmse/dq = −E tr Cov², mmse = d(c_lo + e1), E tr Cov² = d(c_lo² + 2c_lo e1 + e2) (I-MMSE)."""
    moments, q = posterior_moments(law), math.exp(log_q)
    step = 1e-3 * q
    nodes = q + step * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    floor = 1 / (moments.smoothness + nodes)
    e1, _, e2, _ = moments.at(nodes)
    slope = (floor + e1) @ np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / (12 * step)
    square = floor[2] ** 2 + 2 * floor[2] * e1[2] + e2[2]
    assert -slope == pytest.approx(square, rel=1e-5)


def test_moments_by_sampling():
    """The posterior covariance averaged over simulated pairs (X, Y) agrees within standard errors."""
    rng, n, q = np.random.default_rng(5), 200_000, 1.5
    law = GaussianMixture([[-1.0, 0.5], [1.0, -0.5], [2.0, -1.0]], [0.5, 0.3, 0.2], std=0.6)
    y = law.sample(n, rng) + rng.standard_normal((n, 2)) / math.sqrt(q)
    r = law.pushed(1.0, 1 / q).responsibilities(y)
    shrink = 1 / (1 + 0.36 * q)
    centred = law.means - (r @ law.means)[:, None, :]
    excess = shrink**2 * np.einsum("nc,nci,ncj->nij", r, centred, centred)
    e1, _, e2, _ = posterior_moments(law).at(q)
    for expected, values in (
        (e1, np.einsum("nii->n", excess) / 2),
        (e2, np.einsum("nij,nji->n", excess, excess) / 2),
    ):
        assert abs(values.mean() - expected) < STANDARD_ERRORS * values.std() / math.sqrt(n)


def test_limits():
    """At q = 0 the excess is the variance of the means; as q → ∞ it falls like q⁻², far modes at once."""
    moments = posterior_moments(GaussianMixture.two_modes(2.0, 0.5))
    e1, _, e2, _ = moments.at(np.array([0.0, 1e10, 1e12, 1e30, np.inf]))
    assert e1[0] == pytest.approx(1.0, rel=LAW_ROUNDING)
    assert e2[0] == pytest.approx(1.0, rel=LAW_ROUNDING)
    assert e1[1] / e1[2] == pytest.approx(1e4, rel=1e-6)
    assert e2[1] / e2[2] == pytest.approx(1e8, rel=1e-6)
    assert 0.0 <= e1[4] <= e1[3] < 1e-58
    far, error, _, _ = posterior_moments(GaussianMixture.two_modes(400.0, 0.1)).at(1.0)
    assert far + error < 1e-13


def test_shapes():
    """Any shape of q comes back, an empty one too, and blocks do not show."""
    for law in (GaussianMixture.two_modes(2.0, 0.5), Gaussian([0.0, 0.0], [1.0, 2.0])):
        moments = posterior_moments(law)
        assert [value.shape for value in moments.at(1.0)] == [()] * 4
        assert [value.shape for value in moments.at(np.zeros((0, 3)))] == [(0, 3)] * 4
        q = np.geomspace(1e-3, 1e3, 40_000)
        for whole, part in zip(moments.at(q.reshape(8, 5_000)), moments.at(q[-100:]), strict=True):
            assert whole.shape == (8, 5_000)
            assert whole[-1, -100:] == pytest.approx(part, rel=1e-15)
        for bad in (-1.0, [1.0, np.nan]):
            with pytest.raises(ValueError, match="q must be at least 0"):
                moments.at(bad)


def test_unavailable():
    """Means that span a plane, or unequal covariances, have no formula here."""
    assert posterior_moments(GaussianMixture([[0.0, 0], [1, 0], [0, 1]], std=1.0)) is None
    assert posterior_moments(GaussianMixture([[0.0], [1.0]], covariances=[[[1.0]], [[4.0]]])) is None
    assert posterior_moments(GaussianMixture([[0.0, 0], [1, 0]], covariance=[[2.0, 0.5], [0.5, 1]])) is None
    assert posterior_moments("a law") is None


@pytest.mark.parametrize("c", [10, 300])
def test_table_is_made_once_from_few_integrals(c):
    """However many components and questions, the integrals are evaluated a bounded number of times, once."""
    moments = posterior_moments(GaussianMixture(np.random.default_rng(0).normal(size=(c, 1)), std=0.05))
    with mock.patch.object(moment_table, "line_moments", wraps=moment_table.line_moments) as integral:
        moments.at(1.0)
        made = integral.call_count
        moments.at(np.geomspace(1e-3, 1e6, 10_000))
    assert 0 < made == integral.call_count <= POSTERIOR_TABLE_INTEGRALS


@pytest.mark.parametrize("apart", [0.5, 4.0, 30.0, 6454.0])
def test_the_errors_of_the_table_hold_what_it_misses(apart):
    """Between its knots the table is off from the integrals themselves by no more than the error beside it,
    which is never below the rounding it grants."""
    means, weights = apart * np.array([0.0, 0.2, 1.0]), np.array([0.3, 0.5, 0.2])
    table = moment_table.MomentTable.of(means, weights, 1.0)
    t = np.random.default_rng(3).uniform(0.0, table.top, 400)
    found, errors = table.at(t)
    precisions = np.expm1(t) / table.range_sq
    known = [moment_table.line_moments(means, weights, precision)[:2] for precision in precisions]
    assert np.all(np.abs(found / (np.array(known) + table.floors) - 1.0) <= errors)
    assert np.all(table.rows[4] >= 1e-13)
