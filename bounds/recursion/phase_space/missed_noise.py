r"""The noise a two-block step misses: v_k² by composite Gauss for any weights, its error estimate added.

Panels are kept flat, each with the step it belongs to; where the estimate is too large for the weights asked
about, a panel is halved, for good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.recursion.phase_space.weights import entries, named
from bounds.steps.kinks import kink_error, passing
from bounds.steps.panels import MAX_PANELS, integrals, largest, missed, panel_rule
from bounds.steps.phase_space.channel import channel
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
#: Panels whose integrand is evaluated at once: its arrays stay in the cache.
BLOCK = 1024
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
    columns : arrays of shape (p, n)
        By the names of the stated expressions: n_xx … n_vv, the entries of N(c_lo), with N(c) = N(c_lo) + x K wᵀ;
        K = Φ⁻¹Cω and w = ω; X the largest excess; x_mean the mean excess, largest or known with its ``error``; x_sq the
        known mean square, its error included.  And rise_xx, rise_xv, rise_vv, by which weights give what the
        integrand, or where x_sq is known its linear term, rises by for each unit of the mean excess.
    rounding : array of shape (p, 2)
        Integrals of Σ_j D_j (error of N_ij)².
    kink : array of shape (p,)
        How far the envelope's largest mean excess passes the covariance's where they cross, else 0.
    """

    step: np.ndarray
    left: np.ndarray
    width: np.ndarray
    columns: dict[str, np.ndarray]
    rounding: np.ndarray
    kink: np.ndarray

    def __getitem__(self, part) -> Panels:
        """Some of the panels."""
        return Panels(self.step[part], self.left[part], self.width[part],
                      {name: column[part] for name, column in self.columns.items()}, self.rounding[part],
                      self.kink[part])

    def joined(self, other: Panels) -> Panels:
        """These panels, then the others."""
        columns = {name: np.concatenate([column, other.columns[name]]) for name, column in self.columns.items()}
        step, left, width, rounding, kink = (np.concatenate(pair) for pair in (
            (self.step, other.step), (self.left, other.left), (self.width, other.width),
            (self.rounding, other.rounding), (self.kink, other.kink)))
        return Panels(step, left, width, columns, rounding, kink)

    def blocks(self) -> list[Panels]:
        """All of them, `BLOCK` at a time."""
        return [self[start : start + BLOCK] for start in range(0, len(self.step), BLOCK)]


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
            known = {}
        else:
            mean, error, square, square_error = hessian_moments(self.moments, seen.a_sq, seen.s_sq)
            known = {"error": error, "x_sq": square + square_error}
        entry = ENTRY_ROUNDING * (np.abs(back) + np.abs(noise_map) + np.abs(gain) @ np.abs(floor))
        lost = np.square(entry) @ np.array([self.D_x, self.D_v])
        rounding = np.einsum("n,pni->pi", _RULE.weights, lost) * width[:, None]
        columns = entries("n", low) | {
            "K_x": rise[..., 0], "K_v": rise[..., 1], "w_x": seen.omega[..., 0], "w_v": seen.omega[..., 1], "X": gap,
            "x_mean": mean} | known
        columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
        with np.errstate(over="ignore", invalid="ignore"):  # as where weights meet an excess beyond floats
            rises = self._rises(**columns)
        columns |= zip(("rise_xx", "rise_xv", "rise_vv"), rises, strict=True)
        return Panels(step, left, width, columns, rounding, kink)

    def _rises(self, *, n_xx, n_xv, n_vx, n_vv, K_x, K_v, w_x, w_v, X, **_) -> tuple:
        """What weights (xx, xv, vv) give for each unit of the mean excess."""
        w_x, w_v, bend = self.D_x * w_x, self.D_v * w_v, self.D_x * w_x * w_x + self.D_v * w_v * w_v
        x, v = 2 * (n_xx * w_x + n_xv * w_v), 2 * (n_vx * w_x + n_vv * w_v)
        if self.moments is None:
            x, v = x + bend * X * K_x, v + bend * X * K_v
        return x * K_x, x * K_v + v * K_x, v * K_v

    def _density(self, panels: Panels, weights):
        """The integrand at the nodes, the mean excess it was evaluated at, the size (p,) of kinks."""
        columns, P = panels.columns, named(weights[panels.step][:, None])
        rises = P["P_xx"] * columns["rise_xx"] + P["P_xv"] * columns["rise_xv"] + P["P_vv"] * columns["rise_vv"]
        fixed, mean = dict(d=self.data.d, D_x=self.D_x, D_v=self.D_v, **P), columns["x_mean"]
        if self.moments is None:
            kink = self.data.d * (panels.kink * largest(np.abs(rises)) + passing(mean * rises))
            return self.functions["phase_variance"](**fixed, **columns), mean, kink
        # the sign of the linear term decides which side of the known mean is safe
        error = columns["error"]
        mean = np.where(rises > 0, mean + error, np.maximum(mean - error, 0.0))
        density = self.functions["phase_variance_known"](**fixed, **(columns | {"x_mean": mean}))
        return np.maximum(density, 0.0), mean, panels.kink

    def __call__(self, weights):
        """v_k², shape (k,), for weights P_1 … P_K of shape (k, 3): quadrature error and rounding added."""
        weights = np.where(np.isfinite(weights), weights, 0.0)
        size = self.data.d * np.maximum(weights[:, 0] * self.table.noise[:, 0, 0],
                                        weights[:, 2] * self.table.noise[:, 1, 1])
        for _ in range(MAX_HALVINGS):
            density, _, kink = zip(*(self._density(some, weights) for some in self._panels.blocks()), strict=True)
            value, error, flagged = self._sums(np.concatenate(density), np.concatenate(kink), size)
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
        self._panels = old[~flagged].joined(new)

    def measure(self, weights) -> np.ndarray:
        """V_k with tr(P_k V_k) = v_k² up to the errors added: array of shape (k, 3)."""
        sums = np.concatenate([self._measured(some, weights) for some in self._panels.blocks()])
        return np.stack([np.bincount(self._panels.step, part, self.steps) for part in sums.T], axis=1)

    def _measured(self, panels: Panels, weights) -> np.ndarray:
        """What each panel adds to the measure of its step, shape (p, 3)."""
        density, mean, _ = self._density(panels, weights)
        columns, D_x, D_v = panels.columns, self.D_x, self.D_v
        x, v = ((columns[f"n_{row}x"], columns[f"n_{row}v"]) for row in "xv")
        floor = [D_x * a[0] * b[0] + D_v * a[1] * b[1] for a, b in ((x, x), (x, v), (v, v))]
        if self.moments is None:
            p, q, r = weights[panels.step].T[..., None]
            least = p * floor[0] + 2 * q * floor[1] + r * floor[2]
            mean = np.where(density > self.data.d * least * (1 + 1e-12), mean, 0.0)
        K, omega = (columns["K_x"], columns["K_v"]), (D_x * columns["w_x"], D_v * columns["w_v"])
        pull = [side[0] * omega[0] + side[1] * omega[1] for side in (x, v)]
        square = mean * columns["X"] if self.moments is None else columns["x_sq"]
        square = square * (omega[0] * columns["w_x"] + omega[1] * columns["w_v"])
        total = [part + mean * (pull[i] * K[j] + pull[j] * K[i]) + square * K[i] * K[j]
                 for part, i, j in zip(floor, (0, 0, 1), (0, 1, 1), strict=True)]
        return np.stack([part @ _RULE.weights for part in total], axis=1) * (self.data.d * panels.width)[:, None]
