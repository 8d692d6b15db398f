"""The renormalised score in phase space: its Hessian, its decay, and the two corrections to the printed
constant."""

from functools import lru_cache

import mpmath
import numpy as np
import pytest

from bounds import BoundedSupport, LogLipschitz, StronglyLogConcave, WeaklyLogConcave
from bounds.contraction.renormalised_score import regularity, regularity_constant, renormalised_hessian
from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from tests.bounds.tolerances import HESSIAN_DIGITS, POWER, SUPREMUM
from tests.drawn import thinned

PERTURBED = LogLipschitz(alpha=1.0, lipschitz=0.7, L=2.0)
DATA = {
    "strong": StronglyLogConcave(0.5, 3.0),
    "weak": WeaklyLogConcave(alpha=4.0, M=16.0, L=4.0),
    "perturbed": PERTURBED,
}


def flow(a, w):
    """e^{wA} by the nilpotent A + aI."""
    mp = mpmath.mp
    return mp.exp(-a * w) * (mp.eye(2) + w * (mp.matrix([[0, a**2], [-1, -2 * a]]) + a * mp.eye(2)))


@lru_cache
def stationary_by_hand(a, sigma, epsilon):
    """Σ_∞ = ∫e^{wA} D e^{wAᵀ}dw in 60 digits, one integral for each place on and above the diagonal."""
    mp, D = mpmath.mp, mpmath.diag([epsilon**2, sigma**2])
    ends = [0, 5 / a, 30 / a, 200 / a]
    xx, xv, vv = (
        mp.quad(lambda w, i=i, j=j: (flow(a, w) * D * flow(a, w).T)[i, j], ends)
        for i, j in ((0, 0), (0, 1), (1, 1))
    )
    return mp.matrix([[xx, xv], [xv, vv]])


def hessian_by_hand(a, sigma, epsilon, v_sq, u, c):
    """H(c) + Σ_∞⁻¹ = −S⁻¹ + cψψᵀ + Σ_∞⁻¹ in 60 digits, with S by its differential equation's closed form and
    c at q."""
    mp, stationary, moved = mpmath.mp, stationary_by_hand(a, sigma, epsilon), flow(a, u)
    start = stationary - mp.diag([0, v_sq])
    S = stationary - moved * start * moved.T
    phi = moved[:, 0]
    psi = S**-1 * phi
    q = (phi.T * psi)[0]
    return -(S**-1) + c(q) * psi * psi.T + stationary**-1


@pytest.mark.parametrize("name, epsilon, clock", thinned(DATA, [0.0, 0.5], [0.02, 1.0, 12.0], every=5))
def test_renormalised_hessian_against_sixty_digits(name, epsilon, clock):
    """Both ends are −S⁻¹ + cψψᵀ + Σ_∞⁻¹, to many digits of what is left after they cancel."""
    data, v_sq = DATA[name], 0.36
    path = PhasePath(cld(a=0.8, sigma=1.5, epsilon=epsilon, velocity_variance=v_sq))
    found = renormalised_hessian(path, data, np.array([clock]))
    with mpmath.workdps(60):
        constants = [mpmath.mpf(x) for x in (0.8, 1.5, epsilon, v_sq)]
        lower = {"strong": 3, "weak": 4, "perturbed": 2}[name]
        upper = {
            "strong": lambda q: 1 / (mpmath.mpf(0.5) + q),
            "weak": lambda q: 1 / (4 + q) + 16 / (4 + q) ** 2,
            "perturbed": lambda q: (1 / mpmath.sqrt(1 + q) + mpmath.mpf(0.7) / (1 + q)) ** 2,
        }[name]
        for got, c in zip(found, (lambda q: 1 / (lower + q), upper), strict=True):
            exact = np.array(hessian_by_hand(*constants, mpmath.mpf(clock), c).tolist(), dtype=float)
            assert np.abs(got[0] - exact).max() <= HESSIAN_DIGITS * np.abs(exact).max()


def growth(values, times):
    """Exponent of the last two values."""
    return np.log(values[-1] / values[-2]) / np.log(times[-1] / times[-2])


def test_the_double_eigenvalue_brings_a_square_of_time():
    """As printed, the constant grows like T²; divided by 1 + t² it stays."""
    path, late = PhasePath(cld()), np.array([100.0, 3000.0, 1e4])
    found = regularity(path, PERTURBED, late)
    assert abs(growth(found.printed(found.velocity), late) - 2) <= POWER
    assert abs(growth(found.corrected(found.velocity), late)) <= POWER


def test_only_the_velocity_row_is_integrable_at_zero():
    """For ε = 0 the velocity's row grows like t^{-1/2} and the full Hessian like t^{-3/2}; for ε > 0 both
    like t^{-1/2}."""
    early = np.array([1e-6, 3e-8, 1e-8])
    for epsilon, power in ((0, -1.5), (0.5, -0.5)):
        found = regularity(PhasePath(cld(epsilon=epsilon)), PERTURBED, early)
        assert abs(growth(found.full, early) - power) <= POWER
    found = regularity(PhasePath(cld()), PERTURBED, early)
    assert abs(growth(found.velocity, early) + 0.5) <= POWER


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
@pytest.mark.parametrize("horizon", [0.5, 8.0, 500.0])
def test_the_constant_is_the_supremum(name, epsilon, horizon):
    """No time of a scan elsewhere passes it, and it is reached; on longer horizons it is larger or the
    same."""
    path, data = PhasePath(cld(a=0.7, epsilon=epsilon)), DATA[name]
    constant = regularity_constant(path, data, horizon)
    found = regularity(path, data, np.geomspace(1e-12, horizon, 40_001))
    largest = found.corrected(found.full if epsilon else found.velocity).max()
    assert constant * (1 - SUPREMUM) <= largest <= constant
    assert regularity_constant(path, data, 2 * horizon) >= constant * (1 - SUPREMUM)


def test_equilibrium_needs_no_constant():
    """N(0, I) with v = 1, σ = 2, a = 1 is stationary: p_t = p_∞ and the renormalised score vanishes."""
    assert regularity_constant(PhasePath(cld()), StronglyLogConcave(1.0, 1.0), 8.0) <= 1e-14


def test_where_there_is_no_constant():
    """It is infinite for v = 0, where the score of the velocity grows like 1/t, and for bounded support; T
    must be positive."""
    assert regularity_constant(PhasePath(cld(velocity_variance=0)), PERTURBED, 1.0) == np.inf
    assert regularity_constant(PhasePath(cld()), BoundedSupport(1.0), 1.0) == np.inf
    with pytest.raises(ValueError, match="horizon must be positive"):
        regularity_constant(PhasePath(cld()), PERTURBED, 0.0)
