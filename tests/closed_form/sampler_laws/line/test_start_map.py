"""Samplers without noise on a line: the map of the start, increasing or folded, against sorting and closed
forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from bounds import ou
from bounds.grid import TimeGrid
from bounds.processes.edm import edm
from bounds.sampler import Scheme, ddim, heun
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from closed_form import Gaussian, GaussianMixture
from closed_form.distances.line_mixture import LineMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.folded import folded_w2
from closed_form.sampler_laws.line.law import LineLaw
from closed_form.sampler_laws.line.maps import LineSteps
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.line.sampler import line_w2
from closed_form.sampler_laws.line.start_map import image_w2
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import MAP_ROUNDING, SORTED, START_MAP, START_MAP_CALLS
from tests.drawn import examples
from tests.work_limit import at_most

NORMAL = LineLaw(np.zeros(1), np.ones(1), 1.0)
THREE = GaussianMixture([[-1.0], [0.3], [1.0]], [0.2, 0.5, 0.3], std=0.1)
#: (sampler, process, times, law) of which the map of the start folds.
FOLDED = {
    "heun": ("heun", edm(), (20.0, 0.2, 0.01, 0.0), GaussianMixture([[-1.0], [1.0]], std=0.05)),
    "heun, mildly": ("heun", edm(), (20.0, 2.0, 0.5, 0.1, 0.0), GaussianMixture([[-1.0], [1.0]], std=0.05)),
    "dpm-solver-2": ("dpm-solver-2", edm(), (20.0, 1.0, 0.1, 0.0), THREE)}


def chain_of(key, process, times, law):
    """The steps of a sampler on a grid."""
    return exact_steps(process, Scheme(samplers()[key], TimeGrid.from_times(times)))


def moved(law, steps, y):
    """The last iterate from y, by the score of the pushed law."""
    second = steps.second
    score = lambda x, a, s_sq: law.pushed(float(a), float(s_sq)).score(x[:, None])[:, 0]  # noqa: E731
    for i in range(len(steps)):
        u = steps.P[i] * y + steps.Q[i] * score(y, steps.a[i], steps.s_sq[i])
        y = second.keep[i] * y + second.P[i] * u
        if second.Q[i]:
            y = y + second.Q[i] * score(u, second.a[i], second.s_sq[i])
    return y


@pytest.mark.parametrize("name", FOLDED)
def test_a_fold_is_sorted(name):
    """Where the map of the start falls, W2 is that of 400,000 sorted values at the middles of equal
    masses."""
    key, process, times, law = FOLDED[name]
    steps = chain_of(key, process, times, law)
    found = line_w2(law, steps)
    u = (np.arange(400_000) + 0.5) / 400_000
    values = np.sort(moved(law, steps.rounded(), math.sqrt(float(steps.prior_var)) * stats.norm.ppf(u)))
    x = np.linspace(law.means.min() - 1, law.means.max() + 1, 200_001)
    cdf = sum(w * stats.norm.cdf((x - m) / law.std)
              for m, w in zip(law.means[:, 0], law.weights, strict=True))
    brute = float(np.sqrt(np.mean(np.square(values - np.interp(u, cdf, x)))))
    assert "sorted" in found.method and found.estimated
    assert found.midpoint == pytest.approx(brute, rel=SORTED)
    assert found.relative_width < SORTED


def test_a_square_against_chi_squared():
    """X² of a normal X against N(1, 2): the integral of the difference of quantiles, inside a narrow
    bracket."""
    target = LineMixture([1.0], math.sqrt(2.0))
    found = image_w2(NORMAL, lambda x: (x * x, 2 * x, np.zeros_like(x)), target)
    square, _ = quad(lambda u: (stats.chi2.ppf(u, 1) - 1 - math.sqrt(2) * stats.norm.ppf(u)) ** 2, 0, 1,
                     epsabs=1e-12, limit=500)
    assert math.sqrt(square) in found and found.relative_width < SORTED


def test_a_reflection_is_no_error():
    """−X has the law of a normal X: the sorted values are at distance 0 within the bracket."""
    found = image_w2(NORMAL, lambda x: (-x, -np.ones_like(x), np.zeros_like(x)), LineMixture([0.0], 1.0))
    assert 0.0 in found and found.upper < SORTED


@settings(max_examples=examples(3))
@given(steps=st.integers(2, 12), std=st.floats(0.1, 1.0), far=st.floats(0.2, 3.0), key=st.sampled_from(
    ["ddim", "ode-exponential", "heun", "midpoint"]))
def test_sorting_agrees_where_the_map_increases(steps, std, far, key):
    """The quadrature of an increasing map is inside the bracket of its sorted values."""
    law = GaussianMixture([[-far], [0.1], [far]], [0.3, 0.3, 0.4], std=std)
    numbers = exact_steps(ou(), Scheme(samplers()[key], TimeGrid.uniform(3.0, steps)))
    chain, target = LineSteps.of(law, numbers, 0.0, 0.0), LineMixture.of(law)
    start = LineLaw(np.zeros(1), np.ones(1), math.sqrt(float(numbers.prior_var)))

    def image(x):
        return chain.followed(0, len(numbers), x)

    found, atoms = image_w2(start, image, target), folded_w2(start, image, target)
    assert found.lower <= atoms.upper and atoms.lower <= found.upper
    assert "sorted" in found.method or atoms.lower <= found.midpoint <= atoms.upper


@settings(max_examples=examples(8))
@given(variance=st.floats(0.01, 10.0), mean=st.floats(-3.0, 3.0), k=st.integers(1, 60),
       bias=st.floats(-0.5, 0.5), key=st.sampled_from(["ode-euler", "heun", "heun-t"]))
def test_gaussian_data_agree_with_the_chain(variance, mean, k, bias, key):
    """Of Gaussian data the map of the start has the W2 of the affine chain, inside both brackets."""
    steps = exact_steps(ou(), Scheme(samplers()[key], TimeGrid.uniform(3.0, k)))
    law = Gaussian([mean], variance)
    line, chain = line_w2(law, steps, bias), gaussian_chain(law, steps, np.array([bias])).w2()
    assert line.lower <= chain.upper and chain.lower <= line.upper
    assert line.midpoint == pytest.approx(chain.midpoint, rel=START_MAP, abs=START_MAP)


def test_rounding_is_followed_along_the_steps():
    """Over 1000 steps the values are within what rounding may have done to them of those in extended
    precision."""
    steps, law = exact_steps(ou(), ddim(5.0, 1000)), GaussianMixture.two_modes(2.0, 0.5)
    x = np.linspace(-3.0, 3.0, 13)
    found, _, doubt = LineSteps.of(law, steps, 0.0, 0.0).followed(0, 1000, x)
    y = x.astype(np.longdouble)
    for i in range(1000):
        V = steps.a[i] ** 2 / 4 + steps.s_sq[i]
        share = 1 / (1 + np.exp(-2 * y * steps.a[i] / V))
        y = steps.P[i] * y + steps.Q[i] * (steps.a[i] * (2 * share - 1) - y) / V
    assert np.all(np.abs(found - y) <= doubt) and doubt.max() < MAP_ROUNDING


def test_components_of_different_widths_move_as_those_of_one():
    """Two components whose variances differ by a rounding are moved as if they did not: two ways to write
    it."""
    steps = exact_steps(ou(), heun(3.0, 20))
    one = GaussianMixture([[-1.0], [1.0]], std=0.5)
    other = GaussianMixture([[-1.0], [1.0]], covariances=[[[0.25]], [[0.25 * (1 + 1e-15)]]])
    x = np.linspace(-4.0, 4.0, 33)
    first, second = (LineSteps.of(law, steps, 0.3, 0.0).followed(0, 20, x) for law in (one, other))
    np.testing.assert_allclose(first[0], second[0], rtol=MAP_ROUNDING)
    np.testing.assert_allclose(first[1], second[1], rtol=MAP_ROUNDING)


def test_a_thousand_components():
    """Quantiles of a thousand components at levels of both tails come back from their distribution
    functions."""
    rng = np.random.default_rng(4)
    law = LineMixture(rng.normal(size=1000), rng.uniform(0.01, 0.3, 1000), rng.dirichlet(np.ones(1000)))
    x = np.linspace(*law.support(), 101)[1:-1]
    np.testing.assert_allclose(law.quantile(law.cdf(x), law.sf(x)), x, atol=SORTED)


def test_a_thousand_steps_take_little_work():
    """Calls are by steps and rounds of halving, not by nodes: 0.3 s of CPU where this is 170,000."""
    steps = exact_steps(ou(), heun(5.0, 1000))
    law = GaussianMixture.two_modes(2.0, 0.5)
    line_w2(law, steps)
    with at_most(START_MAP_CALLS):
        found = line_w2(law, steps)
    assert found.upper > 0


def test_what_overflows_is_refused():
    """A map beyond the range of floats has no W2: refused, as a grid too large is."""
    steps = exact_steps(ou(), ddim(3.0, 5)).rounded()
    wild = Steps(steps.time, np.full(5, 1e90), steps.Q, steps.noise_var, steps.a, steps.s_sq, 1.0)
    with pytest.raises(GridTooLarge, match="left the range of numbers"):
        line_w2(THREE, wild)
