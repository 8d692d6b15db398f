"""Samplers side by side on one problem: at equal score evaluations, at equal steps, or for one error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bounds.argument import check_key
from bounds.bound import Bound
from bounds.grid import TimeGrid
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.steps.rule import Sampler
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form.bracket import Bracket
from verify.certificates.certificate import Verdict, measure, verdict_of
from verify.certificates.question import setting_of_problem
from verify.certificates.sampled import NO_EXACT_LAW
from verify.levels import grid_of_steps
from verify.pages.palette import BOUND, EXACT, MUTED, OPEN
from verify.planning.by_bound import planner_of
from verify.planning.plan import has_best_grid
from verify.problems.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["compare_samplers", "plan_samplers", "plot_effort", "plot_plans"]

#: What arithmetic, a hypothesis or a law may refuse: a row's reason, never the end of a comparison.
REFUSED = (ArithmeticError, ValueError, MemoryError, NotImplementedError, TimeoutError, NotApplicable)
#: Steps at which theorems are compared where one is to plan with.
FEW_STEPS = 64


@dataclass(frozen=True)
class Compared:
    """One sampler.

    Attributes
    ----------
    sampler : str
    noise : bool
        Whether its steps have noise.
    evaluations, steps : int or None
        Score evaluations in all, and steps.
    horizon : float or None
    theorem : str or None
        Of the smallest bound.
    bound : float or None
    exact : Bracket or None
        The exact W2; its upper side is infinite where it is not known.
    reason : str
        Why there is no bound, or no exact W2; empty where both are there.
    """

    sampler: str
    noise: bool
    evaluations: int | None = None
    steps: int | None = None
    horizon: float | None = None
    theorem: str | None = None
    bound: float | None = None
    exact: Bracket | None = None
    reason: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """Of the bound; None where either number is missing."""
        if self.bound is None or self.exact is None:
            return None
        return verdict_of("upper", self.bound, self.exact)

    @property
    def ratio(self) -> float | None:
        """Bound over the upper side of the exact W2; None where it is undefined."""
        if self.bound is None or self.exact is None:
            return None
        known = math.isfinite(self.bound) and 0 < self.exact.upper < math.inf
        return self.bound / self.exact.upper if known else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is infinite or unknown is None."""
        exact = self.exact
        return {
            "sampler": self.sampler, "noise": self.noise, "evaluations": self.evaluations,
            "steps": self.steps, "horizon": self.horizon, "theorem": self.theorem,
            "bound": self.bound if self.bound is not None and math.isfinite(self.bound) else None,
            "exact_lower": None if exact is None else exact.lower,
            "exact_upper": exact.upper if exact is not None and math.isfinite(exact.upper) else None,
            "ratio": self.ratio, "verdict": None if self.verdict is None else str(self.verdict),
            "reason": self.reason,
        }


def steps_within(sampler: Sampler, evaluations: int, to_zero: bool) -> int:
    """The most steps that take at most so many score evaluations; 0 where one step takes more.

    Parameters
    ----------
    sampler : Sampler
    evaluations : int
    to_zero : bool
        Whether the grid ends at time 0, where the last step of some takes one evaluation.
    """
    each, last = sampler.evaluations, _spared(sampler, to_zero)
    return (evaluations + last) // each


def evaluations_of(sampler: Sampler, steps: int, to_zero: bool) -> int:
    """Score evaluations of so many steps; arguments as of `steps_within`."""
    return steps * sampler.evaluations - _spared(sampler, to_zero)


def _spared(sampler: Sampler, to_zero: bool) -> int:
    """Evaluations that the last step does without."""
    return int(to_zero and sampler.stages is not None and sampler.stages.euler_to_zero)


def compare_samplers(problem: Problem, *, evaluations: int | None = None, steps: int | None = None,
                     names: Sequence[str] = (), information: str = "all",
                     tell: Callable[..., Any] = lambda *_: None) -> list[Compared]:
    """Every sampler on the process, data, horizon and kind of grid of one problem; what fails has its reason.

    Parameters
    ----------
    problem : Problem
        Its sampler and its number of steps do not matter.
    evaluations, steps : int
        One of the two: score evaluations of each, or steps of each.
    names : sequence of str
        Keys of samplers; all that have a form for the process by default.
    information : str
        "all" or "constants": what the bounds may know of the data.
    tell : callable
        (fraction, what) -> None, told of progress.

    Returns
    -------
    list of Compared
        The smallest bound first, those without one last.

    Raises
    ------
    ValueError
        If a name is unknown, or not one of ``evaluations`` and ``steps`` is a number >= 1.
    """
    given = [(name, value) for name, value in (("evaluations", evaluations), ("steps", steps))
             if value is not None]
    if len(given) != 1:
        raise ValueError("evaluations or steps must be given, and not both")
    (name, count), = given
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
    chosen, found = _chosen(problem, names), []
    for place, sampler in enumerate(chosen):
        tell(place / len(chosen), sampler.key)
        found.append(_on_its_grid(problem, sampler, evaluations, steps, information))
    return sorted(found, key=_order)


def plan_samplers(problem: Problem, eps: float, *, grid: str = "best", horizon: float | None = None,
                  names: Sequence[str] = (), information: str = "all",
                  tell: Callable[..., Any] = lambda *_: None) -> list[Compared]:
    """The evaluations that each sampler needs for W2 <= eps, by the plan of its smallest bound.

    Parameters
    ----------
    problem, names, information, tell
        As in `compare_samplers`; the horizon and the grid do not matter either.
    eps : float
    grid : str
        "uniform" or "best".
    horizon : float, optional
        A fixed one; each sampler's best by default.

    Returns
    -------
    list of Compared
        The fewest evaluations first, samplers that do not reach ε last, with the reason.

    Raises
    ------
    ValueError
        If a name is unknown, or ``eps`` is not positive.
    """
    if not (math.isfinite(eps) and eps > 0):
        raise ValueError(f"eps must be positive and finite, got {eps}")
    check_key("grid", grid, ("uniform", "best"))
    chosen, found = _chosen(problem, names), []
    for place, sampler in enumerate(chosen):
        tell(place / len(chosen), sampler.key)
        found.append(_planned(problem, sampler, eps, grid, horizon, information))
    return sorted(found, key=_order_of_plans)


def _order(row: Compared):
    return row.bound is None, math.inf if row.bound is None else row.bound, row.sampler


def _order_of_plans(row: Compared):
    return row.evaluations is None, row.evaluations or 0, *_order(row)


def _chosen(problem: Problem, names: Sequence[str]) -> list[Sampler]:
    """The samplers asked for, the problem's own among them."""
    known = dict(samplers(problem.process.blocks))
    known.setdefault(problem.scheme.key, problem.scheme.sampler)
    for name in names:
        check_key("sampler", name, known)
    return [known[name] for name in dict.fromkeys(names or known)]


def _on_its_grid(problem: Problem, sampler: Sampler, evaluations: int | None, steps: int | None,
                 information: str) -> Compared:
    row, old = Compared(sampler.key, not sampler.follows_ode), problem.scheme.grid
    count = steps
    if evaluations is not None:
        count = steps_within(sampler, evaluations, old.early_stop == 0)
    if not count:
        return replace(row, reason=f"a step takes {sampler.evaluations} evaluations")
    row = replace(row, steps=count, evaluations=evaluations_of(sampler, count, old.early_stop == 0))
    try:
        grid = grid_of_steps(problem.process, old, count)
        row = replace(row, horizon=grid.horizon)
        setting = _setting(problem, sampler, grid, information)
    except REFUSED as error:
        return replace(row, reason=_said(error))
    with np.errstate(all="ignore"):  # what overflows is an infinite bound, or refused by name
        return _measured(_bounded(row, setting), setting, problem)


def _setting(problem: Problem, sampler: Sampler, grid: TimeGrid, information: str) -> Setting:
    old = problem.scheme
    # the last step of every sampler is as the problem's, where it has noise to leave out
    noise = old.last_step_noise or sampler.follows_ode
    scheme = Scheme(sampler, grid, old.prior_std, old.prior_spread, noise, old.from_mean, old.score_times, old.prior_mean,
                    old.prior_covariance)
    if not problem.assumptions:
        raise ValueError(f"data assumption: {'; '.join(problem.notes)}")
    return setting_of_problem(replace(problem, scheme=scheme), information)


def _bounded(row: Compared, setting: Setting) -> Compared:
    """With the smallest bound, or why there is none."""
    found, reasons = smallest_bound(setting)
    if found is None:
        return replace(row, reason="; ".join(reasons))
    return replace(row, theorem=found.theorem, bound=float(found.total))


def smallest_bound(setting: Setting) -> tuple[Bound | None, list[str]]:
    """(the smallest upper bound, why other theorems have none)."""
    found, reasons = [], []
    for theorem in theorems().values():
        if theorem.kind != "upper":
            continue
        try:
            found.append(theorem.bound(setting))
        except NotApplicable as error:
            reasons += error.unmet
        except REFUSED as error:
            reasons.append(_said(error))
    if setting.process.blocks == 1 and setting.scheme.sampler.multistep is not None:
        reasons = ["multistep: no bound is known here"]
    return min(found, key=lambda bound: float(bound.total), default=None), list(dict.fromkeys(reasons))


def _measured(row: Compared, setting: Setting, problem: Problem) -> Compared:
    """With the exact W2, or why there is none."""
    if problem.law is None:
        return replace(row, reason=_joined(row.reason, "no exact W2 is known: the data are constants alone"))
    try:
        exact = measure(setting, problem.law)
    except REFUSED as error:
        return replace(row, reason=_joined(row.reason, _said(error)))
    if math.isfinite(exact.upper):
        return replace(row, exact=exact)
    reason = f"no exact W2 is known: {exact.method.removeprefix(NO_EXACT_LAW)}"
    return replace(row, exact=exact, reason=_joined(row.reason, reason))


def _planned(problem: Problem, sampler: Sampler, eps: float, grid: str, horizon: float | None,
             information: str) -> Compared:
    row = Compared(sampler.key, not sampler.follows_ode)
    try:
        first = grid_of_steps(problem.process, problem.scheme.grid, FEW_STEPS)
        setting = _setting(problem, sampler, first, information)
        with np.errstate(all="ignore"):
            best, reasons = smallest_bound(setting)
            if best is None:
                return replace(row, reason="; ".join(reasons))
            chosen = theorems()[best.theorem]
            kind = grid if has_best_grid(chosen, setting) else "uniform"
            planner = planner_of(chosen, setting, grid=kind, horizon=horizon)
            plan = planner.plan(eps)
            row = replace(row, theorem=best.theorem, horizon=plan.horizon)
            if plan.grid is None or plan.bound is None or plan.steps is None:
                return replace(row, reason=plan.blocking or "out of reach")
            setting = replace(setting, scheme=replace(setting.scheme, grid=plan.grid))
            row = replace(row, steps=plan.steps, bound=float(plan.bound.total),
                          evaluations=evaluations_of(sampler, plan.steps, plan.grid.early_stop == 0))
            return _measured(row, setting, problem)
    except REFUSED as error:
        return replace(row, reason=_said(error))


def _said(error: BaseException) -> str:
    """What went wrong, in one line."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _joined(one: str, two: str) -> str:
    return f"{one}; {two}" if one else two



def plot_effort(ax: Axes, rows: Sequence[Compared], title: str = "") -> None:
    """Bound and exact W2 of every sampler with one of them, as dots on a line; open where steps have noise.

    Parameters
    ----------
    ax : matplotlib Axes
        Errors are its own alone.
    rows : sequence of Compared
        As from `compare_samplers`.
    title : str
        What is compared.
    """
    ax.set_title(title, fontsize="medium", loc="left", pad=26)
    shown = [row for row in rows if row.as_dict()["bound"] or row.as_dict()["exact_upper"]]
    for place, row in enumerate(shown):
        known = row.as_dict()
        both = [known[key] for key in ("exact_upper", "bound") if known[key]]
        ax.plot(both, [place] * len(both), color=MUTED, lw=1.2, zorder=1)
        for key, colour, marker in (("bound", BOUND, "o"), ("exact_upper", EXACT, "s")):
            if known[key]:
                ax.plot(known[key], place, marker, color=colour, mfc=OPEN if row.noise else colour, ms=6.5)
    legend = (("smallest bound", BOUND, "o", BOUND), ("exact W2", EXACT, "s", EXACT),
              ("open: with noise", MUTED, "o", OPEN))
    for label, colour, marker, face in legend:
        ax.plot([], [], marker, color=colour, mfc=face, ms=6.5, label=label)
    _finish(ax, [f"{row.sampler} ({row.steps})" for row in shown],
            "W2, in the units of the data (steps in brackets)")


def plot_plans(ax: Axes, rows: Sequence[Compared], eps: float, title: str = "") -> None:
    """Score evaluations that every sampler which reaches ``eps`` needs, as dots; open where steps have noise.

    Parameters
    ----------
    ax : matplotlib Axes
        Errors are its own alone.
    rows : sequence of Compared
        As from `plan_samplers`.
    eps : float
    title : str
        What is compared.
    """
    ax.set_title(title, fontsize="medium", loc="left", pad=26)
    shown = [row for row in rows if row.evaluations is not None]
    for place, row in enumerate(shown):
        needed = row.evaluations or 0
        ax.plot(needed, place, "o", color=BOUND, mfc=OPEN if row.noise else BOUND, ms=6.5)
        ax.annotate(f"{needed:,}", (needed, place), (8, 0), textcoords="offset points", va="center",
                    fontsize="small")
    for label, face in (("without noise", BOUND), ("with noise", OPEN)):
        ax.plot([], [], "o", color=BOUND, mfc=face, ms=6.5, label=label)
    ax.margins(x=0.15)
    _finish(ax, [row.sampler for row in shown], f"score evaluations that a bound of {eps:g} takes")


def _finish(ax: Axes, names: list[str], label: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yticks(list(range(len(names))), names)
    ax.set_xscale("log")
    # plain numbers that do not run into each other
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 30 * low else (1.0,), numticks=8))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.invert_yaxis()
    ax.grid(axis="both", which="major", lw=0.4, alpha=0.5)
    ax.set_xlabel(label)
    ax.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
