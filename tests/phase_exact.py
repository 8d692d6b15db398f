"""Critically-damped Langevin in 60 digits, written from docs/theory.md section 0 alone: what the float code is held against."""

from mpmath import mp, mpf

DIGITS = 60
#: a, σ, ε, v² of processes unlike each other: ε = 0 and not, V_0 = 0 and not, fast, slow, noisy, quiet.
PROCESSES = (
    (1, 2, 0, 1), (1, 2, 0, 0), (0.3, 5, 0, 0.01), (4, 0.2, 0, 30), (1, 2, 0.5, 1),
    (2, 0.1, 3, 0), (0.05, 1, 1e-3, 2), (30, 7, 0, 4),
)  # fmt: skip


class ExactPhase:
    """Φ, C, φ, S and H(c) of dU = AU du + diag(ε, σ)dB at clock times u, as mpmath matrices."""

    def __init__(self, a, sigma, epsilon, velocity_variance):
        with mp.workdps(DIGITS):
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
