"""W2 of a two-dimensional mixture over horizon and step: is the initial error e^{−T}, and the rest √h or
h?"""

import numpy as np

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.experiment import Experiment, Result
from verify.pages import palette

THEOREMS = ("martingale", "martingale-coupled", "gentiloni2025-weak-log-concave")
#: Four modes on a rectangle that is not aligned with the axes: exact, and not a line.
CORNERS = np.array([[-1.0, -0.6], [-1.0, 0.6], [1.0, -0.6], [1.0, 0.6]])
TURN = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])


def mixture() -> GaussianMixture:
    """¼ Σ N(μ_i, 0.6² I) in the plane."""
    return GaussianMixture(CORNERS @ TURN + [0.3, 0.1], std=0.6)


def run(quick: bool, tell) -> Result:
    """Exact W2 and every applicable bound over T (at the smallest step) and over h (at the longest
    horizon)."""
    law, rows = mixture(), []
    horizons = np.linspace(0.5, 3.0, 4 if quick else 6)
    steps = 2 ** np.arange(5 if quick else 6, 8 if quick else 11)
    # the mean decays like e^{−T}; steps so short that they do not matter
    cases = [("horizon", T, int(2 * steps[-1])) for T in horizons]
    cases += [("step", 5.0, int(K)) for K in steps]
    for done, (sweep, T, K) in enumerate(cases):
        tell(done / len(cases), f"T = {T:g}, K = {K}")
        setting = setting_of(ou(), law, euler_maruyama(float(T), K, prior_std=1.0))
        exact = sampler_w2(law, true_steps(setting))
        row = {"sweep": sweep, "horizon": float(T), "steps": K, "step": float(T) / K, "exact": exact.midpoint}
        row |= {key: theorems()[key].bound(setting).total for key in THEOREMS}
        row |= {f"{key}_ratio": row[key] / exact.upper for key in THEOREMS}
        rows.append(row)
    return Result(rows, _findings(rows))


def slope(rows: list[dict], name: str) -> float:
    """Fitted slope: log W2 over T for the horizons, log W2 over log h for the steps."""
    along = [row["horizon"] if row["sweep"] == "horizon" else np.log(row["step"]) for row in rows]
    return float(np.polyfit(along, np.log([row[name] for row in rows]), 1)[0])


def _findings(rows: list[dict]) -> list[str]:
    over_time, over_step = ([row for row in rows if row["sweep"] == sweep] for sweep in ("horizon", "step"))
    last = over_step[-1]
    ratios = ", ".join(f"{key} {last[f'{key}_ratio']:.3g}" for key in THEOREMS)
    return [
        f"exact W2 falls like e^(s T), s = {slope(over_time[:-1], 'exact'):.3f}: the initial error e^(-T) "
        f"contracts again "
        "on the way back (theory: at least as fast as e^(-T))",
        f"exact W2 falls like h^s, s = {slope(over_step[-3:], 'exact'):.3f}; martingale s = "
        f"{slope(over_step[-3:], 'martingale'):.3f} (theory: 1); "
        f"gentiloni2025 s = {slope(over_step[-3:], 'gentiloni2025-weak-log-concave'):.3f} (theory: 1/2)",
        f"bound over exact at the smallest step: {ratios}",
    ]


def draw(figure, result: Result) -> None:
    """Two panels: over the horizon and over the step."""
    fixed = next(row for row in result.rows if row["sweep"] == "horizon")["steps"]
    figure.suptitle(f"¼ Σ N(μ_i, 0.6² I) in the plane, OU, Euler–Maruyama; left {fixed} steps, right T = 5", fontsize="small")
    left, right = figure.subplots(1, 2)
    names = {"exact": "exact W2", "martingale": "martingale", "martingale-coupled": "coupled",
             "gentiloni2025-weak-log-concave": "Gentiloni 2025"}
    for ax, sweep, key in ((left, "horizon", "horizon"), (right, "step", "step")):
        rows = [row for row in result.rows if row["sweep"] == sweep]
        x = np.array([row[key] for row in rows])
        for name, label in names.items():
            line = "o-" if name == "exact" else ".--"
            ax.plot(x, [row[name] for row in rows], line, ms=4, color=palette.colour(name), label=label)
        ax.set_yscale("log")
        first = rows[0]["exact"]
        if sweep == "horizon":
            ax.plot(x, first * np.exp(-(x - x[0])), color=palette.MUTED, lw=0.8, label=r"$e^{-T}$")
        else:
            ax.set_xscale("log")
            ax.xaxis.set_minor_formatter("")
            ax.set_xticks(x, [f"5/{row['steps']}" for row in rows], fontsize="small")
            ax.plot(x, first * x / x[0], color=palette.MUTED, lw=0.8, label="h")
            ax.plot(x, first * np.sqrt(x / x[0]), color=palette.MUTED, lw=0.8, ls=":", label="√h")
        ax.set_xlabel("horizon T" if sweep == "horizon" else "step h")
        ax.legend(frameon=False, fontsize="x-small")
    left.set_ylabel("W2, in the units of the data")


EXPERIMENT = Experiment("horizon-and-step", "2-D mixture over horizon and step",
                        "Does W2 fall like e^(-T) in the horizon and like h, not only √h, in the step?", run,
                        draw)
