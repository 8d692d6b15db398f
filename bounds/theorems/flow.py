r"""The flow bound: samplers without noise against the probability-flow ODE, one step at a time (k = 1).

Statement
---------
In :math:`Y = X/a`, with the noise level σ = s/a falling from τ to r over a step
:math:`Y_r = \Pi Y - K \varepsilon_\theta(Y, \tau)`,

.. math:: E_k = A_k E_{k-1} + \ell_k + W_k M, \qquad W_2(\mathcal L(y_K), p_{t_0}) \le a(t_0) E_K,

with :math:`A_k = \max_b |\Pi - K b|` over the envelope of ∇ε and
:math:`\ell_k = \min_v \|(\Pi - 1) Y + (\Omega - K) \varepsilon\| + \int \Omega \Delta d\sigma`, v the variance of a
Gaussian that the flow of the step is held against.  Where the data are a ball plus a Gaussian an error does not
grow beyond what the ball allows.  The smaller of this and of the signed recursion, which keeps the sign of the
error along Y − E X_0 and is exact for N(·, vI).

Hypotheses
----------
One of the envelopes of `bounds.assumptions`; a sampler without noise; a score error of L2 size M at the
iterates.  No smoothness of the score in time, no step-size condition, f of any sign.

Source
------
docs/theory.md section 13 (this project).

Transcription
-------------
Complements 1 − ĉ and Ω without differences that cancel; K from Q = K a(r) s(τ).
"""

import numpy as np
import sympy
from sympy import Abs, Max, Min, Rational, exp, sqrt, symbols

from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    SCORE_NOISE,
    Bound,
    information_used,
    vacuous_notes,
)
from bounds.conditions import FINITE_FISHER, FOLLOWS_ODE, ONE_BLOCK, ONE_PROBLEM
from bounds.processes.edm import edm
from bounds.processes.ou import ou
from bounds.processes.vp import vp
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import flow_ingredients, signed_end
from bounds.recursion.flow.steps import FlowSteps
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients, twice_signed_end
from bounds.recursion.one_block import early_stop, initial_error
from bounds.recursion.propagation import round_up
from bounds.sampler import ddim, ode_euler, ode_exponential
from bounds.setting import Setting
from bounds.theorem import Case, Domain, Source, Theorem, gaussian
from bounds.theorems import martingale

d, l, m, v, sigma, tau, r = symbols("d l m v sigma tau r", real=True)
Pi, K, p, X, b_lo, b_up = symbols("Pi K p X b_lo b_up", real=True)
c_lo, c_up, c_0, c_mean, x_lo, e, k = symbols("c_lo c_up c_0 c_mean x_lo e k", real=True)
m0, L0, alpha, M, R, EV, k_R, k_2, s0 = symbols("m0 L0 alpha M R EV k_R k_2 s0", real=True)
J, w, rho, centre = symbols("J w rho centre", real=True)
pi, kappa, keep, again, K_2, mu = symbols("pi kappa keep again K_2 mu", real=True)
B_lo, B_up, B, b_0, beta, beta_m, x_up = symbols("B_lo B_up B b_0 beta beta_m x_up", real=True)
Omega, Omega_m, w_m, scale, inner_scale = symbols("Omega Omega_m w_m scale inner_scale", real=True)

#: What starting from a Gaussian and stopping early cost, as in `martingale`.
SHARED = ("initial_sq", "initial_smooth_sq", "initial_log_concave_sq", "early_stop_sq")

#: Corners of the Jacobians of both evaluations, and the least and the largest of the first's map.
CORNERS = [(b, later) for b in (b_lo, b_up) for later in (B_lo, B_up)]
INNER = [pi - kappa * b for b in (b_lo, b_up)]


def _largest(expressions):
    return Max(*(Abs(each) for each in expressions))


def _over_envelope(curve, vertex):
    """The largest |curve(x)| of a quadratic over 1 − ĉ in the envelope: at its ends, or at its vertex."""
    return _largest(curve(x) for x in (x_lo, x_up, Min(Max(vertex, x_up), x_lo)))


x_0 = 1 - c_0
varpi = (L0 - m0) * sigma**2 / (2 + (L0 + m0) * sigma**2)
b_mid = (L0 + m0) * sigma**2 / (2 + (L0 + m0) * sigma**2)
RATES = {
    "rate_any": (
        sqrt(c_up) * (2 * (12 * d**2 + 48 * d) ** Rational(1, 4)
                      + 2 * (d * (d + 2) * (d + 4) * (d + 6)) ** Rational(1, 4)) ** 2
        + _largest(3 * c_0 - 2 * c_0**2 - c * (3 + c + c_0) for c in (c_lo, c_up)) * e
        + (4 + c_up + c_0) * k) / sigma**2,
    "rate_strong": (
        _over_envelope(lambda x: 2 * x + 2 * x_0 - 4 * b_mid + 4 * b_mid * x - x**2 - x_0 * x - 2 * x_0**2,
                       1 + 2 * b_mid - x_0 / 2) * e
        + _largest(2 - x - x_0 + 4 * b_mid for x in (x_lo, x_up)) * k
        + 2 * varpi * sqrt(c_up**2 * c_up) * (4 * d * c_up + sqrt(d * (d + 2)))) / sigma**2,
    "rate_ball": (
        _over_envelope(lambda x: 2 * (x_0 - x) + 8 * x_lo * x - 4 * x_lo**2 - x**2 - x_0 * x - 2 * x_0**2,
                       4 * x_lo - 1 - x_0 / 2) * e
        + _largest(8 * x_lo - 2 - x - x_0 for x in (x_lo, x_up)) * k) / sigma**2
    + 2 * R * x_lo / sigma * ((k_2 * x_lo**2 * R**2 + sigma * x_lo * R * (d * (d + 2)) ** Rational(1, 4)) / sigma**3) ** 2}

#: Of steps that evaluate the score twice.
TWICE = RATES | {
    "twice_contraction": _largest(keep + (again - K_2 * later) * (pi - kappa * b) for b, later in CORNERS),
    "twice_apart": Min(
        _largest(keep + (again - K_2 * later) * (INNER[0] + INNER[1]) / 2 + sign * (again * (INNER[0] - INNER[1]) / 2)
                 for later in (B_lo, B_up) for sign in (1, -1))
        + Abs(K_2) * Max(Abs(B_lo), Abs(B_up)) * Abs(INNER[0] - INNER[1]) / 2,
        Abs(keep) + _largest(again - K_2 * later for later in (B_lo, B_up)) * _largest(INNER)),
    "twice_drift": keep + again * pi - 1 - K_2 * b_0 * (pi - 1),
    "twice_ahead": Omega - again * kappa - K_2 * (w_m + b_0 * (Omega_m - kappa)),
    "flow_ratio": mu * sqrt(v + sigma**2) / (sigma * sqrt(v + mu**2)),
    "kernel": Omega - K_2 * (mu * sqrt(v + sigma**2) / (sigma * sqrt(v + mu**2)) + mu / (v + mu**2) * Omega_m),
    "twice_weight": (Abs(again) + Abs(K_2) * B) * Abs(kappa) * scale + Abs(K_2) * inner_scale,
    "twice_kept": keep + (again - K_2 * beta_m) * (pi - kappa * beta),
    "twice_first": (again - K_2 * beta_m) * kappa * beta,
    "twice_second": K_2 * beta_m}

STATED = {name: martingale.STATED[name] for name in SHARED} | {
    "flow_contraction": Max(Abs(Pi - K * b_lo), Abs(Pi - K * b_up)),
    # largest at the start of a step, 0 at its end
    "omega": Max(sqrt(v + sigma**2) / sigma * (sigma - r) * (sigma + r)
                 / (sqrt(v + sigma**2) + sqrt(v + r**2)), 0),
    "start_sq": d * (p**2 * (m - l) + (p * sqrt(l + tau**2) + X * tau / sqrt(l + tau**2)) ** 2),
    "noise_size": sqrt(d * sigma**2 / (l + sigma**2)),
    "turn": Min(Max(Abs(c_up - c_0), Abs(c_lo - c_0)) * e + k, sqrt(2 * d * c_up) + (c_up + c_0) * e) / sigma,
    "third": sqrt(c_up) * (sqrt(2 * d) + 2 * sqrt(c_up * e**2)),
    "third_strong": 2 * (L0 - m0) * sigma**2 / (2 + (L0 + m0) * sigma**2) * sqrt(c_up**2 * d * c_mean),
    "third_weak": 2 * sqrt(c_up * d * c_mean * exp(M * sigma**2 / (1 + alpha * sigma**2))
                           / (1 + alpha * sigma**2)),
    "third_ball": (x_lo / sigma) ** 3 * Min(k_R * R**3, k_2 * R**2 * sqrt(EV)),
    "ball_variance": Min(R**2, d * (c_mean - c_lo) * sigma**2 / x_lo**2),
    "flow_kept": sqrt((s0**2 + r**2) / (s0**2 + tau**2)),
    "replaced": Abs(J - rho) * sqrt(R**2 + d * (s0**2 + tau**2)) + Abs(p) * centre + (Abs(w) + Abs(1 - rho)) * R,
    **TWICE}


def derive() -> dict:
    """The stated expressions again, from the flow's own equation, chi-squared moments and the envelope."""
    y, u, q, Q, c = symbols("y u q Q c", positive=True)
    # ε′ = ĉ_0 ε/σ + δ has the homogeneous solution 1/w, w = σ/(v + σ²)^{1/2}
    w_of = u / sqrt(v + u**2)
    total = sympy.integrate(w_of, u)
    omega = (total.subs(u, sigma) - total.subs(u, r)) / w_of.subs(u, sigma)
    # E|Y|² = d(m + τ²), E Y·ε = E Y·Z = dτ, E|ε|² = d(1 − mmse q) at most d(1 − ĉ_lo)
    noise_sq = d * (1 - l / (l + tau**2))
    start_sq = p**2 * d * (m + tau**2) + 2 * p * X * d * tau + X**2 * noise_sq
    # Var|Z|² = E|Z|⁴ − (E|Z|²)²
    gaussian_sq = sqrt(d * (d + 2) - d**2)
    # u·κ = E[(w − w_0)·2ξ], |w − w_0| <= (L − m)/(m(L + m)) for the posterior's m0 + q and L0 + q
    low, high = m0 + 1 / sigma**2, L0 + 1 / sigma**2
    strong = 2 * (high - low) / (high + low) * sqrt(c_up**2 * sigma**4 * d * sigma**2 * c_mean / sigma**6)
    # the Poincaré constant of the posterior: lim e^{∫c_up}/Q
    log_growth = sympy.integrate(1 / (y + u) + c / (y + u) ** 2, (u, q, Q))
    poincare = sympy.limit(sympy.simplify(exp(log_growth) / Q), Q, sympy.oo)
    poincare = poincare.subs({y: alpha, c: M, q: 1 / sigma**2})
    weak = sqrt(c_up * sigma**2 * 4 * poincare * d * sigma**2 * c_mean / sigma**6)
    # tr C = d ĉ_lo σ² + ϱ² tr Cov(μ | Y) is d ĉ σ² in the mean
    (variance,) = sympy.solve(sympy.Eq(d * c_lo * sigma**2 + x_lo**2 * u, d * c_mean * sigma**2), u)
    # dY/dσ = σ/(s0² + σ²) (Y − E[μ | Y])
    rate = sympy.integrate(u / (s0**2 + u**2), u)
    kept = exp(rate.subs(u, r) - rate.subs(u, tau))
    # JY + w E[μ | y] against ρY + (1 − ρ) (a mean of E[μ | Y]), from the ball's centre; Π = J + w
    away, middle, here, there = symbols("away middle here there", real=True)
    difference = sympy.expand(J * (away + middle) + w * (middle + here) - rho * (away + middle)
                              - (1 - rho) * (middle + there)).subs(w * middle, (p + 1 - J) * middle)
    difference = sympy.collect(sympy.expand(difference), (away, middle, here, there))
    sizes = {away: sqrt(R**2 + d * s0**2 + d * tau**2), middle: centre, here: R, there: R}
    ends = [Abs(sympy.diff(Pi * y - K * b * y, y)) for b in (b_lo, b_up)]
    known = martingale.derive()
    return {name: known[name] for name in SHARED} | {
        "flow_contraction": Max(*ends),
        "omega": Max(omega, 0),
        "start_sq": start_sq,
        "noise_size": sqrt(noise_sq).subs(tau, sigma),
        "turn": Min(Max(*(Abs(c - c_0) for c in (c_lo, c_up))) * e + k,
                    sqrt(c_up) * gaussian_sq + c_up * e + c_0 * e) / sigma,
        "third": sqrt(c_up) * (gaussian_sq + 2 * sqrt(c_up * e**2)),
        "third_strong": strong, "third_weak": weak,
        "third_ball": x_lo**3 * Min(k_R * R**3, k_2 * R**2 * sqrt(EV)) / sigma**3,
        "ball_variance": Min(R**2, variance),
        "flow_kept": kept,
        "replaced": sum(Abs(difference.coeff(each)) * size for each, size in sizes.items()),
        **_derived_twice()}


def _rates() -> dict:
    """Δ′ from D″ along the flow, and from moments of ξ in one dimension; σ = 1 but where its powers stand."""
    x, c, eps, third, t, u, gamma = symbols("x c epsilon kappa_hat t u gamma")
    # D′ = κ/σ³ − Cε/σ² and D″ = t − 3κ + 2Cε − C D′; ε′ = −D′/σ, so ε″ = −D″ + D′
    slope = third - c * eps
    second = -(t - 3 * third + 2 * c * eps - c * slope) + slope
    moved = (sympy.diff(v / (v + u**2), u) * u).subs(v, c_0 * u**2 / (1 - c_0))
    change = sympy.expand(sympy.simplify(second - moved * eps + c_0 * slope + c_0 * eps))
    # ξ = η + a Gaussian of variance γ; g = ξ² − εξ
    eta, gauss = symbols("eta G")
    moments = symbols("m_0:6")
    normal = (1, 0, 1, 0, 3, 0, 15)

    def mean(expression, of_eta=True):
        found = sympy.Poly(sympy.expand(expression), gauss)
        found = sum(factor * normal[power] for (power,), factor in found.terms())
        if not of_eta:
            return found
        found = sympy.Poly(sympy.expand(found), eta)
        known = dict(zip(moments, (1, 0, c - gamma, third), strict=False))
        return sympy.expand(sum(factor * moments[power] for (power,), factor in found.terms()).subs(known))

    xi = eta + sqrt(gamma) * gauss
    look = xi**2 - eps * xi
    centred, inside = look - mean(look), mean(look, False) - mean(look)
    gaussian_part = sympy.expand(mean(xi * centred**2) - mean(eta * inside**2))
    # S: t is 2(1 − b) E[ĝ g′] and a rest
    smooth_part = sympy.expand(2 * (1 - b_mid) * mean(centred * (2 * xi - eps)))

    def largest(part, ends, quadratic):
        noise, kappa_of = (sympy.expand(change.subs(t, part)).coeff(each) for each in (eps, third))
        noise, kappa_of = (each.subs({c: 1 - x, gamma: 1 - x_lo}) for each in (noise, kappa_of))
        places = list(ends)
        if quadratic:
            (vertex,) = sympy.solve(sympy.diff(noise, x), x)
            places.append(Min(Max(vertex, x_up), x_lo))
        return (Max(*(Abs(noise.subs(x, each)) for each in places)) * e
                + Max(*(Abs(kappa_of.subs(x, each)) for each in ends)) * k)

    # E|Z|^{2n} and E(|Z|² − d)⁴
    power = [sympy.prod(d + 2 * j for j in range(n)) for n in range(5)]
    fourth = sympy.expand(sum(sympy.binomial(4, n) * power[n] * (-d) ** (4 - n) for n in range(5)))
    size = 2 * fourth ** Rational(1, 4) + 2 * power[4] ** Rational(1, 4)
    low, high = m0 + 1 / sigma**2, L0 + 1 / sigma**2
    ends = x_lo, x_up
    any_of = change.subs(t, 0)
    plain = Max(*(Abs(any_of.coeff(eps).subs(c, each)) for each in (c_lo, c_up))) * e
    return {
        "rate_any": (sqrt(c_up) * size**2 + plain + any_of.coeff(third).subs(c, c_up) * k) / sigma**2,
        "rate_strong": (largest(smooth_part, ends, True)
                        + 2 * (high - low) / (high + low) * sqrt(c_up) ** 3 * (4 * d * c_up + sqrt(power[2]))) / sigma**2,
        "rate_ball": largest(gaussian_part, ends, True) / sigma**2
        + 2 * R * x_lo / sigma * (k_2 * (x_lo * R) ** 2 / sigma**3 + x_lo * R / sigma**2 * power[2] ** Rational(1, 4)) ** 2}


def _derived_twice() -> dict:
    """What two evaluations add: a step's coefficients collected, its Jacobians, and moments of the posterior."""
    y, noise, u, first, second = symbols("y noise u first second")
    # ε, Y and the exact end in what Y, ε_τ and δ at a level σ > m of the step are
    along = exp(sympy.integrate(v / (u * (v + u**2)), u).subs(u, mu) - sympy.integrate(v / (u * (v + u**2)), u).subs(u, sigma))
    inner = pi * y - kappa * noise
    middle, later = y - Omega_m * noise, w_m * noise
    scheme = keep * y + again * inner - K_2 * (later + b_0 * (inner - middle))
    missed = sympy.expand(scheme - (y - Omega * noise))
    # δ at σ moves Y_r by Ω, Y_m by Ω^m and ε_m by −w(m)/w(σ)
    turned = Omega - (-K_2 * (-along) - K_2 * b_0 * (-Omega_m)).subs(b_0, mu / (v + mu**2))
    step = sympy.expand(keep * y + again * (pi * y - kappa * first * y)
                        - K_2 * second * (pi * y - kappa * first * y))
    slope = sympy.diff(step, y)
    corner = [Abs(slope.subs({first: b, second: b_m})) for b in (b_lo, b_up) for b_m in (B_lo, B_up)]
    # products of Jacobians that do not commute: the first's map is its middle and a part of norm (S_up − S_lo)/2
    S = [slope.subs({second: 0, keep: 0, again: 1, first: b}) for b in (b_lo, b_up)]
    centre_S, half = (S[0] + S[1]) / 2, Abs(S[0] - S[1]) / 2
    linear = [Abs(keep + again * each - K_2 * centre_S * b_m) for each in S for b_m in (B_lo, B_up)]
    apart = Min(Max(*linear) + Abs(K_2) * Max(Abs(B_lo), Abs(B_up)) * half,
                Abs(keep) + Max(*(Abs(again - K_2 * b_m) for b_m in (B_lo, B_up))) * Max(*(Abs(each) for each in S)))
    # errors M of both scores, the first passed on by the second
    error = symbols("error")
    off = sympy.expand(again * (-kappa * scale * error) - K_2 * B * (-kappa * scale * error))
    weight = sum(Abs(each.coeff(error)) for each in off.args) + Abs(K_2 * inner_scale)
    # D = ĉ_lo y + (1 − ĉ_lo) E[μ | y]: ε = β (y − E[μ | y])
    here, there = symbols("here there")
    point = pi * y - kappa * beta * (y - here)
    ball = sympy.expand(keep * y + again * point - K_2 * beta_m * (point - there))
    return _rates() | {
        "twice_contraction": Max(*corner), "twice_apart": apart,
        "twice_drift": missed.coeff(y), "twice_ahead": missed.coeff(noise),
        "flow_ratio": along, "kernel": turned,
        "twice_weight": weight, "twice_kept": ball.coeff(y), "twice_first": ball.coeff(here),
        "twice_second": ball.coeff(there)}


def evaluate(setting: Setting, functions) -> Bound:
    """The smaller of the plain (saturated) recursion and the signed one."""
    data, path = FlowData(setting.assumption, functions), setting.table.path
    if setting.scheme.sampler.evaluations == 2:
        steps, ingredients, signed = TwiceSteps.of(setting, data), twice_ingredients, twice_signed_end
    else:
        steps, ingredients, signed = FlowSteps.of(setting, data), flow_ingredients, signed_end
    parts = ingredients(setting, data, steps, functions)
    start, term = initial_error(setting, functions)
    errors, initial = (float(setting.score_error), float(setting.score_noise)), float(start) / float(path.a[0])
    stop, last = float(early_stop(setting, functions)), float(path.a[-1])
    found = {"plain": parts.end(initial, True, *errors), "signed": signed(setting, data, steps, functions)}
    if parts.saturated is not None:
        found = {"saturated": found["plain"], "signed": found["signed"]}
    used = min(found, key=found.get)
    alone = {INITIALISATION: (initial, False, 0.0, 0.0), SCORE_BIAS: (0.0, False, errors[0], 0.0),
             SCORE_NOISE: (0.0, False, 0.0, errors[1]), DISCRETISATION: (0.0, True, 0.0, 0.0)}
    terms = {name: float(round_up(last * parts.end(*given), 1)) for name, given in alone.items()}
    if setting.scheme.grid.early_stop > 0:
        terms[EARLY_STOPPING] = stop
    total = float(round_up(last * found[used] + stop, 1))
    total = np.inf if np.isnan(total) else total
    details = {"recursion": used, "initial_term": term.name, "steps": len(parts.local),
               **{f"{name}_recursion": float(last * value + stop) for name, value in found.items()}}
    return Bound(theorem=THEOREM.key, kind="upper", total=total, terms=terms,
                 information=information_used(None, term.closed_form),
                 notes=vacuous_notes(total, setting.assumption.second_moment), details=details)


SYMBOLS = {name: martingale.SYMBOLS[name] for name in ("d", "a_sq", "s_sq", "m", "l", "m2", "s", "H_lo", "X",
                                                       "mean_norm")} | {
    "Pi": "linear coefficient of the step in Y", "K": "its coefficient of ε", "p": "Π − 1",
    "X": "Ω − K (of the initial term: H(c_up) − H(c_lo))",
    "sigma": "noise level s/a (of the initial term: standard deviation of the prior)",
    "tau": "noise level where the step starts", "r": "noise level where it ends",
    "v": "variance of the Gaussian that the step is held against",
    "b_lo": "least of ∇ε at τ, (1 − ĉ_up)/τ", "b_up": "largest of ∇ε at τ, (1 − ĉ_lo)/τ",
    "c_lo": "ĉ_lo = q c_lo", "c_up": "ĉ_up = q c_up", "c_0": "v/(v + σ²)", "x_lo": "1 − ĉ_lo",
    "c_mean": "largest mean of ĉ", "e": "bound of ‖ε‖", "k": "bound of ‖κ̂‖, the posterior's third moment over σ³",
    "m0": "strong log-concavity", "L0": "smoothness", "alpha": "weak log-concavity", "M": "its perturbation",
    "R": "radius of the ball", "s0": "standard deviation of the Gaussian added to it",
    "EV": "mean of the posterior's variance in the ball", "k_R": "constant of R³", "k_2": "constant of R²√EV",
    "J": "Π − K(1 − ĉ_lo)/τ", "w": "K(1 − ĉ_lo)/τ", "rho": "what the flow keeps of Y",
    "centre": "norm of the ball's centre",
    "pi": "what the inner point of two evaluations keeps of Y", "kappa": "its coefficient of ε",
    "keep": "what a step keeps of Y besides the inner point", "again": "what it takes of the inner point",
    "K_2": "coefficient of ε at the inner point", "mu": "noise level of the inner point",
    "B_lo": "least of ∇ε there", "B_up": "largest of ∇ε there", "B": "largest |∇ε| there",
    "b_0": "∇ε of the reference there, m/(v + m²)", "Omega": "Ω", "Omega_m": "Ω with m in place of r",
    "w_m": "by what ε of the reference is multiplied from τ to m", "scale": "a τ, by which an error of the score counts",
    "inner_scale": "a m at the inner point", "beta": "(1 − ĉ_lo)/τ, or another ∇ε at τ", "beta_m": "the same at m",
    "x_up": "1 − ĉ_up"}


def TWO_MODES(laws):
    """½N(±1, 1/4)."""
    return laws.GaussianMixture.two_modes(2.0, 0.5)


CASES = (
    Case("N(0,1/4), OU, Euler", ou, gaussian(0.25), lambda: ode_euler(4, 100), ratio_ceiling=1.0001,
         decisive={"omega": 0.99}),
    Case("N(0,1/4), OU, exponential", ou, gaussian(0.25), lambda: ode_exponential(4, 100), ratio_ceiling=1.0001),
    Case("N(0,1/4), EDM, DDIM", edm, gaussian(0.25), lambda: ddim(20, 64, grid="geometric"),
         ratio_ceiling=1.01),
    Case("two modes, OU, exponential", ou, TWO_MODES, lambda: ode_exponential(5, 100), ratio_ceiling=5.5),
    Case("two modes, VP, DDIM", lambda: vp("1/10 + 199/10*t"), TWO_MODES, lambda: ddim(1, 200), ratio_ceiling=9.5))

THEOREM = Theorem(
    key="flow", title="Flow bound", kind="upper", source=Source("docs/theory.md", "section 13"),
    statement=r"E_k = \min(A_k E_{k-1} + \ell_k, \dots) + W_k M,\quad W_2 \le a(t_0) E_K",
    symbols=SYMBOLS, conditions=(FINITE_FISHER, ONE_BLOCK, ONE_PROBLEM, FOLLOWS_ODE), stated=STATED,
    derive=derive, evaluate=evaluate,
    derivation="Variation of constants in ε′ = ĉ_0 ε/σ + δ along the flow dY/dσ = ε, E Y·ε = dσ, and the "
    "envelope's bounds of third moments.",
    cases=CASES,
    domain=Domain(process=("ou", "vp", "ve", "sub-vp", "general", "edm", "flow-matching"),
                  sampler=("ode-euler", "ode-exponential", "ddim", "heun", "heun-t", "midpoint", "dpm-solver-2")))
