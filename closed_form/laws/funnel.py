r"""The funnel :math:`X_1 \sim N(0, \sigma_f^2)`, :math:`X_i | X_1 \sim N(0, e^{X_1})`: density, score, pushed
law by quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption
from closed_form.law import MAX_DIM, DataLaw, Law, NoAssumption
from closed_form.law_input import points, push_coefficients
from closed_form.posteriors.funnel import NESTED, NODES, scale_posterior

_LARGEST_STD = 10.0


@dataclass(frozen=True)
class Funnel(Law):
    r"""Neal's funnel in dimension d, a law whose other coordinates are scaled by the first.

    .. math:: X_1 = \rho w, \quad X_i | w \sim N(0, e^{\sigma_f w - c}), \quad w \sim N(0, 1),

    with ρ = σ_f and c = 0, or standardised, ρ = 1 and c = σ_f²/2: every coordinate has variance 1.

    Parameters
    ----------
    dim : int
    std : float
        σ_f, positive and at most 10.
    standardized : bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Source: Neal (2003); arXiv 2511.02419 (experiments); docs/theory.md section 8.
    """

    dim: int
    std: float = 1.0
    standardized: bool = False

    def __post_init__(self):
        if isinstance(self.dim, bool) or not isinstance(self.dim, int | np.integer):
            raise TypeError(f"dim must be an integer of at least 1, got {self.dim!r}")
        if self.dim < 1:
            raise ValueError(f"dim must be an integer of at least 1, got {self.dim}")
        if isinstance(self.std, bool) or not isinstance(self.std, int | float | np.floating):
            raise TypeError(f"std must be a number, got {self.std!r}")
        if not 0.0 < self.std <= _LARGEST_STD:
            raise ValueError(f"std must be positive and at most {_LARGEST_STD:g}, got {self.std}")
        if not isinstance(self.standardized, bool | np.bool_):
            raise TypeError(f"standardized must be true or false, got {self.standardized!r}")

    @property
    def first_std(self) -> float:
        """ρ, the standard deviation of the first coordinate."""
        return 1.0 if self.standardized else float(self.std)

    @property
    def log_shift(self) -> float:
        """c, what is taken off the log variance of the others."""
        return self.std**2 / 2 if self.standardized else 0.0

    @property
    def variances(self) -> Array:
        """Variance of every coordinate, shape (d,)."""
        found = np.full(self.dim, math.exp(self.std**2 / 2 - self.log_shift))
        found[0] = self.first_std**2
        return found

    @property
    def mean_norm(self) -> float:
        """‖E X‖ = 0."""
        return 0.0

    @property
    def second_moment(self) -> float:
        """E‖X‖²."""
        return float(self.variances.sum())

    def assumptions(self) -> tuple[Assumption, ...]:
        """Nothing is proved about the funnel.

        Raises
        ------
        NoAssumption
            Always: given X_1 the variance of the others is not bounded, and no envelope of the posterior
            covariance is known.
        """
        raise NoAssumption(
            "no assumption is proved for a funnel: the variance exp(X_1) of its coordinates is not bounded, "
            "and no envelope of its posterior covariance is known"
        )

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent draws, shape (n, d)."""
        x = rng.standard_normal((n, self.dim))
        x[:, 1:] *= np.exp(0.5 * (self.std * x[:, :1] - self.log_shift))
        x[:, 0] *= self.first_std
        return x

    def pushed(self, a: float, s_sq: float, nodes: int = NODES, nested: float = NESTED) -> PushedFunnel:
        """Law of aX + √s_sq Z with Z standard normal; ``nodes`` and ``nested`` as in `scale_posterior`."""
        a, s_sq = push_coefficients(a, s_sq)
        if not s_sq > 0.0:
            raise ValueError(f"s_sq must be positive for a pushed funnel, got {s_sq}")
        return PushedFunnel(self, a, s_sq, nodes, nested)

    def shrinkage(self, first: Array, energy: Array, a: float, s_sq: float, nodes: int = NODES,
                  nested: float = NESTED) -> tuple[Array, Array]:
        """As `Law.shrinkage`: (c, s_1) of the pushed law, by the one integral that all the others share."""
        pushed = self.pushed(a, s_sq, nodes, nested)
        left, pull, _ = pushed.scale_moments(first, energy)
        return left / s_sq, (pushed.signal * pull - first) / (np.sqrt(s_sq) * (1.0 + pushed.signal**2))

    def log_density(self, x: ArrayLike) -> Array:
        """log p(x), x of shape (n, d), result (n,)."""
        x, log_variance = self._log_variance(x)
        energy = np.square(x[:, 1:]).sum(axis=1) * np.exp(-log_variance)
        first = np.square(x[:, 0] / self.first_std) + 2.0 * math.log(self.first_std)
        return -0.5 * (first + energy + (self.dim - 1) * log_variance + self.dim * math.log(2.0 * math.pi))

    def score(self, x: ArrayLike) -> Array:
        """∇log p(x), shape (n, d)."""
        x, log_variance = self._log_variance(x)
        found = -x * np.exp(-log_variance)[:, None]
        energy = -(x[:, 1:] * found[:, 1:]).sum(axis=1)
        pull = 0.5 * (energy - (self.dim - 1)) * self.std
        found[:, 0] = (pull - x[:, 0] / self.first_std) / self.first_std
        return found

    def _log_variance(self, x):
        x = points(x, self.dim)
        return x, self.std * x[:, 0] / self.first_std - self.log_shift


@dataclass(frozen=True)
class PushedFunnel:
    r"""The law p of aX + √s_sq Z: one integral over the first coordinate, exact in any d.

    With z = x/s, q = a²/s², V = 1/(1 + ρ²q) and w | z_1 ~ N(Vρ√q z_1, V) the score is

    .. math:: s_1 = -\frac{V}{s}(z_1 - \rho\sqrt q\,\sigma_f E[\tfrac12 p(r(1-p) - n)]), \qquad
              s_i = -\frac{1}{s} E[1 - p] z_i,

    where p = vq/(1 + vq), v = e^{σ_f w − c}, r = Σ_{i>1} z_i², n = d − 1, and E is the posterior mean.

    Attributes
    ----------
    law : Funnel
    a, s_sq : float
    nodes, nested
        As in `closed_form.posteriors.funnel.scale_posterior`.
    """

    law: Funnel
    a: float
    s_sq: float
    nodes: int = NODES
    nested: float = NESTED

    @property
    def signal(self) -> float:
        """ρ√q: what the first observation carries of w."""
        return self.law.first_std * self.a / math.sqrt(self.s_sq)

    def scale_moments(self, first, energy, nodes: int | None = None):
        """(E[1 − p], σ_f E[slope], log mass) at z_1 and r, arrays of shape (n,)."""
        law, shrunk = self.law, 1.0 / (1.0 + self.signal**2)
        if law.dim == 1:
            return np.ones_like(first), np.zeros_like(first), np.zeros_like(first)
        with np.errstate(divide="ignore"):
            level = np.log(np.square(self.a)) - math.log(self.s_sq) - law.log_shift
        start = (law.std * shrunk * self.signal) * first + level
        slope = law.std * math.sqrt(shrunk)
        left, pull, mass = scale_posterior(start, energy, slope, law.dim - 1, nodes or self.nodes,
                                           self.nested)
        return left, law.std * pull, mass

    def log_density(self, x: ArrayLike) -> Array:
        """log p(x), x of shape (n, d), result (n,)."""
        z = points(x, self.law.dim) / math.sqrt(self.s_sq)
        variance = 1.0 + self.signal**2
        log_mass = self.scale_moments(z[:, 0], np.square(z[:, 1:]).sum(axis=1))[2]
        constant = math.log(variance) + self.law.dim * math.log(2.0 * math.pi * self.s_sq)
        return log_mass - 0.5 * (np.square(z[:, 0]) / variance + constant)

    def score(self, x: ArrayLike, nodes: int | None = None) -> Array:
        """∇log p(x), shape (n, d)."""
        s = math.sqrt(self.s_sq)
        z = points(x, self.law.dim) / s
        left, pull, _ = self.scale_moments(z[:, 0], np.square(z[:, 1:]).sum(axis=1), nodes)
        found = z * (-left / s)[:, None]
        found[:, 0] = (self.signal * pull - z[:, 0]) / (s * (1.0 + self.signal**2))
        return found

    def score_error(self, x: ArrayLike) -> Array:
        """Estimated error of the score: its distance from the one with twice the nodes, shape (n,)."""
        return np.linalg.norm(self.score(x) - self.score(x, 2 * self.nodes - 1), axis=1)


def _read(section, _folder) -> Funnel:
    dim, std = section.count("dim", MAX_DIM), section.number("std", 1.0, positive=True)
    return Funnel(dim, std, section.flag("standardized", False))


LAW = DataLaw("funnel", ("dim", "std", "standardized"), _read, by_hand=False, stored=("std", "standardized"),
              needed=("dim",), forms={"dim": "count", "std": "positive number", "standardized": "flag"})
