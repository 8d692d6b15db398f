r"""The law of X_0 given U = aX_0 + √s_sq Z, in closed form: Gaussian data stay Gaussian, mixtures stay
mixtures."""

import numpy as np
from numpy.typing import ArrayLike

from closed_form.law import Law
from closed_form.law_input import finite_array, push_coefficients


def posterior(law: Law, u: ArrayLike, a: float, s_sq: float) -> Law:
    r"""Law of X_0 given aX_0 + √s_sq Z = u, with Z standard normal.

    Component by component
    :math:`N(\mu + a\Sigma(a^2\Sigma + s^2I)^{-1}(u - a\mu),\; s^2\Sigma(a^2\Sigma + s^2I)^{-1})`, with the
    responsibilities of the smoothed law as weights.  Its mean and covariance are what Tweedie's formula reads
    off the score and the Hessian.

    Parameters
    ----------
    law : Law
        Of X_0: a Gaussian or a GaussianMixture.
    u : array of shape (d,)
    a : float
    s_sq : float
        Positive.

    Raises
    ------
    ValueError
        If ``u`` has another shape or is not finite, ``s_sq`` is not positive, or the law has no posterior in
        closed form.

    Source: docs/theory.md section 8; Bayes' rule for Gaussians.
    """
    u, (a, s_sq) = finite_array("u", u), push_coefficients(a, s_sq)
    if u.shape != (law.dim,):
        raise ValueError(f"u must have shape ({law.dim},), got {u.shape}")
    if s_sq == 0:
        raise ValueError("s_sq must be positive, got 0: U without noise is X_0 itself")
    return law.posterior(u, a, s_sq)


def shrunk(covariance, a: float, s_sq: float):
    """Σ(a²Σ + s²I)⁻¹, symmetric, for matrices (…, d, d)."""
    values, basis = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    return (basis * (values / (a * a * values + s_sq))[..., None, :]) @ np.swapaxes(basis, -1, -2)
