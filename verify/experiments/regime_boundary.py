"""How errors contract on either side of the regime boundary: measured, against the rate and against the
bound's factor."""

import numpy as np

from bounds import ou
from bounds.contraction.ou_phases import eta, xi
from bounds.contraction.rate import rate
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.distances.line import w2_line
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.perturbed_score import perturbed_line
from closed_form.sampler_laws.line.sampler import sampler_line
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.experiment import Experiment, Result
from verify.pages import palette

STDS = (0.35, 0.5, 0.7)
PUSH = 1e-3


def run(quick: bool, tell) -> Result:
    """For ½N(±1, s²): runs that start at τ above and below η, from N(0, 1) and from it shifted; and W2 over
    the horizon."""
    stds, steps = (STDS[1:2] if quick else STDS), (100 if quick else 600)
    rows = []
    for place, std in enumerate(stds):
        law = GaussianMixture.two_modes(2.0, std)
        assumption = law.assumptions()[0]
        boundary, convex = (float(eta(assumption.alpha, assumption.M, 0.0)),
                            float(xi(assumption.alpha, assumption.M)))
        horizons = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0]) * boundary
        for done, T in enumerate(horizons):
            tell((place + done / len(horizons)) / len(stds), f"s = {std:g}, T = {T:.3g}")
            rows.append(_row(law, assumption, float(T), boundary, convex, steps))
    return Result(rows, _findings(rows))


def _row(law, assumption, T: float, boundary: float, convex: float, steps: int) -> dict:
    setting = setting_of(ou(), law, euler_maruyama(T, steps))
    bound = theorems()["martingale"].bound(setting)
    exact = sampler_w2(law, true_steps(setting))
    logs = {
        "contractive": -_integral(assumption, max(boundary, 1e-9), T) if boundary < T else 0.0,
        "non_contractive": -_integral(assumption, 1e-9, min(boundary, T)),
    }
    return {
        "std": law.std, "eta": boundary, "xi": convex, "horizon": T, "steps": steps, "exact": exact.midpoint,
        "bound": bound.total, "measured_factor": _measured_factor(law, setting),
        "rate_factor": float(np.exp(logs["contractive"] + logs["non_contractive"])),
        "factor_above_eta": float(np.exp(logs["contractive"])),
        "factor_below_eta": float(np.exp(logs["non_contractive"])),
        "bound_factor": float(bound.details["contraction"]),
    }


def _integral(assumption, start: float, end: float) -> float:
    """∫ of the contraction rate over forward time."""
    from scipy.integrate import quad

    return quad(lambda t: float(rate(ou(), assumption, np.array([t]))[0]), start, end)[0]


def _measured_factor(law, setting) -> float:
    """W2 between two runs whose states are pushed apart at the start, over the push, exactly: a shift of the
    first step."""
    steps = setting.steps
    # a constant push δ of the first iterate is a constant score error of δ/Q in that step alone
    def pushed(i, x):
        return np.full_like(x, PUSH / float(steps.Q[0]) if i == 0 else 0.0), np.zeros_like(x)

    plain, moved = sampler_line(law, steps).law, perturbed_line(law, steps, pushed).law
    return w2_line(plain, moved).midpoint / PUSH


def _findings(rows: list[dict]) -> list[str]:
    lines = []
    for std in dict.fromkeys(row["std"] for row in rows):
        mine = [row for row in rows if row["std"] == std]
        below, above = min(mine, key=lambda r: r["horizon"]), max(mine, key=lambda r: r["horizon"])
        least = min(mine, key=lambda row: row["exact"])
        lines.append(
            f"s = {std:g}, eta = {below['eta']:.3f}: a push grows to at most "
            f"{max(r['measured_factor'] for r in mine):.3g} of "
            f"itself; the rate allows {above['factor_below_eta']:.3g} below eta and leaves "
            f"{above['factor_above_eta']:.3g} above it (T = {above['horizon']:.2f}); exact W2 is least at "
            f"T = {least['horizon']:.2f} = {least['horizon'] / least['eta']:.2g} eta"
        )
    return lines


def draw(figure, result: Result) -> None:
    """Factors and W2 over the horizon in units of η."""
    left, right = figure.subplots(1, 2)
    std = result.rows[-1]["std"] if len({r["std"] for r in result.rows}) == 1 else 0.5
    rows = [row for row in result.rows if row["std"] == std]
    x = [row["horizon"] / row["eta"] for row in rows]
    figure.suptitle(f"½N(±1, {std:g}²), OU, Euler–Maruyama, {rows[0]['steps']} steps", fontsize="small")
    for key, label, colour in (("measured_factor", "measured", palette.EXACT),
                               ("rate_factor", "exp(−∫rate)", palette.OTHER),
                               ("bound_factor", "bound's product", palette.BOUND)):
        left.semilogy(x, [row[key] for row in rows], "o-", ms=4, color=colour, label=label)
    for key, label, colour in (("exact", "exact W2", palette.EXACT), ("bound", "martingale bound", palette.BOUND)):
        right.semilogy(x, [row[key] for row in rows], "o-", ms=4, color=colour, label=label)
    left.set_ylabel("what is left of a push at the start")
    right.set_ylabel("W2, in the units of the data")
    for ax in (left, right):
        ax.axvline(1.0, color=palette.MUTED, ls=":", lw=1)
        ax.set_xlabel(f"horizon T over η (½N(±1, {std:g}²))")
        ax.legend(frameon=False, fontsize="small")


EXPERIMENT = Experiment("regime-boundary", "Horizons across the regime boundary",
                        "Do errors grow below η and contract above it, as the rate says?", run, draw)
