"""The schedules β(t) and g(t) of the literature, as exact expressions."""

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bounds.annotations import Array, Expression
from bounds.symbolic.expressions import exact
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_constant import step_table
from bounds.symbolic.piecewise_linear import table as points

__all__ = ["constant", "cosine", "discrete", "exponential", "linear", "noise_levels", "polynomial", "table"]


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


def discrete(betas: ArrayLike) -> sympy.Expr:
    r"""β of a discrete schedule β_1, …, β_n, as DDPM is trained: constant on (k−1, k], :math:`-\log(1-\beta_k)` there.

    The variance-preserving process then has :math:`a(k)^2 = \bar\alpha_k = \prod_{i\le k}(1-\beta_i)` to rounding, and
    a step from k to k−1 of ``ancestral`` and of ``posterior-mean`` is DDPM's.

    Parameters
    ----------
    betas : array of shape (n,)
        In (0, 1), at most 3000 of them; time is counted in steps.

    Raises
    ------
    ValueError

    Source: Ho, Jain and Abbeel 2020 (arXiv 2006.11239) eqs. (2) and (4).
    """
    betas = np.asarray(betas, dtype=float)
    bad = ~((betas > 0) & (betas < 1))
    if betas.ndim != 1 or bad.any():
        got = f"{betas[bad].flat[0]:g}" if bad.any() else f"an array of shape {betas.shape}"
        raise ValueError(f"betas must be a list of numbers in (0, 1), got {got}")
    return step_table("betas", np.arange(len(betas) + 1), -np.log1p(-betas))


def noise_levels(sigmas: ArrayLike) -> sympy.Expr:
    r"""g of a variance-exploding process with the noise levels σ_1, …, σ_n at the times 1, …, n, from 0 at 0.

    Constant on (k−1, k], :math:`g = (\sigma_k^2 - \sigma_{k-1}^2)^{1/2}`.

    Parameters
    ----------
    sigmas : array of shape (n,)
        Positive and increasing, at most 3000 of them.

    Raises
    ------
    ValueError
    """
    sigmas = np.append(0.0, np.asarray(sigmas, dtype=float))
    if sigmas.ndim != 1 or not np.all(np.diff(sigmas) > 0):
        raise ValueError(f"sigmas must be positive and increase, got {sigmas[1:].tolist()!r:.80}")
    gained = np.diff(sigmas) * (sigmas[1:] + sigmas[:-1])
    return step_table("sigmas", np.arange(len(sigmas)), np.sqrt(gained))


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
