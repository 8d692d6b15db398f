r"""Critically-damped Langevin (CLD): the process on position and velocity, and what sympy derives about it.

.. math:: dU = \beta(t) A U dt + \sqrt{\beta(t)}\,\mathrm{diag}(\varepsilon, \sigma) dB, \quad
          A = \begin{pmatrix} 0 & a^2 \\ -1 & -2a \end{pmatrix}, \quad U = (X, V), \quad V_0 \sim N(0, v^2).

In the clock's own time u = ∫β the coefficients are constant, so every quantity is derived there once.

Source: arXiv 2511.02419 (a = 1, ε = 0: the critically-damped Langevin diffusion of Dockhorn et al. 2022).
"""

from functools import lru_cache

import sympy
from sympy import Matrix, eye

from bounds.annotations import Expression
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import exact, for_numbers, real_function
from bounds.symbolic.integrals import TIME

__all__ = ["cld", "closed_forms"]

a, sigma = sympy.symbols("a sigma", positive=True)
epsilon, velocity_std = sympy.symbols("epsilon v", nonnegative=True)
kappa = sympy.Symbol("kappa", positive=True)
correlation = sympy.Symbol("c", real=True)
COEFFICIENTS = (a, sigma, epsilon)
#: Clock distance u of a step, or clock time since 0.
CLOCK = sympy.Symbol("u", nonnegative=True)
_BEFORE = sympy.Symbol("w", nonnegative=True)


def cld(a: Expression = 1, sigma: Expression = 2, epsilon: Expression = 0, velocity_variance: Expression = 1,
        clock: Expression | None = None) -> ForwardProcess:
    """Critically-damped Langevin; a = 1, σ = 2, ε = 0 by default.

    Parameters
    ----------
    a, sigma : positive numbers
        Double eigenvalue −a of the drift, and noise σ of the velocity.
    epsilon : number >= 0
        Noise ε of the position; ε > 0 restores ellipticity.
    velocity_variance : number >= 0
        v²: V_0 ~ N(0, v² I), marginalised (hybrid score matching).
    clock : sympy expression, number or str, optional
        ∫β as a function of t, 0 at 0 and increasing; t by default.

    Raises
    ------
    ValueError
        If a constant is out of range, or the clock does not start at 0 or may jump.

    Source: arXiv 2511.02419; Dockhorn et al. 2022 (arXiv 2112.07068) for HSM.
    """
    numbers = checked_constants({"a": a, "sigma": sigma, "epsilon": epsilon, "velocity_variance": velocity_variance},
                                positive=("a", "sigma"))
    clock = checked_clock(clock)
    speed = sympy.diff(clock, TIME)
    constants = {symbol: numbers[str(symbol)] for symbol in COEFFICIENTS}
    return ForwardProcess("cld", sympy.ImmutableMatrix((speed * drift()).subs(constants)),
                          sympy.ImmutableMatrix((sympy.sqrt(speed) * noise()).subs(constants)), clock,
                          numbers["velocity_variance"], {"family": "cld", **numbers})


FAMILY = Family("cld", cld,
                {"a": Coefficient(default=1), "sigma": Coefficient(default=2),
                 "epsilon": Coefficient(default=0), "velocity_variance": Coefficient(default=1),
                 "clock": Coefficient(default="t")})


def checked_constants(given: dict[str, Expression], positive: tuple[str, ...]) -> dict[str, sympy.Expr]:
    """Constants as exact numbers, in range, the ``positive`` ones not too small; refused by their names."""
    numbers = {name: _number(name, value) for name, value in given.items()}
    for name, value in numbers.items():
        size = float(value) if value.is_number and value.is_real else float("nan")
        least = 1e-6 if name in positive else 0
        if not least <= size <= 1e6:
            raise ValueError(f"{name} must be a number between {least:g} and 1e+06, got {given[name]}")
    if 0 < float(numbers["epsilon"]) < 1e-8 * float(numbers["sigma"]):
        raise ValueError(f"epsilon must be 0 or at least 1e-8 of sigma, got {given['epsilon']}")
    return numbers


def checked_clock(clock: Expression | None) -> sympy.Expr:
    """The clock ∫β as an expression in t, t by default; one that does not start at 0 or may jump is refused."""
    if callable(clock) and not isinstance(clock, sympy.Basic):
        raise TypeError("clock must be an expression in t, got a function: its inverse is needed in closed "
                        "form")
    clock = TIME if clock is None else real_function("clock", clock)
    if not clock.subs(TIME, 0).equals(sympy.S.Zero):
        raise ValueError(f"clock must be 0 at t = 0 (it is the integral of β), got {clock.subs(TIME, 0)}")
    if clock.has(sympy.Piecewise, sympy.sign, sympy.Heaviside):
        raise ValueError("clock must be continuous (it is the integral of β): write what bends with min, max or abs "
                         f"in place of a case or a sign, got {clock}")
    return for_numbers(clock)


def _number(name, value):
    try:
        return exact(value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None


def drift() -> Matrix:
    """A, with the double eigenvalue −a."""
    return Matrix([[0, a**2], [-1, -2 * a]])


def noise() -> Matrix:
    """Σ = diag(ε, σ)."""
    return sympy.diag(epsilon, sigma)


@lru_cache(maxsize=1)
def nilpotent() -> Matrix:
    """N = A + aI; raises if N² is not 0, on which the closed forms rest."""
    found = drift() + a * eye(2)
    if sympy.simplify(found**2) != sympy.zeros(2):
        raise AssertionError("A + aI must be nilpotent")
    return found


def transition(clock=CLOCK) -> Matrix:
    r""":math:`\Phi = e^{uA} = e^{-au}(I + uN)`, the exponential series of a nilpotent matrix."""
    return sympy.exp(-a * clock) * (eye(2) + clock * nilpotent())


@lru_cache(maxsize=1)
def stationary() -> Matrix:
    r""":math:`\Sigma_\infty`, where :math:`A\Sigma + \Sigma A^T + \Sigma_0 = 0` with Σ_0 = diag(ε², σ²)."""
    p, q, r = sympy.symbols("p q r")
    unknown = Matrix([[p, q], [q, r]])
    equation = drift() * unknown + unknown * drift().T + noise() * noise().T
    found = sympy.solve([equation[0, 0], equation[0, 1], equation[1, 1]], [p, q, r], dict=True)[0]
    return unknown.subs(found).applyfunc(sympy.simplify)


@lru_cache(maxsize=1)
def _covariance() -> Matrix:
    flow = transition(_BEFORE)
    integrand = (flow * noise() * noise().T * flow.T).applyfunc(sympy.expand)
    return integrand.applyfunc(lambda entry: sympy.simplify(sympy.integrate(entry, (_BEFORE, 0, CLOCK))))


def covariance(clock=CLOCK) -> Matrix:
    r""":math:`C = \int_0^u \Phi(w) \Sigma\Sigma^T \Phi(w)^T dw`, integrated (not from Σ_∞)."""
    return _covariance().subs(CLOCK, clock)


def kernel(clock=CLOCK) -> tuple[Matrix, Matrix]:
    r"""(φ, S): U_t given X_0 is N(φX_0, S), with :math:`S = C + v^2 \Phi e_2 e_2^T \Phi^T` (HSM)."""
    flow = transition(clock)
    return flow[:, 0], covariance(clock) + velocity_std**2 * flow[:, 1] * flow[:, 1].T


@lru_cache(maxsize=1)
def renormalised_drift() -> Matrix:
    r""":math:`\tilde A = -A - \Sigma\Sigma^T\Sigma_\infty^{-1}`, the drift left with the score of p/p_∞."""
    return (-drift() - noise() * noise().T * stationary().inv()).applyfunc(sympy.simplify)


@lru_cache(maxsize=1)
def metric() -> tuple[Matrix, sympy.Expr]:
    r"""(𝔐, η) for ε = 0 with :math:`𝔐\tilde A + \tilde A^T𝔐 \preceq -2\eta𝔐`, for every κ > 1.

    With :math:`\tilde A = -aI + pr^T`: 𝔐 = κ²rrᵀ + 4a²yyᵀ, y·p = 1, y ⟂ p in Σ_∞; the rate is a(1 − 1/κ).
    """
    at_zero = (renormalised_drift() + a * eye(2)).subs(epsilon, 0)
    p = at_zero[:, 0]
    r = at_zero[0, :].T / at_zero[0, 0]
    y = stationary().subs(epsilon, 0).inv() * p
    y = y / (p.T * y)[0]
    found = (kappa**2 * r * r.T + 4 * a**2 * y * y.T).applyfunc(sympy.simplify)
    return found, a * (1 - 1 / kappa)


def log_concavity_is_not_enough() -> tuple[Matrix, Matrix, Matrix]:
    r"""(H, symmetric part of ΣΣᵀH, reverse drift −A + ΣΣᵀH) for ε = 0 and :math:`H = ((-1, c), (c, -1))`.

    H is the Hessian of a (1 − \|c\|)-log-concave law, yet
    :math:`2 Z^T\Sigma\Sigma^T H Z = 2\sigma^2(c Z_x Z_v - Z_v^2)` grows in some direction for every c ≠ 0:
    the determinant of the symmetric part is :math:`-c^2\sigma^4/4`.

    Source: the slides of arXiv 2511.02419, whose cross term has the wrong sign (with it, the same
    determinant).
    """
    hessian = Matrix([[-1, correlation], [correlation, -1]])
    pulled = (noise() * noise().T).subs(epsilon, 0) * hessian
    return hessian, (pulled + pulled.T) / 2, pulled - drift()


def closed_forms(**constants: Expression) -> dict[str, sympy.Basic]:
    """Everything derived, by name, in clock time u = ∫β; symbolic but for the ``constants`` given.

    These are any of a, sigma, epsilon and velocity_variance; what has another name changes nothing, and there
    are no errors.
    """
    phi, spread = kernel()
    fixed, rate = metric()
    found = {
        "drift": drift(),
        "noise": noise(),
        "transition": transition(),
        "stationary": stationary(),
        "covariance": covariance(),
        "kernel_mean": phi,
        "kernel_covariance": spread.applyfunc(sympy.simplify),
        "renormalised_drift": renormalised_drift(),
        "metric": fixed,
        "rate": rate}
    values = {symbol: exact(constants[str(symbol)]) for symbol in COEFFICIENTS if str(symbol) in constants}
    if "velocity_variance" in constants:
        values[velocity_std] = sympy.sqrt(exact(constants["velocity_variance"]))
    return {name: expression.subs(values) for name, expression in found.items()}
