"""The flow bound: printed numbers, local errors on a line, exactness on Gaussians, order, dimension, saturation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from bounds import (
    BoundedSupport,
    Setting,
    SmoothedSupport,
    TimeGrid,
    WeaklyLogConcave,
    edm,
    flow_matching,
    ou,
    ve,
    vp,
)
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import flow_ingredients
from bounds.recursion.flow.steps import FlowSteps, saturation
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import DIGITS_LOST, FLOW_AMPLIFIED, FOUR_DIGITS, SLOPE
from tests.drawn import examples
from verify import strategies
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of
from verify.particles.simulation import sample

FLOW = theorems()["flow"]
SILENT = [key for key in samplers(1) if key in FLOW.domain.sampler]
ONCE = [key for key in SILENT if samplers()[key].evaluations == 1]
QUARTER, MODES = Gaussian([0.0], 0.25), GaussianMixture.two_modes(2.0, 0.5)
VP = vp("1/10 + 199/10*t")


def levels(high, low, steps, last=True, rho=7.0):
    """EDM's grid of noise levels, with a last step to 0 or without one."""
    spaced = np.linspace(high ** (1 / rho), low ** (1 / rho), steps + (not last)) ** rho
    spaced[0], spaced[-1] = high, low
    return TimeGrid.from_times(np.append(spaced, 0.0) if last else spaced)


EDM = levels(20.0, 0.02, 64)
THREE = GaussianMixture([[-1.5], [0.0], [1.0]], [0.2, 0.5, 0.3], std=0.6)
#: (process, law, scheme, plain or saturated, signed), as theory_ode's table of an independent prototype has them.
PRINTED = {
    "OU, N(0,1/4), Euler": (ou(), QUARTER, scheme("ode-euler", 4, 100), 0.02217, 0.02213),
    "OU, N(0,1/4), exponential": (ou(), QUARTER, scheme("ode-exponential", 4, 100), 0.01519, 0.01515),
    "OU, N(0,1/4), DDIM": (ou(), QUARTER, scheme("ddim", 4, 100), 0.08087, 0.08087),
    "OU, N(0,I), d = 100": (ou(), Gaussian(np.zeros(100), 1.0), scheme("ode-euler", 4, 100), 0.001677, 0.001677),
    "OU, two modes, Euler": (ou(), MODES, scheme("ode-euler", 5, 100), 0.2026, 0.2189),
    "OU, two modes, exponential": (ou(), MODES, scheme("ode-exponential", 5, 100), 0.1546, 0.1688),
    "OU, two modes, DDIM": (ou(), MODES, scheme("ddim", 5, 100), 0.3506, 0.4596),
    "VP, two modes, DDIM": (VP, MODES, scheme("ddim", 1, 200), 0.0665, 0.09544),
    "VP, two modes, exponential": (VP, MODES, scheme("ode-exponential", 1, 200), 0.03823, 0.04511),
    "EDM, N(0,1/4)": (edm(), QUARTER, Scheme(samplers()["ddim"], EDM), 0.01516, 0.01516),
    "EDM, two modes": (edm(), MODES, Scheme(samplers()["ddim"], EDM), 0.2079, 0.3082),
    "EDM, three modes": (edm(), THREE, Scheme(samplers()["ddim"], levels(80.0, 0.002, 36), float(np.sqrt(6401))),
                         0.6229, 0.7563),
    "flow matching": (flow_matching(), MODES, scheme("ddim", 1 - 1 / 64, 63), 0.1442, 0.2229),
    "EDM, far modes": (edm(), GaussianMixture.two_modes(2.0, 0.2), Scheme(samplers()["ddim"], EDM), 1.255, None),
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_numbers(name):
    """Plain (saturated) and signed recursions are the prototype's to its digits, or below by at most 1.5 %."""
    process, law, sampler, plain, signed = PRINTED[name]
    found = FLOW.bound(Setting(process, law.assumptions()[0], sampler)).details
    least = found.get("plain_recursion", found.get("saturated_recursion"))
    assert plain * 0.985 <= least <= plain * (1 + FOUR_DIGITS)
    assert signed is None or found["signed_recursion"] == pytest.approx(signed, rel=FOUR_DIGITS)


def test_printed_number_of_two_points():
    """For ½δ(±1) stopped at σ = 0.1 the saturated recursion is the prototype's 1.604, and early stopping adds
    the noise that is left, 0.1."""
    grid = levels(20.0, 0.1, 64, last=False)
    found = FLOW.bound(Setting(edm(), BoundedSupport(1.0, 1, 1.0, 0.0), Scheme(samplers()["ddim"], grid)))
    assert found.details["recursion"] == "saturated"
    assert found.terms["early stopping"] == pytest.approx(0.1, rel=1e-9)
    assert found.total - 0.1 == pytest.approx(1.604, rel=FOUR_DIGITS)


def test_constants_of_weak_log_concavity_alone():
    """Without the ball the two modes' bound is the prototype's 0.769, five times that with it."""
    weak = WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25)
    found = FLOW.bound(Setting(ou(), weak, scheme("ode-exponential", 5, 100))).details
    assert found["plain_recursion"] == pytest.approx(0.769, rel=FOUR_DIGITS)
    assert found["signed_recursion"] == pytest.approx(0.7843, rel=FOUR_DIGITS)


@pytest.mark.parametrize("key", SILENT)
@settings(max_examples=examples(4))
@given(variance=st.floats(-3, 2).map(lambda x: 10.0**x), dim=st.integers(1, 50), seed=st.integers(0, 999),
       mean=st.sampled_from([0.0, 3.0]))
@example(variance=0.01, dim=1, seed=0, mean=0.0)  # heun-t turns the data around
@example(variance=0.01, dim=1, seed=393, mean=3.0)  # and moves their mean, which the known errors must see
def test_exact_on_isotropic_gaussians(key, variance, dim, seed, mean):
    """On N(0, v I) the signed recursion is the exact W2 on any grid, or the sum of both widths where the sampler's map
    turns the data around, and the bound is above it where the mean is not 0."""
    rng = np.random.default_rng(seed)
    times = np.append(np.sort(rng.uniform(0.0, 3.0, rng.integers(1, 12)))[::-1], 0.0)
    setting = setting_of(vp("1/10 + 4*t") if seed % 2 else ou(), Gaussian(np.full(dim, mean), variance),
                         Scheme(samplers()[key], TimeGrid.from_times(times)))
    certificate = certify_setting(FLOW, setting, Gaussian(np.full(dim, mean), variance))
    assert certificate.verdict is Verdict.HOLDS
    if mean == 0.0:
        signed = certificate.bound.details["signed_recursion"]
        size = np.sqrt(dim * variance)
        exact, steps = certificate.measured.midpoint, setting.table.steps()
        silence = np.zeros((len(steps) + 1, 1, dim))
        factor = sample(Gaussian(np.zeros(dim), variance), steps, 1, None, increments=silence, start=silence[0] + 1)[0, 0]
        wanted = exact if factor > 0 else size - factor * np.sqrt(dim * steps.prior_var)
        assert signed == pytest.approx(wanted, abs=FLOW_AMPLIFIED * size * (1 + wanted / size) ** 2)


@pytest.mark.parametrize("g", ["20 + cos(1e17 + t)", "20 + cos(1e13 + t)", "20 + 1e9*(exp(t/1e9) - 1)",
                               "20 + 1e6*(cos(1e9 + t) - cos(1e9))", "2 + sin(300*t)"])
def test_coefficients_whose_digits_floats_lose(g):
    """Where the bound is the exact W2 it is not below it, and near it, though floats know g to few digits only."""
    law = Gaussian([0.0], 0.3)
    certificate = certify_setting(FLOW, setting_of(ve(g), law, scheme("ode-exponential", 1.0, 20)), law)
    assert certificate.verdict is Verdict.HOLDS and certificate.ratio <= 1 + DIGITS_LOST


def quantiles(means, weights, spread, levels):
    """x with P(X <= x) = u for a mixture on a line, by bisection from the nearer tail."""
    def cdf(x):
        return float(weights @ stats.norm.cdf((x - means) / spread))

    edge = 12 * spread
    return np.array([optimize.brentq(lambda x, u=u: cdf(x) - u, means.min() - edge, means.max() + edge,
                                     xtol=1e-14) for u in levels])


@pytest.mark.parametrize("key", ONCE)
@pytest.mark.parametrize("law", [MODES, THREE], ids=["two modes", "three modes"])
def test_local_errors_are_above_the_exact_ones(key, law):
    """Of every step ‖scheme(U_τ) − U_r‖, by the monotone map of the flow between quantiles, is at most ℓ_k."""
    sampler = scheme(key, 3.0, 12)
    setting = Setting(ou(), law.assumptions()[0], sampler)
    data = FlowData(setting.assumption, FLOW.functions)
    steps = FlowSteps.of(setting, data)
    local = flow_ingredients(setting, data, steps, FLOW.functions).local
    nodes, rule = np.polynomial.legendre.leggauss(24)
    means, weights = law.means[:, 0], law.weights
    u, rule = stats.norm.cdf(5 * nodes), 5 * rule * stats.norm.pdf(5 * nodes)
    for k in (0, 5, 9, 10, 11):
        tau, r = steps.tau[k], steps.r[k]
        start, end = (quantiles(means, weights, np.hypot(law.std, sigma), u) for sigma in (tau, r))
        spread = np.hypot(law.std, tau)
        shares = weights * stats.norm.pdf((start[:, None] - means) / spread)
        pull = (start[:, None] - means) / spread**2
        epsilon = tau * (shares * pull).sum(axis=1) / shares.sum(axis=1)
        moved = (1 + steps.drift[k]) * start - steps.weight[k] * epsilon
        assert np.sqrt(rule @ np.square(moved - end)) <= local[k] * (1 + 1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 4.0, 30.0])
@pytest.mark.parametrize("law", [MODES, THREE, QUARTER, GaussianMixture([[0.0], [5.0]], [0.9, 0.1], std=0.3)],
                         ids=["two", "three", "normal", "far"])
def test_third_moments_and_sizes(law, sigma):
    """‖ε‖, ‖κ̂‖ and ‖ε′ − ĉ_0 ε/σ‖ of a mixture, by quadrature over its components, are within their bounds."""
    data = FlowData(law.assumptions()[0], FLOW.functions)
    mixture = law.components()
    means, weights, var = mixture.means[:, 0], mixture.weights, float(mixture.spectrum.ravel()[0])
    nodes, rule = np.polynomial.hermite_e.hermegauss(60)
    total = {"e": 0.0, "k": 0.0, "turn": 0.0}
    v, level = 0.4, data.at(np.array(sigma))
    for centre, weight in zip(means, weights, strict=True):
        y = centre + np.sqrt(var + sigma**2) * nodes
        shares = weights * np.exp(-np.square(y[:, None] - means) / (2 * (var + sigma**2)))
        shares /= shares.sum(axis=1, keepdims=True)
        inner = (means * sigma**2 + y[:, None] * var) / (sigma**2 + var)
        within = var * sigma**2 / (var + sigma**2)
        mean = (shares * inner).sum(axis=1)
        off = inner - mean[:, None]
        second, third = within + (shares * off**2).sum(axis=1), (shares * (off**3 + 3 * off * within)).sum(axis=1)
        epsilon = (y - mean) / sigma
        turn = (second / sigma**2 * epsilon - third / sigma**3) / sigma - v / (v + sigma**2) * epsilon / sigma
        for name, value in (("e", epsilon), ("k", third / sigma**3), ("turn", turn)):
            total[name] += weight * (rule / rule.sum()) @ np.square(value)
    assert np.sqrt(total["e"]) <= level.e * (1 + 1e-9)
    assert np.sqrt(total["k"]) <= level.k * (1 + 1e-9) + 1e-12
    assert np.sqrt(total["turn"]) <= data.turn(level, v) * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("key", ONCE)
def test_first_order_and_root_of_the_dimension(key):
    """Halving the steps halves the bound; at four times the dimension it is twice as large."""
    totals = [FLOW.bound(Setting(edm(), MODES.assumptions()[0], Scheme(samplers()[key], levels(20.0, 0.02, K)))
                         ).terms["discretisation"] for K in (1024, 2048)]
    assert np.log2(totals[0] / totals[1]) == pytest.approx(1.0, abs=SLOPE)
    sizes = [FLOW.bound(setting_of(VP, Gaussian(np.zeros(d), np.linspace(0.3, 0.5, d)),
                                   scheme(key, 1.0, 100))).total for d in (100, 400)]
    assert sizes[1] / sizes[0] == pytest.approx(2.0, rel=0.02)


def test_far_modes_saturate():
    """At R/s0 = 10 the plain recursion would be above e^50, the bound stays below twice the diameter."""
    law = SmoothedSupport(1.0, 0.1, second_moment=1.01)
    setting = Setting(edm(), law, Scheme(samplers()["ddim"], levels(20.0, 0.02, 200)))
    loose = Setting(edm(), law.weaker(), setting.scheme)
    assert FLOW.bound(setting).total < 4.0 < 1e10 < FLOW.bound(loose).total


@settings(max_examples=examples(12))
@given(strategies.questions(FLOW, most_steps=60))
def test_never_violated_inside_its_hypotheses(question):
    """On problems drawn inside the hypotheses, every sampler without noise, the bound is at least the exact W2."""
    certificate = certify_setting(FLOW, question.setting, question.problem.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


@pytest.mark.deep
@settings(max_examples=4000)
@given(strategies.questions(FLOW, most_steps=200))
def test_never_violated_on_many(question):
    """The same on thousands."""
    certificate = certify_setting(FLOW, question.setting, question.problem.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("error", ["drift_error", "gap_error"])
def test_what_is_open_in_a_step_is_open_in_its_end(error):
    """Where Π or K may be off by more, no part of the saturated recursion is smaller and its last is
    larger."""
    setting = Setting(ou(), MODES.assumptions()[0], scheme("ode-euler", 3.0, 12))
    data = FlowData(setting.assumption, FLOW.functions)
    steps = FlowSteps.of(setting, data)
    wider = replace(steps, **{error: getattr(steps, error) + 1e-3})
    before, after = (saturation(data, each, FLOW.functions) for each in (steps, wider))
    assert all(np.all(large >= small) for small, large in zip(before, after, strict=True))
    assert np.all(after[2] > before[2])
