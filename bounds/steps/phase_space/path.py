"""Critically-damped Langevin as numbers free of cancellation: Φ, C, Σ_∞, and U_t given X_0 at clock times."""

import math

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.steps.analytic_panels import analytic_panels
from bounds.symbolic.digits import InTime
from bounds.symbolic.integrals import TIME

__all__ = ["PhasePath"]

#: Below this value of 2au the second moment of the exponential is summed as a series.
_SERIES_BELOW = 1.5
#: Its coefficients: ∫_0^1 w² e^{−zw} dw = Σ (−z)^k/(k! (k + 3)).
_SERIES = tuple((-1) ** k / (math.factorial(k) * (k + 3)) for k in range(30))
#: A term that changes no digit: the sum is at least e^{−1.5}/3.
_SERIES_LEAST = 1e-18


class PhasePath:
    r"""The process in its clock's own time, where dU = AU du + Σ dB has constant coefficients.

    Parameters
    ----------
    process : ForwardProcess or str
        Made by `bounds.processes.cld.cld`, or its key "cld"; or by `bounds.processes.langevin.langevin` with critical
        damping.

    Attributes
    ----------
    a, sigma, epsilon, velocity_variance : float
    A, N, D, stationary : arrays of shape (2, 2)
        Drift, its nilpotent part A + aI, ΣΣᵀ and Σ_∞.

    Raises
    ------
    ValueError
        If the process is not critically-damped Langevin.

    Source: arXiv 2511.02419; docs/theory.md section 0.
    """

    #: Whether the drift has a double eigenvalue.
    is_critical = True

    def __init__(self, process: ForwardProcess | str):
        process = process_of(process)
        if not process.is_critically_damped:
            raise ValueError(f"process must be critically-damped Langevin (family cld), got {process.name!r}")
        self._of_clock(process)
        self.a, self.sigma, self.epsilon = (float(process.parameters[name])
                                            for name in ("a", "sigma", "epsilon"))
        a, noise, pushed = self.a, self.epsilon**2, self.sigma**2
        self.A = np.array([[0.0, a * a], [-1.0, -2 * a]])
        self.N = np.array([[a, a * a], [-1.0, -a]])
        self.D = np.diag([noise, pushed])
        self.stationary = np.array([
            [5 * noise / a + a * pushed, -2 * noise / a**2],
            [-2 * noise / a**2, (noise + a * a * pushed) / a**3]
        ]) / 4
        self.fastest, self.lost = a, 1.0

    def _of_clock(self, process: ForwardProcess) -> None:
        self.process = process
        self.velocity_variance = float(process.velocity_variance)
        self._clock = InTime(process.clock)
        self._rate = sympy.diff(process.clock, TIME)
        self._speed = InTime(self._rate)
        #: Why β is not proved to be at least 0 throughout, or "".
        self.unproved = ""

    def clock(self, times: ArrayLike) -> Array:
        """u = ∫β at decreasing times, shape (k+1,); refuses a clock that does not run forward throughout."""
        times = np.asarray(times, dtype=float)
        found = self._values("clock", self._clock, times)
        if found[-1] < 0 or np.any(np.diff(found) >= 0):
            at = int(np.argmax(np.diff(found) >= 0))
            raise ValueError(f"process: clock must increase from 0 on [0, T], got {found[at + 1]:.6g} at "
                             f"t = {times[at + 1]:.6g} and {found[at]:.6g} at t = {times[at]:.6g}")
        self.unproved = analytic_panels((self._rate,), ("β",), (True,), float(times[0])).unproved
        return found

    def speed(self, times: ArrayLike) -> Array:
        """β at ``times``; refuses values that are not positive and finite."""
        found = self._values("β", self._speed, np.asarray(times, dtype=float))
        if np.any(found <= 0):
            at = int(np.argmin(found))
            raise ValueError("process: β must be > 0 where a step starts, "
                             f"got β({times[at]:.6g}) = {found[at]:.6g}")
        return found

    @staticmethod
    def _values(name, function, times):
        with np.errstate(all="ignore"):
            found = np.asarray(function(times))
        if np.iscomplexobj(found) or not np.all(np.isfinite(np.broadcast_to(found, times.shape))):
            raise ValueError(f"process: {name} must be real and finite on [0, T], T = {times[0]:.6g}")
        return np.broadcast_to(found.astype(float), times.shape).copy()

    def transition(self, clock: ArrayLike, nilpotent: Array | None = None) -> Array:
        """Φ = e^{uA} = e^{-au}(I + uN), shape (..., 2, 2), or with another N; negative u give the inverse."""
        clock, N = np.asarray(clock, dtype=float), self.N if nilpotent is None else nilpotent
        return np.exp(-self.a * clock)[..., None, None] * (np.eye(2) + clock[..., None, None] * N)

    def covariance(self, clock: ArrayLike) -> Array:
        r"""C = ∫_0^u Φ(w)DΦ(w)ᵀ dw, shape (..., 2, 2), for u >= 0; C_xx ~ u³ keeps its digits where ε = 0."""
        clock = np.asarray(clock, dtype=float)
        a, noise, pushed = self.a, self.epsilon**2, self.sigma**2
        i0, i1, i2 = exponential_moments(2 * a, clock)
        found = np.empty((*clock.shape, 2, 2))
        found[..., 0, 0] = noise * (i0 + 2 * a * i1 + a * a * i2) + pushed * a**4 * i2
        found[..., 1, 1] = noise * i2 + pushed * (i0 - 2 * a * i1 + a * a * i2)
        # ∫ w(1 − aw)e^{−2aw} is u²e^{−2au}/2
        cross = pushed * a * a * np.square(clock) * np.exp(-2 * a * clock) / 2 - noise * (i1 + a * i2)
        found[..., 0, 1] = found[..., 1, 0] = cross
        return found

    def columns(self, clock: Array) -> tuple[Array, Array, Array, Array | float]:
        """(f, Φe₁/f, Φe₂/f, det Φ/f²) for a factor f of Φ that alone may underflow."""
        decay = np.exp(-self.a * clock)
        # in units of e^{−au}, which would underflow
        near = np.stack([1 + self.a * clock, -clock], axis=-1)
        far = np.stack([self.a**2 * clock, 1 - self.a * clock], axis=-1)
        return decay, near, far, 1.0

    def moments(self, clock: Array) -> list[Array]:
        """∫e^{−2aw}wⁿ for n = 0, 1, 2: of the covariances that e^{uB}, with B + aI nilpotent, makes."""
        return exponential_moments(2 * self.a, clock)

    def reverse_integral(self, length: Array) -> Array:
        """∫_0^h e^{−wA} dw = ∫ e^{aw}(I − wN) dw, shape (k, 2, 2), of lengths (k,)."""
        h = length[:, None, None]
        i0, i1, _ = exponential_moments(self.a, h)
        # e^{aw} = e^{ah}e^{−a(h−w)}
        growth = np.exp(self.a * h)
        return growth * (i0 * np.eye(2) - (h * i0 - i1) * self.N)

    def kernel(self, clock: ArrayLike) -> tuple[Array, Array]:
        r"""(φ, S): U_t given X_0 is N(φX_0, S ⊗ I); arrays of shape (..., 2) and (..., 2, 2).

        Source: hybrid score matching, arXiv 2112.07068; docs/theory.md section 0.
        """
        flow = self.transition(clock)
        moved = flow[..., :, 1]
        return flow[..., :, 0], self.covariance(clock) + outer(self.velocity_variance * moved, moved)

    @property
    def renormalised_drift(self) -> Array:
        r""":math:`\tilde A = \Sigma_\infty A^T \Sigma_\infty^{-1}`, double eigenvalue −a."""
        return self.stationary @ self.A.T @ np.linalg.inv(self.stationary)

    @property
    def renormalised_nilpotent(self) -> Array:
        """Ã + aI, whose square is 0."""
        return self.renormalised_drift + self.a * np.eye(2)


def outer(x, y) -> np.ndarray:
    """xyᵀ for arrays of shape (..., 2)."""
    return x[..., :, None] * y[..., None, :]


def exponential_moments(rate, clock):
    """∫_0^u wⁿ e^{−rate·w} dw for n = 0, 1, 2; where u is small the last by its series, the others by parts."""
    z = np.asarray(rate * clock)
    near = z < _SERIES_BELOW
    some, all_near = near.any(), near.all()
    if some:
        small = z if all_near else np.minimum(z, _SERIES_BELOW)
        second = _second_moment(small, float(np.abs(small[near]).max()))
        decay = np.exp(-small)
        first = (small * second + decay) / 2  # nothing cancels
        series = [clock ** (n + 1) * each for n, each in enumerate((small * first + decay, first, second))]
        if all_near:
            return series
    tail = np.exp(-z)
    large = -np.expm1(-z), 1 - tail * (1 + z), 2 - tail * (2 + 2 * z + z * z)
    direct = [each / rate ** (n + 1) for n, each in enumerate(large)]
    return [np.where(near, *both) for both in zip(series, direct, strict=True)] if some else direct


def _second_moment(z, largest: float) -> np.ndarray:
    """∫_0^1 w² e^{−zw} dw, as many terms of its series as |z| up to ``largest`` needs."""
    terms, size = 0, 1.0
    while size > _SERIES_LEAST and terms < len(_SERIES) - 1:
        terms += 1
        size *= largest / terms
    found = np.full(z.shape, _SERIES[terms])
    for coefficient in reversed(_SERIES[:terms]):
        found *= z
        found += coefficient
    return found
