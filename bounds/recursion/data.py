r"""The data as the recursion sees them: an assumption's constants, in the shape of steps or nodes."""

import numpy as np

from bounds.steps.rule import hessian_moments


def expand(value, axes: int):
    """A batch of constants with trailing axes added (numbers stay numbers)."""
    return (value.reshape(*value.shape, *([1] * axes)) if isinstance(value, np.ndarray) and value.ndim
            else value)


class Constants:
    """The assumption's constants with trailing axes added, so that they broadcast over steps or nodes."""

    def __init__(self, assumption, axes: int):
        self._assumption = assumption.mapped(lambda value: expand(value, axes))
        self.d = self._assumption.dim
        self.m2 = self._assumption.second_moment
        self.l = 1 / self._assumption.smoothness
        # E‖X_0‖² ≥ d/L: equality is rounded the right way
        self.m = np.maximum(self.m2 / self.d, self.l)
        self.centred = self._assumption.centred_variance

    def hessian(self, a_sq, s_sq):
        """(H_lo, X) at the given a², s²."""
        assumption = self._assumption
        return assumption.hessian_lower(a_sq, s_sq), assumption.hessian_gap(a_sq, s_sq)

    def _excess_of(self, variance, a_sq, s_sq):
        return a_sq * (variance - self.l) / ((s_sq + a_sq * variance) * (s_sq + a_sq * self.l))

    def linear_excess(self, a_sq, s_sq):
        """Largest mean Hessian excess the covariance allows (linear estimator)."""
        return self._excess_of(self.centred, a_sq, s_sq)

    def known_excess(self, moments, a_sq, s_sq):
        """(Excess of the variance E‖X_0‖²/d, what is known of it from below: 0 without moments)."""
        excess = self._excess_of(self.m, a_sq, s_sq)
        if moments is None:
            return excess, np.zeros_like(excess)
        x1, e1, _, _ = hessian_moments(moments, a_sq, s_sq)
        # the known excess is at most the linear one; rounding may say otherwise
        return excess, np.clip(x1 - e1, 0.0, excess)
