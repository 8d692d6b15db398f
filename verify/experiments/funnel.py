"""The funnel by critically-damped Langevin with the exact score: what of the published effect of ε is not
learning?"""

import itertools

import numpy as np

from bounds import vp
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama
from bounds.steps.phase_space.path import PhasePath
from bounds.theorems import theorems
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.certificates.two_levels import synchronous
from verify.experiment import Experiment, Result
from verify.lower_sides.confidence import student_upper
from verify.lower_sides.sliced import sliced_w2
from verify.pages import palette
from verify.particles.simulation import sample

A, EPSILON = (0.1, 0.25, 0.5, 1.0, 2.0), (0.0, 0.1, 0.25, 0.5, 1.0)
#: Sliced W2 with learned scores, d = 100, mean of five runs: poster and code of arXiv 2511.02419.
PUBLISHED = {
    0.1: (0.991, 0.705, 0.277, 1.171, 2.884),
    0.25: (0.730, 0.632, 0.409, 0.248, 0.785),
    0.5: (0.291, 0.278, 0.248, 0.228, 0.191),
    1.0: (0.225, 0.158, 0.137, 0.157, 0.253),
    2.0: (0.223, 0.198, 0.179, 0.203, 0.233),
}
STEPS, PROJECTIONS = 1000, 2000
#: Cells run again from the exact p_T and with four times the steps, to tell mixing from discretisation.
SPLIT_CELLS = ((0.1, 0.0), (0.1, 1.0), (1.0, 0.0), (1.0, 0.25), (2.0, 0.0), (2.0, 1.0))

#: Particles that share their Brownian path with ones of so many times the steps, and the level of all such
#: cells together.
PAIRS, FINER, DELTA = 100, 4, 0.05


def process_of(a: float, epsilon: float):
    """The published process: β = 4, σ = √2, v² = 0.01."""
    return cld(a=a, sigma=float(np.sqrt(2.0)), epsilon=epsilon, velocity_variance=0.01, clock="4*t")


def run(quick: bool, tell) -> Result:
    """The ε-sweep beside the published table, mixing told from discretisation, VP, and bound and truth over
    ε."""
    dims, seeds, n, steps = ((20,), 2, 1000, 100) if quick else ((100, 50), 5, 4000, STEPS)
    a_values, epsilons = (A[::3], EPSILON[::2]) if quick else (A, EPSILON)
    rows, jobs = [], _jobs(dims, a_values, epsilons, steps, quick)
    targets = {d: _targets(Funnel(d, 1.0, standardized=True), n, seeds) for d in dims}
    projections = 200 if quick else PROJECTIONS
    for d, pairs in targets.items():
        found = [sliced_w2(x, y, projections=projections, seed=seed) for seed, (x, y) in enumerate(pairs)]
        rows.append(_row("floor", "two exact samples", d, None, None, None, found))
    for done, (sweep, process, d, a, epsilon, count) in enumerate(jobs):
        tell(done / len(jobs), f"{sweep}, d = {d}, a = {a}, ε = {epsilon}")
        if sweep == "pairs":
            rows.append(_row(sweep, process.name, d, a, epsilon, count, [_apart(process, d, count, quick)]))
            continue
        law, numbers = Funnel(d, 1.0, standardized=True), euler_maruyama(1.0, count).steps(process)
        found = []
        for seed in range(seeds):
            start = _exact_start(law, process, n, seed) if "p_T" in sweep else None
            x = sample(law, numbers, n, 100 + seed, reduce=True, start=start)
            found.append(sliced_w2(x, targets[d][seed][0], projections=projections, seed=seed))
        rows.append(_row(sweep, process.name, d, a, epsilon, count, found))
    rows += _bounds(quick)
    return Result(rows, _findings(rows))


def _jobs(dims, a_values, epsilons, steps: int, quick: bool) -> list[tuple]:
    jobs = [("VP", vp("8"), d, None, None, steps) for d in dims]
    for d, a, epsilon in itertools.product(dims, a_values, epsilons):
        jobs.append(("sweep", process_of(a, epsilon), d, a, epsilon, steps))
    cells = SPLIT_CELLS[2:4] if quick else SPLIT_CELLS
    for a, epsilon in cells:
        jobs.append(("from p_T", process_of(a, epsilon), dims[0], a, epsilon, steps))
    if not quick:
        for a, epsilon in cells[:4]:
            jobs.append(("4 times the steps", process_of(a, epsilon), dims[0], a, epsilon, FINER * steps))
    jobs += [("pairs", process_of(a, epsilon), dims[0], a, epsilon, steps) for a, epsilon in cells]
    return jobs


def _targets(law: Funnel, n: int, seeds: int):
    """Two independent exact samples a seed."""
    made = (np.random.default_rng([seed, law.dim]) for seed in range(seeds))
    return [(law.sample(n, rng), law.sample(n, rng)) for rng in made]


def _exact_start(law: Funnel, process, n: int, seed: int) -> np.ndarray:
    """Exact draws of U_T: data pushed forward."""
    path, rng = PhasePath(process), np.random.default_rng([seed, 7])
    phi, S = path.kernel(path.clock(np.array([1.0])))
    noise = np.einsum("ij,njd->nid", np.linalg.cholesky(S[0]), rng.standard_normal((n, 2, law.dim)))
    return phi[0][:, None] * law.sample(n, rng)[:, None] + noise


def _apart(process, d: int, steps: int, quick: bool) -> float:
    """Upper limit of the root mean square distance a coordinate of particles with `FINER` times the steps and
    the same Brownian path, at 95 % for all cells together, as the number of pairs grows.

    The sliced W2 between the two laws is at most that distance.
    """
    coarse, fine = (euler_maruyama(1.0, count).steps(process) for count in (steps, FINER * steps))
    law = Funnel(d, 1.0, standardized=True)
    x, y = synchronous(law, coarse, fine, PAIRS // 4 if quick else PAIRS, np.random.default_rng([d, 11]))
    return float(np.sqrt(student_upper(np.square(x - y).mean(axis=1), DELTA / len(SPLIT_CELLS))))


def _row(sweep: str, process: str, d: int, a, epsilon, steps, found: list[float]) -> dict:
    published = None
    if sweep == "sweep" and d == 100:
        published = PUBLISHED[a][EPSILON.index(epsilon)]
    return {
        "sweep": sweep, "process": process, "dim": d, "a": a, "epsilon": epsilon, "steps": steps,
        "sliced_w2": float(np.mean(found)), "sd": float(np.std(found, ddof=1)) if len(found) > 1 else None,
        "published": published,
    }


def _bounds(quick: bool) -> list[dict]:
    """Martingale bound and exact W2 over ε at a = 1, where the law of the sampler is exact."""
    rows, steps = [], 50 if quick else 800
    data = {"N(0, 1/4)": Gaussian([0.0], 0.25), "½N(±1, ¼)": GaussianMixture.two_modes(2.0, 0.5)}
    for name, law in data.items():
        for epsilon in EPSILON:
            process = cld(a=1, sigma=2, epsilon=epsilon, velocity_variance=1)
            setting = setting_of(process, law, euler_maruyama(8.0, steps))
            bound, exact = (theorems()["martingale"].bound(setting).total,
                            sampler_w2(law, true_steps(setting)).midpoint)
            rows.append({"sweep": "bound", "process": name, "dim": 1, "a": 1.0, "epsilon": epsilon,
                         "steps": steps, "bound": float(bound), "exact": exact})
    return rows


def _findings(rows: list[dict]) -> list[str]:
    lines = ["sliced W2 is a point estimate; what two exact samples of the same size show is its floor"]
    floors = {row["dim"]: row["sliced_w2"] for row in rows if row["sweep"] == "floor"}
    for d, floor in floors.items():
        cells = {
            (row["a"], row["epsilon"]): row for row in rows if row["sweep"] == "sweep" and row["dim"] == d
        }
        at = {}
        for a in dict.fromkeys(a for a, _ in cells):
            row = {epsilon: cells[a, epsilon] for key, epsilon in cells if key == a}
            best = min(row, key=lambda epsilon: row[epsilon]["sliced_w2"])
            at[a] = (
                f"a = {a:g}: {row[0.0]['sliced_w2']:.3g} at ε = 0, least {row[best]['sliced_w2']:.3g} at ε = "
                f"{best:g}"
            )
        vp_row = next(row for row in rows if row["sweep"] == "VP" and row["dim"] == d)
        lines.append(f"d = {d}: floor {floor:.3g}, VP {vp_row['sliced_w2']:.3g}; " + "; ".join(at.values()))
    for row in rows:
        if row["sweep"] in ("from p_T", "4 times the steps"):
            lines.append(
                f"{row['sweep']}, d = {row['dim']}, a = {row['a']:g}, ε = {row['epsilon']:g}: "
                f"{row['sliced_w2']:.3g}"
            )
        if row["sweep"] == "pairs":
            cell = f"d = {row['dim']}, a = {row['a']:g}, ε = {row['epsilon']:g}"
            lines.append(f"pairs with {FINER} times the steps, {cell}: at most {row['sliced_w2']:.3g} apart "
                         f"(95 % for all, asymptotic)")
    for name in dict.fromkeys(row["process"] for row in rows if row["sweep"] == "bound"):
        found = [row for row in rows if row["sweep"] == "bound" and row["process"] == name]
        parts = [f"ε = {r['epsilon']:g}: {r['bound']:.4g} / {r['exact']:.4g}" for r in found]
        lines.append(f"{name}, martingale bound / exact W2: " + "; ".join(parts))
    return lines


def draw(figure, result: Result) -> None:
    """Sliced W2 over ε beside the published values, and bound and truth over ε."""
    left, right = figure.subplots(1, 2)
    d = max(row["dim"] for row in result.rows)
    sweep = [row for row in result.rows if row["sweep"] == "sweep" and row["dim"] == d]
    for a, colour in palette.series(list(dict.fromkeys(row["a"] for row in sweep))).items():
        chosen = [row for row in sweep if row["a"] == a]
        x = [row["epsilon"] for row in chosen]
        mean, sd = ([row[key] for row in chosen] for key in ("sliced_w2", "sd"))
        left.errorbar(x, mean, sd, fmt="o-", ms=3, color=colour, label=f"a = {a:g}")
        if all(row["published"] for row in chosen):
            left.plot(x, [row["published"] for row in chosen], ":", color=colour, lw=1)
    floor = next(row for row in result.rows if row["sweep"] == "floor" and row["dim"] == d)
    left.axhline(floor["sliced_w2"], color=palette.MUTED, lw=0.8, ls="--", label="two exact samples")
    if d == 100:
        left.plot([], [], "k:", lw=1, label="published, learned score")
    left.set_title(f"funnel, d = {d}, exact score", fontsize="small")
    left.set_ylabel("sliced W2 of standardised coordinates")
    for name, colour in palette.series(("N(0, 1/4)", "½N(±1, ¼)")).items():
        chosen = [row for row in result.rows if row["sweep"] == "bound" and row["process"] == name]
        x, bound, exact = ([row[key] for row in chosen] for key in ("epsilon", "bound", "exact"))
        right.plot(x, bound, "s-", ms=4, color=colour, label=f"{name}, bound")
        right.plot(x, exact, "o--", ms=4, color=colour, mfc="none", label=f"{name}, exact")
    right.set_title("a = 1, σ = 2, T = 8", fontsize="small")
    right.set_ylabel("W2, in the units of the data")
    for ax in (left, right):
        ax.set_xlabel("ε, noise of the position")
        ax.set_yscale("log")
        ax.legend(frameon=False, fontsize="x-small")


EXPERIMENT = Experiment("funnel", "The funnel over ε",
                        "Which published effects of ε on the funnel remain when the score is exact?", run,
                        draw)
