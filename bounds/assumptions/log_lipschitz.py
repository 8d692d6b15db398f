"""Strong log-concavity up to a log-Lipschitz perturbation."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import sympy

from bounds.annotations import Numbers
from bounds.assumption import Assumption, constant


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
        As in `bounds.assumption.Assumption`, and so are the errors.

    Source: arXiv 2511.02419, structure and regularity assumptions.
    """

    key: ClassVar[str] = "log-lipschitz"
    convexity_and_smoothness: ClassVar[tuple] = ("alpha", "L")
    alpha: Numbers = field(metadata=constant(-2, np.minimum))
    # of independent parts only the larger perturbation of a direction counts
    lipschitz: Numbers = field(metadata=constant(-1, np.maximum, positive=False))
    L: Numbers = field(metadata=constant(-2, np.maximum))
    dim: int = 1
    second_moment: Numbers = field(default=None)  # filled in
    mean_norm: Numbers | None = 0.0

    def _excess_over_base(self, q):
        return 2 * self.lipschitz / (self.alpha + q) ** 1.5 + np.square(self.lipschitz / (self.alpha + q))

    def hessian_gap(self, a_sq: Numbers, s_sq: Numbers) -> Numbers:
        spread = a_sq + self.alpha * s_sq
        with np.errstate(divide="ignore"):
            first = (2 * self.lipschitz * a_sq / (np.sqrt(s_sq) * spread**1.5) if np.any(self.lipschitz)
                     else 0.0)
        return super().hessian_gap(a_sq, s_sq) + first + np.square(self.lipschitz / spread) * a_sq

    def smoothed(self, noise_var: float) -> Self:
        """The law of X_0 + N(0, noise_var I) (the Lipschitz part is rounded up)."""
        shrink = 1 / (1 + self.alpha * noise_var)
        return self._blurred(noise_var, alpha=self.alpha * shrink, lipschitz=self.lipschitz * shrink,
                             L=1 / (1 / self.L + noise_var))

    @staticmethod
    def symbolic(q: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        alpha, ell, L = sympy.symbols("alpha ell L_0", positive=True)
        return 1 / (L + q), (1 / sympy.sqrt(alpha + q) + ell / (alpha + q)) ** 2


ASSUMPTION = LogLipschitz
