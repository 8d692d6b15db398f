"""The chain in balls: truths of hidden features, 40 digits of a chain by hand, and its samplers by their
rules."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from bounds import (
    ForwardProcess,
    LogLipschitz,
    StronglyLogConcave,
    TimeGrid,
    WeaklyLogConcave,
    general,
    ve,
    vp,
)
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.symbolic.balls import NotEnclosed
from bounds.symbolic.expressions import real_function
from closed_form import Gaussian
from closed_form.certified.chain import _matched, certified_w2
from closed_form.certified.steps import ball_steps
from closed_form.sampler_laws.w2 import sampler_w2
from tests.closed_form.tolerances import CERTIFIED_WIDTH, CHAIN_WIDTH, TWELVE_DIGITS
from verify import setting_of
from verify.certificates.question import true_steps

#: Process, sampler, T, K, prior_std, data, W2: enclosures made elsewhere, twelve digits each.
HIDDEN = {
    "spike": (general("1/2", "1.2+3267*exp(-(5116*(t-0.806))^2)"), "exponential", 1.227, 5, None,
              Gaussian(np.zeros(100), 3.0), 473.969104346),
    "far mean": (vp("0.0184+0.65*exp(-(250*(t-1.3))^2)"), "frozen-euler-maruyama", 1.376, 1, None,
                 Gaussian([1e6], 1.5e-9), 154020.113322),
    "box": (ve("0.2565+3369*(tanh(5020*(t-1.3166))-tanh(5020*(t-1.3186)))"), "exponential", 5.1, 1, 0.033,
            Gaussian(np.zeros(10**4), 0.18), 28552.0807730),
    "dip": (ve("0.0213*(1-0.999*exp(-(2.39*(t-18.6))^2))"), "frozen-euler-maruyama", 91.3, 2, None,
            Gaussian(np.full(10**6, 153.0), 1e-9), 1629.46896976),
    "singular": (general("6.9/sqrt(t+2.3e-9)", "2.23/sqrt(t+0.0052)"), "posterior-mean", 0.6136, 1, None,
                 Gaussian(np.zeros(2), np.array([0.0012, 41])), 48425.7157152),
    "spike of both": (vp("1+1000*exp(-(2000*(t-0.3337))^2)"), "euler-maruyama", 1.0, 1, None,
                      Gaussian([0.0], 1.0), 0.374398877813),
    "kink": (ve("sqrt(abs(t-0.976947))"), "exponential", 1.007, 1, None,
             Gaussian(np.zeros(10**6), 0.1223), 355.631620672),
    "jump": (vp("0.21+0.18*(1+abs(t-0.29)/(t-0.29))"), "exponential", 0.42, 25, None,
             Gaussian([1e6], 0.045), 236904.880351),
    "nothing": (general("1/(5.162-t)", "5.7*exp(1.786*t)"), "posterior-mean-matched", 5.1, 10, 14.7,
                Gaussian([0.0], 5e-12), 0.0)}


def asked(name: str):
    """Setting, law and truth of an entry of the table."""
    process, key, horizon, steps, prior, law, truth = HIDDEN[name]
    return setting_of(process, law, scheme(key, horizon, steps, prior_std=prior)), law, truth


def certified(setting, law):
    """W2 in balls for a setting."""
    return certified_w2(law, setting.process, setting.scheme, setting.assumption, setting.facts.moments)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_features_by_both_routes(name):
    """Twelve digits of each truth, from balls and from extended precision, whose brackets overlap."""
    setting, law, truth = asked(name)
    balls, chain = certified(setting, law), sampler_w2(law, true_steps(setting))
    for found in (balls, chain):
        assert found.lower <= truth * (1 + TWELVE_DIGITS) + 1e-20
        assert found.upper >= truth * (1 - TWELVE_DIGITS)
        assert found.upper - found.lower <= TWELVE_DIGITS * truth + 1e-18
    assert balls.lower <= chain.upper and chain.lower <= balls.upper


@pytest.mark.parametrize("key", ["euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean"])
@given(st.floats(0.2, 2), st.floats(0.01, 10), st.floats(-100, 100), st.integers(1, 5), st.booleans())
def test_a_chain_by_hand(key, size, variance, mean, count, stopped):
    """For f = 1/2, g² = s a chain in 50 digits by the samplers' definitions, to time 0 or stopped before it,
    ends inside the bracket."""
    size, grid = float(f"{size:.6g}"), np.linspace(1.5, 0.25 * stopped, count + 1)
    process = ForwardProcess.scalar("test", real_function("f", "1/2"), real_function("g", size))
    law, chosen = Gaussian([mean], variance), Scheme(samplers(1)[key], TimeGrid(grid))
    found = certified_w2(law, process, chosen)
    with mpmath.workdps(50):
        s, data = mpmath.mpf(str(size)), mpmath.mpf(float(law.eigenvalues[0]))
        times = [mpmath.mpf(float(t)) for t in grid]
        a = [mpmath.exp(-t / 2) for t in times]
        s_sq = [-s * mpmath.expm1(-t) for t in times]
        v, m = s_sq[0], mpmath.mpf(0)
        for k in range(count):
            h = times[k] - times[k + 1]
            euler = key.endswith("maruyama")
            P = 1 + h / 2 if euler else mpmath.exp(h / 2)
            Q = {"posterior-mean": s * 2 * mpmath.sinh(h / 2),
                 "exponential": 2 * s * mpmath.expm1(h / 2)}.get(
                key, s * h)
            noise = s * h if euler else s * mpmath.expm1(h)
            V = a[k] ** 2 * data + s_sq[k]
            factor = P - Q / V
            v, m = factor**2 * v + noise, factor * m + Q * a[k] * mpmath.mpf(mean) / V
        wanted = mpmath.sqrt((mpmath.sqrt(v) - mpmath.sqrt(data)) ** 2 + (m - mpmath.mpf(mean)) ** 2)
        assert found.lower <= wanted * (1 + mpmath.mpf(10) ** -30) and wanted <= found.upper
    assert found.relative_width <= CERTIFIED_WIDTH or found.upper < 1e-25


@pytest.mark.parametrize("M", [0.0, 1.5])
def test_matched_noise_from_constants(M):
    """The middle of a weakly log-concave envelope is that of the chain in extended precision."""
    law, process, given = Gaussian([0.3, 0.1],
                                   [0.9, 0.6]), vp("1/10 + 3*t"), scheme("posterior-mean-matched", 1.0, 7)
    setting = Setting(process, WeaklyLogConcave(0.5, M, 2.0, 2, law.second_moment, law.mean_norm), given)
    found, chain = certified(setting, law), sampler_w2(law, true_steps(setting))
    assert chain.lower <= found.upper and found.lower <= chain.upper
    assert chain.upper - chain.lower < TWELVE_DIGITS * chain.upper


def test_matched_noise_without_an_envelope_is_refused():
    """Matched noise for constants that are not weakly log-concave is refused by their name."""
    law = Gaussian([0.0], 0.5)
    setting = Setting(vp("1"), LogLipschitz(0.5, 1.0, 2.0, 1, 0.5), scheme("posterior-mean-matched", 1.0, 3))
    with pytest.raises(NotEnclosed, match="log-lipschitz"):
        certified(setting, law)


def test_noise_matched_to_the_envelope_by_hand():
    """At a² = s² = 1 data between m0 = 1/4 and L0 = 1 have H(c*) = −7/20, the middle of −1/2 and −1/5;
    variances 1 (twice) and 4, their posterior known, have −(2/2 + 1/5)/3."""
    hessian = _matched([1.0, 4.0], [2, 1], StronglyLogConcave(0.25, 1.0), None)
    assert hessian(arb(1), arb(1)).overlaps(arb(-7) / 20)
    known = _matched([1.0, 4.0], np.array([2, 1]), None, moments=True)
    assert known(arb(1), arb(1)).overlaps(arb(-2) / 5)


@pytest.mark.parametrize("stop", [0.0, 0.25])
@pytest.mark.parametrize("variance", [0.5, 1e-9])
def test_matched_noise_is_that_of_the_data_it_is_matched_to(variance, stop):
    """For g = 1, f = 0 and H = −1/V, V = λ + t, the noise of a step from V to V' is V'(1 − V'/V), to time 0
    where the steps halve as well: the balls hold it and are tiny."""
    times = np.array([2.0, 1.0, 0.5 + stop, stop])
    found = ball_steps(general("0", "1"), times, samplers(1)["posterior-mean-matched"].one_block,
                       lambda a_sq, s_sq: -1 / (a_sq * variance + s_sq),
                       prior_var=(lambda a_sq, s_sq, exact: exact(9)) if stop else None)
    with ctx.workprec(128):
        V = [arb(variance) + float(t) for t in times]
        for k, noise in enumerate(found.noise_var):
            wanted = V[k + 1] * (1 - V[k + 1] / V[k])
            assert noise.overlaps(wanted) and float(noise.rad()) <= 1e-20 * float(wanted)
            assert found.P[k] == 1 and found.Q[k].overlaps(arb(float(times[k] - times[k + 1])))
    assert len(found) == 3 and found.prior_var.overlaps(arb(9 if stop else 2))


def test_a_turned_covariance_is_allowed_for():
    """A full covariance, decomposed in floats, gives the distance of the same law along its axes."""
    turned = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    full = Gaussian(turned @ [1.0, 2.0, 0.0], turned * [0.5, 1.0, 2.0] @ turned.T)
    plain = Gaussian([1.0, 2.0, 0.0], np.array([0.5, 1.0, 2.0]))
    chosen = scheme("euler-maruyama", 2.0, 10)
    one, other = (certified_w2(law, vp("0.1+2*t"), chosen) for law in (full, plain))
    assert one.lower <= other.upper and other.lower <= one.upper
    assert one.relative_width <= CHAIN_WIDTH


def test_a_thousand_steps():
    """A thousand steps stay sharp."""
    found = certified_w2(Gaussian([1.0], 0.5), vp("0.1+19.9*t"), scheme("euler-maruyama", 1.0, 1000))
    assert found.relative_width <= CERTIFIED_WIDTH
