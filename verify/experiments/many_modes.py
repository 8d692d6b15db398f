"""Mixtures of many modes in 50 to 100 dimensions: constants, every bound against the truth, brackets where it
is not exact."""

import itertools
from dataclasses import replace

import numpy as np

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form.bracket import Bracket
from closed_form.geometry.orthogonal_factors import factors, product_assumption
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.w2 import exact_law_available, sampler_w2
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.lower_sides.w2 import coupled, w2_from_samples
from verify.particles.simulation import sample

HORIZON, STD, DELTA = 4.0, 0.7, 1e-3
#: The finer run of a bracket, and its pairs.
REFINEMENT, PAIRS = 8, 200


def laws(quick: bool) -> dict[str, GaussianMixture]:
    """Collinear, product and scattered means in high dimension."""
    rng = np.random.default_rng(11)
    found = {
        "2 modes, d = 100": GaussianMixture.two_modes(2.0, STD, dim=100),
        "9 collinear modes, d = 50": GaussianMixture(
            np.linspace(-2, 2, 9)[:, None] * _unit(rng, 50), std=STD
        ),
        "2^4 product modes, d = 64": _cube(4, 64, rng),
        "2^10 product modes, d = 100": _cube(10, 100, rng),
        "30 scattered modes, d = 50": GaussianMixture(rng.standard_normal((30, 50)) / np.sqrt(50), std=STD),
    }
    return dict(itertools.islice(found.items(), 3)) if quick else found


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
    """Every upper bound of every law beside the exact W2, or a bracket at confidence 1 − 1e-3 from
    samples."""
    steps, rows = 100, []
    chosen = laws(quick)
    for done, (name, law) in enumerate(chosen.items()):
        tell(done / len(chosen), name)
        setting = setting_of(ou(), law, euler_maruyama(HORIZON, steps))
        numbers = setting.table.steps()
        if exact_law_available(law) is None:
            truth, how = sampler_w2(law, numbers), "exact"
        else:
            truth, how = (_bracket(law, setting, 4000 if quick else 20_000),
                          f"samples, confidence {1 - DELTA:g}")
        row = {
            "law": name, "components": len(law.weights), "dim": law.dim,
            "expansion": setting.assumption.M / setting.assumption.alpha, "lower": truth.lower,
            "upper": truth.upper if np.isfinite(truth.upper) else None, "truth": how, "steps": steps,
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


def _bracket(law, setting, draws: int) -> Bracket:
    r"""Lower side from projections of samples; upper side by the triangle inequality through a finer run.

    W2(y_K, p_0) ≤ (E|y_K − y_{K'}|²)^{1/2} + W2(y_{K'}, p_0): the first from synchronous pairs at confidence
    1 − δ/2, the second from the martingale theorem on K' = 8K steps, so this side is no evidence for that
    theorem.
    """
    numbers, steps = setting.table.steps(), setting.scheme.grid.steps
    lower = w2_from_samples(sample(law, numbers, draws, seed=5), law, delta=DELTA / 2)
    fine = replace(
        setting,
        scheme=euler_maruyama(HORIZON, REFINEMENT * steps, prior_std=float(np.sqrt(numbers.prior_var))),
    )
    noise = np.random.default_rng(6).standard_normal((REFINEMENT * steps + 1, PAIRS, law.dim))
    summed = noise[1:].reshape(steps, REFINEMENT, PAIRS, law.dim).sum(axis=1) / np.sqrt(REFINEMENT)
    coarse = sample(law, numbers, PAIRS, seed=None, increments=np.concatenate([noise[:1], summed]))
    finer = sample(law, fine.table.steps(), PAIRS, seed=None, increments=noise)
    apart = coupled(coarse, finer, delta=DELTA / 2)
    upper = apart.upper + theorems()["martingale"].bound(fine).total
    return Bracket(lower.lower, max(upper, lower.lower),
                   f"{lower.method}; {apart.method}, theorem on {REFINEMENT}K steps")


def _total(theorem, question) -> float | None:
    try:
        return theorem.bound(question).total
    except NotApplicable:
        return None


def _findings(rows: list[dict]) -> list[str]:
    lines = []
    for row in rows:
        size = row["upper"]
        bounds = ("martingale", "gao", "gentiloni")
        known = {key: value for key, value in row.items() if key.startswith(bounds) and value is not None}
        ratios = ", ".join(f"{key} {value / size:.3g}"
                           for key, value in sorted(known.items(), key=lambda item: item[1]))
        what = f"exact W2 {row['upper']:.4g}; bound/exact" if row["truth"] == "exact" else (
            f"W2 in [{row['lower']:.4g}, {row['upper']:.4g}] ({row['truth']}); bound over the upper side"
        )
        lines.append(f"{row['law']}: R²/s² = {row['expansion']:.3g}, {what}: {ratios}")
    return lines


def draw(figure, result: Result) -> None:
    """Bounds and truth, one line a law."""
    ax, places = figure.subplots(), np.arange(len(result.rows))
    keys = ("martingale", "martingale (factors)", "martingale-coupled", "gentiloni2025-weak-log-concave")
    for key, marker in zip(keys, "osd^", strict=True):
        points = [(row[key], place) for place, row in zip(places, result.rows, strict=True)
                  if row.get(key) is not None]
        ax.plot(*zip(*points, strict=True), marker, ms=6, mfc="none", label=key)
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
