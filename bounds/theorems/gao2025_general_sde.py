r"""The convergence theorem of Gao, Nguyen and Zhu for general f and g, with every constant explicit (k = 1).

Statement
---------
.. math::
    W_2 \le e^{-\int_0^T c}\,\|x_0\| + \sum_k \Big[\prod_{j>k} \Gamma_j\Big] \big( M_1 h_k G_k
    (1 + \|x_0\| + \omega) + M G_k + \sqrt{h_k}\, \nu_k (\textstyle\int (|f| + g^2 L)^2)^{1/2} \big).

Hypotheses
----------
m0-strongly log-concave, L0-smooth data; Euler–Maruyama; a time-regularity constant M1 with
:math:`\|s_t(x) - s_{t'}(x)\| \le M_1 |t - t'| (1 + \|x\|)`; score error of L2 size M at the iterates.

Source
------
arXiv 2311.11003, shape of (3.15), Assumptions 1 to 4.  The constants are re-derived (docs/theory.md section
5, Theorem G).

Transcription
-------------
‖x_0‖ in the M1 term bounds θ, the distance of the reverse process from stationarity.  That needs a(t) <= 1,
which a negative f breaks; here it is max(‖x_0‖, θ), the same wherever f >= 0.  The prior may have any
variance: the initial distance is then (a²E‖X_0‖² + d(s−σ)²)^{1/2}.  Suprema over time are taken step by step
from above.
"""

from bisect import bisect_left, bisect_right
from functools import partial
from operator import itemgetter

import numpy as np
import sympy
from sympy import Abs, Max, sqrt, symbols

from bounds.bound import DISCRETISATION, EARLY_STOPPING, INITIALISATION, SCORE_BIAS, Bound, vacuous_notes
from bounds.certified.number import real_root, root
from bounds.certified.one_block import InBalls, Walk, step_errors
from bounds.certified.polynomials import largest
from bounds.conditions import FINITE_FISHER, ONE_BLOCK, ONE_PROBLEM, euler_maruyama_only
from bounds.leading import L0, Density, Leading, R, a, f, m, m0, slope
from bounds.processes.ou import ou
from bounds.recursion.propagation import round_up, weights
from bounds.recursion.time_regularity import time_regularity
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.steps.kinks import Kinked, passing
from bounds.symbolic.balls import NotAnalytic, integer_power
from bounds.theorem import Case, Condition, Domain, Source, Theorem, gaussian

#: Relative accuracy of M1² in balls, how often parts are halved for it, and how many are kept.
REGULARITY_ERROR, HALVINGS, MOST_PARTS = 1e-10, 300, 500

F, G, M, M1, h, d, theta, omega = symbols("F G M M1 h d theta omega", real=True)
I_alpha, I_L, I_absf, I_sqrtL, I_sq = symbols("I_alpha I_L I_absf I_sqrtL I_sq", real=True)
E0, V_0, V_T, a_0, a_T, x0 = symbols("E0 V_0 V_T a_0 a_T x0", real=True)

def leading_order() -> Leading:
    """e^{−∫c}‖x_0‖, √(d h)·∫ w g(|f| + g²L), ∫ w g²; w = e^{∫f}/(1 + m0 R), g = a√R′, g²L = R′·min(1/R, L0)."""
    return Leading(initial=sqrt(m) / (1 + m0 * R), step_power=sympy.Rational(1, 2),
                   steps=(Density(sqrt(slope) / (1 + m0 * R) * (f + slope * sympy.Min(1 / R, L0))),),
                   score=Density(a * slope / (1 + m0 * R)), assumes="M1 bounded as T → ∞")


def stated() -> dict:
    """The terms of a step."""
    size = I_absf * (theta + omega) + sqrt(d) * I_sqrtL + theta * I_L + sqrt(d * G)
    return {
        "initialisation": V_0 * a_T / (V_T * a_0) * E0,
        "growth": Max(Abs(1 + F - I_alpha), Abs(1 + F - I_L), evaluate=False) + M1 * h * G,
        "time_regularity": M1 * h * G * (1 + Max(x0, theta) + omega),
        "score": M * G,
        "discretisation": sqrt(h) * size * sqrt(I_sq)}


STATED = Stated("gao2025-general-sde", stated)


def derive() -> dict:
    """The stated terms from the reverse SDE, Grönwall, Minkowski and Cauchy–Schwarz."""
    t, z = symbols("t z", real=True)
    V, a = sympy.Function("V", positive=True)(t), sympy.Function("a", positive=True)(t)
    # V = a²/m0 + s² solves V' = g² − 2fV and a' = −fa: the rate g²/V − f is a total derivative
    f = -a.diff(t) / a
    rate = (V.diff(t) + 2 * f * V) / V - f
    primitive = sympy.log(V) - sympy.log(a)
    defect = sympy.simplify(primitive.diff(t) - rate)
    start, end = (primitive.subs({V: v, a: b}) for v, b in ((V_0, a_0), (V_T, a_T)))
    contraction = sympy.simplify(sympy.exp(start - end + defect))
    # one step y ← y + Fy + ∫g² s with s' = −α or −L, plus what time regularity adds in proportion to ‖Δ‖
    slopes = [sympy.diff(z + F * z - integral * z, z) for integral in (I_alpha, I_L)]
    per_size = M1 * h * G
    # ‖y‖ <= ‖Δ‖ + ‖z‖, ‖z‖ <= θ + ω (θ from the start, ω stationary)
    state, score_size = theta + omega, sqrt(d) * I_sqrtL + theta * I_L
    moved = I_absf * state + score_size + sqrt(d * G)
    return {
        "initialisation": contraction * E0,
        "growth": Max(*(Abs(s) for s in slopes)) + per_size,
        "time_regularity": per_size * (1 + Max(x0, theta) + omega),
        "score": G * M,
        "discretisation": sqrt(h) * sqrt(I_sq) * moved}


def evaluate(setting: Setting, functions) -> Bound:
    """The theorem at numbers; the sum of time regularity is a part of the discretisation (in the details)."""
    m0, L0 = setting.assumption.strong_log_concavity, setting.assumption.smoothness
    path, table, dim = setting.table.path, setting.table, setting.assumption.dim
    lengths = -np.diff(path.times)

    (I_alpha, *others), (error, *errors) = path.integrate(partial(_integrands_at, m0=m0, L0=L0))
    I_alpha = I_alpha - error
    I_L, I_absf, I_sqrtL, I_sq, rise = (x + e for x, e in zip(others, errors, strict=True))
    x0 = np.sqrt(setting.assumption.second_moment)
    initial = np.sqrt(np.square(path.a[0] * x0)
                      + dim * np.square(np.sqrt(path.s_sq[0]) - np.sqrt(table.prior_var)))
    variance = np.square(path.a) / m0 + path.s_sq
    theta, omega = _suprema(path, variance, initial, x0, dim, rise, I_absf)
    M1, estimated = time_regularity(setting.facts.time_regularity, path)
    M = np.hypot(setting.step_errors, setting.score_noise)
    later, _ = weights(functions["growth"](F=path.F, G=table.Q, I_alpha=I_alpha, I_L=I_L, M1=M1, h=lengths))
    step = dict(h=lengths, G=table.Q, M=M, M1=M1, theta=theta, omega=omega, x0=x0, d=dim, I_absf=I_absf,
                I_sqrtL=I_sqrtL, I_L=I_L, I_sq=I_sq)
    operations = 4 * len(lengths)

    def summed(name):
        with np.errstate(invalid="ignore"):
            value = float(np.sum(later * functions[name](**step)))
        # 0·∞ where the weights overflow: no bound at all
        return round_up(np.inf if np.isnan(value) else value, operations)

    regularity = summed("time_regularity")
    start = functions["initialisation"](V_0=variance[-1], V_T=variance[0], a_0=path.a[-1], a_T=path.a[0],
                                        E0=initial)
    terms = {INITIALISATION: round_up(float(start), operations), SCORE_BIAS: summed("score"),
             DISCRETISATION: regularity + summed("discretisation")}
    if path.times[-1] > 0:
        stop = np.square((1 - path.a[-1]) * x0) + dim * path.s_sq[-1]
        terms[EARLY_STOPPING] = round_up(float(np.sqrt(stop)), operations)
    total = sum(terms.values())
    return Bound(theorem=THEOREM.key, kind="upper", total=round_up(float(total), 8), terms=terms,
                 information="constants and M1", notes=vacuous_notes(total, setting.assumption.second_moment),
                 details={"M1": float(M1), "theta": theta, "omega": omega,
                          "time_regularity": float(regularity), "steps": len(lengths)},
                 estimated=estimated)


def _integrands_at(n, m0: float, L0: float) -> tuple:
    """g²α, g²L, |f|, g²√L, (|f| + g²L)² and f⁺ at nodes, L = 1/max(s², a²/L0), with kinks of |f| and L."""
    wide, narrow = n.s_sq, n.a_sq / L0
    lipschitz, size = 1 / np.maximum(wide, narrow), np.abs(n.f)
    turn, crossed, pull = passing(n.f), passing(wide - narrow), n.g_sq * lipschitz

    def kinked(values, slope):
        return Kinked(values, crossed * np.max(slope, axis=-1))

    steep = size + pull
    both = (2 * turn + crossed * np.max(pull * lipschitz, axis=-1)) * 2 * np.max(steep, axis=-1)
    return (n.g_sq / (n.a_sq / m0 + n.s_sq), kinked(pull, pull * lipschitz), Kinked(size, 2 * turn),
            kinked(n.g_sq * np.sqrt(lipschitz), pull * np.sqrt(lipschitz) / 2),
            Kinked(np.square(steep), both), Kinked(np.maximum(n.f, 0.0), turn))


def in_balls(setting: Setting, formulas, precision: int) -> InBalls:
    """The theorem in balls; M1 of Gaussian data from their spectrum."""
    from flint import arb

    walk = Walk(setting, formulas, precision)
    data, rows, suprema, errors = walk.data, [], _Suprema(walk), step_errors(setting)
    for step in walk.steps():
        integrals = step.integrate(lambda view: _integrands(view, data), _scales(step, data))
        suprema.take(step, integrals)
        rows.append((step.h, step.F, step.Q, *integrals, errors(step)))
    last, prior = walk.last, walk.prior_var
    x0, a_T, a_0 = real_root(data.m2), real_root(last.upper_a_sq), real_root(walk.first.a_sq)
    spread = real_root(last.upper_s_sq) - real_root(prior)
    initial = real_root(last.upper_a_sq * data.m2 + data.d * integer_power(spread, 2))
    V_T = last.upper_a_sq * data.wide + last.upper_s_sq
    theta, omega = suprema.theta * a_T / V_T * initial, real_root(suprema.size)
    given = setting.facts.time_regularity
    M1 = suprema.regularity() if isinstance(given, tuple) else arb(float(given))
    noise_sq = arb(float(setting.score_noise)) ** 2
    sums = {name: arb(0) for name in ("time_regularity", "score", "discretisation")}
    for h, F, G, I_alpha, I_L, I_absf, I_sqrtL, I_sq, _, bias in reversed(rows):
        M = real_root(bias * bias + noise_sq)
        growth = formulas["growth"](F=F, G=G, I_alpha=I_alpha, I_L=I_L, M1=M1, h=h)
        for name in sums:
            added = formulas[name](h=h, G=G, M=M, M1=M1, theta=theta, omega=omega, x0=x0, d=data.d,
                                   I_absf=I_absf,
                                   I_sqrtL=I_sqrtL, I_L=I_L, I_sq=I_sq)
            sums[name] = growth * sums[name] + added
    V_0 = walk.first.a_sq * data.wide + walk.first.s_sq
    terms = {INITIALISATION: formulas["initialisation"](V_0=V_0, V_T=V_T, a_0=a_0, a_T=a_T, E0=initial),
             SCORE_BIAS: sums["score"], DISCRETISATION: sums["time_regularity"] + sums["discretisation"]}
    if walk.first.lower > 0:
        terms[EARLY_STOPPING] = real_root(integer_power((1 - a_0) * x0, 2) + data.d * walk.first.s_sq)
    return InBalls(sum(terms.values(), arb(0)), terms, "constants and M1",
                   {"M1": float(M1.upper()), "theta": float(theta.upper()), "omega": float(omega.upper()),
                    "steps": len(rows)})


def _integrands(view, data):
    """g²α, g²L, |f|, g²√L, (|f| + g²L)² and f⁺, L = min(1/s², L0/a²)."""
    wide, narrow = view.s_sq, view.a_sq * data.l
    if view.boxed:
        lipschitz = 1 / view.decided(lambda v: v.s_sq - v.a_sq * data.l, lambda: wide, lambda: narrow)
        size = view.decided(lambda v: v.f, lambda: view.f, lambda: -view.f)
        rise = view.decided(lambda v: v.f, lambda: view.f, lambda: view.f * 0)
    else:
        lipschitz, size, rise = 1 / wide.max(narrow), abs(view.f), view.f.max(0)
    pull = view.g_sq * lipschitz
    return (view.g_sq / (view.a_sq * data.wide + view.s_sq), pull, size, view.g_sq * root(lipschitz),
            integer_power(size + pull, 2), rise)


def _scales(step, data) -> tuple:
    """What the integrals over a step are small beside."""
    return (1.0, 1.0, 1.0, float(real_root(step.C).upper()), 1.0, 1.0)


class _Suprema:
    """The suprema over time, step by step from above: of V_t/a_t, of a²‖x_0‖² + d s², and M1 of Gaussian
    data."""

    def __init__(self, walk: Walk):
        from flint import arb

        self._data, self.theta, self.size, self._seen, self._parts = walk.data, arb(0), arb(0), 0.0, []
        self._values = [float(value) for value, _ in walk.data.spectrum or ()]
        self._measured = isinstance(walk.setting.facts.time_regularity, tuple)

    def take(self, step, integrals) -> None:
        """One step more."""
        data, I_absf, rise = self._data, integrals[2], integrals[5]
        growth = rise.exp()
        variance = step.upper_a_sq * data.wide + step.upper_s_sq
        self.theta = self.theta.max(variance / real_root(step.upper_a_sq) * growth)
        upper, lower = (a_sq * data.m2 + data.d * s_sq for a_sq, s_sq in
                        ((step.upper_a_sq, step.upper_s_sq), (step.a_sq, step.s_sq)))
        from_below = (lower + data.d * (step.C * (2 * I_absf).exp())) * (2 * (I_absf - rise)).exp()
        within = (upper * growth * growth).min(from_below)
        self.size = self.size.max(upper).max(lower).max(within)
        if self._measured:
            self._look(step, step.frames)

    def _look(self, step, frames) -> None:
        """Keep the parts of a step that may hold the supremum of M1²."""
        for frame in frames:
            most, curves = 0.0, partial(self._rates, *self._deciding(frame.interval))
            for coefficients in self._polynomials(frame, curves):
                self._seen, found = largest(coefficients, REGULARITY_ERROR, self._seen)
                most = max(most, found)
            if most > self._seen:
                self._parts.append((most, step, frame))
        if len(self._parts) > MOST_PARTS:
            self._parts = [part for part in self._parts if part[0] > self._seen * (1 + REGULARITY_ERROR)]

    def _deciding(self, view) -> tuple[list, list]:
        """The axes of which |V′|/V², and those of which the centre's, may be more in a part than is seen.

        With u = 1/V both are quadratic in u: |g²u² − 2fu| is largest at an end of the spectrum or next to
        u = f/g², where it is f²/g², and the centre's is at most ‖m‖a times the largest of |fu − g²u²|.
        """
        axes = self._data.axes
        between, centred = axes[1:-1], [axis for axis in axes if axis[1] != 0]
        slopes = [1 / (view.a_sq * value + view.s_sq) for value, _ in (axes[0], axes[-1])]
        if view.f <= 0 or integer_power(view.f, 4) / integer_power(view.g_sq, 2) <= self._seen:
            between = []
        elif (middle := (view.g_sq / view.f - view.s_sq) / view.a_sq).is_finite():
            first = bisect_right(self._values, float(middle.lower()) * (1 - 1e-15)) - 1
            last = bisect_left(self._values, float(middle.upper()) * (1 + 1e-15)) + 1
            between = axes[max(first, 1) : min(last, len(axes) - 1)]
        u = slopes[0].union(slopes[1])
        total = sum((mean_sq for _, mean_sq in centred), view.a_sq * 0)
        if total * view.a_sq * integer_power(u * (view.f - view.g_sq * u), 2) <= self._seen:
            centred = []
        return [axes[0], *between, axes[-1]] if len(axes) > 1 else axes, centred

    @staticmethod
    def _polynomials(frame, curves):
        try:
            return frame.polynomials(curves)
        except NotAnalytic:
            return [[ball] for ball in curves(frame.interval)]

    def regularity(self):
        """M1 as a ball: parts that may hold it are halved while it is not known well."""
        from flint import arb

        most = self._seen
        for _ in range(HALVINGS):
            self._parts.sort(key=itemgetter(0))
            if not self._parts or self._parts[-1][0] <= self._seen * (1 + REGULARITY_ERROR):
                break
            top, step, frame = self._parts.pop()
            if step.narrow(frame.left, frame.right):
                most = max(most, top)
            else:
                self._look(step, step.halves(frame))
        return real_root(arb(self._seen).union(arb(max([most, *(part[0] for part in self._parts)]))))

    @staticmethod
    def _rates(axes, centred, view) -> list:
        """|V_i′|²/V_i⁴ for each of the axes, and ‖(a/V)′ m‖² over those that are centred elsewhere."""
        found, centre = [], view.a_sq * 0
        for value, _ in axes:
            V = view.a_sq * value + view.s_sq
            found.append(integer_power((view.g_sq - 2 * view.f * V) / (V * V), 2))
        for value, mean_sq in centred:
            V = view.a_sq * value + view.s_sq
            centre = centre + mean_sq * view.a_sq * integer_power((view.f * V - view.g_sq) / (V * V), 2)
        return [*found, centre] if centred else found


def _suprema(path, variance, initial, x0, dim, rise, I_absf):
    """(θ, ω): the suprema over time, bounded step by step from the grid times."""
    upper = slice(None, -1)
    growth = np.exp(rise)
    # within a step a(t) <= a(τ) e^{∫f⁺}, and the contraction V_t a_T/(V_T a_t) is at most its value at τ
    theta = np.max(variance[upper] * path.a[0] / (variance[0] * path.a[upper]) * growth) * initial
    size = np.square(path.a * x0) + dim * path.s_sq
    from_above = size[upper] * growth**2
    from_below = (size[1:] + dim * (path.C * np.exp(2 * I_absf))) * np.exp(2 * (I_absf - rise))
    omega = np.sqrt(max(size.max(), np.max(np.minimum(from_above, from_below))))
    return float(theta), float(omega)


def _strong(setting: Setting):
    given = setting.assumption
    if given.strong_log_concavity is not None:
        return None if np.all(np.isfinite(given.smoothness)) else "needs L0-smooth data, got L0 = ∞"
    return f"needs m0-strongly log-concave data (m0 > 0), got {given.key}"


def _has_time_regularity(setting: Setting):
    return (None if setting.facts.time_regularity is not None else
            "needs the time-regularity constant M1 (data.time_regularity), which closed-form Gaussian laws "
            "supply")


THEOREM = Theorem(
    key="gao2025-general-sde", title="Gao, Nguyen and Zhu: general f and g", kind="upper",
    source=Source("Gao, Nguyen and Zhu 2025", "shape of (3.15)", "2311.11003"),
    statement=(
        r"W_2 \le e^{-\int_0^T c}\|x_0\| + \sum_k \Big[\prod_{j>k}\Gamma_j\Big]\big(M_1 h_k "
        r"G_k(1+\|x_0\|+\omega) + M G_k + \sqrt{h_k}\,\nu_k(\textstyle\int(|f|+g^2L)^2)^{1/2}\big)"),
    symbols={
        "F": "∫f over the step", "G": "∫g² over the step", "M": "L2 size of the score error",
        "M1": "time-regularity constant of the score", "h": "length of the step", "d": "dimension",
        "theta": "θ: distance of the reverse process from stationarity",
        "omega": "ω: sup_t (a²E‖X_0‖² + d s²)^{1/2}", "I_alpha": "∫g²α", "I_L": "∫g²L", "I_absf": "∫|f|",
        "I_sqrtL": "∫g²√L", "I_sq": "∫(|f| + g²L)²",
        "E0": "initial distance, a‖x_0‖ for the prior N(0, s²(T)I)", "V_0": "a²/m0 + s² at the last time",
        "V_T": "a²/m0 + s² at the horizon", "a_0": "a at the last time", "a_T": "a at the horizon",
        "x0": "‖x_0‖ = sqrt(E‖X_0‖²)"},
    conditions=(ONE_BLOCK, Condition("strong log-concavity", "m0 I ⪯ −∇² log p_0 ⪯ L0 I, m0 > 0", _strong),
                euler_maruyama_only("the scheme of (2.8)"),
                Condition("time regularity", "‖s_t(x) − s_t'(x)‖ <= M1|t−t'|(1+‖x‖)", _has_time_regularity),
                ONE_PROBLEM, FINITE_FISHER),
    stated=STATED, derive=derive, evaluate=evaluate, leading=leading_order, in_balls=in_balls,
    domain=Domain(sampler=("euler-maruyama",), data=("strong-log-concave",)),
    derivation="Reverse SDE against its discretisation, synchronous coupling; Minkowski and Cauchy–Schwarz "
    "over a step. Shape and rate are the paper's, the constants are re-derived here.",
    cases=(
        Case("far mean, short horizon", ou, gaussian(0.25, 2, 30.0), lambda: euler_maruyama(0.5, 20000),
             ratio_ceiling=10.0, decisive={"initialisation": 0.05}),
        Case("large score error", ou, gaussian(1.0), lambda: euler_maruyama(3, 1000), score_error=100.0,
             ratio_ceiling=10.0, decisive={"score": 0.05})))
