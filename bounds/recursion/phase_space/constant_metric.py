"""What an Euler–Maruyama step does to the error in the constant metric 𝔐 (arXiv 2511.02419)."""

from functools import cached_property

import numpy as np

from bounds.contraction.metric import contracting_metric
from bounds.contraction.renormalised_score import renormalised_hessian
from bounds.recursion.ingredients import InitialTerm
from bounds.recursion.phase_space.one_question import PhaseProblem
from bounds.recursion.phase_space.weights import entries, symmetric, triples
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import outer

#: Relative rounding of a norm in the metric.
ROUNDING = 1e-13
#: Range of κ, values tried at first, and values tried around the best each time.
KAPPAS, FIRST, CLOSER, ROUNDS = (1.2, 6.0), 10, 4, 2
KINDS = ("basis", "lyapunov")
#: Where a step and its noise are looked at for the supremum of X.
PLACES = np.array([0.0, 0.5, 1.0])


class Contraction:
    """One question seen in 𝔐, given as to `PhaseProblem`: what does not depend on κ is computed once."""

    def __init__(self, setting, functions, data):
        self.setting, self.functions = setting, functions
        self.problem = PhaseProblem(setting, functions, data)
        self.table, self.path = setting.table, setting.table.path
        clock = self.table.clock
        self.h, self.horizon = clock[:-1] - clock[1:], float(clock[0] - clock[-1])
        self.hessians = renormalised_hessian(self.path, setting.assumption, clock[:-1])

    def in_metric(self, kappa: float, kind: str) -> dict:
        """ρ̄_k, ℓ_k, E_0, b_k, v_k, the weight of the score and √((𝔐⁻¹)_11) for one metric.

        κ > 1 and the kind, "basis" or "lyapunov", are as in `bounds.contraction.metric.contracting_metric`.
        """
        path, functions, h = self.path, self.functions, self.h
        fixed = contracting_metric(path, kappa, kind)
        root = np.linalg.cholesky(fixed).T
        shape = dict(R_xx=root[0, 0], R_xv=root[0, 1], R_vv=root[1, 1])
        if kind == "basis":
            drift = functions["drift_norm"](h=h, a=path.a, kappa=kappa)
        else:
            moved = np.eye(2) + h[:, None, None] * path.renormalised_drift
            drift = functions["norm"](**shape, **entries("Z", moved))
        pull = np.maximum(*(functions["norm"](**shape, **entries("Z", path.D @ end))
                            for end in self.hessians))
        triple = triples(fixed)
        weights = np.broadcast_to(triple, (len(h), 3))
        initial, source = self._initial(triple, shape)
        return dict(drift=drift * (1 + ROUNDING), pull=pull * (1 + ROUNDING), initial=initial,
                    initial_term=source, bias=self.problem.bias(weights),
                    variance=self.problem.missed(weights), score=self.problem.score(weights),
                    projection=float(functions["projection"](**shape)) * (1 + ROUNDING), shape=shape)

    def _initial(self, triple, shape) -> tuple[float, InitialTerm]:
        """(E_0, where it comes from)."""
        coupled, distance = self.problem.initial(triple), self.problem.start.mixing
        if not np.isfinite(distance):
            return coupled.error, coupled.term
        flow = self.functions["norm"](**shape, **entries("Z", self.path.transition(self.table.clock[0])))
        mixed = self.functions["mixing"](flow=flow, largest=self.functions["largest"](**shape), W=distance)
        term = InitialTerm("W2(p_0 ⊗ π_v, π_∞) mixed by e^{TA}")
        flowed = self.problem.start.moved(float(mixed) * (1 + ROUNDING), term, symmetric(triple))
        return min((coupled.error, coupled.term), flowed)

    @cached_property
    def _missed(self) -> tuple | None:
        """X at three times and three lags of every step, entry by entry (9, k), at both ends of the envelope;
        None where it has no bound."""
        path, lag = self.path, self.h[:, None] * PLACES
        clock = self.table.clock[1:, None] + lag
        if path.velocity_variance == 0 and clock[-1, 0] == 0:
            return None
        seen = channel(path, clock)
        floor = seen.hessian_floor(1 / self.setting.assumption.smoothness)
        gap = np.broadcast_to(self.setting.assumption.hessian_gap(seen.a_sq, seen.s_sq), clock.shape)
        ends = floor, floor + outer(gap[..., None] * seen.omega, seen.omega)
        back, gain = path.transition(-lag)[:, :, None], (path.D + path.covariance(lag) @ path.A.T)[:, :, None]
        # with the steps last: numpy is slow along short axes
        return tuple({name: np.ascontiguousarray(entry.reshape(len(entry), -1).T) for name, entry in entries(
            "Z", back @ (gain @ end[:, None] - path.A)).items()} for end in ends)

    def ceiling(self, shape) -> np.ndarray:
        r"""ν_k, shape (k,), in :math:`v_k \le \sqrt{d/3}\,h^{3/2}\nu_k`, over three times and three lags."""
        if self._missed is None:
            return np.full(len(self.h), np.inf)
        noise = dict(D_x=self.path.D[0, 0], D_v=self.path.D[1, 1])
        sizes = [self.functions["missed_sq"](**shape, **noise, **end) for end in self._missed]
        return np.sqrt(np.maximum(*sizes).max(axis=0))


def smallest(evaluated) -> tuple[dict, dict]:
    """What (κ, kind) is evaluated to where ``total``, and where ``closed_form`` of it, are smallest."""
    found = {(kappa, kind): evaluated(kappa, kind) for kind in KINDS
             for kappa in np.geomspace(*KAPPAS, FIRST).tolist()}
    for name in ("total", "closed_form"):
        step = (KAPPAS[1] / KAPPAS[0]) ** (1 / (FIRST - 1))
        for _ in range(ROUNDS):
            kappa, kind = min(found, key=lambda metric: found[metric][name])
            around = np.geomspace(max(kappa / step, KAPPAS[0]), min(kappa * step, KAPPAS[1]), CLOSER + 2)
            step = step ** (2 / (CLOSER + 1))
            found |= {(k, kind): evaluated(k, kind) for k in around.tolist() if (k, kind) not in found}
    return tuple(min(found.values(), key=lambda parts: parts[name]) for name in ("total", "closed_form"))
