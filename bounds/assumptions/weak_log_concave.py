"""Weak log-concavity: convex at a distance, which Gaussian mixtures are."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bounds.assumption import (
    Assumption,
    check_constant,
    check_moments,
    check_order,
    gap,
    product_law,
    scaled_law,
)


@dataclass(frozen=True)
class WeaklyLogConcave(Assumption):
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

    @property
    def weak_log_concavity(self):
        return self.alpha, self.M

    def _base_variance(self, q):
        return 1.0 / (self.alpha + q)

    def _excess_over_base(self, q):
        return self.M / np.square(self.alpha + q)

    def hessian_gap(self, a_sq, s_sq):
        return gap(a_sq, s_sq, self.alpha, self.smoothness) + self.M * a_sq / np.square(
            a_sq + self.alpha * s_sq
        )

    def profile(self, r):
        r""":math:`\alpha - f_M(r)/r`, which the convexity profile :math:`\kappa_U(r)` of the law never drops
        below."""
        r, root = np.asarray(r, dtype=float), np.sqrt(self.M)
        return self.alpha - 2 * root * np.tanh(r * root / 2) / r

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, alpha=-2, M=-2, L=-2)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return replace(self, alpha=self.alpha * shrink, M=self.M * shrink**2, L=1 / (1 / self.L + noise_var),
                       second_moment=self.second_moment + self.dim * noise_var)

    def product(self, other):
        """The law of (X_0, X_0') with independent parts under the same kind of assumption."""
        return product_law(self, other, alpha=np.minimum, M=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, M, L = sympy.symbols("alpha M L_U", positive=True)
        return 1 / (L + q), 1 / (alpha + q) + M / (alpha + q) ** 2


ASSUMPTION = WeaklyLogConcave
