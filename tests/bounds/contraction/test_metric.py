"""The constant metric contracts the renormalised drift at the rate claimed, and its norm is the norm."""

import numpy as np
import pytest
from scipy import integrate, linalg

from bounds.contraction.metric import KAPPAS, contracting_metric, norm
from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from tests.bounds.tolerances import PHASE_METRIC
from tests.phase_space_exact import PROCESSES
from tests.tolerances import LAW_ROUNDING

#: The last has aσ = ε, where the first entry of Ã + aI vanishes.
GIVEN = pytest.mark.parametrize("constants", (*PROCESSES, (1, 3, 3, 1)))


def in_units(path, matrix):
    """A quadratic form of (position, velocity) in units of the stationary law, where its entries are
    comparable."""
    scale = np.sqrt(np.diag(path.stationary))
    return matrix * np.outer(scale, scale)


@GIVEN
def test_renormalised_drift(constants):
    """Ã = −A − DΣ_∞⁻¹ with the double eigenvalue −a."""
    path = PhasePath(cld(*constants))
    drift = path.renormalised_drift
    expected = -path.A - path.D @ np.linalg.inv(path.stationary)
    np.testing.assert_allclose(drift, expected, rtol=LAW_ROUNDING, atol=LAW_ROUNDING * np.abs(expected).max())
    assert np.trace(drift) == pytest.approx(-2 * path.a, rel=LAW_ROUNDING)
    assert np.linalg.det(drift) == pytest.approx(path.a**2, rel=LAW_ROUNDING)


@GIVEN
@pytest.mark.parametrize("kind", ["basis", "lyapunov"])
@pytest.mark.parametrize("kappa", KAPPAS)
def test_contraction_rate(constants, kind, kappa):
    """𝔐Ã + Ãᵀ𝔐 ⪯ −2a(1 − 1/κ)𝔐, with equality in some direction for the basis."""
    path = PhasePath(cld(*constants))
    fixed = in_units(path, contracting_metric(path, kappa, kind))
    scale = np.sqrt(np.diag(path.stationary))
    drift = path.renormalised_drift * scale / scale[:, None]
    rates = linalg.eigh(fixed @ drift + drift.T @ fixed, fixed, eigvals_only=True) / (2 * path.a)
    assert rates[-1] <= -(1 - 1 / kappa) + PHASE_METRIC
    if kind == "basis":
        assert rates[-1] == pytest.approx(-(1 - 1 / kappa), abs=PHASE_METRIC)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_without_noise_in_the_position(kappa):
    """For ε = 0 the basis metric is [[κ²+1, a(1−κ²)], [a(1−κ²), a²(κ²+1)]]."""
    a, square = 0.7, kappa**2
    expected = [[square + 1, a * (1 - square)], [a * (1 - square), a**2 * (square + 1)]]
    np.testing.assert_allclose(
        contracting_metric(PhasePath(cld(a, 3, 0, 1)), kappa), expected, rtol=LAW_ROUNDING
    )


def test_lyapunov_metric_is_its_integral():
    """The Lyapunov metric is ∫e^{2ηt}e^{tÃᵀ}e^{tÃ}dt by adaptive quadrature."""
    path, kappa = PhasePath(cld(1.3, 2, 0.8, 1)), 2.5
    drift, rate = path.renormalised_drift, 1.3 * (1 - 1 / kappa)

    def flow(t):
        moved = linalg.expm(t * drift)
        return np.exp(2 * rate * t) * moved.T @ moved

    expected, _ = integrate.quad_vec(flow, 0.0, 80.0, epsrel=1e-10)
    np.testing.assert_allclose(contracting_metric(path, kappa, "lyapunov"), expected, rtol=1e2 * LAW_ROUNDING)


def test_norm_of_random_matrices():
    """‖X‖_𝔐 is the spectral norm of 𝔐^{1/2}X𝔐^{-1/2}, for matrices of any batch shape."""
    rng = np.random.default_rng(5)
    factor = rng.normal(size=(2, 2))
    fixed = factor @ factor.T + 0.1 * np.eye(2)
    matrices = rng.normal(size=(3, 4, 2, 2)) * np.geomspace(1e-6, 1e6, 4)[:, None, None]
    root = linalg.sqrtm(fixed).real
    expected = np.linalg.norm(root @ matrices @ np.linalg.inv(root), 2, axis=(-2, -1))
    np.testing.assert_allclose(norm(matrices, fixed), expected, rtol=LAW_ROUNDING)


def test_norm_close_to_one_keeps_its_digits():
    """‖e^{uÃ}‖_𝔐 for a short u is e^{−au}(z + √(1 + z²)), z = au/κ, to rounding."""
    path, kappa, u = PhasePath(cld(2, 1, 0, 1)), 3.0, 1e-9
    z = path.a * u / kappa
    expected = np.exp(-path.a * u) * (z + np.sqrt(1 + z * z))
    assert norm(linalg.expm(u * path.renormalised_drift), contracting_metric(path, kappa)) == pytest.approx(
        expected, rel=5e-16 * 4
    )
