r"""The theorem of Gentiloni-Silveri and Ocello for weakly log-concave data, with every constant explicit.

Statement
---------
OU (f = 1, g² = 2), Euler–Maruyama with steps h_k from τ_k down, prior N(0, I).  With
:math:`-\nabla^2\log p_t \in [\kappa_t, L_t]`, :math:`\kappa_t = \alpha_t - M_t`,
:math:`L = \sup_t \max(L_t, -\kappa_t)`, :math:`B(h) = \sqrt{2d}(1+2L) + \sqrt h(\sqrt{m_2}+\sqrt d)/2` and
:math:`\gamma_k = \max(|1+h_k-2h_k\kappa_{\tau_k}|, |1+h_k-2h_kL_{\tau_k}|)`, the product form is

.. math:: W_2 \le \prod_k \gamma_k\, e^{-T} W_2(p_0, N(0,I))
    + \sum_k \Big[\prod_{j>k} \gamma_j\Big] \big(h_k^{3/2} B(h_k) + 2 h_k \varepsilon\big),

and the closed two-phase form, with h the longest step and the contractive phase beyond :math:`\eta_0`,

.. math:: W_2 \le e^{(1+2L)\eta_0} \big[ e^{-T} W_2(p_0, N(0,I)) + (\sqrt h B(h) + 2\varepsilon) T \big],
    \qquad h(2L-1) \le 2.

Hypotheses
----------
(α, M)-weakly log-concave data with one-sided smoothness L_U (M = 0: strongly log-concave); g² = 2c²f with c
constant, which is OU in units of c on the clock ∫f; Euler–Maruyama on any grid; score error of L2 size ε at
the iterates.  The product form needs no step-size condition.

Source
------
arXiv 2501.02298: structure and rate of its main bound, e^{−T}W2 + √h + ε in two phases.  The constants are
re-derived (docs/theory.md section 5, Theorem W).

Transcription
-------------
In reverse time e^{−t}∇log p_t(X_t) is a martingale, so along the exact path the drift b = x + 2∇log p_t
changes by db = X du + √2(I + 2∇²log p)dB.  Synchronous coupling over a step leaves the slope, between
1+h−2hκ_τ and 1+h−2hL_τ, and the local error ∫(h−u)X du + √2∫(h−u)(I + 2∇²log p)dB of L2 size at most
h²/2·(√m2+√d) + (2d/3)^{1/2}h^{3/2}(1+2L) <= h^{3/2}B(h); the √3 is given away, as the step does that bounds
the change of b by its largest over the step.  Closed form: from η_0 on 2κ_τ >= 1, so that γ <= 1 if h(2L−1)
<= 2; before, γ <= 1+h(1+2L), and the steps that begin there have total length at most η_0.  The condition
on h follows from h <= 1/(1+2L), and from the paper's own h < 2/(9L²) because (2L−1)/L² <= 1.  The proof
never needs h <= 1; up to there the martingale bound is the smaller from the same start.

Another prior N(0, σ²I): W2(p_T, N(0, σ²I)) <= e^{−T}W2(p_0, N(0, vI)) + √d|σ − (s² + e^{−2T}v)^{1/2}| for
any v >= 0, used with s² + e^{−2T}v = σ² where σ >= s, else v = 0.  W2(p_0, N(0, vI)) is the closed form's
where known.  Else Z ~ N(0, vI) is coupled to X_0 by the optimal map, whose slopes Caffarelli's theorem
keeps above (L_U v)^{−1/2}.
"""

import numpy as np
import sympy
from sympy import Abs, Max, exp, sqrt, symbols

from bounds.assumption import LARGEST_CONSTANT
from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    Bound,
    information_used,
    vacuous_notes,
)
from bounds.certified.number import real_root
from bounds.certified.one_block import InBalls, Walk, step_errors
from bounds.conditions import ONE_BLOCK, ONE_PROBLEM, euler_maruyama_only
from bounds.contraction.ou_phases import eta as contractive_from
from bounds.contraction.ou_phases import largest_curvature, log_growth, ou_scale_sq
from bounds.contraction.ou_phases import xi as log_concave_from
from bounds.leading import L0, Density, Leading, R, f, m, m0
from bounds.leading import a as scale
from bounds.processes.ou import ou
from bounds.recursion import distance_to_gaussian
from bounds.recursion.distance_to_gaussian import DistanceFrom, distances
from bounds.recursion.one_block import early_stop
from bounds.recursion.propagation import round_up, weights
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.symbolic.balls import BallFormula, NotEnclosed, integer_power
from bounds.symbolic.integrals import TIME
from bounds.theorem import Case, Condition, Domain, Source, Theorem, gaussian
from bounds.theorems.martingale import STATED as MARTINGALE
from bounds.theorems.martingale import derived_early_stop

h, kappa, L_t, L, d, m2, eps = symbols("h kappa L_t L d m2 eps", real=True)
a, D, s, sigma, v = symbols("a D s sigma v", real=True)
E0, T, eta = symbols("E0 T eta", real=True)


def stated() -> dict:
    """The terms of a step, and their sum over the phases."""
    local = sqrt(2 * d) * (1 + 2 * L) + sqrt(h) * (sqrt(m2) + sqrt(d)) / 2

    return {
        **distance_to_gaussian.stated(),
        "initial": a * D + sqrt(d) * Abs(sigma - sqrt(s**2 + a**2 * v)),
        "growth": Max(Abs(1 + h - 2 * h * kappa), Abs(1 + h - 2 * h * L_t), evaluate=False),
        "local": h ** sympy.Rational(3, 2) * local,
        "score": 2 * h * eps,
        "closed_form": exp((1 + 2 * L) * eta) * (E0 + (sqrt(h) * local + 2 * eps) * T),
        "early_stop_sq": MARTINGALE["early_stop_sq"]}


STATED = Stated("gentiloni2025-weak-log-concave", stated)


def derive() -> dict:
    """The stated terms from the optimal map, synchronous coupling over a step, and the sum over phases."""
    z, x0, y0, u, t, K = symbols("z x0 y0 u t K", real=True)
    # the same noise for the data and for N(0, vI)
    moved = sympy.expand((a * x0 + s * z) - (a * y0 + s * z))
    # b = x + 2∇log p: its slopes; its change over the time u, drift u(√m2 + √d) and noise (2du)^{1/2}(1 + 2L)
    step = [sympy.diff(z + h * (z + 2 * (-bound * z)), z) for bound in (kappa, L_t)]
    local = h * sqrt(2 * d * h) * (1 + 2 * L) + sympy.integrate(u, (u, 0, h)) * (sqrt(m2) + sqrt(d))
    score = sympy.diff(z + h * (z + 2 * t), t) * eps
    # K = T/h steps, none of whose later products exceeds e^{(1+2L)η}
    total = exp((1 + 2 * L) * eta) * (E0 + K * (local + score))
    return {
        **distance_to_gaussian.derive(),
        "initial": moved.coeff(x0) * D + sqrt(d) * Abs(sigma - sqrt(s**2 + a**2 * v)),
        "growth": Max(*(Abs(slope) for slope in step)),
        "local": local,
        "score": score,
        "closed_form": total.subs(K, T / h),
        "early_stop_sq": derived_early_stop()}


class _Standard:
    """A setting in the units of OU: lengths in c, times on the clock ∫f."""

    def __init__(self, setting: Setting):
        path = setting.table.path
        self.unit = float(np.sqrt(ou_scale_sq(setting.process)))
        if not 1 / LARGEST_CONSTANT <= self.unit <= LARGEST_CONSTANT:
            raise ValueError(f"process must have g/(2f)^(1/2) between {1 / LARGEST_CONSTANT:g} and "
                             f"{LARGEST_CONSTANT:g} (choose other units), got {self.unit:g}")
        self.data = setting.assumption.scaled(1 / self.unit)
        self.alpha, self.M = self.data.weak_log_concavity
        self.h = path.F
        if path.a[-1] == 0:
            raise ValueError(f"early_stop must be so early that e^(−∫f) is not 0 there, got "
                             f"{setting.scheme.grid.early_stop:g}")
        self.stop = -float(np.log(path.a[-1]))
        self.duration = float(np.sum(path.F))
        self.a_sq, self.s_sq = np.square(path.a), path.s_sq / self.unit**2
        self.prior_var = setting.table.prior_var / self.unit**2
        errors = self.unit * np.hypot(setting.step_errors, setting.score_noise)
        self.eps = float(errors) if np.ndim(errors) == 0 else errors
        self.L = float(largest_curvature(self.alpha, self.M, self.data.smoothness, self.stop,
                                         self.stop + self.duration))


def _initial(setting: Setting, question: _Standard, functions) -> tuple[float, DistanceFrom]:
    """(E_0, what W2(p_0, N(0, vI)) rests on)."""
    a_sq, s_sq, prior = question.a_sq[0], question.s_sq[0], question.prior_var
    limits, v = np.finfo(float), 0.0
    if abs(prior - 1) <= 8 * limits.eps:
        v = 1.0
    elif prior > s_sq and a_sq * limits.max > prior:
        v = float((prior - s_sq) / a_sq)
    in_data_units = setting.facts.distance_to_gaussian
    known = None if in_data_units is None else lambda v: in_data_units(v * question.unit**2) / question.unit
    found = distances(question.data, functions, v, known)
    source = min(found, key=found.get)
    values = dict(a=np.sqrt(a_sq), s=np.sqrt(s_sq), sigma=np.sqrt(prior), d=question.data.dim)
    return float(functions["initial"](**values, D=np.sqrt(found[source]), v=v)), source


def evaluate(setting: Setting, functions) -> Bound:
    """The product form; the closed form and the step-size conditions are among the details."""
    question = _Standard(setting)
    h, data = question.h, question.data
    floor = data.hessian_lower(question.a_sq[:-1], question.s_sq[:-1])
    least = -(floor + data.hessian_gap(question.a_sq[:-1], question.s_sq[:-1]))
    later, product = weights(functions["growth"](h=h, kappa=least, L_t=-floor))
    initial, source = _initial(setting, question, functions)
    step = dict(h=h, d=data.dim, m2=data.second_moment, L=question.L, eps=question.eps)

    def in_data_units(value):
        value = float(round_up(question.unit * value, 8 * len(h)))
        return np.inf if np.isnan(value) else value

    with np.errstate(invalid="ignore"):
        terms = {
            INITIALISATION: in_data_units(product * initial),
            DISCRETISATION: in_data_units(np.sum(later * functions["local"](**step))),
            SCORE_BIAS: in_data_units(np.sum(later * functions["score"](**step))) if np.any(question.eps) else 0.0}
    stop = 0.0
    if setting.table.path.times[-1] > 0:
        stop = terms[EARLY_STOPPING] = float(round_up(early_stop(setting, functions), 8))
    total = float(round_up(sum(terms.values()), 8))
    longest, boundary = float(h.max()), float(contractive_from(question.alpha, question.M))
    conditions, closed = step_conditions(longest, question.L), None
    if conditions["h (2L - 1) <= 2"]:
        crossed = max(min(boundary - question.stop, question.duration), 0.0)
        phases = {**step, "eps": float(np.max(question.eps)), "h": longest, "E0": initial, "T": question.duration,
                  "eta": crossed}
        closed = float(round_up(in_data_units(functions["closed_form"](**phases)) + stop, 8))
    growth = log_growth(question.alpha, question.M, question.stop, question.stop + question.duration)
    details = {
        "closed_form": closed, **conditions, "h": longest, "L": question.L, "eta": boundary,
        "xi": float(log_concave_from(question.alpha, question.M)), "contraction": float(product),
        "contraction_as_h_to_0": float(np.exp(growth)), "initial_distance": question.unit * initial,
        "initial_term": f"W2(p_0, N(0, v I)) from {source}", "steps": len(h)}
    return Bound(theorem=THEOREM.key, kind="upper", total=total, terms=terms,
                 information=information_used(None, source is DistanceFrom.CLOSED_FORM),
                 notes=_notes(setting, question, total, closed, float(max(later.max(), product))),
                 details=details)


def in_balls(setting: Setting, formulas, precision: int) -> InBalls:
    """The product form in balls."""
    from flint import arb

    walk = Walk(setting, formulas, precision)
    data, unit_sq = walk.data, _unit_sq(setting)
    unit = real_root(unit_sq)
    columns, curvature, errors = [], arb(0), step_errors(setting)
    for step in walk.steps():
        ends = [_curvature(data, a_sq, s_sq, unit_sq) for a_sq, s_sq in
                ((step.upper_a_sq, step.upper_s_sq), (step.a_sq, step.s_sq))]
        curvature = curvature.max(_largest(data, step, unit_sq, ends))
        columns.append((step.F, *ends[0], errors(step)))
    start = walk.last
    m2 = data.m2 / unit_sq
    a, s, prior = real_root(start.upper_a_sq), real_root(start.upper_s_sq / unit_sq), walk.prior_var / unit_sq
    noise = arb(float(setting.score_noise))
    initial, source = _initial_in_balls(walk, formulas, unit_sq,
                                        dict(a=a, s=s, sigma=real_root(prior), d=data.d))
    product, sums = initial, {"local": arb(0), "score": arb(0)}
    for h, kappa, smooth, bias in reversed(columns):
        eps = unit * real_root(bias * bias + noise * noise)
        growth = formulas["growth"](h=h, kappa=kappa, L_t=smooth)
        product = growth * product
        for name in sums:
            added = formulas[name](h=h, d=data.d, m2=m2, L=curvature, eps=eps)
            sums[name] = growth * sums[name] + added
    terms = {INITIALISATION: unit * product, DISCRETISATION: unit * sums["local"],
             SCORE_BIAS: unit * sums["score"]}
    if walk.stop is not None:
        terms[EARLY_STOPPING] = walk.stop
    return InBalls(sum(terms.values(), arb(0)), terms,
                   information_used(None, source is DistanceFrom.CLOSED_FORM),
                   {"L": float(curvature.upper()), "initial_distance": float((unit * initial).upper()),
                    "initial_term": f"W2(p_0, N(0, v I)) from {source}", "steps": len(columns)})


def _unit_sq(setting: Setting):
    """c² exactly, from g² = 2c²f."""
    process = setting.process
    ratio = sympy.simplify(process.g_sq / (2 * process.f))
    if ratio.free_symbols:
        raise NotEnclosed("g²/(2f) is not seen to be constant")
    return BallFormula(ratio)()


def _curvature(data, a_sq, s_sq, unit_sq):
    """(κ_t, L_t) in units of c."""
    floor = data.floor(a_sq, s_sq)
    return -(floor + data.gap(a_sq, s_sq)) * unit_sq, -floor * unit_sq


def _largest(data, step, unit_sq, ends):
    """sup max(L_t, −κ_t) over a step: L_t is monotone, and −κ_t at most its value over the whole step."""
    found = ends[0][1].max(ends[1][1])
    if data.M == 0:
        return found
    a_sq, s_sq = step.a_sq.union(step.upper_a_sq), step.s_sq.union(step.upper_s_sq)
    return found.max(-_curvature(data, a_sq, s_sq, unit_sq)[0])


def _initial_in_balls(walk, formulas, unit_sq, known):
    """(E_0, what W2(p_0, N(0, vI)) rests on): as `_initial`, every candidate in balls."""
    from flint import arb

    data, scheme = walk.data, walk.setting.scheme
    variance, s_sq = known["sigma"] * known["sigma"], known["s"] * known["s"]
    v = arb(0)
    if (scheme.prior_std is not None or scheme.prior_spread) and variance > s_sq:
        v = (variance - s_sq) / (known["a"] * known["a"])
    values = dict(d=data.d, l=data.l / unit_sq, v=v)
    found = {DistanceFrom.CONSTANTS: formulas["distance_sq"](**values, m2=data.m2 / unit_sq)}
    if 1 / data.wide > data.M:
        wide = data.wide / (1 - data.wide * data.M) / unit_sq
        found[DistanceFrom.LOG_CONCAVITY] = formulas["distance_log_concave_sq"](
            **values, wide=wide, mean_norm=data.mean_norm / real_root(unit_sq))
    if data.knows_distance:
        found[DistanceFrom.CLOSED_FORM] = integer_power(data.distance(v * unit_sq), 2) / unit_sq
    source = min(found, key=lambda which: float(found[which].upper()))
    return formulas["initial"](**known, D=real_root(found[source]), v=v), source


def step_conditions(h: float, L: float) -> dict[str, bool]:
    """Conditions that hold for steps of at most h: the closed form needs the second, the paper the last."""
    return {
        "h <= 1": bool(h <= 1),
        "h (2L - 1) <= 2": bool(h * (2 * L - 1) <= 2),
        "h <= 1/(1+2L)": bool(h * (1 + 2 * L) <= 1),
        "h < 2/(9 L^2)": bool(h * 9 * L**2 < 2)}


def _notes(setting: Setting, question: _Standard, total, closed, expansion) -> tuple[str, ...]:
    notes = [*vacuous_notes(total, setting.assumption.second_moment)]
    if notes and question.M > 0 and expansion > 1:
        price = np.exp(min(question.M / question.alpha, 700))
        notes.append("the non-contractive phase may expand errors: step factors multiply to "
                     f"{expansion:.3g}, e^(M/alpha) = {price:.3g} (= e^(R²/s²) for mixtures)")
    longest = float(question.h.max())
    holds = (f"{name} {'holds' if met else 'does not'}"
             for name, met in step_conditions(longest, question.L).items())
    said = "no closed form" if closed is None else f"closed form: {closed:.4g}"
    return (*notes, f"{said}; h = {longest:.4g}, L = {question.L:.4g}: {', '.join(holds)}")


_OFF_THE_CLOCK = "needs g² = 2c²f with c constant, got f = {}, g² = {}"


def _weak(setting: Setting):
    given = setting.assumption
    known = given.weak_log_concavity is not None and np.all(np.isfinite(given.smoothness))
    return (None if known else f"needs (alpha, M)-weakly log-concave data with one-sided smoothness, got {given.key}"
            f"{'' if given.weak_log_concavity is None else ' with L0 = ∞'}")


def _ornstein_uhlenbeck(setting: Setting):
    process = setting.process
    return (None if process.blocks != 1 or ou_scale_sq(process) is not None
            else _OFF_THE_CLOCK.format(process.f, process.g_sq))


def _not_in_the_clock(drift, diffusion_sq):
    """Whether g² = 2c²f, for symbols too."""
    return (None if drift != 0 and sympy.simplify(sympy.diff(diffusion_sq / drift, TIME)) == 0
            else _OFF_THE_CLOCK.format(drift, diffusion_sq))


def leading_order() -> Leading:
    """With M = 0, in units of c: the product of γ is w = e^{∫f}/(1 + m0 R), steps on the clock ∫f are fℓ long, and L_t
    and −κ_t lie below max(L_U, 1)."""
    later = 1 / (scale * (1 + m0 * R))
    return Leading(initial=sqrt(m - 1 / L0 + (1 - 1 / sqrt(L0)) ** 2) / (1 + m0 * R),
                   step_power=sympy.Rational(1, 2),
                   steps=(Density(sqrt(2) * (1 + 2 * Max(L0, 1)) * f ** sympy.Rational(3, 2) * later),),
                   score=Density(2 * f * later),
                   assumes="strongly log-concave data of unknown mean, in units of c", unmet=_not_in_the_clock)

THEOREM = Theorem(
    key="gentiloni2025-weak-log-concave", title="Gentiloni-Silveri and Ocello: weakly log-concave data",
    kind="upper",
    source=Source("Gentiloni-Silveri and Ocello 2025", "main bound under condition (33)", "2501.02298"),
    statement=(r"W_2 \le \prod_k\gamma_k\,e^{-T}W_2(p_0,N(0,I)) + "
               r"\sum_k\Big[\prod_{j>k}\gamma_j\Big]\big(h_k^{3/2}B(h_k) + 2h_k\varepsilon\big) \le "
               r"e^{(1+2L)\eta_0}\big[e^{-T}W_2(p_0,N(0,I)) + (\sqrt h B(h) + 2\varepsilon)T\big]"),
    symbols=distance_to_gaussian.SYMBOLS
    | {
        "h": "length of the step, ∫f (in the closed form: of the longest)",
        "kappa": "κ = α_t − M_t at the step's start", "L_t": "1/(a²/L_U + s²) at the step's start",
        "L": "sup_t max(L_t, −κ_t)", "eps": "ε: L2 size of the score error", "a": "e^{−T}",
        "D": "bound of W2(p_0, N(0, vI))", "s": "(1 − e^{−2T})^{1/2}",
        "sigma": "standard deviation of the prior",
        "v": "variance that becomes the prior's at T (1 for the prior N(0, I))", "E0": "initial distance",
        "T": "duration of the sampler, ∫f", "eta": "length of the non-contractive phase that is crossed",
        "a_sq": "a² at the last time", "s_sq": "s² at the last time"},
    conditions=(ONE_BLOCK,
                Condition("weak log-concavity", "(α, M)-weakly log-concave, −∇² log p_0 ⪯ L_U I", _weak),
                Condition("Ornstein–Uhlenbeck", "g² = 2c²f", _ornstein_uhlenbeck),
                euler_maruyama_only("P = 1 + ∫f, Q = ∫g²"), ONE_PROBLEM),
    stated=STATED, derive=derive, evaluate=evaluate, leading=leading_order, in_balls=in_balls,
    domain=Domain(process=("ou", "vp"), sampler=("euler-maruyama",),
                  data=("strong-log-concave", "weak-log-concave")),
    derivation="Synchronous coupling, the reverse-time martingale e^{−t}∇log p_t, and the two phases. "
    "Shape and rate are the paper's, the constants (B(h), the factors of the steps) are re-derived here.",
    cases=(
        Case("far mean, short horizon", ou, gaussian(0.25, 2, 30.0), lambda: euler_maruyama(0.5, 20000),
             ratio_ceiling=1.2, decisive={"initial": 0.8, "growth": 0.9999}),
        Case("far mean, constants, prior N(0, I)", ou, gaussian(0.25, 2, 30.0),
             lambda: euler_maruyama(0.5, 20000, prior_std=1.0), information="constants", ratio_ceiling=1.2,
             decisive={"distance_sq": 0.6, "initial": 0.8}),
        Case("large score error", ou, gaussian(1.0), lambda: euler_maruyama(3, 1000, prior_std=1.0),
             score_error=100.0, ratio_ceiling=1.1, decisive={"score": 0.9}),
        Case("early stopping of far data", ou, gaussian(4.0, 1, 30.0),
             lambda: euler_maruyama(3, 4000, early_stop=0.5), ratio_ceiling=2.0,
             decisive={"early_stop_sq": 0.01})))
