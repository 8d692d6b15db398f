"""Does a grid that refines in the non-contractive phase beat a uniform one at equal steps, in bound and in
exact W2?"""

from dataclasses import replace

import numpy as np

from bounds import ou
from bounds.complexity.best_grid import model_of
from bounds.contraction.ou_phases import eta
from bounds.grid import TimeGrid
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.experiment import Experiment, Result
from verify.pages.palette import BOUND, EXACT, MUTED, OPEN

SHARES = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
HORIZON = 4.0


def mixtures() -> dict[str, GaussianMixture]:
    """Eight laws on a line, from nearly log-concave to strongly bimodal."""
    modes = GaussianMixture.two_modes
    return {
        "±0.3, s = 0.5 (M < α)": modes(0.6, 0.5),
        "±1, s = 1": modes(2.0, 1.0),
        "±1, s = 0.7": modes(2.0, 0.7),
        "±1, s = 0.5": modes(2.0, 0.5),
        "±1, s = 0.4": modes(2.0, 0.4),
        "unequal weights": GaussianMixture(np.array([[-1.0], [1.0]]), weights=[0.9, 0.1], std=0.5),
        "three modes": GaussianMixture(np.array([[-1.5], [0.0], [1.5]]), std=0.6),
        "five modes": GaussianMixture(np.linspace(-2, 2, 5)[:, None], std=0.7),
    }


def two_phase_grid(horizon: float, boundary: float, steps: int, share: float) -> TimeGrid:
    """A share of the steps, equal, below the boundary; the others, equal, above it."""
    below = min(max(round(share * steps), 1), steps - 1)
    above = np.linspace(horizon, boundary, steps - below + 1)
    return TimeGrid.from_times(np.concatenate([above, np.linspace(boundary, 0.0, below + 1)[1:]]))


def run(quick: bool, tell) -> Result:
    """For each mixture: uniform grid, the two-phase grids split at η, and the best grid of the bound."""
    steps, shares = (100, SHARES[::3]) if quick else (400, SHARES)
    theorem, rows = theorems()["martingale"], []
    chosen = list(mixtures().items())[: 6 if quick else None]
    for done, (name, law) in enumerate(chosen):
        tell(done / len(chosen), name)
        setting = setting_of(ou(), law, euler_maruyama(HORIZON, steps))
        assumption = setting.assumption
        boundary = float(eta(assumption.alpha, assumption.M, 0.0))

        def measured(grid, setting=setting, law=law):
            changed = replace(setting, scheme=replace(setting.scheme, grid=grid))
            return theorem.bound(changed).total, sampler_w2(law, true_steps(changed)).midpoint

        uniform = measured(setting.scheme.grid)
        best = measured(model_of(theorem, setting).best_grid(steps))
        uniform_share = (boundary or 0.5) / HORIZON
        # where the flow contracts throughout there is no boundary: the grid is split at 1/2
        edge = boundary or 0.5
        split = {share: measured(two_phase_grid(HORIZON, edge, steps, share)) for share in shares}
        for_bound = min(split, key=lambda share: split[share][0])
        for_exact = min(split, key=lambda share: split[share][1])
        rows.append({
            "mixture": name, "M_over_alpha": assumption.M / assumption.alpha, "eta": boundary, "steps": steps,
            "uniform_bound": uniform[0], "uniform_exact": uniform[1], "uniform_share": uniform_share,
            "share_for_bound": for_bound, "gain_bound": uniform[0] / split[for_bound][0],
            "share_for_exact": for_exact, "gain_exact": uniform[1] / split[for_exact][1],
            "exact_gain_at_share_for_bound": uniform[1] / split[for_bound][1],
            "best_grid_gain_bound": uniform[0] / best[0], "best_grid_gain_exact": uniform[1] / best[1],
        })
    return Result(rows, _findings(rows))


def _findings(rows: list[dict]) -> list[str]:
    def span(name):
        values = [row[name] for row in rows]
        return f"{min(values):.2f} to {max(values):.2f}, median {np.median(values):.2f}"

    return [
        f"two-phase grid split at η, gain in bound: {span('gain_bound')}; in exact W2: {span('gain_exact')}",
        f"share of steps below η that serves the bound: {span('share_for_bound')} (uniform: "
        f"{span('uniform_share')}); "
        f"the exact W2: {span('share_for_exact')}",
        f"best grid of the bound, gain in bound: {span('best_grid_gain_bound')}; in exact W2: "
        f"{span('best_grid_gain_exact')}",
    ]


def draw(figure, result: Result) -> None:
    """Gains of the two kinds of grid, in bound and in exact W2, one line a mixture."""
    ax, places = figure.subplots(), np.arange(len(result.rows))
    figure.suptitle(f"½N(±m, s²) and others, OU, Euler–Maruyama, T = {HORIZON:g}, {result.rows[0]['steps']} steps",
                    fontsize="small")
    styles = {
        "gain_bound": ("two-phase grid, bound", BOUND, "o", OPEN),
        "gain_exact": ("two-phase grid, exact W2", EXACT, "s", OPEN),
        "best_grid_gain_bound": ("best grid of the bound, bound", BOUND, "o", None),
        "best_grid_gain_exact": ("best grid of the bound, exact W2", EXACT, "s", None),
    }
    for key, (label, colour, marker, face) in styles.items():
        ax.plot([row[key] for row in result.rows], places, marker, color=colour, mfc=face or colour, ms=6,
                label=label)
    ax.axvline(1.0, color=MUTED, lw=0.8)
    ax.set_yticks(places, [row["mixture"] for row in result.rows])
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter("")
    ax.set_xticks([0.25, 0.5, 1, 2, 4, 8], ["1/4", "1/2", "1", "2", "4", "8"])
    ax.set_xlabel("gain over the uniform grid at equal steps (1: none)")
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


EXPERIMENT = Experiment(
    "adaptive-grid", "Refining in the non-contractive phase",
    "Does a grid that refines below η beat a uniform one at equal steps, in bound and in exact W2?", run, draw
)
