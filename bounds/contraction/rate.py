r"""How fast the reverse process contracts, for any f and g, and the phases that makes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption, check_constant
from bounds.process import ForwardProcess
from bounds.steps.path import Path


def curvature(process: ForwardProcess, assumption: Assumption, times: ArrayLike) -> Array:
    r""":math:`\kappa_t = -H_t(c_{up})`: least curvature of −log p_t the assumption allows, for any f and g.

    Parameters
    ----------
    process : ForwardProcess
        Of one block.
    assumption : Assumption
        With constants that are numbers.
    times : array of shape (m,)
        Forward times >= 0; the curvature has their shape.

    Raises
    ------
    ValueError
        If a time is negative or not finite, or the assumption's envelope is infinite at one of them.
    """
    times = np.atleast_1d(np.asarray(check_constant("times", times), dtype=float))
    grid = np.unique(np.append(times, 0.0))[::-1]
    if len(grid) == 1:
        a_sq, s_sq = np.ones_like(times), np.zeros_like(times)
    else:
        path = Path(process, grid)
        at = len(grid) - 1 - np.searchsorted(grid[::-1], times)
        a_sq, s_sq = np.square(path.a[at]), path.s_sq[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = -(assumption.hessian_lower(a_sq, s_sq) + assumption.hessian_gap(a_sq, s_sq))
    if not np.all(np.isfinite(found)):
        at = times[~np.isfinite(found)][0]
        raise ValueError(f"times must avoid t = {at:g}, where {assumption.key} data have no finite envelope")
    return found


def rate(process: ForwardProcess, assumption: Assumption, times: ArrayLike) -> Array:
    r"""Contraction rate :math:`\mu_t = g^2 \kappa_t - f` of the reverse process, for any f and g.

    Parameters and errors are those of `curvature`.
    """
    kappa = curvature(process, assumption, times)
    times = np.atleast_1d(np.asarray(times, dtype=float))
    return process.g_sq_values(times) * kappa - process.f_values(times)


@dataclass(frozen=True)
class Regimes:
    r"""The two phases of the reverse process, with its rate over time.

    Attributes
    ----------
    xi : float
        Forward time from which p_t is log-concave.
    eta : float
        Last forward time at which the rate is ρ: contraction is faster from the horizon to it.
    rho : float
        The margin ρ.
    backward_time : float
        max(T − η, 0): backward time at which the contractive phase ends.
    horizon : float
        T.
    times, rate : arrays of shape (m,)
        Forward times in increasing order, and :math:`\mu_t` there.
    metric : dict, optional
        With two blocks, the metric in which the rate is meant.
    """

    xi: float
    eta: float
    rho: float
    backward_time: float
    horizon: float
    times: Array
    rate: Array
    metric: dict[str, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``rate`` is a list of {"time": t, "rate": μ_t}, forward times increasing."""
        names = ("xi", "eta", "rho", "backward_time", "horizon")
        return {
            **{name: float(getattr(self, name)) for name in names},
            "rate": [{"time": float(time), "rate": float(value)}
                     for time, value in zip(self.times, self.rate, strict=True)],
            **({} if self.metric is None else {"metric": self.metric})}
