"""A bound with a score error of its own at every step."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from bounds.argument import check_type, unit_of
from bounds.bound import SCORE_BIAS, Bound
from bounds.recursion.propagation import round_up, weights
from bounds.setting import Setting
from bounds.theorem import NotApplicable, Theorem
from bounds.theorems import theorems


def stepwise_bound(theorem: Theorem | str, setting: Setting, sizes: ArrayLike) -> Bound:
    r"""The error recursion with :math:`Q_k M_k` in place of :math:`Q_k M`.

    Parameters
    ----------
    theorem : Theorem or str
        Or its key: one whose value is the error recursion.
    setting : Setting
        Its own score error is replaced.
    sizes : array of shape (k,)
        L2 sizes of the score error at every step's start, as `verify.particles.score_errors.score_error_of`
        measures them.

    Raises
    ------
    ValueError, TypeError, NotApplicable
        If the theorem has no such recursion or does not apply, or a size is missing, negative or not finite.
    """
    theorem = unit_of("theorem", theorem, Theorem, theorems())
    check_type("setting", setting, Setting, "a Setting")
    sizes, steps = np.asarray(sizes, dtype=float), setting.scheme.grid.steps
    if theorem.ingredients is None:
        raise ValueError(f"theorem must state the error recursion (martingale, martingale-coupled), got {theorem.key}")
    if sizes.shape != (steps,) or not np.all(np.isfinite(sizes)) or np.any(sizes < 0):
        raise ValueError(f"sizes must be {steps} finite numbers >= 0, one a step, got an array of shape {sizes.shape}"
                         + ("" if sizes.shape != (steps,) else f" with {sizes[~(sizes >= 0)][:1]}"))
    setting = replace(setting, score_error=0.0)
    if unmet := theorem.unmet(setting):
        raise NotApplicable(theorem.key, unmet)
    without = theorem.bound(setting)
    parts = theorem.ingredients(setting, theorem.functions)
    later, _ = weights(parts.columns.contraction)
    bias = round_up(float(np.sum(later * parts.columns.score_weight * sizes)), steps)
    total = round_up(float(parts.total(sizes, setting.score_noise)), 1)
    return replace(without, total=total, terms={**without.terms, SCORE_BIAS: bias},
                   details={**without.details, "largest_score_error": float(sizes.max())})
