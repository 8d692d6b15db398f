"""The data assumption that needs no density: a support inside a ball."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bounds.assumption import Assumption, check_constant, check_moments, product_law, scaled_law
from bounds.assumptions.weak_log_concave import WeaklyLogConcave


@dataclass(frozen=True)
class BoundedSupport(Assumption):
    r"""Data supported in a ball of radius R: :math:`c_{lo} = 0`, :math:`c_{up} = R^2`.

    The Fisher information at t = 0 may be infinite, so the sampler must stop early, at a time > 0.

    Parameters
    ----------
    radius : float
        Radius of a ball (any centre) that holds the support.
    dim, second_moment, mean_norm
        As in `StronglyLogConcave`.

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range or contradicts another.

    Source: docs/theory.md section 1, row four (a variance on a ball is at most R²).
    """

    key: ClassVar[str] = "bounded"
    radius: float
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0
    smoothness: ClassVar[float] = np.inf
    needs_early_stop: ClassVar[bool] = True

    def __post_init__(self):
        object.__setattr__(self, "radius", check_constant("radius", self.radius, positive=True))
        if self.second_moment is None and self.mean_norm is not None:
            # the whole variance, not dim times one direction's
            object.__setattr__(self, "second_moment", np.square(self.radius) + np.square(self.mean_norm))
        check_moments(self)

    def _base_variance(self, q):
        return np.square(self.radius) + 0.0 * q

    def _excess_over_base(self, q):
        return 0.0

    def hessian_gap(self, a_sq, s_sq):
        with np.errstate(divide="ignore"):
            return np.square(self.radius) * a_sq / np.square(s_sq)

    def scaled(self, factor: float):
        """The law of factor·X_0."""
        return scaled_law(self, factor, radius=1)

    def smoothed(self, noise_var: float) -> WeaklyLogConcave:
        """The law of X_0 + N(0, noise_var I): weakly log-concave with α = L = 1/σ², M = R²/σ⁴
        (Bhatia–Davis)."""
        return self.plus_noise(1 / noise_var, 1 / noise_var, self.dim * noise_var)

    def plus_noise(self, m0: float, L0: float, noise_second_moment: float) -> WeaklyLogConcave:
        r"""The law of X_0 + Z, Z centred, independent, m0-strongly log-concave and L0-smooth.

        Given X_0 = y the tilted X has covariance at most 1/(m0+q), and y ↦ E[X | y] is L0/(L0+q)-Lipschitz,
        so :math:`c_{up} \le 1/(m_0+q) + (R L_0)^2/(L_0+q)^2 \le 1/(m_0+q) + (R L_0)^2/(m_0+q)^2`.
        """
        return WeaklyLogConcave(m0, np.square(self.radius * L0), L0, self.dim,
                                self.second_moment + noise_second_moment, self.mean_norm)

    def product(self, other):
        """The law of (X_0, X_0') with independent parts: radii of one direction, so the larger counts."""
        return product_law(self, other, radius=np.maximum)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        return sympy.Integer(0), sympy.Symbol("R", positive=True) ** 2 + 0 * q


ASSUMPTION = BoundedSupport
