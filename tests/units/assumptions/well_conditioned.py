"""Strong log-concavity by its condition number: how much rounder than its narrowest direction the law may be."""

from dataclasses import dataclass, field
from typing import ClassVar

from bounds.assumption import Assumption, constant


@dataclass(frozen=True)
class WellConditioned(Assumption):
    r"""m0-strongly log-concave data with κ = L0/m0: :math:`c_{lo} = 1/(\kappa m_0+q)`, :math:`c_{up} = 1/(m_0+q)`.

    Parameters
    ----------
    m0 : float, inverse squared data units
    condition : float
        κ >= 1.
    dim, second_moment, mean_norm
        As in `bounds.assumption.Assumption`.

    Source: docs/theory.md section 1, row one.
    """

    key: ClassVar[str] = "well-conditioned"
    convexity_and_smoothness: ClassVar[tuple] = ("m0", "smoothness")
    m0: float = field(metadata=constant(-2))
    condition: float = field(metadata=constant(0))
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        if self.condition < 1:
            raise ValueError(f"condition must be at least 1, got {self.condition}")
        super().__post_init__()

    @property
    def smoothness(self):
        return self.m0 * self.condition

    @property
    def weak_log_concavity(self):
        return self.m0, 0.0


ASSUMPTION = WellConditioned
