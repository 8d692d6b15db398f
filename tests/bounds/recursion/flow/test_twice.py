"""Two score evaluations a step: printed numbers, local errors on a line, order, and problems at random."""

import numpy as np
import pytest
from scipy import optimize, stats

from bounds import (
    BoundedSupport,
    Setting,
    StronglyLogConcave,
    TimeGrid,
    edm,
    flow_matching,
    general,
    ou,
    ve,
    vp,
)
from bounds.recursion.flow import twice
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import DIFFERENCE_QUOTIENT, FLOW_CALLS, FOUR_DIGITS, SLOPE
from tests.drawn import thinned
from tests.work_limit import at_most
from verify.certificates.question import setting_of

FLOW = theorems()["flow"]
TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]
QUARTER, MODES = Gaussian([0.0], 0.25), GaussianMixture.two_modes(2.0, 0.5)
THREE = GaussianMixture([[-1.5], [0.0], [1.0]], [0.2, 0.5, 0.3], std=0.6)
CLOSE = GaussianMixture.two_modes(0.6, 1.0)
WIDE = float(np.sqrt(6401))


def levels(high, low, steps, last=True, rho=7.0):
    """EDM's grid of noise levels, with a last step to 0 or without one."""
    spaced = np.linspace(high ** (1 / rho), low ** (1 / rho), steps + (not last)) ** rho
    spaced[0], spaced[-1] = high, low
    return TimeGrid.from_times(np.append(spaced, 0.0) if last else spaced)


def on(key, grid, prior_std=None):
    """A sampler by its key on a grid."""
    return Scheme(samplers()[key], grid, prior_std)


EDM, COARSE = levels(20.0, 0.02, 64), levels(80.0, 0.002, 18)
#: (process, law, scheme, score error, plain or saturated, signed), from the table of an independent prototype.
PRINTED = {
    "N(0,1/4), Heun": (edm(), QUARTER, on("heun", EDM), 0, 0.001344, 0.0002328),
    "N(0,1/4), midpoint": (edm(), QUARTER, on("midpoint", EDM), 0, 0.0001691, 0.0001691),
    "N(0,1/4), DPM-Solver-2": (edm(), QUARTER, on("dpm-solver-2", EDM), 0, 0.001013, 9.886e-05),
    "two modes, Heun": (edm(), MODES, on("heun", EDM), 0, 0.04256, 0.04339),
    "two modes, midpoint": (edm(), MODES, on("midpoint", EDM), 0, 0.02222, 0.0342),
    "two modes, DPM-Solver-2": (edm(), MODES, on("dpm-solver-2", EDM), 0, 0.02767, 0.03343),
    "OU, two modes, midpoint": (ou(), MODES, scheme("midpoint", 5, 100), 0, 0.08942, 0.09563),
    "flow matching, Heun in t": (flow_matching(), MODES, scheme("heun-t", 63 / 64, 63), 0, 0.01493, 0.01662),
    "three modes, midpoint": (edm(), THREE, on("midpoint", COARSE, WIDE), 0, 0.5108, 0.5703),
    "three modes, Heun": (edm(), THREE, on("heun", COARSE, WIDE), 0, 0.8708, 1.097),
    "three modes, Heun, wrong score": (edm(), THREE, on("heun", COARSE, WIDE), 0.05, 34.04, 34.26),
    "far modes, Heun": (edm(), GaussianMixture.two_modes(2.0, 0.2), on("heun", EDM), 0, 1.134, None),
}
#: Rows on which the saturation is sharper by far than the prototype's.
SHARPER = {"three modes, Heun": 0.94, "three modes, Heun, wrong score": 0.18}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_numbers(name):
    """Both recursions are the prototype's to its digits, or below by 1 %; by more where saturation is sharper."""
    process, law, sampler, error, plain, signed = PRINTED[name]
    found = FLOW.bound(Setting(process, law.assumptions()[0], sampler, error)).details
    least = found.get("plain_recursion", found.get("saturated_recursion"))
    assert plain * SHARPER.get(name, 0.99) <= least <= plain * (1 + FOUR_DIGITS / 2)
    assert signed is None or 0.99 * signed <= found["signed_recursion"] <= signed * (1 + FOUR_DIGITS / 2)


@pytest.mark.parametrize("stop, expected", [(0.4, 0.1486), (0.1, 1.549)])
def test_printed_numbers_of_two_points(stop, expected):
    """For ½δ(±1) stopped early Heun's bound is the prototype's or 1 % below, besides what stopping costs."""
    sampler = on("heun", levels(20.0, stop, 64, last=False))
    found = FLOW.bound(Setting(edm(), BoundedSupport(1.0, 1, 1.0, 0.0), sampler))
    assert 0.99 * expected <= found.total - found.terms["early stopping"] <= expected * (1 + FOUR_DIGITS / 2)


def quantiles(law, sigma, u):
    """y with P(Y_σ <= y) = u on a line, by bisection."""
    means, spread = law.means[:, 0], np.hypot(law.std, sigma)

    def cdf(y):
        return float(law.weights @ stats.norm.cdf((y - means) / spread))

    return np.array([optimize.brentq(lambda y, x=x: cdf(y) - x, means.min() - 12 * spread,
                                     means.max() + 12 * spread,
                                     xtol=1e-15) for x in u])


def posterior(law, y, sigma):
    """(ε, Ĉ, κ̂) at y on a line: the noise that is predicted, its variance, and the third moment over σ³."""
    means, var, spread = law.means[:, 0], law.std**2, law.std**2 + sigma**2
    shares = law.weights * np.exp(-0.5 * (y[:, None] - means) ** 2 / spread)
    shares /= shares.sum(axis=1, keepdims=True)
    # X_0 given its mode and Y: mean, and the variance that all modes have
    inside, own = (means * sigma**2 + y[:, None] * var) / spread, var * sigma**2 / spread
    mean = (shares * inside).sum(axis=1)
    off = inside - mean[:, None]
    second, third = (shares * off**2).sum(axis=1) + own, (shares * off**3).sum(axis=1)
    return (y - mean) / sigma, second / sigma**2, third / sigma**3


#: Nodes of quadrature over u.
NODES, RULE = np.polynomial.legendre.leggauss(24)
U, WEIGHTS = stats.norm.cdf(5 * NODES), 5 * RULE * stats.norm.pdf(5 * NODES)


@pytest.mark.parametrize("key, weaker", thinned(TWICE, [False, True], every=2))
def test_local_errors_are_above_the_exact_ones(key, weaker):
    """Of every step ‖scheme(U_τ) − U_r‖, by the flow's map between quantiles, is at most ℓ_k."""
    assumption = THREE.assumptions()[0]
    setting = Setting(ou(), assumption.weaker() if weaker else assumption, scheme(key, 3.0, 12))
    data = FlowData(setting.assumption, FLOW.functions)
    steps = TwiceSteps.of(setting, data)
    local = twice_ingredients(setting, data, steps, FLOW.functions).local
    pi, kappa, keep, again, K_2 = steps.stages
    for k in (0, 5, 9, 10, 11):
        start, end = (quantiles(THREE, max(sigma, 1e-9), U) for sigma in (steps.tau[k], steps.r[k]))
        inner = pi[k] * start - kappa[k] * posterior(THREE, start, steps.tau[k])[0]
        moved = keep[k] * start + again[k] * inner - K_2[k] * posterior(THREE, inner, steps.m[k])[0]
        assert np.sqrt(WEIGHTS @ np.square(moved - end)) <= local[k] * (1 + 1e-9)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.5, 6.0])
@pytest.mark.parametrize("law, strong", [(MODES, None), (THREE, None), (CLOSE, 0.91)],
                         ids=["two", "three", "close"])
def test_how_fast_the_turn_changes(law, strong, sigma):
    """‖δ′‖ along the flow, by differences between quantiles, is within Δ′ of every class the law belongs to."""
    step = 1e-4 * sigma
    epsilon, C, third = zip(*(posterior(law, quantiles(law, at, U), at)
                              for at in (sigma - step, sigma + step)), strict=True)
    of_ball = law.assumptions()[0]
    known = [of_ball, of_ball.weaker()]
    if strong:  # −log p is strongly convex: 1/s² − R²/s⁴
        known.append(StronglyLogConcave(strong, 1.0, second_moment=law.second_moment, mean_norm=0.0))
    for assumption in known:
        data = FlowData(assumption, FLOW.functions)
        level = data.at(np.array([sigma]))
        for (v,) in data.references(level):
            turn = [((c - v / (v + at**2)) * e - k) / at for e, c, k, at
                    in zip(epsilon, C, third, (sigma - step, sigma + step), strict=True)]
            exact = np.sqrt(WEIGHTS @ np.square((turn[1] - turn[0]) / (2 * step)))
            assert exact <= data.turn_rate(level, v)[0] * (1 + DIFFERENCE_QUOTIENT) + DIFFERENCE_QUOTIENT


@pytest.mark.parametrize("key", TWICE)
def test_second_order(key):
    """Twice as many steps of EDM's grid to an early stop divide what discretisation adds by four."""
    totals = [FLOW.bound(Setting(edm(), MODES.assumptions()[0], on(key, levels(20.0, 0.02, K, last=False)))
                         ).terms["discretisation"] for K in (128, 256)]
    assert np.log2(totals[0] / totals[1]) == pytest.approx(2.0, abs=SLOPE)


def test_dimension_of_the_ball_counts_by_its_root():
    """At four times the dimension the bound of an isotropic Gaussian is twice as large."""
    one, four = (FLOW.bound(setting_of(edm(), Gaussian(np.zeros(d), 0.25), on("heun", EDM))).total
                 for d in (1, 4))
    assert four == pytest.approx(2 * one, rel=1e-6)


def test_two_modes_in_three_dimensions_hold():
    """Where Jacobians need not commute, A_k is at least that of commuting ones, and the bound is finite."""
    law = GaussianMixture([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], std=0.5)
    for key in TWICE:
        one, three = (FLOW.bound(Setting(ou(), each.assumptions()[0], scheme(key, 5.0, 50))).total
                      for each in (MODES, law))
        assert one <= three < np.inf


def test_no_other_theorem_takes_two_evaluations():
    """Every theorem but flow names a hypothesis that a sampler with two evaluations does not meet."""
    setting = setting_of(ou(), QUARTER, scheme("heun", 2.0, 10))
    assert [key for key, theorem in theorems().items() if not theorem.unmet(setting)] == ["flow"]


PROCESSES = (ou(), vp("1/10 + 199/10*t"), ve(1), edm(), flow_matching(), general("sin(3*t) - 1/3", "1 + t/2"))


def drawn(rng, most_steps):
    """(process, scheme) at random: long and short steps, to time 0 or not, any prior."""
    process = PROCESSES[rng.integers(len(PROCESSES))]
    horizon = 1 - 2.0 ** -rng.integers(2, 8) if process == PROCESSES[4] else np.exp(rng.uniform(-1, 1.5))
    stop = horizon * np.exp(rng.uniform(-9, -1)) * (rng.random() < 0.4)
    lengths = np.cumsum(rng.exponential(1, rng.integers(1, most_steps + 1)) * np.exp(rng.uniform(0, 3)))
    times = horizon - (horizon - stop) * (lengths / lengths[-1]) ** rng.uniform(0.3, 1)
    grid = TimeGrid.from_times([horizon, *times[:-1], stop])
    return process, on(TWICE[rng.integers(4)], grid, None if rng.random() < 0.6 else float(np.exp(rng.uniform(-1.5, 2.5))))


def worst_gaussian(seeds, most_steps):
    """The least bound over exact W2 on drawn Gaussians, from looser constants and wrong scores too."""
    least = np.inf
    for seed in seeds:
        rng = np.random.default_rng(seed)
        process, sampler = drawn(rng, most_steps)
        dim = int(rng.choice([1, 2, 10]))
        spectrum = np.exp(rng.uniform(-4, 3) + rng.uniform(-1.5, 1.5, dim))
        law = Gaussian(rng.normal(size=dim) * np.sqrt(spectrum) * rng.choice([0, 1, 3]), spectrum)
        looser = rng.choice([1.0, 2.0])
        assumption = StronglyLogConcave(1 / spectrum.max() / looser, looser / spectrum.min(), dim=dim,
                                        second_moment=law.second_moment * (1 + 1e-12),
                                        mean_norm=law.mean_norm)
        error, noise = np.exp(rng.uniform(-6, 1, 2)) * (rng.random(2) < 0.4)
        push = rng.normal(size=dim)
        exact = gaussian_chain(law, exact_steps(process, sampler), error * push / np.linalg.norm(push),
                               noise).w2()
        bound = FLOW.bound(Setting(process, assumption, sampler, float(error), float(noise)))
        least = min(least, bound.total / exact.lower)
    return least


def test_never_violated_on_drawn_gaussians():
    """On 25 drawn problems of up to 6 steps, with errors of the score in both evaluations, W2 is at most the bound."""
    assert worst_gaussian(range(25), 6) >= 1 - 1e-9


@pytest.mark.deep
def test_never_violated_on_many_gaussians():
    """On 3,000 more with up to 60 steps."""
    assert worst_gaussian(range(1000, 4000), 60) >= 1 - 1e-9


@pytest.mark.parametrize("key", TWICE)
def test_a_thousand_steps_take_little_work(key):
    """The calls of a bound of 1,000 steps are those of groups of steps: 0.1 s of CPU where they are
    45,000."""
    setting = Setting(ou(), MODES.assumptions()[0], scheme(key, 5.0, 1000))
    total = FLOW.bound(setting).total
    with at_most(FLOW_CALLS):
        assert FLOW.bound(setting).total == total


def test_a_point_that_is_off_by_a_part_of_its_size_moves_the_end_by_that(monkeypatch):
    """What rounding adds to a saturated step is at least the ball's radius times it."""
    law, rounding = GaussianMixture.two_modes(6.0, 0.5), 1e-3
    setting = Setting(ou(), law.assumptions()[0], scheme("heun", 3.0, 12))
    data = FlowData(setting.assumption, FLOW.functions)
    steps = TwiceSteps.of(setting, data)
    before = twice.saturation(data, steps, FLOW.functions)[2]
    monkeypatch.setattr(twice, "ROUNDING", rounding)
    assert np.all(twice.saturation(data, steps, FLOW.functions)[2] - before >= 0.99 * rounding * data.ball[0])
