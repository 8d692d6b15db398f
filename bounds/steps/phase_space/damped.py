r"""Langevin dynamics of any mass, friction and damping of the position as numbers: Φ, C and Σ_∞ at clock times.

With A = −ρI + N, N² = δI, c = cosh(√δu) and s = sinh(√δu)/√δ (cos and sin where δ < 0): Φ = e^{−ρu}(cI + sN).  Every
covariance is made of I_0 = ∫e^{−2ρw}, E = e^{−2ρu}s² and J = ∫e^{−2ρw}s², the only one that small u ask care of: as an
integral of what is positive there, and by :math:`2 \det A\, J = I_0 - \rho E - e^{-2\rho u} s c` elsewhere.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.steps.phase_space.path import PhasePath

#: Nodes of the rule for short times, and how long they are in units of the fastest rate: on e^{4z} it misses 1e-30.
NODES, SHORT = 24, 3.0
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)


class DampedPath(PhasePath):
    """As `PhasePath`, where the damping is not critical.

    Parameters
    ----------
    process : ForwardProcess
        Made by `bounds.processes.langevin.langevin`.

    Attributes
    ----------
    a : float
        The slowest rate of decay.
    fastest : float
        The fastest rate, or frequency.

    Source: docs/theory.md section 0.
    """

    is_critical = False

    def __init__(self, process: ForwardProcess):
        self._of_clock(process)
        mass, friction, self.nu, self.sigma, self.epsilon = (float(process.parameters[name]) for name in (
            "mass", "friction", "position_damping", "sigma", "epsilon"))
        self.pull, self.gamma = 1 / mass, friction / mass
        self.rho, self.half = (self.gamma + self.nu) / 2, (self.gamma - self.nu) / 2
        self.delta = self.half**2 - self.pull
        self.det = self.gamma * self.nu + self.pull
        root = np.sqrt(abs(self.delta))
        self.a = self.det / (self.rho + root) if self.delta > 0 else self.rho
        self.fastest = float(self.rho + root if self.delta > 0 else np.hypot(self.rho, root))
        #: What entries of Φ and C may lose more than where damping is critical.
        self.lost = 1 + self.fastest / self.a
        self.A = np.array([[-self.nu, self.pull], [-1.0, -self.gamma]])
        self.N = np.array([[self.half, self.pull], [-1.0, -self.half]])
        self.D = np.diag([self.epsilon**2, self.sigma**2])
        self.stationary = self._stationary()

    def _stationary(self) -> Array:
        """Σ_∞, from AΣ + ΣAᵀ + D = 0."""
        (n, _), (_, g) = -self.A
        w, noise, pushed = self.pull, self.epsilon**2, self.sigma**2
        # Σ = (D det A + adj(A) D adj(A)ᵀ)/(2 · trace · det), for the trace 2ρ of −A
        adjoint = np.array([[g, w], [-1.0, n]])
        found = np.diag([noise, pushed]) * self.det + adjoint @ np.diag([noise, pushed]) @ adjoint.T
        return found / (4 * self.rho * self.det)

    def _waves(self, clock) -> tuple[Array, Array, Array]:
        """(e^{−ru}, c and s over e^{(r−ρ)u}...): with r the slowest rate, Φ = e^{−ru}(cI + sN)."""
        if self.delta > 0:
            root = np.sqrt(self.delta)
            fallen = -np.expm1(-2 * root * clock)
            return np.exp(-self.a * clock), 1 - fallen / 2, fallen / (2 * root)
        if self.delta < 0:
            root = np.sqrt(-self.delta)
            return np.exp(-self.rho * clock), np.cos(root * clock), np.sin(root * clock) / root
        return np.exp(-self.rho * clock), np.ones_like(clock), clock

    def transition(self, clock: ArrayLike, nilpotent: Array | None = None) -> Array:
        """Φ = e^{uA}, shape (..., 2, 2), or with another N; negative u give the inverse."""
        clock, N = np.asarray(clock, dtype=float), self.N if nilpotent is None else nilpotent
        decay, c, s = (each[..., None, None] for each in self._waves(clock))
        return decay * (c * np.eye(2) + s * N)

    def columns(self, clock: Array) -> tuple[Array, Array, Array, Array]:
        """As `PhasePath.columns`."""
        decay, c, s = self._waves(clock)
        near = np.stack([c + s * self.half, -s], axis=-1)
        far = np.stack([self.pull * s, c - s * self.half], axis=-1)
        return decay, near, far, np.exp(-2 * (self.rho - self.a) * clock)

    def _integrals(self, clock) -> tuple[Array, Array, Array]:
        """(I_0, E, J) at clock times >= 0."""
        first = -np.expm1(-2 * self.rho * clock) / (2 * self.rho)
        decay, c, s = self._waves(clock)
        square = np.square(decay * s)
        long = (first - self.rho * square - np.square(decay) * s * c) / (2 * self.det)
        near = self.fastest * clock < SHORT
        if not near.any():
            return first, square, long
        short = np.where(near, clock, 0.0)
        falls, _, waves = self._waves(short[..., None] * (1 + _PLACES) / 2)
        brief = short / 2 * (np.square(falls * waves) @ _WEIGHTS)
        return first, square, np.where(near, brief, long)

    def moments(self, clock: Array) -> tuple[Array, Array, Array]:
        """∫e^{−2ρw}c², ∫e^{−2ρw}cs and ∫e^{−2ρw}s²."""
        first, square, last = self._integrals(np.asarray(clock, dtype=float))
        return first + self.delta * last, square / 2 + self.rho * last, last

    def covariance(self, clock: ArrayLike) -> Array:
        """C = ∫_0^u Φ(w)DΦ(w)ᵀ dw, shape (..., 2, 2), for u >= 0."""
        clock = np.asarray(clock, dtype=float)
        first, square, last = self._integrals(clock)
        w, g, n, d = self.pull, self.gamma, self.nu, self.half
        noise, pushed = self.epsilon**2, self.sigma**2
        found = np.empty((*clock.shape, 2, 2))
        found[..., 0, 0] = noise * (first + (2 * d * g - w) * last + d * square) + pushed * w * w * last
        found[..., 1, 1] = noise * last + pushed * (first - (w + 2 * d * n) * last - d * square)
        cross = pushed * w * (square / 2 + n * last) - noise * (square / 2 + g * last)
        found[..., 0, 1] = found[..., 1, 0] = cross
        return found

    def reverse_integral(self, length: Array) -> Array:
        """∫_0^h e^{−wA} dw, shape (k, 2, 2), of lengths (k,)."""
        near = np.where(self.fastest * length < SHORT, length, 0.0)
        brief = np.einsum("kpij,p->kij", self.transition(-near[:, None] * (1 + _PLACES) / 2), _WEIGHTS)
        brief *= near[:, None, None] / 2
        whole = np.linalg.inv(self.A) @ (np.eye(2) - self.transition(-length))
        return np.where((near > 0)[:, None, None], brief, whole)

    @cached_property
    def renormalised_nilpotent(self) -> Array:
        """Ã + ρI, whose square is δI."""
        return self.renormalised_drift + self.rho * np.eye(2)


def phase_path(process: ForwardProcess | str) -> PhasePath:
    """The numbers of a process of position and velocity, critically damped or not."""
    process = process_of(process)
    damped = process.parameters.get("family") == "langevin" and not process.is_critically_damped
    return DampedPath(process) if damped else PhasePath(process)
