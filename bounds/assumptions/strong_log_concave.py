"""Strong log-concavity: the data assumption with the sharpest bounds, and the fewest laws."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import sympy

from bounds.annotations import Numbers
from bounds.assumption import Assumption, constant


@dataclass(frozen=True)
class StronglyLogConcave(Assumption):
    r"""m0-strongly log-concave and L0-smooth data: :math:`m_0 I \preceq -\nabla^2 \log p_0 \preceq L_0 I`.

    :math:`c_{lo} = 1/(L_0+q)` (Cramér–Rao), :math:`c_{up} = 1/(m_0+q)` (Brascamp–Lieb).

    Parameters
    ----------
    m0, L0 : float, inverse squared data units
        Need 0 < m0 <= L0.  L0 = ∞ is a law without a bounded density, such as a Gaussian on a subspace, of which
        X_0 + sZ is (1/m0 + s²)⁻¹-strongly log-concave for every s > 0: the sampler must stop early, at a time > 0.
    dim, second_moment, mean_norm
        As in `bounds.assumption.Assumption`, and so are the errors.

    Source: arXiv 2311.11003, Assumption 1.
    """

    key: ClassVar[str] = "strong-log-concave"
    convexity_and_smoothness: ClassVar[tuple] = ("m0", "L0")
    m0: Numbers = field(metadata=constant(-2, np.minimum))
    L0: Numbers = field(metadata=constant(-2, np.maximum, infinite=True))
    dim: int = 1
    second_moment: Numbers = field(default=None)  # filled in
    mean_norm: Numbers | None = 0.0

    @property
    def weak_log_concavity(self) -> tuple[Numbers, Numbers]:
        return self.m0, 0.0

    def smoothed(self, noise_var: float) -> Self:
        """The law of X_0 + N(0, noise_var I)."""
        return self._blurred(noise_var, m0=1 / (1 / self.m0 + noise_var), L0=1 / (1 / self.L0 + noise_var))

    @staticmethod
    def symbolic(q: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        m0, L0 = sympy.symbols("m_0 L_0", positive=True)
        return 1 / (L0 + q), 1 / (m0 + q)


ASSUMPTION = StronglyLogConcave
