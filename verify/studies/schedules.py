"""Noise schedules on the same data with the same number of steps: bound and exact W2, each on its best
horizon and grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bounds import ou, schedules, sub_vp, ve, vp
from bounds.argument import check_key
from bounds.assumption import Assumption
from bounds.process import ForwardProcess
from bounds.processes.cld import cld
from bounds.sampler import scheme
from bounds.theorem import Theorem
from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.certificates.sampled import NO_EXACT_LAW
from verify.certificates.theorem_named import find_theorem
from verify.pages.palette import BOUND, EXACT, OPEN
from verify.planning.by_bound import uniform_and_best

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["compare", "plot_comparison", "rows"]

#: Rows of arXiv 2311.11003 with the constants of its experiments where it gives them, the cosine and sub-VP
#: schedules, and critically-damped Langevin.
SCHEDULES: dict[str, Callable[[], ForwardProcess]] = {
    "VP, constant": lambda: vp(schedules.constant(1)),
    "VP, linear": lambda: vp(schedules.linear("1/10", "199/10")),
    "VP, (b+at)²": lambda: vp("(316/1000 + 4156/1000*t)**2"),
    "VP, (b+at)⁵": lambda: vp("(631/1000 + 119/100*t)**5"),
    "VP, exponential": lambda: vp("1/10*exp(53/10*t)"),
    "VP, cosine": lambda: vp(schedules.cosine()),
    "sub-VP, linear": lambda: sub_vp(schedules.linear("1/10", "199/10")),
    "OU": ou,
    "VE, constant": lambda: ve(1),
    "VE, √(2t)": lambda: ve("sqrt(2*t)"),
    "VE, (1+t)²": lambda: ve("(1+t)**2"),
    "VE, exponential": lambda: ve("1/100*exp(851/100*t)"),
    "CLD": cld,
}


@dataclass(frozen=True)
class Compared:
    """One schedule on one kind of grid.

    Attributes
    ----------
    schedule, grid : str
    horizon : float
        Where the bound is smallest.
    bound : float
    exact : Bracket
    """

    schedule: str
    grid: str
    horizon: float
    bound: float
    exact: Bracket


def compare(law: Law, steps: int, names: Sequence[str] = tuple(SCHEDULES),
            theorem: str | Theorem = "martingale", tell: Callable[..., Any] = lambda *_: None,
            assumption: Assumption | str | None = None, sampler: str = "euler-maruyama") -> list[Compared]:
    """Every schedule on its best uniform grid and on its best grid, exact score.

    Parameters
    ----------
    law : Gaussian or GaussianMixture
    steps : int
        K, the same for all.
    names : sequence of str
        Keys of `SCHEDULES`.
    theorem : str or Theorem
        Which bound chooses horizon and grid.
    tell : callable
        (fraction, what) -> None, told of progress.
    assumption : Assumption or str, optional
        Or the key of one that the law proves; by default the sharpest that the law proves.
    sampler : str
        Key of one that every schedule has a form for; without noise the theorem is "flow", say.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    found, chosen = [], find_theorem(theorem)
    for place, name in enumerate(names):
        check_key("schedule", name, SCHEDULES)
        setting = setting_of(SCHEDULES[name](), law, scheme(sampler, 0.5, 1), assumption=assumption)
        for half, (grid, planner) in enumerate(uniform_and_best(chosen, setting).items()):
            tell((place + half / 2) / len(names), f"{name}, {grid} grid")
            horizon, bound = planner.least_bound(steps)
            laid = replace(setting.scheme, grid=planner.grid(horizon, steps))
            found.append(
                Compared(name, grid, horizon, bound.total, measure(replace(setting, scheme=laid), law))
            )
    return found


def rows(found: Sequence[Compared]) -> list[dict[str, Any]]:
    """One row a schedule: both grids, their ranks by bound, and the gains of the best grid.

    An exact W2 that is not known, and a gain that it would take, is None; `unknown` says why.

    Parameters
    ----------
    found : sequence of Compared
        As from `compare`, whose errors come before.
    """
    table = {name: {} for name in dict.fromkeys(each.schedule for each in found)}
    for each in found:
        table[each.schedule][each.grid] = each
    ranks = {
        grid: {
            name: 1 + place for place, name in enumerate(sorted(table, key=lambda n: table[n][grid].bound))
        }
        for grid in ("uniform", "best")
    }
    result = []
    for name, by_grid in table.items():
        uniform, best = by_grid["uniform"], by_grid["best"]
        result.append({
            "schedule": name,
            **{
                f"{grid}_{key}": value
                for grid, each in by_grid.items()
                for key, value in (("horizon", each.horizon), ("bound", each.bound),
                                   ("exact", _known(each.exact.upper)), ("rank", ranks[grid][name]))
            },
            "gain_bound": _gain(uniform.bound, best.bound),
            "gain_exact": _gain(uniform.exact.upper, best.exact.lower),
        })
    return sorted(result, key=lambda row: row["best_bound"])


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _gain(before: float, after: float) -> float | None:
    """How many times smaller; None where either is not known, or there is nothing left."""
    return before / after if math.isfinite(before) and 0 < after < math.inf else None


def unknown(found: Sequence[Compared]) -> list[str]:
    """Why no exact W2 is known, a line for each reason with its schedules; empty where all are known."""
    reasons: dict[str, dict] = {}
    for each in found:
        if not math.isfinite(each.exact.upper):
            reasons.setdefault(each.exact.method.removeprefix(NO_EXACT_LAW), {})[each.schedule] = None
    return [f"no exact W2 is known for {', '.join(names)}: {reason}" for reason, names in reasons.items()]


def plot_comparison(ax: Axes, table: Sequence[dict[str, Any]]) -> None:
    """Bound and exact W2 of every schedule, uniform and best grid, as dots on a line.

    Parameters
    ----------
    ax : matplotlib Axes
        Errors are its own alone.
    table : list of dict
        As from `rows`.
    """
    styles = {
        "uniform_bound": (BOUND, "o", OPEN), "best_bound": (BOUND, "o", BOUND),
        "uniform_exact": (EXACT, "s", OPEN), "best_exact": (EXACT, "s", EXACT),
    }
    places = range(len(table))
    for key, (colour, marker, face) in styles.items():
        grid, what = key.split("_")
        label = f"{'bound' if what == 'bound' else 'exact W2'}, {grid} grid"
        values = [math.nan if row[key] is None else row[key] for row in table]
        ax.plot(values, places, marker, color=colour, mfc=face, ms=6, label=label)
    ax.set_yticks(list(places), [row["schedule"] for row in table])
    ax.set_xscale("log")
    ax.invert_yaxis()
    ax.grid(axis="y", lw=0.4, alpha=0.5)
    ax.set_xlabel("W2, in the units of the data")
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
