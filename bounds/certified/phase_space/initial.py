"""The initial term of two blocks in balls, as `bounds.recursion.phase_space.initial` has it in floats."""

from __future__ import annotations

from dataclasses import dataclass

from bounds.certified.data import BallData, Formulas
from bounds.certified.number import real_root
from bounds.certified.phase_space.langevin import Langevin, Seen, matrix
from bounds.certified.phase_space.missed_noise import entries
from bounds.recursion.distance_to_gaussian import DistanceFrom
from bounds.recursion.ingredients import InitialTerm

INDEPENDENT, FLOWED = InitialTerm("independent coupling"), InitialTerm("forward flow from time 0")


@dataclass(frozen=True)
class Law:
    """U_t as the coupling sees it: φ, S + γφφᵀ with its determinant for any γ, and R⁻¹φ."""

    phi: tuple
    seen: Seen | None
    variance: object

    def covariance_plus(self, gamma):
        """(S + γφφᵀ, its determinant)."""
        if self.seen is None:
            return (gamma, gamma * 0, self.variance), gamma * self.variance
        triple, determinant = self.seen.covariance_plus(gamma)
        return triple, determinant * self.seen.unit

    def factors(self, gamma):
        """R, lower triangular with RRᵀ = S + γφφᵀ, as (r_x, r_c, r_v), and R⁻¹φ."""
        (xx, xv, _), determinant = self.covariance_plus(gamma)
        r_x = real_root(xx)
        r_c, r_v = xv / r_x, real_root(determinant) / r_x
        first = self.phi[0] / r_x
        # at time 0, where the velocity may have no spread, φ has no part in it
        second = gamma * 0 if self.seen is None else (self.phi[1] - r_c * first) / r_v
        return (r_x, r_c, r_v), (first, second)


class BallStart:
    """Where the sampler starts: the law at the horizon, the prior N(0, Σ_∞), and the variances γ to try."""

    def __init__(self, langevin: Langevin, data: BallData, formulas: Formulas, horizon, gammas: list[float]):
        from flint import arb

        self.data, self.formulas = data, formulas
        self.flow, seen = langevin.transition(horizon), langevin.seen(horizon)
        self.law = Law((self.flow[0, 0], self.flow[1, 0]), seen, None)
        self.prior = langevin.stationary
        xx, xv, vv = (self.prior[i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
        top = real_root(xx)
        self.root = top, xv / top, real_root(vv - xv * xv / xx)
        self.known = [(arb(gamma), source, square) for gamma in sorted(set(gammas))
                      for source, square in self._distances(arb(gamma)).items()]
        one = arb(1)
        at_zero = Law((one, one * 0), None, langevin.variance)
        self.mixing, _ = self._coupled(at_zero, (one, one * 0, one))

    def _distances(self, gamma) -> dict:
        """W2(p_0, N(0, γI))² by what it rests on."""
        data, found = self.data, {}
        values = dict(d=data.d, l=data.l, v=gamma)
        found[DistanceFrom.CONSTANTS] = self.formulas["distance_sq"](**values, m2=data.m2)
        convex = 1 / data.wide - data.M
        if convex > 0:
            found[DistanceFrom.LOG_CONCAVITY] = self.formulas["distance_log_concave_sq"](
                **values, wide=1 / convex, mean_norm=data.mean_norm)
        if data.knows_distance and gamma > 0:
            distance = data.distance(gamma)
            found[DistanceFrom.CLOSED_FORM] = distance * distance
        return found

    def error(self, weights):
        """(E_0 in the metric P_0, a triple, where it comes from)."""
        best, term = self._coupled(self.law, weights)
        turned = self.flow.transpose() * matrix(weights) * self.flow
        flowed = real_root(largest_eigenvalue(turned)) * self.mixing
        return (flowed, FLOWED) if float(flowed.upper()) < float(best.upper()) else (best, term)

    def _coupled(self, law: Law, weights):
        """The best coupling to the prior over every γ and every bound of W2(p_0, N(0, γI))."""
        from flint import arb

        found = []
        for gamma, source, D_sq in self.known:
            if law.seen is None and gamma == 0:
                continue
            error = self._error(law, weights, gamma, source, D_sq)
            if error.is_finite():
                found.append((float(error.upper()), error, gamma, source))
        if not found:
            return arb("+inf"), INDEPENDENT
        _, error, gamma, source = min(found, key=lambda each: each[0])
        if gamma == 0:
            return error, INDEPENDENT
        name = f"Gaussian of variance {float(gamma):.3g} ({source})"
        return error, InitialTerm(name, source is DistanceFrom.CLOSED_FORM)

    def _error(self, law: Law, weights, gamma, source, D_sq):
        data, (x, v) = self.data, law.phi
        (r_x, r_c, r_v), (u_x, u_v) = law.factors(gamma)
        e_xx, e_xv, e_vx, e_vv = apart = _apart((r_x, r_c, r_v), self.root, weights)
        values = dict(zip(("P_xx", "P_xv", "P_vv"), weights, strict=True)) | entries("e", apart)
        values |= dict(phi_x=x, phi_v=v, d=data.d, gamma=gamma, D_sq=D_sq, u_x=u_x, u_v=u_v)
        P_xx, P_xv, P_vv = weights
        length = P_xx * x * x + 2 * P_xv * x * v + P_vv * v * v
        moved = e_xx * u_x + e_xv * u_v, e_vx * u_x + e_vv * u_v
        turn = moved[0] * (P_xx * x + P_xv * v) + moved[1] * (P_xv * x + P_vv * v)
        error = self.formulas["phase_initial"](**values)
        if not length - turn >= 0:
            return error
        # E‖X_0‖² may be given too large: where it helps, the least it can be
        moments = data.m2, data.d * data.l
        most, least = (self.formulas["phase_initial_sq"](**values, m2=m2) for m2 in moments)
        if turn >= 0 or source is DistanceFrom.CONSTANTS:
            square = most
        else:
            square = least if turn <= 0 else most.max(least)
        return real_root(square).min(error)


def _apart(factors, prior, weights) -> list:
    r"""R − LO, row by row, LLᵀ the prior and O the rotation that brings LOz closest to Rz in the metric.

    That is the polar factor of :math:`R^T P L`; any rotation gives a coupling.
    """
    (r_x, r_c, r_v), (l_x, l_c, l_v), (xx, xv, vv) = factors, prior, weights
    # P L
    left = xx * l_x + xv * l_c, xv * l_v, xv * l_x + vv * l_c, vv * l_v
    m = r_x * left[0] + r_c * left[2], r_x * left[1] + r_c * left[3], r_v * left[2], r_v * left[3]
    cos, sin = m[0] + m[3], m[1] - m[2]
    size = real_root(cos * cos + sin * sin)
    if size > 0:
        cos, sin = cos / size, sin / size
    else:
        cos, sin = cos * 0 + 1, sin * 0
    # L times [[cos, −sin], [sin, cos]]
    return [r_x - l_x * cos, l_x * sin, r_c - (l_c * cos + l_v * sin), r_v - (l_v * cos - l_c * sin)]


def largest_eigenvalue(symmetric):
    """Of a symmetric 2×2 matrix."""
    xx, xv, vv = symmetric[0, 0], (symmetric[0, 1] + symmetric[1, 0]) / 2, symmetric[1, 1]
    half = (xx - vv) / 2
    return (xx + vv) / 2 + real_root(half * half + xv * xv)
