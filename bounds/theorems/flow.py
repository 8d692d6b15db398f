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

Steps with two evaluations, :math:`\tilde Y = \pi Y - \kappa_1 \varepsilon_\theta(Y, \tau)` and
:math:`Y_r = \Pi Y - K_1 \varepsilon_\theta(Y, \tau) - K_2 \varepsilon_\theta(\tilde Y, m)`, have the same recursion with

.. math:: \ell_k = \min_v \|p Y + X \varepsilon\| + K_2 g \|\tilde Y - Y_m\| + \min\Bigl\{\int |k| \Delta\, d\sigma,\;
          \Bigl|\int k\, d\sigma\Bigr| \Delta(\tau) + \int |\hat k| \Delta' d\sigma\Bigr\},

:math:`\hat k = \int_r k = O(h^2)`: second order (`bounds.recursion.flow.statement`).  Where noise is added before a
step (churn), the exact process takes the same noise: τ is the level that it raises, and nothing else changes; the signed
recursion is left out.

Hypotheses
----------
One of the envelopes of `bounds.assumptions`; a sampler without noise; a score error of L2 size M at the
iterates, and at the inner points of two evaluations.  No smoothness of the score in time, no step-size condition, f of any sign.

Source
------
docs/theory.md section 12 (this project).

Transcription
-------------
Complements 1 − ĉ and Ω without differences that cancel; K from Q = K a(r) s(τ).
"""

import numpy as np
import sympy
from sympy import Abs, Max, Min, exp, sqrt, symbols

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
from bounds.conditions import FINITE_FISHER, FOLLOWS_ODE, LEVELS, ONE_BLOCK, ONE_PROBLEM
from bounds.processes.edm import edm
from bounds.processes.ou import ou
from bounds.processes.vp import vp
from bounds.recursion.flow.churned import churned_ingredients
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import flow_ingredients, known_errors, signed_end
from bounds.recursion.flow.statement import TWICE_SYMBOLS, derive_twice, stated_twice
from bounds.recursion.flow.steps import FlowSteps
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients, twice_signed_end
from bounds.recursion.one_block import early_stop, initial_error
from bounds.recursion.propagation import round_up
from bounds.sampler import ddim, heun, midpoint, ode_euler, ode_exponential
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.theorem import Case, Domain, Source, Theorem, gaussian
from bounds.theorems import martingale

d, l, m, v, sigma, tau, r = symbols("d l m v sigma tau r", real=True)
p, X, gap = symbols("p X gap", real=True)
c_lo, c_up, c_0, c_mean, x_lo, e, k = symbols("c_lo c_up c_0 c_mean x_lo e k", real=True)
m0, L0, alpha, M, R, EV, k_R, k_2, s0 = symbols("m0 L0 alpha M R EV k_R k_2 s0", real=True)
J, w, rho, centre = symbols("J w rho centre", real=True)

#: What starting from a Gaussian and stopping early cost, as in `martingale`.
SHARED = ("initial_sq", "initial_smooth_sq", "initial_log_concave_sq", "early_stop_sq")


def stated() -> dict:
    """What a step of either kind does to an error, and what starting and stopping cost."""
    return {name: martingale.STATED[name] for name in SHARED} | {
        "flow_contraction": Max(*(Abs(p + c + (1 - c) * (r - gap) / tau) for c in (c_lo, c_up)), evaluate=False),
        "omega": (sqrt(v + sigma**2) / sigma * (sigma - r) * (sigma + r)
                  / (sqrt(v + sigma**2) + sqrt(v + r**2))),
        "omega_ahead": (-v * (sigma - r) ** 2 * (sigma + r) / sigma / (sqrt(v + sigma**2) + sqrt(v + r**2))
                        / (r * sqrt(v + sigma**2) + sigma * sqrt(v + r**2))),
        "start_sq": d * (p**2 * (m - l) + (p * sqrt(l + tau**2) + X * tau / sqrt(l + tau**2)) ** 2),
        "noise_size": sqrt(d * sigma**2 / (l + sigma**2)),
        "turn": Min(Max(Abs(c_up - c_0), Abs(c_lo - c_0), evaluate=False) * e + k,
                    sqrt(2 * d * c_up) + (c_up + c_0) * e, evaluate=False) / sigma,
        "third": sqrt(c_up) * (sqrt(2 * d) + 2 * sqrt(c_up * e**2)),
        "third_strong": 2 * (L0 - m0) * sigma**2 / (2 + (L0 + m0) * sigma**2) * sqrt(c_up**2 * d * c_mean),
        "third_weak": 2 * sqrt(c_up * d * c_mean * exp(M * sigma**2 / (1 + alpha * sigma**2))
                               / (1 + alpha * sigma**2)),
        "third_ball": (x_lo / sigma) ** 3 * Min(k_R * R**3, k_2 * R**2 * sqrt(EV), evaluate=False),
        "ball_variance": Min(R**2, d * (c_mean - c_lo) * sigma**2 / x_lo**2, evaluate=False),
        "flow_kept": sqrt((s0**2 + r**2) / (s0**2 + tau**2)),
        "replaced": Abs(J - rho) * sqrt(R**2 + d * (s0**2 + tau**2)) + Abs(p) * centre + (Abs(w) + Abs(1 - rho)) * R,
        **stated_twice()}


STATED = Stated("flow", stated)


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
    # a step on ε = (1 − c) y/τ
    ends = [Abs(sympy.diff((1 + p) * y - (tau - r + gap) * (1 - c) * y / tau, y)) for c in (c_lo, c_up)]
    known = martingale.derive()
    return {name: known[name] for name in SHARED} | {
        "flow_contraction": Max(*ends),
        "omega": omega,
        "omega_ahead": omega - (sigma - r),
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
        **derive_twice()}


def evaluate(setting: Setting, functions) -> Bound:
    """The smallest of the plain (saturated) recursion, the signed one and the one whose errors are known."""
    data, path = FlowData(setting.assumption, functions), setting.table.path
    stages = setting.scheme.sampler.stages
    if stages is not None and stages.churn is not None:
        parts, signed = churned_ingredients(setting, data, functions), None
    elif stages is not None:
        steps = TwiceSteps.of(setting, data)
        parts, signed = twice_ingredients(setting, data, steps, functions), twice_signed_end
    else:
        steps = FlowSteps.of(setting, data)
        parts, signed = flow_ingredients(setting, data, steps, functions), signed_end
    refined = None if signed is None else known_errors(setting, data, steps, parts)
    start, term = initial_error(setting, functions)
    # where a(T) is 0 in floats nothing is known: ∞
    initial = float(start) / float(path.a[0]) if path.a[0] > 0 else np.inf
    noise = float(setting.score_noise)
    stop, last = float(early_stop(setting, functions)), float(path.a[-1])
    found = {"plain" if parts.saturated is None else "saturated": parts.end(initial, True, True, noise)}
    if signed is not None:
        found["signed"] = signed(setting, data, steps, functions, parts)
    if refined is not None:
        found["known"], parts = refined.end(initial, True, True, noise), refined
    used = min(found, key=found.get)
    alone = {INITIALISATION: (initial, False, False, 0.0), SCORE_BIAS: (0.0, False, True, 0.0),
             SCORE_NOISE: (0.0, False, False, noise), DISCRETISATION: (0.0, True, False, 0.0)}
    terms = {name: float(round_up(last * parts.end(*given), 1)) for name, given in alone.items()}
    if setting.scheme.grid.early_stop > 0:
        terms[EARLY_STOPPING] = stop
    total = float(round_up(last * found[used] + stop, 1))
    total = np.inf if np.isnan(total) else total
    details = {"recursion": used, "initial_term": term.name, "steps": len(parts.local),
               **{f"{name}_recursion": float(last * value + stop) for name, value in found.items()}}
    return Bound(theorem=THEOREM.key, kind="upper", total=total, terms=terms,
                 information=f"{information_used(None, term.closed_form, used == 'known')}, {used} recursion",
                 notes=vacuous_notes(total, setting.assumption.second_moment), details=details)


SYMBOLS = {name: martingale.SYMBOLS[name] for name in ("d", "a_sq", "s_sq", "m", "l", "m2", "s", "H_lo", "X",
                                                       "mean_norm")} | {
    "p": "Π − 1, Π the step's linear coefficient in Y", "gap": "K − (τ − r), K its coefficient of ε",
    "X": "Ω − K (of the initial term: H(c_up) − H(c_lo))",
    "sigma": "noise level s/a (of the initial term: standard deviation of the prior)",
    "tau": "noise level where the step starts", "r": "noise level where it ends",
    "v": "variance of the Gaussian that the step is held against",
    "c_lo": "ĉ_lo = q c_lo", "c_up": "ĉ_up = q c_up", "c_0": "v/(v + σ²)", "x_lo": "1 − ĉ_lo",
    "c_mean": "largest mean of ĉ", "e": "bound of ‖ε‖", "k": "bound of ‖κ̂‖, the posterior's third moment over σ³",
    "m0": "strong log-concavity", "L0": "smoothness", "alpha": "weak log-concavity", "M": "its perturbation",
    "R": "radius of the ball", "s0": "standard deviation of the Gaussian added to it",
    "EV": "mean of the posterior's variance in the ball", "k_R": "constant of R³", "k_2": "constant of R²√EV",
    "J": "Π − K(1 − ĉ_lo)/τ", "w": "K(1 − ĉ_lo)/τ", "rho": "what the flow keeps of Y",
    "centre": "norm of the ball's centre"} | TWICE_SYMBOLS


def _two_modes(laws):
    """½N(±1, 1/4)."""
    return laws.GaussianMixture.two_modes(2.0, 0.5)


CASES = (
    Case("N(0,1/4), OU, Euler", ou, gaussian(0.25), lambda: ode_euler(4, 100), ratio_ceiling=1.0001),
    Case("N(0,1/4), OU, exponential", ou, gaussian(0.25), lambda: ode_exponential(4, 100), ratio_ceiling=1.0001),
    Case("N(0,1/4), EDM, DDIM", edm, gaussian(0.25), lambda: ddim(20, 64, grid="geometric"),
         ratio_ceiling=1.01, decisive={"omega_ahead": 0.9}),
    Case("N(0,1/4), OU, Heun", ou, gaussian(0.25), lambda: heun(4, 50), ratio_ceiling=1.0001,
         decisive={"twice_ahead": 0.99}),
    Case("N(0,1/4), EDM, midpoint", edm, gaussian(0.25), lambda: midpoint(20, 64, grid="geometric"),
         ratio_ceiling=1.0001),
    Case("two modes, OU, exponential", ou, _two_modes, lambda: ode_exponential(5, 25), ratio_ceiling=9.0),
    Case("two modes, VP, DDIM", lambda: vp("1/10 + 199/10*t"), _two_modes, lambda: ddim(1, 30), ratio_ceiling=12.0))

THEOREM = Theorem(
    key="flow", title="Flow bound", kind="upper", any_start=True,
    source=Source("docs/theory.md", "section 12"),
    statement=r"E_k = \min(A_k E_{k-1} + \ell_k, \dots) + W_k M,\quad W_2 \le a(t_0) E_K",
    symbols=SYMBOLS, conditions=(FINITE_FISHER, ONE_BLOCK, ONE_PROBLEM, FOLLOWS_ODE, LEVELS), stated=STATED,
    derive=derive, evaluate=evaluate,
    derivation="Variation of constants in ε′ = ĉ_0 ε/σ + δ along the flow dY/dσ = ε, E Y·ε = dσ, and the "
    "envelope's bounds of third moments.",
    cases=CASES,
    domain=Domain(process=("ou", "vp", "ve", "sub-vp", "general", "edm", "flow-matching"),
                  sampler=("ode-euler", "ode-exponential", "ddim", "heun", "heun-t", "midpoint",
                           "dpm-solver-2")))
