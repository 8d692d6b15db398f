"""Score errors of equal L2 size but different shape: does the size alone predict W2?"""

import numpy as np

from bounds import ou
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.perturbed_score import perturbed_line, perturbed_w2
from verify.certificates.question import setting_of
from verify.experiment import Experiment, Result
from verify.pages import palette

HALF, STD, HORIZON = 1.0, 0.5, 4.0
SIZES = (0.03, 0.1, 0.3)


def _constant(i, x):
    return np.ones_like(x), np.zeros_like(x)


def _outward(i, x):
    return x.copy(), np.ones_like(x)


def _inward(i, x):
    return -x, -np.ones_like(x)


def _wave(i, x):
    return np.sin(6.0 * x), 6.0 * np.cos(6.0 * x)


def _bump(centre: float, width: float):
    def bump(i, x):
        z = (x - centre) / width
        value = np.exp(-0.5 * z**2)
        return value, -z / width * value

    return bump


#: Shape of the error, rescaled at every step to its size under the law of the iterates.
SHAPES = {
    "bias to the right": _constant,
    "outward": _outward,
    "inward": _inward,
    "wave": _wave,
    "in the valley, to the right": _bump(0.0, 0.3),
    "on the right mode, outward": _bump(HALF, 0.3),
}


def run(quick: bool, tell) -> Result:
    """Exact W2 on ½N(±1, 1/4) for every shape and size, with the martingale bound at that size."""
    law, steps = GaussianMixture.two_modes(2 * HALF, STD), (60 if quick else 150)
    base = setting_of(ou(), law, euler_maruyama(HORIZON, steps))
    numbers, sizes = base.steps, (SIZES[1:2] if quick else SIZES)
    cases = [(size, name) for size in sizes for name in (*SHAPES, "fresh noise")]
    rows = []
    for done, (size, name) in enumerate(cases):
        tell(done / len(cases), f"{name}, M = {size:g}")
        fresh = name == "fresh noise"
        error = setting_of(ou(), law, euler_maruyama(HORIZON, steps), 0.0 if fresh else size,
                           size if fresh else 0.0)
        shape = (_constant, 0.0, size) if fresh else (SHAPES[name], size, 0.0)
        exact = (perturbed_w2(law, numbers, shape[0], shape[1] or None, shape[2]) if not fresh
                 else _with_noise(law, numbers, size))
        final = perturbed_line(law, numbers, shape[0], shape[1]).law if not fresh else None
        rows.append({
            "shape": name, "size": size, "steps": steps, "exact": exact.midpoint, "exact_upper": exact.upper,
            "bound": theorems()["martingale"].bound(error).total,
            "right_mass": None if final is None else float(final.sf(np.zeros(1))[0]),
        })
    return Result(rows, _findings(rows))


def _with_noise(law, numbers, size: float):
    from closed_form.sampler_laws.line.sampler import line_w2

    return line_w2(law, numbers, 0.0, size)


def _findings(rows: list[dict]) -> list[str]:
    lines = []
    for size in dict.fromkeys(row["size"] for row in rows):
        mine = sorted((row for row in rows if row["size"] == size), key=lambda row: row["exact"])
        low, high = mine[0], mine[-1]
        lines.append(
            f"M = {size:g}: exact W2 from {low['exact']:.4g} ({low['shape']}) to {high['exact']:.4g} "
            f"({high['shape']}), "
            f"a factor {high['exact'] / low['exact']:.3g}; bound over exact at best "
            f"{min(row['bound'] / row['exact_upper'] for row in mine):.3g}"
        )
    valley = [row for row in rows if row["shape"].startswith("in the valley")][-1]
    lines.append(
        f"an error in the valley moves mass between the modes: {valley['right_mass']:.3f} on the right at M "
        f"= "
        f"{valley['size']:g}, W2 {valley['exact']:.3g}; so the L2 size alone does not predict W2, but every "
        f"bound holds: "
        f"{all(row['exact_upper'] <= row['bound'] for row in rows)}"
    )
    return lines


def draw(figure, result: Result) -> None:
    """Exact W2 of every shape over the size, with the bound."""
    ax = figure.subplots()
    sizes = list(dict.fromkeys(row["size"] for row in result.rows))
    names = list(dict.fromkeys(row["shape"] for row in result.rows))
    figure.suptitle(f"½N(±{HALF:g}, {STD:g}²), OU, Euler–Maruyama, T = {HORIZON:g}, {result.rows[0]['steps']} steps",
                    fontsize="small")
    for name, colour in palette.series(names).items():
        values = [row["exact"] for row in result.rows if row["shape"] == name]
        ax.loglog(sizes, values, "o-", ms=4, color=colour, label=name)
    worst = [max(row["bound"] for row in result.rows if row["size"] == size) for size in sizes]
    ax.loglog(sizes, worst, "--", color=palette.BOUND, label="martingale bound at this size")
    ax.xaxis.set_minor_formatter("")
    ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
    ax.set_xlabel("M, L2 size of the score error at the iterates")
    ax.set_ylabel("exact W2, in the units of the data")
    ax.legend(frameon=False, fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))


EXPERIMENT = Experiment("score-error-shape", "Score errors of equal size and different shape",
                        "Does the L2 size of the score error alone predict W2?", run, draw)
