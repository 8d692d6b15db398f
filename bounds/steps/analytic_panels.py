r"""Where f and g² are proved analytic well around the real line, so that a Gauss rule cannot miss a feature.

A panel [c − r, c + r] is cut in half until every coefficient is analytic on the disc :math:`|z - c| \le 4r`,
with a bound there that is not far from its size at c.  That disc holds the Bernstein ellipse of ϱ = 7.87, on
which the error of n nodes rests: :math:`|E| \le \frac{64}{15} \frac{r M}{\varrho^{2n}(1 - \varrho^{-2})}`
(Trefethen, *Approximation Theory and Approximation Practice*, theorem 19.3).  Kinks, jumps, roots and singular
ends never get there: their panels shrink until what can be hidden in them is nothing.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy

from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed

#: Radius of the disc in half panels.
REACH = 4.0
#: Largest bound on the disc in sizes at the panel's middle.
GROWTH = 2000.0
#: A panel that holds less than this part of an integral over [0, T] need not vary little on its disc.
MINOR = 1e-12
#: A panel at a kink or a jump that can hide less than this part is narrow enough.
NEGLIGIBLE = 1e-30
#: What a panel at a singularity may hold of an integral, at least, for the integral to be refused.
SINGULAR = 1e-10
MAX_PANELS = 4000
PRECISION = 64
_SAMPLES = 16


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels of [0, T] on which a Gauss rule of ten nodes is proved.

    Attributes
    ----------
    edges : array of shape (m+1,)
    bounds : array of shape (functions, m)
        Bounds of the functions on the discs; 0 on the narrow panels left at kinks and jumps.
    hidden : array of shape (functions, m)
        By how much a function's integral over a narrow panel may differ from any mean of its values there.
    unproved : str
        Why nothing is proved of some part of [0, T], or "".
    """

    edges: np.ndarray
    bounds: np.ndarray
    hidden: np.ndarray
    unproved: str = ""


class Refused(ValueError):
    """A function is not real and finite on (0, T], or negative where it must not be."""


@lru_cache(maxsize=256)
def analytic_panels(functions: tuple, labels: tuple, nonnegative: tuple, horizon: float) -> Panels:
    """Panels of [0, ``horizon``] for expressions in `bounds.symbolic.integrals.TIME`.

    Parameters
    ----------
    functions : tuple of sympy.Expr
    labels : tuple of str
        What messages call them.
    nonnegative : tuple of bool
        Which of them must be at least 0 on (0, T].

    Raises
    ------
    ValueError
        Where a function is proved to have no finite integral, or to be negative where it must not be; the
        message names it and the place.
    """
    from flint import ctx

    whole = np.array([0.0, horizon])
    nothing = np.zeros((len(functions), 1))
    try:
        balls = [BallFunction(function) for function in functions]
    except NotEnclosed as error:
        return Panels(whole, nothing, nothing, str(error))
    checked = [needed and function.is_nonnegative is not True
               for function, needed in zip(functions, nonnegative, strict=True)]
    with ctx.workprec(PRECISION):
        return _Search(balls, labels, checked, horizon).panels()


class _Search:
    """The bisection of one interval."""

    def __init__(self, balls, labels, checked, horizon):
        self.balls, self.labels, self.checked, self.horizon = balls, labels, checked, horizon
        self.sizes = [self._size(ball) for ball in balls]
        self.found: list[tuple] = []
        self.unproved = ""

    def _size(self, ball) -> float:
        """About ∫|function| over [0, T]."""
        from flint import arb

        places = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * self.horizon
        values = [float(abs(ball.interval(arb(float(place)))).mid()) for place in places]
        finite = [value for value in values if math.isfinite(value)]
        return sum(finite) / max(len(finite), 1) * self.horizon

    def panels(self) -> Panels:
        waiting = [(0.0, self.horizon)]
        while waiting:
            left, right = waiting.pop()
            if len(self.found) + len(waiting) > MAX_PANELS:
                self.unproved = f"more than {MAX_PANELS} panels are needed"
                whole = np.zeros((len(self.balls), 1))
                return Panels(np.array([0.0, self.horizon]), whole, whole, self.unproved)
            middle = left + (right - left) / 2
            accepted = self._smooth(left, middle, right)
            if accepted is None:
                accepted = self._narrow(left, middle, right)
            if accepted is None:
                waiting += [(middle, right), (left, middle)]
            else:
                self.found.append((right, *accepted))
        edges, bounds, hidden = zip(*self.found, strict=True)
        return Panels(np.array([0.0, *edges]), np.array(bounds).T, np.array(hidden).T, self.unproved)

    def _smooth(self, left, middle, right):
        """(bounds, nothing hidden) if every function is proved analytic with little growth, else None."""
        from flint import acb, arb

        reach = REACH * (right - left) / 2 * (1 + 1e-9)
        real, around = arb(left).union(arb(right)), arb(0.0, reach)
        box, bounds = acb(arb(middle) + around, around), []
        for ball, size, label, checked in zip(self.balls, self.sizes, self.labels, self.checked, strict=True):
            try:
                bound = float(ball.disc(box, real).abs_upper())
            except (NotAnalytic, ZeroDivisionError):
                return None
            at_middle = float(abs(ball.interval(arb(middle))).mid())
            if not (bound <= GROWTH * at_middle or bound * (right - left) <= MINOR * size):
                return None
            if checked and not self._nonnegative(ball, label, left, right, size):
                return None
            bounds.append(bound)
        return bounds, [0.0] * len(bounds)

    def _nonnegative(self, ball, label, left, right, size) -> bool:
        """Whether the function is proved not to be negative (up to nothing); refuses it where it is."""
        from flint import arb

        values = ball.interval(arb(left).union(arb(right)))
        if values < 0:
            raise Refused(f"process: {label} must be >= 0 on [0, T], it is at most {float(values.upper()):.6g} "
                          f"between t = {left:.6g} and t = {right:.6g}")
        return float(values.lower()) * (right - left) >= -NEGLIGIBLE * size

    def _narrow(self, left, middle, right):
        """(no bounds, what it may hide) if the panel is so narrow that it hides nothing, else None."""
        from flint import arb

        real, hidden = arb(left).union(arb(right)), []
        last = not left < middle < right or right - left <= 4 * math.ulp(right) or right < 1e-280
        for ball, size, label, checked in zip(self.balls, self.sizes, self.labels, self.checked, strict=True):
            values = ball.interval(real)
            width = right - left
            if not values.is_finite():
                if not last and not (left == 0.0 and right <= 1e-30 * self.horizon):
                    return None
                hidden.append(self._singular(ball, size, label, left, right))
                continue
            if checked and not last and not self._nonnegative(ball, label, left, right, size):
                return None
            span = float(values.upper() - values.lower()) * width
            if span > NEGLIGIBLE * size and not last:
                return None
            hidden.append(span)
        return [0.0] * len(hidden), hidden

    def _singular(self, ball, size, label, left, right) -> float:
        """What a panel at a singularity may hold, judged by the values beside it."""
        from flint import arb

        width, where = right - left, f"near t = {right:.6g}"
        beside = [float(abs(ball.interval(arb(place))).mid())
                  for place in (left - width, right + width) if 0 < place <= self.horizon]
        beside = [value for value in beside if math.isfinite(value)]
        held = max(beside, default=math.inf) * width
        if not held <= SINGULAR * size:
            raise Refused(f"process: the integral of {label} must converge on (0, T], {label} is not seen to be "
                          f"finite {where}")
        self.unproved = f"{label} is not seen to be bounded {where}"
        return held
