r"""The weights that make the two-block bound smallest: joins, passes to and fro, and constant metrics."""

from dataclasses import replace

import numpy as np

from bounds.contraction.metric import KAPPAS, contracting_metric, norm
from bounds.recursion.phase_space.one_question import PhaseProblem, WeightChoice
from bounds.recursion.phase_space.weights import Jacobians, backward, in_metric

#: Weights of the velocity at the last step, in units of the stationary law: the optimal weights start from the last.
JOINS = (0.03, 1e-3, 1e-8)
#: Forward and backward passes stop when one gains less than this.
GAIN = 1e-3
PASSES = 4


def candidates(problem: PhaseProblem):
    """(Every choice of weights that was tried, the root of the dual certificate for the best optimal ones).

    The certificate is at most the total of its own weights; without bias it is at most that of any.
    """
    unit = _unit(problem)
    found = [problem.choice(f"join, δ = {delta:g}", backward(problem.jacobians, (1.0, 0.0, delta * unit)))
             for delta in JOINS]
    current, join = min(found, key=lambda choice: choice.total), found[-1]
    certified, measures = [], None
    for _ in range(PASSES):
        if not np.isfinite(current.total):
            break
        if measures is None and not problem.jacobians.alike:
            measures = problem.measures(current)
        improved = _optimal(problem, measures, join)
        found.append(improved)
        if not np.isfinite(improved.total):
            break
        measures = problem.measures(improved)
        certified.append((improved.total, float(np.sqrt(max(measures[-1, 0], 0.0)))))
        gained = current.total - improved.total
        current = improved
        if gained < GAIN * current.total:
            break
    found += [problem.choice(f"constant metric, κ = {kappa:g}", metric_weights(problem, kappa))
              for kappa in KAPPAS]
    return found, min(certified, default=(np.inf, 0.0))[1]


def _unit(problem: PhaseProblem) -> float:
    """Weight of the velocity beside the position's in units of the stationary law."""
    stationary = problem.table.path.stationary
    return stationary[0, 0] / stationary[1, 1]


def _optimal(problem: PhaseProblem, measures, join: WeightChoice) -> WeightChoice:
    """The best weights against the ``measures`` of others, from the last weights of ``join``; where both ends of every
    step are the same they are the join's, whatever the measures."""
    if problem.jacobians.alike:
        return replace(join, name="optimal")
    last = (1.0, 0.0, JOINS[-1] * _unit(problem))
    return problem.choice("optimal", backward(problem.jacobians, last, measures[:-1]))


def saturated(problem: PhaseProblem) -> list[WeightChoice]:
    """Choices for data in a ball, if they are: weights above the Gaussian part's Jacobians alone."""
    if problem.setting.assumption.ball is None:
        return []
    jacobians, unit = problem.jacobians, _unit(problem)
    calm = Jacobians(jacobians.low, jacobians.low, jacobians.size)
    return [problem.choice(f"saturated, δ = {delta:g}", backward(calm, (1.0, 0.0, delta * unit)), saturated=True)
            for delta in JOINS]


def metric_weights(problem: PhaseProblem, kappa: float) -> np.ndarray:
    """P_k = λ_k𝔐 of docs/theory.md section 5, Theorem C."""
    fixed = contracting_metric(problem.table.path, kappa)
    jacobians = problem.jacobians
    return in_metric(np.maximum(norm(jacobians.low, fixed), norm(jacobians.high, fixed)), fixed)
