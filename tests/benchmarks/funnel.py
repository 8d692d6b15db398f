"""The funnel's sampler in dimension 100: time per particle-step and peak memory, whole and by the Gram matrix
(a script).

    python tests/benchmarks/funnel.py [--particles 50000] [--steps 1000] [--epsilon 0.25] [--whole] [--json]

With a progress bar on the error stream. Times are nanoseconds per particle and step, and per particle, step
and dimension.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from bounds.processes.cld import cld  # noqa: E402  (after the environment that OpenBLAS reads)
from bounds.sampler import euler_maruyama  # noqa: E402
from closed_form.laws.funnel import Funnel  # noqa: E402
from verify.particles.simulation import sample  # noqa: E402

DIM = 100


def measured(particles: int, steps: int, epsilon: float, reduce: bool) -> dict:
    """One run of the published process at a = 1."""
    process = cld(a=1, sigma=2**0.5, epsilon=epsilon, velocity_variance=0.01, clock="4*t")
    numbers, law = euler_maruyama(1.0, steps).steps(process), Funnel(DIM, 1.0, standardized=True)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    samples = sample(law, numbers, particles, 1, reduce=reduce, progress=_bar)
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "particles": particles, "steps": steps, "epsilon": epsilon, "reduce": reduce, "seconds": taken,
        "ns_per_particle_step": taken / particles / steps * 1e9,
        "ns_per_particle_step_dimension": taken / particles / steps / DIM * 1e9,
        "result_mb": samples.nbytes / 1e6,
        "extra_mb": max(0.0, (peak - before) * 1024 / 1e6 - samples.nbytes / 1e6),
    }


def _bar(fraction: float) -> None:
    filled = round(40 * fraction)
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {fraction:4.0%}" + "\n" * (fraction >= 1.0))
    sys.stderr.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=int, default=50_000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--epsilon", type=float, default=0.25)
    parser.add_argument("--whole", action="store_true", help="simulate every coordinate")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    row = measured(options.particles, options.steps, options.epsilon, not options.whole)
    if options.json:
        print(json.dumps(row))
        return
    for name, value in row.items():
        print(f"{name:<34}{value:>12.4g}" if not isinstance(value, bool) else f"{name:<34}{value!s:>12}")


if __name__ == "__main__":
    main()
