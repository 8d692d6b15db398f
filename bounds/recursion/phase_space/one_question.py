r"""The martingale bound in phase space (k = 2): the ingredients of every step, and the weights that make it smallest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from bounds.bound import Bound, information_used
from bounds.contraction.metric import KAPPAS, metric, norm
from bounds.recursion.phase_space.initial import Start, initial_error
from bounds.recursion.phase_space.missed_noise import MissedNoise
from bounds.recursion.phase_space.weights import Jacobians, backward, forward, in_metric
from bounds.recursion.propagation import propagate, round_up
from bounds.steps.phase_space.channel import channel
from bounds.steps.table import hessian_moments

#: Weight of the velocity at the last step, in units of the stationary law, and where the joins start.
LAST_VELOCITY = 1e-8
JOINS = (0.03, 1e-3, 1e-8)
#: Forward and backward passes stop when one gains less than this.
GAIN = 1e-3
PASSES = 4


@dataclass(frozen=True)
class Valued:
    """The recursion under one choice of weights.

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
    initial: object
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
    data : `bounds.recursion.one_block.Constants`
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
        rows = dict(
            P=table.P, Q_x=table.Q[..., :1], Q_v=table.Q[..., 1:], H_x=floor[:, :1], H_v=floor[:, 1:],
            w=omega[:, None, :], w_x=omega[:, :1, None], w_v=omega[:, 1:, None],
        )  # fmt: skip
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
        values = dict(
            **self._entries(weights), d=data.d, m=data.m, l=data.l, a_sq=seen.a_sq, s_sq=seen.s_sq,
            r_x=r_x, r_c=second[:, 0, 1] / r_x, r_v=np.sqrt(determinant) / r_x, w_x=seen.omega[:, 0], w_v=seen.omega[:, 1],
        )  # fmt: skip
        for name in ("c1", "c2"):
            matrix = getattr(table, name)
            values |= {f"{name}_{row}{column}": matrix[:, i, j] for i, row in enumerate("xv") for j, column in enumerate("xv")}
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
        return Start.of(
            table.path, float(table.clock[0]), table.prior, setting.assumption, self.functions,
            setting.facts.distance_to_gaussian,
        )  # fmt: skip

    def initial(self, weights):
        """E_0 for the weights P_0."""
        return initial_error(self.start, weights, self.setting.assumption, self.functions)

    def early_stop(self) -> float:
        """W2 of the position: ((1 − φ_x)² E‖X_0‖² + d S_xx)^{1/2} at the last time."""
        path, assumption = self.table.path, self.setting.assumption
        last = channel(path, self.table.clock[-1])
        square = self.functions["early_stop_sq"](
            a_sq=last.phi[0] ** 2, s_sq=last.S[0, 0], m2=assumption.second_moment, d=assumption.dim
        )
        return float(np.sqrt(square)) * (1 + 1e-14)

    def valued(self, name: str, weights) -> Valued:
        """The recursion under weights P_0 … P_K."""
        setting, later = self.setting, weights[1:]
        initial = self.initial(weights[0])
        with np.errstate(over="ignore", invalid="ignore"):
            bias, score, variance = self.bias(later), self.score(later), self.missed(later)
            noise = np.square(score * setting.score_noise) if setting.score_noise else 0.0
            drift = bias + (score * setting.score_error if setting.score_error else 0.0)
            total = propagate(initial.error, np.ones(len(drift)), drift, variance + noise)
        total = float(total) if np.all(np.isfinite(weights)) else np.inf
        return Valued(name, weights, initial, bias, score, variance, total)

    def measures(self, valued: Valued) -> np.ndarray:
        """W_0 … W_K against these weights."""
        setting, later = self.setting, valued.weights[1:]
        # an error that is not there adds nothing, even where its weight overflows
        s = valued.score * setting.score_error if setting.score_error else np.zeros_like(valued.bias)
        fresh = np.square(valued.score * setting.score_noise) if setting.score_noise else 0.0
        noise = self.missed.measure(later)
        spread = self._score_measure(later)
        shifted = self._bias_measure()
        # (b + s)² = (1 + s/b) b² + (1 + b/s) s²
        with np.errstate(invalid="ignore", divide="ignore"):
            both = np.where((s > 0) & (valued.bias > 0), s / valued.bias, 0.0)
            back = np.where((s > 0) & (valued.bias > 0), valued.bias / s, 0.0)
        pulled = (1 + both)[:, None] * shifted + (1 + back)[:, None] * setting.score_error**2 * spread
        return forward(
            self.jacobians, valued.weights, valued.initial.measure, valued.bias + s, pulled, valued.variance + fresh,
            noise + setting.score_noise**2 * spread,
        )  # fmt: skip

    @cached_property
    def _fisher_excess(self):
        """E ssᵀ/d above M2⁻¹, along ωωᵀ; with the MMSE curve what it leaves of it."""
        seen, data = self.seen, self.data
        excess = seen.a_sq * (data.m - data.l) / ((seen.s_sq + seen.a_sq * data.m) * (seen.s_sq + seen.a_sq * data.l))
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
        full = moved @ second @ np.swapaxes(moved, 1, 2) + excess[:, None, None] * turned[:, :, None] * turned[:, None, :]
        return data.d * np.stack([full[:, 0, 0], full[:, 0, 1], full[:, 1, 1]], axis=1)

    def _score_measure(self, weights):
        """Q w wᵀQᵀ, w the direction of the score that weighs most."""
        Q = self.table.Q
        metric = np.stack([weights[:, 0], weights[:, 1], weights[:, 1], weights[:, 2]], axis=1).reshape(-1, 2, 2)
        form = np.swapaxes(Q, 1, 2) @ metric @ Q
        _, vectors = np.linalg.eigh(np.where(np.isfinite(form), form, 0.0))
        found = (Q @ vectors[..., -1:])[..., 0]
        return np.stack([found[:, 0] ** 2, found[:, 0] * found[:, 1], found[:, 1] ** 2], axis=1)


def candidates(problem: PhaseProblem):
    """(every choice of weights that was tried, the square root of the dual certificate for the best optimal ones).

    The certificate is at most the total of its own weights; without bias it is at most that of any.
    """
    stationary = problem.table.path.stationary
    unit = stationary[0, 0] / stationary[1, 1]
    last = (1.0, 0.0, LAST_VELOCITY * unit)
    found = [
        problem.valued(f"join, δ = {delta:g}", backward(problem.jacobians, (1.0, 0.0, delta * unit))) for delta in JOINS
    ]
    current = min(found, key=lambda choice: choice.total)
    certified = []
    for _ in range(PASSES):
        if not np.isfinite(current.total):
            break
        measures = problem.measures(current)
        improved = problem.valued("optimal", backward(problem.jacobians, last, measures[:-1]))
        found.append(improved)
        if not np.isfinite(improved.total):
            break
        certified.append((improved.total, float(np.sqrt(max(problem.measures(improved)[-1, 0], 0.0)))))
        gained = current.total - improved.total
        current = improved
        if gained < GAIN * current.total:
            break
    found += [problem.valued(f"constant metric, κ = {kappa:g}", metric_weights(problem, kappa)) for kappa in KAPPAS]
    return found, min(certified, default=(np.inf, 0.0))[1]


def metric_weights(problem: PhaseProblem, kappa: float) -> np.ndarray:
    """P_k = λ_k𝔐 of docs/theory.md section 5, Theorem C."""
    fixed = metric(problem.table.path, kappa)
    jacobians = problem.jacobians
    return in_metric(np.maximum(norm(jacobians.low, fixed), norm(jacobians.high, fixed)), fixed)


def evaluate(setting, functions, constants, notes) -> Bound:
    """The martingale bound of a two-block sampler at numbers; a batch is one problem after the other.

    Parameters
    ----------
    setting : Setting
    functions : mapping
        The stated expressions.
    constants : callable
        Assumption -> its constants, `bounds.recursion.one_block.Constants`.
    notes : callable
        (setting, total, contraction) -> remarks.
    """
    if not setting.shape:
        return _one(setting, functions, constants, notes)
    found = [_one(part, functions, constants, notes) for part in _problems(setting)]
    shape = setting.shape
    return Bound(
        theorem="martingale",
        kind="upper",
        total=np.reshape([bound.total for bound in found], shape),
        terms=MappingProxyType({name: np.reshape([bound.terms[name] for bound in found], shape) for name in found[0].terms}),
        information=found[0].information,
        details=MappingProxyType({name: [bound.details[name] for bound in found] for name in found[0].details}),
    )


def _problems(setting):
    """Every problem of a batch by itself, all on one table."""
    shape, table = setting.shape, setting.table
    for index in np.ndindex(shape):

        def at(value, index=index):
            return float(np.broadcast_to(value, shape)[index]) if isinstance(value, np.ndarray) else value

        assumption = object.__new__(type(setting.assumption))
        for name, value in vars(setting.assumption).items():
            object.__setattr__(assumption, name, at(value))
        part = replace(
            setting, assumption=assumption, score_error=at(setting.score_error), score_noise=at(setting.score_noise)
        )
        part.__dict__["table"] = table
        yield part


def _certified(best: Valued, certificate: float) -> str:
    """How good the weights are, in words."""
    if not np.isfinite(best.total):
        return "no choice of weights gives a finite bound"
    proved = "equal, with no bias: no weights do better"
    return f"weights: {best.name}; their dual certificate is {certificate:.4g} of {best.total:.4g} ({proved})"


def _one(setting, functions, constants, notes) -> Bound:
    problem = PhaseProblem(setting, functions, constants(setting.assumption, 0))
    tried, certificate = candidates(problem)
    best = min(tried, key=lambda choice: choice.total)
    count = len(problem.table.P)
    with np.errstate(over="ignore", invalid="ignore"):
        terms = {
            "initialisation": round_up(best.initial.error, count),
            "score bias": round_up(float(np.sum(best.score)) * setting.score_error, count) if setting.score_error else 0.0,
            "score noise": round_up(float(np.sqrt(np.sum(best.score**2))) * setting.score_noise, count)
            if setting.score_noise else 0.0,
            "discretisation": float(propagate(0.0, np.ones(count), best.bias, best.variance)),
        }  # fmt: skip
    stop = 0.0
    if setting.scheme.grid.early_stop > 0:
        terms["early stopping"] = stop = problem.early_stop()
    total = float(round_up(best.total + stop, 1))
    p, q, r = best.weights[0]
    stationary = problem.table.path.stationary
    growth = np.inf
    if np.all(np.isfinite(best.weights[0])):
        growth = float(np.sqrt(np.abs(np.linalg.eigvals(np.array([[p, q], [q, r]]) @ stationary)).max() / stationary[0, 0]))
    return Bound(
        theorem="martingale",
        kind="upper",
        total=total if total == total else np.inf,
        # ∞ − ∞ out of the range of floats
        terms=MappingProxyType({name: float(value) if value == value else np.inf for name, value in terms.items()}),
        information=information_used(problem.moments, best.initial.from_closed_form),
        notes=(*notes(setting, total, growth), _certified(best, certificate)),
        details=MappingProxyType({
            "contraction": growth, "initial_term": best.initial.source, "steps": count,
            "weights": best.name, "certificate": certificate,
        }),
    )  # fmt: skip
