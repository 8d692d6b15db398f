"""A support inside a ball, smoothed by a Gaussian: mixtures of one isotropic Gaussian, finite or continuous."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from bounds.assumption import LARGEST_CONSTANT, Assumption, constant
from bounds.assumptions.weak_log_concave import WeaklyLogConcave


@dataclass(frozen=True)
class SmoothedSupport(Assumption):
    r"""Data Y + N(0, std² I) with Y in a ball of radius R.

    They are weakly log-concave with α = L = 1/std² and M = R²/std⁴, and what is kept besides is the ball:
    :math:`E[Y | X_t]` never leaves it, whatever the state.

    Parameters
    ----------
    radius, std : float
        Of a ball (any centre) that holds the support of Y; of the Gaussian.  Need radius >= 0, std > 0.
    dim, second_moment, mean_norm
        As in `bounds.assumption.Assumption`, and so are the errors.

    Source: docs/theory.md section 1, row two (Bhatia–Davis), and section 12, class B.
    """

    key: ClassVar[str] = "smoothed-support"
    also: ClassVar[tuple[str, ...]] = (WeaklyLogConcave.key,)
    radius: float = field(metadata=constant(1, positive=False))
    std: float = field(metadata=constant(1))
    dim: int = 1
    second_moment: float | None = None
    mean_norm: float | None = 0.0

    def __post_init__(self):
        super().__post_init__()
        # α = L = 1/std² and M = (radius/std²)² must be constants too
        most = LARGEST_CONSTANT**0.5
        for name, size, least in (("std", self.std, 1 / most), ("radius/std²", self.radius * self.alpha, 0.0)):
            far = np.asarray(size)[(np.asarray(size) > most) | (np.asarray(size) < least)]
            if far.size:
                raise ValueError(f"{name} must be between {least:g} and {most:g} (choose other units), got "
                                 f"{float(far.flat[0])}")

    @property
    def alpha(self):
        """α = 1/std²."""
        return 1 / np.square(self.std)

    @property
    def M(self):
        """M = R²/std⁴."""
        return np.square(self.radius * self.alpha)

    @property
    def L(self):
        """L = 1/std²."""
        return self.alpha

    @property
    def _ends(self):
        return self.alpha, self.alpha

    @property
    def weak_log_concavity(self):
        return self.alpha, self.M

    @property
    def ball(self):
        return self.radius, self.std

    def _excess_over_base(self, q):
        return self.M / np.square(self.alpha + q)

    def _largest_variance(self):
        # the whole variance of Y, not dim times one direction's
        return np.square(self.radius) + self.dim * np.square(self.std)

    def hessian_gap(self, a_sq, s_sq):
        return self.M * a_sq / np.square(a_sq + self.alpha * s_sq)

    def weaker(self) -> WeaklyLogConcave:
        """The same without the ball."""
        return WeaklyLogConcave(self.alpha, self.M, self.L, self.dim, self.second_moment, self.mean_norm)

    def profile(self, r):
        """As `WeaklyLogConcave.profile`."""
        return self.weaker().profile(r)

    def smoothed(self, noise_var: float):
        """The law of X_0 + N(0, noise_var I)."""
        return self._blurred(noise_var, std=np.hypot(self.std, np.sqrt(noise_var)))

    def product(self, other):
        """The law of (X_0, X_0') with independent parts, as weakly log-concave: a ball of both would be wider
        than that of one direction."""
        return self.weaker().product(other.weaker() if isinstance(other, SmoothedSupport) else other)

    @staticmethod
    def symbolic(q):
        """(c_lo, c_up) as sympy expressions in q and the constants."""
        import sympy

        R, std = sympy.symbols("R std", positive=True)
        floor = std**2 / (1 + std**2 * q)
        return floor, floor + R**2 / (1 + std**2 * q) ** 2


ASSUMPTION = SmoothedSupport
