"""Langevin dynamics of any mass and friction: closed forms, numbers, exact laws, the bound, and what is refused."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, cld, langevin
from bounds.contraction.metric import contracting_metric, norm
from bounds.processes import langevin as derived
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.damped import DampedPath, phase_path
from bounds.theorems import theorems
from closed_form import Gaussian, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.distances.line_mixture import LineMixture
from closed_form.sampler_laws.phase_space.line import phase_line_w2
from closed_form.steps.phase_space.damped import flow_of
from closed_form.steps.table import exact_steps
from closed_form.within import Within
from tests.bounds.tolerances import LONG_TIMES, PHASE_ENTRY, TEN_DIGITS
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from verify import certify, sample
from verify.certificates.question import setting_of
from verify.problems.problem import read_problem

PROCESSES = {
    "swinging": langevin(1, "7/10", 0, "6/5"), "overdamped": langevin(1, 6, 0, "17/5"),
    "damped position": langevin("1/2", 1, "4/5", "7/5", "13/10", "1/25"), "nearly critical": langevin(1, "20001/10000"),
    "heavy, still": langevin(2, "3/2", "3/10", "17/10", 0, 0), "equal rates": langevin(1, 3, 1, 2, "1/2")}
LAW = Gaussian([0.5], 0.25)
KEYS = tuple(key for key in samplers(2))


def _matrices(process):
    """A and ΣΣᵀ in the precision of mpmath."""
    mass, friction, damping, sigma, epsilon = (mpmath.mpf(each.p) / each.q for each in (process.parameters[name] for name in (
        "mass", "friction", "position_damping", "sigma", "epsilon")))
    return (mpmath.matrix([[-damping, 1 / mass], [-1, -friction / mass]]),
            mpmath.matrix([[epsilon**2, 0], [0, sigma**2]]))


def _exact(process, u):
    """(Φ, C, S, φ) in 60 digits from exponentials of matrices."""
    A, D = _matrices(process)
    variance = mpmath.mpf(process.velocity_variance.p) / process.velocity_variance.q
    whole = mpmath.zeros(4)
    for i in range(2):
        for j in range(2):
            whole[i, j], whole[i, 2 + j], whole[2 + i, 2 + j] = -A[i, j], D[i, j], A[j, i]
    found = mpmath.expm(whole * u)
    flow = mpmath.matrix([[found[2, 2], found[3, 2]], [found[2, 3], found[3, 3]]])
    C = flow * mpmath.matrix([[found[0, 2], found[0, 3]], [found[1, 2], found[1, 3]]])
    return flow, C, C + variance * flow[:, 1] * flow[:, 1].T, flow[:, 0]


def _array(matrix):
    return np.array(matrix.tolist(), dtype=float)


def test_the_closed_forms_solve_their_equations():
    """e^{uA} is I at u = 0 and its derivative A times it, swinging or not, Σ_∞ solves its equation, and with σ = √(2γ),
    ε = √(2ν) it is diag(1, m)."""
    flow, u = derived.transition(), derived.CLOCK
    missed = sympy.diff(flow, u) - derived.drift() * flow
    for values in ((1, sympy.Rational(1, 2), 0), (sympy.Rational(1, 3), 4, sympy.Rational(1, 2))):
        there = dict(zip((derived.m, derived.gamma, derived.nu), values, strict=True))
        assert flow.subs(there).subs(u, 0) == sympy.eye(2)
        assert max(abs(sympy.N(entry.subs(there).subs(u, sympy.Rational(3, 7)), 30)) for entry in missed) < 1e-25
    noise = derived.noise_matrix()
    kept = derived.stationary().subs({noise[1, 1]: sympy.sqrt(2 * derived.gamma), noise[0, 0]: sympy.sqrt(2 * derived.nu)})
    assert kept.applyfunc(sympy.simplify) == sympy.diag(1, derived.m)


@pytest.mark.parametrize("name", PROCESSES)
def test_numbers_are_those_of_exponentials_of_matrices(name):
    """Φ, Φ⁻¹, C, ∫Φ⁻¹, Σ_∞ and the channel are those of 60 digits, entry by entry, from short times to long ones, and the
    truth's own are within their errors."""
    process = PROCESSES[name]
    path, flow = phase_path(process), flow_of(process)
    assert isinstance(path, DampedPath)
    residual = path.A @ path.stationary + path.stationary @ path.A.T + path.D
    assert np.abs(residual).max() < PHASE_ENTRY * np.abs(path.D).max()
    for u in (1e-4, 0.03, 0.7, 2.9, 3.1, 12.0):
        with mpmath.workdps(60):
            moved, C, S, phi = _exact(process, mpmath.mpf(u))
            back, A = moved**-1, _matrices(process)[0]
            reverse, seen = A**-1 * (mpmath.eye(2) - back), S**-1 * phi
            q, det = (phi.T * seen)[0], mpmath.det(S)
        at, found = np.array(u), channel(path, u)
        assert np.allclose(path.transition(at), _array(moved), rtol=PHASE_ENTRY, atol=PHASE_ENTRY * float(mpmath.norm(moved)))
        assert np.allclose(path.transition(-at), _array(back), rtol=PHASE_ENTRY, atol=PHASE_ENTRY * float(mpmath.norm(back)))
        assert np.allclose(path.covariance(at), _array(C), rtol=20 * PHASE_ENTRY)
        assert np.allclose(path.reverse_integral(np.array([u]))[0], _array(reverse), rtol=PHASE_ENTRY,
                           atol=PHASE_ENTRY * float(mpmath.norm(reverse)))
        assert found.a_sq / found.s_sq == pytest.approx(float(q), rel=20 * PHASE_ENTRY)
        assert found.det_S == pytest.approx(float(det), rel=20 * PHASE_ENTRY)
        along = found.omega * np.sqrt(found.a_sq) / found.s_sq
        assert np.allclose(along, _array(seen)[:, 0], rtol=20 * PHASE_ENTRY, atol=PHASE_ENTRY * float(mpmath.norm(seen)))
        for number, expected in ((flow.transition(Within([u])), moved), (flow.covariance(Within([u])), C),
                                 (flow.reverse_integral(Within([u])), reverse)):
            off = np.abs((number.value[0] - _array(expected)).astype(float))
            assert np.all(off <= number.error[0] + 4e-16 * np.abs(_array(expected)))


@pytest.mark.parametrize("name", PROCESSES)
def test_long_times_are_what_is_left_of_the_limit(name):
    """The truth's C is Σ_∞ − ΦΣ_∞Φᵀ, and that of the way back Φ⁻¹CΦ⁻ᵀ, where exponentials alone would cancel, in all of
    the digits that are claimed."""
    process = PROCESSES[name]
    flow = flow_of(process)
    for u in (30.0, 55.0):
        with mpmath.workdps(400):
            A, D = _matrices(process)
            moved, zero = mpmath.expm(A * u), [-D[0, 0], 0, -D[1, 1]]
            xx, xv, vv = mpmath.lu_solve(mpmath.matrix([[2 * A[0, 0], 2 * A[0, 1], 0], [A[1, 0], A[0, 0] + A[1, 1], A[0, 1]],
                                                        [0, 2 * A[1, 0], 2 * A[1, 1]]]), mpmath.matrix(zero))
            limit = mpmath.matrix([[xx, xv], [xv, vv]])
            C, back = limit - moved * limit * moved.T, moved**-1
            behind = back * C * back.T
        for number, expected in ((flow.covariance(Within([u])), C), (flow.reverse_covariance(Within([u])), behind)):
            expected = _array(expected)
            off = np.abs((number.value[0] - expected).astype(float))
            assert np.all(off <= number.error[0] + 4e-16 * np.abs(expected))
            assert np.all(number.error[0] <= LONG_TIMES * np.abs(expected).max())


@pytest.mark.parametrize("kappa", [1.3, 3.0])
@pytest.mark.parametrize("name", PROCESSES)
def test_the_metric_contracts_at_its_rate(name, kappa):
    """In 𝔐 the renormalised flow contracts at the rate a(1 − 1/κ), a the slowest of the process."""
    path = phase_path(PROCESSES[name])
    fixed = contracting_metric(path, kappa)
    times = np.array([0.01, 0.5, 2.0, 7.0])
    sizes = norm(path.transition(times, path.renormalised_nilpotent), fixed)
    assert np.all(sizes <= np.exp(-path.a * (1 - 1 / kappa) * times) * (1 + TEN_DIGITS))


@pytest.mark.parametrize("key", KEYS)
def test_critical_friction_is_critically_damped_langevin(key):
    """With γ² = 4m and no damping of the position rows, truth, both bounds and balls are those of cld, digit for digit."""
    one, two, chosen = langevin("1/4", 1, 0, 3, "1/2"), cld(2, 3, "1/2"), scheme(key, 3, 5)
    assert one.is_critically_damped and one.drift == two.drift and one.noise == two.noise
    assert sampler_w2(LAW, exact_steps(one, chosen)) == sampler_w2(LAW, exact_steps(two, chosen))
    totals = [theorems()["martingale"].bound(setting_of(each, LAW, chosen)).total for each in (one, two)]
    assert totals[0] == totals[1]
    if key == "euler-maruyama":
        totals = [theorems()["strasman2025-cld"].bound(setting_of(each, LAW, chosen)).total for each in (one, two)]
        assert totals[0] == totals[1]
        assert certified_w2(LAW, one, chosen) == certified_w2(LAW, two, chosen)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", PROCESSES)
def test_the_truth_has_the_rows_of_the_bound(name, key):
    """P, Q, noise and the forward law of the truth, by balls, are those of the bound's closed forms."""
    chosen = scheme(key, 6, 12)
    one, two = chosen.steps(PROCESSES[name]), exact_steps(PROCESSES[name], chosen)
    for field in ("P", "Q", "noise_var", "a", "s_sq", "prior_var"):
        mine, theirs = (np.asarray(getattr(each, field), dtype=float) for each in (one, two))
        assert np.abs(mine - theirs).max() < PHASE_ENTRY * np.abs(mine).max(), field
    assert two.estimated == ""


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(4), deadline=None)
def test_the_bound_holds_on_drawn_dynamics(seed):
    """Of drawn mass, friction, damping, noise, sampler and Gaussian data martingale is above the exact W2."""
    rng = np.random.default_rng(seed)
    mass, damping = float(np.exp(rng.normal(scale=0.7))), float(rng.uniform() < 0.5) * float(rng.uniform(0, 1.5))
    friction = float(2 * np.sqrt(mass) * np.exp(rng.uniform(-1.5, 1.2)))
    process = langevin(mass, friction, damping, float(np.exp(rng.normal(scale=0.3))),
                       float(rng.uniform() < 0.5) * float(rng.uniform(0.1, 1)), float(rng.uniform(0, 2)))
    law = Gaussian([float(rng.normal(scale=2))], float(np.exp(rng.normal())))
    chosen = scheme(KEYS[rng.integers(len(KEYS))], float(rng.uniform(1, 6)), int(rng.integers(10, 60)),
                    last_step_noise=bool(rng.uniform() < 0.8))
    found = sampler_w2(law, exact_steps(process, chosen))
    for information in ("all", "constants"):
        bound = theorems()["martingale"].bound(setting_of(process, law, chosen, information=information))
        assert bound.total >= found.lower, (information, chosen, process.parameters)


def test_the_exact_law_is_that_of_a_recursion():
    """Euler–Maruyama on Gaussian data ends at the mean and variance of a recursion with scores of 60 digits, and so do
    particles and the density on a line."""
    process, K = langevin(2, "3/2", "3/10", "17/10"), 8
    path, chosen = phase_path(process), scheme("euler-maruyama", 2, K)
    h, mean, covariance = 2 / K, np.zeros(2), path.stationary
    for i in range(K):
        with mpmath.workdps(60):
            _, _, S, phi = _exact(process, mpmath.mpf(2) - i * mpmath.mpf(2) / K)
            inverse, phi = _array((S + phi * phi.T / 4) ** -1), _array(phi)[:, 0]
        J = np.eye(2) - h * path.A - h * path.D @ inverse
        mean = J @ mean + h * path.D @ inverse @ phi * 0.5
        covariance = J @ covariance @ J.T + h * path.D
    steps = exact_steps(process, chosen)
    found = sampler_w2(LAW, steps)
    assert found.midpoint == pytest.approx(np.hypot(mean[0] - 0.5, np.sqrt(covariance[0, 0]) - 0.5), rel=TEN_DIGITS)
    along = phase_line_w2(LineMixture([0.5], 0.5), steps.rounded())
    assert along.lower <= found.upper and found.lower <= along.upper and along.upper - along.lower < 1e-4
    n = 20_000
    x = sample(LAW, chosen.steps(process), n, seed=2)[:, 0]
    assert abs(x.mean() - mean[0]) < STANDARD_ERRORS * np.sqrt(covariance[0, 0] / n)
    assert abs(x.var() - covariance[0, 0]) < STANDARD_ERRORS * covariance[0, 0] * np.sqrt(2 / n)


@pytest.mark.parametrize(("given", "words"), [
    ({"mass": 0}, "mass must be a number between 1e-06 and 1e[+]06, got 0"),
    ({"friction": -1}, "friction must be a number between"),
    ({"position_damping": -1}, "position_damping must be a number between 0"),
    ({"sigma": "x"}, "sigma must be a number"),
    ({"friction": 100}, "friction must be so small that the rates of decay are at most 500 apart, got 100"),
    ({"friction": "1/100"}, "friction must be so large that the frequency is at most 50 times the rate"),
    ({"friction": "1/26"}, "with 0.9998 and 0.01923"),
    ({"clock": "1 + t"}, "clock must be 0 at t = 0")])
def test_bad_dynamics_are_refused_by_name(given, words):
    """A constant that is none, or dynamics too stiff or too free for digits to be kept, are refused in one line."""
    with pytest.raises(ValueError, match=words):
        langevin(**given)


def test_the_limits_themselves_are_taken():
    """Rates a little less than 500 apart and a frequency of 48 times the rate are read."""
    assert langevin(1, "112/5").parameters["friction"] == sympy.Rational(112, 5)
    assert langevin(1, "1/24").parameters["friction"] == sympy.Rational(1, 24)


def test_what_is_stated_for_critical_damping_says_so():
    """Off critical damping the theorem of the slides and ball arithmetic refuse by name; a problem file asks the same."""
    process, chosen = PROCESSES["swinging"], Scheme("euler-maruyama", TimeGrid.uniform(2.0, 10))
    (line,) = certify("strasman2025-cld", process=process, law=LAW, scheme=chosen).unmet
    assert line.endswith("stated for critically-damped Langevin (cld), got langevin")
    with pytest.raises(ValueError, match="certified: friction² must be 4 mass and position_damping 0"):
        certify("martingale", process=process, law=LAW, scheme=chosen, certified=True)
    certificate = certify("martingale", process=process, law=LAW, scheme=chosen)
    assert certificate.verdict == "HOLDS" and read_problem(certificate.problem).process == process
