r"""Data assumptions as posterior-covariance envelopes: how much X_0 may still vary once seen through Gaussian noise.

Every assumption answers one question (docs/theory.md section 1): between which :math:`c_{lo}(q) I` and
:math:`c_{up}(q) I` does the covariance of any tilt :math:`p_0(x) e^{-q\|x\|^2/2 + b\cdot x}` lie?  Constants may be
floats or arrays that broadcast, so that one call bounds many problems.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from bounds.assumptions.bounded_support import BoundedSupport
from bounds.assumptions.log_concave import LogLipschitz, StronglyLogConcave, WeaklyLogConcave


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


#: Every assumption by the key used in problem files.
ASSUMPTIONS = {
    kind.key: kind for kind in (StronglyLogConcave, WeaklyLogConcave, LogLipschitz, BoundedSupport)
}
