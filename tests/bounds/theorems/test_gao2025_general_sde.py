"""Theorem G: its order, its place above the martingale bound, its constants, and closed-form M1."""

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bounds import StronglyLogConcave, WeaklyLogConcave, general, ou, ve, vp
from bounds.facts import DataFacts
from bounds.recursion import one_block
from bounds.recursion.propagation import propagate, weights
from bounds.recursion.time_regularity import time_regularity
from bounds.sampler import Scheme, euler_maruyama
from bounds.setting import Setting
from bounds.steps.path import Path
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import DIGITS, KINK_ALLOWED, QUADRATURE, SLOPE
from tests.drawn import examples
from tests.unusual import draw
from verify.certificates.question import setting_of

THEOREM_G, MARTINGALE = theorems()["gao2025-general-sde"], theorems()["martingale"]


def test_order_is_one_half():
    """Theorem G falls like √h where its discretisation dominates."""
    counts = np.array([50_000, 100_000, 200_000])
    totals = [
        THEOREM_G.bound(setting_of(ou(), Gaussian([0.0], 1.0), euler_maruyama(9.0, int(K)))).total
        for K in counts
    ]
    slope = np.polyfit(np.log(1 / counts), np.log(totals), 1)[0]
    assert slope == pytest.approx(0.5, abs=SLOPE)


@settings(max_examples=examples(30))
@given(
    st.floats(-1.5, 1.5), st.floats(0, 2), st.floats(0.3, 6.0), st.integers(1, 400),
    st.sampled_from(["ou", "vp", "ve", "oscillating"]), st.floats(0, 1), st.floats(0, 3),
)
def test_martingale_is_at_most_theorem_g(log_m0, log_ratio, horizon, steps, family, error, mean):
    """With the same initial term and h_k sup(|f| + g²L) <= 1, the martingale bound is at most Theorem G."""
    process = {
        "ou": ou(), "vp": vp("1/2 + 2*t"), "ve": ve("1 + t/2"), "oscillating": general("sin(4*t)", "1"),
    }[family]
    m0 = 10.0**log_m0
    assumption = StronglyLogConcave(m0, m0 * 10.0**log_ratio, dim=2, mean_norm=mean)
    setting = Setting(
        process, assumption, euler_maruyama(horizon, steps), error, facts=DataFacts(time_regularity=0.0)
    )
    path = setting.table.path
    times = np.linspace(0, horizon, 2001)[1:]
    fine = Path(process, times[::-1])
    lipschitz = np.minimum(1 / fine.s_sq, assumption.L0 / fine.a**2)
    rate = np.abs(process.f_values(fine.times)) + process.g_sq_values(fine.times) * lipschitz
    assume(horizon / steps * rate.max() <= 1.0)
    functions = MARTINGALE.functions
    plain = np.sqrt(path.a[0] ** 2 * assumption.second_moment)
    total = propagate(
        plain, one_block.contraction(setting, functions),
        one_block.step_bias(setting, functions) + setting.table.Q * error,
        one_block.missed_noise(setting, functions),
    )
    assert float(total) <= THEOREM_G.bound(setting).total * (1 + 1e-9)


def test_terms_on_one_step_by_hand():
    """One OU step from T = h on N(0, 1): every term is the formula with the integrals done by hand."""
    h, M, M1 = 0.1, 0.3, 0.7
    setting = Setting(
        ou(), StronglyLogConcave(1.0, 1.0), euler_maruyama(h, 1), M, facts=DataFacts(time_regularity=M1)
    )
    terms = THEOREM_G.bound(setting).terms
    # V = 1, α = 1, L = min(1/s², 1/a²), ‖x0‖ = ω = 1
    theta_exact = np.exp(-h)
    assert terms["initialisation"] == pytest.approx(np.exp(-2 * h), rel=1e-9)
    assert terms["score bias"] == pytest.approx(M * 2 * h, rel=1e-9)
    details = THEOREM_G.bound(setting).details
    assert details["omega"] == pytest.approx(1.0, rel=0.25)
    assert theta_exact <= details["theta"] <= theta_exact * np.exp(2 * h)
    assert details["time_regularity"] == pytest.approx(M1 * h * 2 * h * (2 + details["omega"]), rel=1e-9)
    lipschitz = np.exp(2 * np.linspace(0, h, 20001))
    lipschitz = np.minimum(lipschitz, 1 / np.maximum(-np.expm1(-2 * np.linspace(0, h, 20001)), 1e-300))
    mean = lambda x: np.trapezoid(x, dx=h / 20000)  # noqa: E731
    nu = h * (details["theta"] + details["omega"]) + 2 * mean(np.sqrt(lipschitz))
    nu += 2 * mean(lipschitz) * details["theta"] + np.sqrt(2 * h)
    expected = np.sqrt(h) * nu * np.sqrt(mean((1 + 2 * lipschitz) ** 2))
    assert terms["discretisation"] - details["time_regularity"] == pytest.approx(expected, rel=1e-6)


def test_terms_on_three_steps_by_hand():
    """Three OU steps on data with m0 = 1/2 and L0 = 4: every term is the formula with the integrals done by
    hand."""
    h, K, M, M1, m0, L0, d = 0.2, 3, 0.3, 0.7, 0.5, 4.0, 2
    data = StronglyLogConcave(m0, L0, dim=d, second_moment=3.0)
    scheme = euler_maruyama(h * K, K, prior_std=1.0)
    bound = THEOREM_G.bound(Setting(ou(), data, scheme, M, facts=DataFacts(time_regularity=M1)))
    theta, omega, x0 = bound.details["theta"], bound.details["omega"], np.sqrt(3.0)
    nodes, weights_ = np.polynomial.legendre.leggauss(40)
    sums = {"score": 0.0, "discretisation": 0.0, "time_regularity": 0.0}
    after = 1.0
    for k in reversed(range(K)):  # from the last step, that ends at time 0
        low = h * (K - 1 - k)
        # L jumps from L0 e^{2t} to 1/(1 − e^{−2t}) at t = log(1 + 1/L0)/2
        cut = min(max(np.log1p(1 / L0) / 2, low), low + h)
        places, parts = [], []
        for left, right in ((low, cut), (cut, low + h)):
            places.append(left + (right - left) * (nodes + 1) / 2)
            parts.append((right - left) * weights_ / 2)
        t, w = np.concatenate(places), np.concatenate(parts)
        L = np.minimum(1 / np.maximum(-np.expm1(-2 * t), 1e-300), L0 * np.exp(2 * t))
        alpha = 1 / (np.exp(-2 * t) / m0 - np.expm1(-2 * t))
        G = 2 * h
        nu = h * (theta + omega) + np.sqrt(d) * w @ (2 * np.sqrt(L)) + theta * (w @ (2 * L)) + np.sqrt(d * G)
        sums["score"] += after * M * G
        sums["time_regularity"] += after * M1 * h * G * (1 + x0 + omega)
        sums["discretisation"] += after * np.sqrt(h) * nu * np.sqrt(w @ (1 + 2 * L) ** 2)
        after *= max(abs(1 + h - w @ (2 * alpha)), abs(1 + h - w @ (2 * L))) + M1 * h * G
    V_T = np.exp(-2 * h * K) / m0 - np.expm1(-2 * h * K)
    start = np.hypot(np.exp(-h * K) * x0, np.sqrt(d) * (np.sqrt(-np.expm1(-2 * h * K)) - 1))
    assert bound.terms["initialisation"] == pytest.approx(np.exp(-h * K) / m0 / V_T * start, rel=QUADRATURE)
    assert bound.terms["score bias"] == pytest.approx(sums["score"], rel=QUADRATURE)
    assert bound.details["time_regularity"] == pytest.approx(sums["time_regularity"], rel=QUADRATURE)
    assert bound.terms["discretisation"] == pytest.approx(
        sums["discretisation"] + sums["time_regularity"], rel=QUADRATURE)
    assert bound.total == pytest.approx(sum(bound.terms.values()), rel=QUADRATURE)


def test_negative_drift_uses_the_larger_start():
    """With f < 0 the reverse process may start further out than ‖x_0‖: θ replaces it, and the terms say
    so."""
    setting = Setting(
        general("-1", "1"),
        StronglyLogConcave(1.0, 1.0),
        euler_maruyama(1.0, 50),
        facts=DataFacts(time_regularity=1.0),
    )
    bound = THEOREM_G.bound(setting)
    later, _ = weights(
        THEOREM_G.functions["growth"](
            F=setting.table.path.F, G=setting.table.Q, M1=1.0, h=np.full(50, 0.02),
            I_alpha=np.zeros(50), I_L=np.zeros(50),
        )
    )
    assert bound.details["omega"] > 1.0
    assert np.all(later > 0)


def test_time_regularity_of_gaussians_bounds_the_score():
    """|s_t(x) − s_t'(x)| <= M1 |t − t'| (1 + ‖x‖) for Gaussian data with a mean, over times and points."""
    law, process = Gaussian([1.0, -2.0], [0.3, 2.0]), vp("1/10 + 2*t")
    times = np.linspace(2.0, 0.0, 301)
    path = Path(process, times)
    M1 = time_regularity(law.facts().time_regularity, path).value
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2)) * np.geomspace(0.01, 100, 50)[:, None]
    largest = 0.0
    for i in range(0, 300, 7):
        for j in (i + 1, min(i + 40, 300)):
            one, two = (law.pushed(path.a[k], path.s_sq[k]).score(points) for k in (i, j))
            moved = np.linalg.norm(one - two, axis=1) / (1 + np.linalg.norm(points, axis=1))
            largest = max(largest, np.max(moved) / abs(times[i] - times[j]))
    assert 0.5 * M1 <= largest <= M1


def test_weakly_log_concave_data_with_small_m_are_strongly_log_concave():
    """M < α makes the data (α − M)-strongly log-concave, and Theorem G uses that."""
    assert WeaklyLogConcave(2.0, 0.5, 3.0).strong_log_concavity == 1.5
    assert WeaklyLogConcave(2.0, 2.5, 3.0).strong_log_concavity is None


def test_contraction_integral_is_the_logarithm():
    """∫g²α over [0, T] is log(1 + m0 s²/a²), the form seed 2's initial term takes, for VP by sympy."""
    process, m0 = vp("1 + t"), sympy.Rational(3, 2)
    a_sq, s_sq = process.a.expression**2, process.s_sq.expression
    rate = process.g_sq / (a_sq / m0 + s_sq)
    t = next(iter(process.g_sq.free_symbols))
    claimed = sympy.log(1 + m0 * s_sq / a_sq)
    assert abs(float((claimed.diff(t) - rate).subs(t, sympy.Rational(13, 10)).evalf(30))) < 1e-20


@settings(max_examples=examples(20))
@given(
    st.sampled_from(["vp", "ve", "growing", "oscillating"]), st.integers(1, 20), st.floats(0.2, 3.0),
    st.floats(0.1, 10.0),
)
def test_suprema_over_time_are_bounded_from_above(family, steps, horizon, variance):
    """θ and ω are at least their suprema over a fine grid, also within huge steps."""
    process = {
        "vp": vp("1 + 6*t"), "ve": ve("exp(t)"), "growing": general("-1", "1/2"),
        "oscillating": general("3*sin(6*t)", "1"),
    }[family]
    assumption = StronglyLogConcave(1 / variance, 1 / variance, dim=2)
    facts = DataFacts(time_regularity=0.0)
    details = THEOREM_G.bound(
        Setting(process, assumption, euler_maruyama(horizon, steps), facts=facts)
    ).details
    fine = Path(process, np.linspace(horizon, 0.0, 3001))
    total = fine.a**2 * variance + fine.s_sq
    contraction = total * fine.a[0] / (total[0] * fine.a)
    x0 = np.sqrt(2 * variance)
    assert details["theta"] >= np.max(contraction) * fine.a[0] * x0 * (1 - 1e-9)
    assert details["omega"] >= np.sqrt(np.max(fine.a**2 * x0**2 + 2 * fine.s_sq)) * (1 - 1e-9)


def test_time_regularity_has_the_closed_forms_value():
    """OU on N(0, 4): |V'|/V² = 6u/(1+3u)², u = e^{−2t}, is largest, ½, at u = ⅓; with a far mean the other
    term rules."""
    times = np.linspace(3.0, 0.0, 601)
    path = Path(ou(), times)
    near, far = (time_regularity(law.facts().time_regularity, path).value
                 for law in (Gaussian([0.0], 4.0), Gaussian([7.0], 1.0)))
    assert near == pytest.approx(0.5, rel=0.01)
    # N(m, 1): V = 1, |(a/V)'| m = e^{−t} m, largest at t = 0
    assert far == pytest.approx(7.0, rel=0.01)


@pytest.mark.parametrize("f", ["t - 0.4999", "t - 0.501", "0.501 - t", "t/10"])
def test_kinks_behind_the_nodes_are_allowed_for(f):
    """Where f changes its sign next to the end of a step, beyond the nodes there, the bound in floats is not
    below that in balls, and next to it."""
    setting = Setting(general(f, "1"), StronglyLogConcave(0.5, 4.0, dim=2, second_moment=3.0),
                      euler_maruyama(1.0, 2), facts=DataFacts(time_regularity=0.5))
    exact = THEOREM_G.certified(setting).total
    assert exact * (1 - DIGITS) <= THEOREM_G.bound(setting).total <= exact * (1 + KINK_ALLOWED)


@pytest.mark.parametrize("seed", [227, 231, 242, 247, 252])
def test_features_narrower_than_a_step(seed):
    """Where f and g change within far less than a step the bound is not below that in balls, and proved."""
    drawn = draw(seed)
    scheme = Scheme(euler_maruyama(1.0, 1).sampler, drawn.scheme.grid, drawn.scheme.prior_std)
    setting = setting_of(drawn.process, drawn.law, scheme)
    found = THEOREM_G.bound(setting)
    assert not found.estimated
    assert found.total >= THEOREM_G.certified(setting).total * (1 - DIGITS)
