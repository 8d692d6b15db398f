r"""The two phases of the Ornstein–Uhlenbeck process as numbers: ξ and η, and what the flow stretches.

Constants are in units in which g² = 2 and f = 1; arrays broadcast.  The formulas are derived in
`bounds.contraction.symbolic`.
"""

from functools import lru_cache

import numpy as np
import sympy

from bounds.assumption import check_constant
from bounds.contraction.symbolic import quadratic_coefficients, turning_coefficients
from bounds.process import ForwardProcess
from bounds.symbolic.deadline import attempt
from bounds.symbolic.integrals import TIME

#: Seconds sympy may spend on whether a process is OU in another clock.
SCALE_SECONDS = 4.0


def _constants(alpha, M, rho=0.0):
    rho = check_constant("rho", rho)
    if np.any(np.asarray(rho) >= 1):
        raise ValueError(f"rho must be in [0, 1), got {np.max(rho)}")
    return check_constant("alpha", alpha, positive=True), check_constant("M", M), rho


def _times(name, time):
    """e^{−2t} and 1 − e^{−2t}."""
    time = np.asarray(check_constant(name, time))
    return np.exp(-2 * time), -np.expm1(-2 * time)


def alpha_at(alpha, time):
    r""":math:`\alpha_t = 1/(a^2/\alpha + s^2)` of OU (shapes broadcast)."""
    alpha, _, _ = _constants(alpha, 0.0)
    a_sq, s_sq = _times("time", time)
    return 1 / (a_sq / alpha + s_sq)


def M_at(alpha, M, time):
    r""":math:`M_t = M a^2/(a^2 + \alpha s^2)^2` of OU (shapes broadcast)."""
    alpha, M, _ = _constants(alpha, M)
    a_sq, s_sq = _times("time", time)
    return M * a_sq / np.square(a_sq + alpha * s_sq)


def xi(alpha, M):
    """ξ: time from which OU makes (α, M)-weakly log-concave data log-concave (0 if they are).

    Parameters
    ----------
    alpha, M : float or array
        α > 0, M >= 0, in units in which g² = 2 and f = 1.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range.
    """
    alpha, M, _ = _constants(alpha, M)
    with np.errstate(over="ignore"):
        return 0.5 * np.log1p(np.maximum(M - alpha, 0.0) / np.square(alpha))


def eta(alpha, M, rho=0.0):
    r"""η: last time at which the rate :math:`2(\alpha_t - M_t) - 1` of OU is ρ (0 if it is always larger).

    The margin is 0 <= ρ < 1; α, M and errors are as in `xi`.
    """
    A, B, C = quadratic_coefficients(*_constants(alpha, M, rho))
    half = -np.asarray(B) / 2
    spread = np.sqrt(np.square(half) - A * C)
    # the larger root, by the form that does not cancel
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.where(half >= 0, (half + spread) / A, -C / (spread - half))
    root = 0.5 * np.log(np.maximum(root, 1.0))
    return root if root.ndim else float(root)


def backward_time(horizon, alpha, M, rho=0.0):
    """T(α, M, ρ) = T − η: backward time at which OU's contractive phase ends (0 if it never begins)."""
    return np.maximum(check_constant("horizon", horizon, positive=True) - eta(alpha, M, rho), 0.0)


def log_growth(alpha, M, start, end):
    r""":math:`\int_{start}^{end} (1 - 2\kappa_t)\,dt` of OU: logarithm of what the reverse flow may stretch.

    Source: the antiderivative in `bounds.contraction.symbolic.derive`, with e^{2t} taken out of the
    logarithm.
    """
    alpha, M, _ = _constants(alpha, M)
    (u0, v0), (u1, v1) = _times("start", start), _times("end", end)
    D0, D1 = u0 + alpha * v0, u1 + alpha * v1
    return np.asarray(start) - np.asarray(end) - np.log(D1 / D0) + M / alpha * (u0 / D0 - u1 / D1)


def largest_curvature(alpha, M, L, start, end):
    r""":math:`\sup \max(L_t, -\kappa_t)` of OU over start <= t <= end, a bound of ‖∇² log p_t‖."""
    alpha, M, _ = _constants(alpha, M)
    L = check_constant("L", L, positive=True)
    ends = np.asarray(check_constant("start", start)), np.asarray(check_constant("end", end))
    slope, constant = turning_coefficients(alpha, M)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = -0.5 * np.log(-np.asarray(constant) / slope)
    turn = np.clip(np.where(np.isnan(turn), ends[0], turn), *ends)
    # L_t is monotone in t
    return np.maximum.reduce(np.broadcast_arrays(
        *(alpha_at(L, t) for t in ends), *(M_at(alpha, M, t) - alpha_at(alpha, t) for t in (*ends, turn))))


def ou_scale_sq(process: ForwardProcess) -> float | None:
    r"""c² if :math:`g^2 = 2 c^2 f` with c constant, else None.

    Then X_t/c is the Ornstein–Uhlenbeck process at the time ∫_0^t f, and a step of Euler–Maruyama is its
    step of length ∫f.
    """
    if process.blocks != 1:
        return None
    return attempt(lambda: _scale_sq(process.f, process.g_sq), None, SCALE_SECONDS)


@lru_cache(maxsize=256)
def _scale_sq(f, g_sq):
    if f.is_zero:
        return None
    ratio = g_sq / (2 * f)
    if not ratio.is_number:
        # two values that differ refuse at once, the difference decides: simplifying the ratio may take for
        # ever
        one, two = (ratio.subs(TIME, time).evalf() for time in (sympy.Rational(1, 7), sympy.Rational(3, 11)))
        if not (one.is_finite and two.is_finite and abs(complex(one - two)) <= 1e-9 * abs(complex(one))):
            return None
        ratio = sympy.nsimplify(one, rational=True, tolerance=1e-12)
        if sympy.expand(g_sq - 2 * ratio * f) != 0:
            return None
    return float(ratio) if ratio.is_number and ratio.is_positive else None
