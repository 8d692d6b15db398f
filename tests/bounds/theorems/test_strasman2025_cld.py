"""Theorem C: its norms as sympy derives them, its two forms, and its place above the martingale bound."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy.integrate import quad_vec
from scipy.linalg import expm

from bounds.contraction.metric import KAPPAS, contracting_metric
from bounds.processes import cld as langevin
from bounds.processes.cld import cld
from bounds.recursion.data import Constants
from bounds.recursion.phase_space.constant_metric import KINDS, Contraction
from bounds.recursion.phase_space.one_question import PhaseProblem
from bounds.recursion.phase_space.weight_search import metric_weights
from bounds.sampler import euler_maruyama, scheme
from bounds.theorems import theorems
from bounds.theorems.strasman2025_cld import _in_metric
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import DIFFERENCES, NORM_ROUNDING, ORDERED, SLOPE, SYMBOLIC
from tests.drawn import examples
from verify.certificates.question import setting_of

THEOREM, MARTINGALE = theorems()["strasman2025-cld"], theorems()["martingale"]


def test_the_norms_without_position_noise():
    """For ε = 0, ‖I+hÃ‖, ‖e^{uÃ}‖, ‖e^{TA}‖, (𝔐⁻¹)_11, λ_max(𝔐) and the summed score term are the closed
    forms of section 5."""
    a, sigma, kappa = langevin.a, langevin.sigma, langevin.kappa
    u = sympy.Symbol("u", positive=True)
    fixed, rate = langevin.metric()
    tilted = langevin.renormalised_drift().subs(langevin.epsilon, 0)
    backward = sympy.exp(-a * u) * (sympy.eye(2) + u * (tilted + a * sympy.eye(2)))
    x, y = u * a / kappa, u * a * kappa
    closed = [
        (sympy.eye(2) + u * tilted, x + sympy.sqrt(x**2 + (1 - u * a) ** 2)),
        (backward, sympy.exp(-a * u) * (x + sympy.sqrt(1 + x**2))),
        (langevin.transition(u), sympy.exp(-a * u) * (y + sympy.sqrt(1 + y**2))),
    ]
    point = {
        a: sympy.Rational(7, 5),
        sigma: sympy.Rational(3, 2),
        kappa: sympy.Rational(9, 4),
        u: sympy.Rational(3, 10),
    }
    for matrix, expected in closed:
        square = (fixed.inv() * matrix.T * fixed * matrix).subs(point)
        largest = max(sympy.N(value, 40) for value in square.eigenvals())
        assert abs(sympy.N(sympy.sqrt(largest) - expected.subs(point), 40)) <= SYMBOLIC
    s = (kappa**2 + 1) * (1 + a**2)
    largest = (s + sympy.sqrt(s**2 - 16 * kappa**2 * a**2)) / 2
    assert any(sympy.simplify(value - largest) == 0 for value in fixed.eigenvals())
    assert sympy.simplify(fixed.inv()[0, 0] - (kappa**2 + 1) / (4 * kappa**2)) == 0
    # √((𝔐⁻¹)_11) σ² √𝔐_22 / η, the sum of h λ_max(D𝔐D)^{1/2} over a geometric series of rate η
    summed = sympy.sqrt(fixed.inv()[0, 0] * fixed[1, 1]) * sigma**2 / rate
    assert sympy.simplify(summed - sigma**2 * (kappa**2 + 1) / (2 * (kappa - 1))) == 0
    decay = (fixed * tilted + tilted.T * fixed + 2 * rate * fixed).applyfunc(sympy.simplify)
    assert sympy.simplify(decay.det()) == 0 and sympy.simplify(decay.trace()).subs(point) < 0


def seen(epsilon=0.0, law=None, steps=120, horizon=6.0, error=0.3, **options):
    """(setting, what the theorem sees of it)."""
    law = law or Gaussian([0.4], [0.6])
    setting = setting_of(cld(epsilon=epsilon, **options), law, euler_maruyama(horizon, steps), error)
    return setting, Contraction(setting, THEOREM.functions, Constants(setting.assumption, 0))


@pytest.mark.parametrize("epsilon, kind", [(0.0, "basis"), (0.7, "basis"), (0.7, "lyapunov")])
def test_growth_dominates_every_step(epsilon, kind):
    """ρ̄ + hℓ is at least the spectral norm of 𝔐^{1/2}(P + QH(c))𝔐^{-1/2} at c_lo, c_up and between."""
    _, problem = seen(epsilon, GaussianMixture.two_modes(2.0, 0.5))
    parts = problem.in_metric(2.0, kind)
    root = np.linalg.cholesky(contracting_metric(problem.path, 2.0, kind)).T
    jacobians = problem.problem.jacobians
    bound = parts["drift"] + problem.h * parts["pull"]
    tilted = np.eye(2) + problem.h[:, None, None] * problem.path.renormalised_drift
    drift = np.linalg.norm(root @ tilted @ np.linalg.inv(root), 2, axis=(1, 2))
    assert np.allclose(parts["drift"], drift, rtol=1e-12, atol=0)
    for share in (0.0, 0.5, 1.0):
        step = (1 - share) * jacobians.low + share * jacobians.high
        size = np.linalg.norm(root @ step @ np.linalg.inv(root), 2, axis=(1, 2))
        assert np.all(size <= bound * (1 + 1e-12))
        reached = np.linalg.norm(root @ (step - tilted) @ np.linalg.inv(root), 2, axis=(1, 2))
        assert np.all(reached <= problem.h * parts["pull"] * (1 + 1e-9) + 1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epsilon", [0.0, 0.7])
def test_norms_are_rounded_up(monkeypatch, epsilon, kind):
    """‖I + hÃ‖, ℓ and √((𝔐⁻¹)_11) in 40 digits are at most what the bound takes, which is hardly more, and so
    is E_0 as mixed by the forward process."""
    _, problem = seen(epsilon, GaussianMixture.two_modes(2.0, 0.5), steps=40)
    # no coupling: E_0 is what the forward process makes of the distance at time 0
    monkeypatch.setattr(problem.problem, "initial", lambda _: SimpleNamespace(error=np.inf, term=None))
    parts = problem.in_metric(2.0, kind)
    with mp.workdps(40):
        fixed = mp.matrix(contracting_metric(problem.path, 2.0, kind).tolist())
        root = mp.cholesky(fixed).T

        def norm(matrix):
            seen_ = root * mp.matrix(matrix.tolist()) * mp.inverse(root)
            trace = sum(x**2 for x in seen_)
            return mp.sqrt((trace + mp.sqrt(trace**2 - 4 * mp.det(seen_) ** 2)) / 2)

        for k in (0, 17, 38):
            drift = norm(np.eye(2) + problem.h[k] * problem.path.renormalised_drift)
            pull = max(norm(problem.path.D @ end[k]) for end in problem.hessians)
            assert drift <= parts["drift"][k] <= drift * (1 + NORM_ROUNDING)
            assert pull <= parts["pull"][k] <= pull * (1 + NORM_ROUNDING)
        mixed = norm(problem.path.transition(problem.table.clock[0])) * problem.problem.start.mixing
        mixed *= mp.sqrt(max(mp.eigsy(fixed, eigvals_only=True)))
        assert mixed <= parts["initial"] <= mixed * (1 + NORM_ROUNDING)
        projection = mp.sqrt(mp.inverse(fixed)[0, 0])
        assert projection <= parts["projection"] <= projection * (1 + NORM_ROUNDING)


@pytest.mark.parametrize("epsilon", [0.0, 0.5])
@pytest.mark.parametrize(
    "law", [Gaussian([0.4], [0.6]), GaussianMixture.two_modes(2.0, 0.5)], ids=["one", "two"]
)
def test_missed_noise_is_below_its_ceiling(epsilon, law):
    """√(d/3) h^{3/2} ν_k is at least v_k, and close to it for short steps that do not touch t = 0."""
    _, problem = seen(epsilon, law, steps=400)
    parts = problem.in_metric(2.0, "basis")
    ceiling = np.sqrt(1 / 3) * problem.h**1.5 * problem.ceiling(parts["shape"])
    missed = np.sqrt(parts["variance"])
    assert np.all(missed <= ceiling * (1 + 1e-6))
    if isinstance(law, Gaussian):
        assert np.all(ceiling[:-20] <= 1.2 * missed[:-20])


@pytest.mark.parametrize("epsilon", [0.0, 0.6])
def test_ceiling_is_the_growth_of_the_missed_noise(epsilon):
    """ν is the largest |dN/dw D^{1/2}| in 𝔐 over three times and three lags, N(w) = Φ(w)⁻¹(I + C(w)H) − I, by
    differences."""
    _, problem = seen(epsilon, GaussianMixture.two_modes(1.0, 0.8), steps=3, horizon=2.4, a=0.9)
    parts, path = problem.in_metric(2.0, "basis"), problem.path
    root, push = np.linalg.cholesky(contracting_metric(path, 2.0)).T, np.sqrt(path.D)

    def missed(lag, hessian):
        def rate(w):
            return expm(path.A * w) @ path.D @ expm(path.A * w).T

        covariance, _ = quad_vec(rate, 0.0, lag)
        return expm(-path.A * lag) @ (np.eye(2) + covariance @ hessian)

    data = problem.setting.assumption
    for k, (found, h) in enumerate(zip(problem.ceiling(parts["shape"]), problem.h, strict=True)):
        largest = 0.0
        for place, lag in itertools.product((0.0, 0.5, 1.0), (1e-4 * h, 0.5 * h, h)):
            clock = problem.table.clock[k + 1] + place * h
            phi, S = path.kernel(np.array(clock))
            for variance in ((data.c_lo, data.c_up) if clock > 0 else (data.c_lo,)):
                q = phi @ np.linalg.solve(S, phi) if clock > 0 else 0.0
                psi = np.linalg.solve(S, phi) if clock > 0 else np.zeros(2)
                start = np.diag([data.smoothness, 1 / path.velocity_variance])
                hessian = -np.linalg.inv(S) + variance(q) * np.outer(psi, psi) if clock > 0 else -start
                step = 1e-5 * h
                change = (missed(lag + step, hessian) - missed(lag - step, hessian)) / (2 * step)
                largest = max(largest, np.linalg.norm(root @ change @ push))
        # at t = 0 only c_lo has a limit that is easy to write down
        assert found >= largest * (1 - DIFFERENCES)
        if problem.table.clock[k + 1] > 0:
            assert found <= largest * (1 + DIFFERENCES)


@pytest.mark.parametrize("kappa", [1.3, 2.4, 5.0])
def test_every_term_of_the_closed_form_dominates(kappa):
    """Each of the three terms of (C2) is at least that of (C1), on few long steps of nearly stationary data
    as well."""
    for law, steps in (
        (Gaussian([0.4], [1.1]), 10),
        (Gaussian([0.4], [0.6]), 12),
        (GaussianMixture.two_modes(1.0, 0.8), 40),
    ):
        _, problem = seen(0.0, law, steps, 5.0)
        both = _in_metric(problem, THEOREM.functions, 0.3, kappa, "basis")
        if np.isfinite(both["closed_form"]):
            for name, value in both["terms"].items():
                assert both["closed_terms"][name.removesuffix(" bias")] >= value * (1 - ORDERED)


@settings(max_examples=examples(6))
@given(
    a=st.floats(0.3, 3.0), sigma=st.floats(0.5, 4.0), v=st.floats(0.2, 2.0),
    share=st.sampled_from([0.0, 0.4]),
    variance=st.floats(0.1, 5.0), mean=st.floats(-3.0, 3.0), steps=st.integers(1, 60),
    horizon=st.floats(0.05, 9.0),
    error=st.sampled_from([0.0, 0.5]), modes=st.sampled_from([1, 1, 2]),
)
def test_the_order_of_four_bounds(a, sigma, v, share, variance, mean, steps, horizon, error, modes):
    """(C2) ≥ (C1) ≥ the recursion with P = λ𝔐 ≥ the martingale bound, for every κ that both try, on one mode
    or two."""
    process = cld(a=a, sigma=sigma, epsilon=share * sigma, velocity_variance=v * v)
    law = (
        Gaussian([mean], [variance])
        if modes == 1
        else GaussianMixture([[mean], [-1.0]], std=np.sqrt(variance))
    )
    setting = setting_of(process, law, euler_maruyama(horizon, steps), error)
    problem = Contraction(setting, THEOREM.functions, Constants(setting.assumption, 0))
    martingale = MARTINGALE.bound(setting).total
    recursion = PhaseProblem(setting, MARTINGALE.functions, Constants(setting.assumption, 0))
    for kappa in KAPPAS:
        both = _in_metric(problem, THEOREM.functions, error, kappa, "basis")
        constant = recursion.choice("constant metric", metric_weights(recursion, kappa)).total
        assert both["closed_form"] >= both["total"] * (1 - ORDERED)
        assert both["total"] >= constant * (1 - ORDERED)
        assert constant >= martingale * (1 - ORDERED)
    bound = THEOREM.bound(setting)
    assert bound.total >= martingale * (1 - ORDERED)
    assert bound.details["closed_form"] is None or bound.details["closed_form"] >= bound.total * (1 - ORDERED)


def test_three_terms_of_the_closed_form():
    """They add up to it; the first falls at least like Te^{-(η+a)T}, the second is linear in M, the third
    falls like √h."""
    law = GaussianMixture.two_modes(1.0, 0.8)
    name = "closed_form_{}".format

    def details(steps=400, horizon=8.0, error=0.3):
        return THEOREM.bound(seen(0.0, law, steps, horizon, error)[0]).details

    one, double = details(error=1e4), details(error=2e4)
    parts = [one[name(part)] for part in ("initialisation", "score", "discretisation")]
    assert one["closed_form"] == pytest.approx(sum(parts), rel=1e-9)
    assert double[name("score")] == pytest.approx(2 * one[name("score")], rel=1e-3)
    coarse, fine = (details(steps, error=0.0)[name("discretisation")] for steps in (1000, 4000))
    assert np.log(coarse / fine) / np.log(4) == pytest.approx(0.5, abs=SLOPE)
    short, long = (details(int(40 * T), T, 0.0) for T in (20.0, 24.0))
    rate = np.log(short[name("initialisation")] / long[name("initialisation")]) / 4
    # at least η backwards, and what the forward process has mixed: Te^{-aT}
    eta = 1 - 1 / short["closed_form_kappa"]
    assert 0.8 + eta <= rate <= 2.0


def test_the_best_metric_is_chosen():
    """No κ of a fine scan, in either metric, gives (C1) or (C2) more than a few per mille below the
    theorem's."""
    for epsilon in (0.0, 0.5):
        setting, problem = seen(epsilon, GaussianMixture.two_modes(1.0, 0.8))
        bound = THEOREM.bound(setting)
        tried = [
            _in_metric(problem, THEOREM.functions, 0.3, kappa, kind)
            for kappa in np.geomspace(1.2, 6.0, 60) for kind in KINDS
        ]
        assert bound.total <= 1.003 * min(parts["total"] for parts in tried)
        assert bound.details["closed_form"] <= 1.003 * min(parts["closed_form"] for parts in tried)


def test_where_there_is_no_closed_form():
    """For long steps, and for v = 0 up to time 0, (C2) is left out with a note; (C1) stays finite."""
    for setting in (seen(steps=1)[0], seen(velocity_variance=0)[0]):
        bound = THEOREM.bound(setting)
        assert bound.details["closed_form"] is None and np.isfinite(bound.total)
        assert any("no closed form" in note for note in bound.notes)


def test_other_samplers_and_processes_are_refused():
    """The theorem names what it is stated for."""
    law = Gaussian([0.4], [0.6])
    unmet = THEOREM.unmet(setting_of(cld(), law, scheme("sscs", 4.0, 20)))
    assert unmet == ("Euler–Maruyama: stated for euler-maruyama, got sscs",)


def test_the_rate_that_is_said_is_that_of_the_metric():
    """κ and η of the details: in that metric Ã contracts at the rate η, slower than a."""
    setting = setting_of(cld("1/2", 2), Gaussian([1.0], 0.5), euler_maruyama(2.0, 10))
    details, path = THEOREM.bound(setting).details, setting.table.path
    root = np.linalg.cholesky(contracting_metric(path, details["kappa"], "basis")).T
    seen = root @ path.renormalised_drift @ np.linalg.inv(root)
    assert np.linalg.eigvalsh(seen + seen.T).max() / 2 == pytest.approx(-details["eta"], rel=NORM_ROUNDING)
