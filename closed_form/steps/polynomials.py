r"""f and g² as polynomials on parts of [0, T], their remainders proved by Lagrange's formula in ball
arithmetic.

On [c − r, c + r]: :math:`|f(t) - \sum_{k<n} f_k (t-c)^k| \le r^n \max |f^{(n)}|/n!`, where the maximum is
that of the coefficient of order n that a truncated series has at every point of the part at once; and what the
coefficients themselves are not known to is added.
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from bounds.process import ForwardProcess
from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed
from bounds.symbolic.bisection import Bisection, TooManyParts

#: Coefficients of a polynomial.
TERMS = 24
#: Largest remainder relative to the function's size at the middle.
REMAINDER = 1e-18
#: Where g² is smaller than this in its mean over [0, T] it need not be so exact; f adds up as it is.
MINOR = 1e-9
#: How far, in half parts from the middle, the polynomials are bounded in the complex plane.
REACH = 3.0
PRECISION = 160
WIDE = np.longdouble


@dataclass(frozen=True, eq=False)
class Polynomials:
    """f and g² on m parts of [0, T].

    Attributes
    ----------
    edges : array of shape (m+1,)
    coefficients : array of shape (2, m, n), extended precision
        Of f and g² in powers of y = (t − c)/r, which goes from −1 to 1.
    remainder, size, bound : arrays of shape (2, m)
        Largest distance of the function from its polynomial, and bounds of the polynomial on |y| ≤ 1 and on
        |y| ≤ `REACH`.
    unproved : str
        Why the remainders say nothing of some part, or "".
    """

    edges: np.ndarray
    coefficients: np.ndarray
    remainder: np.ndarray
    size: np.ndarray
    bound: np.ndarray
    unproved: str


@lru_cache(maxsize=128)
def polynomials(process: ForwardProcess, horizon: float) -> Polynomials:
    """The polynomials of a process of one block on [0, ``horizon``].

    Raises
    ------
    NotEnclosed
        If the coefficients cannot be written in ball arithmetic.
    ValueError
        Where f or g² is seen not to be usable on (0, T].
    """
    from flint import ctx

    functions = process.f, process.g_sq
    with ctx.workprec(PRECISION):
        balls = [BallFunction(function) for function in functions]
        unknown = [False, process.g_sq.is_nonnegative is not True]
        search = Bisection(balls, ("f", "g²"), unknown, horizon, partial(_expansions, balls, horizon))
        try:
            found = list(search.parts())
        except TooManyParts as error:
            raise NotEnclosed(str(error)) from None
        edges = np.array([0.0, *(right for right, *_ in found)])
        kept = [(_constants(balls, left, right, hidden) if polynomial is None else polynomial)
                for left, (right, polynomial, hidden) in zip(edges[:-1], found, strict=True)]
    coefficients, remainder = (np.array([part[at] for part in kept]).swapaxes(0, 1) for at in (0, 1))
    used = int(np.flatnonzero(np.any(coefficients != 0, axis=(0, 1))).max(initial=0)) + 1
    coefficients = coefficients[..., :used]
    size, bound = (np.abs(coefficients).astype(float) @ reach ** np.arange(used) for reach in (1.0, REACH))
    return Polynomials(edges, coefficients, remainder.astype(float), size, bound, search.unproved)


def _expansions(balls, horizon, left, middle, right, real, sizes):
    """(coefficients, remainders) of every function if these are small enough, else None."""
    from flint import arb

    half, centre = arb(right - left) / 2, arb(middle)
    reach = (arb(right) - centre).max(centre - arb(left))  # the middle may be rounded
    rows, remainders = [], []
    for ball, size, minor in zip(balls, sizes, (1.0, MINOR), strict=True):
        try:
            over = ball.taylor(real, TERMS + 1)
            at = ball.taylor(centre, TERMS)
        except NotAnalytic:
            return None
        # the coefficients are kept by their middles
        remainder = float((abs(over[TERMS]) * reach**TERMS + sum(at[k].rad() * reach**k for k in range(TERMS))).abs_upper())
        lead = float(abs(at[0]).mid())
        if not (remainder <= REMAINDER * lead or remainder * horizon <= REMAINDER * minor * size):
            return None
        rows.append([extended(at[k] * half**k) for k in range(TERMS)])
        remainders.append(remainder)
    return rows, remainders


def _constants(balls, left, right, hidden):
    """A narrow part: the middle of all values, or of those at its ends, and what that may hide."""
    from flint import arb

    rows = []
    for ball in balls:
        values = ball.interval(arb(left).union(arb(right)))
        if not values.is_finite():
            values = ball.interval(arb(right))
        middle = values.mid() if values.is_finite() else arb(0)
        rows.append([extended(middle)] + [WIDE(0)] * (TERMS - 1))
    return rows, [found / (right - left) for found in hidden]


def extended(ball):
    """The middle of a ball in extended precision: two floats."""
    middle = ball.mid()
    high = float(middle)
    return WIDE(high) + WIDE(float(middle - high))
