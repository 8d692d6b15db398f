"""Theorem W: its order, the three bounds in their order, its local error, its conditions, and the truth."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from bounds import LogLipschitz, StronglyLogConcave, WeaklyLogConcave, general, ou, ve, vp
from bounds.bound import DISCRETISATION, INITIALISATION
from bounds.grid import TimeGrid
from bounds.recursion import one_block
from bounds.recursion.propagation import propagate
from bounds.sampler import Scheme, euler_maruyama, scheme
from bounds.samplers import samplers
from bounds.schedules import linear
from bounds.setting import Setting
from bounds.theorem import NotApplicable
from bounds.theorems import gentiloni2025_weak_log_concave as gentiloni
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.distances.gaussian import w2_gaussian
from tests.bounds.tolerances import BOUNDARY, SLOPE
from tests.drawn import examples
from verify.certificates.certificate import Verdict, certify_setting, setting_of

THEOREM_W, MARTINGALE = theorems()["gentiloni2025-weak-log-concave"], theorems()["martingale"]
LOG = st.floats(-1.5, 1.5)
ERROR = st.floats(0, 1)


def test_order_is_one_half():
    """The discretisation term falls like √h in both forms."""
    counts = np.array([2_000, 8_000, 32_000])
    bounds = [
        THEOREM_W.bound(setting_of(ou(), Gaussian([0.0], 1.0), euler_maruyama(9.0, int(K), prior_std=1.0)))
        for K in counts
    ]
    for values in ([b.terms["discretisation"] for b in bounds], [b.details["closed_form"] for b in bounds]):
        assert np.polyfit(np.log(1 / counts), np.log(values), 1)[0] == pytest.approx(0.5, abs=SLOPE)


PROCESSES = {"ou": ou(), "vp": vp("1 + t/2"), "scaled": general(1, 4), "fast": vp(8)}


def drawn_setting(draws) -> Setting:
    """OU in every disguise, a weak assumption with moments it allows, any grid, any prior, any errors."""
    family, constants, (moment, mean, dim), horizon, steps, prior, errors, geometric = draws
    log_alpha, ratio, roughness = constants
    process, alpha = PROCESSES[family], 10.0**log_alpha
    M, L = alpha * ratio, alpha * roughness
    least, most = dim / L + mean**2, dim * (1 / alpha + M / alpha**2) + mean**2
    assumption = WeaklyLogConcave(alpha, M, L, dim, least + moment * (most - least), mean)
    stop = 0.01 * horizon if geometric == "stopped" else 0.0
    grid = (TimeGrid.geometric if geometric else TimeGrid.uniform)(horizon, steps, stop)
    return Setting(process, assumption, Scheme(samplers()["euler-maruyama"], grid, prior), *errors)


SETTINGS = st.tuples(
    st.sampled_from(sorted(PROCESSES)),
    st.tuples(LOG, st.just(0.0) | st.floats(0, 8), st.floats(1, 60)),
    st.tuples(ERROR, st.floats(0, 3), st.integers(1, 9)),
    st.floats(0.05, 6), st.integers(1, 120), st.none() | st.floats(0.3, 6), st.tuples(ERROR, ERROR),
    st.sampled_from(["", "", "geometric", "stopped"]),
).map(drawn_setting)


@settings(max_examples=examples(60))
@given(SETTINGS)
def test_martingale_product_and_closed_form_in_this_order(setting):
    """From the same start and for steps up to 1, martingale <= product form <= closed form."""
    bound = THEOREM_W.bound(setting)
    closed = bound.details["closed_form"]
    assert closed is None or bound.total <= closed * (1 + 1e-9)
    assert (closed is None) != bound.details["h (2L - 1) <= 2"]
    assume(bound.details["h <= 1"])
    functions, table = MARTINGALE.functions, setting.table
    recursion = propagate(
        bound.details["initial_distance"],
        one_block.contraction(setting, functions),
        one_block.step_bias(setting, functions) + table.Q * setting.score_error,
        one_block.missed_noise(setting, functions) + np.square(table.Q * setting.score_noise),
    )
    total = float(recursion) + one_block.early_stop(setting, functions)
    assert total <= bound.total * (1 + 1e-9)


@settings(max_examples=examples(30))
@given(LOG, st.floats(0.01, 1.0), st.floats(0.0, 3.0), st.floats(0, 3))
def test_local_error_of_gaussians_is_below_its_bound(log_variance, h, below, mean):
    """The exact L2 error of one step on N(m, v) is at most h^{3/2}B(h), and at most that with √(2/3)."""
    variance, tau = 10.0**log_variance, h + below
    start_sq = np.exp(-2 * tau)
    V = start_sq * variance - np.expm1(-2 * tau)
    # U_{τ−w} given U_τ has mean c1 U + c2 s(U) beyond the step's; its noise against the step's own
    c1, c2 = np.expm1(h) - h, 2 * (np.sinh(h) - h)
    bias_sq = (c1 - c2 / V) ** 2 * V + c1**2 * start_sq * mean**2

    def missed_sq(w):
        node = np.exp(-2 * (below + w)) * variance - np.expm1(-2 * (below + w))
        return 2 * (np.expm1(w) - 2 * np.sinh(w) / node) ** 2

    local = np.sqrt(bias_sq + quad(missed_sq, 0, h, epsabs=0, epsrel=1e-10)[0])
    law = WeaklyLogConcave(1 / variance, 0.0, 1 / variance, 1, variance + mean**2, mean)
    L = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(tau, 1))).details["L"]
    size = np.sqrt(variance + mean**2)
    stated = float(THEOREM_W.functions["local"](h=h, d=1, m2=size**2, L=L))
    assert stated == pytest.approx(h**1.5 * (np.sqrt(2) * (1 + 2 * L) + np.sqrt(h) * (size + 1) / 2))
    assert local <= h**1.5 * np.sqrt(2 / 3) * (1 + 2 * L) + h**2 / 2 * (size + 1) <= stated


@given(st.floats(1e-6, 10), st.floats(1e-3, 1e3))
def test_step_conditions_imply_the_one_that_is_needed(h, L):
    """h <= 1/(1+2L) and the paper's h < 2/(9L²) each imply h(2L − 1) <= 2; the factors are then at most 1."""
    found = gentiloni.step_conditions(h, L)
    assert found["h <= 1"] == (h <= 1)
    if found["h <= 1/(1+2L)"] or found["h < 2/(9 L^2)"]:
        assert found["h (2L - 1) <= 2"]
    if found["h (2L - 1) <= 2"]:
        for kappa in (0.5, (0.5 + L) / 2, L):
            if 0.5 <= kappa <= L:
                assert THEOREM_W.functions["growth"](h=h, kappa=kappa, L_t=L) <= 1 + 1e-12


@settings(max_examples=examples(50))
@given(SETTINGS)
def test_contractive_phase_does_not_expand(setting):
    """Beyond η_0 the factors are at most 1 and their product at most e^{(1+2L)η_0}, where h allows it."""
    details = THEOREM_W.bound(setting).details
    assume(details["h (2L - 1) <= 2"])
    assert details["contraction"] <= np.exp((1 + 2 * details["L"]) * details["eta"]) * (1 + 1e-9)
    if details["eta"] == 0:
        assert details["contraction"] <= 1 + 1e-9


def test_product_tends_to_the_flow():
    """For ever smaller steps the product of factors is the exact flow's e^{∫(1−2κ)}."""
    law = WeaklyLogConcave(1.0, 2.0, 3.0, 1, 2.0)
    gaps = []
    for steps in (100, 1000, 10_000):
        details = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(4.0, steps))).details
        gaps.append(abs(np.log(details["contraction"] / details["contraction_as_h_to_0"])))
    assert gaps[2] < 0.11 * gaps[1] < 0.0121 * gaps[0]


def test_terms_on_one_step_by_hand():
    """One OU step from T = h on N(0, 1) with the prior N(0, I): every term is the formula done by hand."""
    h, M, m_noise = 0.1, 0.3, 0.4
    law = StronglyLogConcave(1.0, 1.0, 1, 1.0, 0.0)
    bound = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(h, 1, prior_std=1.0), M, m_noise))
    # κ = L_t = L = 1, W2(p_0, N(0, 1)) = 0
    assert bound.terms["initialisation"] == pytest.approx(0.0, abs=1e-12)
    local = h**1.5 * (np.sqrt(2) * 3 + np.sqrt(h))
    assert bound.terms["discretisation"] == pytest.approx(local, rel=1e-9)
    assert bound.terms["score bias"] == pytest.approx(2 * h * 0.5, rel=1e-9)
    assert bound.details["closed_form"] == pytest.approx((local / h + 2 * 0.5) * h, rel=1e-9)
    assert bound.details["eta"] == 0 and bound.details["L"] == pytest.approx(1.0)
    assert bound.details["contraction"] == pytest.approx(1 - h)


def test_golden_regimes_are_among_the_details():
    """(α, M) = (1, 2): ξ = 0.3466, η_0 = 0.6931, and with L = 3 the closed form carries e^{7η_0} = 128."""
    law = WeaklyLogConcave(1.0, 2.0, 3.0, 1, 2.0)
    details = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(5.0, 500, prior_std=1.0))).details
    assert details["xi"] == pytest.approx(np.log(2) / 2, abs=BOUNDARY)
    assert details["eta"] == pytest.approx(np.log(2), abs=BOUNDARY)
    local = np.sqrt(2) * 7 + 0.1 * (np.sqrt(2) + 1) / 2
    start = details["initial_distance"]
    assert details["closed_form"] == pytest.approx(128 * (start + 0.1 * local * 5), rel=1e-9)


# -- start ---------------------------------------------------------------------------------------------------


@given(st.none() | st.floats(0.2, 5), st.floats(0.1, 8), st.floats(0.05, 20), st.floats(0, 3))
def test_initial_distance_bounds_the_start(prior, horizon, variance, mean):
    """For any prior N(0, σ²I) the initial term is at least W2(p_T, N(0, σ²I)), facts or not."""
    law = Gaussian([mean, 0.0], variance)
    for information in ("all", "constants"):
        setting = setting_of(
            ou(), law, euler_maruyama(horizon, 1, prior_std=prior), information=information,
            assumption=WeaklyLogConcave(1 / variance, 3.0, 1 / variance, 2, law.second_moment, mean),
        )
        a, s_sq = setting.table.path.a[0], setting.table.path.s_sq[0]
        truth = w2_gaussian(law.pushed(a, s_sq), Gaussian([0.0, 0.0], setting.table.prior_var)).lower
        assert truth <= THEOREM_W.bound(setting).details["initial_distance"] * (1 + 1e-9) + 1e-12


def test_start_is_what_the_paper_has():
    """With the prior N(0, I) and the distance known, the initial distance is e^{−T}W2(p_0, N(0, I))."""
    law = Gaussian([1.0, -2.0], [0.3, 4.0])
    setting = setting_of(ou(), law, euler_maruyama(2.0, 10, prior_std=1.0))
    expected = np.exp(-2.0) * np.sqrt(5 + (np.sqrt(0.3) - 1) ** 2 + 1)
    bound = THEOREM_W.bound(setting)
    assert bound.details["initial_distance"] == pytest.approx(expected, rel=1e-9)
    assert bound.information == "constants and W2(p_0, N(0, v I))"
    far = THEOREM_W.bound(setting_of(ou(), law, euler_maruyama(800.0, 10, prior_std=1.0)))
    assert np.isfinite(far.details["initial_distance"])


# -- truth ---------------------------------------------------------------------------------------------------


@settings(max_examples=examples(40))
@given(LOG, st.floats(0, 4), st.floats(0.1, 5), st.integers(1, 60), st.floats(0, 2), ERROR, ERROR,
       st.none() | st.just(1.0) | st.floats(0.3, 3), st.sampled_from(["ou", "vp", "fast"]))
def test_holds_on_gaussians_seen_as_weakly_log_concave(
    log_variance, M, horizon, steps, mean, error, noise, prior, family
):
    """On Gaussian data with any M >= 0 allowed by the assumption, both forms are above the exact W2."""
    variance = 10.0**log_variance
    law = Gaussian([mean, 0.0], np.array([variance, variance / 2]))
    assumption = WeaklyLogConcave(1 / variance, M, 2 / variance, 2, law.second_moment, mean)
    setting = setting_of(
        PROCESSES[family], law, euler_maruyama(horizon, steps, prior_std=prior), error, noise,
        assumption=assumption,
    )
    certificate = certify_setting(THEOREM_W, setting, law)
    assert certificate.verdict is Verdict.HOLDS
    closed = certificate.bound.details["closed_form"]
    assert closed is None or certificate.measured.upper <= closed


@pytest.mark.parametrize("separation, std", [(1.0, 0.5), (2.0, 0.8), (2.0, 0.5)])
def test_holds_on_two_modes(separation, std):
    """On ½N(±m, s²) with α = 1/s² and M = m²/s⁴ from the law itself, both forms are above the exact W2."""
    law = GaussianMixture.two_modes(separation, std)
    setting = setting_of(ou(), law, euler_maruyama(4.0, 100, prior_std=1.0), 0.05)
    certificate = certify_setting(THEOREM_W, setting, law)
    assert certificate.verdict is Verdict.HOLDS
    assert certificate.measured.upper <= certificate.bound.details["closed_form"]


def test_time_change_is_the_same_bound():
    """VP is OU on the clock ∫β/2: constant β gives the same numbers, rising β those of the moved grid."""
    law = WeaklyLogConcave(0.7, 1.1, 2.0, 3, 9.0, 0.4)
    slow = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(3.0, 40), 0.1))
    fast = THEOREM_W.bound(Setting(vp(6), law, euler_maruyama(1.0, 40), 0.1))
    assert fast.total == pytest.approx(slow.total, rel=1e-9)
    assert fast.details["closed_form"] == pytest.approx(slow.details["closed_form"], rel=1e-9)
    rising = Setting(vp(linear(1, 2)), law, euler_maruyama(2.0, 30), 0.1)
    clock = lambda t: t / 2 + t**2 / 2  # noqa: E731
    moved = Scheme(samplers()["euler-maruyama"], TimeGrid.from_times(clock(rising.scheme.grid.times)))
    expected = THEOREM_W.bound(Setting(ou(), law, moved, 0.1)).total
    assert THEOREM_W.bound(rising).total == pytest.approx(expected, rel=1e-9)


# -- what it says --------------------------------------------------------------------------------------------


def test_vacuous_bounds_say_why():
    """Where R/s is large the notes say vacuous, with e^{M/α}; they give the closed form, or say that h is too
    long for it."""
    law = WeaklyLogConcave(4.0, 64.0, 4.0, 1, 4.25, 0.0)  # ½N(±2, ¼): R/s = 4
    bound = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(5.0, 400)))
    assert len(bound.notes) == 3 and bound.details["closed_form"] > bound.total
    assert "vacuous" in bound.notes[0] and "e^(M/alpha) = 8.89e+06" in bound.notes[1]
    coarse = THEOREM_W.bound(Setting(ou(), law, euler_maruyama(5.0, 10)))
    assert coarse.details["closed_form"] is None and "no closed form" in coarse.notes[-1]
    plain = THEOREM_W.bound(Setting(ou(), StronglyLogConcave(1.0, 1.0), euler_maruyama(4.0, 100_000)))
    assert (
        len(plain.notes) == 1 and "closed form" in plain.notes[0] and "h < 2/(9 L^2) holds" in plain.notes[0]
    )
    huge = THEOREM_W.bound(Setting(ou(), WeaklyLogConcave(100.0, 1e8, 100.0), euler_maruyama(5.0, 4000)))
    assert huge.total == np.inf and huge.as_dict()["total"] is None


WEAK = WeaklyLogConcave(1.0, 2.0, 3.0)
UNMET = [
    (Setting(ve(1), WEAK, euler_maruyama(1, 3)), "Ornstein–Uhlenbeck"),
    (Setting(ou(), LogLipschitz(1.0, 1.0, 2.0), euler_maruyama(1, 3)), "weak log-concavity"),
    (Setting(ou(), WEAK, scheme("exponential", 1, 3)), "Euler–Maruyama"),
    (Setting(ou(), WeaklyLogConcave(np.array([1.0, 2.0]), 2.0, 3.0), euler_maruyama(1, 3)), "one problem"),
]


@pytest.mark.parametrize("setting, hypothesis", UNMET, ids=lambda x: x if isinstance(x, str) else "")
def test_unmet_hypotheses_are_named(setting, hypothesis):
    """Another process, assumption or scheme, and batches, are refused by name, and nothing else is unmet."""
    with pytest.raises(NotApplicable) as refused:
        THEOREM_W.bound(setting)
    assert [line.split(":")[0] for line in refused.value.unmet] == [hypothesis]


def test_units_beyond_floats_are_the_process_s_fault():
    """Where lengths of data in units of the process leave the range of constants, the process is named."""
    process = general(f="14.2", g="2.8e-81")
    with pytest.raises(ValueError, match=r"process must have g/\(2f\)\^\(1/2\) between 1e-50"):
        THEOREM_W.bound(Setting(process, WEAK, euler_maruyama(1, 3)))


def test_a_prior_of_the_data_s_own_variance_costs_nothing():
    """Started from what N(0, 4) becomes by the horizon a sampler of N(0, 4) has no initial error."""
    setting = setting_of(ou(), Gaussian([0.0], 4.0), euler_maruyama(2.0, 50, prior_spread=4.0))
    terms = theorems()["gentiloni2025-weak-log-concave"].bound(setting).terms
    assert terms[INITIALISATION] < 1e-7 < terms[DISCRETISATION]
