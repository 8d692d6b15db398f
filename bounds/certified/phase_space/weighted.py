"""The martingale recursion of two blocks in balls, under weights that were found in floats."""

from __future__ import annotations

import math

from bounds.certified.data import Formulas, NotCertified
from bounds.certified.number import real_root
from bounds.certified.one_block import InBalls, propagated
from bounds.certified.phase_space.question import BallQuestion, working_precision
from bounds.recursion.phase_space.ingredients import best_weights, growth
from bounds.setting import Setting

#: What weights are raised by, again and again, until they are proved to be positive definite.
LIFT = 2.0**-50


def weighted(setting: Setting, formulas: Formulas, functions, precision: int) -> InBalls:
    """The recursion's end; ``functions`` are the stated expressions in floats, which choose the weights.

    Raises
    ------
    NotCertified
        If no choice of weights gives a finite bound.
    """
    from flint import arb, ctx

    with ctx.workprec(working_precision(setting, precision)):
        question = BallQuestion(setting, formulas)
        problem, best, _ = best_weights(setting, functions)
        if not math.isfinite(best.total):
            raise NotCertified("certified needs a finite bound, no choice of weights gives one")
        weights = [_proper(row) for row in best.weights.tolist()]
        columns, M = [], arb(float(setting.score_error))
        for k, (row, about) in enumerate(zip(question.rows, best.variance.tolist(), strict=True)):
            before, after = weights[k : k + 2]
            bias = question.bias(k, after)
            if best.saturated:
                bias += question.pulled(k, after)
            columns.append((question.stretch(k, before, after, best.saturated), bias,
                            question.missed(row, after, about), question.score(k, after), M))
        xx, xv, vv = weights[-1]
        # |x| <= E in the norm of P_K times the root of (P_K⁻¹)_xx
        found = propagated(setting, columns, *question.start(problem.start.gammas.tolist()).error(weights[0]),
                           question.stop(), real_root(vv / (xx * vv - xv * xv)))
    found.details["contraction"] = growth(best.weights[0], problem.table.path.stationary)
    found.details["weights"] = best.name
    return found


def _proper(weights) -> tuple:
    """Weights as balls, proved to be positive definite."""
    from flint import arb

    xx, xv, vv = (arb(x) for x in weights)
    for _ in range(40):
        if xx > 0 and xx * vv - xv * xv > 0:
            return xx, xv, vv
        xx, vv = xx + xx * LIFT, vv + vv * LIFT
    raise NotCertified(f"certified needs weights that are positive definite, got {weights}")
