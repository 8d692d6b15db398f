"""Samplers: P, Q and noise against their definitions, order of accuracy, and limits."""

import numpy as np
import pytest
import sympy
from scipy import integrate

import bounds.sampler
from bounds import StronglyLogConcave, WeaklyLogConcave, general, ou, ve, vp
from bounds.grid import TimeGrid
from bounds.processes.flow_matching import flow_matching
from bounds.sampler import Scheme, scheme, variance_of
from bounds.samplers import samplers
from bounds.steps.rule import matched_hessian
from bounds.steps.table import StepTable
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import PATH_RELATIVE, SLOPE, STRONG_ORDER
from tests.drawn import thinned

PROCESSES = {
    "ou": ou(),
    "vp": vp(sympy.Rational(1, 10) + 5 * TIME),
    "ve": ve(sympy.exp(TIME)),
    "general": general(sympy.sin(5 * TIME) - sympy.Rational(1, 2), 1 + sympy.cos(TIME) / 2),
}
TIMES = TimeGrid.from_times([1.3, 1.0, 0.2, 0.0])
ASSUMPTION = WeaklyLogConcave(2.0, 3.0, 4.0, dim=2)
NOISY = [key for key, sampler in samplers(1).items() if not sampler.follows_ode]
SILENT = [key for key in samplers(1) if key not in NOISY]
ONCE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 1 and sampler.multistep is None]
TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]


def definition(process, key, tau, r):
    """(P, Q, noise variance) of one step by scipy.quad from the table of docs/theory.md section 3."""
    f = lambda t: float(process.f_values(np.array([max(t, 1e-300)]))[0])  # noqa: E731
    g_sq = lambda t: float(process.g_sq_values(np.array([max(t, 1e-300)]))[0])  # noqa: E731
    quad = lambda fun: integrate.quad(fun, r, tau, epsabs=1e-14, epsrel=1e-13, limit=200)[0]  # noqa: E731
    phi = lambda end, start: np.exp(-integrate.quad(f, start, end, epsabs=1e-14, epsrel=1e-13)[0])  # noqa: E731
    covariance = lambda end: integrate.quad(  # noqa: E731
        lambda u: phi(end, u) ** 2 * g_sq(u), r, end, epsabs=1e-14, epsrel=1e-12)[0]
    h = tau - r
    if key == "euler-maruyama":
        return 1 + quad(f), quad(g_sq), quad(g_sq)
    if key in ("frozen-euler-maruyama", "euler-maruyama-lambda"):
        return 1 + h * f(tau), h * g_sq(tau), h * g_sq(tau)
    if key == "exponential":
        return 1 / phi(tau, r), quad(lambda u: g_sq(u) / phi(u, r)), quad(lambda u: g_sq(u) / phi(u, r) ** 2)
    variance = lambda t: integrate.quad(  # noqa: E731
        lambda u: phi(t, u) ** 2 * g_sq(u), 0, t, epsabs=1e-14, epsrel=1e-12)[0]
    if key == "ode-euler":
        return 1 + h * f(tau), h * g_sq(tau) / 2, 0.0
    if key == "ode-exponential":
        return 1 / phi(tau, r), quad(lambda u: g_sq(u) / phi(u, r) / 2), 0.0
    if key == "ddim":
        upper, lower = np.sqrt(variance(tau)), np.sqrt(variance(r)) if r > 0 else 0.0
        return 1 / phi(tau, r), upper * (upper / phi(tau, r) - lower), 0.0
    P, Q = 1 / phi(tau, r), covariance(tau) / phi(tau, r)
    if key == "posterior-mean":
        return P, Q, quad(lambda u: g_sq(u) / phi(u, r) ** 2)
    if key == "ancestral":
        return P, Q, covariance(tau) * (variance(r) if r > 0 else 0.0) / variance(tau)
    if key == "ancestral-large":
        return P, Q, covariance(tau)
    if key != "posterior-mean-matched":
        raise LookupError(f"the table has no row for the sampler {key!r}")

    def matched(u):
        a_sq, s_sq = phi(u, 0) ** 2, variance(u)
        q = a_sq / s_sq
        middle = (ASSUMPTION.c_lo(q) + ASSUMPTION.c_up(q)) / 2
        hessian = -1 / s_sq + middle * a_sq / s_sq**2
        return ((1 + covariance(u) * hessian) / phi(u, r)) ** 2 * g_sq(u)

    return P, Q, integrate.quad(matched, max(r, 1e-9), tau, epsabs=1e-11, epsrel=1e-9)[0]


@pytest.mark.parametrize("key, name", thinned(ONCE, PROCESSES, every=2))
def test_steps_follow_the_table(name, key):
    """P, Q and the noise variance of every step are the integrals of docs/theory.md section 3."""
    steps = Scheme(samplers()[key], TIMES).steps(PROCESSES[name], ASSUMPTION)
    for i in range(3):
        P, Q, noise = definition(PROCESSES[name], key, steps.time[i], steps.time[i + 1])
        assert steps.P[i] == pytest.approx(P, rel=1e-10)
        assert steps.Q[i] == pytest.approx(Q, rel=1e-10)
        assert steps.noise_var[i] == pytest.approx(noise, rel=1e-6, abs=1e-10)


def test_a_sampler_without_a_row_is_not_taken_for_another():
    """A sampler that the table does not define has no expected coefficients at all."""
    with pytest.raises(LookupError, match="no row for the sampler 'heun-3'"):
        definition(PROCESSES["ou"], "heun-3", 1.0, 0.5)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", ONCE)
def test_defects_are_what_the_exact_step_would_add(name, key):
    """c1 = Φ⁻¹ − P and c2 = Φ⁻¹C − Q, computed without cancellation, agree with the differences."""
    table = StepTable(PROCESSES[name], Scheme(samplers()[key], TIMES), ASSUMPTION)
    growth = np.exp(table.path.F)
    assert table.c1 == pytest.approx(growth - table.P, abs=1e-12)
    assert table.c2 == pytest.approx(growth * table.path.C - table.Q, abs=1e-12)


@pytest.mark.parametrize("key", NOISY)
def test_local_defects_are_second_order(key):
    """Halving the step divides the one-step defects by four (Euler kinds); posterior means have none."""
    process = PROCESSES["general"]
    sizes = []
    for steps in (100, 200):
        table = StepTable(process, scheme(key, 1.0, steps), ASSUMPTION)
        sizes.append(np.abs(table.c1).max() + np.abs(table.c2).max())
    if table.rule.drift is None and table.rule.score_defect is None:
        assert sizes == [0.0, 0.0]
    else:
        assert np.log2(sizes[0] / sizes[1]) == pytest.approx(2.0, abs=SLOPE)


def strong_error(key, process, steps, mean=0.7, variance=0.6):
    """(E|U − y|²)^{1/2} at time 0 for data N(m, v): exact reverse process and sampler from one U_T, with one
    dB."""
    table = StepTable(process, scheme(key, 1.3, steps), ASSUMPTION)
    path = table.path
    spread = path.a**2 * variance + path.s_sq

    def noises(n):
        reverse = (
            spread[1:][n.index][:, None, None] * np.exp(-n.F) / (n.a_sq * variance + n.s_sq) * np.sqrt(n.g_sq)
        )
        return reverse**2, reverse * table.amplitude(n), table.amplitude(n) ** 2

    added, _ = path.integrate(noises)
    joint, gap = np.full((2, 2), spread[0]), 0.0
    for i in range(len(table.P)):
        row = table.P[i] - table.Q[i] / spread[i]
        step = np.diag([spread[i + 1] * np.exp(-path.F[i]) / spread[i], row])
        joint = step @ joint @ step.T + [[added[0][i], added[1][i]], [added[1][i], added[2][i]]]
        gap = path.a[i + 1] * mean - (
            row * (path.a[i] * mean - gap) + table.Q[i] / spread[i] * path.a[i] * mean
        )
    return np.sqrt(joint[0, 0] - 2 * joint[0, 1] + joint[1, 1] + gap**2)


@pytest.mark.parametrize("name", ["vp", "ve"])
@pytest.mark.parametrize("key", NOISY)
def test_strong_error_falls_at_the_declared_order(key, name):
    """The slope of the exact strong error over h is within 0.1 of the declared order."""
    errors = [strong_error(key, PROCESSES[name], steps) for steps in (512, 1024, 2048)]
    assert -np.diff(np.log2(errors)) == pytest.approx(samplers()[key].strong_order, abs=STRONG_ORDER)


@pytest.mark.parametrize("name", ["vp", "ve"])
@pytest.mark.parametrize("key", SILENT)
def test_a_sampler_without_noise_follows_the_flow_at_its_order(key, name):
    """Of N(m, v) from one U_T, sampler and probability-flow ODE part at the declared order."""
    mean, variance, gaps = 0.7, 0.6, []
    for count in (512, 1024, 2048):
        steps = scheme(key, 1.3, count, early_stop=0.1).steps(PROCESSES[name])
        spread = steps.a**2 * variance + steps.s_sq
        # y = a m + (V/V_T)^{1/2} (U_T − a_T m) along the flow; the sampler is affine in U_T
        slope, shift = 1.0, steps.a[0] * mean
        stages = [(steps.P, steps.Q, steps.a, spread)]
        if steps.second is not None:
            inner = steps.inner
            stages.append((inner.P, inner.Q, inner.a, inner.a**2 * variance + inner.s_sq))
        seen = None
        for i in range(len(steps)):
            begun = slope, shift
            for P, Q, a, V in stages:
                slope, shift = slope * (P[i] - Q[i] / V[i]), P[i] * shift - Q[i] * (shift - a[i] * mean) / V[i]
            if steps.second is not None:
                slope, shift = (now + steps.second.keep[i] * before for now,
                                before in zip((slope, shift), begun, strict=True))
            if steps.past is not None:
                before, seen = seen or (0.0, 0.0), (slope, shift)
                past = steps.past
                slope, shift = (past.keep[i] * old + past.now[i] * new + past.before[i] * last
                                for old, new, last in zip(begun, seen, before, strict=True))
        gaps.append(np.hypot((slope - np.sqrt(spread[-1] / spread[0])) * np.sqrt(spread[0]), shift - steps.a[-1] * mean))
    # of a Gaussian the midpoint's second order cancels
    order = 3 if key == "midpoint" else samplers()[key].strong_order
    assert -np.diff(np.log2(gaps)) == pytest.approx(order, abs=STRONG_ORDER)


def test_samplers_count_their_evaluations():
    """Heun's methods, the midpoint and DPM-Solver-2 evaluate the score twice a step, every other sampler once."""
    assert TWICE == ["dpm-solver-2", "heun", "heun-t", "midpoint"]
    assert {samplers()[key].evaluations for key in TWICE} == {2}


def test_rectified_flow_is_ddim():
    """Euler's method for flow matching and DDIM are one sampler: P and Q agree to 1e-13 on any grid."""
    grid = TimeGrid.from_times([63 / 64, 0.9, 0.5, 0.499, 0.1, 0.0])
    euler, ddim = (Scheme(samplers()[key], grid).steps(flow_matching()) for key in ("ode-euler", "ddim"))
    assert euler.P == pytest.approx(ddim.P, rel=1e-13) and euler.Q == pytest.approx(ddim.Q, rel=1e-13)


def test_every_maker_says_what_its_sampler_is():
    """The makers take their words from the sampler: what a step does, when it is exact, its order."""
    for key, sampler in samplers().items():
        make = getattr(
            bounds.sampler, {"exponential": "exponential_integrator"}.get(key, key.replace("-", "_"))
        )
        assert make(1.0, 3).sampler is sampler
        words = (sampler.source, sampler.what, sampler.exact, f"order {sampler.strong_order:g}")
        assert all(each in make.__doc__ for each in words)


def test_matched_noise_is_exact_on_a_gaussian():
    """With m0 = L0 the posterior mean with matched noise reproduces the reverse transition: V_r = E
    V_τ + noise."""
    steps = scheme("posterior-mean-matched", 2.0, 7).steps(ou(), StronglyLogConcave(4.0, 4.0))
    variance = steps.a**2 / 4 + steps.s_sq
    after = (steps.P - steps.Q / variance[:-1]) ** 2 * variance[:-1] + steps.noise_var
    assert after == pytest.approx(variance[1:], rel=PATH_RELATIVE * 10)


def test_prior_is_the_stated_one():
    """The sampler starts from N(0, s²(T)) unless told otherwise."""
    assert scheme("exponential", 1.0, 3).steps(ou()).prior_var == pytest.approx(-np.expm1(-2.0), rel=1e-14)
    assert scheme("exponential", 1.0, 3, prior_std=2.0).steps(ou()).prior_var == 4.0


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: scheme("heun-3", 1.0, 3), "sampler must be one of"),
        (lambda: scheme("exponential", 1.0, 3, grid="log"), "grid must be"),
        (lambda: scheme("exponential", 1.0, 3, prior_std=-1.0), "prior_std"),
        (lambda: scheme("exponential", 1.0, 3, prior_std=np.nan), "prior_std"),
        (lambda: scheme("posterior-mean-matched", 1.0, 3).steps(ou()), "needs a data assumption"),
    ],
)
def test_bad_schemes_are_refused(call, words):
    """Unknown names and impossible priors are refused by name."""
    with pytest.raises(ValueError, match=words):
        call()


def test_noise_is_matched_to_the_middle_of_the_envelope():
    """At a² = s² = 1 data between m0 = 1/4 and L0 = 1 have Hessians from −1/2 to −1/5, the middle of which is
    −7/20."""
    assumption = StronglyLogConcave(0.25, 1.0)
    assert matched_hessian(assumption, None, np.ones(1), np.ones(1)) == pytest.approx([-0.35], rel=1e-15)


def test_far_from_time_zero_a_is_less_certain():
    """a(50) = e^−50 is known to fifty roundings, and so are the defects of a step that starts there."""
    table = StepTable(ou(), scheme("exponential", 50.0, 500))
    unit = np.finfo(float).eps
    assert table.c1_error[0] >= 50 * unit * table.P[0] and table.c2_error[0] >= 50 * unit * table.Q[0]
    assert table.c2_error[0] <= 1000 * unit * table.Q[0] and table.c2_error[-1] <= 100 * unit * table.Q[-1]


def test_the_variance_of_data_is_around_their_mean():
    """m_c of data with E‖X‖² = 25 and ‖E X‖ = 3 in two dimensions is 8; an unknown mean counts as 0."""
    assert variance_of(StronglyLogConcave(0.1, 1.0, 2, 25.0, 3.0)) == 8.0
    assert variance_of(StronglyLogConcave(0.1, 1.0, 2, 25.0, None)) == 12.5
