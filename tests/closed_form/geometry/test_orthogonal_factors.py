"""Mixtures that factor over orthogonal directions: found, refused, and measured exactly."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import euler_maruyama, ou
from closed_form import GaussianMixture
from closed_form.geometry.orthogonal_factors import factors, independent_parts, product_assumption
from closed_form.posteriors.moments import posterior_moments
from closed_form.sampler_laws.w2 import exact_law_available, sampler_w2
from tests.closed_form.tolerances import PRODUCT
from tests.drawn import examples
from verify.certificates.certificate import Verdict, certify


def grid_law(rng, sizes, dim, std, axes=True):
    """(law, lines): means at all combinations of random places along orthonormal directions, product
    weights."""
    basis = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    directions = np.eye(dim)[rng.permutation(dim)[: len(sizes)]] if axes else basis[: len(sizes)]
    places = [np.sort(rng.uniform(-1, 1, n)) * 2 for n in sizes]
    chances = [rng.dirichlet(np.ones(n) * 3) for n in sizes]
    means = np.array(
        [sum(x * u for x, u in zip(p, directions, strict=True)) for p in itertools.product(*places)]
    )
    weights = np.array([math.prod(c) for c in itertools.product(*chances)])
    law = GaussianMixture(means + rng.normal(size=dim) * (0.5 if axes else 0.0), weights=weights, std=std)
    return law, [GaussianMixture(p[:, None], c, std=std) for p, c in zip(places, chances, strict=True)]


@settings(max_examples=examples(10))
@given(st.integers(0, 10**6), st.lists(st.integers(2, 3), min_size=2, max_size=3), st.integers(3, 30))
def test_products_along_the_axes_are_found(seed, sizes, dim):
    """As many lines as factors, with their places and weights, whatever the offset and the order of the
    axes."""
    rng = np.random.default_rng(seed)
    law, lines = grid_law(rng, sizes, dim, 0.5)
    found = factors(law)
    assert not isinstance(found, str) and len(found.lines) == len(sizes)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(len(sizes)), atol=1e-12)
    widths = lambda parts: sorted(float(np.ptp(line.means)) for line in parts)  # noqa: E731
    np.testing.assert_allclose(widths(found.lines), widths(lines), rtol=1e-9)
    assert found.rest is None or found.rest.dim == dim - len(sizes)


def test_exact_w2_of_a_product_adds_in_squares():
    """W2² of the sampler is the sum of the lines' own, measured one by one, and of the Gaussian rest."""
    rng = np.random.default_rng(8)
    law, lines = grid_law(rng, (2, 3), 2, 0.6, axes=False)
    steps = euler_maruyama(4.0, 60).steps(ou())
    assert exact_law_available(law) is None
    parts = [sampler_w2(GaussianMixture(line.means, line.weights, std=0.6), steps).midpoint for line in lines]
    assert sampler_w2(law, steps).midpoint == pytest.approx(math.hypot(*parts), rel=PRODUCT)


def test_score_errors_split_over_the_factors():
    """A bias along one factor leaves the other alone; fresh noise is shared by the dimensions."""
    rng = np.random.default_rng(9)
    law, _ = grid_law(rng, (2, 2), 2, 0.6, axes=False)
    steps = euler_maruyama(3.0, 40).steps(ou())
    found = factors(law)
    biased = sampler_w2(law, steps, 0.2, direction=found.directions[0]).midpoint
    parts = (
        sampler_w2(found.lines[0], steps, 0.2, direction=np.ones(1)).midpoint,
        sampler_w2(found.lines[1], steps).midpoint,
    )
    assert biased == pytest.approx(math.hypot(*parts), rel=PRODUCT)
    noisy = [sampler_w2(line, steps, 0.0, 0.3 / math.sqrt(2)).midpoint for line in found.lines]
    assert sampler_w2(law, steps, 0.0, 0.3).midpoint == pytest.approx(math.hypot(*noisy), rel=PRODUCT)


def test_the_mmse_curve_of_a_product_is_the_sum_of_its_lines():
    """Mean and mean square of the excess are the lines' averages over the dimension, and Monte Carlo
    agrees."""
    rng = np.random.default_rng(10)
    law, lines = grid_law(rng, (2, 3), 4, 0.7)
    q = np.array([0.0, 0.3, 2.0])
    found = posterior_moments(law).at(q)
    parts = [posterior_moments(line).at(q) for line in lines]
    np.testing.assert_allclose(found[0], sum(p[0] for p in parts) / 4, rtol=1e-8)
    np.testing.assert_allclose(found[2], sum(p[2] for p in parts) / 4, rtol=1e-8)
    # Var(X_0 | X_0 + Z/√q) from the Hessian of the smoothed law: tr Cov = (d + tr H/q)/q
    n, information = 40_000, 2.0
    smoothed = law.pushed(1.0, 1 / information)
    x = smoothed.sample(n, rng)
    traces = (4 + np.trace(smoothed.hessian(x), axis1=1, axis2=2) / information) / information
    expected = 4 * (1 / (information + 0.7**-2) + found[0][2])
    assert abs(traces.mean() - expected) < 5 * traces.std() / math.sqrt(n)


def test_the_envelope_of_the_factors_is_sharper_and_holds():
    """M is the largest of the factors', and the bound from it holds on 2^4 modes where the ball's is far
    larger."""
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=4)))
    law = GaussianMixture(np.pad(signs, ((0, 0), (0, 4))), std=0.7)
    envelope, ball = product_assumption(law), law.assumptions()[0]
    assert envelope.M == pytest.approx(0.7**-4) and ball.M == pytest.approx(4 * 0.7**-4)
    sharp, wide = (
        certify("martingale", process=ou(), law=law, scheme=euler_maruyama(4, 100), assumption=a)
        for a in (envelope, ball)
    )
    assert sharp.verdict is Verdict.HOLDS and wide.verdict is Verdict.HOLDS
    assert sharp.bound.total < 0.2 * wide.bound.total
    assert law.facts().moments is not None


@pytest.mark.parametrize(
    ("means", "weights", "options"),
    [
        ([[0, 0], [1, 0], [0, 1]], None, {"std": 0.5}),
        ([[-1, -1], [-1, 1], [1, -1], [1, 1]], [0.4, 0.2, 0.2, 0.2], {"std": 0.5}),
        ([[0, 0], [1, 0], [0, 1], [1, 1.1]], None, {"std": 0.5}),
        ([[-1, -1], [-1, 1], [1, -1], [1, 1]], None, {"covariance": np.diag([0.5, 0.2])}),
    ],
)
def test_what_does_not_factor_is_said(means, weights, options):
    """Missing corners, weights that are no product, a bent grid and unequal variances have no factors, and no
    parts."""
    law = GaussianMixture(np.array(means, dtype=float), weights, **options)
    assert isinstance(factors(law), str) and isinstance(independent_parts(law), str)
    with pytest.raises(ValueError, match="must factor"):
        product_assumption(law)
