r"""Strasman et al.'s bound for critically-damped Langevin in a constant metric, every constant explicit.

Statement
---------
Euler–Maruyama with steps h_k of the clock ∫β, prior N(0, Σ_∞).  With
:math:`\tilde H = \nabla^2\log(p_t/p_\infty)`, :math:`\tilde A = \Sigma_\infty A^T\Sigma_\infty^{-1}`, a
metric 𝔐 in which Ã contracts at rate η = a(1 − 1/κ), and

.. math:: \bar\rho_k = \|I + h_k\tilde A\|_𝔐, \quad \ell_k = \max_c \|D\tilde H_{\tau_k}(c)\|_𝔐, \quad
          \rho_k = \bar\rho_k + h_k\ell_k,

the product form (C1) is

.. math:: W_2 \le \sqrt{(𝔐^{-1})_{11}}\,\Big\{\prod_k\rho_k\,E_0
          + \sum_k \prod_{j>k}\rho_j\,\big(b_k + v_k + h_k\lambda_{\max}(D𝔐D)^{1/2}M\big)\Big\}

and, with :math:`\bar\rho = \max_k\bar\rho_k < 1`, :math:`\Lambda = \sum_k h_k\ell_k/\bar\rho`, the closed
form (C2) is

.. math:: W_2 \le \sqrt{(𝔐^{-1})_{11}}\,e^\Lambda\Big\{\bar\rho^K E_0 + \frac{1-\bar\rho^K}{1-\bar\rho}
          \Big[h\lambda_{\max}(D𝔐D)^{1/2}M + \max_k\big(b_k + \sqrt{d/3}\,h_k^{3/2}\nu_k\big)\Big]\Big\},

which is the seed's :math:`c_1e^{-c_2T}W_2(p_0\otimes\pi_v, \pi_\infty) + c_1\sigma^2M + c_1\sqrt h`.  κ is
the best one in [1.2, 6] for each form.

Hypotheses
----------
Critically-damped Langevin, ε >= 0; an envelope that is finite at the last time; Euler–Maruyama; score error
of L2 size M at the iterates.  (C1) needs no step-size condition; (C2) needs :math:`\bar\rho < 1`, which is
:math:`h < 2(1 - 1/\kappa)/a`, and v > 0 or early stopping.

Source
------
arXiv 2511.02419 (slides): the renormalised process, the metric, contraction, and the three sources of the
error.  The slides leave every constant open; they are derived in docs/theory.md section 5, Theorem C.

Transcription
-------------
The error obeys :math:`\Delta_k = J_k\Delta_{k-1}` + bias + score error + noise, with
:math:`J = I + h\tilde A + hD\tilde H` averaged along a segment: its norm is convex in c, so both ends of the
envelope suffice.  E_0 is the smaller of the seed's
:math:`\|e^{TA}\|_𝔐\lambda_{\max}(𝔐)^{1/2}W_2(p_0\otimes\pi_v, \pi_\infty)` and the coupling of `martingale`.
b_k and v_k are those of `martingale` with P = 𝔐.  ν_k is looked for at three times of the step and three lags
w of :math:`X = e^{-wA}(-A + (D + C(w)A^T)H_t(c))`; as :math:`v_k` itself is known, (C2) takes the larger of
the two, so that nothing rests on the search.  The regularity constant is not printed in the seed, and as
printed it is infinite (`bounds.contraction.renormalised_score`).
"""

import numpy as np
import sympy
from sympy import Abs, Matrix, exp, sqrt, symbols

from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    Bound,
    information_used,
    vacuous_notes,
)
from bounds.certified.one_block import InBalls
from bounds.conditions import FINITE_FISHER, ONE_PROBLEM, euler_maruyama_only
from bounds.contraction.renormalised_score import regularity_constant
from bounds.processes import cld as langevin
from bounds.processes.cld import cld
from bounds.recursion.data import Constants
from bounds.recursion.phase_space.constant_metric import Contraction, smallest
from bounds.recursion.phase_space.statement import SYMBOLS as PHASE_SYMBOLS
from bounds.recursion.phase_space.statement import derive as derive_phase
from bounds.recursion.phase_space.statement import stated as stated_of_phase
from bounds.recursion.propagation import round_up, weights
from bounds.sampler import euler_maruyama
from bounds.stated import Stated
from bounds.theorem import Case, Condition, Domain, Source, Theorem, gaussian
from bounds.theorems.martingale import STATED as MARTINGALE
from bounds.theorems.martingale import SYMBOLS as MARTINGALE_SYMBOLS
from bounds.theorems.martingale import derived_early_stop

h, a, kappa, d, K = symbols("h a kappa d K", real=True)
R_xx, R_xv, R_vv, D_x, D_v = symbols("R_xx R_xv R_vv D_x D_v", real=True)
Z_xx, Z_xv, Z_vx, Z_vv = symbols("Z_xx Z_xv Z_vx Z_vv", real=True)
rho_bar, ell, Lambda, b, v_sq, nu, s, eps = symbols("rho_bar ell Lambda b v_sq nu s eps", real=True)
flow, largest, W, E_0, p, local = symbols("flow largest W E_0 p local", real=True)


def stated() -> dict:
    """The terms of a step in the metric, and the closed form."""
    # R Z and R Z R⁻¹, 𝔐 = RᵀR
    top_x, top_v = R_xx * Z_xx + R_xv * Z_vx, R_xx * Z_xv + R_xv * Z_vv
    xx, xv = top_x / R_xx, (top_v - top_x * R_xv / R_xx) / R_vv
    vx, vv = R_vv * Z_vx / R_xx, Z_vv - Z_vx * R_xv / R_xx
    trace, root = R_xx**2 + R_xv**2 + R_vv**2, R_xx * R_vv

    return {
        "drift_norm": Abs(h * a / kappa) + sqrt((h * a / kappa) ** 2 + (1 - h * a) ** 2),
        "norm": (sqrt((xx + vv) ** 2 + (vx - xv) ** 2) + sqrt((xx - vv) ** 2 + (vx + xv) ** 2)) / 2,
        "largest": (trace + sqrt((trace - 2 * root) * (trace + 2 * root))) / 2,
        "projection": sqrt(R_xv**2 + R_vv**2) / Abs(R_xx * R_vv),
        "mixing": Abs(flow * W) * sqrt(largest),
        "growth": rho_bar + h * ell,
        "local": b + sqrt(v_sq),
        "score": s * eps,
        "missed_sq": D_x * (top_x**2 + (R_vv * Z_vx) ** 2) + D_v * (top_v**2 + (R_vv * Z_vv) ** 2),
        "ceiling": sqrt(d / 3) * h ** sympy.Rational(3, 2) * Abs(nu),
        "closed_form": p * exp(Lambda) * (
            rho_bar**K * E_0 + (1 - rho_bar**K) / (1 - rho_bar) * (s * eps + local)),
        "early_stop_sq": MARTINGALE["early_stop_sq"],
        **stated_of_phase()}


STATED = Stated("strasman2025-cld", stated)


def _largest_eigenvalue(matrix):
    """Of a 2×2 matrix with real eigenvalues, by its trace and determinant."""
    trace, determinant = matrix.trace(), matrix.det()
    return (trace + sqrt(trace**2 - 4 * determinant)) / 2


def derive() -> dict:
    """Norms as eigenvalues of 𝔐⁻¹ZᵀMZ; the sum of (C2) from the fixed point of the recursion it solves."""
    metric, _ = langevin.metric()
    tilted = sympy.eye(2) + h * langevin.renormalised_drift().subs(langevin.epsilon, 0)
    drift = (metric.inv() * tilted.T * metric * tilted).applyfunc(sympy.simplify)
    plain = {langevin.a: a, langevin.kappa: kappa, langevin.sigma: 1}
    root = Matrix([[R_xx, R_xv], [0, R_vv]])
    fixed, Z = root.T * root, Matrix([[Z_xx, Z_xv], [Z_vx, Z_vv]])
    u, t, fixed_point = symbols("u t fixed_point", real=True)
    # E = ρ̄E + x at the fixed point, from which ρ̄^K of the distance is left
    (x,) = sympy.solve(rho_bar * fixed_point + t - fixed_point, fixed_point)
    x = x.subs(t, local + s * eps)
    return {
        "drift_norm": sqrt(_largest_eigenvalue(drift)).subs(plain),
        "norm": sqrt(_largest_eigenvalue(fixed.inv() * Z.T * fixed * Z)),
        "largest": _largest_eigenvalue(fixed),
        # |e₁ᵀx| <= |x|_𝔐 (e₁ᵀ𝔐⁻¹e₁)^{1/2}
        "projection": sqrt(fixed.inv()[0, 0]),
        # synchronous coupling of the forward process, |x|_𝔐² <= λ_max |x|²
        "mixing": sqrt(flow**2 * largest * W**2),
        "growth": sympy.diff(t * rho_bar + h * ell * t, t),
        "local": b + sqrt(v_sq),
        "score": s * eps,
        "missed_sq": (Matrix.diag(D_x, D_v) * Z.T * fixed * Z).trace(),
        # N(w) = ∫_0^w Z: v² <= d ν² ∫_0^h w² dw
        "ceiling": sqrt(d * nu**2 * sympy.integrate(u**2, (u, 0, h))),
        "closed_form": p * exp(Lambda) * (x + rho_bar**K * (E_0 - x)),
        "early_stop_sq": derived_early_stop(),
        **derive_phase()}


def evaluate(setting, functions) -> Bound:
    """The product form; the closed form, its terms and the regularity constant are among the details."""
    seen = Contraction(setting, functions, Constants(setting.assumption, 0))
    size = float(np.hypot(setting.score_error, setting.score_noise))
    product, closed = smallest(lambda *metric: _in_metric(seen, functions, size, *metric))
    steps = len(seen.h)
    terms = {name: float(round_up(value, 8 * steps)) for name, value in product["terms"].items()}
    stop = 0.0
    if setting.scheme.grid.early_stop > 0:
        terms[EARLY_STOPPING] = stop = seen.problem.early_stop()
    total = float(round_up(sum(terms.values()), 8))
    a, kappa = seen.path.a, product["kappa"]
    details = {
        "kappa": kappa, "metric": product["kind"], "eta": a * (1 - 1 / kappa),
        "contraction": product["contraction"], "initial_term": product["initial_term"].name, "steps": steps,
        "regularity_constant": regularity_constant(seen.path, setting.assumption, float(seen.table.clock[0])),
        "closed_form": None}
    if np.isfinite(closed["closed_form"]):
        details |= {
            "closed_form": float(round_up(closed["closed_form"], 8 * steps) + stop),
            "closed_form_kappa": closed["kappa"],
            "closed_form_eta": a * (1 - 1 / closed["kappa"]), "closed_form_Lambda": closed["Lambda"],
            **{f"closed_form_{name}": float(value) for name, value in closed["closed_terms"].items()}}
    return Bound(theorem=THEOREM.key, kind="upper", total=total if total == total else np.inf, terms=terms,
                 information=information_used(seen.problem.moments, product["initial_term"].closed_form),
                 notes=_notes(setting, total, details), details=details)


def in_balls(setting, formulas, precision: int) -> InBalls:
    """The product form in ball arithmetic, in the metric that is best in floats; not the closed form."""
    from bounds.certified.phase_space.constant_metric import product_form

    def choose():
        functions = THEOREM.functions
        seen = Contraction(setting, functions, Constants(setting.assumption, 0))
        size = float(np.hypot(setting.score_error, setting.score_noise))
        product, _ = smallest(lambda *metric: _in_metric(seen, functions, size, *metric))
        return seen.problem, product["kappa"], product["kind"]

    return product_form(setting, formulas, precision, choose)


def _in_metric(seen: Contraction, functions, size: float, kappa: float, kind: str) -> dict:
    """Both forms in one metric."""
    parts = seen.in_metric(kappa, kind)
    h, steps, projection = seen.h, len(seen.h), parts["projection"]
    later, whole = weights(functions["growth"](rho_bar=parts["drift"], h=h, ell=parts["pull"]))
    added = functions["local"](b=parts["bias"], v_sq=parts["variance"])
    score = functions["score"](s=parts["score"], eps=size) if size else np.zeros(steps)
    with np.errstate(over="ignore", invalid="ignore"):
        terms = {
            INITIALISATION: projection * whole * parts["initial"],
            SCORE_BIAS: projection * np.sum(later * score) if size else 0.0,
            DISCRETISATION: projection * np.sum(later * added)}
    found = dict(kappa=kappa, kind=kind, terms=terms, total=_number(sum(terms.values())),
                 contraction=float(whole), initial_term=parts["initial_term"], closed_form=np.inf)
    rho_bar = float(parts["drift"].max())
    if rho_bar < 1:
        ceiling = functions["ceiling"](d=seen.problem.data.d, h=h, nu=seen.ceiling(parts["shape"]))
        # nothing rests on the search for ν
        largest = float(np.max(parts["bias"] + np.maximum(ceiling, np.sqrt(parts["variance"]))))
        with np.errstate(over="ignore", invalid="ignore"):
            values = dict(p=projection, rho_bar=rho_bar, Lambda=np.sum(h * parts["pull"]) / rho_bar, K=steps)
            whole = dict(E_0=parts["initial"], s=float(parts["score"].max()), eps=size, local=largest)
            alone = {"initialisation": ("E_0",), "score": ("s", "eps"), "discretisation": ("local",)}
            found["closed_terms"] = {
                name: _number(functions["closed_form"](**values, **dict.fromkeys(whole, 0.0)
                                                       | {source: whole[source] for source in sources}))
                for name, sources in alone.items()}
            found["Lambda"] = float(values["Lambda"])
            found["closed_form"] = _number(functions["closed_form"](**values, **whole))
    return found


def _number(value) -> float:
    return float(value) if value == value else np.inf


def _notes(setting, total, details) -> tuple[str, ...]:
    product = f"the factors of its steps multiply to {details['contraction']:.3g}"
    notes = [f"{note}; {product}" for note in vacuous_notes(total, setting.assumption.second_moment)]
    if details["closed_form"] is None:
        notes.append("no closed form: it needs h < 2(1 − 1/κ)/a, and v > 0 or early stopping")
    else:
        terms = [f"{details[f'closed_form_{name}']:.4g} {name}"
                 for name in ("initialisation", "score", "discretisation")]
        notes.append(f"closed form c1 e^(−c2 T) W2 + c1 σ² M + c1 √h: {details['closed_form']:.4g} = "
                     f"{' + '.join(terms)} (κ = {details['closed_form_kappa']:.4g})")
    if np.isfinite(constant := details["regularity_constant"]):
        notes.append(f"regularity constant C_T = {constant:.4g} (with the factor 1 + t²; the slides give no "
                     "number)")
    return tuple(notes)


def _langevin(setting):
    return (None if setting.process.is_critically_damped
            else f"stated for critically-damped Langevin (cld), got {setting.process.name}")


_OWN = {
    "h": "length of the step on the clock ∫β", "a": "−a is the double eigenvalue of the drift",
    "kappa": "κ > 1, which chooses the metric", "d": "dimension", "K": "number of steps",
    "R_xx": "𝔐 = RᵀR, R upper triangular: position", "R_xv": "entry of R off the diagonal",
    "R_vv": "entry of R, velocity", "Z_xx": "entry of the matrix whose norm is taken (in missed_sq: of X)",
    "Z_xv": "entry of that matrix", "Z_vx": "entry of that matrix", "Z_vv": "entry of that matrix",
    "D_x": "noise strength ε² of the position", "D_v": "noise strength σ² of the velocity",
    "rho_bar": "ρ̄ = ‖I + hÃ‖_𝔐", "ell": "ℓ = max_c ‖DH̃(c)‖_𝔐", "Lambda": "Λ = Σ hℓ_k/ρ̄",
    "b": "b_k: bias of the step in 𝔐", "v_sq": "v_k²: noise the step misses, in 𝔐",
    "nu": "ν_k: size of X in 𝔐", "s": "hλ_max(D𝔐D)^{1/2}", "eps": "M: L2 size of the score error",
    "flow": "‖e^{TA}‖_𝔐", "largest": "λ_max(𝔐)", "W": "bound of W2(p_0 ⊗ π_v, π_∞)",
    "E_0": "initial distance in 𝔐", "p": "√((𝔐⁻¹)_11)", "local": "largest of b_k + √(d/3)h^{3/2}ν_k"}
_USED = PHASE_SYMBOLS.keys() | {"P", "X", "a_sq", "s_sq", "m", "x_mean", "x_sq", "s"}

THEOREM = Theorem(
    key="strasman2025-cld", title="Strasman et al.: critically-damped Langevin in a constant metric",
    kind="upper", any_start=True,
    source=Source("Strasman et al. 2025", "final W2 upper bound of the slides", "2511.02419"),
    statement=(
        r"W_2 \le \sqrt{(\mathfrak{M}^{-1})_{11}}\Big\{\prod_k\rho_k\,E_0 + \sum_k\prod_{j>k}\rho_j\,"
        r"\big(b_k + v_k + s_kM\big)\Big\} \le \sqrt{(\mathfrak{M}^{-1})_{11}}\,e^\Lambda\Big\{"
        r"\bar\rho^KE_0 + \frac{1-\bar\rho^K}{1-\bar\rho}\big[sM + "
        r"\max_k(b_k + \sqrt{d/3}\,h^{3/2}\nu_k)\big]\Big\}"),
    symbols={name: text for name, text in MARTINGALE_SYMBOLS.items() if name in _USED} | _OWN,
    conditions=(Condition("critically-damped Langevin", "dU = AU du + diag(ε, σ)dB", _langevin),
                FINITE_FISHER, euler_maruyama_only("P = I − hA, Q = hD"), ONE_PROBLEM),
    stated=STATED, derive=derive, evaluate=evaluate, in_balls=in_balls,
    domain=Domain(process=("cld",), sampler=("euler-maruyama",)),
    derivation="Eigenvalues of 𝔐⁻¹ZᵀMZ; synchronous coupling; the fixed point of the recursion. "
    "Shape and rate are those of the slides, the constants (c1, c2, 𝔐, ν) are re-derived here.",
    cases=(
        Case("far mean, one short step", cld, gaussian(0.25, 2, 30.0),
             lambda: euler_maruyama(0.01, 1), ratio_ceiling=1.05,
             decisive={"projection": 0.9, "growth": 0.95, "drift_norm": 0.9, "phase_initial_sq": 0.9}),
        Case("large score error", cld, gaussian(1.0), lambda: euler_maruyama(8, 400), score_error=100.0,
             ratio_ceiling=2.5, decisive={"score": 0.4, "phase_score_sq": 0.15}),
        Case("one huge step", cld, gaussian(1.0), lambda: euler_maruyama(5, 1),
             ratio_ceiling=4.0, decisive={"local": 0.25}),
        Case("one huge step, restored ellipticity, constants", lambda: cld(epsilon=2),
             gaussian(4.0), lambda: euler_maruyama(5, 1),
             information="constants", ratio_ceiling=3.0, decisive={"local": 0.3}),
        Case("early stopping of far data", cld, gaussian(4.0, 1, 30.0),
             lambda: euler_maruyama(1.0, 400, early_stop=0.95), ratio_ceiling=2.0,
             decisive={"early_stop_sq": 0.01})))
