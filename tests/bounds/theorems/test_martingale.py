"""The martingale bound: an independent recursion, golden numbers, refinements, orders, and soundness of its
parts."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from scipy import integrate

from bounds import BoundedSupport, LogLipschitz, StronglyLogConcave, WeaklyLogConcave, general, ou, ve, vp
from bounds.conditions import RESOLVED
from bounds.facts import DataFacts
from bounds.processes.cld import cld
from bounds.recursion import one_block
from bounds.recursion.propagation import propagate
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.distances.line import w2_line
from closed_form.posteriors.moments import posterior_moments
from closed_form.sampler_laws.w2 import sampler_w2
from tests.bounds.tolerances import RECURSION_RELATIVE, SLOPE
from tests.tolerances import GOLDEN, THREE_DIGITS
from verify.certificates.certificate import certify
from verify.certificates.question import setting_of

MARTINGALE = theorems()["martingale"]
TWO_MODES = WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25)


def reference(assumption, key, horizon, steps, *, refine=True, score_error=0.0, score_noise=0.0):
    """E_K for OU, written from docs/theory.md section 4 in the posterior covariance c, by scipy.quad, step by
    step."""
    d, m2 = assumption.dim, assumption.second_moment
    m, h = m2 / d, horizon / steps
    a, s_sq = (lambda t: np.exp(-t)), (lambda t: -np.expm1(-2 * t))
    info = lambda t: a(t) ** 2 / s_sq(t)  # noqa: E731
    H = lambda t, c: -1 / s_sq(t) + c * (a(t) / s_sq(t)) ** 2  # noqa: E731
    error = np.sqrt(a(horizon) ** 2 * m2)
    for k in range(steps):
        tau, r = horizon - k * h, horizon - (k + 1) * h
        phi_inv, C_total = np.exp(h), -np.expm1(-2 * h)
        P, Q, n = {
            "euler-maruyama": (1 + h, 2 * h, lambda s: 1.0),
            "posterior-mean": (phi_inv, phi_inv * C_total, lambda s, r=r: np.exp(s - r)),
            "exponential": (phi_inv, 2 * np.expm1(h), lambda s, r=r: np.exp(s - r)),
        }[key]
        c = assumption.c_lo(info(tau)), assumption.c_up(info(tau))
        A = max(abs(P + Q * H(tau, x)) for x in c)
        c1, c2 = phi_inv - P, phi_inv * C_total - Q
        M2 = s_sq(tau) + a(tau) ** 2 * m
        bias_sq = d * (c1**2 * M2 - 2 * c1 * c2 + c2**2 * -H(tau, c[0]))

        def density(sigma, r=r, n=n):
            q = info(sigma)
            low, up = assumption.c_lo(q), assumption.c_up(q)
            C = -np.expm1(-2 * (sigma - r))
            f = lambda z: 2 * (np.exp(sigma - r) * (1 + C * H(sigma, z)) - n(sigma)) ** 2  # noqa: E731
            if not refine:
                return max(f(low), f(up))
            mean = min(up, assumption.centred_variance / (1 + assumption.centred_variance * q))
            theta = (mean - low) / (up - low) if up > low else 0.0
            return max(f(low), f(low) + theta * (f(up) - f(low)))

        v_sq = d * integrate.quad(density, max(r, 1e-12), tau, epsabs=1e-15, epsrel=1e-10, limit=200)[0]
        moved = A * error + np.sqrt(max(bias_sq, 0.0)) + Q * score_error
        error = np.sqrt(moved**2 + v_sq + (Q * score_noise) ** 2)
    return error


@pytest.mark.parametrize("key", ["euler-maruyama", "posterior-mean", "exponential"])
@pytest.mark.parametrize(
    "assumption",
    [
        StronglyLogConcave(1.5, 6.0, dim=3, mean_norm=0.5),
        TWO_MODES,
        LogLipschitz(2.0, 0.8, 3.0, dim=2),
    ],
    ids=["strong", "weak", "log-lipschitz"],
)
@pytest.mark.parametrize("errors", [(0.0, 0.0), (0.3, 0.2)])
def test_recursion_agrees_with_a_second_one(key, assumption, errors):
    """E_K from the plain initial term equals a step-by-step recursion in c with scipy.quad."""
    setting = Setting(ou(), assumption, scheme(key, 3.0, 25), *errors)
    functions = MARTINGALE.functions
    bias, variance = one_block.step_bias(setting, functions), one_block.missed_noise(setting, functions)
    Q = setting.table.Q
    plain = np.sqrt(np.exp(-6.0) * assumption.second_moment)
    total = propagate(
        plain,
        one_block.contraction(setting, functions),
        bias + Q * errors[0],
        variance + (Q * errors[1]) ** 2,
    )
    expected = reference(assumption, key, 3.0, 25, score_error=errors[0], score_noise=errors[1])
    assert float(total) == pytest.approx(expected, rel=RECURSION_RELATIVE)
    assert MARTINGALE.bound(setting).total <= float(total) * (1 + RECURSION_RELATIVE)


def unrefined(setting):
    """Section 4 as its table was made: independent coupling at T, no θ, no MMSE curve, the scheme's own
    noise."""
    x_mean, X = (sympy.Symbol(name, real=True) for name in ("x_mean", "X"))
    stated = {**MARTINGALE.stated, "variance": MARTINGALE.stated["variance"].subs(x_mean, X)}
    functions = replace(MARTINGALE, stated=stated).functions
    setting = setting.without_facts()
    path, assumption = setting.table.path, setting.assumption
    start = functions["initial_sq"](
        a_sq=path.a[0] ** 2,
        s_sq=path.s_sq[0],
        m2=assumption.second_moment,
        d=assumption.dim,
        s=np.sqrt(path.s_sq[0]),
        sigma=np.sqrt(setting.table.prior_var),
    )
    step = one_block.contraction(setting, functions)
    return float(
        propagate(
            np.sqrt(start),
            step,
            one_block.step_bias(setting, functions),
            one_block.missed_noise(setting, functions),
        )
    )


GAUSS = [
    # process, variance, dim, T, K, B of section 9, exact W2 of section 9
    (ou(), 0.25, 1, 4.0, 400, 0.01306, 0.009553),
    (ou(), 1.0, 100, 4.0, 1600, 0.02309, 0.006253),
    (ve(1), 0.25, 1, 40.0, 1600, 0.01724, 0.01274),
]


@pytest.mark.parametrize("process, variance, dim, horizon, steps, claimed, exact", GAUSS)
def test_table_of_section_nine(process, variance, dim, horizon, steps, claimed, exact):
    """The Gaussian rows of section 9: B without refinements and exact W2 to three digits; the default is no
    larger."""
    law = Gaussian(np.zeros(dim), variance)
    sampler = scheme("euler-maruyama", horizon, steps)
    setting = setting_of(process, law, sampler)
    certificate = certify("martingale", process=process, law=law, scheme=sampler)
    assert unrefined(setting) == pytest.approx(claimed, rel=GOLDEN)
    assert certificate.measured.midpoint == pytest.approx(exact, rel=GOLDEN)
    assert certificate.bound.total <= claimed * (1 + GOLDEN)
    assert certificate.verdict == "HOLDS"


def test_two_modes_row_of_section_nine():
    """½N(±1,¼), OU, T = 5, 400 steps: 0.1442 unrefined, 0.1314 from constants and 0.0996 with the MMSE
    curve."""
    law, sampler = GaussianMixture.two_modes(2.0, 0.5), scheme("euler-maruyama", 5.0, 400)
    constants = certify("martingale", process=ou(), law=law, scheme=sampler, information="constants")
    known = certify("martingale", process=ou(), law=law, scheme=sampler)
    assert unrefined(setting_of(ou(), law, sampler)) == pytest.approx(0.1442, rel=GOLDEN)
    assert constants.measured.midpoint == pytest.approx(0.0153, rel=GOLDEN)
    assert constants.bound.total == pytest.approx(0.1314, rel=THREE_DIGITS)
    assert known.bound.total == pytest.approx(0.0996, rel=THREE_DIGITS)
    assert (constants.bound.information, known.bound.information) == ("constants", "MMSE curve")


def test_matched_noise_on_two_modes():
    """Posterior mean with matched noise: exact 0.0125, 0.0819 from constants, at most 0.0492 with the MMSE
    curve."""
    law, sampler = GaussianMixture.two_modes(2.0, 0.5), scheme("posterior-mean-matched", 5.0, 400)
    constants = certify("martingale", process=ou(), law=law, scheme=sampler, information="constants")
    known = certify("martingale", process=ou(), law=law, scheme=sampler)
    assert known.measured.midpoint == pytest.approx(0.0125, rel=GOLDEN)
    assert constants.bound.total == pytest.approx(0.0819, rel=THREE_DIGITS)
    assert known.bound.total <= 0.0492
    assert {constants.verdict, known.verdict} == {"HOLDS"}


@pytest.mark.parametrize("process", [ou(), vp("1+t"), ve(1), ve("1+t")], ids=lambda p: f"{p.name} {p.g_sq}")
def test_the_rounding_of_a_sampler_exact_on_paper_is_in_the_bound(process):
    """Data N(10⁶, 1): the mean that the float coefficients lead to, in exact arithmetic, is off by less than
    the bound allows."""
    law, horizon, count = Gaussian([1e6], 1.0), 0.05, 40
    setting = setting_of(process, law, scheme("posterior-mean-matched", horizon, count))
    steps, times = setting.table.steps(), setting.scheme.grid.times
    t = sympy.Symbol("t", nonnegative=True)
    with mpmath.workdps(60):
        a, s_sq = (
            [mpmath.mpf(sympy.N(e.subs(t, sympy.Float(float(at), 60)), 60)) for at in times]
            for e in (process.a.expression, process.s_sq.expression)
        )
        mean = a[0] * 10**6
        for k in range(count):
            score = (a[k] * 10**6 - mean) / (a[k] ** 2 + s_sq[k])
            mean = mpmath.mpf(float(steps.P[k])) * mean + mpmath.mpf(float(steps.Q[k])) * score
        off = abs(mean - 10**6)
    assert float(off) <= MARTINGALE.bound(setting).terms["discretisation"]


def test_variance_exploding_at_its_best_horizon():
    """VE g² = 1, N(0,¼), 1600 uniform steps: at most 0.0033 at the best horizon."""
    totals = [
        MARTINGALE.bound(
            Setting(ve(1), StronglyLogConcave(4.0, 4.0), scheme("euler-maruyama", T, 1600))
        ).total
        for T in np.geomspace(2.0, 40.0, 25)
    ]
    assert min(totals) <= 0.0033


def test_the_published_code_that_went_negative():
    """N(0, 9I₂), β from 0.1 to 20, T = 1, 500 steps, where a published bound is −0.575: positive, and it
    holds."""
    certificate = certify(
        "martingale", process=vp("1/10 + 199/10*t"), law=Gaussian(np.zeros(2), 9.0),
        scheme=scheme("euler-maruyama", 1.0, 500),
    )
    assert certificate.verdict == "HOLDS"
    assert 0 < certificate.bound.total <= 4 * certificate.measured.lower


@pytest.mark.parametrize(
    "process, law, horizon",
    [
        (ou(), Gaussian([0.5], 0.25), 6.0),
        (vp("1/10 + 199/10*t"), Gaussian([0.0], 0.5), 1.5),
        (ou(), GaussianMixture.two_modes(1.6, 0.6), 7.0),
    ],
    ids=["ou", "vp", "mixture"],
)
def test_euler_errors_are_of_first_order(process, law, horizon):
    """Exact error and martingale bound fall like h for Euler–Maruyama, by fitted slope."""
    counts = np.array([800, 1600, 3200]) if isinstance(law, Gaussian) else np.array([400, 800, 1600])
    found = [
        certify("martingale", process=process, law=law, scheme=scheme("euler-maruyama", horizon, int(K)))
        for K in counts
    ]
    for values in ([c.measured.midpoint for c in found], [c.bound.total for c in found]):
        slope = np.polyfit(np.log(1 / counts), np.log(values), 1)[0]
        assert slope == pytest.approx(1.0, abs=SLOPE)


def test_lower_bound_constant_on_the_unit_gaussian():
    """OU, σ0 = 1: exact W2·4/(√d h) tends to 1."""
    ratios = [
        certify(
            "martingale",
            process=ou(),
            law=Gaussian(np.zeros(7), 1.0),
            scheme=scheme("euler-maruyama", 12.0, K),
        ).measured.midpoint
        * 4
        * K
        / (np.sqrt(7) * 12.0)
        for K in (1200, 4800)
    ]
    assert abs(ratios[1] - 1) < 0.002
    assert abs(ratios[1] - 1) < 0.3 * abs(ratios[0] - 1)


def test_refinements_only_help():
    """θ, the sharper initial terms, the MMSE curve and the coupled noise never raise the bound."""
    law = GaussianMixture([[-0.8], [0.1], [0.9]], weights=[0.3, 0.5, 0.2], std=0.6)
    for key in (key for key, sampler in samplers(1).items() if not sampler.follows_ode):
        for process, horizon in ((ou(), 2.0), (ve(1), 5.0), (general("sin(3*t)", "1"), 3.0)):
            setting = setting_of(process, law, scheme(key, horizon, 40))
            constants = setting.without_facts()
            totals = {
                "plain": unrefined(setting),
                "constants": MARTINGALE.bound(constants).total,
                "coupled": theorems()["martingale-coupled"].bound(constants).total,
            }
            assert totals["constants"] <= totals["plain"] * (1 + 1e-9)
            assert totals["coupled"] <= totals["constants"] * (1 + 1e-9)
            if key != "posterior-mean-matched":  # its sampler depends on what is known
                known = MARTINGALE.bound(setting).total
                assert known <= totals["constants"] * (1 + 1e-6)
                assert theorems()["martingale-coupled"].bound(setting).total <= known * (1 + 1e-9)


def test_a_batch_is_the_problems_one_by_one():
    """Arrays of constants give what each problem gives alone, for constants, dimensions and score errors."""
    rng = np.random.default_rng(3)
    n = 300
    alpha, M = np.exp(rng.normal(size=n)), rng.uniform(0, 2, n)
    ratio, errors = rng.uniform(1, 3, n), rng.uniform(0, 1, n)
    sampler = scheme("euler-maruyama", 1.0, 30)
    together = MARTINGALE.bound(
        Setting(vp("1+3*t"), WeaklyLogConcave(alpha, M * alpha, ratio * alpha, dim=3), sampler, errors, 0.1)
    )
    assert together.total.shape == (n,)
    for i in (0, 7, 128, 299):
        alone = MARTINGALE.bound(
            Setting(
                vp("1+3*t"),
                WeaklyLogConcave(float(alpha[i]), float(M[i] * alpha[i]), float(ratio[i] * alpha[i]), dim=3),
                sampler, float(errors[i]), 0.1,
            )
        )
        assert together.total[i] == pytest.approx(alone.total, rel=1e-7)
        for name, value in alone.terms.items():
            assert together.terms[name][i] == pytest.approx(value, rel=1e-7)


def test_a_batch_may_hold_problems_on_both_sides_of_xi():
    """A problem that is log-concave at T keeps its sharper initial term beside one that is not."""
    M = np.array([2.0, 400.0])
    sampler = scheme("euler-maruyama", 0.3, 10)
    together = MARTINGALE.bound(Setting(ou(), WeaklyLogConcave(4.0, M, 4.0), sampler)).total
    alone = [MARTINGALE.bound(Setting(ou(), WeaklyLogConcave(4.0, float(m), 4.0), sampler)) for m in M]
    assert [bound.details["initial_term"] for bound in alone] == ["log-concave at T", "smooth at T"]
    assert together == pytest.approx([bound.total for bound in alone], rel=1e-7)


def test_bounded_data_need_early_stopping_and_then_have_a_bound():
    """Two point masses: refused at t0 = 0 by name; with early stopping the bound holds against p_0 itself."""
    setting = Setting(ou(), BoundedSupport(1.0), scheme("exponential", 3.0, 200))
    assert any("early_stop" in line for line in MARTINGALE.unmet(setting))
    stopped = Setting(ou(), BoundedSupport(1.0), scheme("exponential", 3.0, 200, early_stop=0.05))
    bound = MARTINGALE.bound(stopped)
    assert bound.terms["early stopping"] == pytest.approx(
        np.sqrt((1 - np.exp(-0.05)) ** 2 - np.expm1(-0.1)), rel=1e-12
    )
    assert np.isfinite(bound.total) and bound.total > bound.terms["early stopping"]


def test_unknown_mean_is_never_assumed():
    """Without ‖E X_0‖ the bound is at least what any value of it gives."""
    totals = [
        MARTINGALE.bound(
            Setting(
                ve(1),
                WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25, mean_norm=mean),
                scheme("euler-maruyama", 3.0, 50),
            )
        ).total
        for mean in (None, 0.0, 0.5, 0.9)
    ]
    assert totals[0] >= max(totals[1:]) * (1 - 1e-12)


@pytest.mark.parametrize("key", ["posterior-mean", "posterior-mean-matched", "exponential", "ancestral"])
def test_steps_that_rounding_swallows_are_refused(key):
    """∫f of 18 over one step: 1 − e^{−36} is 1 in floating point, and the bound says so by name; with 11 it
    holds."""
    law = Gaussian([0.0, 0.5], [2.0, 0.5])
    far, near = (certify("martingale", process=ou(), law=law, scheme=scheme(key, T, 1)) for T in (18.0, 11.0))
    assert far.verdict == "NOT_APPLICABLE" and "∫f over a step must be at most 12" in far.unmet[0]
    assert near.verdict == "HOLDS"


@pytest.mark.parametrize("steps", [100, 20_001])
def test_few_steps_or_many_are_judged_by_their_length(steps):
    """∫f of 13 over every step is refused and 11 is not, whether steps are looked at one by one or some
    together."""
    law = Gaussian([0.0], 2.0)
    long, short = (
        setting_of(ou(), law, scheme("posterior-mean", length * steps, steps)) for length in (13.0, 11.0)
    )
    assert "got 13" in RESOLVED.check(long) and RESOLVED.check(short) is None


def test_what_the_initial_term_knew_is_reported():
    """A Gaussian with constants stated by hand: the closed form's W2(p_0, N(0, vI)) is named where used, with
    1 and 2 blocks."""
    law, loose = Gaussian([0.3], 0.5), StronglyLogConcave(0.2, 5.0, dim=1, second_moment=0.59, mean_norm=0.3)
    short = scheme("euler-maruyama", 0.1, 5, prior_std=1.5)
    found = certify("martingale", process=ou(), law=law, scheme=short, assumption=loose).bound
    assert found.details["initial_term"] == "transport at 0"
    assert found.information == "constants and W2(p_0, N(0, v I))"
    tight = StronglyLogConcave(2.0, 5.0, dim=1, second_moment=0.59, mean_norm=0.3)
    found = certify(
        "martingale", process=cld(), law=law, scheme=scheme("euler-maruyama", 1.0, 50), assumption=tight
    ).bound
    assert (
        "closed form" in found.details["initial_term"]
        and found.information == "constants and W2(p_0, N(0, v I))"
    )


def test_the_initial_term_past_xi_is_near_the_truth():
    """Forty mixtures on a line, log-concave at T: E_0 is above W2(p_T, N(0, σ²)), in the median by 0.6 % at
    most."""
    ratios = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        means, weights = rng.normal(size=(3, 1)) * rng.uniform(0.1, 2), rng.dirichlet(np.ones(3))
        law = GaussianMixture(means, weights=weights, std=rng.uniform(0.3, 1.5))
        setting = setting_of(ou(), law, scheme("euler-maruyama", rng.uniform(1.5, 4), 2))
        parts, path = MARTINGALE.ingredients(setting, MARTINGALE.functions), setting.table.path
        assert parts.initial_term.name == "log-concave at T"
        truth = w2_line(law.pushed(path.a[0], path.s_sq[0]), Gaussian([0.0], float(setting.table.prior_var)))
        ratios.append(parts.initial / truth.upper)
    assert min(ratios) >= 1 and np.median(ratios) <= 1.006


def test_vacuous_bounds_say_so():
    """Modes ten standard deviations apart: the bound names e^{M/α} and calls itself vacuous."""
    setting = setting_of(
        ou(),
        GaussianMixture.two_modes(10.0, 0.5),
        scheme("euler-maruyama", 5.0, 100),
        information="constants",
    )
    notes = " ".join(MARTINGALE.bound(setting).notes)
    assert "vacuous" in notes
    assert "e^(M/alpha)" in notes


def test_overflow_ends_as_infinity():
    """A bound beyond the range of floats is reported as infinite, never as NaN or a small number."""
    setting = Setting(ou(), WeaklyLogConcave(1e-3, 1e3, 1e3), scheme("euler-maruyama", 300.0, 3))
    assert MARTINGALE.bound(setting).total > 1e10
    worse = MARTINGALE.bound(
        Setting(ou(), WeaklyLogConcave(1.0, 1600.0, 1.0), scheme("exponential", 8.0, 4000))
    )
    assert worse.total == np.inf
    assert worse.as_dict()["total"] is None


def test_initial_terms_are_the_smallest_that_apply():
    """For a Gaussian the term at T equals the exact W2 to the prior; the transport at 0 applies when σ >=
    s."""
    law = Gaussian([2.0], 0.25)
    setting = setting_of(ou(), law, scheme("euler-maruyama", 0.7, 10))
    value, _ = one_block.initial_error(setting, MARTINGALE.functions)
    a, s = np.exp(-0.7), np.sqrt(-np.expm1(-1.4))
    exact = np.sqrt((2 * a) ** 2 + (np.sqrt(a**2 / 4 + s**2) - s) ** 2)
    assert value == pytest.approx(exact, rel=1e-12)
    unit = setting_of(ou(), law, scheme("euler-maruyama", 0.7, 10, prior_std=1.0))
    transport = Setting(unit.process, unit.assumption, unit.scheme,
                        facts=DataFacts(distance_to_gaussian=lambda v: np.hypot(2.0, 0.5 - np.sqrt(v))))
    value, _ = one_block.initial_error(transport, MARTINGALE.functions)
    assert value <= a * np.hypot(2.0, 0.5) * (1 + 1e-12)


def test_moments_are_used_on_the_safe_side():
    """Inflating the error of the MMSE curve never lowers the bound."""
    law = GaussianMixture.two_modes(2.0, 0.5)
    moments = posterior_moments(law)

    class Blurred:
        def at(self, q):
            x1, e1, x2, e2 = moments.at(q)
            return x1, e1 + 0.05 * x1, x2, e2 + 0.05 * x2

    sampler = scheme("euler-maruyama", 5.0, 50)
    sharp = setting_of(ou(), law, sampler)
    blurred = replace(sharp, facts=replace(sharp.facts, moments=Blurred()))
    assert MARTINGALE.bound(blurred).total >= MARTINGALE.bound(sharp).total


@pytest.mark.parametrize("horizon", [500.0, 2871.5, 3032.5, 3200.0])
def test_a_process_that_leaves_the_range_of_floats_is_refused(horizon):
    """With f < 0 and a² beyond 1e100 an excess would overflow to zero and the bound drop below the truth:
    refused."""
    process, law = general("-11603/200000", "37/500"), Gaussian(np.array([0.3, 0.4]), np.array([300.0, 4.8]))
    setting = setting_of(process, law, scheme("exponential", horizon, 1))
    if horizon < 1000:
        assert MARTINGALE.bound(setting).total >= sampler_w2(law, setting.table.steps()).upper
    else:
        with pytest.raises(ValueError, match="must stay below 1e\\+100"):
            MARTINGALE.bound(setting)
