"""Data in more and more dimensions: does the error grow like √d, and the number of steps with it (arXiv 2506.09681)?"""

import numpy as np

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.gaussian import Gaussian
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.pages.palette import BOUND, MUTED, colour
from verify.planning.by_bound import planner_of

THEOREMS = ("martingale", "martingale-coupled", "gao2025-general-sde", "gentiloni2025-weak-log-concave")
#: Which theorem plans the steps, and for what error.
PLANNER, EPS = "martingale", 0.5


def run(quick: bool, tell) -> Result:
    """Exact W2 and bounds of N(0, ¼ I_d) at 400 steps, and the steps that a plan gives for W2 ≤ 0.5."""
    rows = []
    dims = (1, 100, 10_000) if quick else (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
    for done, dim in enumerate(dims):
        tell(done / len(dims), f"d = {dim}")
        law = Gaussian(np.zeros(dim), 0.25)
        setting = setting_of(ou(), law, euler_maruyama(4.0, 400))
        row = {"dim": dim, "exact": measure(setting, law).midpoint}
        row |= {key: theorems()[key].bound(setting).total for key in THEOREMS}
        plan = planner_of(PLANNER, setting).plan(EPS)
        rows.append(row | {"eps": EPS, "planned_steps": plan.steps, "planned_horizon": plan.horizon})
    return Result(rows, _findings(rows))


def slope(rows: list[dict], name: str) -> float:
    """Fitted slope of a quantity's logarithm over log d."""
    return float(np.polyfit(np.log([row["dim"] for row in rows]), np.log([row[name] for row in rows]), 1)[0])


def _findings(rows: list[dict]) -> list[str]:
    found = [f"exact W2 grows like d^{slope(rows, 'exact'):.4f} at equal steps"]
    found += [f"{key} grows like d^{slope(rows, key):.4f}" for key in THEOREMS]
    first, last = rows[0], rows[-1]
    rates = [row | {"rate": row["planned_steps"] / row["planned_horizon"]} for row in rows[-2:]]
    found.append(f"steps for W2 ≤ {EPS:g} by {PLANNER}: {first['planned_steps']} at d = {first['dim']}, "
                 f"{last['planned_steps']} at d = {last['dim']}; between the last two the horizon T grows like log d, "
                 f"steps over T like d^{slope(rates, 'rate'):.3f}")
    return found


def draw(figure, result: Result) -> None:
    """W2 over d, and the planned steps over d."""
    left, right = figure.subplots(1, 2)
    dims = [row["dim"] for row in result.rows]
    for name in ("exact", *THEOREMS):
        line, label = ("o-", "exact W2") if name == "exact" else (".--", name)
        left.plot(dims, [row[name] for row in result.rows], line, ms=4, color=colour(name), label=label)
    left.set_ylabel("W2, in the units of the data")
    left.set_title("N(0, ¼ I), OU, T = 4, 400 steps", fontsize="medium")
    left.legend(frameon=False, fontsize="x-small")
    right.plot(dims, [row["planned_steps"] for row in result.rows], "o-", ms=4, color=BOUND, label=f"steps for W2 ≤ {EPS:g}")
    first = result.rows[-1]
    right.plot(dims, first["planned_steps"] * np.sqrt(np.array(dims) / first["dim"]), color=MUTED, lw=0.8, label="√d")
    right.set_ylabel("steps K")
    right.legend(frameon=False, fontsize="x-small")
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("dimension d")


EXPERIMENT = Experiment("dimension", "W2 and steps over the dimension",
                        "Does W2 grow like √d, and the number of steps for a given error with it (arXiv 2506.09681)?", run, draw)
