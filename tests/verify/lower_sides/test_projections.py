"""The potential on a line: its slope, span and conjugate against quadrature."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from closed_form.laws.mixture import GaussianMixture
from tests.drawn import examples
from tests.verify.tolerances import CONJUGATE_GRID, CONJUGATE_MEAN
from verify.lower_sides.projections import Potential, _fitted, _target


@st.composite
def potentials(draw) -> Potential:
    """Any increasing piecewise linear map with the identity at both ends."""
    pieces = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    knots, images = (np.concatenate([[0.0], rng.uniform(0.05, 1.0, pieces).cumsum()]) for _ in range(2))
    images *= knots[-1] / images[-1]
    images[-1] = knots[-1]
    return Potential(knots, images)


@st.composite
def line_laws(draw) -> GaussianMixture:
    """Mixtures on the line."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c = draw(st.integers(1, 4))
    means, variances = rng.uniform(-1.0, 3.0, (c, 1)), rng.uniform(0.05, 1.0, (c, 1, 1))
    return GaussianMixture(means, rng.dirichlet(np.ones(c)), covariances=variances)


@settings(max_examples=examples(25), deadline=None)
@given(potentials(), st.floats(-1.0, 7.0))
def test_potential_has_the_stated_slope(potential, x):
    """φ is the integral of 2(x − T(x)) from the left, where it is 0."""
    inside = [point for point in potential.knots if 0.0 < point < max(x, 0.0)]
    expected, _ = quad(
        lambda s: 2.0 * (s - np.interp(s, potential.knots, potential.images)),
        0.0,
        min(max(x, 0.0), potential.knots[-1]),
        points=inside or None,
    )
    assert abs(potential(np.array([x]))[0] - expected) < CONJUGATE_MEAN


@settings(max_examples=examples(25), deadline=None)
@given(potentials())
def test_span_holds_every_value(potential):
    """max φ − min φ is the reported span, up to the grid."""
    values = potential(np.linspace(-1.0, 7.0, 100_001))
    assert np.ptp(values) <= potential.span + CONJUGATE_MEAN
    assert potential.span - np.ptp(values) < CONJUGATE_GRID


@settings(max_examples=examples(25), deadline=None)
@given(potentials(), st.floats(-2.0, 8.0))
def test_conjugate_is_the_infimum(potential, y):
    """φᶜ at a point is the smallest |x − y|² − φ(x) over a fine grid, and never above it."""
    at_point = potential.conjugate_mean((np.ones(1), np.array([y]), np.array([1e-12])))
    x = np.linspace(-3.0, 9.0, 240_001)
    smallest = ((x - y) ** 2 - potential(x)).min()
    assert at_point <= smallest + CONJUGATE_MEAN
    assert smallest - at_point < CONJUGATE_GRID


@settings(max_examples=examples(15), deadline=None)
@given(potentials(), line_laws())
def test_conjugate_mean_is_the_integral(potential, law):
    """E φᶜ by truncated moments equals the quadrature of φᶜ times the density."""
    stds = np.full(len(law.weights), law.std) if law.std else np.sqrt(law.covariances[:, 0, 0])
    actual = potential.conjugate_mean((law.weights, law.means[:, 0], stds))

    def integrand(y: float) -> float:
        x = np.interp(y, potential.images, potential.knots) if 0.0 < y < potential.images[-1] else y
        return float((x - y) ** 2 - potential(np.array([x]))[0]) * math.exp(law.log_density([[y]])[0])

    edges = np.unique(np.concatenate([[-12.0], potential.images, law.means[:, 0], [16.0]]))
    expected = sum(quad(integrand, *pair, epsabs=1e-13)[0] for pair in pairwise(edges))
    assert abs(actual - expected) < CONJUGATE_MEAN


@settings(max_examples=examples(10), deadline=None)
@given(line_laws(), st.integers(0, 2**32 - 1))
def test_fitted_map_is_increasing_with_fixed_ends(law, seed):
    """Whatever the samples (ties included), T is increasing and the identity at both ends."""
    x = np.round(np.random.default_rng(seed).normal(size=50), 1)
    _, images = _target(law, np.ones(1))
    potential = _fitted(x, images)
    assert (np.diff(potential.knots) > 0.0).all() and (np.diff(potential.images) > 0.0).all()
    assert potential.knots[0] == potential.images[0] and potential.knots[-1] == potential.images[-1]
