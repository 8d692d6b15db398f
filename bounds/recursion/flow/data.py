r"""The data as the flow sees them at a noise level: how large the predicted noise is, and how fast it turns.

In :math:`Y = X_0 + \sigma Z` the flow is :math:`dY/d\sigma = \varepsilon(Y, \sigma) = E[Z | Y]`.  Hats are
posterior covariances over σ².
"""

from dataclasses import dataclass

import numpy as np

from bounds.assumption import Assumption

#: :math:`|\kappa| \le k_R R^3` and :math:`k_2 R^2 \sqrt V` for a law of variance V in a ball, on a line and above.
LINE, SPACE = (4 / (3 * np.sqrt(3)), 1.0), (0.5 * 1.5**1.5, 1.1134)
#: Largest ĉ of a Gaussian that a step is held against.
WIDEST = 1 - 1e-4
#: Its least variance in σ², and as a number where it is that of the data.
NARROWEST, POINT = 1e-30, 1e-300


@dataclass(frozen=True)
class Level:
    """The data at noise levels σ: arrays of one shape.

    Attributes
    ----------
    c_lo, c_up : ĉ at both ends of the envelope; ``x_lo``, ``x_up`` their complements 1 − ĉ.
    c_mean : what the mean of ĉ is at most.
    e : ‖ε‖ is at most.
    k : ‖κ̂‖ is at most, κ̂ the third moment of the posterior over σ³.
    """

    sigma: np.ndarray
    c_lo: np.ndarray
    c_up: np.ndarray
    x_lo: np.ndarray
    x_up: np.ndarray
    c_mean: np.ndarray
    e: np.ndarray
    k: np.ndarray


class FlowData:
    """An assumption at noise levels.

    Parameters
    ----------
    assumption : Assumption
        Of one problem.
    functions
        The ``stated`` of the theorem as functions of numbers.

    Attributes
    ----------
    ball : (R, s0) or None
        X_0 = μ + s0 G with μ in a ball of radius R, where that is known.
    centre_norm : float
        The norm of the ball's centre is at most this.
    """

    def __init__(self, assumption: Assumption, functions):
        self._assumption, self._functions = assumption, functions
        self.d = float(assumption.dim)
        self.l = float(1 / assumption.smoothness)
        # E‖X_0‖² ≥ d/L: equality is rounded the right way
        self.m = max(float(assumption.second_moment) / self.d, self.l)
        self.centred = max(float(assumption.centred_variance), self.l)
        self.mean_norm = float(assumption.largest_mean_norm)
        self.ball = None if assumption.ball is None else tuple(float(size) for size in assumption.ball)
        self.centre_norm = self.mean_norm + self.ball[0] if self.ball else 0.0

    def at(self, sigma) -> Level:
        """The data at noise levels > 0, an array of any shape."""
        square = np.square(sigma)
        with np.errstate(over="ignore", invalid="ignore"):
            rise = square * self._assumption.hessian_gap(1.0, square)
        x_lo, c_lo = square / (self.l + square), self.l / (self.l + square)
        c_up, linear = c_lo + rise, self.centred / (self.centred + square)
        c_mean = np.maximum(np.minimum(c_up, linear), c_lo)
        e = self._functions["noise_size"](d=self.d, l=self.l, sigma=sigma)
        k = self._third(sigma, c_lo, c_up, x_lo, c_mean, e)
        return Level(sigma, c_lo, c_up, x_lo, x_lo - rise, c_mean, e, k)

    def excess(self, sigma):
        """(ĉ_up − ĉ_lo, the linear estimator's ĉ − ĉ_lo), which the mean of ĉ is at most, without cancellation."""
        square = np.square(sigma)
        linear = (self.centred - self.l) * square / ((self.centred + square) * (self.l + square))
        return square * self._assumption.hessian_gap(1.0, square), linear

    def _third(self, sigma, c_lo, c_up, x_lo, c_mean, e):
        """What ‖κ̂‖ is at most."""
        known = dict(d=self.d, sigma=sigma, c_lo=c_lo, c_up=c_up, x_lo=x_lo, c_mean=c_mean, e=e)
        found = self._functions["third"](**known)
        strong, weak = self._assumption.strong_log_concavity, self._assumption.weak_log_concavity
        with np.errstate(over="ignore"):
            if strong is not None and np.isfinite(self._assumption.smoothness):
                smooth = float(self._assumption.smoothness)
                found = np.minimum(found, self._functions["third_strong"](
                    **known, m0=min(float(strong), smooth), L0=smooth))
            if weak is not None:
                alpha, M = (float(value) for value in weak)
                found = np.minimum(found, self._functions["third_weak"](**known, alpha=alpha, M=M))
            if self.ball:
                k_R, k_2 = LINE if self.d == 1 else SPACE
                spread = self._functions["ball_variance"](**known, R=self.ball[0])
                found = np.minimum(found, self._functions["third_ball"](
                    **known, R=self.ball[0], k_R=k_R, k_2=k_2, EV=np.maximum(spread, 0.0)))
        return found

    def references(self, level: Level) -> np.ndarray:
        """Variances v of Gaussians that the step may be held against, shape (c, …): 0 and those whose ĉ is in
        the envelope."""
        rise = level.c_mean - level.c_lo
        between = (level.c_lo + rise / 2, level.c_lo + 3 * rise / 4, (level.c_lo + level.c_up) / 2, level.c_up)
        # a Gaussian as wide as it takes where ĉ reaches 1
        found = [np.square(level.sigma) * (c / (1 - c)) for c in np.minimum(between, WIDEST)]
        # as good as 0, where Ω has a limit
        known = [NARROWEST * np.square(level.sigma),
                 *(np.full_like(level.sigma, max(v, POINT)) for v in (self.l, self.centred))]
        return np.stack([*known, *found])

    def turn_rate(self, level: Level, v):
        """Δ′(σ; v): how fast that changes along the flow, shape of v and σ."""
        known = dict(d=self.d, sigma=level.sigma, c_lo=level.c_lo, c_up=level.c_up, x_lo=level.x_lo,
                     x_up=level.x_up,
                     c_0=v / (v + np.square(level.sigma)), e=level.e, k=level.k)
        found = self._functions["rate_any"](**known)
        strong = self._assumption.strong_log_concavity
        with np.errstate(over="ignore"):
            if strong is not None and np.isfinite(self._assumption.smoothness):
                smooth = float(self._assumption.smoothness)
                found = np.minimum(found, self._functions["rate_strong"](
                    **known, m0=min(float(strong), smooth), L0=smooth))
            if self.ball:
                found = np.minimum(found, self._functions["rate_ball"](
                    **known, R=self.ball[0], k_2=(LINE if self.d == 1 else SPACE)[1]))
        return found

    def turn(self, level: Level, v):
        """Δ(σ; v): how fast the predicted noise leaves that of N(·, v I), shape of v and σ."""
        reference = v / (v + np.square(level.sigma))
        return self._functions["turn"](d=self.d, sigma=level.sigma, c_lo=level.c_lo, c_up=level.c_up,
                                       c_0=reference, e=level.e, k=level.k)
