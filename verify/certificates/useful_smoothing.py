r"""Which smoothing would make a vacuous bound useful: the least noise on the data at which it says
something."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np

from bounds.bound import Bound
from bounds.facts import DataFacts
from bounds.setting import Setting
from bounds.theorem import Theorem

#: The extra noise is searched between these multiples of the data's own size, from that size on by this factor.
SMALLEST, LARGEST, FACTOR = 1e-4, 1e2, 2.0
#: Digits to which the smoothing is rounded up.
DIGITS = 3


@dataclass(frozen=True)
class UsefulSmoothing:
    r"""The least smoothing at which a bound is below sqrt(E‖X‖²).

    Attributes
    ----------
    noise_std : float
        s: the sampler aims at the law of X_0 + N(0, s² I).
    moved : float
        s√d, the most that this moves the data in W2.
    bound : float
        The theorem there, from the constants alone.
    """

    noise_std: float
    moved: float
    bound: float

    def note(self) -> str:
        """One line for the reader."""
        return (
            f"smoothing the data with N(0, s² I), s = {self.noise_std:g}, would make it useful: the bound is "
            f"then "
            f"{self.bound:.4g}, and the data move by at most s√d = {self.moved:.4g} in W2"
        )


def useful_smoothing(theorem: Theorem, setting: Setting) -> UsefulSmoothing | None:
    """The least smoothing that makes the theorem useful on this setting, rounded up to three digits.

    Parameters
    ----------
    theorem : Theorem
    setting : Setting
        What is known of the data beyond its assumption is not used.

    Returns
    -------
    UsefulSmoothing or None
        None if no smoothing up to a hundred times the data's size does, the theorem does not apply, the
        assumption does not know how it behaves under Gaussian smoothing, or its constants then leave the
        range that it takes.
    """
    from mpmath import findroot  # loaded already, where scipy.optimize takes a third of a second

    if not hasattr(setting.assumption, "smoothed"):
        return None
    size = math.sqrt(setting.assumption.second_moment / setting.assumption.dim)

    @cache  # the search asks for both ends again
    def excess(log_std: float) -> float:
        bound, second_moment = _smoothed(theorem, setting, math.exp(log_std))
        return math.log(max(bound, 1e-300) / math.sqrt(second_moment)) if bound < math.inf else 700.0

    low, high = math.log(SMALLEST * size), math.log(LARGEST * size)
    try:
        if excess(high) > 0:
            return None
        near, root = _bracket(excess, math.log(size), low, high), low
        if near is not None:
            root = float(findroot(lambda x: excess(float(x)), near, solver="anderson", tol=1e-4, verify=False))
    except ValueError:  # it does not apply, or a constant leaves its range
        return None
    std = _rounded_up(math.exp(root))
    bound, second_moment = _smoothed(theorem, setting, std)
    while not bound <= math.sqrt(second_moment):
        # the root is known to 1e-4 only
        std = _rounded_up(std * (1 + 10.0**-DIGITS))
        bound, second_moment = _smoothed(theorem, setting, std)
    return UsefulSmoothing(std, std * math.sqrt(setting.assumption.dim), bound)


def _bracket(excess: Callable[[float], float], start: float, low: float, high: float) -> tuple[float, float] | None:
    """Places a factor apart between which the excess falls to 0, nearest to the start; None where it has at ``low``."""
    step, below, above = math.log(FACTOR), start, start
    if excess(start) > 0:
        while excess(above := min(above + step, high)) > 0:
            below = above
        return below, above
    while excess(below := max(below - step, low)) <= 0:
        if below == low:
            return None
        above = below
    return below, above


def _smoothed(theorem: Theorem, setting: Setting, std: float) -> tuple[float, float]:
    """(bound, E‖X‖²) with the data smoothed by N(0, std² I)."""
    assumption = setting.assumption.smoothed(std**2)
    with np.errstate(all="ignore"):
        bound = theorem.bound(replace(setting, assumption=assumption, facts=DataFacts()))
    return float(bound.total), float(assumption.second_moment)


def _rounded_up(value: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{math.ceil(value / unit) * unit:.{DIGITS}g}")


def explained(bound: Bound, theorem: Theorem, setting: Setting) -> Bound:
    """The bound with the useful smoothing among its notes and details, where it is vacuous on data that are
    not log-concave."""
    if setting.shape or not bound.is_vacuous(float(setting.assumption.second_moment)):
        return bound
    if not setting.assumption.is_perturbed:
        return bound
    found = useful_smoothing(theorem, setting)
    if found is None:
        return replace(
            bound, notes=(*bound.notes, "no Gaussian smoothing of the data makes it useful with this sampler")
        )
    details = {
        "useful_smoothing": found.noise_std,
        "bound_after_smoothing": found.bound,
        "moved_by_smoothing": found.moved,
    }
    return replace(bound, notes=(*bound.notes, found.note()),
                   details=MappingProxyType({**bound.details, **details}))
