"""What one step of a sampler with one evaluation does to the error: contraction, local error, saturation."""

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

    Attributes
    ----------
    tau, r : noise levels at the start and the end of every step.
    drift, weight : Π − 1 and K.
    scale : a(τ) τ, by which a score error counts as one of ε.
    level : the data at τ.
    slack : what rounding and the integrals' own errors may add to a step.
    """

    tau: np.ndarray
    r: np.ndarray
    drift: np.ndarray
    weight: np.ndarray
    scale: np.ndarray
    level: Level
    slack: np.ndarray

    @classmethod
    def of(cls, setting: Setting, data: FlowData) -> "FlowSteps":
        """From the table of a setting."""
        table, path = setting.table, setting.table.path
        sigma = np.sqrt(path.s_sq) / path.a
        tau, r, scale = sigma[:-1], sigma[1:], np.sqrt(path.s_sq[:-1])
        shrink = np.exp(-path.F)
        drift, weight = -table.c1 * shrink, table.Q / (path.a[1:] * scale)
        with np.errstate(divide="ignore", invalid="ignore"):
            doubt = np.where(table.Q > 0, table.c2_error / table.Q, 0.0) + ROUNDING + table.relative_error
        slack = np.sqrt(data.d) * (table.c1_error * shrink * np.sqrt(data.m + np.square(tau)) + doubt * (weight + tau - r))
        return cls(tau, r, drift, weight, scale, data.at(tau), slack)

    def omega(self, functions, sigma, v, index=slice(None)):
        """Ω at levels of the steps ``index``; r has the shape of the steps with axes added."""
        r = self.r[index].reshape(-1, *(1,) * (np.ndim(sigma) - 1))
        return functions["omega"](v=v, sigma=sigma, r=r)


def contraction(steps: FlowSteps, functions):
    """A_k of every step."""
    level, tau = steps.level, steps.tau
    found = functions["flow_contraction"](Pi=1 + steps.drift, K=steps.weight, b_lo=level.x_up / tau,
                                          b_up=level.x_lo / tau)
    return found + ROUNDING * (1 + steps.weight / tau * (1 + level.c_up))


def turning(setting: Setting, data: FlowData, steps: FlowSteps, functions, v):
    """∫ΩΔ dσ over every step, with its quadrature error, shape (c, k) as v."""

    def integrand(nodes: StepNodes):
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        held = v[:, nodes.index, None, None]
        slow = nodes.g_sq / (2 * nodes.a_sq * sigma) * steps.omega(functions, sigma, held, nodes.index)
        return (slow * data.turn(data.at(sigma), held),)

    def floor(nodes: StepNodes):
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        return (ROUNDING * np.sqrt(data.d) * nodes.g_sq / (2 * nodes.a_sq * sigma),)

    (value,), (error,) = setting.table.path.integrate(integrand, len(v), LOCAL_ERROR, floor)
    return value + error + ROUNDING * np.sqrt(data.d) * (steps.tau - steps.r)


def start_error(data: FlowData, steps: FlowSteps, functions, v):
    """‖(Π − 1) Y + (Ω − K) ε‖ at τ, shape of v."""
    ahead = steps.omega(functions, steps.tau, v) - steps.weight
    square = functions["start_sq"](p=steps.drift, X=ahead, d=data.d, m=data.m, l=data.l, tau=steps.tau)
    return np.sqrt(np.maximum(square, 0.0)), ahead


def saturation(data: FlowData, steps: FlowSteps, functions):
    """(|J|, 2R|w|, N) of every step: what an error becomes where the posterior mean cannot leave a ball."""
    radius, std = data.ball
    tau, r = steps.tau, steps.r
    kept = functions["flow_kept"](s0=std, r=r, tau=tau)
    J = 1 + steps.drift - steps.weight * steps.level.x_lo / tau
    w = steps.weight * steps.level.x_lo / tau
    replaced = functions["replaced"](J=J, w=w, rho=kept, p=steps.drift, d=data.d, s0=std, tau=tau, R=radius,
                                     centre=data.centre_norm)
    slack = steps.slack + ROUNDING * (radius + np.sqrt(data.d * (std**2 + np.square(tau))))
    return np.abs(J) * (1 + ROUNDING) + ROUNDING, 2 * radius * w * (1 + ROUNDING), replaced + slack
