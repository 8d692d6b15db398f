"""The numbers of critically-damped Langevin against matrix exponentials and against the symbolic closed
forms."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
import sympy
from scipy.integrate import quad_vec

from bounds import ou
from bounds.grid import TimeGrid
from bounds.processes import cld as langevin
from bounds.processes.cld import CLOCK, cld
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.steps.phase_space.path import PhasePath, exponential_moments
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import PHASE_ENTRY, PHASE_ROWS

#: (a, σ, ε, v²): the slides' process, an elliptic one, and random ones with and without noise on the
#: position.
CONSTANTS = [
    (1.0, 2.0, 0.0, 1.0),
    (0.5, 1.0, 0.25, 0.0),
    *(
        tuple(np.array(row) * [1, 1, i % 2, 1])
        for i, row in enumerate(np.random.default_rng(5).uniform(0.2, 3.0, (6, 4)).round(3))
    ),
]
#: Clock distances from far below to far above 1/a.
CLOCKS = np.array([1e-8, 1e-4, 0.03, 0.4, 0.74, 0.76, 3.0, 12.0])


def path_of(constants, **options):
    """The process with these constants."""
    a, sigma, epsilon, variance = constants
    return PhasePath(cld(a=a, sigma=sigma, epsilon=epsilon, velocity_variance=variance, **options))


def van_loan(constants, clock):
    """(Φ, C) at one clock distance from one exponential with 50 digits (Van Loan 1978), rounded to
    float64."""
    a, sigma, epsilon, _ = (mpmath.mpf(value) for value in constants)
    with mpmath.workdps(60):
        block = mpmath.zeros(4)
        drift = mpmath.matrix([[0, a * a], [-1, -2 * a]])
        for i in range(2):
            for j in range(2):
                block[i, j], block[2 + i, 2 + j] = -drift[i, j], drift[j, i]
        block[0, 2], block[1, 3] = epsilon**2, sigma**2
        grown = mpmath.expm(block * mpmath.mpf(float(clock)))
        flow = grown[2:, 2:].T
        found = flow * grown[:2, 2:]
        return tuple(np.array(matrix.tolist(), dtype=float) for matrix in (flow, found))


@pytest.mark.parametrize("constants", CONSTANTS)
def test_transition_and_covariance_keep_their_digits_at_every_scale(constants):
    """Φ and C agree with 50-digit exponentials entry by entry, C_xx ~ u³ included."""
    path = path_of(constants)
    flow, covariance = path.transition(CLOCKS), path.covariance(CLOCKS)
    for i, clock in enumerate(CLOCKS):
        exact_flow, exact_covariance = van_loan(constants, clock)
        # an entry of Φ may vanish on the way: its terms are of the size of e^{−au}(1 + u max(1, a²))
        size = np.exp(-constants[0] * clock) * (1 + clock * max(1.0, constants[0] ** 2))
        assert flow[i] == pytest.approx(exact_flow, rel=PHASE_ENTRY, abs=PHASE_ENTRY * size)
        scale = np.sqrt(np.outer(np.diag(exact_covariance), np.diag(exact_covariance)))
        assert np.all(np.abs(covariance[i] - exact_covariance) <= PHASE_ENTRY * scale)


@pytest.mark.parametrize("constants", CONSTANTS)
def test_covariance_and_kernel_are_their_integrals(constants):
    """C = ∫ΦDΦᵀ by adaptive quadrature of scipy's exponentials; S adds v²Φe₂e₂ᵀΦᵀ and φ = Φe₁."""
    a, sigma, epsilon, variance = constants
    drift, noise = np.array([[0.0, a * a], [-1.0, -2 * a]]), np.diag([epsilon**2, sigma**2])

    def integrand(w):
        flow = scipy.linalg.expm(w * drift)
        return flow @ noise @ flow.T

    path = path_of(constants)
    assert path.A == pytest.approx(drift) and path.D == pytest.approx(noise)
    for clock in (0.2, 2.0):
        integral = quad_vec(integrand, 0.0, clock, epsabs=1e-15, epsrel=1e-14)[0]
        flow = scipy.linalg.expm(clock * drift)
        phi, spread = path.kernel(np.array(clock))
        assert path.covariance(clock) == pytest.approx(
            integral, rel=PHASE_ROWS, abs=PHASE_ROWS * integral.max()
        )
        assert phi == pytest.approx(flow[:, 0], rel=PHASE_ROWS, abs=PHASE_ROWS)
        whole = integral + variance * np.outer(flow[:, 1], flow[:, 1])
        assert spread == pytest.approx(whole, rel=PHASE_ROWS, abs=PHASE_ROWS * whole.max())


def test_inverse_transition_is_a_negative_distance():
    """Φ(−u)Φ(u) = I."""
    path = path_of(CONSTANTS[1])
    for clock in (0.01, 1.0, 5.0):
        assert path.transition(-clock) @ path.transition(clock) == pytest.approx(np.eye(2), abs=PHASE_ROWS)


@pytest.mark.parametrize("constants", CONSTANTS[:4])
def test_numbers_are_the_symbolic_closed_forms(constants):
    """Φ, C, (φ, S), Σ_∞ and Ã of the path equal the expressions sympy derives, at rational numbers."""
    a, sigma, epsilon, variance = (sympy.Rational(str(value)) for value in constants)
    forms = langevin.closed_forms(a=a, sigma=sigma, epsilon=epsilon, velocity_variance=variance)
    path, clock = path_of(constants), sympy.Rational(7, 10)

    def number(name):
        return np.array(forms[name].subs(CLOCK, clock).evalf(30).tolist(), dtype=float)

    phi, spread = path.kernel(np.array(0.7))
    for name, found in (
        ("drift", path.A), ("noise", np.sqrt(path.D)), ("transition", path.transition(0.7)),
        ("covariance", path.covariance(0.7)), ("kernel_mean", phi[:, None]), ("kernel_covariance", spread),
        ("stationary", path.stationary), ("renormalised_drift", path.renormalised_drift),
    ):
        assert found == pytest.approx(number(name), rel=PHASE_ENTRY, abs=PHASE_ENTRY), name


@pytest.mark.parametrize("rate", [0.3, 2.0])
def test_exponential_moments_on_both_sides_of_their_switch(rate):
    """∫wⁿe^{−rate w} for n = 0, 1, 2 agrees with the incomplete gamma function with 30 digits."""
    clocks = np.array([1e-9, 1e-3, 0.5, 1.499, 1.501, 4.0, 60.0]) / rate
    for n, found in enumerate(exponential_moments(rate, clocks)):
        with mpmath.workdps(30):
            exact = [float(mpmath.gammainc(n + 1, 0, rate * u) / mpmath.mpf(rate) ** (n + 1)) for u in clocks]
        assert found == pytest.approx(exact, rel=PHASE_ENTRY)


@pytest.mark.parametrize(
    "key", ["euler-maruyama", "exponential", "posterior-mean", "sscs", "leapfrog", "symplectic-euler"]
)
def test_a_clock_four_times_as_fast_is_a_horizon_four_times_as_long(key):
    """Clock 4t up to T gives the very rows of clock t up to 4T."""
    times = np.array([2.0, 1.2, 0.5, 0.0])
    fast = Scheme(samplers()[key], TimeGrid.from_times(times)).steps(cld(clock=4 * TIME))
    slow = Scheme(samplers()[key], TimeGrid.from_times(4 * times)).steps(cld())
    for name in ("time", "P", "Q", "noise_var", "a", "s_sq", "prior_var"):
        assert getattr(fast, name) == pytest.approx(getattr(slow, name), rel=PHASE_ROWS, abs=PHASE_ROWS), name


def test_clock_and_speed_are_those_of_the_process():
    """u = ∫β and β = du/dt at the grid's times."""
    path = PhasePath(cld(clock="t**2 + t"))
    assert path.clock(np.array([3.0, 1.0, 0.0])).tolist() == [12.0, 2.0, 0.0]
    assert path.speed(np.array([3.0, 1.0, 0.0])).tolist() == [7.0, 3.0, 1.0]


@pytest.mark.parametrize(
    ("clock", "times", "message"),
    [
        ("t*(2 - t)", [3.0, 1.0, 0.0], "clock must increase from 0"),
        ("-t", [1.0, 0.0], "clock must increase from 0"),
        ("-log(1 - t)", [2.0, 0.5, 0.0], "clock must be real and finite"),
        ("t/(t - 1)**2", [1.0, 0.0], "clock must be real and finite"),
    ],
)
def test_clock_that_does_not_run_forward_is_refused(clock, times, message):
    """The clock must be finite, real and increasing on the grid."""
    with pytest.raises(ValueError, match=message):
        PhasePath(cld(clock=clock)).clock(times)


def test_speed_must_be_positive_where_a_step_starts():
    """β = 0 at a grid time freezes a step's noise: the message says where it is least."""
    with pytest.raises(ValueError, match=r"β must be > 0 where a step starts, got β\(0\) = 0$"):
        PhasePath(cld(clock="t**2")).speed(np.array([1.0, 0.5, 0.0]))


def test_other_processes_are_refused():
    """Only critically-damped Langevin has these closed forms."""
    with pytest.raises(ValueError, match="process must be critically-damped Langevin"):
        PhasePath(ou())
