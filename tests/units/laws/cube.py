r"""The uniform law on the cube :math:`[-w, w]^d`: no score without noise, and a smooth one with it."""

import numpy as np
from scipy.special import log_ndtr

from closed_form.law import MAX_DIM, DataLaw, Law
from closed_form.law_input import points, push_coefficients


class Cube(Law):
    """Independent coordinates, uniform on [−w, w]."""

    def __init__(self, width: float, dim: int):
        self.width, self.dim = width, dim
        self.second_moment, self.mean_norm = dim * width**2 / 3, 0.0

    def sample(self, n, rng):
        return rng.uniform(-self.width, self.width, (n, self.dim))

    def pushed(self, a, s_sq):
        return _BlurredCube(a * self.width, s_sq, self.dim)

    def assumptions(self):
        from bounds.assumptions.bounded_support import BoundedSupport

        return (BoundedSupport(self.width * self.dim**0.5, self.dim, self.second_moment, self.mean_norm),)


class _BlurredCube:
    """The uniform law on [−w, w]^d with noise of variance s²."""

    def __init__(self, width, s_sq, dim):
        self.width, self.dim = width, dim
        _, self.s_sq = push_coefficients(1.0, s_sq)

    def score(self, x):
        """−sign(x) (φ(u) − φ(l))/(s (Φ(u) − Φ(l))), u and l the edges seen from the left of the middle."""
        x, s = points(x, self.dim), self.s_sq**0.5
        u, l = ((edge - np.abs(x)) / s for edge in (self.width, -self.width))
        mass = log_ndtr(u) + np.log1p(-np.exp(log_ndtr(l) - log_ndtr(u)))
        rise = np.exp(-(u**2) / 2 - mass) * -np.expm1((u**2 - l**2) / 2)
        return -np.sign(x) * rise / (s * np.sqrt(2 * np.pi))


LAW = DataLaw(
    "cube", ("width", "dim"),
    lambda section, _: Cube(section.number("width", positive=True), section.count("dim", MAX_DIM, 1)),
)
