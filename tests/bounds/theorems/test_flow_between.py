"""The flow bound with noise: printed numbers, both ends of λ, formulas by quadrature, order, saturation,
refusals."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Setting, SmoothedSupport, TimeGrid, WeaklyLogConcave, edm, general, ou, own_sampler, vp
from bounds.recursion.flow.between import Between
from bounds.sampler import Scheme, ddim, scheme
from bounds.samplers import samplers
from bounds.steps.path import Path
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import (
    ALL_DIGITS,
    BETWEEN_FITTED,
    BETWEEN_LIMIT,
    FOUR_DIGITS,
    ORDERED,
    QUADRATURE,
    SLOPE,
)
from tests.drawn import examples
from verify import strategies
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of

BETWEEN = theorems()["flow-between"]
QUARTER, MODES = Gaussian([0.0], 0.25), GaussianMixture.two_modes(2.0, 0.5)
WIDE = Gaussian([0.3, 0.0, -1.0], [0.25, 1.0, 0.5])
REVERSE = ("euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean",
           "posterior-mean-matched", "ancestral")
#: η, and the bounds of an independent prototype on N(0, ¼), T = 4, K = 100, and on ½N(±1, ¼), T = 5, K = 50.
PRINTED = [(0.25, 0.1106, 0.6202), (0.5, 0.1574, 0.6757), (0.75, 0.2065, 0.6459), (1.0, 0.2548, 0.579)]


@pytest.mark.parametrize(("eta", "normal", "modes"), PRINTED)
def test_printed_numbers(eta, normal, modes):
    """With λ = η in all steps the bounds of DDIM are the prototype's to its digits, or below by at most 1 %;
    the bound, where every step has its best λ, is never above them."""
    for law, sampler, printed in ((QUARTER, ddim(4, 100, eta=eta), normal),
                                  (MODES, ddim(5, 50, eta=eta), modes)):
        found = BETWEEN.bound(Setting(ou(), law.assumptions()[0], sampler))
        plain = found.details["plain_recursion"]
        assert 0.99 * printed <= plain <= printed * (1 + FOUR_DIGITS)
        assert found.details["lambda"] == eta and found.total <= plain * (1 + ORDERED)


ORDERS = st.floats(-20.0, 20.0).map(lambda power: 10.0**power)


@settings(max_examples=examples(60))
@given(r=ORDERS, growth=ORDERS, variance=ORDERS, square=ORDERS)
def test_no_digit_is_lost_however_long_a_step_is(r, growth, variance, square):
    """cΩ and the variance that is kept of the λ-SDE's noise are those of sixty digits, also where the noise level falls by
    twenty orders or by next to nothing, and λ² is next to nothing."""
    tau, c, std = r * (1 + growth), 1 + square, np.sqrt(variance)
    with mpmath.workdps(60):
        def left(squared, power):
            return ((squared + mpmath.mpf(r) ** 2) / (squared + mpmath.mpf(tau) ** 2)) ** power

        omega = (variance + mpmath.mpf(tau) ** 2) / tau * (1 - left(variance, mpmath.mpf(c) / 2))
        squared = mpmath.mpf(std) ** 2
        kept = (squared + mpmath.mpf(r) ** 2) * (1 - left(squared, mpmath.mpf(square)))
    found = BETWEEN.functions["between_omega"](c=c, v=variance, sigma=tau, r=r)
    assert found == pytest.approx(float(omega), rel=ALL_DIGITS)
    found = BETWEEN.functions["between_kept_noise"](lambda_sq=square, s0=std, tau=tau, r=r)
    assert found == pytest.approx(float(kept), rel=ALL_DIGITS)


@pytest.mark.parametrize("law", [MODES, Gaussian([0.0], 1.25)], ids=["two modes", "Gaussian"])
def test_a_step_from_where_nothing_is_left_of_the_data(law):
    """A step over eight orders of the noise level, held against the flow, whose own length has to be known to its digits:
    the bound is above the exact W2 and close to it."""
    setting = setting_of(general("3.02 + abs(t)", "cosh(t)"), law, scheme("euler-maruyama", 5, 2))
    certificate = certify_setting(BETWEEN, setting, law)
    assert certificate.verdict is Verdict.HOLDS and certificate.ratio < 1.01


@pytest.mark.parametrize("law", [WIDE, MODES], ids=["Gaussian", "two modes"])
@pytest.mark.parametrize("key", REVERSE)
def test_of_the_reverse_sde_it_is_the_martingale_bound(monkeypatch, key, law):
    """With λ = 1 it is martingale-coupled from constants, score errors included, and with the sampler's own
    noise martingale: to rounding and what quadrature may miss, before the ball and other λ are used."""
    setting = setting_of(vp("1/10 + 5*t"), law, scheme(key, 1.3, 20, early_stop=0.01), 0.1, 0.05,
                         information="constants")
    if law is MODES:  # without the ball neither saturates
        setting = replace(setting, assumption=WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25))
    coupled, plain = (theorems()[name].bound(setting).total for name in ("martingale-coupled", "martingale"))
    assert BETWEEN.bound(setting).details["plain_recursion"] == pytest.approx(coupled, rel=ORDERED)
    assert BETWEEN.bound(setting).total <= coupled * (1 + ORDERED)
    monkeypatch.setattr(Between, "noise", lambda self: self._missed(self._own))
    assert BETWEEN.bound(replace(setting)).details["plain_recursion"] == pytest.approx(plain, rel=QUADRATURE)


@pytest.mark.parametrize("law", [WIDE, MODES], ids=["Gaussian", "two modes"])
@pytest.mark.parametrize(("noisy", "silent"), [({"sampler": "euler-maruyama-lambda", "lambda_": 1e-6},
                                                "ode-euler"),
                                               ({"sampler": "ddim", "eta": 1e-6}, "ddim")])
def test_without_noise_it_is_the_flow_bound(noisy, silent, law):
    """As λ falls to 0 the bound tends to the flow's, plain or saturated, whose steps lose their noise."""
    grid = TimeGrid.uniform(5.0, 40)
    found = BETWEEN.bound(setting_of(ou(), law, Scheme(grid=grid, **noisy), 0.01)).total
    flow = theorems()["flow"].bound(setting_of(ou(), law, Scheme(silent, grid), 0.01)).details
    assert found == pytest.approx(flow.get("saturated_recursion", flow.get("plain_recursion")),
                                  rel=BETWEEN_LIMIT)


@pytest.mark.parametrize("v", [1e-8, 0.3, 50.0])
@pytest.mark.parametrize("lam", [0.1, 0.7, 1.0, 1.4])
def test_how_long_the_predicted_noise_is_held(lam, v):
    """cΩ is c∫w/w(σ) by quadrature, for w the solution of the equation of ε along the λ-SDE, on short and
    long steps."""
    nodes, rule = np.polynomial.legendre.leggauss(60)

    def w(x):
        return x**lam**2 * (x / np.sqrt(v + x**2)) ** (1 - lam**2)

    for sigma, r in ((1.0, 0.999), (3.0, 0.5), (0.4, 0.01)):
        x = r + (sigma - r) * (nodes + 1) / 2
        expected = (1 + lam**2) * (rule @ w(x)) / 2 * (sigma - r) / w(sigma)
        found = BETWEEN.functions["between_omega"](c=1 + lam**2, v=v, sigma=sigma, r=r)
        assert found == pytest.approx(expected, rel=QUADRATURE)


@pytest.mark.parametrize("lam", [0.3, 1.0, 1.3])
def test_what_a_ball_keeps_of_the_noise(lam):
    """The variance of the noise that is kept is λ²∫2σρ(σ)² dσ, and ρ what the linear part of the λ-SDE
    leaves."""
    s0, r, tau, c = 0.3, 0.2, 1.7, 1 + lam**2
    nodes, rule = np.polynomial.legendre.leggauss(60)
    x = r + (tau - r) * (nodes + 1) / 2
    kept = BETWEEN.functions["between_kept"](s0=s0, r=r, tau=x, c=c)
    expected = lam**2 * (rule @ (2 * x * kept**2)) / 2 * (tau - r)
    found = BETWEEN.functions["between_kept_noise"](s0=s0, r=r, tau=tau, lambda_sq=lam**2)
    assert found == pytest.approx(expected, rel=1e-10)
    pull = c * (rule @ (x / (s0**2 + x**2))) / 2 * (tau - r)
    found = BETWEEN.functions["between_kept"](s0=s0, r=r, tau=tau, c=c)
    assert found == pytest.approx(np.exp(-pull), rel=1e-10)


def test_constants_of_weak_log_concavity_alone():
    """Without the ball the two modes' bound with η = 1/2 is larger, and that of the log-Lipschitz constants
    too."""
    weak = WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25)
    totals = [BETWEEN.bound(Setting(ou(), data, ddim(5, 50, eta=0.5))).total
              for data in (MODES.assumptions()[0], weak, MODES.assumptions()[-1])]
    assert totals[0] < min(totals[1:]) < max(totals) < 1e3


@pytest.mark.parametrize("sampler", [samplers()["ddim"].at(eta=0.6),
                                     samplers()["euler-maruyama-lambda"].at(lambda_=0.6)],
                         ids=lambda each: each.name)
def test_first_order_and_root_of_the_dimension(sampler):
    """Down to a time above 0 halving the steps halves the bound; at four times the dimension it is twice as
    large."""
    totals = [BETWEEN.bound(Setting(ou(), QUARTER.assumptions()[0], Scheme(sampler,
                                                                           grid))).terms["discretisation"]
              for grid in (TimeGrid.uniform(3.0, K, 0.1) for K in (1000, 2000))]
    assert np.log2(totals[0] / totals[1]) == pytest.approx(1.0, abs=SLOPE)
    sizes = [BETWEEN.bound(setting_of(vp("1/10 + 199/10*t"), Gaussian(np.zeros(d), np.linspace(0.3, 0.5, d)),
                                      Scheme(sampler, TimeGrid.uniform(1.0, 100)))).terms["discretisation"]
             for d in (100, 400)]
    assert sizes[1] / sizes[0] == pytest.approx(2.0, rel=0.02)


def test_far_modes_saturate():
    """At R/s0 = 20 the plain recursion is above e^50, the bound stays below twice the diameter."""
    law = SmoothedSupport(1.0, 0.05, second_moment=1.0025)
    found = BETWEEN.bound(Setting(edm(), law, ddim(20, 64, grid="geometric", eta=0.5)))
    assert found.total < 4.0 < 1e20 < found.details["plain_recursion"]


def test_a_sampler_by_formulas_finds_its_coupling():
    """DDIM with η² = 1/2 by three formulas is bounded nearly as well as by its name, and far better than with
    λ = 1."""
    half = own_sampler("half", P="a_r/a", Q="a_r/a*(s_sq - sqrt(s_sq*s_sq_r*(1 - 1/2*C/s_sq))*a/a_r)",
                       noise="1/2*C*s_sq_r/s_sq")
    grid = TimeGrid.uniform(5.0, 200)
    setting = setting_of(ou(), QUARTER, Scheme(half, grid), information="constants")
    named = BETWEEN.bound(replace(setting, scheme=Scheme("ddim", grid, eta=0.5**0.5))).total
    found = BETWEEN.bound(setting)
    assert found.total == pytest.approx(named, rel=BETWEEN_FITTED)
    assert found.details["lambda"] == pytest.approx(0.7, abs=0.1)
    assert found.total < theorems()["martingale-coupled"].bound(setting).total / 3


@pytest.mark.parametrize(("sampler", "line"), [
    ("heun", "one evaluation: heun evaluates the score 2 times a step"),
    ("ddim", "noise: ddim has no noise: its steps follow the probability-flow ODE, as in the theorem flow"),
    (replace(samplers()["ancestral"], one_block=replace(samplers()["ancestral"].one_block, coupling=0.0)),
     "coupling: λ must be positive where steps have noise, got 0 for ancestral")])
def test_hypotheses_are_refused_by_name(sampler, line):
    """Two evaluations, no noise, and noise held against the flow are refused, each by its own line."""
    with pytest.raises(NotApplicable) as refused:
        BETWEEN.bound(setting_of(ou(), QUARTER, Scheme(sampler, TimeGrid.uniform(1.0, 4))))
    assert line in refused.value.unmet


def test_the_flow_bound_refuses_noise_by_the_value():
    """flow names the sampler with its η, whose steps have noise."""
    with pytest.raises(NotApplicable, match=r"got ddim \(eta = 0.5\), whose steps have noise"):
        theorems()["flow"].bound(setting_of(ou(), QUARTER, ddim(1, 4, eta=0.5)))


@settings(max_examples=examples(25))
@given(strategies.questions(BETWEEN, most_steps=25))
def test_never_violated_inside_its_hypotheses(question):
    """On problems drawn inside the hypotheses, at any η and λ, the bound is at least the exact W2."""
    certificate = certify_setting(BETWEEN, question.setting, question.problem.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


@pytest.mark.deep
@settings(max_examples=4000)
@given(strategies.questions(BETWEEN, most_steps=100))
def test_never_violated_on_many(question):
    """The same on thousands."""
    certificate = certify_setting(BETWEEN, question.setting, question.problem.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


@settings(max_examples=examples(15))
@given(eta=st.floats(0.01, 1.0), variance=st.floats(-2, 2).map(lambda x: 10.0**x), steps=st.integers(1, 30))
def test_never_below_the_truth_on_isotropic_gaussians(eta, variance, steps):
    """On N(0, v I) in any dimension the bound is above the exact W2, and within a factor of four plus the
    start."""
    law = Gaussian(np.zeros(7), variance)
    certificate = certify_setting(BETWEEN, setting_of(ou(), law, ddim(3.0, steps, eta=eta)), law)
    assert certificate.verdict is Verdict.HOLDS


def test_noise_that_dwarfs_its_steps_is_refined_no_further_than_rounding(monkeypatch):
    """On a Gaussian, whose local error is rounding alone, steps far noisier than any SDE of the flow have their error
    outside the root integrated on few panels."""
    sampler = own_sampler("noisy", P="a_r/a", Q="E", noise=50)
    panels, known = [], Path._known

    def counted(self, cuts, integrands, floor):
        if "outside" in integrands.__qualname__:
            panels.extend(cut.edges.shape[1] - 1 for cut in cuts)
        return known(self, cuts, integrands, floor)

    monkeypatch.setattr(Path, "_known", counted)
    setting = Setting(ou(), Gaussian([0.5, -1.0], 1.0).assumptions()[0], Scheme(sampler, TimeGrid.uniform(1.0, 100)))
    assert BETWEEN.bound(setting).total > np.sqrt(50.0)
    assert 0 < max(panels) < 40


def test_questions_that_differ_in_what_is_known_share_their_steps(monkeypatch):
    """Steps are looked at once for what is known and for constants alone, again for other data, another score error or
    corrupted formulas; a bound is the same to the last bit either way."""
    theorem, looked, make = theorems()["flow-between"], [], Between.ingredients
    monkeypatch.setattr(Between, "ingredients", lambda self: looked.append(self) or make(self))
    law = GaussianMixture.two_modes(2.0, 0.5)
    setting = setting_of(ou(), law, ddim(5, 20, eta=0.5), information="constants")
    first = theorem.bound(setting)
    known = setting.with_facts(setting_of(ou(), law, ddim(5, 20, eta=0.5)).facts)
    bounds = [first, *(theorem.bound(each) for each in (known, known.without_facts()))]
    assert len(looked) == 1 and bounds[0].total == bounds[2].total
    alone = theorem.bound(setting_of(ou(), law, ddim(5, 20, eta=0.5)))
    assert len(looked) == 2 and (alone.total, alone.terms) == (bounds[1].total, bounds[1].terms)
    worse = replace(known, score_error=0.1)
    worse.__dict__["table"] = known.table
    assert theorem.bound(worse).total > alone.total and len(looked) == 3
    assert theorem.corrupted("start_sq", 4).bound(worse).total > theorem.bound(worse).total and len(looked) == 5
