r"""The data as the recursion sees them: an assumption's constants, in the shape of steps or nodes."""

import numpy as np


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

    def linear_excess(self, a_sq, s_sq):
        """Largest mean Hessian excess the covariance allows (linear estimator)."""
        return a_sq * (self.centred - self.l) / ((s_sq + a_sq * self.centred) * (s_sq + a_sq * self.l))
