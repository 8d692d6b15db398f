r"""The initial term of a two-block sampler: how far p_T is from the prior in the metric P_0, the smallest that applies.

U_T = φX_0 + S^{1/2}z is coupled to φξ + S^{1/2}z with ξ ~ N(0, γI) optimal for X_0, and that Gaussian to the prior by
the map that is optimal in the metric.  γ = 0 is the independent coupling of docs/theory.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .assumptions import StronglyLogConcave, WeaklyLogConcave
from .phase_envelope import Channel, channel

#: Values of γ tried between the smallest and the largest variance of the data.
CANDIDATES = 9
#: Relative rounding of |U − y|.
ROUNDING = 4e-15


@dataclass(frozen=True)
class Initial:
    """E_0 and where it comes from.

    Attributes
    ----------
    error : float
    measure : (xx, xv, vv)
        Second moment of the initial error under the coupling.
    source : str
    """

    error: float
    measure: tuple
    source: str


def symmetric_root(matrix):
    """The symmetric square root of a positive 2×2 matrix: (M + √det I)/√(tr + 2√det)."""
    determinant = np.sqrt(max(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0], 0.0))
    return (matrix + determinant * np.eye(2)) / np.sqrt(matrix[0, 0] + matrix[1, 1] + 2 * determinant)


def displacement(law, prior, change, metric):
    r"""I − T, T the map from N(0, law) to N(0, prior) that is optimal in the metric, from prior − law without cancellation.

    With all matrices seen through metric^{1/2} and R = (law^{1/2} prior law^{1/2})^{1/2}:
    T − I = law^{-1/2}(R − law)law^{-1/2}, and R − law solves RY + Y law = law^{1/2}(prior − law)law^{1/2}.
    """
    root = symmetric_root(metric)
    inverse = np.linalg.inv(root)
    law, prior, change = (root @ matrix @ root for matrix in (law, prior, change))
    half = symmetric_root(law)
    middle = symmetric_root(half @ prior @ half)
    right = half @ change @ half
    system = np.kron(middle, np.eye(2)) + np.kron(np.eye(2), law)
    excess = np.linalg.solve(system, right.reshape(-1)).reshape(2, 2)
    back = np.linalg.inv(half)
    moved = back @ (excess + excess.T) / 2 @ back
    return -inverse @ moved @ root


def distances(assumption, functions, gamma: float, known=None):
    """Bounds of W2(p_0, N(0, γI))² by where they come from; those of "constants" grow like E‖X_0‖²."""
    l = 1 / assumption.smoothness
    found = {"constants": float(functions["phase_distance_sq"](m2=assumption.second_moment, d=assumption.dim, l=l, gamma=gamma))}
    alpha, M = None, 0.0
    if isinstance(assumption, StronglyLogConcave):
        alpha = assumption.m0
    elif isinstance(assumption, WeaklyLogConcave):
        alpha, M = assumption.alpha, assumption.M
    if alpha is not None and alpha > M:
        centre = assumption.mean_norm
        if centre is None:
            centre = np.sqrt(max(assumption.second_moment - assumption.dim * l, 0.0))
        found["constants, log-concave"] = float(
            functions["phase_distance_log_concave_sq"](
                d=assumption.dim, l=l, gamma=gamma, wide=1 / (alpha - M), mean_norm=centre
            )
        )
    if known is not None and gamma > 0:
        found["closed form"] = float(known(gamma)) ** 2
    return found


@dataclass(frozen=True)
class Start:
    """Where the sampler starts.

    Attributes
    ----------
    seen : Channel
        At the horizon (shape ()).
    prior, change : arrays of shape (2, 2)
        The prior's covariance, and prior − S free of cancellation.
    flow : array of shape (2, 2)
        Φ(T, 0).
    mixing : float
        W2(p_0 ⊗ N(0, v²), N(0, Σ_∞)) where the prior is stationary, else infinite.
    """

    seen: Channel
    prior: np.ndarray
    change: np.ndarray
    flow: np.ndarray
    mixing: float = np.inf

    @classmethod
    def of(cls, path, horizon: float, prior, assumption, functions, known=None) -> Start:
        """The start of a sampler at clock time ``horizon``."""
        prior, stationary = np.asarray(prior, dtype=float), path.stationary
        # Σ_∞ − S_u = Φ(Σ_∞ − v²e₂e₂ᵀ)Φᵀ
        left = stationary - path.velocity_variance * np.diag([0.0, 1.0])
        flow = path.transition(horizon)
        start = cls(channel(path, horizon), prior, (prior - stationary) + flow @ left @ flow.T, flow)
        if not np.allclose(prior, stationary, rtol=1e-15, atol=0.0):
            return start
        if path.velocity_variance == 0:
            # V_0 = 0 is coupled to any velocity at the same price
            square = min(distances(assumption, functions, stationary[0, 0], known).values())
            square = square + assumption.dim * stationary[1, 1]
            return replace(start, mixing=float(np.sqrt(square)) * (1 + ROUNDING))
        at_zero = cls(channel(path, 0.0), stationary, left, np.eye(2))
        return replace(start, mixing=initial_error(at_zero, (1.0, 0.0, 1.0), assumption, functions, known).error)


def initial_error(start: Start, weights, assumption, functions, known=None) -> Initial:
    r"""E_0 in the metric P_0: the smallest over γ and over what is known of W2(p_0, N(0, γI)).

    .. math:: E_0^2 \le \varphi^T P T \varphi\, D^2 + d\,\mathrm{tr}\,P (I-T)(S + \gamma\varphi\varphi^T)(I-T)^T
              + \varphi^T P (I-T)\varphi\,(E\|X_0\|^2 - d\gamma), \qquad
              E_0 \le |\varphi|_P D + \sqrt{d}\,|(I-T)R|_P.

    From a stationary prior also :math:`\lambda_{\max}(\Phi^T P \Phi)^{1/2} W_2(p_0 \otimes N(0, v^2), N(0, \Sigma_\infty))`.

    Parameters
    ----------
    start : Start
    weights : (xx, xv, vv)
    assumption : Assumption
    functions : mapping
        The stated expressions.
    known : callable, optional
        γ -> upper bound of W2(p_0, N(0, γI)).

    Source: docs/theory.md section 4; Caffarelli's contraction theorem; Stein's identity.
    """
    p, q, r = (float(value) for value in weights)
    metric = np.array([[p, q], [q, r]])
    if not np.all(np.isfinite(metric)):
        return Initial(np.inf, (1.0, 0.0, 1.0), "independent coupling")
    found = list(_couplings(start, metric, assumption, functions, known))
    if np.isfinite(start.mixing):
        sizes, vectors = np.linalg.eigh(start.flow.T @ metric @ start.flow)
        worst = start.mixing * start.flow @ vectors[:, -1]
        error = np.sqrt(max(sizes[-1], 0.0)) * start.mixing * (1 + ROUNDING)
        found.append(Initial(float(error), _triple(np.outer(worst, worst)), "forward flow from time 0"))
    return min(found, key=lambda initial: initial.error)


def _triple(matrix):
    return float(matrix[0, 0]), float(matrix[0, 1]), float(matrix[1, 1])


def _couplings(start: Start, metric, assumption, functions, known):
    """`Initial` for every γ and every bound of W2(p_0, N(0, γI))."""
    seen, phi, d, prior = start.seen, start.seen.phi, assumption.dim, start.prior
    small, large = 1 / assumption.smoothness, assumption.second_moment / d
    choices = {0.0, float(assumption.centred_variance), float(prior[0, 0])}
    choices |= set(np.geomspace(max(small, 1e-6 * large), large, CANDIDATES).tolist())
    length = float(phi @ metric @ phi)
    for gamma in sorted(choices):
        law, determinant = seen.covariance_plus(gamma)
        if not determinant > 0:
            continue
        moved = displacement(law, prior, start.change - gamma * np.outer(phi, phi), metric)
        r_x = np.sqrt(law[0, 0])
        rounding = ROUNDING * (np.sqrt(d * np.trace(metric @ law)) + np.sqrt(d * np.trace(metric @ prior)))
        values = dict(
            P_xx=metric[0, 0], P_xv=metric[0, 1], P_vv=metric[1, 1], phi_x=phi[0], phi_v=phi[1], d=d, gamma=gamma,
            k_xx=moved[0, 0], k_xv=moved[0, 1], k_vx=moved[1, 0], k_vv=moved[1, 1],
            r_x=r_x, r_c=law[0, 1] / r_x, r_v=np.sqrt(determinant) / r_x,
        )  # fmt: skip
        turn = float(phi @ metric @ moved @ phi)
        for source, D_sq in distances(assumption, functions, gamma, known).items():
            error = float(functions["phase_initial"](**values, D_sq=D_sq))
            if length - turn >= 0:
                # E‖X_0‖² may be given too large: where it helps, the least it can be
                m2 = assumption.second_moment if turn >= 0 or source == "constants" else d * small
                square = float(functions["phase_initial_sq"](**values, D_sq=D_sq, m2=m2))
                error = min(error, np.sqrt(max(square, 0.0)))
            name = "independent coupling" if gamma == 0 else f"Gaussian of variance {gamma:.3g} ({source})"
            yield Initial(error + rounding, _triple(D_sq * np.outer(phi, phi) + d * moved @ law @ moved.T), name)
