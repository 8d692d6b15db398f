"""The forward processes that arXiv 2311.11003 compares on CIFAR-10, on a Gaussian of that dimension: is VP better than VE?"""

import math

import numpy as np

from bounds import ve, vp
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.gaussian import Gaussian
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.pages.palette import NOTE, colour

THEOREMS = ("martingale", "gao2025-general-sde")
#: How many times the largest martingale bound the picture shows; what is longer is cut off, and says how long it is.
MOST = 30
#: β from 0.1 to 20, σ from 0.01 to 50, as in the experiments of that paper; (b + at)^ρ with its ρ.
PROCESSES = {
    "VP, linear": ("vp", "1/10 + 199/10*t"),
    **{f"VP, (b+at)^{power}": ("vp", f"({0.1 ** (1 / power)!r} + {20 ** (1 / power) - 0.1 ** (1 / power)!r}*t)**{power}")
       for power in (2, 3, 5, 7)},
    "VP, a e^(bt)": ("vp", f"1/10*exp({math.log(200)!r}*t)"),
    "VE, a e^(bt)": ("ve", f"1/100*sqrt(2*log(5000))*exp({math.log(5000)!r}*t)"),
    "VE, √(2at)": ("ve", "50*sqrt(2*t)"),
    "VE, a": ("ve", "50"),
}


def images(dim: int) -> Gaussian:
    """A Gaussian with the spectrum of natural images, λ_k ∝ 1/k, and a variance of ¼ a coordinate."""
    spectrum = 1.0 / np.arange(1, dim + 1)
    return Gaussian(np.zeros(dim), spectrum * 0.25 * dim / spectrum.sum())


def run(quick: bool, tell) -> Result:
    """Exact W2 and bounds of every process at T = 1 and 1000 steps of Euler–Maruyama (N = 1000 in the paper)."""
    dim, steps = (48, 200) if quick else (3072, 1000)
    law, rows = images(dim), []
    for done, (name, (family, coefficient)) in enumerate(PROCESSES.items()):
        tell(done / len(PROCESSES), name)
        process = vp(coefficient) if family == "vp" else ve(coefficient)
        setting = setting_of(process, law, euler_maruyama(1.0, steps))
        row = {"process": name, "family": family, "dim": dim, "steps": steps,
               "exact": measure(setting, law).midpoint}
        rows.append(row | {key: theorems()[key].bound(setting).total for key in THEOREMS})
    return Result(rows, _findings(rows))


def _findings(rows: list[dict]) -> list[str]:
    order = sorted(rows, key=lambda row: row["exact"])
    best = {family: next(row for row in order if row["family"] == family) for family in ("vp", "ve")}
    found = [f"exact W2: best of VP is {best['vp']['process']} ({best['vp']['exact']:.4g}), best of VE is "
             f"{best['ve']['process']} ({best['ve']['exact']:.4g})"]
    for key in THEOREMS:
        by_bound = [row["process"] for row in sorted(rows, key=lambda row: row[key])]
        agreed = sum(1 for i, a in enumerate(order) for b in order[i + 1:]
                     if by_bound.index(a["process"]) < by_bound.index(b["process"]))
        pairs = len(rows) * (len(rows) - 1) // 2
        found.append(f"{key} orders {agreed} of {pairs} pairs of processes as the exact W2 does; its best is {by_bound[0]}")
    return found


def draw(figure, result: Result) -> None:
    """A bar a process and quantity."""
    ax = figure.subplots()
    place = np.arange(len(result.rows))
    most = MOST * max(row[key] for row in result.rows for key in ("exact", THEOREMS[0]))
    for shift, name in zip((-0.27, 0.0, 0.27), ("exact", *THEOREMS), strict=True):
        # an infinite bound has no bar
        lengths = [math.nan if math.isinf(row[name]) else row[name] for row in result.rows]
        ax.barh(place + shift, lengths, 0.25, label="exact W2" if name == "exact" else name, color=colour(name))
        for at, row in zip(place + shift, result.rows, strict=True):
            if row[name] > most:
                ax.annotate(f"{row[name]:.1e} →", (most, at), (-4, 0), textcoords="offset points", ha="right", va="center",
                            fontsize="x-small", color=NOTE if math.isinf(row[name]) else "white")
    ax.set_yticks(place, [row["process"] for row in result.rows])
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlim(min(row["exact"] for row in result.rows) / 3, most)
    first = result.rows[0]
    ax.set_xlabel(f"W2 (Gaussian, d = {first['dim']}, λ_k ∝ 1/k, Euler–Maruyama, T = 1, {first['steps']} steps)")
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


EXPERIMENT = Experiment("published-schedules", "VE and VP at the settings of arXiv 2311.11003",
                        "Is VP better than VE at the settings of the paper's CIFAR-10 experiments, and do the bounds rank them?",
                        run, draw)
