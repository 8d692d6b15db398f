r"""One question in phase space (k = 2): what every step does to the error, under any weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bounds.recursion.phase_space.initial import Initial, Start, error_in_metric
from bounds.recursion.phase_space.missed_noise import MissedNoise
from bounds.recursion.phase_space.weights import Jacobians, forward
from bounds.recursion.propagation import propagate
from bounds.steps.phase_space.channel import channel
from bounds.steps.table import hessian_moments


@dataclass(frozen=True)
class WeightChoice:
    """One choice of weights P_0 … P_K, and the recursion in their norms, where every contraction is 1.

    Attributes
    ----------
    name : str
    weights : array of shape (k+1, 3)
    initial : Initial
    bias, score, variance : arrays of shape (k,)
        b_k, λ_max(QᵀP_kQ)^{1/2} and v_k².
    total : float
        E_K, without early stopping.
    """

    name: str
    weights: np.ndarray
    initial: Initial
    bias: np.ndarray
    score: np.ndarray
    variance: np.ndarray
    total: float


class PhaseProblem:
    """One question in phase space: everything the recursion needs that does not depend on the weights.

    Parameters
    ----------
    setting : Setting
    functions : mapping
        The stated expressions of the martingale bound.
    data : `bounds.recursion.data.Constants`
    """

    def __init__(self, setting, functions, data):
        self.setting, self.functions, self.data = setting, functions, data
        self.table, self.moments = setting.table, setting.facts.moments
        self.seen = channel(self.table.path, self.table.clock[:-1])
        self.floor = self.seen.hessian_floor(data.l)

    @cached_property
    def missed(self) -> MissedNoise:
        return MissedNoise(self.table, self.data, self.moments, self.functions)

    @cached_property
    def jacobians(self) -> Jacobians:
        table, seen, floor = self.table, self.seen, self.floor
        gap = np.broadcast_to(self.data.hessian(seen.a_sq, seen.s_sq)[1], seen.a_sq.shape)[:, None, None]
        omega = seen.omega
        rows = dict(P=table.P, Q_x=table.Q[..., :1], Q_v=table.Q[..., 1:], H_x=floor[:, :1], H_v=floor[:, 1:],
                    w=omega[:, None, :], w_x=omega[:, :1, None], w_v=omega[:, 1:, None])
        affine = self.functions["phase_affine"]
        high = affine(**rows, X=gap)
        largest = np.abs(floor) + gap * np.abs(omega[:, :, None] * omega[:, None, :])
        return Jacobians(affine(**rows, X=0.0), high, np.abs(table.P) + np.abs(table.Q) @ largest)

    def _entries(self, weights):
        p, q, r = weights.T
        return dict(P_xx=p, P_xv=q, P_vv=r)

    def bias(self, weights) -> np.ndarray:
        """b_k for weights P_1 … P_K of shape (k, 3)."""
        table, seen, data = self.table, self.seen, self.data
        second, determinant = seen.covariance_plus(data.m)
        r_x = np.sqrt(second[:, 0, 0])
        values = dict(**self._entries(weights), d=data.d, m=data.m, l=data.l, a_sq=seen.a_sq, s_sq=seen.s_sq,
                      r_x=r_x, r_c=second[:, 0, 1] / r_x, r_v=np.sqrt(determinant) / r_x,
                      w_x=seen.omega[:, 0], w_v=seen.omega[:, 1])
        for name in ("c1", "c2"):
            matrix = getattr(table, name)
            values |= {
                f"{name}_{row}{column}": matrix[:, i, j]
                for i, row in enumerate("xv")
                for j, column in enumerate("xv")
            }
        if self.moments is None:
            square = self.functions["phase_bias_sq"](**values)
        else:
            known = self._fisher_excess[1]
            square = np.maximum(self.functions["phase_bias_known_sq"](**values, x_mean=known), 0.0)
            # excess − known is a difference
            turned = (table.c2 @ seen.omega[..., None])[..., 0]
            size = weights[:, 0] * np.square(turned[:, 0]) + weights[:, 2] * np.square(turned[:, 1])
            square = square + 4e-15 * data.d * self._fisher_excess[0] * size
        # rounding of c1 and c2, seen through E UUᵀ and E ssᵀ
        lost = table.c1_error @ np.sqrt(np.abs(np.diagonal(second, axis1=1, axis2=2)))[..., None]
        lost = lost + table.c2_error @ np.sqrt(np.abs(np.diagonal(self.floor, axis1=1, axis2=2)))[..., None]
        slack = np.sqrt(weights[:, 0]) * lost[:, 0, 0] + np.sqrt(weights[:, 2]) * lost[:, 1, 0]
        return np.sqrt(square) + np.sqrt(data.d) * slack

    def score(self, weights) -> np.ndarray:
        """λ_max(QᵀP_kQ)^{1/2} for weights P_1 … P_K."""
        Q = self.table.Q
        values = dict(Q_xx=Q[:, 0, 0], Q_xv=Q[:, 0, 1], Q_vx=Q[:, 1, 0], Q_vv=Q[:, 1, 1])
        return np.sqrt(self.functions["phase_score_sq"](**self._entries(weights), **values))

    @cached_property
    def start(self) -> Start:
        """The prior and the law at the horizon."""
        setting, table = self.setting, self.table
        return Start.of(table.path, float(table.clock[0]), table.prior, setting.assumption, self.functions,
                        setting.facts.distance_to_gaussian)

    def initial(self, weights):
        """E_0 for the weights P_0."""
        return error_in_metric(self.start, weights, self.setting.assumption, self.functions)

    def early_stop(self) -> float:
        """W2 of the position: ((1 − φ_x)² E‖X_0‖² + d S_xx)^{1/2} at the last time."""
        path, assumption = self.table.path, self.setting.assumption
        last = channel(path, self.table.clock[-1])
        square = self.functions["early_stop_sq"](a_sq=last.phi[0] ** 2, s_sq=last.S[0, 0],
                                                 m2=assumption.second_moment, d=assumption.dim)
        return float(np.sqrt(square)) * (1 + 1e-14)

    def choice(self, name: str, weights) -> WeightChoice:
        """The recursion under weights P_0 … P_K."""
        setting, later = self.setting, weights[1:]
        initial = self.initial(weights[0])
        with np.errstate(over="ignore", invalid="ignore"):
            bias, score, variance = self.bias(later), self.score(later), self.missed(later)
            noise = np.square(score * setting.score_noise) if setting.score_noise else 0.0
            drift = bias + (score * setting.score_error if setting.score_error else 0.0)
            total = propagate(initial.error, np.ones(len(drift)), drift, variance + noise)
        total = float(total) if np.all(np.isfinite(weights)) else np.inf
        return WeightChoice(name, weights, initial, bias, score, variance, total)

    def measures(self, choice: WeightChoice) -> np.ndarray:
        """W_0 … W_K against this choice of weights."""
        setting, later = self.setting, choice.weights[1:]
        # an error that is not there adds nothing, even where its weight overflows
        s = choice.score * setting.score_error if setting.score_error else np.zeros_like(choice.bias)
        fresh = np.square(choice.score * setting.score_noise) if setting.score_noise else 0.0
        noise = self.missed.measure(later)
        spread = self._score_measure(later)
        shifted = self._bias_measure()
        # (b + s)² = (1 + s/b) b² + (1 + b/s) s², the last with s = M score taken apart: b/s may overflow
        with np.errstate(invalid="ignore", divide="ignore"):
            both = np.where((s > 0) & (choice.bias > 0), s / choice.bias, 0.0)
            back = np.where((s > 0) & (choice.bias > 0), setting.score_error * (choice.bias / choice.score),
                            0.0)
        pulled = (1 + both)[:, None] * shifted + (setting.score_error**2 + back)[:, None] * spread
        return forward(self.jacobians, choice.weights, choice.initial.measure, choice.bias + s, pulled,
                       choice.variance + fresh, noise + setting.score_noise**2 * spread)

    @cached_property
    def _fisher_excess(self):
        """E ssᵀ/d above M2⁻¹, along ωωᵀ; with the MMSE curve what it leaves of it."""
        seen, data = self.seen, self.data
        excess = (seen.a_sq * (data.m - data.l)
                  / ((seen.s_sq + seen.a_sq * data.m) * (seen.s_sq + seen.a_sq * data.l)))
        if self.moments is None:
            return excess, np.zeros_like(excess)
        x1, e1, _, _ = hessian_moments(self.moments, seen.a_sq, seen.s_sq)
        # the known excess is at most the linear one; rounding may say otherwise
        return excess, np.clip(x1 - e1, 0.0, excess)

    def _bias_measure(self):
        table, seen, data = self.table, self.seen, self.data
        second, _ = seen.covariance_plus(data.m)
        moved = table.c1 - table.c2 @ np.linalg.inv(second)
        turned = (table.c2 @ seen.omega[..., None])[..., 0]
        excess = np.subtract(*self._fisher_excess)
        full = (moved @ second @ np.swapaxes(moved, 1, 2)
                + excess[:, None, None] * turned[:, :, None] * turned[:, None, :])
        return data.d * np.stack([full[:, 0, 0], full[:, 0, 1], full[:, 1, 1]], axis=1)

    def _score_measure(self, weights):
        """Q w wᵀQᵀ, w the direction of the score that weighs most."""
        Q = self.table.Q
        metric = np.stack([weights[:, 0], weights[:, 1], weights[:, 1], weights[:, 2]], axis=1).reshape(
            -1, 2, 2
        )
        form = np.swapaxes(Q, 1, 2) @ metric @ Q
        _, vectors = np.linalg.eigh(np.where(np.isfinite(form), form, 0.0))
        found = (Q @ vectors[..., -1:])[..., 0]
        return np.stack([found[:, 0] ** 2, found[:, 0] * found[:, 1], found[:, 1] ** 2], axis=1)
