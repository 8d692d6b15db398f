"""What a sampler's formulas make of a table of steps: coefficients, defects, and how its noise is spread.

The theorems ask for a noise at every moment of a step, and any one with the sampler's variance will do, since
W2 sees only laws.  Of four shapes that samplers have, each scaled to the variance, a step takes the one whose
own variance is nearest: so the formulas of a sampler of this package give its bound.
"""

from dataclasses import dataclass

import numpy as np

from bounds.steps.formulas import PRECISION, StepFormulas, coefficients
from bounds.steps.rule import bridged_noise, grown_noise

_EPS = np.finfo(float).eps
#: n(σ)g(σ), up to a factor: n constant, n g constant, that of the reverse flow, and that of data at a point.
SHAPES = (lambda n: np.sqrt(n.g_sq), lambda n: 0 * n.F + 1, grown_noise, bridged_noise)
#: What `spread` knows of a step.
KNOWN = {"h", "F", "G", "C", "g_sq", "s_sq_r"}
#: Logarithms of ratios of variances this close are as near: the first of `SHAPES` is taken.
AS_NEAR = 1e-12
#: A variance known no better than this, relatively, says nothing of its root.
LOOSE = 0.1


def spread(noise, known: dict) -> tuple[int, object]:
    """(Which of `SHAPES`, the factor) for a noise of this variance on a step, in balls.

    ``known`` has `KNOWN`.
    """
    h, grown = known["h"], (2 * known["F"]).exp() * known["C"]
    s_sq = known["s_sq_r"] * (-2 * known["F"]).exp() + known["C"]
    bridged = known["C"] * known["s_sq_r"] / s_sq if s_sq > 0 else 0 * h
    variances = known["G"], h, grown, bridged
    own = known["G"], h * known["g_sq"], grown, bridged
    if not noise > 0:
        return 0, 0 * h
    far = [abs(float((noise / each).log().mid())) if each > 0 else np.inf for each in own]
    at = int(np.argmin(far)) if min(far) < np.inf else 1
    return at, (noise / variances[at]).sqrt()


@dataclass(frozen=True)
class Stated:
    """The numbers of all steps as floats, each with how far it may be off: arrays of shape (k,).

    ``shape`` and ``factor`` say how the noise is spread, and ``left`` how far the standard deviation of what
    is spread may be from the noise's.
    """

    P: np.ndarray
    P_error: np.ndarray
    Q: np.ndarray
    Q_error: np.ndarray
    noise: np.ndarray
    noise_error: np.ndarray
    c1: np.ndarray
    c1_error: np.ndarray
    c2: np.ndarray
    c2_error: np.ndarray
    shape: np.ndarray
    factor: np.ndarray
    left: np.ndarray

    def amplitude(self, nodes) -> np.ndarray:
        """n(σ)g(σ) at nodes of steps."""
        shape, found = self.shape[nodes.index][:, None, None], 0.0
        for at in np.unique(shape):
            found = np.where(shape == at, SHAPES[at](nodes), found)
        return self.factor[nodes.index][:, None, None] * found


def stated(formulas: StepFormulas, path, E: np.ndarray, G: np.ndarray, relative: np.ndarray) -> Stated:
    """What formulas make of the steps of a `bounds.steps.path.Path`.

    Parameters
    ----------
    E, G : arrays of shape (k,)
        ∫e^F g² and ∫g².
    relative : array of shape (k,)
        How far the numbers of a step may be off, relative to their size.

    Raises
    ------
    bounds.steps.formulas.StepRefused
    """
    from flint import arb, ctx

    times = list(zip(path.times[:-1].tolist(), path.times[1:].tolist(), strict=True))
    needed = formulas.needs(defects=True)
    with np.errstate(divide="ignore"):
        rounding = 64 * _EPS * (1 + np.minimum(np.abs(np.log(path.a)), 700.0))
    # a and s² carry what all steps below them may be off by
    below = rounding[1:] + np.append(np.cumsum(relative[::-1])[::-1][1:], 0.0) + path.below_error
    columns = {"F": (path.F, path.F_error), "C": (path.C, path.C_error),
               "E": (E, (relative + 16 * _EPS) * E), "G": (G, (relative + 16 * _EPS) * G),
               "a_r": (path.a[1:], below * path.a[1:]), "s_sq_r": (path.s_sq[1:], 2 * below * path.s_sq[1:])}
    columns = {name: (middle, np.broadcast_to(error, middle.shape)) for name, (middle, error) in columns.items()}
    with ctx.workprec(PRECISION):
        known = {name: list(map(arb, middle.tolist(), error.tolist()))
                 for name, (middle, error) in columns.items() if name in needed}
        known["t"], known["r"] = ([arb(time[at]) for time in times] for at in (0, 1))
        known["h"] = [t - r for t, r in zip(known["t"], known["r"], strict=True)]
        known |= coefficients(path.process, times, needed)
        found = formulas.values(known, times, defects=True)
    numbers = [part for name in ("P", "Q", "noise", "c1", "c2") for part in _floats(found[name])]
    g_sq = path.process.g_sq_values(path.times[:-1])
    return Stated(*numbers, *_spread(*numbers[4:6], columns, -np.diff(path.times), g_sq))


def _floats(balls) -> tuple[np.ndarray, np.ndarray]:
    """Middles, and how far the balls reach from them."""
    from flint import arb

    middles = np.fromiter(map(float, map(arb.mid, balls)), float, len(balls))
    return middles, np.fromiter(map(float, map(arb.rad, balls)), float, len(balls)) + _EPS * np.abs(middles)


# what a step that is too long makes of this is inf or NaN, and takes no part
@np.errstate(all="ignore")
def _spread(noise, noise_error, columns: dict, h, g_sq) -> tuple:
    """`spread` of all steps at once, from floats: the shapes, the factors, and how far the standard deviations
    of what is spread may be from the noise's."""
    (F, F_error), (C, C_error), (G, G_error), (s_sq_r, lower_error) = (columns[name] for name in
                                                                       ("F", "C", "G", "s_sq_r"))
    grown, kept = np.exp(2 * F) * C, s_sq_r * np.exp(-2 * F)
    bridged = np.where(kept + C > 0, C * s_sq_r / (kept + C), 0.0)
    doubt_C, doubt_r = C_error / C, np.where(s_sq_r > 0, lower_error / s_sq_r, 0.0)
    doubts = (G_error / G, 0 * h, 2 * F_error + doubt_C, 2 * (doubt_C + doubt_r + F_error))
    own = np.array([G, h * g_sq, grown, bridged])
    far = np.abs(np.log(noise / own))
    far = np.where(np.isfinite(far), far, np.inf)
    nearest = far.min(axis=0)
    shape = np.where(nearest < np.inf, np.argmax(far <= nearest + AS_NEAR, axis=0), 1)
    variance = np.choose(shape, [G, h, grown, bridged])
    # the root of a ratio is off by less than this where the ratio is off by at most a tenth
    doubt = np.where(noise > 0, noise_error / noise, np.inf) + np.choose(shape, doubts) + 64 * _EPS * (1 + np.abs(F))
    sure = (noise > noise_error) & (variance > 0) & (doubt < LOOSE)
    factor = np.where(sure, np.sqrt(noise / variance), 0.0)
    return (np.where(sure, shape, 0), factor,
            np.where(sure, np.sqrt(noise) * doubt, np.sqrt(noise + noise_error)))
