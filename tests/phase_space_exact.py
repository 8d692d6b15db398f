"""Critically-damped Langevin again, from docs/theory.md alone: in 60 digits, and its missed noise by fine
quadrature."""

import numpy as np
from mpmath import mp, mpf

from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath

DIGITS = 60
#: a, σ, ε, v² of processes unlike each other: ε = 0 and not, V_0 = 0 and not, fast, slow, noisy, quiet.
PROCESSES = (
    (1, 2, 0, 1), (1, 2, 0, 0), (0.3, 5, 0, 0.01), (4, 0.2, 0, 30), (1, 2, 0.5, 1),
    (2, 0.1, 3, 0), (0.05, 1, 1e-3, 2), (30, 7, 0, 4),
)


class ExactPhase:
    """Φ, C, φ, S and H(c) of dU = AU du + diag(ε, σ)dB at clock times u, as mpmath matrices."""

    def __init__(self, a, sigma, epsilon, velocity_variance, digits=DIGITS):
        with mp.workdps(digits):
            self.a, self.v_sq = mpf(a), mpf(velocity_variance)
            self.A = mp.matrix([[0, self.a**2], [-1, -2 * self.a]])
            self.D = mp.diag([mpf(epsilon) ** 2, mpf(sigma) ** 2])
            # AΣ + ΣAᵀ + D = 0, entry by entry
            system = mp.matrix([[0, 2 * self.a**2, 0], [-1, -2 * self.a, self.a**2], [0, -2, -4 * self.a]])
            xx, xv, vv = mp.lu_solve(system, mp.matrix([-self.D[0, 0], 0, -self.D[1, 1]]))
            self.stationary = mp.matrix([[xx, xv], [xv, vv]])

    def flow(self, u):
        """e^{uA}, A with the double eigenvalue −a."""
        u = mpf(u)
        return mp.exp(-self.a * u) * (mp.eye(2) + u * (self.A + self.a * mp.eye(2)))

    def covariance(self, u):
        """C = Σ_∞ − ΦΣ_∞Φᵀ."""
        flow = self.flow(u)
        return self.stationary - flow * self.stationary * flow.T

    def kernel(self, u):
        """(φ, S)."""
        flow = self.flow(u)
        return flow[:, 0], self.covariance(u) + self.v_sq * flow[:, 1] * flow[:, 1].T

    def information(self, u):
        """q = φᵀS⁻¹φ."""
        phi, S = self.kernel(u)
        return (phi.T * S**-1 * phi)[0]

    def hessian(self, u, c):
        """−S⁻¹ + cψψᵀ, ψ = S⁻¹φ."""
        phi, S = self.kernel(u)
        psi = S**-1 * phi
        return -(S**-1) + c * psi * psi.T

    def second_moment(self, u, m):
        """M2 = S + φφᵀ m."""
        phi, S = self.kernel(u)
        return S + m * phi * phi.T


def weakly_log_concave(q, alpha, M, smoothness):
    """(c_lo, c_up) at information q, docs/theory.md section 1, row 2."""
    return 1 / (mpf(smoothness) + q), 1 / (mpf(alpha) + q) + mpf(M) / (mpf(alpha) + q) ** 2


def affine_step(exact, key, h):
    """(P, Q) of docs/theory.md section 3, for a step of clock length h."""
    back = exact.flow(-h)
    if key == "euler-maruyama":
        return mp.eye(2) - h * exact.A, h * exact.D
    if key == "posterior-mean":
        return back, back * exact.covariance(h)
    # exponential: ∫_0^h e^{−wA}dw D
    return back, -(exact.A**-1) * (back - mp.eye(2)) * exact.D


def exact_rows(exact, key, times, clock):
    """[(clock time, P, Q, noise)] of a sampler from docs/theory.md section 3, ``clock`` a function of t."""
    u, one, none = [mpf(clock(mpf(t))) for t in times], mp.eye(2), mp.zeros(2)
    steps = list(zip(times[:-1], times[1:], u[:-1], u[1:], strict=True))
    if key in SPLITTINGS:
        before, after = SPLITTINGS[key]
        kick_at = 1 if key == "symplectic-euler" else mpf(1) / 2
        found, at, row = [], u[0], (one, none, none)
        for _, _, high, low in steps:
            h = high - low
            for part in before:
                row = _moved(exact, part, kick_at * h, row)
            if before:
                found.append((at, *row))
                at = high - kick_at * h
            kick = h * exact.D
            row = one + kick * exact.stationary**-1, kick, none
            for part in after:
                row = _moved(exact, part, kick_at * h, row)
            if not before:
                found.append((at, *row))
                at = low
        return found if not before else [*found, (at, *row)]
    found = []
    for later, sooner, high, low in steps:
        h = high - low
        if key == "frozen-euler-maruyama":
            h = (mpf(later) - mpf(sooner)) * mp.diff(clock, mpf(later))
        if key.endswith("maruyama"):
            found.append((high, *affine_step(exact, "euler-maruyama", h), h * exact.D))
            continue
        back = exact.flow(-h)
        found.append((high, *affine_step(exact, key, h), back * exact.covariance(h) * back.T))
    return found


#: Parts before and after the kick, by half steps, for symplectic Euler by whole ones.
SPLITTINGS = {"sscs": (("flow",), ("flow",)), "symplectic-euler": ((), ("force", "friction", "drift")),
              "leapfrog": (("drift", "friction", "force"), ("force", "friction", "drift"))}


def _moved(exact, part, h, row):
    """A row followed by a part of dU = ÃU du + Σ dB, Ã = −A − DΣ_∞⁻¹."""
    drift = -exact.A - exact.D * exact.stationary**-1
    moved, noise = mp.eye(2), mp.zeros(2)
    if part == "flow":
        moved = mp.exp(-exact.a * h) * (mp.eye(2) + h * (drift + exact.a * mp.eye(2)))
        noise = exact.stationary - moved * exact.stationary * moved.T
    elif part == "drift":
        moved[0, 1] = h * drift[0, 1]
    elif part == "force":
        moved[1, 0] = h * drift[1, 0]
    else:
        for i in (0, 1):
            rate = drift[i, i]
            moved[i, i] = mp.exp(rate * h)
            noise[i, i] = exact.D[i, i] * (mp.expm1(2 * rate * h) / (2 * rate) if rate else h)
    P, Q, added = row
    return moved * P, moved * Q, moved * added * moved.T + noise


def exact_w2(exact, rows, mean, variance, bias=0.0, noise=0.0):
    """W2 of the position after the rows for data N(mean, variance), the velocity's score off by a constant
    and by fresh noise of these sizes."""
    mean, variance = mpf(mean), mpf(variance)
    state, spread = mp.zeros(2, 1), exact.stationary.copy()
    pushed, fresh = mp.matrix([0, mpf(bias)]), mp.diag([0, mpf(noise) ** 2])
    for at, P, Q, added in rows:
        phi, S = exact.kernel(at)
        gain = Q * (S + variance * phi * phi.T) ** -1
        row = P - gain
        state = row * state + gain * phi * mean + Q * pushed
        spread = row * spread * row.T + added + Q * fresh * Q.T
    return mp.sqrt((state[0] - mean) ** 2 + (mp.sqrt(spread[0, 0]) - mp.sqrt(variance)) ** 2)


def missed_noise_sq(constants, key, high, low, weights):
    """v² of the step from ``high`` to ``low`` for each of the weights (p, q, r), by 6,000 panels over it.

    ∫ max{f(c_lo), f(c_lo) + θ(f(c_up) − f(c_lo))} with H(c) as docs/theory.md section 1 evaluates it, by
    Woodbury's formula.
    """
    alpha, M, centred = 4.0, 16.0, 1.25
    path = PhasePath(cld(*constants))
    nodes, shares = np.polynomial.legendre.leggauss(6)
    width = (high - low) / 6000
    distance = (width * (np.arange(6000)[:, None] + (nodes + 1) / 2)).ravel()
    phi, S = path.kernel(low + distance)
    outer = phi[:, :, None] * phi[:, None, :]
    V = np.linalg.inv(S + outer / alpha)
    q = np.einsum("ni,ni->n", phi, np.linalg.solve(S, phi[..., None])[..., 0])
    # c_up − c_lo, and the linear estimator's excess over c_lo
    most, linear = M / (alpha + q) ** 2, (alpha * centred - 1) / ((1 + centred * q) * (alpha + q))
    back, unit = path.transition(-distance), np.eye(2)
    densities = []
    for hessian in (-V, -V + M / alpha**2 * V @ outer @ V):
        N = back @ (unit + path.covariance(distance) @ hessian) - (unit if key == "euler-maruyama" else back)
        form = N @ path.D @ np.swapaxes(N, 1, 2)
        densities.append(
            [p * form[:, 0, 0] + 2 * r * form[:, 0, 1] + s * form[:, 1, 1] for p, r, s in weights]
        )
    floor, top = np.array(densities)
    density = np.maximum(floor, floor + np.minimum(1.0, linear / most) * (top - floor))
    return density @ np.tile(shares / 2 * width, 6000)
