r"""The two-block recursion under its best weights in the form of one block's: what the model of a best grid runs on."""

from __future__ import annotations

import numpy as np

from bounds.recursion.ingredients import Columns, Ingredients
from bounds.recursion.phase_space.one_question import PhaseProblem, candidates


def phase_ingredients(setting, functions, constants) -> Ingredients:
    """E_0 and the columns of the best weights, in which every contraction is 1.

    Parameters
    ----------
    setting : Setting
        One problem of two blocks.
    functions : mapping
        The stated expressions of the martingale bound.
    constants : callable
        Assumption -> its constants, `bounds.recursion.one_block.Constants`.

    Returns
    -------
    Ingredients
        One entry for every step of the grid.  A splitting has one kick more than steps: its kicks are shared between
        the steps beside them, which leaves an estimate in place of a bound.
    """
    problem = PhaseProblem(setting, functions, constants(setting.assumption, 0))
    best = min(candidates(problem)[0], key=lambda choice: choice.total)
    steps = setting.scheme.grid.steps
    bias, variance, score = (_per_step(column, steps) for column in (best.bias, best.variance, best.score))
    stop = problem.early_stop() if setting.scheme.grid.early_stop > 0 else 0.0
    return Ingredients(best.initial.error, Columns(np.ones(steps), bias, variance, score), stop, best.initial.source)


def _per_step(column: np.ndarray, steps: int) -> np.ndarray:
    if len(column) == steps:
        return column
    shared = (column[:-1] + column[1:]) / 2
    shared[0] += column[0] / 2
    shared[-1] += column[-1] / 2
    return shared
