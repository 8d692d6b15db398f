"""A lower side of W2 from the mean and covariance of samples."""

import math

import numpy as np

from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.lower_sides.confidence import FEW, checked_delta, checked_samples, lower_side, normal_lower


def moments(x: np.ndarray, law: Law, *, delta: float = 1e-3) -> Bracket:
    r"""Lower side from mean and covariance: Gelbrich's bound in its dual form.

    .. math:: W_2^2 \ge E_p[|X|^2 - X^T A X - 2 b^T X] + E_q[|Y|^2 - (Y-b)^T A^{-1} (Y-b)], \quad A \succ 0

    with x ↦ Ax + b fitted to one half of the samples, once as a translation and once as the optimal map of
    the two Gaussians, the mean over the other half lowered by its one-sided normal quantile (central limit
    theorem; the potential is not bounded), and the second mean exact.  x, law and δ are those of
    `verify.lower_sides.w2.w2_from_samples`.
    """
    x, delta = checked_samples("x", x, law.dim, FEW), checked_delta(delta)
    fitted, tested = x[: len(x) // 2] - law.mean, x[len(x) // 2 :] - law.mean
    shift = fitted.mean(axis=0)
    best, maps = -math.inf, _gaussian_maps(fitted - shift, law)
    for A, inverse in maps:
        pull = A @ shift
        values = np.einsum("nd,nd->n", tested - tested @ A, tested) + 2.0 * (tested @ pull)
        conjugate = np.trace(law.covariance) - np.vdot(inverse, law.covariance) - shift @ pull
        best = max(best, normal_lower(values, delta / len(maps)) + conjugate)
    return lower_side(best, delta, len(x), "mean and covariance, central limit")


def _gaussian_maps(centred: np.ndarray, law: Law) -> list[tuple]:
    """Linear parts A and A⁻¹ of the maps that ``moments`` tries; the second needs regular covariances."""
    maps = [(np.eye(law.dim),) * 2]
    values, basis = np.linalg.eigh(np.atleast_2d(np.cov(centred, rowvar=False)))
    if values[0] > 1e-10 * values[-1]:
        root = (basis * np.sqrt(values)) @ basis.T
        inverse_root = (basis / np.sqrt(values)) @ basis.T
        sizes, axes = np.linalg.eigh(root @ law.covariance @ root)
        if sizes[0] > 1e-10 * sizes[-1]:
            A = inverse_root @ (axes * np.sqrt(sizes)) @ axes.T @ inverse_root
            maps.append((A, root @ (axes / np.sqrt(sizes)) @ axes.T @ root))
    return maps
