"""Gaussian data under the schedules of arXiv 2402.04650: which of them is best in truth, and which do the bounds pick?"""

import numpy as np

from bounds import vp
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.gaussian import Gaussian
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.pages.palette import colour

THEOREMS = ("martingale", "gao2025-general-sde", "gentiloni2025-weak-log-concave")
#: The published family goes from 0.1 to 20 on [0, 1]; a = 0 is the linear schedule.
LOW, HIGH = "1/10", "20"


def schedule(a: int) -> str:
    """β_a(t) = β_0 + (β_1 − β_0)(e^{at} − 1)/(e^a − 1)."""
    shape = f"(exp({a}*t) - 1)/(exp({a}) - 1)" if a else "t"
    return f"{LOW} + ({HIGH} - {LOW})*{shape}"


def run(quick: bool, tell) -> Result:
    """Exact W2 and three bounds of N(1, ½ I_50), Euler–Maruyama, 500 steps, at every integer a."""
    law = Gaussian([1.0] * 50, 0.5)
    chosen, rows = (-10, 0, 2, 5, 10) if quick else range(-10, 11), []
    for done, a in enumerate(chosen):
        tell(done / len(chosen), f"a = {a}")
        setting = setting_of(vp(schedule(a)), law, euler_maruyama(1.0, 500))
        row = {"a": a, "exact": measure(setting, law).midpoint}
        rows.append(row | {key: theorems()[key].bound(setting).total for key in THEOREMS})
    return Result(rows, _findings(rows))


def best(rows: list[dict], name: str) -> dict:
    """The row in which that quantity is least."""
    return min(rows, key=lambda row: row[name])


def _findings(rows: list[dict]) -> list[str]:
    least = best(rows, "exact")
    found = [f"exact W2 is least at a = {least['a']}: {least['exact']:.4g}"]
    for key in THEOREMS:
        row = best(rows, key)
        found.append(f"{key} is least at a = {row['a']} ({row[key]:.4g}), where exact W2 is "
                     f"{row['exact'] / least['exact']:.3g} times its least")
    return found


def draw(figure, result: Result) -> None:
    """Exact W2 and every bound over a."""
    ax = figure.subplots()
    a = np.array([row["a"] for row in result.rows])
    for name in ("exact", *THEOREMS):
        values = [row[name] for row in result.rows]
        line, label = ("o-", "exact W2") if name == "exact" else (".--", name)
        ax.plot(a, values, line, ms=4, color=colour(name), label=label)
        ax.plot(best(result.rows, name)["a"], min(values), "v", color=ax.lines[-1].get_color(), ms=9)
    ax.set_yscale("log")
    ax.set_xlabel("a of the schedule (triangles: least)")
    ax.set_ylabel("W2, in the units of the data")
    ax.set_title("N(1, ½ I_50), β from 0.1 to 20, Euler–Maruyama, T = 1, 500 steps", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")


EXPERIMENT = Experiment("noise-schedule", "The schedules of arXiv 2402.04650",
                        "Which schedule of the published family is best in truth, and which do the bounds pick?", run, draw)
