"""Strong log-concavity: the data assumption with the sharpest bounds, and the fewest laws."""

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
class StronglyLogConcave(Assumption):
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

    @property
    def weak_log_concavity(self):
        return self.m0, 0.0

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
        return replace(self, m0=1 / (1 / self.m0 + noise_var), L0=1 / (1 / self.L0 + noise_var),
                       second_moment=self.second_moment + self.dim * noise_var)

    def product(self, other):
        """The law of (X_0, X_0') with independent parts under the same kind of assumption."""
        return product_law(self, other, m0=np.minimum, L0=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        m0, L0 = sympy.symbols("m_0 L_0", positive=True)
        return 1 / (L0 + q), 1 / (m0 + q)


ASSUMPTION = StronglyLogConcave
