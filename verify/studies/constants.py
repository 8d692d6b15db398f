r"""Constants (α, M, L) from samples: those of the smoothed empirical law, exactly, over a range of
bandwidths.

The law is :math:`\frac1n\sum_i N(x_i, s^2 I)`; for it α = L = 1/s² and M = R²/s⁴ are proved, R the radius of
the smallest ball holding the samples.  They say nothing of the law the samples came from, beyond W2(p_s,
p_n) ≤ s√d.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bounds.assumptions.bounded_support import BoundedSupport
from bounds.assumptions.weak_log_concave import WeaklyLogConcave
from bounds.contraction.ou_phases import eta, ou_scale_sq, xi
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.sampler import Scheme
from bounds.setting import Setting
from bounds.theorem import Theorem
from closed_form.geometry.enclosing_ball import enclosing_radius
from closed_form.law_input import finite_array
from closed_form.laws.samples import smoothed_data
from verify.certificates.theorem_named import find_theorem
from verify.certificates.useful_smoothing import UsefulSmoothing, useful_smoothing
from verify.pages import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["constants_of_samples", "plot_constants"]

BANDWIDTHS = 13
RESAMPLES = 50


@dataclass(frozen=True)
class AtBandwidth:
    r"""Constants of the samples smoothed with one bandwidth, and what they give.

    Attributes
    ----------
    bandwidth : float
        s.
    assumption : WeaklyLogConcave
    expansion : float
        log of e^{M/α} = e^{R²/s²}.
    xi, eta : float or None
        Regime boundaries of OU (in its own time); None for other processes.
    moved : float
        s√d ≥ W2(smoothed law, empirical law).
    bound : float
        The theorem with these constants.
    vacuous : bool
        Whether the bound exceeds sqrt(E‖X‖²).
    """

    bandwidth: float
    assumption: WeaklyLogConcave
    expansion: float
    xi: float | None
    eta: float | None
    moved: float
    bound: float
    vacuous: bool


@dataclass(frozen=True, eq=False)
class Estimate:
    """Constants over bandwidths, with the geometry of the samples they rest on.

    Attributes
    ----------
    samples, dim : int
    radius : float
        R, of the smallest ball holding all samples.
    radius_range : (float, float)
        5 % and 95 % quantiles of R over bootstrap resamples: how much it depends on single samples.
    reference_bandwidths : dict
        Scott's and Silverman's rules, times the root mean variance of the columns.
    rows : tuple of AtBandwidth
    useful : UsefulSmoothing or None
        The least bandwidth at which the bound says something; its ``noise_std`` is that bandwidth.
    """

    samples: int
    dim: int
    radius: float
    radius_range: tuple[float, float]
    reference_bandwidths: dict[str, float]
    rows: tuple[AtBandwidth, ...]
    useful: UsefulSmoothing | None


def constants_of_samples(samples: ArrayLike, process: ForwardProcess | str, scheme: Scheme,
                         theorem: str | Theorem,
                         bandwidths: Sequence[float] | None = None, *, resamples: int = RESAMPLES,
                         seed: int = 0) -> Estimate:
    """Constants of smoothed samples over bandwidths, and the bound each gives.

    Parameters
    ----------
    samples : array of shape (n, d)
    process, scheme
        The sampler the bound is about.
    theorem : str or Theorem
    bandwidths : sequence of float, optional
        In the units of the samples; by default from a tenth of Silverman's to three times R.
    resamples : int
        Bootstrap resamples for the spread of R.
    seed : int
        Of the resampling.

    Raises
    ------
    ValueError
        If the samples are not a finite array of shape (n, d) with two different points, or a bandwidth is not
        positive.
    """
    process, theorem = process_of(process), find_theorem(theorem)
    samples = finite_array("samples", samples)
    if samples.ndim != 2 or len(samples) < 2:
        raise ValueError(f"samples must have shape (n, d) with n >= 2, got {samples.shape}")
    count, dim = samples.shape
    radius = enclosing_radius(np.unique(samples, axis=0))
    if radius == 0:
        raise ValueError("samples must hold two different points")
    spread = math.sqrt(float(np.var(samples, axis=0).mean()))
    rules = {
        "scott": spread * count ** (-1 / (dim + 4)),
        "silverman": spread * (count * (dim + 2) / 4) ** (-1 / (dim + 4)),
    }
    if bandwidths is None:
        bandwidths = np.geomspace(0.1 * rules["silverman"], 3 * radius, BANDWIDTHS)
    rows = tuple(_row(samples, radius, float(s), process, scheme, theorem) for s in bandwidths)
    return Estimate(count, dim, radius, _resampled(samples, resamples, seed), rules, rows,
                    _useful(samples, radius, process, scheme, theorem))


def _row(samples, radius: float, bandwidth: float, process, scheme, theorem) -> AtBandwidth:
    law = smoothed_data(samples, bandwidth)
    alpha, dim = 1 / bandwidth**2, law.dim
    assumption = WeaklyLogConcave(alpha, radius**2 * alpha**2, alpha, dim, law.second_moment, law.mean_norm)
    with np.errstate(all="ignore"):
        bound = theorem.bound(Setting(process, assumption, scheme))
    unit = ou_scale_sq(process) if process.f == 1 else None
    boundaries = (None, None)
    if unit is not None:
        constants = assumption.alpha * unit, assumption.M * unit
        boundaries = float(xi(*constants)), float(eta(*constants, 0.0))
    return AtBandwidth(bandwidth, assumption, (radius / bandwidth) ** 2, *boundaries,
                       bandwidth * math.sqrt(dim), float(bound.total), bound.is_vacuous(law.second_moment))


def _resampled(samples, resamples: int, seed: int) -> tuple[float, float]:
    rng, found = np.random.default_rng(seed), []
    for _ in range(resamples):
        found.append(
            enclosing_radius(np.unique(samples[rng.integers(len(samples), size=len(samples))], axis=0))
        )
    low, high = np.quantile(found, (0.05, 0.95))
    return float(low), float(high)


def _useful(samples, radius: float, process, scheme, theorem) -> UsefulSmoothing | None:
    """The least bandwidth, from the points themselves: smoothing nearly none of them and adding noise."""
    mean = samples.mean(axis=0)
    support = BoundedSupport(radius, samples.shape[1], float(np.square(samples).sum(axis=1).mean()),
                             float(np.linalg.norm(mean)))
    return useful_smoothing(theorem, Setting(process, support, scheme))


def plot_constants(ax: Axes, found: Estimate) -> None:
    """The bound over the bandwidth, with what smoothing costs and the bandwidths at which the bound says
    nothing.

    Parameters
    ----------
    ax : matplotlib Axes
        Errors are its own alone.
    found : Estimate
    """
    bandwidths = np.array([row.bandwidth for row in found.rows])
    bounds = np.minimum([row.bound for row in found.rows], 1e30)
    sizes = [math.sqrt(row.assumption.second_moment) for row in found.rows]
    ax.loglog(bandwidths, bounds, "o-", ms=3, color=palette.BOUND, label="bound on W2 to the smoothed data")
    ax.loglog(bandwidths, sizes, color=palette.MUTED, ls="--",
              label="size of the data, sqrt(E|X|²): above it vacuous")
    ax.loglog(bandwidths, [row.moved for row in found.rows], color=palette.OTHER, ls=":",
              label="s√d, cost of smoothing in W2")
    edge = bandwidths[-1] if found.useful is None else found.useful.noise_std
    ax.axvspan(bandwidths[0], edge, color=palette.MUTED, alpha=0.15, lw=0)
    for name, value in found.reference_bandwidths.items():
        ax.axvline(value, color=palette.FOURTH, lw=0.8, ls="-." if name == "scott" else "-",
                   label=f"{name.capitalize()}'s bandwidth")
    shown = [*sizes, *bounds, *(row.moved for row in found.rows)]
    ax.set_ylim(min(shown) / 2, max(sizes) * 1e6)
    ax.set_xlim(bandwidths[0], bandwidths[-1])
    ax.set_xlabel("bandwidth s, in the units of the data")
    ax.set_ylabel("W2")
    ax.legend(frameon=False, fontsize="x-small")
