"""The schedules β(t) and g(t) of the literature, as exact expressions."""

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bounds.annotations import Array, Expression
from bounds.symbolic.expressions import exact
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_linear import table as points


def table(times: ArrayLike, values: ArrayLike | Callable[[Array], ArrayLike]) -> sympy.Expr:
    """β through the points (times, values), linear between them; also f, or g for VE.

    The schedule is the table itself, and its integrals are exact: a callable is evaluated at the times and no
    longer asked.

    Parameters
    ----------
    times : array of shape (n,)
        Increasing from 0, at most 3000; the horizon must not be beyond the last.
    values : array of shape (n,), or callable
        Or what gives them from the times.

    Raises
    ------
    ValueError
    """
    return points("table", times, values(np.asarray(times, dtype=float)) if callable(values) else values)


def constant(level: Expression) -> sympy.Expr:
    """β = level."""
    return exact(level)


def linear(start: Expression, slope: Expression) -> sympy.Expr:
    """β = start + slope·t."""
    return exact(start) + exact(slope) * TIME


def polynomial(b: Expression, a: Expression, power: Expression) -> sympy.Expr:
    """(b + a t)^power; also g for VE."""
    return (exact(b) + exact(a) * TIME) ** exact(power)


def exponential(a: Expression, b: Expression) -> sympy.Expr:
    """a e^{bt}; also g for VE."""
    return exact(a) * sympy.exp(exact(b) * TIME)


def cosine(horizon: Expression = 1, offset: Expression = "1/125") -> sympy.Expr:
    r"""β whose a(t)² is the cosine schedule cos²(π/2·(t/T'+s)/(1+s)), normalised (Nichol and Dhariwal 2021).

    T', the horizon here, is where a would vanish, so that the sampler's must be smaller; the offset is s.
    """
    horizon, offset = exact(horizon), exact(offset)
    rate = sympy.pi / (2 * (1 + offset) * horizon)
    return 2 * rate * sympy.tan(rate * (TIME + offset * horizon))
