r"""The weights that make the two-block bound smallest: joins, passes to and fro, and constant metrics."""

import numpy as np

from bounds.contraction.metric import KAPPAS, contracting_metric, norm
from bounds.recursion.phase_space.one_question import PhaseProblem, WeightChoice
from bounds.recursion.phase_space.weights import Jacobians, backward, in_metric

#: Weight of the velocity at the last step, in units of the stationary law, and where the joins start.
LAST_VELOCITY = 1e-8
JOINS = (0.03, 1e-3, 1e-8)
#: Forward and backward passes stop when one gains less than this.
GAIN = 1e-3
PASSES = 4


def candidates(problem: PhaseProblem):
    """(Every choice of weights that was tried, the root of the dual certificate for the best optimal ones).

    The certificate is at most the total of its own weights; without bias it is at most that of any.
    """
    stationary = problem.table.path.stationary
    unit = stationary[0, 0] / stationary[1, 1]
    last = (1.0, 0.0, LAST_VELOCITY * unit)
    found = [problem.choice(f"join, δ = {delta:g}", backward(problem.jacobians, (1.0, 0.0, delta * unit)))
             for delta in JOINS]
    current = min(found, key=lambda choice: choice.total)
    certified = []
    for _ in range(PASSES):
        if not np.isfinite(current.total):
            break
        measures = problem.measures(current)
        improved = problem.choice("optimal", backward(problem.jacobians, last, measures[:-1]))
        found.append(improved)
        if not np.isfinite(improved.total):
            break
        certified.append((improved.total, float(np.sqrt(max(problem.measures(improved)[-1, 0], 0.0)))))
        gained = current.total - improved.total
        current = improved
        if gained < GAIN * current.total:
            break
    found += [problem.choice(f"constant metric, κ = {kappa:g}", metric_weights(problem, kappa))
              for kappa in KAPPAS]
    return found, min(certified, default=(np.inf, 0.0))[1]


def saturated(problem: PhaseProblem) -> list[WeightChoice]:
    """Choices for data in a ball, if they are: weights above the Gaussian part's Jacobians alone."""
    if problem.setting.assumption.ball is None:
        return []
    stationary, jacobians = problem.table.path.stationary, problem.jacobians
    unit = stationary[0, 0] / stationary[1, 1]
    calm = Jacobians(jacobians.low, jacobians.low, jacobians.size)
    return [problem.choice(f"saturated, δ = {delta:g}", backward(calm, (1.0, 0.0, delta * unit)), saturated=True)
            for delta in JOINS]


def metric_weights(problem: PhaseProblem, kappa: float) -> np.ndarray:
    """P_k = λ_k𝔐 of docs/theory.md section 5, Theorem C."""
    fixed = contracting_metric(problem.table.path, kappa)
    jacobians = problem.jacobians
    return in_metric(np.maximum(norm(jacobians.low, fixed), norm(jacobians.high, fixed)), fixed)
