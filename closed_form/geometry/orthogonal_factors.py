r"""Mixtures as independent parts over orthogonal directions: their score, and so the sampler's law, splits
too."""

import math
from functools import partial

import numpy as np

from closed_form.law import Parts, Plane
from closed_form.laws.gaussian import Gaussian

#: Relative difference of weights and places granted to rounding.
ROUNDING = 1e-9
_EPS = np.finfo(float).eps


def independent_parts(law) -> Parts | str:
    """The parts of a mixture whose samplers are known exactly, or why there are none.

    Known: components that are all the same (one Gaussian), dimension 1, and one isotropic covariance with
    means on a line or on a product over orthogonal directions.

    Parameters
    ----------
    law : GaussianMixture
    """
    if law.covariances is None and (law.means == law.means[0]).all():
        return Gaussian(law.means[0], law.std**2 if law.std is not None else law.component_covariance).split()
    if law.dim == 1:
        return Parts((law,), np.ones((1, 1)))
    if law.std is None:
        kind = "one covariance that is not isotropic" if law.covariances is None else "unequal covariances"
        return f"the components have {kind}; in dimension {law.dim} the exact law needs one multiple of I"
    rank = law.span()[1].shape[1]
    if rank <= 1:
        return _collinear(law)
    if isinstance(found := factors(law), str):
        return (
            f"the means span {rank} dimensions; the exact law needs them on one line, or a product: {found}"
        )
    return found


def _collinear(law) -> Parts:
    """The line through the means and the d − 1 directions across it."""
    line, direction, offset = law.line()
    across = partial(_across, direction)
    return Parts((line,), direction[None], Gaussian(across(offset), law.std**2), across,
                 16 * _EPS * _size(law))


def _across(direction: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Coordinates of ``x`` in an orthonormal basis of the complement of ``direction``, shape (d−1,), in O(d)
    memory."""
    mirror = direction.copy()
    mirror[0] += math.copysign(1.0, direction[0])  # Householder: the reflection takes direction to ∓ e₁
    return (x - mirror * (2.0 * (mirror @ x) / (mirror @ mirror)))[1:]


def plane_of(law) -> Plane | None:
    """The plane that the means of a mixture span, and the d − 2 directions across it; None if there is none.

    Parameters
    ----------
    law : GaussianMixture
    """
    if law.std is None:
        return None
    offset, basis = law.span()
    if basis.shape[1] != 2:
        return None
    if law.dim == 2:
        return Plane(law, np.eye(2))
    first, second = basis.T
    beyond = partial(_across, _across(first, second))
    flat = type(law)(law.means @ basis, law.weights, std=law.std)

    def across(x):
        return beyond(_across(first, x))

    return Plane(flat, basis.T, Gaussian(across(offset), law.std**2), across, 32 * _EPS * _size(law))


def _size(law) -> float:
    return float(np.linalg.norm(law.means, axis=1).max())


def factors(law) -> Parts | str:
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
    _, _, principal = np.linalg.svd(np.sqrt(law.weights)[:, None] * centred,
                                    full_matrices=len(centred) < law.dim)
    for directions in (axes, principal):
        found = _along(law, directions)
        if found is not None:
            return found
    return "the means are not a product over coordinate or principal axes"


def _along(law, directions: np.ndarray) -> Parts | None:
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
    if np.prod([len(values[i]) for i in moving], dtype=float) != len(
        np.unique(np.stack(labels, axis=1), axis=0)
    ):
        return None
    expected = np.prod([masses[i][labels[i]] for i in moving], axis=0)
    joint = np.zeros(len(law.weights))
    _, first = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)
    joint = np.bincount(first.ravel(), weights=law.weights)[first.ravel()]
    if not np.allclose(joint, expected, rtol=ROUNDING, atol=0):
        return None
    lines = tuple(type(law)(values[i][:, None], masses[i], std=law.std) for i in moving)
    still = [i for i in range(law.dim) if i not in set(moving)]
    rest = Gaussian(np.array([values[i][0] for i in still]), law.std**2) if still else None
    # places that differ by their rounding are one
    rounding = (16 * _EPS + ROUNDING) * _size(law)
    return Parts(lines, directions[moving], rest, partial(np.matmul, directions[still]), rounding)


def _grouped(column: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(distinct values, label of each entry), values within ``width`` of their neighbour being one."""
    order = np.argsort(column)
    fresh = np.concatenate([[True], np.diff(column[order]) > width])
    label = np.empty(len(column), dtype=int)
    label[order] = np.cumsum(fresh) - 1
    counts = np.bincount(label)
    return np.bincount(label, weights=column) / counts, label


def product_assumption(law):
    """The envelope of a law that factors: M is the largest of its factors', not that of the ball around all
    means.

    The posterior covariance is diagonal in the factors, so c_up is the largest of theirs (the calculus of
    arXiv 2506.09681).  The constants are those of the envelope; the convexity profile of the product may lie
    below α − f_M(r)/r across the factors.

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
    return WeaklyLogConcave(alpha, M, alpha, dim=law.dim, second_moment=law.second_moment,
                            mean_norm=law.mean_norm)
