"""A law on the line as a mixture and as its image, against plain sums over every component."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from closed_form.sampler_laws.line.law import LineLaw, PushedLaw
from tests.closed_form.tolerances import LINE_INTEGRAL

RNG = np.random.default_rng(8)
LAW = LineLaw(np.sort(RNG.uniform(-4.0, 5.0, 300)), RNG.dirichlet(np.ones(300)), 0.07)


def bent(x):
    """A map with slopes between 1/2 and 3/2 that is no polynomial."""
    return x + 0.5 * np.sin(x), 1.0 + 0.5 * np.cos(x)


def pushed(points=40):
    """The law under it, on a table so coarse that a cell is far from a line."""
    x = np.linspace(*LAW.support(), points)
    return PushedLaw(LAW, bent, np.stack([x, *bent(x)]))


def test_a_mixture_is_the_sum_of_its_components():
    """Density and both distribution functions are plain sums over all components, also far in the tails and
    in any shape."""
    x = np.linspace(*LAW.support(), 2000).reshape(40, 50)
    gaps = x[..., None] - LAW.means
    assert LAW.pdf(x) == pytest.approx(norm.pdf(gaps, scale=0.07) @ LAW.weights, rel=LINE_INTEGRAL)
    below, above = norm.cdf(gaps, scale=0.07) @ LAW.weights, norm.sf(gaps, scale=0.07) @ LAW.weights
    assert LAW.cdf(x) == pytest.approx(below, rel=LINE_INTEGRAL)
    assert LAW.sf(x) == pytest.approx(above, rel=LINE_INTEGRAL)


def test_knots_cut_lengths_and_masses():
    """Knots ascend over the whole support, 2 std apart inside it, with little length and mass between two."""
    knots, (low, high) = LAW.knots(), LAW.support()
    assert knots[0] == low == LAW.means[0] - 9 * 0.07 and knots[-1] == high == LAW.means[-1] + 9 * 0.07
    inside = knots[1:-1]
    assert np.all(np.isin(inside, LAW.means)) and np.all(np.diff(knots) > 0)
    assert len(np.unique(np.floor((inside - low) / 0.14))) == len(inside)
    assert len(inside) > 50 and np.diff(LAW.cdf(inside)).max() < 0.06


def test_the_image_is_found_back_in_every_cell():
    """T⁻¹(T(x)) is x, in the first cell and the last as well, for one point and for many; beyond the support
    T is a line."""
    law = pushed()
    x = np.linspace(*LAW.support(), 777)
    assert law._inverse(bent(x)[0]) == pytest.approx(x, abs=1e-12)
    assert law._inverse(bent(x[3])[0]) == pytest.approx(x[3], abs=1e-12)
    low, high = LAW.support()
    for end, outside in ((low, -2.0), (high, 2.0)):
        value, slope = bent(end)
        assert law._inverse(np.array([value + outside]))[0] == pytest.approx(end + outside / slope, abs=1e-12)


def test_the_image_has_the_density_and_the_mass_of_its_source():
    """p(T(x)) = p(x)/T'(x) and P(T(X) ≤ T(x)) = P(X ≤ x); support and knots are images of those of the
    source."""
    law, x = pushed(), np.linspace(-4.0, 5.0, 501)
    y, slope = bent(x)
    assert law.pdf(y) == pytest.approx(LAW.pdf(x) / slope, rel=1e-9)
    assert law.cdf(y) == pytest.approx(LAW.cdf(x), rel=1e-9)
    assert law.sf(y) == pytest.approx(LAW.sf(x), rel=1e-9)
    assert law.support() == pytest.approx(bent(np.array(LAW.support()))[0])
    knots = law.knots()
    assert np.all(np.diff(knots) > 0) and np.all(np.isin(law.table[1], knots))
    assert math.isclose(knots[0], law.support()[0]) and math.isclose(knots[-1], law.support()[1])
