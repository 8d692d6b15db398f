"""A score learned by a small network: its measured L2 error feeds the bound, and the sampler's law is still
exact."""

from dataclasses import replace

import numpy as np

from bounds import ou
from bounds.recursion.stepwise import stepwise_bound
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.perturbed_score import perturbed_line, perturbed_w2
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.pages import palette
from verify.studies.learned_score import train

HORIZON, STOP = 3.0, 0.02
#: (width, iterations) of the networks compared.
NETWORKS = ((8, 300), (16, 1000), (32, 3000))
#: What the size found by quadrature is raised by before it is called an upper bound.
SIZE_SLACK = 1e-3


def run(quick: bool, tell) -> Result:
    """Networks of three sizes on ½N(±1, 1/4): L2 error at the iterates, bound with it, exact W2 with the
    learned score."""
    law, steps = GaussianMixture.two_modes(2.0, 0.5), (40 if quick else 120)
    setting = setting_of(ou(), law, euler_maruyama(HORIZON, steps, early_stop=STOP))
    numbers, rows = setting.steps, []
    without = sampler_w2(law, numbers).midpoint
    networks = NETWORKS[:2] if quick else NETWORKS
    for place, (width, iterations) in enumerate(networks):
        def told(fraction, what, place=place):
            tell((place + fraction) / len(networks), f"{what}, network {place + 1}")

        learned = train(law, ou(), HORIZON, iterations=iterations, width=width, seed=7, tell=told)
        error = learned.error(law, numbers)
        sizes = perturbed_line(law, numbers, error).sizes
        size = float(sizes.max()) * (1 + SIZE_SLACK)
        theorem = theorems()["martingale"]
        bound = theorem.bound(replace(setting, score_error=size)).total
        stepwise = stepwise_bound(theorem, setting, sizes * (1 + SIZE_SLACK)).total
        exact = perturbed_w2(law, numbers, error)
        rows.append({
            "width": width, "iterations": iterations, "loss": learned.losses[-1], "score_error": size,
            "mean_score_error": float(np.sqrt(np.mean(sizes**2))), "exact": exact.midpoint,
            "exact_upper": exact.upper,
            "exact_without": without, "bound": bound, "bound_stepwise": stepwise,
            "holds": bool(exact.upper <= min(bound, stepwise)), "sizes": sizes.tolist(),
            "times": numbers.time[:-1].tolist(),
        })
    return Result(rows, _findings(rows))


def _findings(rows: list[dict]) -> list[str]:
    lines = [
        f"width {row['width']}, {row['iterations']} iterations: L2 error {row['score_error']:.3g} (largest "
        f"over the steps), "
        f"exact W2 {row['exact']:.4g} (exact score: {row['exact_without']:.4g}), bound {row['bound']:.4g}, "
        f"with the "
        f"error of each step {row['bound_stepwise']:.4g}: {'HOLDS' if row['holds'] else 'VIOLATED'}, ratio "
        f"{row['bound_stepwise'] / row['exact_upper']:.3g}"
        for row in rows
    ]
    return [
        *lines,
        "the L2 error grows towards t = 0, where the score is large: the one M for all steps is its largest "
        "value",
    ]


def draw(figure, result: Result) -> None:
    """L2 error over time, and W2 and bound over the error."""
    left, right = figure.subplots(1, 2)
    figure.suptitle(f"½N(±1, 1/4), OU, Euler–Maruyama, T = {HORIZON:g}, stopped at {STOP:g}, "
                    f"{len(result.rows[0]['times'])} steps", fontsize="small")
    for row in result.rows:
        left.loglog(row["times"], row["sizes"], label=f"width {row['width']}, {row['iterations']} iterations")
    left.set_xlabel("forward time t")
    left.set_ylabel("L2 error of the learned score at the iterates")
    sizes = [row["score_error"] for row in result.rows]
    right.semilogy(sizes, [row["exact"] for row in result.rows], "o", color=palette.EXACT,
                   label="exact W2, learned score")
    right.semilogy(sizes, [row["bound"] for row in result.rows], "s", color=palette.BOUND,
                   label="martingale bound")
    right.semilogy(sizes, [row["bound_stepwise"] for row in result.rows], "^", color=palette.OTHER,
                   label="with the error of each step")
    right.axhline(result.rows[0]["exact_without"], color=palette.MUTED, lw=0.8, ls="--",
                  label="exact W2, exact score")
    right.set_xlabel("L2 error, largest over the steps")
    right.set_ylabel("W2, in the units of the data")
    for ax in (left, right):
        ax.legend(frameon=False, fontsize="x-small")


EXPERIMENT = Experiment("learned-score", "A learned score",
                        "Does the bound with the measured L2 error hold for a network's score?", run, draw)
