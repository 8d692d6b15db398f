"""The sampler's law on a line against closed forms, refined grids, one-step integrals and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr

from bounds.steps.affine import Steps
from closed_form.distances.line import w2_line
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.law import LineLaw, PushedLaw
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.line.sampler import SamplerLine, _rounding, line_w2, sampler_line
from tests.closed_form.tolerances import LINE_GAUSSIAN, LINE_INTEGRAL, LINE_REFINED, LINE_SYMMETRY
from tests.drawn import examples
from tests.tolerances import THREE_DIGITS

TWO_MODES = GaussianMixture([[-1.0], [1.0]], std=0.5)
FAR_MODES = GaussianMixture([[-1.25], [1.25]], std=0.05)
UNEQUAL = GaussianMixture(
    [[-2.0], [0.0], [1.5]], [0.05, 0.35, 0.6], covariances=[[[0.04]], [[1.0]], [[0.25]]]
)
REFINED = (0.4, 1e-8)


def uniform(horizon, k):
    """Uniform times from the horizon to 0."""
    return np.linspace(horizon, 0.0, k + 1)


def geometric(horizon, k, smallest):
    """Geometric times down to ``smallest``, then 0."""
    return np.append(np.geomspace(horizon, smallest, k), 0.0)


def ou_euler(time):
    """Euler-Maruyama for dX = −X dt + √2 dB, coefficients by hand."""
    h, s_sq = -np.diff(time), -np.expm1(-2.0 * time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, np.exp(-time), s_sq, float(s_sq[0]))


def ve_euler(time):
    """Euler-Maruyama for dX = dB, coefficients by hand."""
    h = -np.diff(time)
    return Steps(time, np.ones(len(h)), h, h, np.ones(len(time)), time, float(time[0]))


def ancestral(time):
    """DDPM ancestral sampling for OU: the last step has no noise when it ends at 0."""
    h, s_sq = -np.diff(time), -np.expm1(-2.0 * time)
    C = -np.expm1(-2.0 * h)
    return Steps(time, np.exp(h), np.exp(h) * C, C * s_sq[1:] / s_sq[:-1], np.exp(-time), s_sq, 1.0)


def without_noise(steps, *which):
    """The same steps with the noise of some of them removed."""
    noise_var = steps.noise_var.copy()
    noise_var[list(which)] = 0.0
    return Steps(steps.time, steps.P, steps.Q, noise_var, steps.a, steps.s_sq, steps.prior_var)


def simulated(law, steps, bias, noise_size, n, seed):
    """``n`` runs of the sampler, shape (n,), with the score of the pushed law."""
    rng = np.random.default_rng(seed)
    y = math.sqrt(steps.prior_var) * rng.standard_normal(n)
    for i in range(len(steps)):
        score = law.pushed(steps.a[i], steps.s_sq[i]).score(y[:, None])[:, 0]
        score += bias + noise_size * rng.standard_normal(n)
        y = steps.P[i] * y + steps.Q[i] * score + math.sqrt(steps.noise_var[i]) * rng.standard_normal(n)
    return y


@given(
    variance=st.floats(0.01, 10.0),
    mean=st.floats(-3.0, 3.0),
    k=st.integers(1, 60),
    bias=st.floats(-0.5, 0.5),
    noise_size=st.floats(0.0, 1.0),
    scheme=st.sampled_from([ou_euler, ve_euler, ancestral]),
)
@settings(max_examples=examples(7), deadline=None)
def test_gaussian_data_agree_with_the_chain(variance, mean, k, bias, noise_size, scheme):
    """For Gaussian data the quadrature gives the W2 of the affine chain, and the brackets meet."""
    law, steps = Gaussian([mean], variance), scheme(uniform(3.0, k))
    line = line_w2(law, steps, bias, noise_size)
    chain = gaussian_chain(law, steps, [bias], noise_size).w2()
    assert line.lower <= chain.upper and chain.lower <= line.upper
    assert line.midpoint == pytest.approx(chain.midpoint, rel=LINE_GAUSSIAN, abs=LINE_GAUSSIAN)


def test_gaussian_moments_agree_with_the_chain_over_a_thousand_steps():
    """Mean and variance of the mixture of a thousand steps are those of the chain."""
    law, steps = Gaussian([0.7], 0.25), ou_euler(uniform(5.0, 1000))
    found, chain = sampler_line(law, steps, 0.1, 0.2).law, gaussian_chain(law, steps, [0.1], 0.2)
    mean = found.weights @ found.means
    variance = found.weights @ (found.means - mean) ** 2 + found.std**2
    assert mean == pytest.approx(chain.mean[0], rel=LINE_GAUSSIAN)
    assert variance == pytest.approx(chain.variances[0], rel=LINE_GAUSSIAN)


def test_one_step_agrees_with_the_integral():
    """After one step the distribution function is ∫ φ(x) Φ((y − m(x))/c) dx, by adaptive quadrature."""
    steps = ou_euler(np.array([2.0, 0.5]))
    found = sampler_line(UNEQUAL, steps, 0.3, 0.4).law
    pushed, std = UNEQUAL.pushed(steps.a[0], steps.s_sq[0]), math.sqrt(steps.prior_var)
    c = math.sqrt(steps.noise_var[0] + (0.4 * steps.Q[0]) ** 2)

    def integrand(x, y):
        m = steps.P[0] * x + steps.Q[0] * (pushed.score(np.array([[x]]))[0, 0] + 0.3)
        return math.exp(-0.5 * (x / std) ** 2) / math.sqrt(2 * math.pi) / std * ndtr((y - m) / c)

    for y in (-3.0, 0.0, 0.5, 4.0):
        expected, _ = quad(integrand, -9 * std, 9 * std, args=(y,), epsabs=1e-13, epsrel=1e-12, limit=400)
        assert found.cdf(np.array([y]))[0] == pytest.approx(expected, abs=LINE_INTEGRAL)


def test_reference_value():
    """½N(±1, ¼), OU, Euler-Maruyama, T = 5, 400 steps: 0.0153 (docs/theory.md section 9)."""
    measured = line_w2(TWO_MODES, ou_euler(uniform(5.0, 400)))
    assert measured.midpoint == pytest.approx(0.0153, rel=THREE_DIGITS)
    assert measured.relative_width < LINE_REFINED


@pytest.mark.parametrize(
    ("law", "steps"),
    [
        (TWO_MODES, ou_euler(uniform(5.0, 1000))),
        (FAR_MODES, ou_euler(geometric(5.0, 300, 1e-3))),
        pytest.param(FAR_MODES, ou_euler(geometric(5.0, 10, 1e-3)), marks=pytest.mark.deep),
        (FAR_MODES, ou_euler(uniform(5.0, 1))),
        (UNEQUAL, ve_euler(uniform(10.0, 100))),
        (UNEQUAL, ancestral(geometric(4.0, 50, 1e-3))),
    ],
    ids=["two-modes", "far-geometric", "far-ten-steps", "far-one-step", "unequal-ve", "unequal-ancestral"],
)
def test_refined_quadrature_agrees(law, steps):
    """A finer grid gives the same W2 within 1e-8, and lies inside the bracket."""
    measured = line_w2(law, steps)
    refined = w2_line(sampler_line(law, steps, accuracy=REFINED).law, law)
    assert measured.lower <= refined.upper and refined.lower <= measured.upper
    assert measured.midpoint == pytest.approx(refined.midpoint, rel=LINE_REFINED)


@pytest.mark.parametrize(
    "steps",
    [
        ou_euler(geometric(4.0, 12, 0.05)),
        ancestral(geometric(4.0, 12, 0.05)),
        without_noise(ou_euler(uniform(3.0, 15)), 4, 5, 9),
    ],
    ids=["euler", "ancestral", "noise-free-in-the-middle"],
)
def test_simulation_agrees(steps):
    """The largest gap to the empirical distribution function obeys the DKW inequality at level 1e-6."""
    n = 200_000
    y = np.sort(simulated(UNEQUAL, steps, 0.3, 0.0, n, seed=11))
    expected = sampler_line(UNEQUAL, steps, 0.3, 0.0).law.cdf(y)
    gap = max(np.abs(expected - np.arange(n) / n).max(), np.abs(expected - np.arange(1, n + 1) / n).max())
    assert gap < math.sqrt(math.log(2 / 1e-6) / (2 * n))


def test_three_hundred_components_agree_with_simulation():
    """A mixture of 300 components of different widths is within the DKW band of a simulation."""
    rng = np.random.default_rng(5)
    variances = rng.uniform(0.01, 0.2, 300)[:, None, None]
    law = GaussianMixture(rng.normal(size=(300, 1)), rng.dirichlet(np.ones(300)), covariances=variances)
    steps, n = ou_euler(uniform(3.0, 10)), 5_000
    y = np.sort(simulated(law, steps, 0.0, 0.5, n, seed=12))
    gap = np.abs(sampler_line(law, steps, 0.0, 0.5).law.cdf(y) - (np.arange(n) + 0.5) / n).max()
    assert gap < math.sqrt(math.log(2 / 1e-6) / (2 * n)) + 0.5 / n


@given(
    means=st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=4),
    std=st.floats(0.2, 1.0),
    bias=st.floats(-0.5, 0.5),
    k=st.integers(1, 12),
)
@settings(max_examples=examples(4), deadline=None)
def test_reflection_and_scaling(means, std, bias, k):
    """W2 is unchanged by x → −x of data and bias, and doubled by x → 2x of everything."""
    weights = np.arange(1.0, len(means) + 1) / (len(means) * (len(means) + 1) / 2)
    steps = ou_euler(uniform(3.0, k))
    plain = line_w2(GaussianMixture(np.array(means)[:, None], weights, std=std), steps, bias)
    mirrored = line_w2(GaussianMixture(-np.array(means)[:, None], weights, std=std), steps, -bias)
    doubled_steps = Steps(
        steps.time,
        steps.P,
        4.0 * steps.Q,
        4.0 * steps.noise_var,
        steps.a,
        4.0 * steps.s_sq,
        4.0 * steps.prior_var,
    )
    doubled = line_w2(
        GaussianMixture(2.0 * np.array(means)[:, None], weights, std=2 * std), doubled_steps, bias / 2
    )
    assert mirrored.midpoint == pytest.approx(plain.midpoint, rel=LINE_SYMMETRY)
    assert doubled.midpoint == pytest.approx(2.0 * plain.midpoint, rel=LINE_SYMMETRY)


@pytest.mark.parametrize(
    "steps", [ou_euler(uniform(3.0, 10)), ancestral(uniform(3.0, 10))], ids=["euler", "push"]
)
def test_density_and_distribution_functions_fit(steps):
    """F + (1 − F) = 1, F increases from 0 to 1 across the support, and p is the slope of F."""
    law = sampler_line(UNEQUAL, steps).law
    low, high = law.support()
    x = np.linspace(low, high, 4001)
    F = law.cdf(x)
    np.testing.assert_allclose(F + law.sf(x), 1.0, rtol=0.0, atol=LINE_INTEGRAL)
    assert F[0] < LINE_INTEGRAL and law.sf(x)[-1] < LINE_INTEGRAL and np.diff(F).min() > -LINE_INTEGRAL
    for point in np.quantile(simulated(UNEQUAL, steps, 0.0, 0.0, 1000, seed=1), [0.01, 0.3, 0.5, 0.99]):
        mass, _ = quad(lambda t: law.pdf(np.array([t]))[0], point, point + 0.1, epsabs=1e-13)
        assert mass == pytest.approx(np.diff(law.cdf(np.array([point, point + 0.1])))[0], abs=LINE_INTEGRAL)


def test_push_forward_of_a_gaussian_by_an_affine_map():
    """The law of 2X + 1 for X ~ N(0, 1) is N(1, 4), also beyond the ends of the table."""
    source = LineLaw(np.zeros(1), np.ones(1), 1.0)
    x = np.linspace(-9.0, 9.0, 1025)
    table = np.stack([x, 2.0 * x + 1.0, np.full(x.shape, 2.0)])
    law = PushedLaw(source, lambda x: (2.0 * x + 1.0, np.full(x.shape, 2.0)), table)
    y = np.array([-18.5, -3.0, 1.0, 2.5, 20.0])
    np.testing.assert_allclose(law.cdf(y), ndtr((y - 1.0) / 2.0), rtol=LINE_INTEGRAL)
    np.testing.assert_allclose(law.sf(y), ndtr((1.0 - y) / 2.0), rtol=LINE_INTEGRAL)
    np.testing.assert_allclose(
        law.pdf(y), np.exp(-((y - 1.0) ** 2) / 8.0) / math.sqrt(8.0 * math.pi), rtol=LINE_INTEGRAL
    )


def test_point_start_is_an_atom_until_the_first_noise():
    """prior_var = 0 and a noise-free first step: for Gaussian data still the chain."""
    steps = without_noise(ou_euler(uniform(3.0, 10)), 0)
    steps = Steps(steps.time, steps.P, steps.Q, steps.noise_var, steps.a, steps.s_sq, 0.0)
    law = Gaussian([1.0], 0.3)
    expected = gaussian_chain(law, steps).w2().midpoint
    assert line_w2(law, steps).midpoint == pytest.approx(expected, rel=LINE_GAUSSIAN)


def test_what_rounding_may_be_worth_is_a_length():
    """In units a thousand times as large the effect of rounding on W2 is a thousandth, also of far modes."""
    found, steps = [], ou_euler(uniform(3.0, 10))
    for unit in (1.0, 0.001):
        law = GaussianMixture([[-12.0 * unit], [12.0 * unit]], std=unit)
        scaled = Steps(steps.time, steps.P, unit**2 * steps.Q, unit**2 * steps.noise_var, steps.a,
                       unit**2 * steps.s_sq, unit**2 * steps.prior_var)
        line = sampler_line(law, scaled)
        found.append(_rounding(line, scaled, w2_line(line.law, law).midpoint))
    assert 1000.0 * found[1] == pytest.approx(found[0], rel=THREE_DIGITS)


def test_noise_too_small_for_any_grid_is_left_out_and_paid_for():
    """Steps down to 1e-11 leave a push-forward whose bracket is widened by the noise left out."""
    law, steps = Gaussian([0.5], 0.0025), ou_euler(geometric(3.0, 40, 1e-11))
    found = sampler_line(law, steps, max_points=50_000)
    measured = line_w2(law, steps, max_points=50_000)
    chain = gaussian_chain(law, steps).w2()
    assert isinstance(found.law, PushedLaw)
    # the noise of one of the last steps and of those after it, by the slopes of the affine steps from there
    slopes = steps.P - steps.Q / (steps.a**2 * 0.0025 + steps.s_sq)[: len(steps)]
    later = np.append(np.cumprod(slopes[:0:-1])[::-1], 1.0)
    left_out = np.sqrt(np.cumsum((steps.noise_var * later**2)[::-1])[::-1])
    assert np.abs(left_out / found.neglected - 1.0).min() < LINE_REFINED
    assert measured.lower <= chain.lower and chain.upper <= measured.upper
    assert measured.upper - measured.lower < 0.05 * chain.midpoint


def test_early_stopped_sampler_against_the_law_there():
    """With ``target`` the law at the last time, W2 vanishes as the steps grow."""
    time = np.linspace(3.0, 0.1, 401)
    steps = ou_euler(time)
    target = TWO_MODES.pushed(math.exp(-0.1), -math.expm1(-0.2))
    assert line_w2(TWO_MODES, steps, target=target).upper < line_w2(TWO_MODES, steps).lower / 5.0


def test_steps_far_too_long_are_refused():
    """A chain that spreads to a million needs a grid beyond the limit: refused, naming step and size."""
    k = 12
    steps = ou_euler(uniform(3.0, k))
    wild = Steps(steps.time, np.full(k, 6.0), steps.Q, 1e-4 + 0.0 * steps.Q, steps.a, steps.s_sq, 1.0)
    with pytest.raises(GridTooLarge, match=r"step \d+ .* above the limit"):
        sampler_line(TWO_MODES, wild, max_points=20_000)


def test_steps_that_leave_the_range_of_numbers_are_refused():
    """A chain that overflows is refused, not propagated as infinity."""
    k = 5
    steps = ou_euler(uniform(3.0, k))
    wild = Steps(steps.time, np.full(k, 1e90), steps.Q, np.full(k, 1e180), steps.a, steps.s_sq, 1.0)
    with pytest.raises(ValueError, match="step"):
        sampler_line(TWO_MODES, wild)


def test_noise_free_end_that_folds_is_refused():
    """A last step without noise whose map is not increasing has no push-forward here."""
    steps = ou_euler(uniform(3.0, 3))
    with pytest.raises(ValueError, match="strictly increasing"):
        sampler_line(FAR_MODES, without_noise(steps, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"law": GaussianMixture([[0.0, 0.0], [1.0, 0.0]], std=1.0)}, "dimension 1"),
        ({"law": "mixture"}, "law must be"),
        ({"bias": math.nan}, "bias"),
        ({"noise_size": -0.1}, "noise_size"),
        ({"noise_size": math.inf}, "noise_size"),
    ],
)
def test_bad_input_is_refused(call, message):
    """Each argument that is not as documented is named in a ValueError."""
    arguments = {"law": TWO_MODES, "steps": ou_euler(uniform(1.0, 2))} | call
    with pytest.raises(ValueError, match=message):
        sampler_line(**arguments)


def test_a_sampler_without_any_noise_is_refused():
    """No noise and a point start: a deterministic number has no density."""
    steps = without_noise(ou_euler(uniform(1.0, 2)), 0, 1)
    still = Steps(steps.time, steps.P, steps.Q, steps.noise_var, steps.a, steps.s_sq, 0.0)
    with pytest.raises(ValueError, match="must have noise"):
        sampler_line(TWO_MODES, still)


@pytest.mark.parametrize("make", [ou_euler, ancestral])
def test_no_mass_is_lost(make):
    """The weights of the law's grid add up to 1, with noise in the last step and without."""
    assert sampler_line(TWO_MODES, make(uniform(2.0, 20))).mass_error < LINE_GAUSSIAN


def test_a_common_factor_of_the_mass_is_no_error():
    """A mass that is off by a rounding a step is divided out: over a million steps W2 is as certain as with a
    mass of 1, and what goes beyond that counts."""
    steps, unit = 10**6, np.finfo(float).eps
    ones, ends = np.ones(steps), np.ones(steps + 1)
    path = Steps(ends, ones, ones, ones, ends, ends, 1.0)
    law = LineLaw(np.linspace(-4.0, 4.0, 81), np.full(81, 1 / 81), 0.2)
    whole, rounded, lost = (_rounding(SamplerLine(law, error, 0.0, 81, 4.0), path, 1.0)
                            for error in (0.0, steps * unit, steps * unit + 1e-6))
    assert rounded == whole and lost > 1e3 * whole
