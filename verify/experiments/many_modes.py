"""Mixtures of many modes in 50 to 100 dimensions: constants, every bound against the truth, brackets where it
is not exact."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form.geometry.orthogonal_factors import factors, product_assumption
from closed_form.laws.mixture import GaussianMixture
from closed_form.laws.samples import read_samples
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.certificates.sampled import Sampled
from verify.experiment import Experiment, Result
from verify.pages import palette
from verify.problems.problem import bundled_problem

HORIZON, STD, STEPS = 4.0, 0.7, 100
#: Steps where the truth is only known from samples: so few that they can see it.
FEW = 25


def laws(quick: bool) -> dict[str, tuple[GaussianMixture, int]]:
    """Collinear, product and scattered means in high dimension, and Old Faithful; each with its steps."""
    rng = np.random.default_rng(11)
    found = {
        "2 modes, d = 100": (GaussianMixture.two_modes(2.0, STD, dim=100), STEPS),
        "9 collinear modes, d = 50": (
            GaussianMixture(np.linspace(-2, 2, 9)[:, None] * _unit(rng, 50), std=STD), STEPS),
        "2^4 product modes, d = 64": (_cube(4, 64, rng), STEPS),
        "2^10 product modes, d = 100": (_cube(10, 100, rng), STEPS),
    }
    scattered = GaussianMixture(rng.standard_normal((20, 50)) / np.sqrt(50), std=STD)
    found |= {f"20 scattered modes, d = 50, K = {steps}": (scattered, steps) for steps in (FEW, STEPS)}
    eruptions = read_samples(Path(bundled_problem("old_faithful")).with_suffix(".csv"), standardize=True)
    for smoothing in (STD, 1.0):
        law = GaussianMixture(eruptions, std=smoothing)
        found[f"Old Faithful in the plane, smoothing {smoothing:g}"] = law, FEW
    return {name: found[name] for name in list(found)[:5] if "2^10" not in name} if quick else found


def _unit(rng, dim: int) -> np.ndarray:
    x = rng.standard_normal(dim)
    return x / np.linalg.norm(x)


def _cube(factors_: int, dim: int, rng) -> GaussianMixture:
    """±1 along random orthonormal directions with unequal weights."""
    basis = np.eye(dim)[rng.permutation(dim)[:factors_]]
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=factors_)))
    chance = np.where(signs > 0, 0.5 + 0.3 / np.arange(1, factors_ + 1),
                      0.5 - 0.3 / np.arange(1, factors_ + 1))
    return GaussianMixture(signs @ basis, weights=chance.prod(axis=1), std=STD)


def run(quick: bool, tell) -> Result:
    """Every upper bound of every law beside the exact W2, or a bracket from samples."""
    rows, chosen = [], laws(quick)
    for done, (name, (law, steps)) in enumerate(chosen.items()):
        tell(done / len(chosen), name)
        setting = setting_of(ou(), law, euler_maruyama(HORIZON, steps))
        truth = measure(setting, law, samples=4000 if quick else 100_000, seed=5)
        how = truth.method if isinstance(truth, Sampled) else "exact"
        row = {
            "law": name, "components": len(law.weights), "dim": law.dim,
            "expansion": setting.assumption.M / setting.assumption.alpha, "lower": truth.lower,
            "upper": truth.upper, "truth": how, "steps": steps,
        }
        settings = {"": setting}
        if not isinstance(factors(law), str):
            settings[" (factors)"] = replace(setting, assumption=product_assumption(law))
            row["expansion_of_factors"] = settings[" (factors)"].assumption.M / setting.assumption.alpha
        for label, question in settings.items():
            for key, theorem in theorems().items():
                if theorem.kind == "upper":
                    row[key + label] = _total(theorem, question)
        rows.append(row)
    return Result(rows, _findings(rows))


def _total(theorem, question) -> float | None:
    try:
        return theorem.bound(question).total
    except NotApplicable:
        return None


def _findings(rows: list[dict]) -> list[str]:
    lines = []
    for row in rows:
        bounds = ("martingale", "gao", "gentiloni")
        known = {key: value for key, value in row.items() if key.startswith(bounds) and value is not None}
        exact = row["truth"] == "exact"
        ratios = ", ".join(f"{key} {value / row['upper']:.3g}{'' if exact else _at_most(value, row['lower'])}"
                           for key, value in sorted(known.items(), key=lambda item: item[1]))
        what = f"exact W2 {row['upper']:.4g}; bound/exact" if exact else (
            f"W2 in [{row['lower']:.4g}, {row['upper']:.4g}] ({row['truth']}); bound over W2"
        )
        lines.append(f"{row['law']}: R²/s² = {row['expansion']:.3g}, {what}: {ratios}")
    return lines


def _at_most(bound: float, lower: float) -> str:
    return f" to {bound / lower:.3g}" if lower else " or more"


def draw(figure, result: Result) -> None:
    """Bounds and truth, one line a law."""
    ax, places = figure.subplots(), np.arange(len(result.rows))
    figure.suptitle(f"OU, Euler–Maruyama, T = {HORIZON:g}, {STEPS} steps unless said", fontsize="small")
    keys = ("martingale", "martingale (factors)", "martingale-coupled", "gentiloni2025-weak-log-concave")
    for key, marker in zip(keys, "osd^", strict=True):
        points = [(row[key], place) for place, row in zip(places, result.rows, strict=True)
                  if row.get(key) is not None]
        ax.plot(*zip(*points, strict=True), marker, ms=6, color=palette.colour(key), mfc=palette.OPEN, label=key)
    for place, row in zip(places, result.rows, strict=True):
        ax.plot([row["lower"], row["upper"]], [place, place], "k|-", ms=12,
                label=None if place else "W2, exact or bracket")
    ax.set_xscale("log")
    ax.set_yticks(places, [row["law"] for row in result.rows])
    ax.invert_yaxis()
    ax.set_xlabel("W2, in the units of the data")
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


EXPERIMENT = Experiment("many-modes", "Many modes in high dimension",
                        "Do constants and bounds stay usable in 50 to 100 dimensions?", run, draw)
