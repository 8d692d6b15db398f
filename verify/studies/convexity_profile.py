"""The convexity profile of a law at any forward time beside the constants proved for it, as numbers and as a
picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.argument import check_type
from bounds.assumptions.weak_log_concave import WeaklyLogConcave
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.steps.path import Path
from closed_form.geometry.convexity_profile import ConvexityProfile, convexity_profile
from closed_form.law import Law
from verify.pages import palette

DISTANCES = 40


@dataclass(frozen=True, eq=False)
class Profile:
    """Numerical profile and proved lower curve.

    Attributes
    ----------
    time : float
        Forward time t.
    found : ConvexityProfile
        An upper estimate of κ_U of the law at t.
    proved : array of shape (m,) or None
        α_t − f_{M_t}(r)/r, None where nothing is proved.
    constants : dict or None
        ``alpha`` and ``M`` at t.
    reason : str or None
        Why nothing is proved.
    """

    time: float
    found: ConvexityProfile
    proved: np.ndarray | None
    constants: dict | None
    reason: str | None

    @property
    def gap(self) -> np.ndarray | None:
        """κ_U − (α − f_M(r)/r), shape (m,); never negative beyond rounding."""
        return None if self.proved is None else self.found.values - self.proved

    def as_dict(self) -> dict:
        """Plain data for JSON."""
        return {
            "time": self.time, "distances": self.found.distances, "profile": self.found.values,
            "proved": self.proved,
            "gap": self.gap, "constants": self.constants, "reason": self.reason,
        }


def profile_at(process: ForwardProcess | str, law: Law, time: float = 0.0, distances: ArrayLike | None = None,
               seed: int = 0) -> Profile:
    r"""κ_U of X_t against :math:`\alpha_t - f_{M_t}(r)/r`.

    Parameters
    ----------
    process : ForwardProcess or str
        One-block process.
    law : Gaussian or GaussianMixture
        The data, at time 0.
    time : float
        Forward time t >= 0.
    distances : array of shape (m,), optional
        By default a geometric grid around the size of the law.
    seed : int
        Of the search.

    Raises
    ------
    ValueError
        If ``time`` or a distance is out of range.

    Source: arXiv 2501.02298, propagation of weak log-concavity.
    """
    process = process_of(process)
    check_type("law", law, Law, "a law of the data (Gaussian or GaussianMixture)")
    if law.components() is None:
        raise ValueError(f"law must be made of Gaussians to have a profile, got {type(law).__name__}")
    if not (np.isfinite(time) and time >= 0):
        raise ValueError(f"time must be finite and >= 0, got {time}")
    a, s_sq = 1.0, 0.0
    if time > 0:
        path = Path(process, np.array([time, 0.0]))
        a, s_sq = float(path.a[0]), float(path.s_sq[0])
    pushed = law.pushed(a, s_sq)
    if distances is None:
        size = np.sqrt(pushed.second_moment - pushed.mean_norm**2)
        if not size > 0:
            raise ValueError(f"data must not be one point (its density has no logarithm), got {law!r:.80}")
        distances = np.geomspace(0.02, 10.0, DISTANCES) * size
    found = convexity_profile(pushed, distances, seed=seed)
    try:
        assumption = law.assumptions()[0]
    except ValueError as error:
        return Profile(time, found, None, None, str(error))
    at_time = _at(assumption, a, s_sq)
    return Profile(time, found, at_time.profile(found.distances), {"alpha": at_time.alpha, "M": at_time.M},
                   None)


def _at(assumption, a: float, s_sq: float) -> WeaklyLogConcave:
    """The assumption's constants for aX_0 + N(0, s² I)."""
    alpha, M = assumption.weak_log_concavity
    moments = assumption.dim, assumption.second_moment, assumption.mean_norm
    moved = WeaklyLogConcave(alpha, M, assumption.smoothness, *moments).scaled(a)
    return moved.smoothed(s_sq) if s_sq > 0 else moved


def plot_profile(ax, found: Profile) -> None:
    """Both curves over the distance, with the gap shaded.

    Parameters
    ----------
    ax : matplotlib Axes
    found : Profile
    """
    distances, values = found.found.distances, found.found.values
    ax.axhline(0.0, color=palette.MUTED, lw=0.6)
    ax.semilogx(distances, values, color=palette.EXACT, label="κ(r), smallest slope found")
    if found.proved is not None:
        ax.semilogx(distances, found.proved, color=palette.BOUND, ls="--", label="α − f_M(r)/r, proved")
        ax.fill_between(distances, found.proved, values, color=palette.BOUND, alpha=0.12, lw=0)
    ax.set_xlabel("distance r, in the units of the data")
    ax.set_ylabel("convexity profile of −log p, per unit squared")
    ax.set_title(f"t = {found.time:g}", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
