r"""The lower bound on Gaussian data: no affine sampler of K steps does better than there (k = 1).

Statement
---------
For data N(m, Σ), exact score and prior N(0, σ²I) the sampler's law stays Gaussian, direction by direction:

.. math:: v_k = (P - Q/V_\tau)^2 v_{k-1} + \int n^2 g^2, \qquad
    W_2^2 = \sum_i (\sqrt{v_{K,i}} - \sigma_i)^2 + |\text{mean error}|^2 .

Euler–Maruyama on a uniform grid: :math:`W_2 \approx \sqrt d\, |e| / (2\sigma_0)`,
:math:`e = h \int_0^T \lambda a^2 \sigma_0^4 / V^2 d\tau`, :math:`\lambda = g^4/V - f g^2 - f^2 V`, hence
:math:`K \ge c(\sigma_0) T \sqrt d / \varepsilon\,(1 + o(1))`.

Hypotheses
----------
Gaussian data; exact score.  The leading order also needs Euler–Maruyama and a uniform grid.

Source
------
arXiv 2311.11003, Proposition 8, with the "mild condition" (5.35) made explicit:
:math:`\int \lambda a^2/V^2 \ne 0`.

Transcription
-------------
The finite-K value is stated exactly instead of up to o(1), for any affine sampler, mean and covariance, and
is rounded downwards.  Of a full Σ the eigenvalues are floats: with ‖Σ − U diag(σ²) Uᵀ‖ ≤ δ the true ones are within
δ of them (Hoffman and Wielandt), and what that can do to √v_K, to σ and to the mean is taken off,

.. math:: |\sqrt{v_K'}-\sqrt{v_K}| \le \sum_k \Big(\prod_{j>k}|A_j'|\Big)\,|A_k'-A_k|\,\sqrt{v_k}, \qquad
    |A_k'-A_k| \le \frac{Q_k a^2 \delta}{V_k V_k'},

which is one chain behind the other with the same noise; the mean likewise, with norms of matrices.
"""

import numpy as np
import sympy
from sympy import symbols

from bounds.bound import Bound
from bounds.certified.number import real_root
from bounds.certified.one_block import InBalls, Walk
from bounds.conditions import ONE_BLOCK, ONE_EVALUATION
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.processes.ou import ou
from bounds.processes.ve import ve
from bounds.recursion.propagation import STEP_ROUNDING, weights
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.symbolic.balls import integer_power
from bounds.symbolic.integrals import TIME, tidy
from bounds.theorem import Case, Condition, Domain, Source, Theorem, gaussian

__all__ = ["defect_over_step", "ou_limit"]

#: Relative rounding granted to P, Q/V and a at each step.
ROUNDING = 16 * np.finfo(float).eps
#: Room for the rounding of what is taken off for eigenvalues that are not exact.
SPARE = 1.01
#: The integral of λ below which the leading order is said to vanish.
VANISHING = 1e-9

P, Q, V, v, sigma_0, a_T, a_0 = symbols("P Q V v sigma_0 a_T a_0", real=True)
f, g_sq = symbols("f g_sq", real=True)


def stated() -> dict:
    """An affine step on a Gaussian, the distance of two, and λ."""
    return {
        "factor": P - Q / V,
        "distance_sq": (sympy.sqrt(v) - sigma_0) ** 2,
        "rate": g_sq**2 / V - f * g_sq - f**2 * V}


STATED = Stated("gaussian-lower-bound", stated)


def derive() -> dict:
    """The affine step from the Gaussian score, Bures in one dimension, and λ by expanding one step in h."""
    y, h, t = symbols("y h t", real=True)
    bures = v + sigma_0**2 - 2 * sympy.sqrt(v) * sigma_0
    return {"factor": sympy.diff(P * y + Q * (-y / V), y), "distance_sq": bures, "rate": _rate(h, t)}


def _rate(h, t):
    """λ: the h² coefficient of an Euler–Maruyama step's variance − that of the exact reverse process."""
    f_t, g_t, V_t = (sympy.Function(name)(t) for name in ("f", "G", "V"))
    slope = g_t - 2 * f_t * V_t  # V' of V = a²σ² + s²
    # ∫ over [t − h, t] to second order
    F, G = (h * x - h**2 / 2 * x.diff(t) for x in (f_t, g_t))
    curve = slope.diff(t).subs(V_t.diff(t), slope)
    exact = V_t - h * slope + h**2 / 2 * curve
    euler = (1 + F - G / V_t) ** 2 * V_t + G
    coefficient = sympy.expand(euler - exact).coeff(h, 2)
    return sympy.simplify(coefficient.doit()).subs({f_t: f, g_t: g_sq, V_t: V})


def spectrum(setting: Setting):
    """(mean, variances) in the eigenbasis if the data are Gaussian, else None."""
    if setting.facts.gaussian_spectrum is not None:
        return setting.facts.gaussian_spectrum
    assumption = setting.assumption
    if (assumption.key == "strong-log-concave" and np.ndim(assumption.m0) == 0
        and assumption.m0 == assumption.L0):
        mean = np.zeros(int(assumption.dim))
        mean[0] = np.sqrt(max(assumption.second_moment - assumption.dim / assumption.m0, 0.0))
        return mean, np.full(int(assumption.dim), 1 / assumption.m0)
    return None


def evaluate(setting: Setting, functions) -> Bound:
    """The exact W2 of the sampler on this Gaussian, rounded downwards."""
    table, path = setting.table, setting.table.path
    mean, variances = spectrum(setting)
    distinct, inverse, counts = np.unique(variances, return_inverse=True, return_counts=True)
    marginal = np.square(path.a[:-1]) * distinct[:, None] + path.s_sq[:-1]
    with np.errstate(over="ignore", invalid="ignore"):
        factor = functions["factor"](P=table.P, Q=table.Q, V=marginal)
        # P and Q/V nearly cancel on long steps: what their rounding is worth in the end is taken off
        slack = (ROUNDING + table.relative_error) * (np.abs(table.P) + table.Q / marginal)
        later, product = weights(np.abs(factor))
        final = product**2 * table.prior_var + np.sum(later**2 * table.noise_var, axis=-1)
        spread = _sizes(factor, np.sqrt(table.prior_var), np.sqrt(table.noise_var), np.hypot)
        relative = 1e-12 + STEP_ROUNDING * len(table.Q) + np.max(table.relative_error)
        # the noises of all steps are one norm
        noise = np.sqrt(np.sum(np.square(later) * table.noise_error, axis=-1))
        rounding = np.sum(later * slack * spread, axis=-1) + relative * np.sqrt(final)
        rounding += noise * np.minimum(1.0, noise / np.maximum(np.sqrt(final), 1e-300))
        distance = functions["distance_sq"](v=final, sigma_0=np.sqrt(distinct))
        off = setting.facts.spectrum_error
        if off:
            moved = _factor_change(table, distinct, off)
            # the steps with the true variance follow a factor that differs by so much from the one used
            after, _ = weights(np.abs(factor) + moved)
            rounding += SPARE * (np.sum(after * moved * spread, axis=-1) + _root_change(distinct, off))
        gap = np.maximum(np.sqrt(distance) - rounding - 1e-12 * np.sqrt(distinct), 0.0)
        spread_sq = float(np.sum(counts * np.square(gap)))
        # the mean, in units of m: y = (a + e) m, and e obeys the same recursion with the defect P a(τ) − a(r)
        defect, size = table.P * path.a[:-1] - path.a[1:], np.abs(table.P) * path.a[:-1] + path.a[1:]
        sign = np.prod(np.sign(factor), axis=-1)
        error = (-sign * product * path.a[0] + np.sum(_signed_later(factor, later) * defect, axis=-1)
                 + path.a[-1] - 1)
        reach = _sizes(factor, path.a[0], np.abs(defect) + ROUNDING * size, np.add)
        # a(τ)c_1 is what the defect is on paper: so far is it known
        doubt = (np.sum(later * (slack * reach + ROUNDING * size + table.c1_error * path.a[:-1]), axis=-1)
                 + 1e-12 * np.abs(error) + 1e-15)
        shift = np.maximum(np.abs(error) - doubt, 0.0)[inverse] * np.abs(mean)
        lost = 0.0
        if off:
            # the eigenvectors are off too: as matrices, whose norms are the largest along an axis
            worst = np.max(moved, axis=0)
            late, _ = weights(np.max(np.abs(factor) + moved, axis=0)[None])
            turned = 4 * len(mean) * np.finfo(float).eps * np.max(np.abs(error) + doubt)
            lost = SPARE * (np.sum(late * worst * np.max(reach, axis=0)) + turned) * np.linalg.norm(mean)
    shift_sq = float(np.square(np.maximum(np.sqrt(np.sum(np.square(shift))) - lost, 0.0)) if off
                     else np.sum(np.square(shift)))
    if not np.isfinite(spread_sq + shift_sq):
        # rounding has eaten everything, or the sampler overflows: 0 is still a lower bound
        spread_sq, shift_sq = np.nan_to_num((spread_sq, shift_sq), nan=0.0, posinf=0.0)
    total = np.sqrt(spread_sq + shift_sq) * (1 - 1e-12)
    details, notes = {"steps": len(table.Q), "dim": len(variances)}, ()
    scheme = setting.scheme
    if (scheme.key == "euler-maruyama" and scheme.grid.kind == "uniform" and scheme.last_step_noise
        and len(distinct) == 1 and distinct[0] > 0):
        details |= leading_order(setting, float(np.sqrt(distinct[0])), functions)
        if details["leading_order_vanishes"]:
            notes = ("the mild condition (5.35) fails: the leading order vanishes at this σ0",)
    return Bound(theorem=THEOREM.key, kind="lower", total=float(total),
                 terms={"spread": np.sqrt(spread_sq), "mean": np.sqrt(shift_sq)},
                 information="Gaussian data", notes=notes, details=details)


def in_balls(setting: Setting, formulas, precision: int) -> InBalls:
    """The exact W2 of the sampler on this Gaussian in balls."""
    from flint import arb

    mean, variances = spectrum(setting)
    walk = Walk(setting, formulas, precision)
    steps = list(walk.steps())[::-1]
    sizes, found, squares = np.abs(mean), {}, {"spread": arb(0), "mean": arb(0)}
    # pairs as complex numbers, which numpy sorts several times faster than columns
    axes, counts = np.unique(variances + 1j * sizes, return_counts=True)
    for value, size, count in zip(axes.real.tolist(), axes.imag.tolist(), counts.tolist(), strict=True):
        if value not in found:
            found[value] = _axis_in_balls(arb(value), walk, steps)
        spread_sq, shift_sq = found[value]
        squares["spread"] += count * spread_sq
        squares["mean"] += count * (arb(size) * arb(size) * shift_sq)
    return InBalls(real_root(squares["spread"] + squares["mean"]),
                   {name: real_root(square) for name, square in squares.items()}, "Gaussian data",
                   {"steps": len(steps), "dim": len(variances)})


def _axis_in_balls(value, walk, steps):
    """((√v_K − σ_0)², the squared mean error in units of the mean) along an axis of variance ``value``."""
    variance, shift = walk.prior_var, -real_root(walk.last.upper_a_sq)
    for step in steps:
        marginal = step.upper_a_sq * value + step.upper_s_sq
        factor = walk.formulas["factor"](P=step.P, Q=step.Q, V=marginal)
        defect = step.P * real_root(step.upper_a_sq) - real_root(step.a_sq)
        shift = factor * shift + defect
        variance = integer_power(factor, 2) * variance + step.noise_var
    spread_sq = walk.formulas["distance_sq"](v=variance, sigma_0=real_root(value))
    return spread_sq, integer_power(shift + real_root(steps[-1].a_sq) - 1, 2)


def _factor_change(table, variances, off: float):
    """|Q/V − Q/V'| at most, for V' of a variance within ``off`` of the one of V, by axis and step; ∞ where V' may
    be 0."""
    a_sq, s_sq = np.square(table.path.a[:-1]), table.path.s_sq[:-1]
    used = a_sq * variances[:, None] + s_sq
    least = a_sq * np.maximum(variances[:, None] - off, 0.0) + s_sq
    with np.errstate(divide="ignore"):
        return np.abs(table.Q) * a_sq * off / used / least


def _root_change(variances, off: float):
    """|√λ' − √λ| at most, for λ' >= 0 within ``off`` of λ."""
    low, high = np.maximum(variances - off, 0.0), variances + off
    return np.maximum((variances - low) / np.maximum(np.sqrt(variances) + np.sqrt(low), 1e-300),
                      off / (np.sqrt(high) + np.sqrt(variances)))


def _sizes(factor, start: float, sources, combine):
    """Upper estimates (u, k) of |x_{k−1}|, x_k = factor_k x_{k−1} + source_k combined by hypot or add."""
    logs = np.log(np.maximum(np.abs(factor), 1e-150))
    power = 2.0 if combine is np.hypot else 1.0
    total = power * np.cumsum(logs, axis=1)
    with np.errstate(divide="ignore"):
        first = np.full((len(factor), 1), power * np.log(start))
        fed = np.logaddexp.accumulate(np.concatenate([first, power * np.log(sources) - total], axis=1),
                                      axis=1)
    before = np.concatenate([np.zeros((len(factor), 1)), total[:, :-1]], axis=1)
    return np.exp((before + fed[:, :-1]) / power)


def _signed_later(factor, later):
    signs = np.sign(factor)
    after = np.cumprod(signs[:, ::-1], axis=1)[:, ::-1]
    return later * np.concatenate([after[:, 1:], np.ones((len(factor), 1))], axis=1)


def leading_order(setting: Setting, std: float, functions) -> dict:
    """c(σ0), ∫λa²σ0⁴/V², the leading-order W2 and whether it vanishes: Euler–Maruyama, a uniform grid."""
    path, dim = setting.table.path, int(setting.assumption.dim)
    horizon, steps = float(path.times[0] - path.times[-1]), len(path.F)

    def integrand(n):
        variance = n.a_sq * std**2 + n.s_sq
        return (functions["rate"](f=n.f, g_sq=n.g_sq, V=variance) * n.a_sq * std**4 / np.square(variance),)

    (value,), _ = path.integrate(integrand)
    total = float(np.sum(value))
    constant = abs(total) / (2 * std)
    return {"integral": total, "c": constant, "leading_order": np.sqrt(dim) * constant * horizon / steps,
            "leading_order_vanishes": abs(total) < VANISHING}


def defect_over_step(process: ForwardProcess | str) -> tuple[sympy.Expr, sympy.Expr]:
    r"""(λ(τ), V) in sympy for a process: λ = g⁴/V − f g² − f² V, V = a²S + s², S = σ0² symbolic.

    Raises ValueError if s² has no closed form.
    """
    process = process_of(process)
    if process.s_sq.route != "closed form":
        raise ValueError(f"{process.name}: s² has no closed form")
    variance = process.a.expression**2 * sympy.Symbol("S", positive=True) + process.s_sq.expression
    return tidy(STATED["rate"].subs({f: process.f, g_sq: process.g_sq, V: variance})), variance


def ou_limit() -> sympy.Expr:
    r"""lim e/h for OU as T → ∞, derived by sympy: (S − 1 − ½S² log S)/(S − 1), S = σ0²."""
    rate, variance = defect_over_step(ou())
    S, u = symbols("S u", positive=True)
    weight = ou().a.expression ** 2 * S**2 / variance**2
    # u = e^{−2τ}, dτ = −du/(2u)
    integrand = sympy.simplify((rate * weight).subs(TIME, -sympy.log(u) / 2) / (2 * u))
    primitive = sympy.integrate(sympy.apart(integrand, u), u)
    return sympy.simplify(primitive.subs(u, 1) - primitive.subs(u, 0))


def _gaussian(setting: Setting):
    return (None if spectrum(setting) is not None
            else 'the data must be Gaussian (law = "gaussian", or m0 = L0)')


def _exact_score(setting: Setting):
    error, noise = setting.score_error, setting.score_noise
    return (f"the score must be exact, got score_error {error}, score_noise {noise}"
            if setting.has_error or np.any(np.asarray(noise) > 0) else None)


THEOREM = Theorem(
    key="gaussian-lower-bound", title="Lower bound on Gaussian data", kind="lower",
    source=Source("Gao, Nguyen and Zhu 2025", "Proposition 8", "2311.11003"),
    statement=r"W_2^2 = \sum_i(\sqrt{v_{K,i}}-\sigma_i)^2,\quad v_k=(P-Q/V_\tau)^2v_{k-1}+\int n^2g^2",
    symbols={
        "P": "linear coefficient of the step", "Q": "score coefficient of the step",
        "V": "variance a²σ0² + s² at the step's start τ", "v": "variance of the sampler's output",
        "sigma_0": "standard deviation of the data", "f": "drift", "g_sq": "g²"},
    conditions=(ONE_BLOCK, ONE_EVALUATION, Condition("Gaussian data", "p_0 = N(m, Σ)", _gaussian),
                Condition("exact score", "M = 0", _exact_score)),
    stated=STATED, derive=derive, evaluate=evaluate, in_balls=in_balls,
    domain=Domain(data=("strong-log-concave",)),
    derivation="The score of a Gaussian is linear; one Euler–Maruyama step expanded to second order in h.",
    cases=(
        Case("N(0, I_100), OU", ou, gaussian(1.0, 100), lambda: euler_maruyama(4, 1600), ratio_ceiling=1.0001,
             decisive={"distance_sq": 4.0}),
        Case("N(2, 1/4), VE", lambda: ve(1), gaussian(0.25, 2, 2.0), lambda: euler_maruyama(40, 400),
             ratio_ceiling=1.0001, decisive={"factor": 1.01})))
