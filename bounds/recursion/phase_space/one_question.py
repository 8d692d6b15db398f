r"""One question in phase space (k = 2): what every step does to the error, under any weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bounds.recursion.phase_space.initial import Initial, Shift, Start, error_in_metric
from bounds.recursion.phase_space.missed_noise import MissedNoise
from bounds.recursion.phase_space.weights import (
    FORM_ROUNDING,
    Jacobians,
    entries,
    forward,
    named,
    symmetric,
    triples,
)
from bounds.recursion.propagation import propagate
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import outer


@dataclass(frozen=True)
class WeightChoice:
    """One choice of weights P_0 … P_K, and the recursion in their norms, where every contraction is 1.

    Weights have shape (k+1, 3); b_k, λ_max(QᵀP_kQ)^{1/2} and v_k² shape (k,); the total is E_K, without early
    stopping.  ``saturated`` weights are above c_lo's end alone, and b_k has what that leaves.
    """

    name: str
    weights: np.ndarray
    initial: Initial
    bias: np.ndarray
    score: np.ndarray
    variance: np.ndarray
    total: float
    saturated: bool = False


class PhaseProblem:
    """One question in phase space: everything the recursion needs that does not depend on the weights.

    ``functions`` are the stated expressions, ``data`` the `bounds.recursion.data.Constants`.
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
        low, high = (self.functions["phase_affine"](**rows, X=X) for X in (0.0, gap))
        largest = np.abs(floor) + gap * np.abs(outer(omega, omega))
        return Jacobians(low, high, np.abs(table.P) + np.abs(table.Q) @ largest)

    def bias(self, weights) -> np.ndarray:
        """b_k for weights P_1 … P_K of shape (k, 3)."""
        table, seen, data = self.table, self.seen, self.data
        second, determinant = seen.covariance_plus(data.m)
        r_x = np.sqrt(second[:, 0, 0])
        values = dict(**named(weights), **entries("c1", table.c1), **entries("c2", table.c2), d=data.d,
                      m=data.m, l=data.l, a_sq=seen.a_sq, s_sq=seen.s_sq, r_x=r_x, r_c=second[:, 0, 1] / r_x,
                      r_v=np.sqrt(determinant) / r_x, w_x=seen.omega[:, 0], w_v=seen.omega[:, 1])
        if self.moments is None:
            square = self.functions["phase_bias_sq"](**values)
        else:
            excess, known = self._fisher_excess
            square = np.maximum(self.functions["phase_bias_known_sq"](**values, x_mean=known), 0.0)
            # excess − known is a difference
            turned = (table.c2 @ seen.omega[..., None])[..., 0]
            size = weights[:, 0] * np.square(turned[:, 0]) + weights[:, 2] * np.square(turned[:, 1])
            square = square + 4e-15 * data.d * excess * size
        # rounding of c1 and c2, seen through E UUᵀ and E ssᵀ
        lost = table.c1_error @ np.sqrt(np.abs(np.diagonal(second, axis1=1, axis2=2)))[..., None]
        lost = lost + table.c2_error @ np.sqrt(np.abs(np.diagonal(self.floor, axis1=1, axis2=2)))[..., None]
        slack = np.sqrt(weights[:, 0]) * lost[:, 0, 0] + np.sqrt(weights[:, 2]) * lost[:, 1, 0]
        return np.sqrt(square) + np.sqrt(data.d) * slack

    def score(self, weights) -> np.ndarray:
        """λ_max(QᵀP_kQ)^{1/2} for weights P_1 … P_K."""
        return np.sqrt(self.functions["phase_score_sq"](**named(weights), **entries("Q", self.table.Q)))

    @cached_property
    def start(self) -> Start:
        """The prior and the law at the horizon."""
        setting, table = self.setting, self.table
        shift = Shift.of(setting.scheme.start(table.prior), setting.assumption, setting.facts.mean)
        return Start.of(table.path, float(table.clock[0]), table.prior, setting.assumption, self.functions,
                        setting.facts.distance_to_gaussian, shift)

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

    def pulled(self, weights) -> np.ndarray:
        """What two points of the data's ball may add in weights P_1 … P_K: 2Rϱ (ψᵀQᵀP_kQψ)^{1/2}."""
        seen, ball = self.seen, self.setting.assumption.ball
        square = self.functions["phase_ball_sq"](
            **named(weights), **entries("Q", self.table.Q), R=ball[0], a_sq=seen.a_sq, s_sq=seen.s_sq, l=self.data.l,
            w_x=seen.omega[:, 0], w_v=seen.omega[:, 1])
        size = np.abs(self.table.Q) @ np.abs(seen.omega)[..., None]
        size = np.sqrt(weights[:, 0]) * size[:, 0, 0] + np.sqrt(weights[:, 2]) * size[:, 1, 0]
        # Qω is a sum of two
        lost = FORM_ROUNDING * 2 * ball[0] * np.sqrt(seen.a_sq) / (seen.s_sq + seen.a_sq * self.data.l) * size
        return np.sqrt(np.maximum(square, 0.0)) + lost

    def choice(self, name: str, weights, saturated: bool = False) -> WeightChoice:
        """The recursion under weights P_0 … P_K; of saturated ones P_{k−1} is above c_lo's end alone, and what that
        leaves is part of the bias."""
        setting, later = self.setting, weights[1:]
        initial = self.initial(weights[0])
        with np.errstate(over="ignore", invalid="ignore"):
            bias, score, variance = self.bias(later), self.score(later), self.missed(later)
            bias = bias + self.pulled(later) if saturated else bias
            noise = np.square(score * setting.score_noise) if setting.score_noise else 0.0
            drift = bias + (score * setting.score_error if setting.score_error else 0.0)
            total = propagate(initial.error, np.ones(len(drift)), drift, variance + noise)
        total = float(total) if np.all(np.isfinite(weights)) else np.inf
        return WeightChoice(name, weights, initial, bias, score, variance, total, saturated)

    def measures(self, choice: WeightChoice) -> np.ndarray:
        """W_0 … W_K against this choice of weights."""
        setting, later = self.setting, choice.weights[1:]
        # an error that is not there adds nothing, even where its weight overflows
        s = choice.score * setting.score_error if setting.score_error else np.zeros_like(choice.bias)
        fresh = np.square(choice.score * setting.score_noise) if setting.score_noise else 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # an excess beyond floats has no measure
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
        return self.data.known_excess(self.moments, self.seen.a_sq, self.seen.s_sq)

    def _bias_measure(self):
        table, seen, data = self.table, self.seen, self.data
        second, _ = seen.covariance_plus(data.m)
        try:
            moved = table.c1 - table.c2 @ np.linalg.inv(second)
        except np.linalg.LinAlgError:
            raise ValueError("data: E‖X_0‖²/d must be a size that floats can hold beside the noise, got "
                             f"{float(np.max(data.m)):g}") from None
        turned = (table.c2 @ seen.omega[..., None])[..., 0]
        excess = np.subtract(*self._fisher_excess)
        full = moved @ second @ np.swapaxes(moved, 1, 2) + outer(excess[:, None] * turned, turned)
        return data.d * triples(full)

    def _score_measure(self, weights):
        """Q w wᵀQᵀ, w the direction of the score that weighs most."""
        Q = self.table.Q
        form = np.swapaxes(Q, 1, 2) @ symmetric(weights) @ Q
        _, vectors = np.linalg.eigh(np.where(np.isfinite(form), form, 0.0))
        found = (Q @ vectors[..., -1:])[..., 0]
        return triples(outer(found, found))
