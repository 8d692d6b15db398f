r"""Where f and g² are proved analytic well around the real line, so that a Gauss rule cannot miss a feature.

A panel [c − r, c + r] is cut in half until every coefficient is analytic on the disc :math:`|z - c| \le 4r`,
with a bound there that is not far from its size at c.  That disc holds the Bernstein ellipse of ϱ = 7.87, on
which the error of n nodes rests: :math:`|E| \le \frac{64}{15} \frac{r M}{\varrho^{2n}(1 - \varrho^{-2})}`
(Trefethen, *Approximation Theory and Approximation Practice*, theorem 19.3).  Kinks, jumps, roots and
singular ends never get there: their panels shrink until what can be hidden in them is nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed
from bounds.symbolic.bisection import Bisection, TooManyParts

#: Radius of the disc in half panels.
REACH = 4.0
#: Largest bound on the disc in sizes at the panel's middle.
GROWTH = 2000.0
#: Longest ∫|f| over a piece of a panel (`bounds.steps.pieces`), for e^{2F} to grow little on the ellipse; a panel on
#: which a bound of f many times its size would ask for more pieces than this is cut in half instead.
LONGEST_DRIFT, FAR_BOUND, MANY_PIECES = 0.5, 8.0, 64
#: A panel that holds less than this part of an integral over [0, T] need not vary little on its disc.
MINOR = 1e-12
PRECISION = 64


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
    spreads : bool
        Whether the functions are analytic on all of the discs, also beyond their panels.
    unproved : str
        Why nothing is proved of some part of [0, T], or "".
    """

    edges: np.ndarray
    bounds: np.ndarray
    hidden: np.ndarray
    spreads: bool
    unproved: str = ""


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
        Where a function is proved to be negative though it must not be, or seen to have no finite integral;
        the message names it and the place.
    """
    from flint import ctx

    nothing = np.zeros((len(functions), 1))
    try:
        balls = [BallFunction(function) for function in functions]
        unknown = [needed and function.is_nonnegative is not True
                   for function, needed in zip(functions, nonnegative, strict=True)]
        with ctx.workprec(PRECISION):
            search = Bisection(balls, labels, unknown, horizon, _bounds_of(balls, nonnegative))
            ends, bounds, hidden = zip(*search.parts(), strict=True)
    except (NotEnclosed, TooManyParts) as error:
        return Panels(np.array([0.0, horizon]), nothing, nothing, False, str(error))
    bounds = [[0.0] * len(balls) if found is None else found for found in bounds]
    return Panels(np.array([0.0, *ends]), np.array(bounds).T, np.array(hidden).T,
                  not any(ball.has_signs for ball in balls), search.unproved)


def _bounds_of(balls, nonnegative):
    """The test of a panel: bounds on its disc if they are proved to be small enough, else None."""

    def bounds(left, middle, right, real, sizes):
        from flint import acb, arb

        around = arb(0.0, REACH * (right - left) / 2 * (1 + 1e-9))
        box, found = acb(arb(middle) + around, around), []
        for ball, size, spread in zip(balls, sizes, nonnegative, strict=True):
            try:
                bound = float(ball.disc(box, real).abs_upper())
            except (NotAnalytic, ZeroDivisionError):
                return None
            at_middle = float(abs(ball.interval(arb(middle))).mid())
            if not (bound <= GROWTH * at_middle or bound * (right - left) <= MINOR * size):
                return None
            many = not spread and bound * (right - left) > MANY_PIECES * LONGEST_DRIFT
            if many and bound > FAR_BOUND * at_middle:
                return None
            found.append(bound)
        return found

    return bounds
