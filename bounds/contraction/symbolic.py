r"""The two phases of the Ornstein–Uhlenbeck process, derived by sympy from the definitions and not typed in.

The process gives a and s², the assumption gives :math:`c_{up}(q)`, Tweedie's second-order formula gives
:math:`-\nabla^2 \log p_t \succeq \kappa_t I` with
:math:`\kappa_t = \alpha_t - M_t = 1/s^2 - c_{up}(a^2/s^2) a^2/s^4`, and the reverse process contracts at rate
:math:`\mu_t = g^2 \kappa_t - f` (docs/theory.md section 2, arXiv 2501.02298).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import sympy

from bounds.assumptions.weak_log_concave import WeaklyLogConcave
from bounds.processes.ou import ou
from bounds.symbolic.integrals import TIME

ALPHA, M = sympy.symbols("alpha M", positive=True)
RHO = sympy.Symbol("rho", nonnegative=True)
HORIZON = sympy.Symbol("T", positive=True)
#: w = e^{2t}, in which everything is rational.
W = sympy.Symbol("w", positive=True)


def quadratic_coefficients(alpha, M, rho):
    """Coefficients of `SymbolicRegimes.quadratic`, of w², w and 1, as `derive` finds them: stated so that numbers need
    not wait for it."""
    return alpha**2 * (1 - rho), -2 * M + 2 * alpha * rho * (alpha - 1), (alpha - 1) ** 2 * (-rho - 1)


def turning_coefficients(alpha, M):
    """The same of `SymbolicRegimes.turning`, of u and 1."""
    return (alpha - 1) * (M + alpha**2 - alpha), alpha * (M - alpha**2 + alpha)


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
        Has the sign of :math:`\mu_t - \rho`.  Its leading coefficient is positive, its constant one at most
        zero: only the larger root can be positive.
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

    _LABELS: ClassVar[dict] = {
        "alpha_t": ("α_t", r"\alpha_t"),
        "M_t": ("M_t", "M_t"),
        "rate": ("μ_t", r"\mu_t"),
        "antiderivative": ("∫2κ_t dt", r"\int 2\kappa_t\,dt"),
        "xi": ("ξ(α,M)", r"\xi(\alpha, M)"),
        "eta": ("η(α,M,ρ)", r"\eta(\alpha, M, \rho)"),
        "backward_time": ("T(α,M,ρ)", r"T(\alpha, M, \rho)")}

    def lines(self) -> list[str]:
        """One line of plain text for every quantity, for a terminal."""
        return [f"{plain} = {sympy.sstr(getattr(self, name))}" for name, (plain, _) in self._LABELS.items()]

    def latex(self) -> dict[str, str]:
        """One equation in LaTeX for every quantity, by name."""
        return {name: f"{label} = {sympy.latex(getattr(self, name))}"
                for name, (_, label) in self._LABELS.items()}


@lru_cache
def derive() -> SymbolicRegimes:
    """The regimes of the Ornstein–Uhlenbeck process from the definitions (half a second, once)."""
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
    quadratic, eta = _contractive_from(rate_w)
    # dt = dw/(2w)
    antiderivative = sympy.integrate(alpha_w / W, W) - sympy.integrate(sympy.factor(M_w / W), W)
    turning, _ = sympy.fraction(sympy.cancel(sympy.together(sympy.diff(kappa.subs(W, 1 / u), u))))
    in_t = {W: sympy.exp(2 * TIME)}
    return SymbolicRegimes(alpha_t=alpha_w.subs(in_t), M_t=M_w.subs(in_t), rate=rate_w.subs(in_t),
                           antiderivative=antiderivative.subs(in_t), quadratic=quadratic,
                           turning=sympy.collect(sympy.expand(turning), u, sympy.factor),
                           xi=_log_concave_from(kappa), eta=eta, backward_time=sympy.Max(0, HORIZON - eta))


def _log_concave_from(kappa):
    """ξ: κ_t has one root w besides 0, and w > 1 exactly for M > α."""
    numerator, _ = sympy.fraction(kappa)
    (root,) = sympy.solve(numerator, W)  # w = 0 is not positive
    return sympy.Piecewise((sympy.log(root) / 2, M > ALPHA), (sympy.Integer(0), True))


def _contractive_from(rate):
    """(quadratic in w with the sign of μ − ρ, η): the largest root, never before t = 0."""
    numerator, _ = sympy.fraction(sympy.together(rate - RHO))  # the denominator is a square
    # factored in 1 − ρ, so that nothing cancels as α or ρ tends to 1
    gap = sympy.Symbol("gap", positive=True)
    A, B, C = (sympy.collect(sympy.expand(c.subs(RHO, 1 - gap)), M, sympy.factor).subs(gap, 1 - RHO)
               for c in sympy.Poly(sympy.expand(numerator), W).all_coeffs())
    half = -B / 2
    # A > 0 >= C: one root is positive, the larger
    root = (half + sympy.sqrt(half**2 + A * sympy.factor(-C))) / A
    return A * W**2 + B * W + C, sympy.Max(0, sympy.log(root) / 2)
