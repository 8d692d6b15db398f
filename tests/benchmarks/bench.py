"""Times of the hot paths: bounds, line law and command start; medians over rounds, and ratios where a
baseline exists. They are printed, and kept in docs/data/benchmarks.json for the table of the docs.

Run with ``make bench`` (numpy's OPENBLAS_* settings are cleared there).
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import scipy
import sympy

from bounds import StronglyLogConcave, WeaklyLogConcave, ou, vp
from bounds.sampler import euler_maruyama, heun
from bounds.setting import Setting
from bounds.theorems import theorems
from closed_form import GaussianMixture
from closed_form.sampler_laws.line.sampler import line_w2

ROUNDS = 3
OUT = Path(__file__).resolve().parents[2] / "docs" / "data" / "benchmarks.json"


def measured(function) -> float:
    """Median seconds over the rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def long_bound():
    """One problem of 10⁶ steps."""
    theorems()["martingale"].bound(Setting(ou(), StronglyLogConcave(4.0, 4.0), euler_maruyama(4.0, 10**6)))


def many_bounds(problems: int = 10_000, steps: int = 1000):
    """10,000 problems of 1,000 steps in one call."""
    rng = np.random.default_rng(0)
    alpha = np.exp(rng.normal(size=problems))
    assumption = WeaklyLogConcave(alpha, alpha * rng.uniform(0, 3, problems), 2 * alpha, dim=3)
    theorems()["martingale"].bound(Setting(vp("1/10 + 199/10*t"), assumption, euler_maruyama(1.0, steps)))


def one_by_one(problems: int = 40, steps: int = 1000):
    """The same, one call a problem."""
    rng = np.random.default_rng(0)
    for alpha in np.exp(rng.normal(size=problems)):
        assumption = WeaklyLogConcave(float(alpha), float(alpha), float(2 * alpha), dim=3)
        theorems()["martingale"].bound(Setting(vp("1/10 + 199/10*t"), assumption, euler_maruyama(1.0, steps)))


def line_law():
    """Exact W2 of 1,000 steps on two modes."""
    return line_w2(GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(5.0, 1000).steps(ou()))


def start_law():
    """Exact W2 of 1,000 steps of Heun's method on two modes."""
    return line_w2(GaussianMixture.two_modes(2.0, 0.5), heun(5.0, 1000).steps(ou()))


def flow_bound():
    """The flow bound of the same, from constants."""
    law = GaussianMixture.two_modes(2.0, 0.5)
    return theorems()["flow"].bound(Setting(ou(), law.assumptions()[0], heun(5.0, 1000)))


def command_help():
    """``sgm-bounds --help`` in a fresh process."""
    subprocess.run([sys.executable, "-m", "verify.cli", "--help"], check=True, capture_output=True)


def main() -> None:
    """Print the table, and keep it with what it was measured on."""
    long_bound()
    flow_bound()
    rows = {
        "bound, 10^6 steps [s]": measured(long_bound),
        "bound, 10,000 problems x 1,000 steps in one call [s]": measured(many_bounds),
        "line law, 1,000 steps, with error bracket [s]": measured(line_law),
        "line law without noise, 1,000 steps of Heun's [s]": measured(start_law),
        "flow bound, 1,000 steps of Heun's [s]": measured(flow_bound),
        "sgm-bounds --help [s]": measured(command_help),
    }
    rows["looping over problems / one call, per problem"] = measured(one_by_one) / 40 / (
        rows["bound, 10,000 problems x 1,000 steps in one call [s]"] / 10_000
    )
    bracket = line_law()
    rows["line law, relative half-width of the bracket"] = (bracket.upper - bracket.lower) / 2 / bracket.upper
    for name, value in rows.items():
        sys.stdout.write(f"{name:<58}{value:>12.4g}\n")
    OUT.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """What the times depend on: processor, its vector instructions that numpy uses, versions."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    vectors = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return {"processor": names[0] if names else platform.machine(), "vectors": vectors[-1] if vectors else "baseline",
            "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
            "sympy": sympy.__version__}


if __name__ == "__main__":
    main()
