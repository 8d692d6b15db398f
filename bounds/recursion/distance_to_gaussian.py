"""How far the data are from a Gaussian, W2(p_0, N(0, vI)): from constants and in closed form.

Z ~ N(0, vI) is coupled to X_0 by the optimal map, whose slopes Caffarelli's theorem keeps above (lv)^{-1/2},
l the smoothness, and below (mv)^{-1/2} for m-strongly log-concave data.
"""

from collections.abc import Callable
from enum import StrEnum

from sympy import Max, sqrt, symbols

d, l, m2, v, wide, mean_norm = symbols("d l m2 v wide mean_norm", real=True)


def stated() -> dict:
    """What the distance squared is at most."""
    return {
        "distance_sq": m2 - d * l + d * (sqrt(v) - sqrt(l)) ** 2,
        "distance_log_concave_sq": mean_norm**2 + d * Max((sqrt(wide) - sqrt(v)) ** 2, (sqrt(l) - sqrt(v)) ** 2,
                                                          evaluate=False)}


SYMBOLS = {
    "d": "dimension", "l": "1/L, inverse smoothness", "m2": "E‖X_0‖²",
    "v": "variance v of a Gaussian N(0, vI)", "wide": "1/(α − M), where M < α", "mean_norm": "‖E X_0‖",
}


def derive() -> dict:
    """The stated expressions from the slopes of the optimal map R."""
    slopes = sqrt(l / v), sqrt(wide / v)
    return {
        # E‖R(Z) − Z‖² with E Z·R = v E div R (Stein)
        "distance_sq": m2 + d * v - 2 * d * v * slopes[0],
        # Gaussian Poincaré inequality for R − id
        "distance_log_concave_sq": mean_norm**2 + d * Max(*(v * (slope - 1) ** 2 for slope in slopes)),
    }


class DistanceFrom(StrEnum):
    """What a bound of W2(p_0, N(0, vI)) rests on."""

    CONSTANTS = "constants"
    LOG_CONCAVITY = "constants, log-concave"
    CLOSED_FORM = "closed form"


def distances(assumption, functions, v: float,
              known: Callable[[float], float] | None = None) -> dict[DistanceFrom, float]:
    """Bounds of W2(p_0, N(0, vI))² of one problem by what they rest on.

    Those from `DistanceFrom.CONSTANTS` grow like E‖X_0‖²; ``known``, where there is one, takes v to an upper
    bound of W2(p_0, N(0, vI)).
    """
    values = dict(d=assumption.dim, l=1 / assumption.smoothness, v=v)
    found = {DistanceFrom.CONSTANTS: float(functions["distance_sq"](**values, m2=assumption.second_moment))}
    convex = assumption.strong_log_concavity
    if convex is not None:
        square = functions["distance_log_concave_sq"](**values, wide=1 / convex,
                                                      mean_norm=assumption.largest_mean_norm)
        found[DistanceFrom.LOG_CONCAVITY] = float(square)
    if known is not None:
        found[DistanceFrom.CLOSED_FORM] = float(known(v)) ** 2
    return found
