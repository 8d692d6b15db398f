r"""A first step from a time T at which nothing is left of the data, a(T) = 0: zero terminal signal-to-noise ratio.

There f is infinite and not integrable, as :math:`p/(T-t)` with p > 0 or faster, so that :math:`\Phi(T, r) = 0` for
every r < T: X_T is noise, independent of X_r, and :math:`s^2(T) = \lim g^2/(2f)`.  Coefficients of a step from T are
infinite, but what a step does may have a limit.  With :math:`y \sim N(0, s^2(T) I)` and the exact score of :math:`a \to 0`,
in which the data are seen through :math:`a\,E[X_0 | y] / s^2` alone,

.. math:: P y + Q s(y) \to \lambda y + a_r E X_0 + N(0, v),

with λ = 0, v = s²(r) for ``ancestral``; λ = 0, v = s²(T) for ``ancestral-large``; λ² s²(T) + v = s²(r) for ``ddim`` at any η,
and so for what begins with its step; for matched noise λ = 0 and v is its integral over the step, a number by
quadrature that is the sampler's.  Each leads to N(a(r) E X_0, v' I), and the sampler is the one that starts there.
Steps whose noise or weight grows without limit as a → 0 have none.

Source: Lin et al. 2024 (arXiv 2305.08891) ask the model for X_0 at such a time; docs/theory.md section 3.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import sympy

from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.steps.path import Path
from bounds.steps.rule import matched_hessian
from bounds.symbolic.deadline import attempt
from bounds.symbolic.integrals import TIME

#: Below this times 1/T a value of f at T is that of a process that is usable there.
LARGE = 1e8
#: Seconds that limits at T may take.
SECONDS = 3.0
#: Panels of the first step, halving towards T, and the nodes of a panel in two rules that must agree so well.
HALVINGS, NODES, RESOLVED = 31, (16, 10), 1e-10


def noise_at(process: ForwardProcess, horizon: float) -> float | None:
    """s²(T) where a(T) = 0, else None."""
    if process.blocks != 1:
        return None
    try:
        f = abs(float(process.f_values(np.array([horizon]))[0]))
    except ValueError:
        f = np.inf
    return None if f * horizon < LARGE else _limit(process, horizon)


@lru_cache(maxsize=64)
def _limit(process: ForwardProcess, horizon: float) -> float | None:
    # as it is written: decimals are exact in expressions
    before = sympy.Symbol("before", positive=True)
    time = sympy.Rational(repr(horizon)) - before

    def limits():
        f, g_sq = process.f.subs(TIME, time), process.g_sq.subs(TIME, time)
        return tuple(sympy.limit(each, before, 0, "+") for each in (f * before, sympy.simplify(g_sq / (2 * f))))

    rate, variance = attempt(limits, (None, None), SECONDS)
    if rate is None or not (rate.is_extended_positive and variance.is_positive and variance.is_finite):
        return None
    return float(variance)


def left_behind(process: ForwardProcess, scheme) -> float | None:
    """s²(T) where the scheme's horizon has a(T) = 0, else None.

    Raises
    ------
    ValueError
        If the sampler's first step there has no limit, or starts from something else than X_T, or is the only one.
    """
    horizon = scheme.grid.horizon
    variance = noise_at(process, horizon)
    if variance is None:
        return None
    from bounds.samplers import samplers

    rule, where = scheme.sampler.one_block, f"where a(T) = 0, at horizon {horizon:g}"
    if rule is None or rule.from_noise is None:
        known = [key for key, each in samplers(1).items() if each.one_block.from_noise is not None]
        raise ValueError(f"kind must be one of {', '.join(known)} {where}, got {scheme.key!r}, whose first step is "
                         f"not known to have a limit there: or stop short of it, horizon = {horizon * (1 - 1e-6):.6f}")
    std = float(np.sqrt(variance))
    if scheme.prior_std is not None and abs(scheme.prior_std - std) > 1e-12 * std:
        raise ValueError(f"prior_std must be s(T) = {std:g}, or left out, {where}, got {scheme.prior_std:g}")
    for name, given in (("prior_mean", scheme.prior_mean), ("prior_covariance", scheme.prior_covariance)):
        if given is not None:
            raise ValueError(f"{name} must be left out {where}: the start is X_T, got {given.tolist()!r:.60}")
    if scheme.grid.steps < 2:
        raise ValueError(f"steps must be at least 2 {where}, got {scheme.grid.steps}")
    return variance


def entered(process: ForwardProcess, scheme, assumption=None, moments=None):
    """A scheme whose horizon has a(T) = 0 as the scheme that its first step leads to; any other as it is.

    Raises
    ------
    ValueError
        As `left_behind`; if matched noise has no data assumption, or more than one, or its integral is not found.
    """
    variance = left_behind(process, scheme)
    if variance is None:
        return scheme
    how, std = scheme.sampler.one_block.from_noise, None
    if how == "noise":
        std = float(np.sqrt(variance))
    elif how == "matched":
        std = float(np.sqrt(_matched_noise(process, *scheme.grid.times[:2].tolist(), assumption, moments)))
    grid = TimeGrid(scheme.grid.times[1:], "list", copy=False)
    return replace(scheme, grid=grid, prior_std=std, prior_spread=0.0,
                   from_mean=True, score_times=None if scheme.score_times is None else scheme.score_times[1:])


def _matched_noise(process: ForwardProcess, horizon: float, end: float, assumption, moments) -> float:
    """∫(Φ⁻¹(1 + C H(c*)))²g² over the first step: its integrand is Φ²g² at T, up to a factor with a limit."""
    if assumption is None:
        raise ValueError("posterior-mean-matched needs a data assumption: its noise is matched to the posterior covariance")
    found, check = (_noise_by(count, process, horizon, end, assumption, moments) for count in NODES)
    if np.ndim(found):
        raise ValueError(f"assumption must be of one problem where a(T) = 0, at horizon {horizon:g}, got {np.size(found)}")
    if not abs(found - check) <= RESOLVED * found:
        raise ValueError(f"steps must be more where a(T) = 0, at horizon {horizon:g}: the noise of the first one is not "
                         f"resolved, got {found:.9g} and {check:.9g} by two quadratures")
    return float(found)


def _noise_by(count: int, process: ForwardProcess, horizon: float, end: float, assumption, moments):
    """The same by so many Gauss nodes on panels that halve towards T."""
    x, weights = np.polynomial.legendre.leggauss(count)
    ends = np.append(horizon - (horizon - end) * 0.5 ** np.arange(HALVINGS), horizon)
    widths = np.diff(ends)[:, None]
    times, shares = (ends[:-1, None] + widths * (1 + x) / 2).ravel(), (widths * weights / 2).ravel()
    path = Path(process, np.append(times[::-1], end))
    a, s_sq = path.a[::-1], path.s_sq[::-1]
    phi, upper = a[1:] / a[0], s_sq[1:]
    hessian = matched_hessian(assumption, moments, np.square(a[1:]), upper)
    amplitude = (1 + (upper - np.square(phi) * s_sq[0]) * hessian) / phi
    return np.sum(shares * np.square(amplitude) * process.g_sq_values(times), axis=-1)
