"""The two-block Hessian between its two ends, against −S⁻¹ + cψψᵀ in 60 digits, down to time 0."""

import numpy as np
import pytest
from mpmath import mp

from bounds import WeaklyLogConcave
from bounds.processes.cld import cld
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import PhasePath
from tests.bounds.tolerances import CHANNEL
from tests.phase_space_exact import DIGITS, PROCESSES, ExactPhase, weakly_log_concave

TWO_MODES = WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25)
TIMES = (1e-12, 1e-6, 1e-3, 0.1, 1.0, 7.0)


def floats(matrix):
    """An mpmath matrix as an array."""
    return np.array(matrix.tolist(), dtype=float)


@pytest.mark.parametrize("constants", PROCESSES)
@pytest.mark.parametrize("time", TIMES)
def test_both_ends_of_the_hessian(constants, time):
    """H(c_lo) and H(c_up) = H(c_lo) + xωωᵀ are −S⁻¹ + cψψᵀ, entry by entry in the scale of their diagonal."""
    seen = channel(PhasePath(cld(*constants)), time)
    gap = TWO_MODES.hessian_gap(seen.a_sq, seen.s_sq)
    floor = seen.hessian_floor(1 / 4.0)
    with mp.workdps(DIGITS):
        exact = ExactPhase(*constants)
        low, high = weakly_log_concave(exact.information(time), 4, 16, 4)
        ends = floats(exact.hessian(time, low)), floats(exact.hessian(time, high))
    scale = np.sqrt(np.abs(np.outer(np.diag(ends[0]), np.diag(ends[0]))))
    assert np.all(np.abs(floor - ends[0]) <= CHANNEL * scale)
    assert np.all(
        np.abs(floor + gap * np.outer(seen.omega, seen.omega) - ends[1])
        <= CHANNEL * (scale + np.abs(ends[1]))
    )


@pytest.mark.parametrize("constants", PROCESSES)
@pytest.mark.parametrize("time", TIMES)
def test_one_scalar_channel(constants, time):
    """a²/s² is the information φᵀS⁻¹φ, φ, S, det S and S + γφφᵀ are the exact ones, and ω = S⁻¹φ s²/a."""
    seen = channel(PhasePath(cld(*constants)), time)
    matrix, determinant = seen.covariance_plus(np.array([0.0, 0.3, 1e6]))
    with mp.workdps(DIGITS):
        exact = ExactPhase(*constants)
        phi, S = exact.kernel(time)
        psi = S**-1 * phi
        expected = {
            "q": float(exact.information(time)), "det": float(mp.det(S)), "phi": floats(phi)[:, 0],
            "S": floats(S),
            "omega": floats(psi * mp.exp(-exact.a * time) / exact.information(time))[:, 0],
        }
        dets = [
            float(mp.det(exact.second_moment(time, gamma)))
            for gamma in (mp.mpf(0), mp.mpf(0.3), mp.mpf(10) ** 6)
        ]
    assert seen.a_sq / seen.s_sq == pytest.approx(expected["q"], rel=CHANNEL)
    assert seen.det_S == pytest.approx(expected["det"], rel=CHANNEL)
    assert determinant == pytest.approx(dets, rel=CHANNEL)
    np.testing.assert_allclose(seen.phi, expected["phi"], rtol=CHANNEL)
    np.testing.assert_allclose(seen.S, expected["S"], rtol=CHANNEL)
    np.testing.assert_allclose(
        matrix[1], expected["S"] + 0.3 * np.outer(expected["phi"], expected["phi"]), rtol=CHANNEL
    )
    np.testing.assert_allclose(
        seen.omega, expected["omega"], rtol=CHANNEL, atol=CHANNEL * np.abs(expected["omega"]).max()
    )


@pytest.mark.parametrize("constants", PROCESSES)
def test_time_zero(constants):
    """At time 0 the position is seen as it is: ω = e₁, s² = 0, S = diag(0, v²), also where V_0 = 0."""
    seen = channel(PhasePath(cld(*constants)), 0.0)
    assert (seen.a_sq, seen.s_sq, seen.size) == (1.0, 0.0, constants[3])
    assert seen.omega.tolist() == [1.0, 0.0] and seen.phi.tolist() == [1.0, 0.0]
    assert seen.S.tolist() == [[0.0, 0.0], [0.0, constants[3]]]


def test_times_of_any_shape():
    """Times of shape (2, 3) give the channels of the six times."""
    path, times = PhasePath(cld(1, 2, 0.5, 1)), np.array([[0.0, 0.2, 0.4], [1.0, 3.0, 900.0]])
    seen = channel(path, times)
    for index in np.ndindex(2, 3):
        one = channel(path, times[index])
        for name in ("a_sq", "s_sq", "phi", "omega", "S", "det_S", "size"):
            np.testing.assert_array_equal(getattr(seen, name)[index], getattr(one, name))


def test_no_data_left_after_a_long_time():
    """Long after the data are forgotten nothing is NaN: a² underflows, s² and ω stay finite."""
    seen = channel(PhasePath(cld()), 1e4)
    assert seen.a_sq == 0.0 and np.all(np.isfinite(seen.omega)) and np.isfinite(seen.s_sq)
    assert np.all(np.linalg.eigvalsh(seen.hessian_floor(0.25)) < 0)
