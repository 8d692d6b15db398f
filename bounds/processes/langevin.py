r"""Langevin dynamics of any mass and friction, with damping of the position: what sympy derives about it.

.. math:: dU = \beta(t) A U dt + \sqrt{\beta(t)}\,\mathrm{diag}(\varepsilon, \sigma) dB, \quad
          A = \begin{pmatrix} -\nu & 1/m \\ -1 & -\gamma/m \end{pmatrix}, \quad U = (X, V), \quad V_0 \sim N(0, v^2).

With A = −ρI + N, N traceless, N² = δI: e^{uA} = e^{−ρu}(cosh(√δu) I + sinh(√δu)/√δ N).  Damping is critical where
δ = 0; with ν = 0 as well, γ² = 4m, this is `bounds.processes.cld` with a = 1/√m.  σ = √(2γ) and ε = √(2ν) keep
N(0, I) ⊗ N(0, m).

Source: Dockhorn et al. 2022 (arXiv 2112.07068); damping of the position: arXiv 2303.01748.
"""

from functools import lru_cache

import sympy
from sympy import Matrix, eye

from bounds.annotations import Expression
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.processes.cld import checked_clock, checked_constants
from bounds.processes.cld import noise as noise_matrix
from bounds.symbolic.integrals import TIME

m, gamma = sympy.symbols("m gamma", positive=True)
nu = sympy.Symbol("nu", nonnegative=True)
#: Clock distance u of a step, or clock time since 0.
CLOCK = sympy.Symbol("u", nonnegative=True)
#: Largest ratio of the two rates of decay, and of the frequency to the rate where there is one.
FARTHEST, FASTEST = 500, 50


def langevin(mass: Expression = 1, friction: Expression = 2, position_damping: Expression = 0, sigma: Expression = 2,
             epsilon: Expression = 0, velocity_variance: Expression = 1, clock: Expression | None = None) -> ForwardProcess:
    """Langevin dynamics of any mass, friction and damping of the position; critically damped by default.

    Parameters
    ----------
    mass, friction : positive numbers
        m and γ; γ² = 4m is critical, with less friction position and velocity swing.
    position_damping : number >= 0
        ν, the rate at which the position falls by itself.
    sigma : positive number
        Noise of the velocity; √(2γ) has the stationary position N(0, 1).
    epsilon : number >= 0
        Noise of the position; √(2ν) goes with the damping of it.
    velocity_variance : number >= 0
        v²: V_0 ~ N(0, v² I), marginalised (hybrid score matching).
    clock : sympy expression, number or str, optional
        ∫β as a function of t, 0 at 0 and increasing; t by default.

    Raises
    ------
    ValueError
        If a constant is out of range, the rates are further apart than 500 or the frequency more than 50 times the
        rate, or the clock does not start at 0 or may jump.

    Source: arXiv 2112.07068; arXiv 2303.01748.
    """
    numbers = checked_constants({"mass": mass, "friction": friction, "position_damping": position_damping, "sigma": sigma,
                                 "epsilon": epsilon, "velocity_variance": velocity_variance},
                                positive=("mass", "friction", "sigma"))
    clock = checked_clock(clock)
    values = {m: numbers["mass"], gamma: numbers["friction"], nu: numbers["position_damping"]}
    rate, left = (float(each.subs(values)) for each in (rho(), discriminant()))
    root = abs(left) ** 0.5
    if left > 0 and not rate + root <= FARTHEST * (rate - root):
        raise ValueError(f"friction must be so small that the rates of decay are at most {FARTHEST} apart, got {friction} "
                         f"with rates {rate + root:.4g} and {rate - root:.4g}")
    if left < 0 and not root <= FASTEST * rate:
        raise ValueError(f"friction must be so large that the frequency is at most {FASTEST} times the rate of decay, got "
                         f"{friction} with {root:.4g} and {rate:.4g}")
    parameters = {"family": "langevin", **numbers}
    if numbers["position_damping"] == 0 and sympy.simplify(numbers["friction"] ** 2 - 4 * numbers["mass"]) == 0:
        parameters["a"] = 1 / sympy.sqrt(numbers["mass"])
    speed = sympy.diff(clock, TIME)
    noise = sympy.diag(numbers["epsilon"], numbers["sigma"])
    return ForwardProcess("langevin", sympy.ImmutableMatrix((speed * drift()).subs(values)),
                          sympy.ImmutableMatrix(sympy.sqrt(speed) * noise), clock, numbers["velocity_variance"],
                          parameters)


FAMILY = Family("langevin", langevin, {
    "mass": Coefficient(default=1), "friction": Coefficient(default=2), "position_damping": Coefficient(default=0),
    "sigma": Coefficient(default=2), "epsilon": Coefficient(default=0), "velocity_variance": Coefficient(default=1),
    "clock": Coefficient(default="t")})


def drift() -> Matrix:
    """A."""
    return Matrix([[-nu, 1 / m], [-1, -gamma / m]])


def rho() -> sympy.Expr:
    """ρ, the mean of both rates of decay."""
    return -drift().trace() / 2


@lru_cache(maxsize=1)
def traceless() -> Matrix:
    """N = A + ρI; raises if N² is no multiple of I, on which the closed forms rest."""
    found = drift() + rho() * eye(2)
    if (found**2 - discriminant() * eye(2)).applyfunc(sympy.simplify) != sympy.zeros(2):
        raise AssertionError("A + ρI must have a square that is a multiple of I")
    return found


def discriminant() -> sympy.Expr:
    """δ, the square of half the difference of the eigenvalues: 0 at critical damping, negative below."""
    return sympy.simplify(rho() ** 2 - drift().det())


def transition(clock=CLOCK) -> Matrix:
    r""":math:`e^{uA} = e^{-\rho u}(\cosh(\sqrt\delta u) I + \sinh(\sqrt\delta u)/\sqrt\delta\, N)`."""
    root = sympy.sqrt(discriminant())
    return sympy.exp(-rho() * clock) * (sympy.cosh(root * clock) * eye(2) + sympy.sinh(root * clock) / root * traceless())


@lru_cache(maxsize=1)
def stationary() -> Matrix:
    r""":math:`\Sigma_\infty`, where :math:`A\Sigma + \Sigma A^T + \mathrm{diag}(\varepsilon^2, \sigma^2) = 0`."""
    p, q, r = sympy.symbols("p q r")
    unknown, noise = Matrix([[p, q], [q, r]]), noise_matrix()
    equation = drift() * unknown + unknown * drift().T + noise * noise.T
    found = sympy.solve([equation[0, 0], equation[0, 1], equation[1, 1]], [p, q, r], dict=True)[0]
    return unknown.subs(found).applyfunc(sympy.simplify)


def closed_forms(**constants: Expression) -> dict[str, sympy.Basic]:
    """What is derived, by name, in clock time u = ∫β; symbolic but for the ``constants`` given."""
    names = {"mass": m, "friction": gamma, "position_damping": nu, "sigma": noise_matrix()[1, 1],
             "epsilon": noise_matrix()[0, 0]}
    values = {names[name]: sympy.sympify(value) for name, value in constants.items() if name in names}
    found = {"drift": drift(), "noise": noise_matrix(), "rate_mean": rho(), "discriminant": discriminant(),
             "transition": transition(), "stationary": stationary()}
    if sympy.simplify(discriminant().subs(values)) == 0:
        found["transition"] = sympy.exp(-rho() * CLOCK) * (eye(2) + CLOCK * traceless())
    return {name: expression.subs(values) for name, expression in found.items()}
