"""Seconds to plan one (ε, d) cell: ε from 0.5 to 1e-3, d from 1 to 10⁴, three processes, both grids."""

import itertools
import statistics
import time

import numpy as np

from bounds import ou, ve, vp
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form import Gaussian
from verify.certificates.question import setting_of
from verify.planning.by_model import Planner

EPS, DIMENSIONS = (0.5, 0.1, 0.02, 0.005, 0.001), (1, 10, 100, 1000, 10_000)

if __name__ == "__main__":
    print("process            grid     median s    max s    at (ε, d)         largest K   (25 cells each)")
    for process, grid in itertools.product((ou(), vp("1/10+199/10*t"), ve(1)), ("uniform", "best")):
        seconds, largest = {}, 0
        for eps, dim in itertools.product(EPS, DIMENSIONS):
            start = time.perf_counter()
            setting = setting_of(process, Gaussian(np.zeros(dim), 1.0), euler_maruyama(1, 1))
            plan = Planner(theorems()["martingale"], setting, grid=grid).plan(eps)
            seconds[eps, dim] = time.perf_counter() - start
            largest = max(largest, plan.steps or 0)
        name = f"{process.name} {process.parameters or ''}"[:18]
        slowest, median = max(seconds, key=seconds.get), statistics.median(seconds.values())
        print(
            f"{name:18} {grid:8} {median:8.2f} {seconds[slowest]:8.2f}    {slowest!s:15} {largest:12,}",
            flush=True,
        )
