"""Experiment: what a longer horizon is worth to the martingale bound at a fixed step."""

from __future__ import annotations

from bounds import euler_maruyama, ou
from bounds.theorems import theorems
from closed_form import Gaussian
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result


def run(quick: bool, tell) -> Result:
    """The bound on N(2, 1) under OU, h = 1/50, at some horizons."""
    horizons, rows = (1, 2) if quick else (1, 2, 4, 8), []
    for done, horizon in enumerate(horizons):
        tell(done / len(horizons), f"T = {horizon}")
        setting = setting_of(ou(), Gaussian([2.0], 1.0), euler_maruyama(horizon, 50 * horizon))
        rows.append({"horizon": horizon, "bound": theorems()["martingale"].bound(setting).total})
    return Result(rows, [f"from T = {rows[0]['horizon']} to {rows[-1]['horizon']} the bound falls by a factor "
                         f"{rows[0]['bound'] / rows[-1]['bound']:.3g}"])


def draw(figure, result: Result) -> None:
    """The bound over the horizon."""
    ax = figure.subplots()
    ax.semilogy([row["horizon"] for row in result.rows], [row["bound"] for row in result.rows], "o-")
    ax.set_xlabel("T, horizon")
    ax.set_ylabel("bound, in the units of the data")


EXPERIMENT = Experiment("tail-of-a-bound", "Horizon", "What is a longer horizon worth?", run, draw)
