"""The variance of a scheme's prior from the forward law at the horizon, in extended precision, with its error."""

import numpy as np

from bounds.sampler import Scheme
from closed_form.steps.polynomials import WIDE

_EPS = float(np.finfo(WIDE).eps)


def prior_of(scheme: Scheme, a, s_sq, a_error: float, s_sq_error: float) -> tuple:
    """(Variance, how far it may be off) from a and s² at the horizon and their errors."""
    variance = scheme.prior_var(a**2, s_sq, WIDE)
    if scheme.prior_std is not None or scheme.prior_covariance is not None:
        return variance, 0.0
    a_sq_error = a_error * (2 * a + a_error) + 4 * _EPS * a**2
    return variance, float(s_sq_error + scheme.prior_spread * a_sq_error)
