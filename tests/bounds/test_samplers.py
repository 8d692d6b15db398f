"""Samplers: P, Q and noise against their definitions, order of accuracy, and limits."""

import numpy as np
import pytest
import sympy
from scipy import integrate

from bounds import StronglyLogConcave, WeaklyLogConcave, general, ou, ve, vp
from bounds.grid import TimeGrid
from bounds.sampler import SCHEMES, Scheme, StepTable, scheme
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import PATH_RELATIVE, SLOPE

PROCESSES = {
    "ou": ou(),
    "vp": vp(sympy.Rational(1, 10) + 5 * TIME),
    "ve": ve(sympy.exp(TIME)),
    "general": general(sympy.sin(5 * TIME) - sympy.Rational(1, 2), 1 + sympy.cos(TIME) / 2),
}
TIMES = TimeGrid.from_times([1.3, 1.0, 0.2, 0.0])
ASSUMPTION = WeaklyLogConcave(2.0, 3.0, 4.0, dim=2)


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
    if key == "frozen-euler-maruyama":
        return 1 + h * f(tau), h * g_sq(tau), h * g_sq(tau)
    if key == "exponential":
        return 1 / phi(tau, r), quad(lambda u: g_sq(u) / phi(u, r)), quad(lambda u: g_sq(u) / phi(u, r) ** 2)
    P, Q = 1 / phi(tau, r), covariance(tau) / phi(tau, r)
    if key == "posterior-mean":
        return P, Q, quad(lambda u: g_sq(u) / phi(u, r) ** 2)
    variance = lambda t: integrate.quad(  # noqa: E731
        lambda u: phi(t, u) ** 2 * g_sq(u), 0, t, epsabs=1e-14, epsrel=1e-12)[0]
    if key == "ancestral":
        return P, Q, covariance(tau) * (variance(r) if r > 0 else 0.0) / variance(tau)
    if key != "posterior-mean-matched":
        raise LookupError(f"the table has no row for the sampler {key!r}")

    def matched(u):
        a_sq, s_sq = phi(u, 0) ** 2, variance(u)
        q = a_sq / s_sq
        middle = (ASSUMPTION.c_lo(q) + ASSUMPTION.c_up(q)) / 2
        hessian = -1 / s_sq + middle * a_sq / s_sq**2
        return ((1 + covariance(u) * hessian) / phi(u, r)) ** 2 * g_sq(u)

    return P, Q, integrate.quad(matched, max(r, 1e-9), tau, epsabs=1e-11, epsrel=1e-9)[0]


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", SCHEMES)
def test_steps_follow_the_table(name, key):
    """P, Q and the noise variance of every step are the integrals of docs/theory.md section 3."""
    steps = Scheme(SCHEMES[key], TIMES).steps(PROCESSES[name], ASSUMPTION)
    for i in range(3):
        P, Q, noise = definition(PROCESSES[name], key, steps.time[i], steps.time[i + 1])
        assert steps.P[i] == pytest.approx(P, rel=1e-10)
        assert steps.Q[i] == pytest.approx(Q, rel=1e-10)
        assert steps.noise_var[i] == pytest.approx(noise, rel=1e-6, abs=1e-10)


def test_a_sampler_without_a_row_is_not_taken_for_another():
    """A sampler that the table does not define has no expected coefficients at all."""
    with pytest.raises(LookupError, match="no row for the sampler 'heun'"):
        definition(PROCESSES["ou"], "heun", 1.0, 0.5)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", SCHEMES)
def test_defects_are_what_the_exact_step_would_add(name, key):
    """c1 = Φ⁻¹ − P and c2 = Φ⁻¹C − Q, computed without cancellation, agree with the differences."""
    table = StepTable(PROCESSES[name], Scheme(SCHEMES[key], TIMES), ASSUMPTION)
    growth = np.exp(table.path.F)
    assert table.c1 == pytest.approx(growth - table.P, abs=1e-12)
    assert table.c2 == pytest.approx(growth * table.path.C - table.Q, abs=1e-12)


@pytest.mark.parametrize("key", SCHEMES)
def test_local_defects_are_second_order(key):
    """Halving the step divides the one-step defects by four (Euler kinds); posterior means have none."""
    process = PROCESSES["general"]
    sizes = []
    for steps in (100, 200):
        table = StepTable(process, scheme(key, 1.0, steps), ASSUMPTION)
        sizes.append(np.abs(table.c1).max() + np.abs(table.c2).max())
    if key.startswith("posterior") or key == "ancestral":
        assert sizes == [0.0, 0.0]
    else:
        assert np.log2(sizes[0] / sizes[1]) == pytest.approx(2.0, abs=SLOPE)


def test_matched_noise_is_exact_on_a_gaussian():
    """With m0 = L0 the posterior mean with matched noise reproduces the reverse transition: V_r = E V_τ + noise."""
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
        (lambda: scheme("heun", 1.0, 3), "scheme must be one of"),
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
