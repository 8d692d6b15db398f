r"""The constant metric 𝔐 of critically-damped Langevin, in which Ã contracts at rate a(1 − 1/κ)."""

import numpy as np

#: Values of κ that the martingale bound tries.
KAPPAS = (1.3, 2.0, 3.0, 4.5)


def contracting_metric(path, kappa: float, kind: str = "basis") -> np.ndarray:
    r"""𝔐 with :math:`𝔐\tilde A + \tilde A^T𝔐 \preceq -2\eta𝔐`, η = a(1 − 1/κ).

    With :math:`\tilde A = -aI + pr^T`: "basis" is :math:`\kappa^2 rr^T + 4a^2yy^T`, y = Σ_∞⁻¹p/(pᵀΣ_∞⁻¹p),
    which for ε = 0 is [[κ²+1, a(1−κ²)], [a(1−κ²), a²(κ²+1)]]; "lyapunov" is
    :math:`\int e^{2\eta t}e^{t\tilde A^T}e^{t\tilde A}dt`, which is both where the damping is not critical, with a the
    slowest rate.
    """
    if not path.is_critical:
        return _lyapunov(path.renormalised_drift, path.a * (1 - 1 / kappa))
    nilpotent = path.renormalised_drift + path.a * np.eye(2)
    if kind == "lyapunov":
        rate = path.a / kappa
        return (np.eye(2) / (2 * rate) + (nilpotent + nilpotent.T) / (4 * rate**2)
                + nilpotent.T @ nilpotent / (4 * rate**3))
    # Ñ = prᵀ; its first column vanishes where aσ = ε, Ñ_12 never does
    p, r = nilpotent[:, 1] / -path.a, nilpotent[0] * (-path.a / nilpotent[0, 1])
    y = np.linalg.solve(path.stationary, p)
    y = y / (p @ y)
    return kappa**2 * np.outer(r, r) + 4 * path.a**2 * np.outer(y, y)


def _lyapunov(drift, rate: float) -> np.ndarray:
    """𝔐 with 𝔐B + Bᵀ𝔐 = −I for B = drift + rate I, whose eigenvalues are negative."""
    shifted, unit = drift + rate * np.eye(2), np.eye(2)
    found = np.linalg.solve(np.kron(unit, shifted.T) + np.kron(shifted.T, unit), -unit.ravel()).reshape(2, 2)
    return (found + found.T) / 2


def norm(matrices, fixed) -> np.ndarray:
    r""":math:`\|X\|_𝔐 = \|𝔐^{1/2}X𝔐^{-1/2}\|` of matrices (..., 2, 2), without cancellation."""
    factor = np.linalg.cholesky(fixed).T
    seen = factor @ matrices @ np.linalg.inv(factor)
    a, b, c, d = seen[..., 0, 0], seen[..., 0, 1], seen[..., 1, 0], seen[..., 1, 1]
    return (np.hypot(a + d, c - b) + np.hypot(a - d, b + c)) / 2
