"""Weak log-concavity: convex at a distance, which Gaussian mixtures are."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bounds.annotations import Array, Numbers
from bounds.assumption import Assumption, constant


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
        As in `bounds.assumption.Assumption`, and so are the errors.

    Source: arXiv 2501.02298, (α, M)-weak log-concavity and one-sided log-Lipschitz condition.
    """

    key: ClassVar[str] = "weak-log-concave"
    convexity_and_smoothness: ClassVar[tuple] = ("alpha", "L")
    alpha: Numbers = field(metadata=constant(-2, np.minimum))
    M: Numbers = field(metadata=constant(-2, np.maximum, positive=False))
    L: Numbers = field(metadata=constant(-2, np.maximum))
    dim: int = 1
    second_moment: Numbers = field(default=None)  # filled in
    mean_norm: Numbers | None = 0.0

    @property
    def weak_log_concavity(self) -> tuple[Numbers, Numbers]:
        return self.alpha, self.M

    def _excess_over_base(self, q):
        return self.M / np.square(self.alpha + q)

    def hessian_gap(self, a_sq: Numbers, s_sq: Numbers) -> Numbers:
        return super().hessian_gap(a_sq, s_sq) + self.M * a_sq / np.square(a_sq + self.alpha * s_sq)

    def profile(self, r: ArrayLike) -> Array:
        r""":math:`\alpha - f_M(r)/r`, the least that the convexity profile :math:`\kappa_U(r)` may be."""
        r, root = np.asarray(r, dtype=float), np.sqrt(self.M)
        return self.alpha - 2 * root * np.tanh(r * root / 2) / r

    def smoothed(self, noise_var: float) -> Self:
        """The law of X_0 + N(0, noise_var I)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return self._blurred(noise_var, alpha=self.alpha * shrink, M=self.M * shrink**2,
                             L=1 / (1 / self.L + noise_var))

    @staticmethod
    def symbolic(q: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        alpha, M, L = sympy.symbols("alpha M L_U", positive=True)
        return 1 / (L + q), 1 / (alpha + q) + M / (alpha + q) ** 2


ASSUMPTION = WeaklyLogConcave
