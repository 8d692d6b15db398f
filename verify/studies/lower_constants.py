r"""The constant c(σ0) of the lower bound as a formula and as a curve, the σ0 where it vanishes, and the truth
beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sympy
from scipy.optimize import brentq

from bounds.annotations import Array
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.symbolic.deadline import attempt
from bounds.symbolic.integrals import TIME, Derived, integral, tidy
from bounds.theorems import theorems
from bounds.theorems.gaussian_lower_bound import defect_over_step, leading_order
from closed_form import Gaussian
from closed_form.sampler_laws.w2 import sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.pages import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_lower_constants", "vanishing_stds"]

STDS = np.geomspace(0.1, 10.0, 61)

#: Seconds sympy may spend on e/h altogether, what it simplifies on the way among them.
FORMULA_SECONDS = 4.0


@dataclass(frozen=True)
class SymbolicConstant:
    """λ(τ) and e/h = ∫_0^T λ a²S²/V² dτ, with S = σ0²; c = |e/h|/(2σ0 T) times T.

    Attributes
    ----------
    rate, integral : sympy expressions
        In the time t, S and T; the integral is unevaluated where sympy finds no closed form in time.
    route : str
        "closed form" or "quadrature".
    """

    rate: sympy.Expr
    integral: sympy.Expr
    route: str


def symbolic_constant(process: ForwardProcess | str) -> SymbolicConstant:
    """The formula for a one-block process with s² in closed form.

    Raises
    ------
    ValueError
        If s² has none.

    Source: docs/theory.md section 6.
    """
    process = process_of(process)
    rate, variance = defect_over_step(process)
    S, T = sympy.symbols("S T", positive=True)
    integrand = rate * process.a.expression**2 * S**2 / variance**2
    span = (TIME, sympy.S.Zero, T)
    found = attempt(lambda: integral(tidy(integrand), *span),
                    Derived(sympy.Integral(integrand, span), "quadrature"), FORMULA_SECONDS)
    return SymbolicConstant(rate, found.expression, found.route)


def signed_integral(process: ForwardProcess | str, horizon: float, std: float) -> float:
    """e/h for data N(0, std² I), by quadrature."""
    setting = _setting(process, horizon, std, 64)
    return leading_order(setting, std, theorems()["gaussian-lower-bound"].functions)["integral"]


def vanishing_stds(process: ForwardProcess | str, horizon: float,
                   stds: Sequence[float] | Array = STDS) -> list[float]:
    """The σ0 at which c(σ0) changes sign, so that Proposition 8 is void there.

    Parameters
    ----------
    process : ForwardProcess or str
        Of one block.
    horizon : float
        T > 0.
    stds : sequence of float
        Increasing; σ0 is sought between every two neighbours.

    Raises
    ------
    ValueError
        If the process is the key of no family.
    """
    values = [signed_integral(process, horizon, float(std)) for std in stds]
    found = []
    for left, right, low, high in zip(stds, stds[1:], values, values[1:], strict=False):
        if low * high < 0:
            found.append(
                float(brentq(lambda x: signed_integral(process, horizon, x), left, right, xtol=1e-12))
            )
    return found


def measured_constants(process: ForwardProcess | str, horizon: float, steps: int,
                       stds: Sequence[float] | Array) -> Array:
    """Exact W2·K/(√d T) of Euler–Maruyama started from the law at T, for each σ0: shape (len(stds),)."""
    found = []
    for std in stds:
        setting = _setting(process, horizon, float(std), steps)
        truth = sampler_w2(Gaussian(np.zeros(1), float(std) ** 2), true_steps(setting))
        found.append(truth.midpoint * steps / horizon)
    return np.array(found)


def _setting(process, horizon: float, std: float, steps: int) -> Setting:
    path = setting_of(process, Gaussian(np.zeros(1), std**2), euler_maruyama(horizon, 1)).table.path
    prior_std = float(np.sqrt(path.a[0] ** 2 * std**2 + path.s_sq[0]))
    return setting_of(process, Gaussian(np.zeros(1), std**2),
                      euler_maruyama(horizon, steps, prior_std=prior_std))


def plot_lower_constants(ax: Axes, process: ForwardProcess | str, horizon: float, steps: int = 2000) -> None:
    """Draw c(σ0) with the exact W2·K/(√d T) on top, and mark where c vanishes.

    Parameters
    ----------
    ax : matplotlib Axes
    process : ForwardProcess
    horizon : float
    steps : int

    Errors are those of `vanishing_stds`.
    """
    vanishing = vanishing_stds(process, horizon)
    # where c vanishes its logarithm has a pole: points crowd towards it, so that the curve shows no corner
    near = [std * (1 + side * np.geomspace(1e-4, 0.2, 12)) for std in vanishing for side in (-1, 1)]
    stds = np.unique(np.concatenate([STDS, *near]))
    stds = stds[(stds >= STDS[0]) & (stds <= STDS[-1])]
    constants = [abs(signed_integral(process, horizon, float(std))) / (2 * std) for std in stds]
    ax.loglog(stds, constants, color=palette.MUTED, lw=1.2, label="c(σ0), leading order")
    points = STDS[::4]
    measured = measured_constants(process, horizon, steps, points)
    ax.loglog(points, measured, "o", ms=4, color=palette.BOUND, label=f"exact W2·K/(√d T), K = {steps}")
    for place, std in enumerate(vanishing):
        ax.axvline(std, color=palette.MUTED, ls=":", lw=1, label=None if place else f"c vanishes (σ0 = {std:.4g})")
    ax.set_xlabel("σ0, standard deviation of the data")
    ax.set_ylabel("error per step length, √d factored out")
    ax.legend(frameon=False, fontsize="small")
