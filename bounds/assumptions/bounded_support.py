"""The data assumption that needs no density: a support inside a ball."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import sympy

from bounds.annotations import Numbers
from bounds.assumption import Assumption, check_constant, constant
from bounds.assumptions.smoothed_support import SmoothedSupport
from bounds.assumptions.weak_log_concave import WeaklyLogConcave


@dataclass(frozen=True)
class BoundedSupport(Assumption):
    r"""Data supported in a ball of radius R: :math:`c_{lo} = 0`, :math:`c_{up} = R^2`.

    The Fisher information at t = 0 may be infinite, so the sampler must stop early, at a time > 0.

    Parameters
    ----------
    radius : float
        Radius of a ball (any centre) that holds the support; 0 for a point.
    dim, second_moment, mean_norm
        As in `bounds.assumption.Assumption`, and so are the errors.

    Source: docs/theory.md section 1, row four (a variance on a ball is at most R²).
    """

    key: ClassVar[str] = "bounded"
    # of independent parts: radii of one direction, so the larger counts
    radius: Numbers = field(metadata=constant(1, np.maximum, positive=False))
    dim: int = 1
    second_moment: Numbers = field(default=None)  # filled in
    mean_norm: Numbers | None = 0.0
    smoothness: ClassVar[float] = np.inf

    def __post_init__(self):
        super().__post_init__()
        # a point, or a ball whose fourth power is a float
        if np.any(np.asarray(self.radius) > 0):
            check_constant("radius", np.where(np.asarray(self.radius) > 0, self.radius, 1.0), positive=True)

    @property
    def ball(self) -> tuple[Numbers, Numbers]:
        return self.radius, 0.0

    def _largest_variance(self):
        # the whole variance, not dim times one direction's
        return np.square(self.radius)

    def _base_variance(self, q):
        return np.square(self.radius) + 0.0 * q

    def hessian_gap(self, a_sq: Numbers, s_sq: Numbers) -> Numbers:
        with np.errstate(divide="ignore"):
            return np.square(self.radius) * a_sq / np.square(s_sq)

    def smoothed(self, noise_var: float) -> SmoothedSupport:
        """The law of X_0 + N(0, noise_var I)."""
        return SmoothedSupport(self.radius, np.sqrt(noise_var), self.dim,
                               self.second_moment + self.dim * noise_var, self.mean_norm)

    def plus_noise(self, m0: float, L0: float, noise_second_moment: float) -> WeaklyLogConcave:
        r"""The law of X_0 + Z, Z centred, independent, m0-strongly log-concave and L0-smooth.

        Given X_0 = y the tilted X has covariance at most 1/(m0+q), and y ↦ E[X | y] is L0/(L0+q)-Lipschitz,
        so :math:`c_{up} \le 1/(m_0+q) + (R L_0)^2/(L_0+q)^2 \le 1/(m_0+q) + (R L_0)^2/(m_0+q)^2`.
        """
        return WeaklyLogConcave(m0, np.square(self.radius * L0), L0, self.dim,
                                self.second_moment + noise_second_moment, self.mean_norm)

    @staticmethod
    def symbolic(q: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        return sympy.Integer(0), sympy.Symbol("R", positive=True) ** 2 + 0 * q


ASSUMPTION = BoundedSupport
