r"""The error recursion of the flow, plain, saturated and signed: what comes of all steps together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

import numpy as np

from bounds.recursion.flow.data import FlowData, Level
from bounds.recursion.flow.steps import ROUNDING, FlowSteps, contraction, saturation, start_error, turning
from bounds.recursion.propagation import propagate, round_up
from bounds.setting import Setting


@dataclass(frozen=True)
class FlowIngredients:
    """What the recursion runs on, all in Y: arrays of shape (k,).

    Attributes
    ----------
    contraction, local, bias : A_k, ℓ_k and W_kM, what a score error adds.
    weight : W_k, the weight of fresh noise in the score.
    saturated : (|J|, 2R|w|, N), or None where the data have no ball.
    spill : what a first evaluation's noise does to the mean of a second; by default nothing.
    centred : of two evaluations what the local errors are made of where steps are held against N(·, m_c I).
    """

    contraction: np.ndarray
    local: np.ndarray
    bias: np.ndarray
    weight: np.ndarray
    saturated: tuple | None
    spill: np.ndarray | None = None
    centred: Any = None

    def end(self, initial: float, local: bool, biased: bool, score_noise: float) -> float:
        """E_K from E_0, with or without the local errors and the score error, rounded upwards."""
        if self.saturated is None and self.spill is None:
            drift = (self.bias if biased else np.zeros_like(self.bias)) + (self.local if local else 0.0)
            variance = np.square(self.weight * score_noise)
            return float(propagate(initial, self.contraction, drift, variance))
        return float(round_up(self._saturated_end(initial, local, biased, score_noise), len(self.local)))

    def _saturated_end(self, error, local, biased, score_noise) -> float:
        # the least of three couples every step to the one before
        none = np.zeros_like(self.local)
        kept, far, replaced = self.saturated or (none, none + np.inf, none + np.inf)
        columns = (self.contraction, self.local if local else none, kept, far, replaced,
                   self.bias if biased else none,
                   self.weight * score_noise, none if self.spill is None else self.spill * score_noise)
        with np.errstate(over="ignore"):
            columns = [np.nan_to_num(column, nan=np.inf, posinf=np.inf).tolist() for column in columns]
        for A, ell, J, two_R, N, bias, noise, spill in zip(*columns, strict=True):
            grown = A * error if error else 0.0
            moved = min(min(grown, J * error + two_R) + ell, J * error + N)
            error = hypot(moved + bias, noise) + spill
        return error


def flow_ingredients(setting: Setting, data: FlowData, steps: FlowSteps, functions) -> FlowIngredients:
    """What the plain and the saturated recursion run on."""
    v = data.references(steps.level)
    start, _ = start_error(data, steps, functions, v)
    local = np.min(start + turning(setting, data, steps, functions, v), axis=0)
    weight = steps.weight * steps.scale
    return FlowIngredients(contraction(steps, functions), local, weight * setting.step_errors, weight,
                           saturation(data, steps, functions) if data.ball else None)


def known_errors(setting: Setting, data: FlowData, steps, parts: FlowIngredients) -> FlowIngredients | None:
    """The same with the local errors of the data's law where these are known and smaller, or None.

    Parameters
    ----------
    setting, data, parts
        As of `flow_ingredients`.
    steps : FlowSteps or bounds.recursion.flow.twice.TwiceSteps
        Their image is what the law is asked about.
    """
    if setting.facts.flow_errors is None:
        return None
    known = setting.facts.flow_errors(steps.tau, steps.r, steps.image) + steps.slack(data)
    return replace(parts, local=np.fmin(parts.local, known))


def signed_end(setting: Setting, data: FlowData, steps: FlowSteps, functions,
               _parts: FlowIngredients) -> float:
    r"""The error in Y at the end as :math:`|\lambda| (d (v + \sigma^2))^{1/2} + R`: what is parallel to
    Y − E X_0 keeps its sign.

    With v the mean variance of the data; exact for N(·, v I).  λ is a float, and what it misses of the exact
    one is part of R.
    """
    v, tau, r, level = data.centred, steps.tau, steps.r, steps.level
    spread, after = v + np.square(tau), v + np.square(r)
    c, b, rho = v / spread, tau / spread, np.sqrt(after / spread)
    _, ahead = start_error(data, steps, functions, np.full_like(tau, v))
    J, p, omega = steps.jacobian(c), steps.drift, ahead + steps.weight
    source = p + ahead * b
    size = np.sqrt(data.d * spread)
    turned = turning(setting, data, steps, functions, np.full((1, len(tau)), v))[0]
    # how far the Jacobian and ε are from those of N(·, v I)
    varied = steps.weight / tau * np.maximum(np.abs(level.c_up - c), np.abs(level.c_lo - c))
    across = np.sqrt(data.d * np.maximum(c - level.c_lo, 0.0)) + ROUNDING * np.sqrt(data.d * c)
    own = (ROUNDING * (np.abs(p) + np.abs(ahead) * b) + steps.drift_error + steps.gap_error * b) * size
    columns = (contraction(steps, functions), J, source, rho, varied * size + (steps.doubt(c) + ROUNDING * J) * size,
               own + np.abs(p) * data.mean_norm, ROUNDING * rho * size, ahead, omega, across, turned,
               steps.weight * steps.scale * setting.step_errors, steps.weight * steps.scale * setting.score_noise)
    slope, rest = signed_start(setting, data, level, tau[0], v)
    for A, J, p, rho, varied, own, lost, X, omega, e, turn, bias, noise in rows(columns):
        before, slope = slope, (J * slope + p) / rho
        rest = hypot(A * rest + abs(before) * varied + own + abs(slope) * lost + abs(X + slope * omega) * e
                     + abs(1 + slope) * turn + bias, noise)
    return float(round_up(abs(slope) * np.sqrt(data.d * after[-1]) + rest, len(tau)))


def rows(columns) -> Iterable:
    """Steps one after another."""
    return zip(*(np.asarray(column, dtype=float).tolist() for column in columns), strict=True)


def signed_start(setting: Setting, data: FlowData, level: Level, tau: float, v: float) -> tuple[float, float]:
    """(λ_0, R_0) at the first of levels; R_0 is ∞ where p_T is not strongly log-concave, or the
    prior not N(0, vI)."""
    if not setting.scheme.is_isotropic:
        return 0.0, np.inf  # no start of that form
    d = data.d
    spread = np.sqrt(v + tau**2)
    slope = np.sqrt(setting.table.prior_var) / (setting.table.path.a[0] * spread) - 1
    if not level.x_up[0] > ROUNDING:
        return slope, np.inf
    ends = tau / np.sqrt(np.array([level.x_lo[0], level.x_up[0]]))
    miss = np.abs(ends - spread).max() + ROUNDING * spread / level.x_up[0]
    return slope, hypot(data.mean_norm, (slope + 1) * np.sqrt(d) * miss)
