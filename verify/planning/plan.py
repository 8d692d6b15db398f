"""What it takes to reach an error, and what may be asked of a planner."""

from dataclasses import dataclass

import numpy as np

from bounds.argument import check_key
from bounds.bound import Bound
from bounds.complexity.flow_grid import has_flow_grid
from bounds.grid import TimeGrid
from bounds.score_error import ScoreError
from bounds.setting import Setting
from bounds.theorem import NotApplicable, Theorem


@dataclass(frozen=True)
class Plan:
    """What it takes to reach an error, or what stands in the way.

    Attributes
    ----------
    theorem, eps, reached
        The theorem's key, the error and whether it is reached.
    steps : int or None
        The smallest K whose bound is at most ε.
    horizon : float
    grid : TimeGrid or None
    score_error : float or ScoreError
        M the bound allows for: the question's own, or the share of ε set aside for it.
    bound : Bound or None
        The theorem at the plan.
    bound_one_step_less : float or None
        The bound with K − 1 steps, above ε (None for K = 1).
    blocking : str or None
        The largest error that more steps do not remove, where ε is out of reach.
    floor : float
        What no number of steps gets below, at the horizon of the plan.
    """

    theorem: str
    eps: float
    reached: bool
    steps: int | None
    horizon: float
    grid: TimeGrid | None
    score_error: float | ScoreError
    bound: Bound | None
    bound_one_step_less: float | None
    blocking: str | None
    floor: float


def check_options(theorem: Theorem, setting: Setting, grid: str, horizon: float | None,
                  score_share: float) -> None:
    """Refuse what no plan can be made with: arguments, then hypotheses of the theorem that are not met."""
    check_key("grid", grid, ("uniform", "best"))
    if theorem.kind != "upper":
        raise ValueError(f"theorem must be an upper bound, got {theorem.key}")
    if grid == "best" and not has_best_grid(theorem, setting):
        raise ValueError(f"grid must be uniform for {theorem.key}: a best grid needs a recursion "
                         "(martingale, martingale-coupled), or a sampler without noise (flow)")
    if horizon is not None and not (np.isfinite(horizon) and horizon > setting.scheme.grid.early_stop):
        raise ValueError(f"horizon must be finite and above early_stop, got {horizon}")
    if not 0.0 <= score_share < 1.0:
        raise ValueError(f"score_share must lie in [0, 1), got {score_share}")
    if isinstance(setting.score_error, ScoreError) and setting.score_error.count:
        raise ValueError("score_error must be one number for all steps where their number is looked for, got "
                         f"a list of {setting.score_error.count}")
    if theorem.ingredients is not None and not setting.scheme.last_step_noise:
        raise ValueError(f"last_step_noise must be left out to plan by {theorem.key}, whose bound falls with √h only "
                         "where the last step has no noise (flow-between plans it), got False")
    if unmet := theorem.unmet(setting):
        raise NotApplicable(theorem.key, unmet)


def has_best_grid(theorem: Theorem, setting: Setting) -> bool:
    """Whether it is known where a bound needs its steps."""
    return theorem.ingredients is not None or has_flow_grid(theorem, setting)


def check_eps(eps: float) -> None:
    """Refuse an error that is not positive and finite."""
    if not (np.isfinite(eps) and eps > 0):
        raise ValueError(f"eps must be positive and finite, got {eps}")
