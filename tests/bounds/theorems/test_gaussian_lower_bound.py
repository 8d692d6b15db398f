"""The lower bound: its constant derived by sympy, its leading order, and where it vanishes."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from bounds import ou, ve, vp
from bounds.sampler import euler_maruyama, scheme
from bounds.samplers import samplers
from bounds.steps.path import Path
from bounds.theorems import gaussian_lower_bound, theorems
from bounds.theorems.gaussian_lower_bound import _exact_score, _sizes, defect_over_step, ou_limit
from closed_form import Gaussian
from tests.bounds.tolerances import UNITS
from tests.drawn import examples
from tests.tolerances import GOLDEN
from verify.certificates.certificate import certify
from verify.certificates.question import setting_of

LOWER = theorems()["gaussian-lower-bound"]
S = sympy.Symbol("S", positive=True)


def test_ou_limit_is_derived():
    """Sympy derives e/h → (S − 1 − ½S² log S)/(S − 1) for OU, which vanishes only at S = 1.59708."""
    limit = ou_limit()
    published = (S - 1 - S**2 * sympy.log(S) / 2) / (S - 1)
    assert sympy.simplify(limit - published) == 0
    root = brentq(lambda x: float(limit.subs(S, x)), 1.2, 3.0)
    assert root == pytest.approx(1.59708, abs=1e-5)


def test_rates_of_the_named_processes():
    """λ = 4/V − 2 − V for OU and 1/V for VE with g² = 1."""
    rate, variance = defect_over_step(ou())
    assert sympy.simplify(rate - (4 / variance - 2 - variance)) == 0
    rate, variance = defect_over_step(ve(1))
    assert sympy.simplify(rate - 1 / variance) == 0


@pytest.mark.parametrize("variance", [0.25, 1.0, 4.0])
@pytest.mark.parametrize(
    "process, horizon", [(ou(), 12.0), (ve(1), 60.0), (vp("1/10 + 5*t"), 3.0)], ids=["ou", "ve", "vp"]
)
def test_leading_order_is_approached(process, horizon, variance):
    """Exact W2 over the leading order c(σ0) T √d / K tends to 1 as K grows, started from p_T on N(0, σ0²
    I)."""
    gaps = []
    for steps in (2000, 8000):
        path = Path(process, np.array([horizon, 0.0]))
        prior_std = float(np.sqrt(path.a[0] ** 2 * variance + path.s_sq[0]))
        sampler = euler_maruyama(horizon, steps, prior_std=prior_std)
        setting = setting_of(process, Gaussian(np.zeros(5), variance), sampler)
        bound = LOWER.bound(setting)
        gaps.append(abs(bound.total / bound.details["leading_order"] - 1))
    assert gaps[1] < 0.02
    assert gaps[1] < 0.5 * gaps[0]


def test_unit_gaussian_constant_is_a_quarter():
    """OU, σ0 = 1: c = ¼, so W2 → √d h/4."""
    setting = setting_of(ou(), Gaussian(np.zeros(3), 1.0), euler_maruyama(15.0, 3000))
    bound = LOWER.bound(setting)
    assert bound.details["c"] == pytest.approx(0.25, rel=1e-6)
    assert bound.total == pytest.approx(np.sqrt(3) * (15.0 / 3000) / 4, rel=GOLDEN)


def test_the_mild_condition_can_fail():
    """At S = 1.59708 the leading order of OU vanishes, and the error is of second order."""
    law = Gaussian([0.0], 1.5970824)
    errors = [LOWER.bound(setting_of(ou(), law, euler_maruyama(12.0, K))).total for K in (1000, 2000)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


@settings(max_examples=examples(20))
@given(
    key=st.sampled_from([k for k in samplers(1) if k != "posterior-mean-matched"
                         and samplers()[k].evaluations == 1 and samplers()[k].multistep is None]),
    mean=st.floats(-5, 5), variance=st.floats(0.05, 20), steps=st.integers(1, 60),
    stop=st.sampled_from([0.0, 0.1]),
)
def test_finite_value_is_the_exact_error(key, mean, variance, steps, stop):
    """For any affine sampler and mean the bound is the exact W2 of the chain, from below."""
    law = Gaussian([mean, 0.5], [variance, 1.0])
    certificate = certify(LOWER, process=vp("1+t"), law=law, scheme=scheme(key, 2.0, steps, early_stop=stop))
    assert certificate.verdict == "HOLDS"
    assert certificate.bound.total >= certificate.measured.upper * (1 - 1e-6) - 1e-9


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_rounding_goes_with_the_units(size):
    """With x → cx, noise and prior with it, the bound is c times as large to the last digits: what is taken
    off for rounding is a length, not its square."""
    one, scaled = (
        LOWER.bound(setting_of(ve(str(unit)), Gaussian([0.3 * float(unit)], 0.25 * float(unit) ** 2),
                               euler_maruyama(4.0, 12, prior_std=1.5 * float(unit))))
        for unit in (sympy.Integer(1), sympy.Rational(str(size)))
    )
    assert one.total > 0.01
    assert scaled.total == pytest.approx(size * one.total, rel=UNITS)
    assert scaled.terms["mean"] == pytest.approx(size * one.terms["mean"], rel=UNITS)
    assert np.hypot(*scaled.terms.values()) == pytest.approx(scaled.total, rel=UNITS)


def test_a_far_wider_prior_costs_no_more_than_its_rounding():
    """Started a hundred million times too wide, the bound is the exact W2 but for rounding."""
    law = Gaussian([2.0, 0.5], [3.0, 1.0])
    certificate = certify(LOWER, process=ou(), law=law, scheme=euler_maruyama(2.0, 40, prior_std=1e8))
    assert certificate.verdict == "HOLDS"
    assert certificate.bound.total >= certificate.measured.upper * (1 - UNITS)


def test_one_score_error_of_many_is_enough_to_refuse():
    """The score of a batch is exact only if no problem of it has an error or noise."""
    some, none = np.array([0.0, 0.1]), np.zeros(2)
    assert _exact_score(SimpleNamespace(score_error=none, score_noise=none, has_error=False)) is None
    for error, noise in ((some, none), (none, some)):
        said = _exact_score(SimpleNamespace(score_error=error, score_noise=noise, has_error=bool(error.any())))
        assert said.startswith("the score must be exact")


@pytest.mark.parametrize("combine", [np.hypot, np.add])
def test_sizes_follow_their_recursion(combine):
    """The sizes before every step are those of x → |factor| x, combined with the step's source, from the
    start."""
    rng = np.random.default_rng(4)
    factor, sources = rng.uniform(-1.5, 1.5, (1, 9)), rng.uniform(0.1, 2.0, 9)
    wanted, size = [], 0.7
    for one, source in zip(np.abs(factor[0]), sources, strict=True):
        wanted.append(size)
        size = combine(one * size, source)
    np.testing.assert_allclose(_sizes(factor, 0.7, sources, combine)[0], wanted, rtol=UNITS)


@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("key", ["posterior-mean", "exponential", "euler-maruyama"])
def test_steps_that_are_off_by_what_is_allowed_raise_no_lower_bound(key, stated, monkeypatch):
    """With P off by one part in a thousand of a far mean, and 1.1 allowed for, by rounding or by the errors that
    the table states, the bound is below that of P as it is."""
    setting = setting_of(ou(), Gaussian([100.0], 1.0), scheme(key, 6.0, 20))
    exact, table = LOWER.bound(setting).total, setting.table
    table.P = table.P * 1.001
    if stated:
        table.relative_error, table.c1_error = table.relative_error + 1.1e-3, table.c1_error + 1.1e-3 * table.P
    else:
        monkeypatch.setattr(gaussian_lower_bound, "ROUNDING", 1.1e-3)
    assert 0 < LOWER.bound(setting).total <= exact


def test_a_point_has_no_leading_order():
    """Of data at a point Euler–Maruyama's error is bounded from below, and no leading order is said."""
    found = theorems()["gaussian-lower-bound"].bound(setting_of(ou(), Gaussian([0.5], 0.0), euler_maruyama(3.0, 20)))
    assert found.total > 0 and "leading_order" not in found.details
