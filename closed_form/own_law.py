"""A law of your own: functions that sample it and give the score, or the log-density, of what noise makes of
it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.assumption import Assumption, check_constant
from closed_form.law import Law, NoAssumption, Pushed
from closed_form.law_input import points, push_coefficients

#: Relative error granted to a score by numerical differentiation, which stops at 1.5e-8 of it.
NUMERICAL_DERIVATIVE = 1e-6


class OwnLaw(Law):
    r"""A law by functions: what samples hold of it, and bounds by constants that are stated by hand.

    Parameters
    ----------
    dim : int
        d, at least 1.
    sample : callable
        ``sample(n, rng)`` -> n independent draws (n, d) by a numpy generator.
    second_moment : float
        E‖X‖², not centred.
    mean_norm : float
        ‖E X‖.
    score : callable, optional
        ``score(x, a, s_sq)`` -> ∇ log p of aX + √s_sq Z at x, arrays of shape (n, d).
    log_density : callable, optional
        ``log_density(x, a, s_sq)`` -> log p, up to a constant, at x of shape (..., d), an array of shape
        (...); the score is then its numerical derivative.  One of the two is given.
    assumptions : sequence of Assumption
        Constants of the law, the sharpest first; yours to prove.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described; `pushed` says so of what the functions return.
    """

    def __init__(self, dim: int, *, sample: Callable[[int, np.random.Generator], ArrayLike],
                 second_moment: float, mean_norm: float = 0.0,
                 score: Callable[[Array, float, float], ArrayLike] | None = None,
                 log_density: Callable[[Array, float, float], ArrayLike] | None = None,
                 assumptions: Sequence[Assumption] = ()):
        if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or dim < 1:
            raise ValueError(f"dim must be an integer of at least 1, got {dim!r}")
        if (score is None) == (log_density is None):
            raise ValueError("exactly one of score and log_density must be given, got "
                             + ("neither" if score is None else "both"))
        for name, function in (("sample", sample), ("score", score or log_density)):
            if not callable(function):
                raise TypeError(f"{name} must be a callable, got {type(function).__name__}")
        self.dim = int(dim)
        self.second_moment = check_constant("second_moment", second_moment, positive=True)
        self.mean_norm = check_constant("mean_norm", mean_norm)
        for each in assumptions:
            if not isinstance(each, Assumption) or each.dim != dim:
                raise ValueError(f"assumptions must be assumptions of dim {dim}, got {each!r}")
        self._sample, self._score, self._log_density = sample, score, log_density
        self._assumptions = tuple(assumptions)
        if score is None:
            self.score_rounding = NUMERICAL_DERIVATIVE

    def __repr__(self):
        return f"<own law, d = {self.dim}, E‖X‖² = {self.second_moment:g}>"

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        found = np.asarray(self._sample(n, rng), dtype=float)
        if found.shape != (n, self.dim) or not np.isfinite(found).all():
            raise ValueError(f"sample must return finite draws of shape {(n, self.dim)}, got shape {found.shape}")
        return found

    def pushed(self, a: float, s_sq: float) -> Pushed:
        return _PushedOwnLaw(self, *push_coefficients(a, s_sq))

    def assumptions(self) -> tuple[Assumption, ...]:
        if not self._assumptions:
            raise NoAssumption("no assumption is stated of a law of your own: give it assumptions=[…]")
        return self._assumptions


@dataclass(frozen=True)
class _PushedOwnLaw:
    """The law of aX + √s_sq Z."""

    law: OwnLaw
    a: float
    s_sq: float

    def score(self, x):
        """∇ log p at x (n, d)."""
        x, own = points(x, self.law.dim), self.law
        found = (np.asarray(own._score(x, self.a, self.s_sq), dtype=float) if own._score
                 else self._gradient(x))
        if found.shape != x.shape:
            raise ValueError(f"score must return an array of shape {x.shape}, got {found.shape}")
        if not np.isfinite(found).all():
            raise ValueError(f"score must be finite, it is not at a = {self.a:g}, s_sq = {self.s_sq:g}")
        return found

    def _gradient(self, x):
        from scipy.differentiate import jacobian

        def along(y):  # (d, n, …) -> (n, …)
            return self.law._log_density(np.moveaxis(y, 0, -1), self.a, self.s_sq)

        return jacobian(lambda y: along(y)[None], x.T, initial_step=1e-2 * np.sqrt(self.s_sq + 1e-12)).df[0].T
