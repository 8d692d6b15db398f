r"""The law of X_0 given U = aX_0 + √s_sq Z, in closed form: Gaussian data stay Gaussian, mixtures stay mixtures."""

from __future__ import annotations

import numpy as np

from closed_form.laws.gaussian import Gaussian, finite_array, push_coefficients
from closed_form.laws.mixture import GaussianMixture


def posterior(law: Gaussian | GaussianMixture, u, a: float, s_sq: float) -> Gaussian | GaussianMixture:
    r"""Law of X_0 given aX_0 + √s_sq Z = u, with Z standard normal.

    Component by component :math:`N(\mu + a\Sigma(a^2\Sigma + s^2I)^{-1}(u - a\mu),\; s^2\Sigma(a^2\Sigma + s^2I)^{-1})`,
    with the responsibilities of the smoothed law as weights.  Its mean and covariance are what Tweedie's formula
    reads off the score and the Hessian.

    Parameters
    ----------
    law : Gaussian or GaussianMixture
        Of X_0.
    u : array of shape (d,)
    a : float
    s_sq : float
        Positive.

    Raises
    ------
    ValueError
        If ``u`` has another shape or is not finite, or ``s_sq`` is not positive.

    Source: docs/theory.md section 8; Bayes' rule for Gaussians.
    """
    u, (a, s_sq) = finite_array("u", u), push_coefficients(a, s_sq)
    if u.shape != (law.dim,):
        raise ValueError(f"u must have shape ({law.dim},), got {u.shape}")
    if s_sq == 0:
        raise ValueError("s_sq must be positive, got 0: U without noise is X_0 itself")
    if isinstance(law, Gaussian):
        if law.spread.ndim < 2:
            shrunk = law.spread / (a * a * law.spread + s_sq)
            return Gaussian(law.mean + a * shrunk * (u - a * law.mean), s_sq * shrunk)
        shrunk = _shrunk(law.covariance, a, s_sq)
        return Gaussian(law.mean + a * shrunk @ (u - a * law.mean), s_sq * shrunk)
    weights = law.pushed(a, s_sq).responsibilities(u[None])[0]
    misses = u - a * law.means
    if law.std is not None:
        ratio = law.std**2 / (a * a * law.std**2 + s_sq)
        return GaussianMixture(law.means + a * ratio * misses, weights=weights, std=np.sqrt(s_sq * ratio))
    if law.component_covariance is not None:
        shrunk = _shrunk(law.component_covariance, a, s_sq)
        return GaussianMixture(law.means + a * misses @ shrunk, weights=weights, covariance=s_sq * shrunk)
    shrunk = _shrunk(law.covariances, a, s_sq)
    means = law.means + a * np.einsum("cij,cj->ci", shrunk, misses)
    return GaussianMixture(means, weights=weights, covariances=s_sq * shrunk)


def _shrunk(covariance, a: float, s_sq: float):
    """Σ(a²Σ + s²I)⁻¹, symmetric, for matrices (…, d, d)."""
    values, basis = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    return (basis * (values / (a * a * values + s_sq))[..., None, :]) @ np.swapaxes(basis, -1, -2)
