r"""Data assumptions as posterior-covariance envelopes: how much X_0 may still vary once seen through Gaussian noise.

Every assumption answers one question (docs/theory.md section 1): between which :math:`c_{lo}(q) I` and
:math:`c_{up}(q) I` does the covariance of any tilt :math:`p_0(x) e^{-q\|x\|^2/2 + b\cdot x}` lie?  Constants may be
floats or arrays that broadcast, so that one call bounds many problems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

#: Relative slack granted to constants that were themselves computed in floating point.
CONSTANT_SLACK = 1e-12


class Assumption(Protocol):
    """What the theorems may ask of the data."""

    key: ClassVar[str]
    dim: int
    second_moment: float
    mean_norm: float | None

    @property
    def smoothness(self) -> float:
        """One-sided smoothness L: Hess(-log p_0) <= L I (``inf`` if none)."""

    def hessian_lower(self, a_sq, s_sq):
        """H(c_lo) of log p_t, from a^2 and s^2 at time t (never positive)."""

    def hessian_gap(self, a_sq, s_sq):
        """H(c_up) - H(c_lo) of log p_t (never negative)."""


def _check(name: str, value, *, positive: bool = False, infinite: bool = False):
    """Refuse NaN, infinities and wrong signs at the border; return the value as float or float array."""
    requirement = "positive" if positive else "non-negative"
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a {requirement} number, got {value!r}")
    array = array.astype(float)
    bad = np.isnan(array) | (np.isinf(array) & (not infinite)) | (array < 0) | (positive & (array == 0))
    if np.any(bad):
        shown = float(array[bad].flat[0]) if array.ndim else float(array)
        raise ValueError(f"{name} must be {requirement}{'' if infinite else ' and finite'}, got {shown}")
    return float(array) if array.ndim == 0 else array


def _check_order(small_name, small, large_name, large):
    if np.any(np.asarray(small) > np.asarray(large) * (1 + CONSTANT_SLACK)):
        raise ValueError(f"{small_name} must be at most {large_name}, got {small_name} = {small} > {large_name} = {large}")


def _check_moments(assumption) -> None:
    """Check dim, ‖E X_0‖ and E‖X_0‖² against each other and against the envelope; fill in the second moment."""
    dim = assumption.dim
    if not np.all(np.equal(np.mod(dim, 1), 0)) or np.any(np.asarray(dim) < 1) or isinstance(dim, bool):
        raise ValueError(f"dim must be a positive integer, got {dim!r}")
    mean_norm = assumption.mean_norm
    if mean_norm is not None:
        mean_norm = _check("mean_norm", mean_norm)
    mean_sq = 0.0 if mean_norm is None else np.square(mean_norm)
    second = assumption.second_moment
    if second is None:
        if mean_norm is None:
            raise ValueError("second_moment (E‖X_0‖²) or mean_norm (‖E X_0‖) must be given, got neither")
        second = dim * assumption.c_up(0.0) + mean_sq
    second = _check("second_moment", second)
    spread = dim * assumption.c_lo(0.0)
    if np.any(second < (mean_sq + spread) * (1 - CONSTANT_SLACK)):
        raise ValueError(
            f"second_moment must be at least mean_norm² + dim/L = {np.max(mean_sq + spread):.6g} under these "
            f"constants, got {np.min(second):.6g}"
        )
    if mean_norm is not None and np.any(second > (mean_sq + dim * assumption.c_up(0.0)) * (1 + 1e-9)):
        raise ValueError(
            f"second_moment must be at most mean_norm² + dim·c_up(0) = "
            f"{np.max(mean_sq + dim * assumption.c_up(0.0)):.6g} under these constants, got {np.max(second):.6g}"
        )
    object.__setattr__(assumption, "mean_norm", mean_norm)
    object.__setattr__(assumption, "second_moment", np.maximum(second, mean_sq + spread))


class _Envelope:
    """What the four rows share; each adds its own excess over the floor."""

    #: True where the Fisher information at t = 0 may be infinite.
    needs_early_stop: ClassVar[bool] = False

    def c_lo(self, q):
        r""":math:`c_{lo}(q) = 1/(L+q)` (0 when no smoothness is known)."""
        return 1.0 / (self.smoothness + np.asarray(q, dtype=float))

    def c_up(self, q):
        r""":math:`c_{up}(q)`, the largest posterior variance in any direction at information q."""
        q = np.asarray(q, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._excess_over_base(q) + self._base_variance(q)

    def hessian_lower(self, a_sq, s_sq):
        r""":math:`H(c_{lo}) = -1/(a^2/L + s^2)` (Woodbury form, finite at t = 0; shapes broadcast)."""
        return -1.0 / (a_sq / self.smoothness + s_sq)

    @property
    def centred_variance(self):
        """m_c = (E‖X_0‖² − ‖E X_0‖²)/d, with ‖E X_0‖ = 0 when the mean is unknown (an upper bound then)."""
        mean_sq = 0.0 if self.mean_norm is None else np.square(self.mean_norm)
        return np.maximum((self.second_moment - mean_sq) / self.dim, self.c_lo(0.0))

    def rotated(self):
        """The law of RX_0 for an orthogonal R: the same envelope (arXiv 2506.09681, calculus of φ)."""
        return replace(self)


@dataclass(frozen=True)
class StronglyLogConcave(_Envelope):
    r"""m0-strongly log-concave and L0-smooth data: :math:`m_0 I \preceq -\nabla^2 \log p_0 \preceq L_0 I`.

    :math:`c_{lo} = 1/(L_0+q)` (Cramér–Rao), :math:`c_{up} = 1/(m_0+q)` (Brascamp–Lieb).

    Parameters
    ----------
    m0, L0 : float, inverse squared data units
        Need 0 < m0 <= L0.
    dim : int
    second_moment : float, optional
        E‖X_0‖², not centred; by default the largest value the constants allow.
    mean_norm : float or None
        ‖E X_0‖; ``None`` when unknown (then ``second_moment`` is needed).

    Raises
    ------
    ValueError, TypeError
        If a constant is not finite and positive, or contradicts another.

    Source: arXiv 2311.11003, Assumption 1.
    """

    key: ClassVar[str] = "strong-log-concave"
    m0: float
    L0: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        object.__setattr__(self, "m0", _check("m0", self.m0, positive=True))
        object.__setattr__(self, "L0", _check("L0", self.L0, positive=True))
        _check_order("m0", self.m0, "L0", self.L0)
        _check_moments(self)

    @property
    def smoothness(self):
        return np.maximum(self.L0, self.m0)

    def _base_variance(self, q):
        return 1.0 / (self.m0 + q)

    def _excess_over_base(self, q):
        return 0.0

    def hessian_gap(self, a_sq, s_sq):
        return _gap(a_sq, s_sq, self.m0, self.smoothness)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return _scaled(self, factor, m0=-2, L0=-2)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I)."""
        return replace(
            self,
            m0=1 / (1 / self.m0 + noise_var),
            L0=1 / (1 / self.L0 + noise_var),
            second_moment=self.second_moment + self.dim * noise_var,
        )

    def product(self, other):
        """The law of (X_0, X_0') with independent parts under the same kind of assumption."""
        return _product(self, other, m0=np.minimum, L0=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        m0, L0 = sympy.symbols("m_0 L_0", positive=True)
        return 1 / (L0 + q), 1 / (m0 + q)


@dataclass(frozen=True)
class WeaklyLogConcave(_Envelope):
    r"""(α, M)-weakly log-concave data with one-sided smoothness L.

    :math:`\kappa_U(r) \ge \alpha - f_M(r)/r`, :math:`f_M(r) = 2\sqrt M \tanh(r\sqrt M/2)`, gives
    :math:`c_{up}(q) = 1/(\alpha+q) + M/(\alpha+q)^2`; :math:`c_{lo}(q) = 1/(L+q)`.

    Parameters
    ----------
    alpha, M, L : float
        Need 0 < alpha <= L, M >= 0; all three in inverse squared data units.
    dim, second_moment, mean_norm
        As in `StronglyLogConcave`.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range or contradicts another.

    Source: arXiv 2501.02298, (α, M)-weak log-concavity and one-sided log-Lipschitz condition.
    """

    key: ClassVar[str] = "weak-log-concave"
    alpha: float
    M: float
    L: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        object.__setattr__(self, "alpha", _check("alpha", self.alpha, positive=True))
        object.__setattr__(self, "M", _check("M", self.M))
        object.__setattr__(self, "L", _check("L", self.L, positive=True))
        _check_order("alpha", self.alpha, "L", self.L)
        _check_moments(self)

    @property
    def smoothness(self):
        return np.maximum(self.L, self.alpha)

    def _base_variance(self, q):
        return 1.0 / (self.alpha + q)

    def _excess_over_base(self, q):
        return self.M / np.square(self.alpha + q)

    def hessian_gap(self, a_sq, s_sq):
        return _gap(a_sq, s_sq, self.alpha, self.smoothness) + self.M * a_sq / np.square(a_sq + self.alpha * s_sq)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return _scaled(self, factor, alpha=-2, M=-2, L=-2)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return replace(
            self,
            alpha=self.alpha * shrink,
            M=self.M * shrink**2,
            L=1 / (1 / self.L + noise_var),
            second_moment=self.second_moment + self.dim * noise_var,
        )

    def product(self, other):
        """The law of (X_0, X_0') with independent parts under the same kind of assumption."""
        return _product(self, other, alpha=np.minimum, M=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, M, L = sympy.symbols("alpha M L_U", positive=True)
        return 1 / (L + q), 1 / (alpha + q) + M / (alpha + q) ** 2


@dataclass(frozen=True)
class LogLipschitz(_Envelope):
    r"""Log-Lipschitz perturbation of strongly log-concave data, with one-sided smoothness L.

    :math:`p_0 \propto e^{-(V+H)}`, V alpha-strongly convex, H ``lipschitz``-Lipschitz, gives
    :math:`c_{up}(q) = (1/\sqrt{\alpha+q} + \ell/(\alpha+q))^2` (synchronous Langevin coupling:
    :math:`W_\infty \le \ell/(\alpha+q)`); :math:`c_{lo}(q) = 1/(L+q)`.

    Parameters
    ----------
    alpha, lipschitz, L : float
        Need alpha > 0, lipschitz >= 0, L > 0.
    dim, second_moment, mean_norm
        As in `StronglyLogConcave`.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range or contradicts another.

    Source: arXiv 2511.02419, structure and regularity assumptions.
    """

    key: ClassVar[str] = "log-lipschitz"
    alpha: float
    lipschitz: float
    L: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        object.__setattr__(self, "alpha", _check("alpha", self.alpha, positive=True))
        object.__setattr__(self, "lipschitz", _check("lipschitz", self.lipschitz))
        object.__setattr__(self, "L", _check("L", self.L, positive=True))
        _check_order("alpha", self.alpha, "L", self.L)
        _check_moments(self)

    @property
    def smoothness(self):
        return np.maximum(self.L, self.alpha)

    def _base_variance(self, q):
        return 1.0 / (self.alpha + q)

    def _excess_over_base(self, q):
        return 2 * self.lipschitz / (self.alpha + q) ** 1.5 + np.square(self.lipschitz / (self.alpha + q))

    def hessian_gap(self, a_sq, s_sq):
        spread = a_sq + self.alpha * s_sq
        with np.errstate(divide="ignore"):
            first = 2 * self.lipschitz * a_sq / (np.sqrt(s_sq) * spread**1.5) if np.any(self.lipschitz) else 0.0
        return _gap(a_sq, s_sq, self.alpha, self.smoothness) + first + np.square(self.lipschitz / spread) * a_sq

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return _scaled(self, factor, alpha=-2, lipschitz=-1, L=-2)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I) (the Lipschitz part is rounded up)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return replace(
            self,
            alpha=self.alpha * shrink,
            lipschitz=self.lipschitz * shrink,
            L=1 / (1 / self.L + noise_var),
            second_moment=self.second_moment + self.dim * noise_var,
        )

    def product(self, other):
        """The law of (X_0, X_0') with independent parts: only the larger perturbation of a direction counts."""
        return _product(self, other, alpha=np.minimum, lipschitz=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, ell, L = sympy.symbols("alpha ell L_0", positive=True)
        return 1 / (L + q), (1 / sympy.sqrt(alpha + q) + ell / (alpha + q)) ** 2


@dataclass(frozen=True)
class BoundedSupport(_Envelope):
    r"""Data supported in a ball of radius R: :math:`c_{lo} = 0`, :math:`c_{up} = R^2`.

    The Fisher information at t = 0 may be infinite, so the sampler must stop early, at a time > 0.

    Parameters
    ----------
    radius : float
        Radius of a ball (any centre) that holds the support.
    dim, second_moment, mean_norm
        As in `StronglyLogConcave`.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range or contradicts another.

    Source: docs/theory.md section 1, row four (a variance on a ball is at most R²).
    """

    key: ClassVar[str] = "bounded"
    radius: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0
    smoothness: ClassVar[float] = np.inf
    needs_early_stop: ClassVar[bool] = True

    def __post_init__(self):
        object.__setattr__(self, "radius", _check("radius", self.radius, positive=True))
        if self.second_moment is None and self.mean_norm is not None:
            # the whole variance, not dim times one direction's
            object.__setattr__(self, "second_moment", np.square(self.radius) + np.square(self.mean_norm))
        _check_moments(self)

    def _base_variance(self, q):
        return np.square(self.radius) + 0.0 * q

    def _excess_over_base(self, q):
        return 0.0

    def hessian_gap(self, a_sq, s_sq):
        with np.errstate(divide="ignore"):
            return np.square(self.radius) * a_sq / np.square(s_sq)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return _scaled(self, factor, radius=1)

    def smoothed(self, noise_var: float) -> WeaklyLogConcave:
        """The law of X_0 + N(0, noise_var I): weakly log-concave with α = L = 1/σ², M = R²/σ⁴ (Bhatia–Davis)."""
        return self.plus_noise(1 / noise_var, 1 / noise_var, self.dim * noise_var)

    def plus_noise(self, m0: float, L0: float, noise_second_moment: float) -> WeaklyLogConcave:
        r"""The law of X_0 + Z, Z centred, independent, m0-strongly log-concave and L0-smooth.

        Given X_0 = y the tilted X has covariance at most 1/(m0+q), and y ↦ E[X | y] is L0/(L0+q)-Lipschitz, so
        :math:`c_{up} \le 1/(m_0+q) + (R L_0)^2/(L_0+q)^2 \le 1/(m_0+q) + (R L_0)^2/(m_0+q)^2`.
        """
        return WeaklyLogConcave(
            m0, np.square(self.radius * L0), L0, self.dim, self.second_moment + noise_second_moment, self.mean_norm
        )

    def product(self, other):
        """The law of (X_0, X_0') with independent parts: radii of one direction, so the larger counts."""
        return _product(self, other, radius=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        return sympy.Integer(0), sympy.Symbol("R", positive=True) ** 2 + 0 * q


def _gap(a_sq, s_sq, low, high):
    """1/(a²/high + s²) − 1/(a²/low + s²), without cancellation."""
    # (1/low − 1/high) may round below zero when the constants agree
    width = np.maximum(1 / low - 1 / high, 0.0)
    return a_sq * width / ((a_sq / high + s_sq) * (a_sq / low + s_sq))


def _scaled(assumption, factor, **powers):
    factor = _check("factor", factor, positive=True)
    constants = {name: getattr(assumption, name) * factor**power for name, power in powers.items()}
    mean_norm = None if assumption.mean_norm is None else assumption.mean_norm * factor
    return replace(assumption, **constants, mean_norm=mean_norm, second_moment=assumption.second_moment * factor**2)


def _product(one, other, **rules):
    if type(one) is not type(other):
        raise TypeError(f"product needs two assumptions of one kind, got {one.key} and {other.key}")
    constants = {name: rule(getattr(one, name), getattr(other, name)) for name, rule in rules.items()}
    means = (one.mean_norm, other.mean_norm)
    return replace(
        one,
        **constants,
        dim=one.dim + other.dim,
        second_moment=one.second_moment + other.second_moment,
        mean_norm=None if None in means else np.hypot(*means),
    )


#: Every assumption by the key used in problem files.
ASSUMPTIONS = {kind.key: kind for kind in (StronglyLogConcave, WeaklyLogConcave, LogLipschitz, BoundedSupport)}
