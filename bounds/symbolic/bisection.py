"""Cut [0, T] in halves until functions are proved smooth on each part, or a part can hide nothing."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bounds.symbolic.balls import BallFunction

#: A part at a kink or a jump that can hide less than this fraction of an integral over [0, T] is narrow
#: enough if it is no longer than this fraction of T.
NEGLIGIBLE, NARROW = 1e-30, 1e-9
#: What a part at a singularity may hold of an integral, at least, for the integral to be refused.
SINGULAR = 1e-10
MAX_PARTS = 4000
_SAMPLES = 16


class TooManyParts(ValueError):
    """The functions need more parts than are looked at."""


class Bisection:
    """The search for parts of [0, T].

    Parameters
    ----------
    functions : list of BallFunction
    labels : tuple of str
        What messages call them.
    nonnegative : list of bool
        Which of them have to be proved to be at least 0.
    horizon : float
        T.
    smooth : callable
        (left, middle, right, real, sizes) -> whatever is to be kept of a part that is smooth, else None; real
        is the part as an arb, sizes are those of ∫|function| over [0, T].

    Attributes
    ----------
    unproved : str
        Where a function is not seen to be bounded, or "".
    """

    def __init__(self, functions: list[BallFunction], labels, nonnegative, horizon: float, smooth: Callable):
        self._functions, self._labels, self._checked = functions, labels, nonnegative
        self._horizon, self._smooth = horizon, smooth
        self.sizes = [self._size(function) for function in functions]
        self.unproved = ""

    def parts(self):
        """Yield (right end, what ``smooth`` kept or None, what may be hidden of each integral), ascending.

        Raises
        ------
        ValueError
            Where a function is proved to be negative though it must not be, or seen to have no integral.
        TooManyParts
        """
        from flint import arb

        cuts = {time for function in self._functions for time in function.cuts if 0 < time < self._horizon}
        ends = sorted({0.0, self._horizon} | cuts)
        waiting, found = list(pairwise(ends))[::-1], 0
        while waiting:
            left, right = waiting.pop()
            if found + len(waiting) > MAX_PARTS:
                raise TooManyParts(f"more than {MAX_PARTS} parts of [0, T] are needed")
            middle, real = left + (right - left) / 2, arb(left).union(arb(right))
            kept = self._smooth(left, middle, right, real, self.sizes)
            if kept is not None and self._allowed(left, right, real):
                yield right, kept, [0.0] * len(self._functions)
                found += 1
                continue
            hidden = self._hidden(left, middle, right, real)
            if hidden is None:
                waiting += [(middle, right), (left, middle)]
            else:
                yield right, None, hidden
                found += 1

    def _size(self, function: BallFunction) -> float:
        """About ∫|function| over [0, T]."""
        from flint import arb

        places = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * self._horizon
        values = [float(abs(function.interval(arb(float(place)))).mid()) for place in places]
        finite = [value for value in values if math.isfinite(value)]
        return sum(finite) / max(len(finite), 1) * self._horizon

    def _allowed(self, left, right, real) -> bool:
        """Whether what must not be negative is proved not to be, up to nothing; refuses where it is."""
        for function, size, label, checked in zip(self._functions, self.sizes, self._labels, self._checked,
                                                  strict=True):
            if not checked:
                continue
            values = function.interval(real)
            if values < 0:
                raise ValueError(f"process: {label} must be >= 0 on (0, T], it is at most "
                                 f"{float(values.upper()):.6g} between t = {left:.9g} and t = {right:.9g}")
            if not float(values.lower()) * (right - left) >= -NEGLIGIBLE * size:
                return False
        return True

    def _hidden(self, left, middle, right, real):
        """How much a narrow part may hide of each integral, or None while it may be too much."""
        last = (not left < middle < right or right - left <= 4 * math.ulp(right)
                or right <= 1e-30 * self._horizon)
        hidden = []
        for function, size, label in zip(self._functions, self.sizes, self._labels, strict=True):
            values = function.interval(real)
            if not values.is_finite():
                if not last:
                    return None
                hidden.append(self._singular(function, size, label, left, right))
                continue
            span = float(values.upper() - values.lower()) * (right - left)
            if not last and (span > NEGLIGIBLE * size or right - left > NARROW * self._horizon):
                return None
            hidden.append(span)
        return hidden if last or self._allowed(left, right, real) else None

    def _singular(self, function, size, label, left, right) -> float:
        """What a part at a singularity may hold, judged by the values beside it."""
        from flint import arb

        width, where = right - left, f"near t = {right if left else 0:.6g}"
        beside = [float(abs(function.interval(arb(place))).mid())
                  for place in (left - width, right + width) if 0 < place <= self._horizon]
        held = max((value for value in beside if math.isfinite(value)), default=math.inf) * width
        if not held <= SINGULAR * size:
            raise ValueError(f"process: {label} must be real and finite on (0, T] and its integral converge, "
                             f"which is not seen {where}")
        self.unproved = f"{label} is not seen to be bounded {where}"
        return held
