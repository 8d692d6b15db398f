r"""The martingale bound with each step's noise coupled to the posterior: only the law of the noise counts.

Statement
---------
The recursion of `martingale` with v_k² computed for :math:`n_\lambda = \lambda_k \Phi^{-1}(I + C H(c^*))`,
where :math:`\lambda_k` gives :math:`n_\lambda` the variance of the scheme's own noise; per step, the smaller
of the two.

Hypotheses
----------
Those of `martingale`.  The W2 distance sees the law of y_K only, and the step's noise is N(0, ∫n²g² I)
whatever deterministic n of that size drives it, so the coupling may choose n.

Source
------
docs/theory.md section 4 ("any deterministic n is allowed").  By Cauchy–Schwarz
:math:`\lambda_k \Phi^{-1}(I + C H(c^*))` is the nearest n of given size to the exact noise at c*.

Transcription
-------------
c* is where the mean of the posterior covariance is known or bounded; for Gaussian data the noise term is then
exact.
"""

from dataclasses import replace

import numpy as np
import sympy

from bounds.certified import one_block
from bounds.conditions import ONE_BLOCK
from bounds.recursion.data import Constants, expand
from bounds.recursion.one_block import missed_noise
from bounds.recursion.phase_space.statement import SYMBOLS as PHASE_SYMBOLS
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.steps.rule import hessian_moments
from bounds.symbolic.balls import integer_power
from bounds.theorem import Domain, Source
from bounds.theorems import martingale

_noise_var, _matched_var = sympy.symbols("noise_var matched_var", real=True)
#: What of `martingale` is stated for one block.
ONE_BLOCK_NAMES = ("initial_sq", "initial_smooth_sq", "initial_log_concave_sq", "contraction", "bias_sq", "bias_known_sq",
                   "variance", "variance_known", "early_stop_sq", "ball_kept", "ball_moved", "ball_replaced",
                   "ball_noise_sq", "ball_drawn")
_TWO_BLOCKS = PHASE_SYMBOLS.keys() - {"d", "l", "m2", "mean_norm", "R"}


def stated() -> dict:
    """As in `martingale`, and λ."""
    return {name: martingale.STATED[name] for name in ONE_BLOCK_NAMES} | {
        "scale": sympy.sqrt(_noise_var / _matched_var)}


STATED = Stated("martingale-coupled", stated)


def derive() -> dict:
    """λ from ∫λ²n*²g² = ∫n²g²; the rest as in `martingale`."""
    scale = sympy.Symbol("lambda", positive=True)
    variance, target = sympy.symbols("matched_var noise_var", positive=True)
    (solution,) = sympy.solve(scale**2 * variance - target, scale)
    plain = {variance: _matched_var, target: _noise_var}
    return {name: expression for name, expression in martingale.derive().items() if name in ONE_BLOCK_NAMES} | {
        "scale": solution.subs(plain)}


def _matched(setting: Setting, nodes):
    """Φ⁻¹(I + C H(c*))g with c* the mean of the envelope that is known best."""
    data = Constants(setting.assumption, 3)
    floor, gap = data.hessian(nodes.a_sq, nodes.s_sq)
    if setting.facts.moments is not None:
        mean = hessian_moments(setting.facts.moments, nodes.a_sq, nodes.s_sq)[0]
    else:
        mean = np.minimum(gap, data.linear_excess(nodes.a_sq, nodes.s_sq)) / 2
    return np.exp(nodes.F) * np.sqrt(nodes.g_sq) * (1 + nodes.C * (floor + mean))


def coupled_noise(setting: Setting, functions):
    """v_k² of every step, array of shape (..., k): the smaller of the scheme's own and the coupled noise."""
    own = missed_noise(setting, functions)
    path = setting.table.path
    problems = int(np.prod(setting.shape, dtype=int))
    (matched,), (error,) = path.integrate(lambda nodes: (np.square(_matched(setting, nodes)),), problems)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = functions["scale"](noise_var=setting.table.noise_var, matched_var=matched)
        relative = error / matched + 1e-12
    usable = np.isfinite(scale)
    scale, relative = np.where(usable, scale, 0.0), np.where(usable, relative, 0.0)
    coupled = missed_noise(setting, functions,
                           lambda nodes: scale[..., nodes.index, None, None] * _matched(setting, nodes))
    # λ is known to the accuracy of the quadrature; what that leaves of the standard deviation is added
    left = np.sqrt(expand(setting.assumption.dim, 1) * setting.table.noise_var) * relative
    return np.where(usable, np.minimum(own, np.square(np.sqrt(coupled) + left)), own)


def evaluate(setting: Setting, functions):
    """The martingale recursion with the coupled noise."""
    return martingale.evaluate(setting, functions, coupled_noise, THEOREM.key)


def ingredients(setting: Setting, functions):
    """What the recursion runs on, with the coupled noise."""
    return martingale.ingredients(setting, functions, coupled_noise)


def _coupled_balls(walk, step):
    """v_k² of a step in balls: the smaller of the scheme's own and the coupled noise."""
    data, own = walk.data, one_block.missed_noise(walk, step)

    def matched(view):
        mean = (data.moments(view.a_sq, view.s_sq)[0] if data.knows_moments
                else data.smaller_excess(view) / 2)
        return view.growth * view.g * (1 + view.C * (data.floor(view.a_sq, view.s_sq) + mean))

    (variance,) = step.integrate(lambda view: (integer_power(matched(view), 2),), (step.scale,))
    if not variance > 0:
        return own
    scale = walk.formulas["scale"](noise_var=step.noise_var, matched_var=variance)
    return own.min(one_block.missed_noise(walk, step, lambda view: scale * matched(view)))


def in_balls(setting: Setting, formulas, precision: int):
    """The recursion in balls with the coupled noise."""
    return one_block.recursion(setting, formulas, precision, _coupled_balls)


THEOREM = replace(
    martingale.THEOREM,
    key="martingale-coupled", title="Martingale bound, noise coupled to the posterior",
    source=Source("docs/theory.md", "section 4, any deterministic noise of the same size"),
    symbols={
        **{name: text for name, text in martingale.SYMBOLS.items() if name not in _TWO_BLOCKS},
        "noise_var": "∫n²g², the scheme's noise variance",
        "matched_var": "∫(n*g)², the variance of the matched noise"},
    conditions=(ONE_BLOCK, *martingale.THEOREM.conditions),
    stated=STATED, derive=derive, evaluate=evaluate, ingredients=ingredients,
    in_balls=in_balls, domain=Domain(),
    derivation="As `martingale`; λ by equating variances.",
    cases=tuple(
        replace(case, decisive={k: v for k, v in case.decisive.items() if "variance" not in k})
        for case in martingale.CASES))
