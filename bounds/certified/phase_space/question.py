"""One question in phase space in balls: what every row does to the error under any weights.

Weights, and what else is only searched for, may come from floats as they are: any weights give a bound.  How
much a row stretches in them, λ_max(P_{k−1}⁻¹ JᵀP_kJ)^{1/2}, is computed, not taken to be 1.
"""

from __future__ import annotations

import math

from bounds.certified.data import BallData, Formulas, NotCertified
from bounds.certified.number import real_root
from bounds.certified.phase_space.initial import BallStart, largest_eigenvalue
from bounds.certified.phase_space.langevin import Langevin, matrix
from bounds.certified.phase_space.missed_noise import MissedNoise, entries
from bounds.certified.phase_space.rows import clock_times, rows
from bounds.setting import Setting

#: Bits beyond those asked for, besides those that long rows and short ones cancel.
GUARD = 64


def working_precision(setting: Setting, precision: int) -> int:
    """Bits that a question is computed with: e^{2ah} of the longest row and u⁴ of the shortest cost some."""
    clock = setting.table.clock
    a, longest = setting.table.path.a, float((clock[:-1] - clock[1:]).max())
    least = float(clock[clock > 0].min())
    return precision + GUARD + math.ceil(4 * a * longest / math.log(2) + 4 * max(0.0, -math.log2(a * least)))


def named(weights) -> dict:
    """Weights as arguments of a formula."""
    return dict(zip(("P_xx", "P_xv", "P_vv"), weights, strict=True))


class BallQuestion:
    """Everything that does not depend on the weights.

    Raises
    ------
    NotCertified
        If the clock is not proved to run forward on all of [0, T].
    """

    def __init__(self, setting: Setting, formulas: Formulas):
        if setting.table.path.unproved:
            raise NotCertified(f"certified: {setting.table.path.unproved}")
        self.setting, self.formulas, self.data = setting, formulas, BallData(setting)
        self.langevin = langevin = Langevin(setting.process)
        clock = clock_times(setting.process, setting.scheme.grid.times)
        self.horizon, self.end = clock[0], clock[-1]
        self.rows = rows(langevin, setting.process, setting.scheme, clock)
        self.seen = [langevin.seen(row.upper) for row in self.rows]
        self.missed = MissedNoise(langevin, self.data, formulas)

    def hessians(self, k: int) -> tuple:
        """H(c_lo) and H(c_up) where row k starts."""
        seen, gap = self.seen[k], self.data.gap(self.seen[k].a_sq, self.seen[k].s_sq)
        low = [value / seen.unit for value in seen.hessian_floor(self.data.l)]
        x, v = seen.omega
        return low, [low[0] + gap * (x * x), low[1] + gap * (x * v), low[2] + gap * (v * v)]

    def jacobians(self, k: int) -> list:
        """J(c) = P + QH(c) of row k at both ends of the envelope."""
        row, seen = self.rows[k], self.seen[k]
        gap, omega = self.data.gap(seen.a_sq, seen.s_sq), seen.omega
        (xx, xv, vv), affine = self.hessians(k)[0], self.formulas["phase_affine"]
        columns = list(zip(((xx, xv), (xv, vv)), omega, strict=True))
        P, Q = row.P.tolist(), row.Q.tolist()
        shared = dict(w_x=omega[0], w_v=omega[1])
        return [[[affine(P=P[i][j], Q_x=Q[i][0], Q_v=Q[i][1], H_x=H_x, H_v=H_v, X=X, w=w, **shared)
                  for j, ((H_x, H_v), w) in enumerate(columns)] for i in (0, 1)] for X in (gap * 0, gap)]

    def stretch(self, k: int, before, after, saturated: bool = False):
        """How much row k stretches an error from the norm of P_{k−1} to that of P_k, both triples; saturated, at
        c_lo alone."""
        from flint import arb, arb_mat

        # RᵀR = P_{k−1}, R upper triangular
        xx, xv, vv = before
        top = real_root(xx)
        side = xv / top
        bottom = real_root(vv - side * side)
        inverse = arb_mat([[1 / top, -side / (top * bottom)], [0, 1 / bottom]])
        found = arb(0)
        for jacobian in self.jacobians(k)[: 1 if saturated else 2]:
            moved = arb_mat(jacobian) * inverse
            found = found.max(largest_eigenvalue(moved.transpose() * matrix(after) * moved))
        return real_root(found)

    def bias(self, k: int, weights):
        """b_k."""
        row, seen, data, langevin = self.rows[k], self.seen[k], self.data, self.langevin
        (xx, xv, _), determinant = seen.covariance_plus(data.m)
        r_x = real_root(xx)
        back = langevin.transition(-row.width)
        c1, c2 = back - row.P, back * matrix(langevin.covariance(row.width)) - row.Q
        values = named(weights) | entries("c1", c1.entries()) | entries("c2", c2.entries())
        values |= dict(d=data.d, m=data.m, l=data.l, a_sq=seen.a_sq, s_sq=seen.s_sq, r_x=r_x, r_c=xv / r_x,
                       r_v=real_root(determinant * seen.unit) / r_x, w_x=seen.omega[0], w_v=seen.omega[1])
        if not data.knows_moments:
            return real_root(self.formulas["phase_bias_sq"](**values))
        known = data.moments(seen.a_sq, seen.s_sq)[0]
        return real_root(self.formulas["phase_bias_known_sq"](**values, x_mean=known))

    def pulled(self, k: int, weights):
        """What two points of the data's ball may add."""
        from flint import arb

        seen, radius = self.seen[k], arb(float(self.setting.assumption.ball[0]))
        return real_root(self.formulas["phase_ball_sq"](
            **named(weights), **entries("Q", self.rows[k].Q.entries()), R=radius, a_sq=seen.a_sq, s_sq=seen.s_sq,
            l=self.data.l, w_x=seen.omega[0], w_v=seen.omega[1]))

    def score(self, k: int, weights):
        """λ_max(QᵀP_kQ)^{1/2}."""
        square = self.formulas["phase_score_sq"](**named(weights), **entries("Q", self.rows[k].Q.entries()))
        return real_root(square)

    def start(self, gammas) -> BallStart:
        """The prior and the law at the horizon, with the variances to try."""
        return BallStart(self.langevin, self.data, self.formulas, self.horizon, gammas)

    def stop(self):
        """W2 of the position from the last time to 0, or None without early stopping."""
        if self.setting.scheme.grid.early_stop == 0:
            return None
        last = self.langevin.seen(self.end)
        phi = self.langevin.transition(self.end)[0, 0]
        return real_root(self.formulas["early_stop_sq"](a_sq=phi * phi, s_sq=last.S[0], m2=self.data.m2,
                                                        d=self.data.d))
