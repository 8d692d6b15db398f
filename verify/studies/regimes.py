r"""The boundary between the contractive and non-contractive phases for any process, as number and picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import trapezoid
from scipy.optimize import brentq, minimize_scalar

from bounds.assumption import Assumption
from bounds.contraction import ou_phases
from bounds.contraction import rate as contraction
from bounds.contraction.metric import contracting_metric, norm
from bounds.contraction.rate import Regimes
from bounds.contraction.renormalised_score import regularity_constant, renormalised_hessian
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.recursion.phase_space.constant_metric import KAPPAS
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import PhasePath
from verify.pages import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_regimes", "regimes_of"]

#: Times at which the rate is looked at: sign changes closer together than the grid are not seen.
GRID_POINTS = 1024
#: First time of the geometric part of the grid, relative to the horizon; 0 is left out without envelope.
FIRST = 1e-6


def regimes_of(process: ForwardProcess | str, assumption: Assumption, horizon: float, rho: float = 0.0, *,
               closed_form: bool = True) -> Regimes:
    r"""ξ, η and the rate :math:`\mu_t = g^2\kappa_t - f` over [0, horizon].

    Parameters
    ----------
    process : ForwardProcess or str
        Of one block, or critically-damped Langevin (docs/theory.md section 5, Theorem C).
    assumption : Assumption
    horizon : float
        T > 0.
    rho : float
        Margin, 0 <= ρ < 1, in the units of the rate.
    closed_form : bool
        Use the closed form where there is one (f = 1, g² constant); elsewhere the last sign change on a grid
        is refined.

    Returns
    -------
    Regimes
        Without closed form, ξ and η are at most the horizon, and equal to it where the phase begins later.

    Raises
    ------
    ValueError, TypeError
        If ``horizon`` or ``rho`` is out of range.
    """
    process = process_of(process)
    if not (np.isfinite(horizon) and horizon > 0):
        raise ValueError(f"horizon must be positive and finite, got {horizon}")
    if not 0 <= rho < 1:
        raise ValueError(f"rho must be in [0, 1), got {rho}")
    times, constants, found = _grid(assumption, horizon), None, None
    if process.blocks == 2:
        times = times[times > 0]
        curvature, rate, found = _two_blocks(process, assumption, times)
    else:
        curvature, rate = (partial(value, process, assumption)
                           for value in (contraction.curvature, contraction.rate))
        constants = _ou_constants(process, assumption) if closed_form else None
    rates = rate(times)
    if constants is not None:
        xi, eta = float(ou_phases.xi(*constants)), float(ou_phases.eta(*constants, rho))
    else:
        xi = last_crossing(lambda t: curvature(t)[0], times, curvature(times), 0.0)
        eta = last_crossing(lambda t: rate(t)[0], times, rates, rho)
    return Regimes(xi, eta, rho, max(horizon - eta, 0.0), horizon, times, rates, found)


def _two_blocks(process: ForwardProcess, assumption: Assumption, times) -> tuple[Callable, Callable, dict]:
    r"""Curvature of −log p_t on the phase space and the rate, functions of forward times, and what the rate
    is measured in.

    .. math:: \mu_t = \beta\,(a(1 - 1/\kappa) - \max_c\|D\tilde H_t(c)\|_𝔐)

    |Z|_𝔐 of two reverse paths under one noise grows at most like e^{−∫μ}; κ is the one with the largest ∫μ.
    ξ is from when on p_t is log-concave on the phase space, which is not enough for contraction.

    Source: arXiv 2511.02419 (long-term regularity of the renormalised score); docs/theory.md section 5,
    Theorem C.
    """
    path = PhasePath(process)
    clock = path.clock(times[::-1])[::-1]

    def excess(kappa: float, at) -> np.ndarray:
        fixed = contracting_metric(path, kappa)
        return np.maximum(*(norm(path.D @ end, fixed) for end in renormalised_hessian(path, assumption, at)))

    def gained(kappa: float) -> float:
        return path.a * (1 - 1 / kappa) * clock[-1] - trapezoid(excess(kappa, clock), clock)

    kappa = float(minimize_scalar(lambda k: -gained(k), bounds=KAPPAS, method="bounded").x)

    def rate(at) -> np.ndarray:
        at = np.atleast_1d(at)
        return path.speed(at) * (path.a * (1 - 1 / kappa) - excess(kappa, path.clock(at[::-1])[::-1]))

    def curvature(at) -> np.ndarray:
        seen = channel(path, path.clock(np.atleast_1d(at)[::-1])[::-1])
        gap = np.broadcast_to(assumption.hessian_gap(seen.a_sq, seen.s_sq), seen.a_sq.shape)[..., None, None]
        high = (seen.hessian_floor(1 / assumption.smoothness)
                + gap * seen.omega[..., :, None] * seen.omega[..., None, :])
        return -np.linalg.eigvalsh(high)[..., -1]

    return curvature, rate, {
        "kappa": kappa, "drift_rate": path.a * (1 - 1 / kappa), "integrated_rate": float(gained(kappa)),
        "regularity_constant": regularity_constant(path, assumption, float(clock[-1])),
    }


def last_crossing(function: Callable[[float], float], times, values, level: float) -> float:
    """Last time from which ``function`` stays at or above ``level``: 0 if always, the last time if never.

    Parameters
    ----------
    function : callable
        time -> value.
    times, values : arrays of shape (m,)
        Increasing times and the values there.
    level : float
    """
    below = np.flatnonzero(values < level)
    if len(below) == 0:
        return 0.0
    last = below[-1]
    if last == len(times) - 1:
        return float(times[-1])
    left, right = float(times[last]), float(times[last + 1])
    # the function may round to the other side of the level than the array did
    if function(left) >= level:
        return left
    if function(right) <= level:
        return right
    return float(brentq(lambda t: function(t) - level, left, right, xtol=1e-15 * right, rtol=1e-15))


def _grid(assumption: Assumption, horizon: float) -> np.ndarray:
    """Uniform and geometric times together, from 0 where the envelope is finite there."""
    start = 0.0 if np.isfinite(assumption.hessian_gap(1.0, 0.0)) else FIRST * horizon
    uniform = np.linspace(start, horizon, GRID_POINTS)
    return np.unique(np.concatenate([uniform, np.geomspace(FIRST * horizon, horizon, GRID_POINTS // 4)[:-1]]))


def _ou_constants(process: ForwardProcess, assumption: Assumption):
    """(α, M) in units in which g² = 2, if the process is OU and the assumption has a closed form."""
    scale_sq = ou_phases.ou_scale_sq(process) if process.f == 1 else None
    if scale_sq is None or assumption.weak_log_concavity is None:
        return None
    return tuple(constant * scale_sq for constant in assumption.weak_log_concavity)


def plot_regimes(ax: Axes, found: Regimes) -> None:
    """Draw the rate over backward time with the contractive and the non-contractive phase shaded.

    Parameters
    ----------
    ax : matplotlib Axes
        Errors are its own alone.
    found : Regimes
    """
    horizon, end = found.horizon, min(found.backward_time, found.horizon)
    if end > 0:
        ax.axvspan(0.0, end, color=palette.FOURTH, alpha=0.15, lw=0, label="contractive")
    if end < horizon:
        ax.axvspan(end, horizon, color=palette.OTHER, alpha=0.15, lw=0, label="non-contractive")
    ax.plot(horizon - found.times, found.rate, color=palette.EXACT, label=r"rate $\mu$")
    ax.axhline(found.rho, color=palette.MUTED, lw=0.8, ls="--", label=rf"$\rho$ = {found.rho:g}")
    if 0 < found.xi < horizon:
        ax.axvline(horizon - found.xi, color=palette.BOUND, lw=0.8, ls=":", label=r"$T-\xi$")
    if np.max(np.abs(found.rate)) > 100:
        ax.set_yscale("symlog", linthresh=1.0)
    ax.set_xlim(0.0, horizon)
    ax.set_xlabel("backward time T − t")
    ax.set_ylabel("contraction rate")
    ax.legend()
