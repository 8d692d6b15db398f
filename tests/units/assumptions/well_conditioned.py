"""Strong log-concavity by its condition number: how much rounder than its narrowest direction the law may be."""

from dataclasses import dataclass
from typing import ClassVar

from bounds.assumption import Assumption, check_constant, check_moments, gap, scaled_law


@dataclass(frozen=True)
class WellConditioned(Assumption):
    r"""m0-strongly log-concave data with κ = L0/m0: :math:`c_{lo} = 1/(\kappa m_0+q)`, :math:`c_{up} = 1/(m_0+q)`.

    Parameters
    ----------
    m0 : float, inverse squared data units
    condition : float
        κ >= 1.
    dim, second_moment, mean_norm
        As in `bounds.assumptions.strong_log_concave.StronglyLogConcave`.

    Source: docs/theory.md section 1, row one.
    """

    key: ClassVar[str] = "well-conditioned"
    m0: float
    condition: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        for name in ("m0", "condition"):
            object.__setattr__(self, name, check_constant(name, getattr(self, name), positive=True))
        if self.condition < 1:
            raise ValueError(f"condition must be at least 1, got {self.condition}")
        check_moments(self)

    @property
    def smoothness(self):
        return self.m0 * self.condition

    @property
    def weak_log_concavity(self):
        return self.m0, 0.0

    def _base_variance(self, q):
        return 1.0 / (self.m0 + q)

    def _excess_over_base(self, q):
        return 0.0

    def hessian_gap(self, a_sq, s_sq):
        return gap(a_sq, s_sq, self.m0, self.smoothness)

    def scaled(self, factor):
        """The law of factor·X_0."""
        return scaled_law(self, factor, m0=-2)


ASSUMPTION = WellConditioned
