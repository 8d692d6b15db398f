"""What one step of a sampler with one evaluation does to the error: contraction, local error, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.recursion.flow.data import FlowData, Level
from bounds.setting import Setting
from bounds.steps.rule import StepNodes

#: Relative error of the integral of what a step misses at which refinement stops; what is left is added.
LOCAL_ERROR = 1e-6
#: Relative rounding of a step's numbers.
ROUNDING = 64 * np.finfo(float).eps


@dataclass(frozen=True)
class FlowSteps:
    r"""A sampler :math:`Y_r = \Pi Y_\tau - K \varepsilon(Y_\tau, \tau)` on the data: arrays of shape (k,).

    Written as what DDIM does and the rest: a step may lead over many orders of σ, and then
    :math:`\Pi - K/\tau` is far smaller than either.

    Attributes
    ----------
    tau, r : noise levels at the start and the end of every step.
    drift, gap : Π − 1 and K − (τ − r), with ``drift_error`` and ``gap_error``.
    scale : a(τ) τ, by which a score error counts as one of ε.
    level : the data at τ.
    """

    tau: np.ndarray
    r: np.ndarray
    drift: np.ndarray
    gap: np.ndarray
    drift_error: np.ndarray
    gap_error: np.ndarray
    scale: np.ndarray
    level: Level

    @classmethod
    def of(cls, setting: Setting, data: FlowData) -> FlowSteps:
        """From the table of a setting."""
        table, path, rule = setting.table, setting.table.path, setting.scheme.sampler.one_block
        sigma = np.sqrt(path.s_sq) / path.a
        tau, r, scale = sigma[:-1], sigma[1:], np.sqrt(path.s_sq[:-1])
        shrink, none = np.exp(-path.F), np.zeros_like(tau)
        solved = rule.drift is None and rule.formulas is None
        drift, drift_error = (none, none) if solved else (-table.c1 * shrink, table.c1_error * shrink)
        gap, gap_error = none, none
        if not rule.holds_noise:
            weight = table.Q / (path.a[1:] * scale)
            with np.errstate(divide="ignore", invalid="ignore"):
                doubt = np.where(table.Q > 0, table.c2_error / table.Q, 0.0) + table.relative_error + ROUNDING
            gap, gap_error = weight - (tau - r), doubt * (weight + tau - r)
        return cls(tau, r, drift, gap, drift_error, gap_error, scale, data.at(tau))

    @property
    def weight(self):
        """K."""
        return np.maximum(self.tau - self.r + self.gap, 0.0)

    def image(self, y, index, noise):
        """What steps of these numbers make of points y (p, n), ``noise(y, σ)`` being ε."""
        drift, weight, tau = (each[index][:, None] for each in (self.drift, self.weight, self.tau))
        return y + drift * y - weight * noise(y, tau)

    def slack(self, data: FlowData):
        """What the errors of a step's numbers may add to its local error."""
        return np.sqrt(data.d) * (self.drift_error * np.sqrt(data.m + np.square(self.tau)) + self.gap_error)

    def jacobian(self, c):
        """Π − K(1 − c)/τ."""
        return self.drift + c + (1 - c) * (self.r - self.gap) / self.tau

    def doubt(self, c):
        """What rounding leaves open of it."""
        share = np.abs(1 - c) / self.tau
        return (ROUNDING * (np.abs(self.drift) + np.abs(c) + share * (self.r + np.abs(self.gap))) + self.drift_error
                + share * self.gap_error)


def contraction(steps: FlowSteps, functions):
    """A_k of every step."""
    level = steps.level
    found = functions["flow_contraction"](p=steps.drift, gap=steps.gap, r=steps.r, tau=steps.tau, c_lo=level.c_lo,
                                          c_up=level.c_up)
    return found + np.maximum(steps.doubt(level.c_lo), steps.doubt(level.c_up))


def turning(setting: Setting, data: FlowData, steps: FlowSteps, functions, v):
    """∫ΩΔ dσ over every step, with its quadrature error, shape (c, k) as v."""

    def slow(nodes: StepNodes, sigma):
        return nodes.g_sq / (2 * nodes.a_sq * sigma)

    def omega(nodes: StepNodes, sigma, held):
        # the end of a step and a node near it may be rounded differently
        return np.maximum(functions["omega"](v=held, sigma=sigma, r=steps.r[nodes.index][:, None, None]), 0.0)

    def integrand(nodes: StepNodes):
        sigma, held = np.sqrt(nodes.s_sq / nodes.a_sq), v[:, nodes.index, None, None]
        level = data.at(sigma)
        return (slow(nodes, sigma) * omega(nodes, sigma, held) * (data.turn(level, held) + rounding(level)),)

    def rounding(level: Level):
        """What differences of ĉ leave open."""
        return ROUNDING * level.c_up * level.e / level.sigma

    def floor(nodes: StepNodes):
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        return (slow(nodes, sigma) * omega(nodes, sigma, 0.0) * rounding(data.at(sigma)),)

    (value,), (error,) = setting.table.path.integrate(integrand, len(v), LOCAL_ERROR, floor, apart=True)
    return value + error


def start_error(data: FlowData, steps: FlowSteps, functions, v):
    """(‖(Π − 1) Y + (Ω − K) ε‖ at τ from above, Ω − K), shapes of v."""
    ahead = functions["omega_ahead"](v=v, sigma=steps.tau, r=steps.r) - steps.gap
    square = functions["start_sq"](p=steps.drift, X=ahead, d=data.d, m=data.m, l=data.l, tau=steps.tau)
    found = np.sqrt(np.maximum(square, 0.0))
    return found * (1 + ROUNDING) + steps.slack(data), ahead


def saturation(data: FlowData, steps: FlowSteps, functions):
    """(|J|, 2R|w|, N) of every step: what an error becomes where the posterior mean cannot leave a ball."""
    radius, std = data.ball
    level, tau = steps.level, steps.tau
    kept = functions["flow_kept"](s0=std, r=steps.r, tau=tau)
    J, doubt, w = steps.jacobian(level.c_lo), steps.doubt(level.c_lo), steps.weight * level.x_lo / tau
    replaced = functions["replaced"](J=J, w=w, rho=kept, p=steps.drift, d=data.d, s0=std, tau=tau, R=radius,
                                     centre=data.centre_norm)
    slack = ((doubt + ROUNDING * kept) * np.sqrt(radius**2 + data.d * (std**2 + np.square(tau)))
             + steps.drift_error * data.centre_norm + (steps.gap_error / tau + ROUNDING) * radius)
    return np.abs(J) + doubt, 2 * radius * w * (1 + ROUNDING) + steps.gap_error / tau * radius, replaced + slack
