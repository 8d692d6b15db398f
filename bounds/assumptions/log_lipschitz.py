"""Strong log-concavity up to a log-Lipschitz perturbation."""

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
class LogLipschitz(Assumption):
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
            first = (2 * self.lipschitz * a_sq / (np.sqrt(s_sq) * spread**1.5) if np.any(self.lipschitz)
                     else 0.0)
        return (gap(a_sq, s_sq, self.alpha, self.smoothness) + first
                + np.square(self.lipschitz / spread) * a_sq)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, alpha=-2, lipschitz=-1, L=-2)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I) (the Lipschitz part is rounded up)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return replace(self, alpha=self.alpha * shrink, lipschitz=self.lipschitz * shrink,
                       L=1 / (1 / self.L + noise_var),
                       second_moment=self.second_moment + self.dim * noise_var)

    def product(self, other):
        """The law of (X_0, X_0') with independent parts: only the larger perturbation of a direction
        counts."""
        return product_law(self, other, alpha=np.minimum, lipschitz=np.maximum, L=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        alpha, ell, L = sympy.symbols("alpha ell L_0", positive=True)
        return 1 / (L + q), (1 / sympy.sqrt(alpha + q) + ell / (alpha + q)) ** 2


ASSUMPTION = LogLipschitz
