r"""The noise a two-block step misses: v_k² by composite Gauss for any weights, its error estimate added.

Panels are kept flat, each with the step it belongs to; where the estimate is too large for the weights asked
about, a panel is halved, for good.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from bounds.recursion.phase_space.weights import entries, triples
from bounds.steps.kinks import kink_error, passing
from bounds.steps.panels import MAX_PANELS, integrals, missed, panel_rule
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import outer
from bounds.steps.rule import hessian_moments

#: Nodes of a panel.
NODES = 6
#: Relative error of v_k² at which refinement stops; what is left is added.
TOLERANCE = 1e-8
#: The same for what panels add in which the integrand has a kink, where halving gains a factor of 4 only.
KINK_TOLERANCE = 1e-7
MAX_HALVINGS = 40
#: No panel is halved where there are more than this beside four for each step.
MAX_ALL_PANELS = 16384
#: Relative rounding of an entry of N, which is a difference.
ENTRY_ROUNDING = 32 * np.finfo(float).eps
#: Squared relative size, against the step's noise, below which v_k² is rounding and not worth refining.
NEGLIGIBLE = 1e-26

_RULE = panel_rule(NODES)


@dataclass
class Panels:
    """Nodes of panels (p, n): everything about N(c) that does not depend on the weights.

    Attributes
    ----------
    step, left, width : arrays of shape (p,)
        The step of each panel, and its place as clock distances above the lower end of the step.
    low : array of shape (p, n, 2, 2)
        N(c_lo).
    rise, omega : arrays of shape (p, n, 2)
        Φ⁻¹Cω and ω: N(c) = N(c_lo) + x rise ωᵀ.
    X, mean, mean_error, square : arrays of shape (p, n)
        Largest excess; mean excess (largest, or known with its error); known mean square, its error included.
    rounding : array of shape (p, 2)
        Integrals of Σ_j D_j (error of N_ij)².
    kink : array of shape (p,)
        How far the envelope's largest mean excess passes the covariance's where they cross, else 0.
    """

    step: np.ndarray
    left: np.ndarray
    width: np.ndarray
    low: np.ndarray
    rise: np.ndarray
    omega: np.ndarray
    X: np.ndarray
    mean: np.ndarray
    mean_error: np.ndarray
    square: np.ndarray
    rounding: np.ndarray
    kink: np.ndarray

    def joined(self, other: Panels, keep) -> Panels:
        """These panels where ``keep``, then the others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Panels(*(np.concatenate([mine[keep], theirs]) for mine, theirs in pairs))


class MissedNoise:
    """v_k² of every step, and its measure V_k, as functions of the weights; given what `PhaseProblem` has."""

    def __init__(self, table, data, moments, functions):
        self.table, self.data, self.moments, self.functions = table, data, moments, functions
        self.path = table.path
        self.steps = len(table.P)
        self.D_x, self.D_v = self.path.epsilon**2, self.path.sigma**2
        width = table.clock[:-1] - table.clock[1:]
        self._panels = self._nodes(np.arange(self.steps), np.zeros(self.steps), width)

    def _nodes(self, step, left, width) -> Panels:
        path, data = self.path, self.data
        distance = left[:, None] + width[:, None] * _RULE.places
        seen = channel(path, self.table.clock[1:][step][:, None] + distance)
        floor = seen.hessian_floor(data.l)
        gap = np.broadcast_to(data.hessian(seen.a_sq, seen.s_sq)[1], distance.shape)
        back = path.transition(-distance)
        gain = back @ path.covariance(distance)
        noise_map = self.table.noise_map(step, distance)
        affine, zero = self.functions["phase_affine"], 0.0
        low = affine(P=back - noise_map, Q_x=gain[..., :, :1], Q_v=gain[..., :, 1:], H_x=floor[..., :1, :],
                     H_v=floor[..., 1:, :], X=zero, w=zero, w_x=zero, w_v=zero)
        rise = (gain @ seen.omega[..., None])[..., 0]
        kink = np.zeros(len(step))
        if self.moments is None:
            linear = np.broadcast_to(data.linear_excess(seen.a_sq, seen.s_sq), distance.shape)
            mean, kink = np.minimum(gap, linear), passing(gap - linear)
            error = square = np.zeros(distance.shape)
        else:
            mean, error, square, square_error = hessian_moments(self.moments, seen.a_sq, seen.s_sq)
            square = square + square_error
        entry = ENTRY_ROUNDING * (np.abs(back) + np.abs(noise_map) + np.abs(gain) @ np.abs(floor))
        lost = np.square(entry) @ np.array([self.D_x, self.D_v])
        rounding = np.einsum("n,pni->pi", _RULE.weights, lost) * width[:, None]
        return Panels(step, left, width, low, rise, seen.omega, gap, mean, error, square, rounding, kink)

    def _density(self, panels: Panels, weights):
        """The integrand at the nodes, the mean excess it was evaluated at, the size (p,) of kinks."""
        p, q, r = (column[panels.step][:, None] for column in weights.T)
        values = dict(P_xx=p, P_xv=q, P_vv=r, d=self.data.d, D_x=self.D_x, D_v=self.D_v, X=panels.X,
                      **entries("n", panels.low), K_x=panels.rise[..., 0], K_v=panels.rise[..., 1],
                      w_x=panels.omega[..., 0], w_v=panels.omega[..., 1])
        pull = self._noise_times(panels.low, panels.omega)
        slope = p * pull[..., 0] * values["K_x"] + r * pull[..., 1] * values["K_v"]
        slope = slope + q * (pull[..., 0] * values["K_v"] + pull[..., 1] * values["K_x"])
        if self.moments is None:
            size = (p * np.square(values["K_x"]) + 2 * q * values["K_x"] * values["K_v"]
                    + r * np.square(values["K_v"]))
            rises = 2 * slope + (np.square(panels.omega) @ [self.D_x, self.D_v]) * size * panels.X
            kink = self.data.d * (panels.kink * np.abs(rises).max(axis=1) + passing(panels.mean * rises))
            return self.functions["phase_variance"](**values, x_mean=panels.mean), panels.mean, kink
        # the sign of the linear term decides which side of the known mean is safe
        mean = np.where(slope > 0, panels.mean + panels.mean_error,
                        np.maximum(panels.mean - panels.mean_error, 0.0))
        density = self.functions["phase_variance_known"](**values, x_mean=mean, x_sq=panels.square)
        return np.maximum(density, 0.0), mean, panels.kink

    def _noise_times(self, low, omega):
        """N(c_lo) D ω."""
        return low[..., 0] * (self.D_x * omega[..., :1]) + low[..., 1] * (self.D_v * omega[..., 1:])

    def __call__(self, weights):
        """v_k², shape (k,), for weights P_1 … P_K of shape (k, 3): quadrature error and rounding added."""
        weights = np.where(np.isfinite(weights), weights, 0.0)
        size = self.data.d * np.maximum(weights[:, 0] * self.table.noise[:, 0, 0],
                                        weights[:, 2] * self.table.noise[:, 1, 1])
        for _ in range(MAX_HALVINGS):
            density, _, kink = self._density(self._panels, weights)
            value, error, flagged = self._sums(density, kink, size)
            if not flagged.any():
                break
            self._refine(flagged)
        panels = self._panels
        lost = [np.bincount(panels.step, panels.rounding[:, i], self.steps) for i in (0, 1)]
        slack = np.sqrt(2 * self.data.d * (weights[:, 0] * lost[0] + weights[:, 2] * lost[1]))
        return np.square(np.sqrt(value + error) + slack)

    def _sums(self, density, kink, size):
        panels = self._panels
        mass, seen = integrals(density, panels.width[:, None], _RULE)
        # behind a kink coefficients do not go on falling, and one beyond the nodes does not show in them
        tail = missed(seen, mass) + kink_error(NODES) * kink * panels.width
        value = np.bincount(panels.step, mass, self.steps)
        error = np.bincount(panels.step, tail, self.steps)
        parts = np.bincount(panels.step, minlength=self.steps)
        few = len(panels.step) < 4 * self.steps + MAX_ALL_PANELS
        open_ = few & (error > NEGLIGIBLE * size) & (parts < MAX_PANELS) & np.isfinite(value)
        flagged = np.zeros(len(tail), dtype=bool)
        for kind, tolerance in ((kink == 0, TOLERANCE), (kink > 0, KINK_TOLERANCE)):
            count = np.bincount(panels.step, kind, self.steps)
            poor = open_ & (np.bincount(panels.step, np.where(kind, tail, 0.0), self.steps)
                            > tolerance * value)
            large = tail * count[panels.step] > (tolerance * value)[panels.step]
            flagged |= kind & poor[panels.step] & large
        return value, error, flagged

    def _refine(self, flagged):
        old = self._panels
        step, left, half = old.step[flagged], old.left[flagged], old.width[flagged] / 2
        new = self._nodes(np.tile(step, 2), np.concatenate([left, left + half]), np.tile(half, 2))
        self._panels = old.joined(new, ~flagged)

    def measure(self, weights) -> np.ndarray:
        """V_k with tr(P_k V_k) = v_k² up to the errors added: array of shape (k, 3)."""
        panels = self._panels
        density, mean, _ = self._density(panels, weights)
        D = np.array([self.D_x, self.D_v])
        low, rise = panels.low, panels.rise
        floor = np.einsum("pnij,j,pnkj->pnik", low, D, low)
        pull = outer(self._noise_times(low, panels.omega), rise)
        curve = outer((np.square(panels.omega) @ D)[..., None] * rise, rise)
        if self.moments is None:
            p, q, r = (column[panels.step][:, None] for column in weights.T)
            least = p * floor[..., 0, 0] + 2 * q * floor[..., 0, 1] + r * floor[..., 1, 1]
            mean = np.where(density > self.data.d * least * (1 + 1e-12), mean, 0.0)
            square = mean * panels.X
        else:
            square = panels.square
        total = (floor + mean[..., None, None] * (pull + np.swapaxes(pull, -1, -2))
                 + square[..., None, None] * curve)
        sums = np.einsum("n,pnij->pij", _RULE.weights, total) * (self.data.d * panels.width)[:, None, None]
        return np.stack([np.bincount(panels.step, part, self.steps) for part in triples(sums).T], axis=1)
