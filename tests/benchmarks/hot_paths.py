"""CPU seconds of single hot paths, medians over rounds in which candidates take turns, with the ratio to a peer where
there is one: python tests/benchmarks/hot_paths.py [name ...], OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE unset.
"""

import statistics
import sys
import time

import numpy as np
import ot

from bounds import WeaklyLogConcave, ou, vp
from bounds import compiled as loops
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.steps.table import _kept_path
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.distances.gaussian import w2_gaussian
from closed_form.distances.sample_line import w2_sample_to_law
from closed_form.sampler_laws.line.sampler import line_w2
from verify.particles import compiled
from verify.particles.simulation import sample

ROUNDS = 7


def compared(title: str, candidates: dict, rounds: int = ROUNDS) -> None:
    """Print the median of each candidate, and of its ratio to the last one round by round."""
    times = {name: [] for name in candidates}
    for function in candidates.values():
        function()
    for _ in range(rounds):
        for name, function in candidates.items():
            start = time.process_time()
            function()
            times[name].append(time.process_time() - start)
    *_, peer = candidates
    for name, taken in times.items():
        ratio = statistics.median(own / other for own, other in zip(taken, times[peer], strict=True))
        sys.stdout.write(f"{title:<42}{name:<34}{statistics.median(taken):>10.4g} s{ratio:>9.3g}\n")
    sys.stdout.flush()


def phase_space():
    """One bound in phase space, 10⁴ steps."""
    laws = {"Gaussian": Gaussian([1.0], 0.25), "two modes": GaussianMixture.two_modes(1.0, 0.5)}
    for key in ("martingale", "strasman2025-cld"):
        settings = {name: Setting(cld(), law.assumptions()[0], euler_maruyama(8, 10_000)) for name, law in laws.items()}
        compared(f"{key}, cld, 10^4 steps", {
            name: lambda s=setting, k=key: theorems()[k].bound(s) for name, setting in settings.items()})


def wishart(rng, dim: int):
    """The covariance of 2d draws."""
    root = rng.standard_normal((dim, 2 * dim))
    return root @ root.T / (2 * dim)


def gaussians():
    """W2 of two full covariances, against POT."""
    for dim in (200, 1000):
        rng, mean = np.random.default_rng(dim), np.zeros(dim)
        first, second = wishart(rng, dim), wishart(rng, dim)
        laws = Gaussian(mean, first), Gaussian(mean, second)
        compared(f"W2 of two Gaussians, d = {dim}", {
            "w2_gaussian": lambda laws=laws: w2_gaussian(*laws),
            "POT": lambda a=first, b=second, m=mean: ot.gaussian.bures_wasserstein_distance(m, m, a, b)})


def sample_on_a_line(number: int = 1_000_000):
    """W2 of 10⁶ values and a law on the line, against sorting alone and against POT, which takes a second sample."""
    rng = np.random.default_rng(1)
    for name, law in {"normal": Gaussian([0.0], 1.0), "two modes": GaussianMixture.two_modes(2.0, 0.5)}.items():
        x, y = law.sample(number, rng).ravel(), law.sample(number, rng).ravel()
        compared(f"W2 of 10^6 values and a law, {name}", {
            "w2_sample_to_law": lambda x=x, law=law: w2_sample_to_law(x, law),
            "POT, against as large a sample": lambda x=x, y=y: ot.wasserstein_1d(x, y, p=2),
            "np.sort": lambda x=x: np.sort(x)})


def high_dimension():
    """2,000 particles of ten modes in 1,024 dimensions, 200 steps."""
    rng = np.random.default_rng(2)
    law, steps = GaussianMixture(rng.standard_normal((10, 1024)), std=0.5), euler_maruyama(5.0, 200).steps(ou())
    compared("2,000 particles, 10 modes, d = 1,024", {
        "by default": lambda: sample(law, steps, 2000, 1),
        "reduce=False": lambda: sample(law, steps, 2000, 1, reduce=False)}, rounds=3)


def compiled_normals():
    """Particles that numba draws and moves, against numpy's; the same to rounding."""
    rng = np.random.default_rng(0)
    for modes, dim, number in ((2, 1, 1 << 17), (8, 16, 1 << 14), (10, 64, 1 << 12)):
        law, steps = GaussianMixture(rng.standard_normal((modes, dim)), std=0.5), euler_maruyama(5.0, 40).steps(ou())

        def run(least, law=law, steps=steps, number=number):
            compiled.LEAST = least
            return sample(law, steps, number, 1, reduce=False)

        compared(f"{number} particles, {modes} modes, d = {dim}", {"numba": lambda run=run: run(0),
                                                                   "numpy": lambda run=run: run(np.inf)})


def line_law():
    """The law of two modes after 1,000 steps and its W2, by loops that numba compiles, and by numpy."""
    law, steps = GaussianMixture.two_modes(1.0, 0.5), euler_maruyama(5.0, 1000).steps(ou())

    def run(worth):
        usual, loops.WORTH = loops.WORTH, worth
        line_w2(law, steps)
        loops.WORTH = usual

    compared("line law and W2, 1,000 steps", {"numba": lambda: run(0.0), "numpy": lambda: run(np.inf)})


def one_bound():
    """One bound of 1,000 steps, its path known, and 1,000 bounds in one call."""
    laws = {"Gaussian": Gaussian([1.0], 0.25), "two modes": GaussianMixture.two_modes(1.0, 0.5)}
    settings = {name: Setting(ou(), law.assumptions()[0], euler_maruyama(5.0, 1000)) for name, law in laws.items()}
    alpha = np.exp(np.random.default_rng(0).normal(size=1000))
    settings["1,000 constants"] = Setting(ou(), WeaklyLogConcave(alpha, alpha, 2 * alpha, dim=3), euler_maruyama(5.0, 1000))
    compared("martingale, ou, 1,000 steps", {
        name: lambda s=setting: theorems()["martingale"].bound(s) for name, setting in settings.items()})


def one_by_one(problems: int = 40):
    """As many bounds of 1,000 steps, one call each, on one process and grid, and each on paths made anew."""
    constants = np.exp(np.random.default_rng(0).normal(size=problems)).tolist()

    def bounds_of(forget):
        for alpha in constants:
            if forget:
                _kept_path.cache_clear()
            assumption = WeaklyLogConcave(alpha, alpha, 2 * alpha, dim=3)
            theorems()["martingale"].bound(Setting(vp("1/10 + 199/10*t"), assumption, euler_maruyama(1.0, 1000)))

    compared(f"{problems} bounds, 1,000 steps", {"one call each": lambda: bounds_of(False),
                                              "paths made anew": lambda: bounds_of(True)})


PARTS = {"line-law": line_law, "one-bound": one_bound, "phase-space": phase_space, "gaussians": gaussians,
         "sample": sample_on_a_line, "particles": high_dimension, "one-by-one": one_by_one, "normals": compiled_normals}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
