r"""The martingale bound: one reverse step against the exact conditional law (for one block and two).

Statement
---------
.. math:: E_k^2 = (A_k E_{k-1} + b_k + Q_k M)^2 + v_k^2 + Q_k^2 M_{noise}^2, \qquad W_2(\mathcal L(y_K), p_{t_0}) \le E_K,

with :math:`A_k = \max_c |P + Q H(c)|`, c ranging over the posterior-covariance envelope, :math:`b_k` the bias
of the step and :math:`v_k` the noise it misses.  For early stopping add :math:`W_2(p_{t_0}, p_0)`.

Where the data are :math:`\mu + s_0 G` with μ in a ball of radius R (k = 1), :math:`E[\mu | x]` never leaves it:
with :math:`V = a^2 s_0^2 + s^2 = -1/H_{lo}` and :math:`J = P + Q H_{lo}`, :math:`A_k E` is at most
:math:`|J| E + 2 R Q a / V`, and whatever came before

.. math:: E_k \le \bigl((|J| E_{k-1} + N_k + Q_k M)^2 + u_k^2 + Q_k^2 M_{noise}^2\bigr)^{1/2} + R \Phi^{-1} C a / V .

Hypotheses
----------
One of the envelopes of `bounds.assumptions`; a finite Fisher information at the last time (bounded support:
early stopping); a score error of L2 size M at the iterates, and/or of size M_noise with mean zero given the
past and the step's own Brownian increment.  No smoothness of the score in time, no step-size condition, f of
any sign.

Source
------
docs/theory.md section 4 (this project).  Split of the score error as in arXiv 2506.09681; initial term by
Caffarelli's contraction theorem; MMSE curve by the I-MMSE relation of Guo, Shamai and Verdú 2005.

Transcription
-------------
Written in the Hessian excess :math:`x = \psi^2(c - c_{lo}) \in [0, X]` instead of c, so that nothing is
singular at t = 0 and nothing cancels: :math:`N(c) = N_{lo} + \kappa x` with :math:`\kappa = e^F C g`.  b_k²
is a sum of squares.
"""

from dataclasses import replace

import numpy as np
import sympy
from sympy import Abs, Max, symbols

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
from bounds.certified.one_block import InBalls, recursion
from bounds.conditions import FINITE_FISHER, HAS_NOISE, IN_TIME, RESOLVED
from bounds.leading import L0, Density, Leading, R, f, m0, slope
from bounds.leading import a as scale
from bounds.leading import m as second_moment
from bounds.processes.cld import cld
from bounds.processes.ou import ou
from bounds.processes.ve import ve
from bounds.recursion.data import expand
from bounds.recursion.equal_steps import fitted_ingredients
from bounds.recursion.ingredients import Columns, Ingredients
from bounds.recursion.one_block import contraction, early_stop, initial_error, missed_noise, step_bias
from bounds.recursion.phase_space.ingredients import phase_ingredients
from bounds.recursion.phase_space.statement import SYMBOLS as PHASE_SYMBOLS
from bounds.recursion.phase_space.statement import derive as derive_phase
from bounds.recursion.phase_space.statement import stated as stated_of_phase
from bounds.recursion.propagation import round_up
from bounds.recursion.saturation import Saturation
from bounds.sampler import euler_maruyama, posterior_mean, posterior_mean_matched
from bounds.score_error import ScoreError
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.theorem import Case, Domain, Source, Theorem, gaussian

P, Q, H_lo, X, c1, c2, d = symbols("P Q H_lo X c1 c2 d", real=True)
a_sq, s_sq, m, l, m2 = symbols("a_sq s_sq m l m2", real=True)
F, C, g, ng, x_mean, x_sq = symbols("F C g ng x_mean x_sq", real=True)
s, sigma, mean_norm = symbols("s sigma mean_norm", real=True)
R_ball, centre, noise_var, after = symbols("R centre noise_var after", real=True)

#: Problems of a batch evaluated together, by k: memory is bounded, and k = 2 has weights for each.
BATCH = {1: 256, 2: 1}


def stated() -> dict:
    """What a step does to an error, the initial term and early stopping, for one block and two."""
    size = s_sq + a_sq * m
    excess = a_sq * (m - l) / (size * (s_sq + a_sq * l))
    # e^F g − ng first: it vanishes exactly for most samplers, where 1 + CH − 1 would cancel
    apart = (sympy.exp(F) * g - ng) + sympy.exp(F) * C * H_lo * g
    rise = sympy.exp(F) * C * g
    half = sympy.Rational(1, 2)

    # each Max as it is written: sympy would compare its arguments
    return {
        "initial_sq": a_sq * m2 + d * (s - sigma) ** 2,
        "initial_smooth_sq": a_sq * (m2 - d * l) + d * (sympy.sqrt(a_sq * l + s_sq) - sigma) ** 2,
        "initial_log_concave_sq": a_sq * mean_norm**2 + d * Max(
            ((-H_lo) ** -half - sigma) ** 2, ((-H_lo - X) ** -half - sigma) ** 2, evaluate=False),
        "contraction": Max(Abs(P + Q * H_lo), Abs(P + Q * (H_lo + X)), evaluate=False),
        "bias_sq": d * (size * (c1 - c2 / size) ** 2 + c2**2 * excess),
        "bias_known_sq": d * (size * (c1 - c2 / size) ** 2 + c2**2 * (excess - x_mean)),
        "variance": d * (apart**2 + Max(0, x_mean * (2 * apart * rise + rise**2 * X), evaluate=False)),
        "variance_known": d * (apart**2 + 2 * apart * rise * x_mean + rise**2 * x_sq),
        "early_stop_sq": (1 - sympy.sqrt(a_sq)) ** 2 * m2 + d * s_sq,
        "ball_kept": Abs(P + Q * H_lo),
        "ball_moved": 2 * R_ball * Abs(Q * H_lo) * sympy.sqrt(a_sq),
        "ball_replaced": (Abs(c1 + c2 * H_lo) * sympy.sqrt(a_sq * R_ball**2 + d / Abs(H_lo))
                          + Abs(c1) * sympy.sqrt(a_sq) * centre + R_ball * Abs(Q * H_lo) * sympy.sqrt(a_sq)),
        "ball_noise_sq": d * (sympy.sqrt(noise_var) - sympy.sqrt(C * after * Abs(H_lo))) ** 2,
        "ball_drawn": R_ball * sympy.exp(F) * Abs(C * H_lo) * sympy.sqrt(a_sq),
        **stated_of_phase()}


STATED = Stated("martingale", stated)


def derive() -> dict:
    """The stated expressions again, from Tweedie's formula and the martingale representation."""
    U, c, u, z, x0 = symbols("U c u z x0", real=True)
    q, psi = a_sq / s_sq, sympy.sqrt(a_sq) / s_sq
    # Tweedie, second order: −H(c), and E[s sᵀ] = −H at the expected posterior covariance; E[U sᵀ] = −I
    score_sq = 1 / s_sq - c * psi**2

    def moment(fisher):
        """E‖c1 U + c2 s(U)‖²."""
        form = sympy.expand((c1 * U + c2 * u) ** 2)
        return form.coeff(U, 2) * (s_sq + a_sq * m) - form.coeff(U, 1).coeff(u, 1) + form.coeff(u, 2) * fisher

    # the posterior covariance at which the Fisher information is known: c_lo, plus the excess x/ψ²
    least = score_sq.subs(c, l / (1 + l * q))
    # one reverse martingale increment: d/dU of Φ⁻¹(U + C s(U)), minus the scheme's own noise
    slope = sympy.diff(sympy.exp(F) * (U + C * (H_lo + u) * U), U)
    increment = slope * g - ng
    chord = increment.subs(u, 0) ** 2 + x_mean / X * (increment.subs(u, X) ** 2 - increment.subs(u, 0) ** 2)
    square = sympy.expand(increment**2)
    known = square.coeff(u, 0) + square.coeff(u, 1) * x_mean + square.coeff(u, 2) * x_sq
    # Gaussian Poincaré, σ²(J−1)², for the gradient of a monotone map: J from σ⁻¹(−H_lo)^{-1/2} to H_up's
    jacobian = (1 / (sigma * sympy.sqrt(-H_lo)), 1 / (sigma * sympy.sqrt(-H_lo - X)))
    # −∇² log p_T ⪯ 1/(a²l+s²): the map T from N(0, σ²) to p_T has slope >= (a²l+s²)^{1/2}/σ, and by Stein
    # E⟨x,T⟩ = σ² E tr ∇T
    second, stein = a_sq * m2 + d * s_sq, sigma**2 * d * sympy.sqrt(a_sq * l + s_sq) / sigma
    step = sympy.diff(P * z + Q * (H_lo + u) * z, z)
    coupled = sympy.expand((sympy.sqrt(a_sq) * x0 + s * z - sigma * z) ** 2)
    return {
        "initial_sq": coupled.coeff(x0, 2) * m2 + d * coupled.coeff(z, 2),
        "initial_smooth_sq": second + d * sigma**2 - 2 * stein,
        "initial_log_concave_sq": a_sq * mean_norm**2 + d * Max(*(sigma**2 * (j - 1) ** 2 for j in jacobian)),
        "contraction": Max(Abs(step.subs(u, 0)), Abs(step.subs(u, X))),
        "bias_sq": d * moment(least),
        "bias_known_sq": d * moment(least - x_mean),
        "variance": d * Max(increment.subs(u, 0) ** 2, chord),
        "variance_known": d * known,
        "early_stop_sq": derived_early_stop(),
        **derived_saturation(),
        **derive_phase()}


def derived_saturation() -> dict:
    """What a ball does to an error, from the laws of U_τ, U_r and their score given μ, which are Gaussian."""
    away, middle, here, there, V, growth = symbols("away middle here there V growth", real=True)
    a = sympy.sqrt(a_sq)

    def score(mean):
        """∇log of N(a μ, V) at a centre + away."""
        return -(away + a * middle - a * mean) / V

    step = P * (away + a * middle) + Q * score(middle + here)
    # given μ: E[U_r | U_τ] is Φ⁻¹(U_τ + C s(U_τ)), Φ⁻¹ = P + c1 and Φ⁻¹C = Q + c2
    exact = (P + c1) * (away + a * middle) + (Q + c2) * score(middle + there)
    known = sympy.expand((step - exact).subs(V, -1 / H_lo))
    drawn = sympy.diff((growth * C * score(middle + there)).subs(V, -1 / H_lo), there)
    sizes = {away: sympy.sqrt(R_ball**2 * a_sq + d / Abs(H_lo)), middle: centre, here: R_ball}
    # V = Φ² V_r + C, Cov(U_r, U_τ | μ) = Φ V_r
    left = sympy.simplify(after - ((V - C) / after) * after**2 / V).subs(V, 1 / Abs(H_lo))
    return {
        "ball_kept": Abs(sympy.diff(step, away)).subs(V, -1 / H_lo),
        "ball_moved": 2 * R_ball * Abs(sympy.diff(step, here)).subs(V, -1 / H_lo),
        "ball_replaced": sum(Abs(known.coeff(each)) * size for each, size in sizes.items()),
        "ball_noise_sq": d * (noise_var - 2 * sympy.sqrt(noise_var * left) + left),
        "ball_drawn": R_ball * Abs(drawn).subs(growth, sympy.exp(F))}


def derived_early_stop():
    """E‖a x_0 + s z − x_0‖², the size of the noise that early stopping leaves."""
    x0, z = symbols("x0 z", real=True)
    stop = sympy.expand((sympy.sqrt(a_sq) * x0 + sympy.sqrt(s_sq) * z - x0) ** 2)
    return stop.coeff(x0, 2) * m2 + d * stop.coeff(z, 2)


def evaluate(setting: Setting, functions, missed=missed_noise, key="martingale") -> Bound:
    """The recursion at numbers; ``missed`` computes v_k² of one block."""
    parts = setting.batches(BATCH[setting.process.blocks])
    found = [_evaluate(part, functions, missed, key) for part in parts]
    if len(parts) == 1 and parts[0].shape == setting.shape:
        return found[0]

    def joined(values):
        if isinstance(values[0], str | int) and all(value == values[0] for value in values):
            return values[0]
        whole = [np.ravel(np.broadcast_to(value, part.shape))
                 for value, part in zip(values, parts, strict=True)]
        return np.concatenate(whole).reshape(setting.shape)

    terms, details = ({name: joined([each[name] for each in some]) for name in some[0]}
                      for some in ([bound.terms for bound in found], [bound.details for bound in found]))
    return replace(found[0], total=joined([bound.total for bound in found]), terms=terms, details=details,
                   notes=())


def ingredients(setting: Setting, functions, missed=missed_noise) -> Ingredients:
    """What the recursion runs on; ``missed`` computes v_k² of one block."""
    if setting.process.blocks == 2:
        return phase_ingredients(setting, functions)
    # steps are sampled, of which a list of errors says nothing
    exact = replace(setting, score_error=0.0)
    fitted = fitted_ingredients(exact, lambda other: _step_by_step(other, functions, missed))
    return fitted or _step_by_step(setting, functions, missed)


def in_balls(setting: Setting, formulas, precision: int) -> InBalls:
    """The same in ball arithmetic."""
    if setting.process.blocks == 2:
        from bounds.certified.phase_space.weighted import weighted

        return weighted(setting, formulas, THEOREM.functions, precision)
    return recursion(setting, formulas, precision)


def _step_by_step(setting: Setting, functions, missed) -> Ingredients:
    initial, term = initial_error(setting, functions)
    return Ingredients(initial=initial,
                       columns=Columns(contraction=contraction(setting, functions),
                                       bias=step_bias(setting, functions),
                                       variance=missed(setting, functions), score_weight=setting.table.Q),
                       stop=early_stop(setting, functions), initial_term=term,
                       saturation=Saturation.of(setting, functions))


def _evaluate(setting: Setting, functions, missed, key: str) -> Bound:
    """The recursion of problems that are evaluated together."""
    parts = ingredients(setting, functions, missed)
    found = parts.totals(setting.step_errors, expand(setting.score_noise, 1))
    steps = len(parts.columns)
    with np.errstate(invalid="ignore", over="ignore"):
        terms = {
            INITIALISATION: round_up(found.contraction * parts.initial, steps),
            SCORE_BIAS: (found.score_weight * setting.score_error if not isinstance(setting.score_error, ScoreError)
                         else parts.score_bias(setting.step_errors)),
            SCORE_NOISE: found.noise_weight * setting.score_noise,
            DISCRETISATION: found.discretisation}
    # an error source that is not there adds nothing, even where its weight overflows
    for name, size in ((SCORE_BIAS, setting.step_errors), (SCORE_NOISE, setting.score_noise)):
        if not np.any(size):
            terms[name] = np.zeros(setting.shape)
    if found.alone is not None:
        names = INITIALISATION, SCORE_BIAS, SCORE_NOISE, DISCRETISATION
        terms |= {name: np.fmin(terms[name], size) for name, size in zip(names, found.alone, strict=True)}
    if setting.scheme.grid.early_stop > 0:
        terms[EARLY_STOPPING] = parts.stop + np.zeros(np.shape(parts.initial))
    total = _finite(round_up(found.total, 1))
    growth = _finite(found.contraction if parts.growth is None else parts.growth)
    details = {"contraction": growth, "initial_term": parts.initial_term.name, "steps": steps} | parts.details
    return Bound(theorem=key, kind="upper", total=total,
                 terms={name: _finite(value) for name, value in terms.items()},
                 information=information_used(setting.facts.moments, parts.initial_term.closed_form),
                 notes=() if np.ndim(total) else (*_notes(setting, total, growth), *parts.notes),
                 details=details)


def _finite(value):
    """The value as a number or an array of them, ∞ in place of NaN."""
    value = np.where(np.isnan(value), np.inf, value)
    return value if value.ndim else float(value)


def _notes(setting: Setting, total: float, growth: float) -> tuple[str, ...]:
    notes = vacuous_notes(total, setting.assumption.second_moment)
    if notes and growth > 1:
        said = f"the later steps may expand errors: product of contractions {growth:.3g}"
        weak = setting.assumption.weak_log_concavity
        if weak is not None and weak[1] > 0:
            said += f", e^(M/alpha) = {np.exp(min(weak[1] / weak[0], 700)):.3g} (= e^(R²/s²) for mixtures)"
        notes += (said,)
    return notes


SYMBOLS = PHASE_SYMBOLS | {
    "P": "linear coefficient of the step", "Q": "score coefficient of the step",
    "H_lo": "Hessian of log p at c_lo, at the step's start τ (or at T, or at the node σ)",
    "X": "H(c_up) − H(c_lo)", "c1": "Φ⁻¹ − P", "c2": "Φ⁻¹C − Q", "d": "dimension", "a_sq": "a²", "s_sq": "s²",
    "m": "E‖X_0‖²/d", "l": "1/L, inverse smoothness", "m2": "E‖X_0‖²", "F": "∫_r^σ f", "C": "C(σ, r)",
    "g": "g(σ)", "ng": "n(σ)g(σ), the scheme's noise",
    "x_mean": "mean Hessian excess (its upper bound, or the MMSE curve's)",
    "x_sq": "mean squared Hessian excess", "s": "s(T)", "sigma": "standard deviation of the prior",
    "mean_norm": "‖E X_0‖", "R": "radius of the ball of μ, data μ + s0 G", "centre": "norm of the ball's centre",
    "noise_var": "∫n²g², the scheme's noise variance", "after": "a²s0² + s² where the step ends"}

CASES = (
    Case("N(0,1/4), OU", ou, gaussian(0.25), lambda: euler_maruyama(4, 400), ratio_ceiling=1.4,
         decisive={"variance_known": 0.25}),
    Case("N(0,1/4), OU, constants", ou, gaussian(0.25), lambda: euler_maruyama(4, 400),
         information="constants", ratio_ceiling=1.4, decisive={"variance": 0.25}),
    Case("far mean, short horizon", ou, gaussian(0.25, 2, 3.0), lambda: euler_maruyama(0.5, 4000),
         ratio_ceiling=1.05, decisive={"initial_log_concave_sq": 0.25, "contraction": 0.999}),
    Case("bias of Euler–Maruyama", ou, gaussian(1.0, 1, 4.0), lambda: euler_maruyama(5, 100),
         ratio_ceiling=2.0, decisive={"bias_known_sq": 0.25}),
    Case("bias of Euler–Maruyama, constants", ou, gaussian(1.0, 1, 4.0), lambda: euler_maruyama(5, 100),
         information="constants", ratio_ceiling=2.0, decisive={"bias_sq": 0.25}),
    Case("biased score", ou, gaussian(1.0), lambda: euler_maruyama(5, 400), score_error=0.5,
         ratio_ceiling=1.1, decisive={"contraction": 0.99}),
    Case("early stopping of a wide prior", ou, gaussian(1e-6, 1, 1.0),
         lambda: euler_maruyama(4, 400, early_stop=0.5), ratio_ceiling=3.0, decisive={"early_stop_sq": 0.01}),
    Case("two modes, matched noise", ou, lambda laws: laws.GaussianMixture.two_modes(2.0, 0.5),
         lambda: posterior_mean_matched(5, 400), ratio_ceiling=8.0),
    Case("VE", lambda: ve(1), gaussian(0.25), lambda: euler_maruyama(10, 800), ratio_ceiling=2.0))
PHASE_CASES = (
    Case("CLD, posterior mean, N(0,4)", cld, gaussian(4.0), lambda: posterior_mean(8, 100),
         ratio_ceiling=2.0, decisive={"phase_variance_known": 0.25}),
    Case("CLD, posterior mean, N(0,4), constants", cld, gaussian(4.0), lambda: posterior_mean(8, 100),
         information="constants", ratio_ceiling=2.0, decisive={"phase_variance": 0.25}),
    Case("CLD, far mean, short horizon", lambda: cld(epsilon=0.5), gaussian(0.25, 2, 30.0),
         lambda: euler_maruyama(0.5, 500), ratio_ceiling=1.01,
         decisive={"phase_initial_sq": 0.9, "phase_affine": 0.99}),
    Case("CLD, biased score", cld, gaussian(1.0), lambda: euler_maruyama(8, 400), score_error=10.0,
         ratio_ceiling=1.01, decisive={"phase_score_sq": 0.9}),
    Case("CLD, bias of Euler–Maruyama", cld, gaussian(1.0, 1, 20.0), lambda: euler_maruyama(8, 50),
         ratio_ceiling=3.0, decisive={"phase_bias_known_sq": 0.1}),
    Case("CLD, bias of Euler–Maruyama, constants", cld, gaussian(1.0, 1, 20.0), lambda: euler_maruyama(8, 50),
         information="constants", ratio_ceiling=3.0, decisive={"phase_bias_sq": 0.1}),
    Case("CLD, early stopping of far data", cld, gaussian(4.0, 1, 30.0),
         lambda: euler_maruyama(1.0, 400, early_stop=0.95), ratio_ceiling=2.0,
         decisive={"early_stop_sq": 0.01}))

def leading_order() -> Leading:
    """With w = e^{∫f}/(1 + m0 R): the term "log-concave at T", w² v_k² = d h³ w² g² max (f + g²H)²/3, and
    Euler–Maruyama's bias w b_k = √d h² w f² (a² m + s²)^{1/2}/2; g²H lies between −R′/(1/L0 + R) and
    −R′/(1/m0 + R)."""
    return Leading(
        initial=(sympy.sqrt(1 / m0 + R) - sympy.sqrt(R)) / (1 + m0 * R), step_power=sympy.S.One,
        steps=(Density(slope / (1 + m0 * R) ** 2
                       * Max((f - slope / (1 / m0 + R)) ** 2, (f - slope / (1 / L0 + R)) ** 2, evaluate=False) / 3, p=2),
               Density(f**2 * sympy.sqrt(second_moment + R) / (1 + m0 * R) / 2)),
        score=Density(scale * slope / (1 + m0 * R)), assumes="centred data")

THEOREM = Theorem(
    key="martingale", title="Martingale bound", kind="upper", any_start=True,
    source=Source("docs/theory.md", "section 4"),
    statement=r"E_k^2 = (A_k E_{k-1} + b_k + Q_k M)^2 + v_k^2 + Q_k^2 M_{\mathrm{noise}}^2,\quad W_2 \le E_K",
    symbols=SYMBOLS, conditions=(FINITE_FISHER, HAS_NOISE, IN_TIME, RESOLVED), stated=STATED, derive=derive, evaluate=evaluate,
    derivation="Tweedie's formula, E[U sᵀ] = −I, and the reverse-time martingale Φ(t,0) s_t(U_t).",
    cases=CASES + PHASE_CASES, leading=leading_order, ingredients=ingredients, in_balls=in_balls,
    domain=Domain(process=("ou", "vp", "ve", "sub-vp", "general", "cld")))
