"""The schedules β(t) and g(t) of the literature, as exact expressions."""

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bounds.annotations import Array, Expression
from bounds.symbolic.expressions import exact
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_linear import table as points

__all__ = ["constant", "cosine", "exponential", "linear", "polynomial", "table"]


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
        If the times or values are not as described.
    """
    return points("table", times, values(np.asarray(times, dtype=float)) if callable(values) else values)


def constant(level: Expression) -> sympy.Expr:
    """β = level.

    Parameters
    ----------
    level : sympy expression, number or str

    Raises
    ------
    ValueError, TypeError
        If it is no constant.
    """
    return exact(level)


def linear(start: Expression, slope: Expression) -> sympy.Expr:
    """β = start + slope·t.

    Parameters
    ----------
    start, slope : sympy expressions, numbers or str

    Raises
    ------
    ValueError, TypeError
        If one is no constant.
    """
    return exact(start) + exact(slope) * TIME


def polynomial(b: Expression, a: Expression, power: Expression) -> sympy.Expr:
    """(b + a t)^power; also g for VE.

    Parameters
    ----------
    b, a, power : sympy expressions, numbers or str

    Raises
    ------
    ValueError, TypeError
        If one is no constant.
    """
    return (exact(b) + exact(a) * TIME) ** exact(power)


def exponential(a: Expression, b: Expression) -> sympy.Expr:
    """a e^{bt}; also g for VE.

    Parameters
    ----------
    a, b : sympy expressions, numbers or str

    Raises
    ------
    ValueError, TypeError
        If one is no constant.
    """
    return exact(a) * sympy.exp(exact(b) * TIME)


def cosine(horizon: Expression = 1, offset: Expression = "1/125") -> sympy.Expr:
    r"""β whose a(t)² is the cosine schedule cos²(π/2·(t/T'+s)/(1+s)), normalised (Nichol and Dhariwal 2021).

    Parameters
    ----------
    horizon : sympy expression, number or str
        T', where a would vanish, so that the sampler's must be smaller.
    offset : sympy expression, number or str
        s.

    Raises
    ------
    ValueError, TypeError
        If one is no constant.
    """
    horizon, offset = exact(horizon), exact(offset)
    rate = sympy.pi / (2 * (1 + offset) * horizon)
    return 2 * rate * sympy.tan(rate * (TIME + offset * horizon))
