"""Blocked sampler, compiled too, against a plain (N, components, d) numpy loop, paired and interleaved (a script).

    python tests/benchmarks/sampler.py [--threads 2] [--rounds 7] [--json]
    python tests/benchmarks/sampler.py --memory          # peak memory of 1e7 particles

Every round times each candidate once, in random order; a ratio is plain / blocked of the same round, and
the table shows medians. Times are nanoseconds per particle, step and dimension: of the processor with one thread, of the
wall with more.
"""

import argparse
import importlib.util
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np  # noqa: E402  (after the environment that OpenBLAS reads)

from bounds.steps.affine import Steps  # noqa: E402
from closed_form.laws.mixture import GaussianMixture  # noqa: E402
from verify.particles import compiled  # noqa: E402
from verify.particles.backends import backend  # noqa: E402
from verify.particles.simulation import sample  # noqa: E402

CASES = ((2, 1, 1 << 17), (4, 2, 1 << 16), (8, 16, 1 << 14), (10, 64, 1 << 12))  # components, d, particles


def euler(k: int) -> Steps:
    """Euler-Maruyama for the Ornstein-Uhlenbeck process, horizon 5."""
    times = np.linspace(5.0, 0.0, k + 1)
    h, a = -np.diff(times), np.exp(-times)
    return Steps(times, 1.0 + h, 2.0 * h, 2.0 * h, a, 1.0 - a * a, 1.0)


def plain(law: GaussianMixture, steps: Steps, n: int, seed: int) -> np.ndarray:
    """What one writes first: all particles at once, an array (N, components, d) for the score."""
    rng = np.random.default_rng(seed)
    y = np.sqrt(steps.prior_var) * rng.standard_normal((n, law.dim))
    for i in range(len(steps)):
        a, variance = steps.a[i], steps.a[i] ** 2 * law.std**2 + steps.s_sq[i]
        offset = y[:, None, :] - a * law.means
        logits = np.log(law.weights) - 0.5 * (offset**2).sum(axis=2) / variance
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        score = -(weights[:, :, None] * offset).sum(axis=1) / variance
        y = steps.P[i] * y + steps.Q[i] * score + np.sqrt(steps.noise_var[i]) * rng.standard_normal(y.shape)
    return y


def measured(components: int, d: int, n: int, k: int, rounds: int, threads: int) -> dict:
    """Medians over rounds of every candidate, and of the ratios within rounds."""
    rng, clock = np.random.default_rng(0), time.perf_counter if threads > 1 else time.process_time
    law, steps = GaussianMixture(rng.standard_normal((components, d)), std=0.5), euler(k)

    def blocked(threads=1, least=np.inf, dtype="float64"):
        compiled.LEAST = least
        return sample(law, steps, n, 1, threads=threads, reduce=False, backend=backend(dtype=dtype))

    candidates = {"plain": lambda: plain(law, steps, n, 1), "blocked 1": blocked}
    if threads > 1:
        candidates[f"blocked {threads}"] = lambda: blocked(threads)
    if importlib.util.find_spec("numba"):
        candidates |= {f"compiled {dtype}": lambda dtype=dtype: blocked(1, 0, dtype) for dtype in ("float64", "float32")}
    for run in candidates.values():
        run()
    times = {name: [] for name in candidates}
    for _ in range(rounds):
        for name in rng.permutation(list(candidates)):
            start = clock()
            candidates[name]()
            times[name].append((clock() - start) / (n * k * d) * 1e9)
    ratios = {
        name: [slow / fast for slow, fast in zip(times["plain"], taken, strict=True)]
        for name, taken in times.items()
        if name != "plain"
    }
    return {
        "components": components,
        "d": d,
        "n": n,
        "steps": k,
        "ns": {name: statistics.median(taken) for name, taken in times.items()},
        "ratio": {name: statistics.median(values) for name, values in ratios.items()},
        "smallest_ratio": {name: min(values) for name, values in ratios.items()},
    }


def peak_memory(n: int, threads: int) -> dict:
    """Peak resident memory of this process after one run of n particles in dimension 1."""
    law = GaussianMixture([[-1.0], [1.0]], std=0.5)
    start = time.perf_counter()
    samples = sample(law, euler(10), n, 1, threads=threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "n": n,
        "seconds": time.perf_counter() - start,
        "result_mb": samples.nbytes / 1e6,
        "peak_mb": peak / 1e6,
    }


def main() -> None:
    """Measure and print, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.memory:
        row = peak_memory(10_000_000, options.threads)
        text = f"result {row['result_mb']:.0f} MB, peak {row['peak_mb']:.0f} MB, {row['seconds']:.1f} s"
        print(json.dumps(row) if options.json else f"{row['n']} particles: {text}")
        return
    rows = [measured(*case, options.steps, options.rounds, options.threads) for case in CASES]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(f"J={row['components']:<3} d={row['d']:<3} plain: {row['ns']['plain']:6.1f} ns", end="")
        for name, ratio in row["ratio"].items():
            smallest = row["smallest_ratio"][name]
            print(f"   {name}: {row['ns'][name]:5.1f} ns, {ratio:4.1f}x (min {smallest:.1f})", end="")
        print()


if __name__ == "__main__":
    main()
