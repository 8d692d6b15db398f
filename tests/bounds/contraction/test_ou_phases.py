"""The two phases: sympy against definitions, closed forms against bisection, general f and g, the picture."""

import json

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.integrate import quad

from bounds import (
    BoundedSupport,
    LogLipschitz,
    StronglyLogConcave,
    WeaklyLogConcave,
    general,
    ou,
    sub_vp,
    ve,
    vp,
)
from bounds.contraction import ou_phases as regimes
from bounds.contraction import rate as contraction
from bounds.contraction import symbolic
from bounds.process import ForwardProcess
from bounds.schedules import cosine, linear
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import BOUNDARY, BOUNDARY_NUMERIC, DENSE_SUPREMUM, PATH_RELATIVE, SYMBOLIC
from tests.tolerances import GOLDEN
from verify.studies.regimes import last_crossing, plot_regimes, regimes_of

CURVATURE = st.floats(-2, 2).map(lambda x: 10.0**x)
MARGIN = st.floats(0.0, 0.95)


def exact_points(count=20, seed=3):
    """Random exact rationals for (α, M, ρ, t)."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        alpha, M, t = (sympy.Rational(int(rng.integers(1, 400)), 97) for _ in range(3))
        yield {
            symbolic.ALPHA: alpha,
            symbolic.M: M,
            symbolic.RHO: sympy.Rational(int(rng.integers(0, 97)), 97),
            TIME: t,
        }


def vanishes(expression, point):
    """Whether an expression is zero at a point to 25 digits."""
    return abs(sympy.N(expression.subs(point), 30)) <= SYMBOLIC


# -- what sympy derives --------------------------------------------------------------------------------------


def test_derived_curvature_is_the_papers():
    """α_t = α/(α+(1−α)e^{−2t}) and M_t = M e^{−2t}/(α+(1−α)e^{−2t})², as arXiv 2501.02298 prints them."""
    found, u = symbolic.derive(), sympy.exp(-2 * TIME)
    spread = symbolic.ALPHA + (1 - symbolic.ALPHA) * u
    for point in exact_points():
        assert vanishes(found.alpha_t - symbolic.ALPHA / spread, point)
        assert vanishes(found.M_t - symbolic.M * u / spread**2, point)
        assert vanishes(found.rate - (2 * (found.alpha_t - found.M_t) - 1), point)


def test_quadratic_has_the_sign_of_the_rate():
    """quadratic(e^{2t}) is (μ_t − ρ)(αe^{2t}+1−α)², with leading coefficient > 0 and constant one <= 0."""
    found, w = symbolic.derive(), sympy.exp(2 * TIME)
    for point in exact_points():
        squared = (found.rate - symbolic.RHO) * (symbolic.ALPHA * w + 1 - symbolic.ALPHA) ** 2
        size = 1 + int(abs(sympy.N(squared.subs(point))))
        assert vanishes((found.quadratic.subs(symbolic.W, w) - squared) / size, point)
        numbers = found.quadratic.subs(point)
        assert numbers.coeff(symbolic.W, 2) > 0
        assert numbers.coeff(symbolic.W, 0) <= 0


def test_the_coefficients_that_numbers_use_are_the_derived_ones():
    """The stated coefficients of the quadratic in e^{2t} and of the turning point in e^{−2t} are those that sympy
    derives."""
    found = symbolic.derive()
    quadratic = symbolic.quadratic_coefficients(symbolic.ALPHA, symbolic.M, symbolic.RHO)
    turning = symbolic.turning_coefficients(symbolic.ALPHA, symbolic.M)
    (u,) = found.turning.free_symbols - {symbolic.ALPHA, symbolic.M}
    assert sympy.expand(sympy.Poly(quadratic, symbolic.W).as_expr() - found.quadratic) == 0
    assert sympy.expand(sympy.Poly(turning, u).as_expr() - found.turning) == 0


def test_boundaries_solve_their_equations():
    """At ξ the curvature is zero and at η the rate is ρ, wherever they are after t = 0."""
    found, reached = symbolic.derive(), [0, 0]
    pairs = [(found.xi, found.alpha_t - found.M_t), (found.eta, found.rate - symbolic.RHO)]
    for point in exact_points(16):
        del point[TIME]
        for i, (time, equation) in enumerate(pairs):
            time = sympy.N(time.subs(point), 40)
            if time > 0:
                reached[i] += 1
                assert vanishes(equation.subs(point), {TIME: time})
    assert min(reached) >= 4


def test_no_margin_gives_the_papers_boundary():
    """For ρ = 0, η = max(0, ½log((M+√(M²+α²(1−α)²))/α²))."""
    alpha, M = symbolic.ALPHA, symbolic.M
    root = (M + sympy.sqrt(M**2 + alpha**2 * (1 - alpha) ** 2)) / alpha**2
    printed = sympy.Max(0, sympy.log(root) / 2)
    for point in exact_points():
        point[symbolic.RHO] = 0
        assert vanishes(symbolic.derive().eta - printed, point)


def test_antiderivative_is_one():
    """log(αe^{2t}+1−α) + (M/α)/(αe^{2t}+1−α) and what sympy found both have the derivative 2(α_t − M_t)."""
    found = symbolic.derive()
    D = symbolic.ALPHA * sympy.exp(2 * TIME) + 1 - symbolic.ALPHA
    printed = sympy.log(D) + symbolic.M / symbolic.ALPHA / D
    for claimed in (printed, found.antiderivative):
        assert sympy.simplify(claimed.diff(TIME) - 2 * (found.alpha_t - found.M_t)) == 0


def test_results_print_as_text_and_latex():
    """Every quantity prints, in plain text and in LaTeX."""
    found = symbolic.derive()
    assert [line.split(" = ")[0] for line in found.lines()] == [
        "α_t", "M_t", "μ_t", "∫2κ_t dt", "ξ(α,M)", "η(α,M,ρ)", "T(α,M,ρ)",
    ]
    assert found.lines()[0] == "α_t = alpha*exp(2*t)/(alpha*exp(2*t) - alpha + 1)"
    latex = found.latex()
    assert latex["alpha_t"] == r"\alpha_t = \frac{\alpha e^{2 t}}{\alpha e^{2 t} - \alpha + 1}"
    assert latex["eta"].startswith(r"\eta(\alpha, M, \rho) = \max\left(0, \frac{\log")


# -- numbers -------------------------------------------------------------------------------------------------


def test_golden_boundaries():
    """(α, M) = (1, 2): ξ = ½log 2 = 0.3466, η = log 2 = 0.6931, T(1, 2, 0) = T − η; α > 1, M = 0: none."""
    assert regimes.xi(1.0, 2.0) == pytest.approx(0.3466, rel=GOLDEN)
    assert regimes.xi(1.0, 2.0) == pytest.approx(np.log(2) / 2, abs=BOUNDARY)
    assert regimes.eta(1.0, 2.0) == pytest.approx(np.log(2), abs=BOUNDARY)
    assert regimes.backward_time(5.0, 1.0, 2.0) == pytest.approx(5 - np.log(2), abs=BOUNDARY)
    assert regimes.backward_time(0.5, 1.0, 2.0) == 0
    assert regimes.xi(1.5, 0.0) == regimes.eta(1.5, 0.0) == 0


def random_constants(count=1000):
    """(α, M, ρ): general draws, M = 0, α = 1, and draws at a distance of 1e-9 from the thresholds."""
    rng = np.random.default_rng(29)
    alpha = 10.0 ** rng.uniform(-3, 3, count)
    alpha[::11] = 1.0
    M = alpha * 10.0 ** rng.uniform(-3, 3, count)
    rho = rng.uniform(0, 0.99, count) * (rng.random(count) < 0.7)
    M[1::10] = 0.0
    nearly = 1 + 1e-9 * rng.choice([-1, 1], count)
    M[2::10] = alpha[2::10] * nearly[2::10]  # ξ begins
    M[3::10] = np.maximum(alpha - (1 + rho) / 2, 0)[3::10] * nearly[3::10]  # η begins
    alpha[4::10], M[4::10] = ((1 + rho) / 2 * nearly)[4::10], 0.0
    return alpha, M, rho


def last_zero(alpha, M, level):
    """Last t >= 0 at which 2κ_t − 1 = level (κ_t = 0 for level −1): dense search, then 40-digit bisection."""
    times = np.linspace(0, 24, 4801)
    u = np.exp(-2 * times)
    spread = alpha + (1 - alpha) * u
    below = np.flatnonzero(2 * (alpha / spread - M * u / spread**2) - 1 < level)
    if len(below) == 0:
        return 0.0
    assert below[-1] < len(times) - 1
    alpha, M, level = mpmath.mpf(alpha), mpmath.mpf(M), mpmath.mpf(level)

    def excess(t):
        a_sq = mpmath.exp(-2 * t)
        s_sq = 1 - a_sq
        q = a_sq / s_sq
        c_up = 1 / (alpha + q) + M / (alpha + q) ** 2
        return 2 * (1 / s_sq - c_up * a_sq / s_sq**2) - 1 - level

    left = max(mpmath.mpf(times[below[-1]]), mpmath.mpf("1e-18"))
    right = mpmath.mpf(times[below[-1] + 1])
    if excess(left) >= 0:  # rounding of the search
        return float(left)
    return float(mpmath.findroot(excess, (left, right), solver="illinois", tol=1e-30, verify=False))


def test_boundaries_agree_with_bisection_of_the_definition():
    """Over 1,000 random (α, M, ρ), thresholds included, ξ and η agree with 40-digit numerics to 1e-12."""
    alpha, M, rho = random_constants()
    xi, eta = regimes.xi(alpha, M), regimes.eta(alpha, M, rho)
    with mpmath.workdps(40):
        for i in range(len(alpha)):
            assert abs(xi[i] - last_zero(alpha[i], M[i], -1.0)) <= BOUNDARY, (alpha[i], M[i])
            assert abs(eta[i] - last_zero(alpha[i], M[i], rho[i])) <= BOUNDARY, (alpha[i], M[i], rho[i])
    assert 200 < np.count_nonzero(xi) < 900
    assert 200 < np.count_nonzero(eta) < 900


@given(CURVATURE, st.floats(-2, 2).map(lambda x: 10.0**x), MARGIN)
def test_phases_are_ordered(alpha, ratio, margin):
    """Log-concavity comes no later than contraction, contraction with a margin no earlier; also in arrays."""
    M = alpha * ratio
    xi, plain, wide = regimes.xi(alpha, M), regimes.eta(alpha, M), regimes.eta(alpha, M, margin)
    assert 0 <= xi <= plain + BOUNDARY <= wide + 2 * BOUNDARY
    batch = regimes.eta(np.array([alpha, alpha]), M, np.array([[0.0], [margin]]))
    assert batch.shape == (2, 2)
    assert batch[0, 0] == plain and batch[1, 1] == wide
    assert regimes.xi(np.array([alpha, 1.0]), np.array([M, 2.0]))[0] == xi


@given(CURVATURE, CURVATURE, st.floats(0, 4), st.floats(0, 4))
def test_growth_integrates_the_rate(alpha, ratio, start, length):
    """log_growth is ∫(1 − 2κ_t)dt by adaptive quadrature, and α_at, M_at give κ_t."""
    M = alpha * ratio
    rate = lambda t: 1 - 2 * (regimes.alpha_at(alpha, t) - regimes.M_at(alpha, M, t))  # noqa: E731
    expected, error = quad(rate, start, start + length, limit=400, epsabs=1e-11, epsrel=1e-11)
    found = regimes.log_growth(alpha, M, start, start + length)
    assert found == pytest.approx(expected, rel=1e-9, abs=10 * error + 1e-9)


def test_total_growth_tends_to_the_factor_of_mixtures():
    """Over all times the M-part of the growth is e^{M/α}, which is e^{R²/s²} for mixtures."""
    for alpha, M in ((1.0, 2.0), (4.0, 16.0), (0.5, 0.1)):
        part = regimes.log_growth(alpha, M, 0.0, 40.0) - regimes.log_growth(alpha, 0.0, 0.0, 40.0)
        assert part == pytest.approx(M / alpha, rel=BOUNDARY)


@given(CURVATURE, CURVATURE, st.floats(1, 50), st.floats(0, 2), st.floats(0.01, 4))
def test_largest_curvature_is_the_supremum(alpha, ratio, roughness, start, length):
    """max(L_t, −κ_t) over a dense set of times stays below the supremum and comes close to it."""
    M, L = alpha * ratio, alpha * roughness
    times = np.linspace(start, start + length, 20_001)
    expansion = regimes.M_at(alpha, M, times) - regimes.alpha_at(alpha, times)
    dense = np.maximum(regimes.alpha_at(L, times), expansion).max()
    found = regimes.largest_curvature(alpha, M, L, start, start + length)
    assert dense <= found * (1 + 1e-14)
    assert found <= dense * (1 + DENSE_SUPREMUM)


BAD = [
    (dict(alpha=0.0), "alpha"), (dict(alpha=-1.0), "alpha"), (dict(alpha=np.nan), "alpha"),
    (dict(M=-0.1), "M"), (dict(M=np.inf), "M"), (dict(rho=1.0), "rho"), (dict(rho=-0.1), "rho"),
]


@pytest.mark.parametrize("change, name", BAD)
def test_bad_constants_are_refused_by_name(change, name):
    """α <= 0, M < 0 and ρ outside [0, 1) are refused, and the message names the constant."""
    with pytest.raises(ValueError, match=f"^{name} must be"):
        regimes.eta(**{**dict(alpha=1.0, M=2.0, rho=0.0), **change})


def test_text_is_not_a_constant():
    """A constant that is not a number is a TypeError that names it."""
    with pytest.raises(TypeError, match="alpha"):
        regimes.xi("1", 2.0)


# -- any f and g ---------------------------------------------------------------------------------------------

ASSUMPTIONS = [
    WeaklyLogConcave(0.5, 2.0, 3.0, 2, 9.0),
    StronglyLogConcave(0.5, 3.0, 2, 2.0),
    LogLipschitz(0.5, 1.0, 3.0, 1, 3.0),
]


PROCESSES = [ou(), vp(linear(1, 2)), ve(2), general("1/5", "1 + t")]


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
@pytest.mark.parametrize("assumption", ASSUMPTIONS, ids=lambda a: a.key)
def test_rate_is_its_definition(process, assumption):
    """μ_t = g²(1/s² − c_up(a²/s²)a²/s⁴) − f with sympy's closed forms of a and s², at times in any order."""
    times = np.array([1.7, 0.3, 0.9, 0.3, 2.5])
    a_sq, s_sq, f, g_sq = (
        np.array([float(e.subs(TIME, sympy.Rational(str(t)))) for t in times])
        for e in (process.a.expression**2, process.s_sq.expression, process.f, process.g_sq)
    )
    expected = g_sq * (1 / s_sq - assumption.c_up(a_sq / s_sq) * a_sq / s_sq**2) - f
    found = contraction.rate(process, assumption, times)
    assert found == pytest.approx(expected, rel=100 * PATH_RELATIVE, abs=1e-10)


def test_rate_of_ou_is_the_derived_one():
    """On OU the numerical rate is the derived expression, at t = 0 too."""
    found = symbolic.derive().rate.subs({symbolic.ALPHA: 2, symbolic.M: 3})
    times = np.array([0.0, 0.1, 1.0, 6.0])
    expected = [float(found.subs(TIME, sympy.Rational(str(t)))) for t in times]
    assumption = WeaklyLogConcave(2.0, 3.0, 5.0)
    assert contraction.rate(ou(), assumption, times) == pytest.approx(expected, rel=BOUNDARY)
    assert contraction.rate(ou(), assumption, [0.0]) == pytest.approx([-3.0])


def test_an_infinite_envelope_is_refused():
    """Bounded support has no envelope at t = 0: the rate there is refused, the regimes begin after it."""
    with pytest.raises(ValueError, match="times must avoid t = 0"):
        contraction.rate(ou(), BoundedSupport(1.0), [0.0, 1.0])
    found = regimes_of(ou(), BoundedSupport(1.0), 5.0)
    assert found.times[0] > 0
    # −H = 1/s² − R²a²/s⁴ vanishes at s² = a²
    assert found.xi == pytest.approx(np.log(2) / 2, abs=BOUNDARY_NUMERIC)


@given(CURVATURE, st.floats(0.05, 20), MARGIN)
def test_search_finds_the_closed_form(alpha, ratio, margin):
    """The last sign change of the rate, as for any f and g, is OU's closed form, before the horizon."""
    M, horizon = alpha * ratio, 9.0
    assumption = WeaklyLogConcave(alpha, M, 2 * alpha)
    exact = regimes_of(ou(), assumption, horizon, margin)
    assume(exact.eta < horizon - 0.1)
    found = regimes_of(ou(), assumption, horizon, margin, closed_form=False)
    assert found.xi == pytest.approx(exact.xi, abs=BOUNDARY_NUMERIC)
    assert found.eta == pytest.approx(exact.eta, abs=BOUNDARY_NUMERIC)
    assert exact.backward_time == pytest.approx(horizon - exact.eta)


def test_time_change_moves_the_boundary():
    """VP is OU on the clock ∫β/2, and so are ξ and, without margin, η; c·X has its regimes at the same t."""
    assumption = WeaklyLogConcave(1.0, 2.0, 3.0)
    base = regimes_of(ou(), assumption, 5.0)
    found = regimes_of(vp(linear(1, 3)), assumption, 4.0)
    clock = lambda t: t / 2 + 3 * t**2 / 4  # noqa: E731
    assert clock(found.xi) == pytest.approx(base.xi, abs=BOUNDARY_NUMERIC)
    assert clock(found.eta) == pytest.approx(base.eta, abs=BOUNDARY_NUMERIC)
    scaled = regimes_of(general(1, 3 * sympy.sqrt(2)), assumption.scaled(3.0), 5.0)
    assert (scaled.xi, scaled.eta) == pytest.approx((base.xi, base.eta), abs=BOUNDARY)
    assert scaled.rate == pytest.approx(base.rate, rel=1e-9, abs=1e-9)


def test_rates_that_fall_below_the_margin_again():
    """VE contracts less and less: with a margin η is the horizon; an oscillating rate has its last zero."""
    strong = StronglyLogConcave(1.0, 1.0)
    assert regimes_of(ve(1), strong, 3.0).eta == 0
    # μ = 1/(1+t) for N(0, 1) and g = 1
    late = regimes_of(ve(1), strong, 3.0, 0.5)
    assert late.eta == late.horizon and late.backward_time == 0
    process = general("sin(4*t)", "1")
    times = np.linspace(0, 6, 200_001)
    rate = contraction.rate(process, strong, times)
    expected = times[np.flatnonzero(rate < 0)[-1]]
    assert 0 < expected < 6
    assert regimes_of(process, strong, 6.0).eta == pytest.approx(expected, abs=6 / 200_000)


def test_last_crossing_of_plain_functions():
    """0 if never below, the last time if below there, else the last root, also where rounding moves ends."""
    times = np.linspace(0, 4, 9)
    for function, expected in (
        (lambda t: 1.0, 0.0),
        (lambda t: -1.0, 4.0),
        (lambda t: (t - 1.2) * (t - 2.7), 2.7),
        (lambda t: t - 1.0, 1.0),
    ):
        values = np.array([function(t) for t in times])
        assert last_crossing(function, times, values, 0.0) == pytest.approx(expected, abs=BOUNDARY)
    rounded = np.where(times == 1.0, -1e-17, times - 1.0)
    assert last_crossing(lambda t: t - 1.0, times, rounded, 0.0) == 1.0
    assert last_crossing(lambda t: t - 1.5 - 1e-17, times, np.where(times > 1.0, 1.0, -1.0), 0.0) == 1.5


OU_IN_DISGUISE = [
    (ou(), 1.0), (vp(linear(1, 2)), 1.0), (vp(cosine(2)), 1.0), (vp("2 + sin(t)"), 1.0),
    (general("3", "6"), 6.0), (general("1 + t", "sqrt(8 + 8*t)"), 4.0),
]
NOT_OU = [
    ve(1), sub_vp(1), general("t", "1"), general("0", "0"), general("-1", "1"), general("sin(t)", "1 + t"),
]


@pytest.mark.parametrize("process, scale", OU_IN_DISGUISE, ids=lambda p: getattr(p, "name", None))
def test_scaled_and_time_changed_ou_is_recognised(process, scale):
    """g² = 2c²f gives c²."""
    assert regimes.ou_scale_sq(process) == pytest.approx(scale, rel=BOUNDARY)


@pytest.mark.parametrize("process", NOT_OU, ids=lambda p: f"{p.f}-{p.g_sq}")
def test_other_processes_are_not_ou(process):
    """No constant c > 0 gives g² = 2c²f."""
    assert regimes.ou_scale_sq(process) is None


TWO_BLOCKS = ForwardProcess("cld", sympy.Matrix([[0, 1], [-1, -2]]), sympy.diag(0, 2))


def test_bad_questions_are_refused():
    """Horizon, margin and process are checked by name; two blocks are not OU."""
    weak = WeaklyLogConcave(1.0, 2.0, 3.0)
    for arguments, name in (((ou(), weak, 0.0), "horizon"), ((ou(), weak, np.inf), "horizon"),
                            ((ou(), weak, 1.0, 1.0), "rho"), ((ou(), weak, 1.0, np.nan), "rho"),
                            ((TWO_BLOCKS, weak, 1.0), "process")):
        with pytest.raises(ValueError, match=f"^{name} must"):
            regimes_of(*arguments)
    assert regimes.ou_scale_sq(TWO_BLOCKS) is None


# -- JSON and picture ----------------------------------------------------------------------------------------


def test_regimes_are_plain_data():
    """as_dict survives JSON, with xi, eta, rho, backward_time and the rate as a list of times and values."""
    found = regimes_of(ou(), WeaklyLogConcave(1.0, 2.0, 3.0), 5.0, 0.25)
    data = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert set(data) == {"xi", "eta", "rho", "backward_time", "horizon", "rate"}
    assert data["eta"] == found.eta and data["rho"] == 0.25 and data["horizon"] == 5.0
    assert data["backward_time"] == pytest.approx(5.0 - found.eta)
    times = [point["time"] for point in data["rate"]]
    assert times == sorted(times) and times[0] == 0.0 and times[-1] == 5.0
    last = [point["time"] for point in data["rate"] if point["rate"] < 0.25][-1]
    assert last <= found.eta <= last + 0.01


PHASES = [(5.0, ["contractive", "non-contractive"]), (0.5, ["non-contractive"])]


@pytest.mark.parametrize("horizon, phases", PHASES)
def test_picture_shades_the_phases(horizon, phases):
    """The axes hold one span a phase that occurs, meeting at T − η, and the rate over backward time."""
    found = regimes_of(ou(), WeaklyLogConcave(1.0, 2.0, 3.0), horizon)
    ax = Figure().add_subplot()
    plot_regimes(ax, found)
    spans = {patch.get_label(): patch for patch in ax.patches}
    assert list(spans) == phases
    edges = {label: (patch.get_x(), patch.get_x() + patch.get_width()) for label, patch in spans.items()}
    assert edges["non-contractive"] == pytest.approx((found.backward_time, horizon))
    if "contractive" in edges:
        assert edges["contractive"] == pytest.approx((0.0, found.backward_time))
    line = next(line for line in ax.lines if line.get_label() == r"rate $\mu$")
    assert line.get_xdata() == pytest.approx(horizon - found.times)
    assert line.get_ydata() == pytest.approx(found.rate)


def test_picture_of_a_steep_rate():
    """Where the rate spans orders of magnitude the axis is logarithmic; all contractive, one span."""
    ax = Figure().add_subplot()
    plot_regimes(ax, regimes_of(ou(), WeaklyLogConcave(1.0, 1e4, 3.0), 9.0))
    assert ax.get_yscale() == "symlog"
    ax = Figure().add_subplot()
    plot_regimes(ax, regimes_of(ou(), StronglyLogConcave(1.0, 1.0), 9.0))
    assert [patch.get_label() for patch in ax.patches] == ["contractive"]
