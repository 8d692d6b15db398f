r"""The two-block recursion under its best weights, in the form of one block's."""

from types import MappingProxyType

import numpy as np

from bounds.recursion.data import Constants
from bounds.recursion.ingredients import Columns, Ingredients
from bounds.recursion.phase_space.one_question import PhaseProblem, WeightChoice
from bounds.recursion.phase_space.weight_search import candidates, saturated
from bounds.recursion.phase_space.weights import symmetric
from bounds.setting import Setting


def phase_ingredients(setting: Setting, functions) -> Ingredients:
    """E_0 and the columns of the best weights, in which every contraction is 1, of one two-block problem.

    Columns have an entry for every row of the sampler's table: of a splitting one more than steps.
    """
    problem, best, certificate = best_weights(setting, functions)
    return Ingredients(initial=best.initial.error,
                       columns=Columns(np.ones(len(best.bias)), best.bias, best.variance, best.score),
                       stop=problem.early_stop() if setting.scheme.grid.early_stop > 0 else 0.0,
                       initial_term=best.initial.term,
                       growth=growth(best.weights[0], problem.table.path.stationary),
                       notes=(_certified(best, certificate),),
                       details=MappingProxyType({"weights": best.name, "certificate": certificate}))


def best_weights(setting: Setting, functions) -> tuple[PhaseProblem, WeightChoice, float]:
    """The problem, the choice of weights whose total is smallest, and the dual certificate."""
    problem = PhaseProblem(setting, functions, Constants(setting.assumption, 0))
    tried, certificate = candidates(problem)
    return problem, min([*tried, *saturated(problem)], key=lambda choice: choice.total), certificate


def growth(first, stationary) -> float:
    """What the first weights make of an error, over what the last do: λ_max(P_0 Σ_∞)/Σ_xx, rooted."""
    if not np.all(np.isfinite(first)):
        return np.inf
    values = np.linalg.eigvals(symmetric(first) @ stationary)
    return float(np.sqrt(np.abs(values).max() / stationary[0, 0]))


def _certified(best: WeightChoice, certificate: float) -> str:
    """How good the weights are, in words."""
    if not np.isfinite(best.total):
        return "no choice of weights gives a finite bound"
    if best.saturated:
        return f"weights: {best.name}; an error is bounded by the data's ball"
    if not np.isfinite(certificate):
        return f"weights: {best.name}; their dual certificate leaves the range of floats"
    proved = "equal, with no bias: no weights do better"
    return f"weights: {best.name}; their dual certificate is {certificate:.4g} of {best.total:.4g} ({proved})"
