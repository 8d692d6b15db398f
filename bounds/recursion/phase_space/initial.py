r"""The initial term of a two-block sampler: how far p_T is at most from the prior in the metric P_0.

U_T = φX_0 + S^{1/2}z is coupled to φξ + S^{1/2}z with ξ ~ N(0, γI) optimal for X_0, and that Gaussian to the
prior by the map that is optimal in the metric.  γ = 0 is the independent coupling (docs/theory.md section 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bounds.recursion.distance_to_gaussian import DistanceFrom, distances
from bounds.recursion.ingredients import InitialTerm
from bounds.recursion.phase_space.weights import entries, named, symmetric, triples
from bounds.start import PhaseStart
from bounds.steps.phase_space.channel import Channel, channel

#: Values of γ tried between the smallest and the largest variance of the data.
CANDIDATES = 9
#: Relative rounding of |U − y|.
ROUNDING = 4e-15
INDEPENDENT = InitialTerm("independent coupling")


@dataclass(frozen=True)
class Initial:
    """E_0, the second moment (xx, xv, vv) of the error under the coupling, and where it comes from."""

    error: float
    measure: np.ndarray
    term: InitialTerm


def coupled(R, L, metric):
    r"""G = LO, O the rotation that brings Gz closest to Rz in the metric (shapes (..., 2, 2)).

    Of all O the one that maximises :math:`\mathrm{tr}\,R^T P L O`: the polar factor of a 2×2 matrix of
    positive determinant turns by atan2(m_21 − m_12, m_11 + m_22).  Any rotation gives a coupling: nothing
    rests on its digits.
    """
    # the scale of the metric may be out of range
    m = np.swapaxes(R, -1, -2) @ (metric / np.trace(metric)) @ L
    angle = np.arctan2(m[..., 0, 1] - m[..., 1, 0], m[..., 0, 0] + m[..., 1, 1])
    cos, sin = np.cos(angle), np.sin(angle)
    return L @ np.stack([np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)], axis=-2)


@dataclass(frozen=True)
class Shift:
    r"""What the mean μ of the start adds to a coupling with a centred one, with m the mean of the data.

    .. math:: E|U - y - \mu|_P^2 = E|U - y|_P^2 + |\mu|_P^2 - 2\langle\varphi m, \mu\rangle_P .

    Attributes
    ----------
    gram : array of shape (2, 2)
        Products of μ's position and velocity.
    along : array of shape (2,), or None
        Products of both with m; None where m is not known.
    mean_norm : float
        |m|, or what it is at most.
    dim : int
        d, over which products are summed.
    """

    gram: np.ndarray
    along: np.ndarray | None
    mean_norm: float
    dim: int

    @classmethod
    def of(cls, start: PhaseStart | None, assumption, mean) -> Shift | None:
        """Of a start, with the data's mean (d,) or None; None for a centred one."""
        if start is None:
            return None
        d = int(assumption.dim)
        found = start.mean_of(d).astype(float)
        if mean is None:
            return cls(found @ found.T, None, float(assumption.largest_mean_norm), d)
        return cls(found @ found.T, found @ np.asarray(mean, dtype=float), float(np.linalg.norm(mean)), d)

    def added(self, error: float, metric: np.ndarray, phi: np.ndarray) -> float:
        """E_0 with the mean, from that without, in the metric P_0."""
        size = np.trace(metric)  # the scale of the metric may be out of range
        scaled, size = metric / size, np.sqrt(size)
        turned, root = scaled @ phi, np.sqrt(np.diag(scaled))
        long = float(root @ np.sqrt(np.diag(self.gram)))
        moved = float(np.sum(scaled * self.gram))
        cross = -self.mean_norm * np.sqrt(max(float(turned @ self.gram @ turned), 0.0))
        if self.along is not None:
            cross = float(self.along @ turned)
        # products of d terms, and forms that may all but cancel
        seen = float(root @ np.abs(phi)) * self.mean_norm
        lost = (ROUNDING + 2 * self.dim * np.finfo(float).eps) * long * (long + 2 * seen)
        square = (error / size) ** 2 * (1 + ROUNDING) + moved - 2 * cross + lost
        apart = error / size + np.sqrt(moved + lost)
        return float(min(np.sqrt(max(square, 0.0)), apart) * size * (1 + ROUNDING))

    def measure(self, centred: np.ndarray) -> np.ndarray:
        """The second moment (xx, xv, vv) of the error with the mean, from that without."""
        return centred + triples(self.gram)


@dataclass(frozen=True)
class Start:
    """Where the sampler starts.

    Attributes
    ----------
    seen, prior, flow
        The channel at the horizon, the prior's covariance and Φ(T, 0).
    gammas, D_sq, sources
        Variances γ, bounds of W2(p_0, N(0, γI))² and what these rest on: n of each.
    mixing : float
        W2(p_0 ⊗ N(0, v²), N(0, Σ_∞)) where the prior is stationary, else infinite.
    shift : Shift, optional
        Where the start is not centred.
    """

    seen: Channel
    prior: np.ndarray
    flow: np.ndarray
    gammas: np.ndarray
    D_sq: np.ndarray
    sources: tuple
    mixing: float = np.inf
    shift: Shift | None = None

    @classmethod
    def of(cls, path, horizon: float, prior, assumption, functions, known=None, shift: Shift | None = None) -> Start:
        """The start of a sampler at clock time ``horizon``; ``known`` as for `distances`."""
        prior = np.asarray(prior, dtype=float)
        small, large = 1 / assumption.smoothness, assumption.second_moment / assumption.dim
        choices = {0.0, float(assumption.centred_variance), float(prior[0, 0])}
        choices |= set(np.geomspace(max(small, 1e-6 * large), large, CANDIDATES).tolist())
        tried = [
            (gamma, D_sq, source) for gamma in sorted(choices)
            for source, D_sq in distances(assumption, functions, gamma, known if gamma > 0 else None).items()]
        gammas, D_sq, sources = zip(*tried, strict=True)
        start = cls(channel(path, horizon), prior, path.transition(horizon), np.array(gammas), np.array(D_sq),
                    sources)
        if not np.allclose(prior, path.stationary, rtol=1e-15, atol=0.0):
            return replace(start, shift=shift)
        at_zero = replace(start, seen=channel(path, 0.0), flow=np.eye(2))
        mixing = error_in_metric(at_zero, (1.0, 0.0, 1.0), assumption, functions).error
        return replace(start, mixing=mixing, shift=shift)

    def moved(self, error: float, term: InitialTerm, metric: np.ndarray) -> tuple[float, InitialTerm]:
        """(E_0, where it comes from) by those of a coupling with the centred start."""
        if self.shift is None:
            return error, term
        known = term.closed_form or self.shift.along is not None
        return self.shift.added(error, metric, self.seen.phi), term._replace(closed_form=known)


def error_in_metric(start: Start, weights, assumption, functions) -> Initial:
    r"""E_0 in the metric P_0: the smallest over γ and over what is known of W2(p_0, N(0, γI)).

    With :math:`RR^T = S + \gamma\varphi\varphi^T`, GGᵀ the prior and
    :math:`\tau = \varphi^T P(R - G)R^{-1}\varphi`:

    .. math:: E_0^2 \le (\varphi^T P \varphi - \tau) D^2 + d\,|R - G|_P^2 + \tau\,(E\|X_0\|^2 - d\gamma), \qquad
              E_0 \le |\varphi|_P D + \sqrt{d}\,|R - G|_P.

    From a stationary prior also
    :math:`\lambda_{\max}(\Phi^T P \Phi)^{1/2} W_2(p_0 \otimes N(0, v^2), N(0, \Sigma_\infty))`.
    What a mean of the start adds is in `Shift`.

    Source: docs/theory.md section 4; Caffarelli's contraction theorem; Stein's identity.
    """
    metric = symmetric(np.asarray(weights, dtype=float))
    if not np.all(np.isfinite(metric)):
        return Initial(np.inf, triples(np.eye(2)), INDEPENDENT)
    found = _centred(start, metric, assumption, functions)
    if start.shift is None:
        return found
    error, term = start.moved(found.error, found.term, metric)
    return Initial(error, start.shift.measure(found.measure), term)


def _centred(start: Start, metric, assumption, functions) -> Initial:
    """E_0 where the start has no mean."""
    best = _coupling(start, metric, assumption, functions)
    if np.isfinite(start.mixing):
        # eigenvalues without the range of the metric
        size = np.trace(metric)
        largest, vectors = np.linalg.eigh(start.flow.T @ (metric / size) @ start.flow)
        lost = ROUNDING * np.sum(np.square(np.sqrt(np.diag(metric) / size) @ np.abs(start.flow)))
        error = float(np.sqrt(max(largest[-1], 0.0) + lost) * np.sqrt(size) * start.mixing * (1 + ROUNDING))
        if error < best.error:
            worst = start.mixing * start.flow @ vectors[:, -1]
            return Initial(error, triples(np.outer(worst, worst)), InitialTerm("forward flow from time 0"))
    return best


def _coupling(start: Start, metric, assumption, functions) -> Initial:
    """The best `Initial` over every γ and every bound of W2(p_0, N(0, γI))."""
    seen, phi, d, prior = start.seen, start.seen.phi, assumption.dim, start.prior
    law, determinant = seen.covariance_plus(start.gammas)
    # at time 0 the position of γ = 0 has no spread
    kept = law[:, 0, 0] > 0
    law, determinant, gamma, D_sq = law[kept], determinant[kept], start.gammas[kept], start.D_sq[kept]
    sources = [source for source, keep in zip(start.sources, kept, strict=True) if keep]
    R = np.zeros_like(law)
    R[:, 0, 0] = r_x = np.sqrt(law[:, 0, 0])
    R[:, 1, 0], R[:, 1, 1] = law[:, 0, 1] / r_x, np.sqrt(determinant) / r_x
    # R⁻¹φ, its second entry (adj(S)φ)_v/(r_x² r_v); 0 where V_0 = 0 at time 0
    turned = np.sqrt(seen.a_sq) * seen.size * seen.omega[1] / law[:, 0, 0]
    seen_v = np.divide(turned, R[:, 1, 1], out=np.zeros_like(turned), where=R[:, 1, 1] > 0)
    u = np.stack([phi[0] / r_x, seen_v], axis=-1)[..., None]
    apart = R - coupled(R, np.linalg.cholesky(prior), metric)
    values = dict(**named(triples(metric)), **entries("e", apart), phi_x=phi[0], phi_v=phi[1], d=d,
                  gamma=gamma, D_sq=D_sq, u_x=u[:, 0, 0], u_v=seen_v)
    length = float(phi @ metric @ phi)
    turn = (apart @ u)[..., 0] @ (metric @ phi)
    # E‖X_0‖² may be given too large: where it helps, the least it can be
    grows = (turn >= 0) | np.array([source is DistanceFrom.CONSTANTS for source in sources])
    m2 = np.where(grows, assumption.second_moment, d / assumption.smoothness)
    # every form in the metric may all but cancel; what it is made of does not
    root = np.sqrt(np.diag(metric))
    long = float(root @ np.abs(phi))
    wide = d * np.sum(np.square(root @ np.abs(apart)), axis=-1)
    turned = long * ((np.abs(apart) @ np.abs(u))[..., 0] @ root)
    lost = ROUNDING * (long**2 * D_sq + wide + turned * (D_sq + np.abs(m2 - d * gamma)))
    square = np.maximum(functions["phase_initial_sq"](**values, m2=m2), 0.0)
    error = np.where(length - turn >= 0, np.sqrt(square + lost), np.inf)
    moved_sq = d * np.einsum("ij,nik,njk->n", metric, apart, apart)
    added = _more(length * D_sq, ROUNDING * long**2 * D_sq) + _more(moved_sq, ROUNDING * wide)
    error = np.minimum(error, functions["phase_initial"](**values) + added)
    spread = np.sqrt(law[:, (0, 1), (0, 1)]) @ root + np.sqrt(np.diag(prior)) @ root
    error = error + ROUNDING * np.sqrt(d) * spread
    best = int(np.argmin(error))
    moved = apart[best] @ apart[best].T
    term = INDEPENDENT
    if gamma[best]:
        name = f"Gaussian of variance {gamma[best]:.3g} ({sources[best]})"
        term = InitialTerm(name, sources[best] is DistanceFrom.CLOSED_FORM)
    return Initial(float(error[best]), triples(D_sq[best] * np.outer(phi, phi) + d * moved), term)


def _more(square, lost):
    """What the root of a square that is off by ``lost`` may be short of."""
    square = np.maximum(square, 0.0)
    return np.sqrt(square + lost) - np.sqrt(square)
