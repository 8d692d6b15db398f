"""A bound with a score error of its own at every step."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from bounds.argument import check_type, unit_of
from bounds.bound import SCORE_BIAS, Bound, vacuous_notes
from bounds.recursion.propagation import round_up, weights
from bounds.setting import Setting
from bounds.theorem import NotApplicable, Theorem
from bounds.theorems import theorems


def stepwise_bound(theorem: Theorem | str, setting: Setting, sizes: ArrayLike) -> Bound:
    r"""The error recursion with :math:`Q_k M_k` in place of :math:`Q_k M`, and likewise for two blocks.

    Parameters
    ----------
    theorem : Theorem or str
        Or its key: one whose value is the error recursion.
    setting : Setting
        Its own score error is replaced.
    sizes : array of shape (k,)
        L2 sizes of the score error at the start of every step (for two blocks: of every row, which a
        splitting has one more of), as `verify.particles.score_errors.score_error_of` measures them.

    Raises
    ------
    ValueError, TypeError, NotApplicable
        If the theorem has no such recursion or does not apply, or a size is missing, negative or not finite.
    """
    theorem = unit_of("theorem", theorem, Theorem, theorems())
    check_type("setting", setting, Setting, "a Setting")
    if theorem.ingredients is None:
        raise ValueError(f"theorem must state the error recursion (martingale, martingale-coupled), got {theorem.key}")
    sizes, setting = np.asarray(sizes, dtype=float), replace(setting, score_error=0.0)
    if unmet := theorem.unmet(setting):
        raise NotApplicable(theorem.key, unmet)
    rows = len(setting.table.noise) if setting.process.blocks == 2 else setting.scheme.grid.steps
    if sizes.shape != (rows,) or not np.all(np.isfinite(sizes)) or np.any(sizes < 0):
        raise ValueError(f"sizes must be {rows} finite numbers >= 0, one a step, got an array of shape "
                         f"{sizes.shape}" + ("" if sizes.shape != (rows,) else f" with {sizes[~(sizes >= 0)][:1]}"))
    total, parts, setting = min(_choices(theorem, setting, sizes), key=lambda choice: choice[0])
    # initial error and discretisation in the weights that were chosen
    found = theorem.bound(setting)
    later, _ = weights(parts.columns.contraction)
    with np.errstate(over="ignore", invalid="ignore"):
        bias = round_up(float(np.sum(later * parts.columns.score_weight * sizes)), rows)
    second_moment = setting.assumption.second_moment
    said = vacuous_notes(found.total, second_moment)
    notes = (*vacuous_notes(total, second_moment), *(note for note in found.notes if note not in said))
    return replace(found, total=total, terms={**found.terms, SCORE_BIAS: bias}, notes=notes,
                   details={**found.details, "largest_score_error": float(sizes.max())})


def _choices(theorem: Theorem, setting: Setting, sizes) -> Iterator[tuple]:
    """(Total, ingredients, setting): one for one block; for two the weights that are best without an error,
    with the mean and with the largest for all, any of which serve."""
    same = (0.0, float(np.sqrt(np.mean(np.square(sizes)))), float(sizes.max()))
    for size in same if setting.process.blocks == 2 else same[:1]:
        setting = replace(setting, score_error=size)
        parts = theorem.ingredients(setting, theorem.functions)
        yield round_up(float(parts.total(sizes, setting.score_noise)), 1), parts, setting
