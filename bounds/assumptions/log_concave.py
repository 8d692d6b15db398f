r"""Data assumptions by log-concavity: strong, weak, and strong up to a log-Lipschitz perturbation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bounds.assumption import (
    Envelope,
    check_constant,
    check_moments,
    check_order,
    gap,
    product_law,
    scaled_law,
)


@dataclass(frozen=True)
class StronglyLogConcave(Envelope):
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
        object.__setattr__(self, "m0", check_constant("m0", self.m0, positive=True))
        object.__setattr__(self, "L0", check_constant("L0", self.L0, positive=True))
        check_order("m0", self.m0, "L0", self.L0)
        check_moments(self)

    @property
    def smoothness(self):
        return np.maximum(self.L0, self.m0)

    def _base_variance(self, q):
        return 1.0 / (self.m0 + q)

    def _excess_over_base(self, q):
        return 0.0

    def hessian_gap(self, a_sq, s_sq):
        return gap(a_sq, s_sq, self.m0, self.smoothness)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, m0=-2, L0=-2)

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
        return product_law(self, other, m0=np.minimum, L0=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        m0, L0 = sympy.symbols("m_0 L_0", positive=True)
        return 1 / (L0 + q), 1 / (m0 + q)


@dataclass(frozen=True)
class WeaklyLogConcave(Envelope):
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
        object.__setattr__(self, "alpha", check_constant("alpha", self.alpha, positive=True))
        object.__setattr__(self, "M", check_constant("M", self.M))
        object.__setattr__(self, "L", check_constant("L", self.L, positive=True))
        check_order("alpha", self.alpha, "L", self.L)
        check_moments(self)

    @property
    def smoothness(self):
        return np.maximum(self.L, self.alpha)

    def _base_variance(self, q):
        return 1.0 / (self.alpha + q)

    def _excess_over_base(self, q):
        return self.M / np.square(self.alpha + q)

    def hessian_gap(self, a_sq, s_sq):
        return gap(a_sq, s_sq, self.alpha, self.smoothness) + self.M * a_sq / np.square(
            a_sq + self.alpha * s_sq
        )

    def profile(self, r):
        r""":math:`\alpha - f_M(r)/r`, which the convexity profile :math:`\kappa_U(r)` of the law never drops below."""
        r, root = np.asarray(r, dtype=float), np.sqrt(self.M)
        return self.alpha - 2 * root * np.tanh(r * root / 2) / r

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, alpha=-2, M=-2, L=-2)

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
        return product_law(self, other, alpha=np.minimum, M=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, M, L = sympy.symbols("alpha M L_U", positive=True)
        return 1 / (L + q), 1 / (alpha + q) + M / (alpha + q) ** 2


@dataclass(frozen=True)
class LogLipschitz(Envelope):
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
        object.__setattr__(self, "alpha", check_constant("alpha", self.alpha, positive=True))
        object.__setattr__(self, "lipschitz", check_constant("lipschitz", self.lipschitz))
        object.__setattr__(self, "L", check_constant("L", self.L, positive=True))
        check_order("alpha", self.alpha, "L", self.L)
        check_moments(self)

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
            first = (
                2 * self.lipschitz * a_sq / (np.sqrt(s_sq) * spread**1.5) if np.any(self.lipschitz) else 0.0
            )
        return (
            gap(a_sq, s_sq, self.alpha, self.smoothness) + first + np.square(self.lipschitz / spread) * a_sq
        )

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, alpha=-2, lipschitz=-1, L=-2)

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
        return product_law(self, other, alpha=np.minimum, lipschitz=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, ell, L = sympy.symbols("alpha ell L_0", positive=True)
        return 1 / (L + q), (1 / sympy.sqrt(alpha + q) + ell / (alpha + q)) ** 2
