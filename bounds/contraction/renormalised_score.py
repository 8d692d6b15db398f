r"""The renormalised score :math:`\nabla\log(p_t/p_\infty)` in phase space: its Hessian, with a bound.

Seed theorem C rests on :math:`\|\nabla^2\log\tilde p_t\| \le C(1 + 1/\sqrt t)e^{-2at}`.  The double
eigenvalue brings a factor t² at infinity; and for ε = 0 only the velocity's row, which is all that enters the
proof, is O(1/√t) at 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import PhasePath

__all__ = ["regularity", "regularity_constant"]

#: Below this a² nothing of an excess but its size relative to a² is left.
_LEAST_A_SQ = 1e-280
#: Clock times of the first scan for the supremum, the earliest of them, and how often it is looked at closer.
SCAN, EARLIEST, ZOOMS = 2000, 1e-12, 6
#: The scan is over the logarithm of time: what its last look may still miss, relative.
SCAN_ERROR = 1e-9


def renormalised_hessian(path: PhasePath, assumption: Assumption, clock: ArrayLike, *,
                         grown: bool = False) -> tuple[Array, Array]:
    r""":math:`\tilde H(c) = H(c) + \Sigma_\infty^{-1}` at both ends of the envelope, free of cancellation.

    .. math:: \tilde H(c_{lo}) = \Sigma_\infty^{-1}\Phi\,(\mathrm{diag}(1/L, v^2) - \Sigma_\infty)\,\Phi^T V^{-1},
              \quad V = S + \varphi\varphi^T/L, \qquad \tilde H(c_{up}) = \tilde H(c_{lo}) + X\omega\omega^T.

    Parameters
    ----------
    assumption : Assumption
        Of one problem.
    clock : array of shape (...)
        Clock times > 0; the two ends have shape (..., 2, 2).
    grown : bool
        Multiply by e^{2au}, which is what decays.

    Source: docs/theory.md section 5, Theorem C; Tweedie's second-order formula.
    """
    clock = np.asarray(clock, dtype=float)
    seen = channel(path, clock)
    floor = seen.hessian_floor(1 / assumption.smoothness)
    left = np.diag([1 / assumption.smoothness, path.velocity_variance]) - path.stationary
    flow = np.eye(2) + clock[..., None, None] * path.N
    low = -np.linalg.inv(path.stationary) @ flow @ left @ np.swapaxes(flow, -1, -2) @ floor
    low = (low + np.swapaxes(low, -1, -2)) / 2
    # the excess over a², which underflows before the excess matters no more
    a_sq = np.maximum(seen.a_sq, _LEAST_A_SQ)
    excess = np.broadcast_to(assumption.hessian_gap(a_sq, seen.s_sq), clock.shape) / a_sq
    high = low + excess[..., None, None] * seen.omega[..., :, None] * seen.omega[..., None, :]
    decay = 1.0 if grown else seen.a_sq[..., None, None]
    return low * decay, high * decay


@dataclass(frozen=True)
class Regularity:
    """The size of the renormalised Hessian over time, as the seed prints it and as it is.

    Attributes
    ----------
    clock : array of shape (m,)
    velocity, full : arrays of shape (m,)
        e^{2au} times the size of the velocity's row, and of the whole matrix, the larger of both ends.
    """

    clock: Array
    velocity: Array
    full: Array

    def printed(self, values: Array) -> Array:
        """``values`` over 1 + 1/√t: unbounded as T grows (t²), and at 0 if those of the full Hessian."""
        return values / (1 + 1 / np.sqrt(self.clock))

    def corrected(self, values: Array) -> Array:
        """``values`` over (1 + 1/√t)(1 + t²)."""
        return self.printed(values) / (1 + np.square(self.clock))


def regularity(path: PhasePath, assumption: Assumption, clock: ArrayLike) -> Regularity:
    """The size of the renormalised Hessian, as the slides print it and as it is.

    Parameters
    ----------
    path : PhasePath
    assumption : Assumption
    clock : array of shape (m,)
        Clock times > 0; others are not refused, and give no numbers.

    Returns
    -------
    Regularity

    Errors are those of the assumption.
    """
    clock = np.asarray(clock, dtype=float)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ends = renormalised_hessian(path, assumption, clock, grown=True)
        row = np.maximum(*(np.hypot(end[..., 1, 0], end[..., 1, 1]) for end in ends))
        full = np.maximum(*(_spectral(end) for end in ends))
    return Regularity(clock, row, full)


def _spectral(matrix):
    """Largest |eigenvalue| of symmetric matrices (..., 2, 2)."""
    top, bottom = matrix[..., 0, 0], matrix[..., 1, 1]
    return np.abs((top + bottom) / 2) + np.hypot((top - bottom) / 2, matrix[..., 0, 1])


def regularity_constant(path: PhasePath, assumption: Assumption, horizon: float) -> float:
    r"""The constant C_T of Theorem C, from (α, L, L0, a, σ, ε, v).

    .. math:: C_T = \sup_{0 < t \le T} \max_c \|e_2^T(H_t(c) + \Sigma_\infty^{-1})\|\,
              \frac{e^{2at}}{(1 + 1/\sqrt t)(1 + t^2)},

    the full norm for ε > 0.  Found by a scan over log t that is looked at ever closer around its largest
    value; ``inf`` for v = 0, as a velocity that starts from a point has a score that grows like 1/t.

    Parameters
    ----------
    path : PhasePath
    assumption : Assumption
    horizon : float

    Raises
    ------
    ValueError
        If ``horizon``, T on the clock, is not positive and finite.
    """
    if not (np.isfinite(horizon) and horizon > 0):
        raise ValueError(f"horizon must be positive and finite, got {horizon}")
    if path.velocity_variance == 0 or assumption.needs_early_stop:
        return np.inf
    first = min(EARLIEST, horizon / 2)
    clock, best = np.geomspace(first, horizon, SCAN), 0.0
    for _ in range(ZOOMS):
        found = regularity(path, assumption, clock)
        values = found.corrected(found.full if path.epsilon > 0 else found.velocity)
        if not np.all(np.isfinite(values)):
            return np.inf
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        clock = np.geomspace(clock[max(at - 1, 0)], clock[min(at + 1, SCAN - 1)], SCAN)
    return best * (1 + SCAN_ERROR)
