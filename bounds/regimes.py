r"""Where the reverse process contracts: its two phases, their boundaries ξ and η, and its rate over time.

Every formula for the Ornstein–Uhlenbeck process is derived by sympy from the definitions, not typed in: the process
gives a and s², the assumption gives :math:`c_{up}(q)`, Tweedie's second-order formula gives
:math:`-\nabla^2 \log p_t \succeq \kappa_t I`, :math:`\kappa_t = \alpha_t - M_t = 1/s^2 - c_{up}(a^2/s^2) a^2/s^4`, and the
reverse process contracts at rate :math:`\mu_t = g^2 \kappa_t - f` (docs/theory.md section 2, arXiv 2501.02298).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy

from .assumptions import Assumption, WeaklyLogConcave, _check
from .process import TIME, ForwardProcess
from .quadrature import Path
from .schedules import ou

ALPHA, M = sympy.symbols("alpha M", positive=True)
RHO = sympy.Symbol("rho", nonnegative=True)
HORIZON = sympy.Symbol("T", positive=True)
#: w = e^{2t}, in which everything is rational.
W = sympy.Symbol("w", positive=True)


@dataclass(frozen=True)
class SymbolicRegimes:
    r"""What sympy derives for the Ornstein–Uhlenbeck process and (α, M)-weakly log-concave data.

    Attributes
    ----------
    alpha_t, M_t : sympy expressions in t
        :math:`\kappa_t = \alpha_t - M_t`.
    rate : sympy expression in t
        :math:`\mu_t = 2(\alpha_t - M_t) - 1`.
    antiderivative : sympy expression in t
        Of :math:`2(\alpha_t - M_t)`.
    quadratic : sympy expression in w = e^{2t}
        Has the sign of :math:`\mu_t - \rho`; convex or linear, and negative at w = 0 (or zero), so that its largest
        root is its only positive one.
    turning : sympy expression in u = e^{-2t}
        Linear, and zero where :math:`\kappa_t` turns.
    xi, eta, backward_time : sympy expressions
        Time from which p_t is log-concave; last time at which :math:`\mu_t = \rho`; backward time T − η.
    """

    alpha_t: sympy.Expr
    M_t: sympy.Expr
    rate: sympy.Expr
    antiderivative: sympy.Expr
    quadratic: sympy.Expr
    turning: sympy.Expr
    xi: sympy.Expr
    eta: sympy.Expr
    backward_time: sympy.Expr

    _LABELS = {
        "alpha_t": ("α_t", r"\alpha_t"),
        "M_t": ("M_t", "M_t"),
        "rate": ("μ_t", r"\mu_t"),
        "antiderivative": ("∫2κ_t dt", r"\int 2\kappa_t\,dt"),
        "xi": ("ξ(α,M)", r"\xi(\alpha, M)"),
        "eta": ("η(α,M,ρ)", r"\eta(\alpha, M, \rho)"),
        "backward_time": ("T(α,M,ρ)", r"T(\alpha, M, \rho)"),
    }

    def lines(self) -> list[str]:
        """One line of plain text for every quantity, for a terminal."""
        return [f"{plain} = {sympy.sstr(getattr(self, name))}" for name, (plain, _) in self._LABELS.items()]

    def latex(self) -> dict[str, str]:
        """One equation in LaTeX for every quantity, by name."""
        return {name: f"{label} = {sympy.latex(getattr(self, name))}" for name, (_, label) in self._LABELS.items()}


@lru_cache
def derive() -> SymbolicRegimes:
    """The regimes of the Ornstein–Uhlenbeck process from the definitions (a fraction of a second, once)."""
    process = ou()
    q, u = sympy.symbols("q u", positive=True)
    _, c_up = WeaklyLogConcave.symbolic(q)
    a_sq, s_sq = process.a.expression**2, process.s_sq.expression
    in_w = {TIME: sympy.log(W) / 2}
    # Tweedie, second order: −H(c_up) = 1/s² − c_up a²/s⁴
    kappa = sympy.factor(sympy.cancel((1 / s_sq - c_up.subs(q, a_sq / s_sq) * a_sq / s_sq**2).subs(in_w)))
    alpha_w = sympy.factor(kappa.subs(M, 0))
    M_w = sympy.factor(alpha_w - kappa)
    rate_w = process.g_sq * (alpha_w - M_w) - process.f
    xi = _log_concave_from(kappa)
    quadratic, eta = _contractive_from(rate_w)
    # dt = dw/(2w)
    antiderivative = sympy.integrate(alpha_w / W, W) - sympy.integrate(sympy.factor(M_w / W), W)
    turning, _ = sympy.fraction(sympy.cancel(sympy.together(sympy.diff(kappa.subs(W, 1 / u), u))))
    in_t = {W: sympy.exp(2 * TIME)}
    return SymbolicRegimes(
        alpha_t=alpha_w.subs(in_t),
        M_t=M_w.subs(in_t),
        rate=rate_w.subs(in_t),
        antiderivative=antiderivative.subs(in_t),
        quadratic=quadratic,
        turning=sympy.collect(sympy.expand(turning), u, sympy.factor),
        xi=xi,
        eta=eta,
        backward_time=sympy.Max(0, HORIZON - eta),
    )


def _log_concave_from(kappa):
    """ξ: κ_t has one root w besides 0, and w > 1 exactly for M > α."""
    numerator, _ = sympy.fraction(kappa)
    (root,) = sympy.solve(numerator, W)  # w = 0 is not positive
    return sympy.Piecewise((sympy.log(root) / 2, M > ALPHA), (sympy.Integer(0), True))


def _contractive_from(rate):
    """(quadratic in w with the sign of μ − ρ, η): the largest root, never before t = 0."""
    numerator, _ = sympy.fraction(sympy.together(rate - RHO))  # the denominator is a square
    A, B, C = (sympy.factor(c) for c in sympy.Poly(sympy.expand(numerator), W).all_coeffs())
    B = sympy.collect(sympy.expand(B), M, sympy.factor)
    half = -B / 2
    # A > 0 >= C: one root is positive, the larger
    root = (half + sympy.sqrt(half**2 - A * C)) / A
    return A * W**2 + B * W + C, sympy.Max(0, sympy.log(root) / 2)


@lru_cache
def _numeric():
    """(coefficients of the quadratic, of the turning point), compiled."""
    found = derive()
    (u,) = (s for s in found.turning.free_symbols if s.name == "u")
    quadratic = [found.quadratic.coeff(W, power) for power in (2, 1, 0)]
    turning = [found.turning.coeff(u, power) for power in (1, 0)]
    return (
        sympy.lambdify((ALPHA, M, RHO), quadratic, modules="numpy"),
        sympy.lambdify((ALPHA, M), turning, modules="numpy"),
    )


# -- numbers: constants in units in which g² = 2 and f = 1; arrays broadcast ------------------------------------------


def _constants(alpha, M, rho=0.0):
    rho = _check("rho", rho)
    if np.any(np.asarray(rho) >= 1):
        raise ValueError(f"rho must be in [0, 1), got {np.max(rho)}")
    return _check("alpha", alpha, positive=True), _check("M", M), rho


def _times(name, time):
    """e^{−2t} and 1 − e^{−2t}."""
    time = np.asarray(_check(name, time))
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

    Parameters
    ----------
    alpha, M : float or array
        α > 0, M >= 0, in units in which g² = 2 and f = 1.
    rho : float or array
        Margin, 0 <= ρ < 1.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range.
    """
    A, B, C = _numeric()[0](*_constants(alpha, M, rho))
    half = -np.asarray(B) / 2
    spread = np.sqrt(np.square(half) - A * C)
    # the larger root, by the form that does not cancel
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.where(half >= 0, (half + spread) / A, -C / (spread - half))
    root = 0.5 * np.log(np.maximum(root, 1.0))
    return root if root.ndim else float(root)


def backward_time(horizon, alpha, M, rho=0.0):
    """T(α, M, ρ) = T − η: backward time at which OU's contractive phase ends (0 if it never begins)."""
    return np.maximum(_check("horizon", horizon, positive=True) - eta(alpha, M, rho), 0.0)


def log_growth(alpha, M, start, end):
    r""":math:`\int_{start}^{end} (1 - 2(\alpha_t - M_t))\,dt` of OU: logarithm of what the reverse flow may stretch.

    Parameters
    ----------
    alpha, M, start, end : float or array
        Forward times 0 <= start <= end.

    Source: the antiderivative in `derive`, with e^{2t} taken out of the logarithm.
    """
    alpha, M, _ = _constants(alpha, M)
    (u0, v0), (u1, v1) = _times("start", start), _times("end", end)
    D0, D1 = u0 + alpha * v0, u1 + alpha * v1
    return np.asarray(start) - np.asarray(end) - np.log(D1 / D0) + M / alpha * (u0 / D0 - u1 / D1)


def largest_curvature(alpha, M, L, start, end):
    r""":math:`\sup \max(L_t, -\kappa_t)` of OU over start <= t <= end: a bound of :math:`\|\nabla^2 \log p_t\|`.

    Parameters
    ----------
    alpha, M, L : float or array
        Constants of the data.
    start, end : float or array
        Forward times 0 <= start <= end.
    """
    alpha, M, _ = _constants(alpha, M)
    L = _check("L", L, positive=True)
    ends = np.asarray(_check("start", start)), np.asarray(_check("end", end))
    slope, constant = _numeric()[1](alpha, M)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = -0.5 * np.log(-np.asarray(constant) / slope)
    turn = np.clip(np.where(np.isnan(turn), ends[0], turn), *ends)
    expansion = np.maximum.reduce(
        np.broadcast_arrays(*(M_at(alpha, M, t) - alpha_at(alpha, t) for t in (*ends, turn)))
    )
    # L_t is monotone in t
    return np.maximum.reduce(np.broadcast_arrays(alpha_at(L, ends[0]), alpha_at(L, ends[1]), expansion))


def ou_scale_sq(process: ForwardProcess) -> float | None:
    r"""c² if :math:`g^2 = 2 c^2 f` with c constant, else None.

    Then X_t/c is the Ornstein–Uhlenbeck process at the time ∫_0^t f, and a step of Euler–Maruyama is one of length ∫f.
    """
    return _scale_sq(process.f, process.g_sq) if process.blocks == 1 else None


@lru_cache(maxsize=256)
def _scale_sq(f, g_sq):
    if f.is_zero:
        return None
    ratio = g_sq / (2 * f)
    if not ratio.is_number:
        # two values that differ refuse at once what simplification would have to think about
        one, two = (complex(ratio.subs(TIME, t).evalf()) for t in (sympy.Rational(1, 7), sympy.Rational(3, 11)))
        if not abs(one - two) <= 1e-9 * abs(one):
            return None
        ratio = sympy.simplify(ratio)
    return float(ratio) if ratio.is_number and ratio.is_positive else None


def curvature(process: ForwardProcess, assumption: Assumption, times) -> np.ndarray:
    r""":math:`\kappa_t = -H_t(c_{up})`: the least curvature of −log p_t the assumption allows, for any f and g.

    Parameters
    ----------
    process : ForwardProcess
        One-block process.
    assumption : Assumption
        With constants that are numbers.
    times : array of shape (m,)
        Forward times >= 0.

    Returns
    -------
    array of shape (m,)

    Raises
    ------
    ValueError
        If a time is negative or not finite, or the assumption's envelope is infinite at one of them.
    """
    times = np.atleast_1d(np.asarray(_check("times", times), dtype=float))
    grid = np.unique(np.append(times, 0.0))[::-1]
    if len(grid) == 1:
        a_sq, s_sq = np.ones_like(times), np.zeros_like(times)
    else:
        path = Path(process, grid)
        at = len(grid) - 1 - np.searchsorted(grid[::-1], times)
        a_sq, s_sq = np.square(path.a[at]), path.s_sq[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = -(assumption.hessian_lower(a_sq, s_sq) + assumption.hessian_gap(a_sq, s_sq))
    if not np.all(np.isfinite(found)):
        raise ValueError(
            f"times must avoid t = {times[~np.isfinite(found)][0]:g}, where {assumption.key} has no finite envelope"
        )
    return found


def rate(process: ForwardProcess, assumption: Assumption, times) -> np.ndarray:
    r"""Contraction rate :math:`\mu_t = g^2 \kappa_t - f` of the reverse process, for any f and g.

    Parameters and errors are those of `curvature`.
    """
    kappa = curvature(process, assumption, times)
    times = np.atleast_1d(np.asarray(times, dtype=float))
    return process.g_sq_values(times) * kappa - process.f_values(times)


@dataclass(frozen=True)
class Regimes:
    r"""The two phases of the reverse process, with its rate over time.

    Attributes
    ----------
    xi : float
        Forward time from which p_t is log-concave.
    eta : float
        Last forward time at which the rate is ρ: the reverse process contracts faster than ρ from the horizon down to
        it.
    rho : float
        The margin ρ.
    backward_time : float
        max(T − η, 0): backward time at which the contractive phase ends.
    horizon : float
        T.
    times, rate : arrays of shape (m,)
        Forward times in increasing order, and :math:`\mu_t` there.
    """

    xi: float
    eta: float
    rho: float
    backward_time: float
    horizon: float
    times: np.ndarray
    rate: np.ndarray

    def as_dict(self) -> dict:
        """Plain data for JSON; ``rate`` is a list of {"time": forward time, "rate": μ_t}, times increasing."""
        return {
            "xi": float(self.xi),
            "eta": float(self.eta),
            "rho": float(self.rho),
            "backward_time": float(self.backward_time),
            "horizon": float(self.horizon),
            "rate": [
                {"time": float(t), "rate": float(r)} for t, r in zip(self.times, self.rate, strict=True)
            ],
        }
