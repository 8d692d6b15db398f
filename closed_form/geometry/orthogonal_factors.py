r"""Mixtures that factor over orthogonal directions: their score, and so the sampler's law, factors too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture

#: Relative difference of weights and places granted to rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Factors:
    """A law of R^d as independent one-dimensional laws along orthonormal directions.

    Attributes
    ----------
    lines : tuple of GaussianMixture
        Laws of direction·X with more than one component place, dimension 1.
    directions : array of shape (r, d)
        Their unit directions.
    rest : Gaussian or None
        The law across them, of dimension d − r, in an orthonormal basis of the complement.
    basis : array of shape (d, d − r)
        That basis.
    """

    lines: tuple[GaussianMixture, ...]
    directions: np.ndarray
    rest: Gaussian | None
    basis: np.ndarray


def factors(law: GaussianMixture) -> Factors | str:
    """The factors of an isotropic mixture whose means and weights form a product, or why it has none.

    The directions tried are the coordinate axes, then the principal axes of the means.

    Parameters
    ----------
    law : GaussianMixture

    References
    ----------
    docs/theory.md section 8: laws that factor over orthogonal directions.
    """
    if law.std is None:
        return "the components have covariances that are not one multiple of I"
    centred = law.means - law.mean
    axes = np.eye(law.dim)
    _, _, principal = np.linalg.svd(np.sqrt(law.weights)[:, None] * centred, full_matrices=True)
    for directions in (axes, principal):
        found = _along(law, directions)
        if found is not None:
            return found
    return "the means are not a product over coordinate or principal axes"


def _along(law: GaussianMixture, directions: np.ndarray) -> Factors | None:
    """The factors along these orthonormal rows, if the law is their product."""
    places = law.means @ directions.T
    scale = max(float(np.abs(places).max()), law.std)
    labels, values, masses = [], [], []
    for column in places.T:
        value, label = _grouped(column, ROUNDING * scale)
        labels.append(label)
        values.append(value)
        masses.append(np.bincount(label, weights=law.weights))
    moving = [i for i, value in enumerate(values) if len(value) > 1]
    if np.prod([len(values[i]) for i in moving], dtype=float) != len(np.unique(np.stack(labels, axis=1), axis=0)):
        return None
    expected = np.prod([masses[i][labels[i]] for i in moving], axis=0)
    joint = np.zeros(len(law.weights))
    _, first = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)
    joint = np.bincount(first.ravel(), weights=law.weights)[first.ravel()]
    if not np.allclose(joint, expected, rtol=ROUNDING, atol=0):
        return None
    lines = tuple(GaussianMixture(values[i][:, None], masses[i], std=law.std) for i in moving)
    still = [i for i in range(law.dim) if i not in set(moving)]
    rest = Gaussian(np.array([values[i][0] for i in still]), law.std**2) if still else None
    return Factors(lines, directions[moving], rest, directions[still].T)


def _grouped(column: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(distinct values, label of each entry), values within ``width`` of their neighbour being one."""
    order = np.argsort(column)
    fresh = np.concatenate([[True], np.diff(column[order]) > width])
    label = np.empty(len(column), dtype=int)
    label[order] = np.cumsum(fresh) - 1
    counts = np.bincount(label)
    return np.bincount(label, weights=column) / counts, label


def product_assumption(law: GaussianMixture):
    """The envelope of a law that factors: M is the largest of its factors', not that of the ball around all means.

    The posterior covariance is diagonal in the factors, so c_up is the largest of theirs (the calculus of arXiv
    2506.09681).  The constants are those of the envelope; the convexity profile of the product may lie below
    α − f_M(r)/r across the factors.

    Raises
    ------
    ValueError
        If the law does not factor.
    """
    from bounds.assumptions.weak_log_concave import WeaklyLogConcave

    found = factors(law)
    if isinstance(found, str):
        raise ValueError(f"law must factor: {found}")
    M = max((line.assumptions()[0].M for line in found.lines), default=0.0)
    alpha = law.std**-2
    return WeaklyLogConcave(alpha, M, alpha, dim=law.dim, second_moment=law.second_moment, mean_norm=law.mean_norm)
