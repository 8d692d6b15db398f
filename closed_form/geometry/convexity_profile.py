r"""The convexity profile :math:`\kappa_U(r)` of a law :math:`e^{-U}`, searched for numerically through its
score."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from closed_form.geometry.enclosing_ball import affine_span

#: Pairs of points tried at each distance before the best are improved.
PAIRS = 2000
#: How many of the best pairs are improved.
IMPROVED = 4
#: Step of the central differences that stand for a gradient.
DIFFERENCE = float(np.cbrt(np.finfo(float).eps))


@dataclass(frozen=True, eq=False)
class ConvexityProfile:
    r"""The smallest slopes found: an upper estimate of :math:`\kappa_U`, attained at the pairs given.

    Attributes
    ----------
    distances : array of shape (m,)
        r.
    values : array of shape (m,)
        The smallest :math:`-\langle s(x) - s(y), x - y\rangle/r^2` found over pairs with |x − y| = r.
    pairs : array of shape (m, 2, d)
        x and y of each.
    """

    distances: np.ndarray
    values: np.ndarray
    pairs: np.ndarray


def convexity_profile(law, distances, *, pairs: int = PAIRS, seed: int = 0) -> ConvexityProfile:
    r"""Search :math:`\kappa_U(r) = \inf_{|x-y|=r} \langle\nabla U(x) - \nabla U(y), x - y\rangle / r^2`,
    U = −log p.

    Parameters
    ----------
    law : object with ``dim``, ``score(x)`` and ``sample(n, rng)``
        Where it is a mixture with one isotropic covariance the search stays in the span of its means: the
        score is linear across it.
    distances : array of shape (m,)
        Positive distances r, in the units of the data.
    pairs : int
        Pairs tried at each distance: between samples, and across the middle of component means.
    seed : int

    Returns
    -------
    ConvexityProfile

    Raises
    ------
    ValueError
        If a distance is not positive and finite.

    References
    ----------
    arXiv 2501.02298, definition of weak log-concavity.
    """
    distances = np.atleast_1d(np.asarray(distances, dtype=float))
    if distances.ndim != 1 or not np.isfinite(distances).all() or (distances <= 0).any():
        raise ValueError(f"distances must be positive and finite, got {distances!r:.80}")
    rng = np.random.default_rng(seed)
    score, lift, spread = _coordinates(law)
    centres, directions = _starts(law, spread, pairs, rng)
    values, found = [], []
    best = None
    for r in distances:
        # the pair that was best at the last distance is a good start at this one
        tried = ((centres, directions) if best is None
                 else tuple(map(np.vstack, zip((centres, directions), best, strict=True))))
        value, centre, direction = _least(score, r, *tried)
        best = centre[None], direction[None]
        values.append(value)
        found.append([lift(centre + 0.5 * r * direction), lift(centre - 0.5 * r * direction)])
    return ConvexityProfile(distances, np.array(values), np.array(found))


def _coordinates(law) -> tuple[Callable, Callable, Callable]:
    """(score in the coordinates searched, coordinates → R^d, R^d → coordinates)."""
    if getattr(law, "std", None) is None:
        return law.score, lambda x: x, lambda x: x
    origin, basis = affine_span(law.means, law.mean)
    if basis.shape[1] == 0:
        basis = np.eye(law.dim)[:, :1]

    def lift(x):
        return origin + x @ basis.T

    return (lambda x: law.score(lift(x)) @ basis), lift, (lambda x: x @ basis)


def _starts(law, project: Callable, pairs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Centres and unit directions: midpoints of samples, and of component means, along their difference or at
    random."""
    x, y = project(law.sample(pairs, rng)), project(law.sample(pairs, rng))
    means = getattr(law, "means", None)
    if means is not None and len(means) > 1:
        means = project(means)
        first, second = rng.integers(len(means), size=(2, pairs // 2))
        x, y = np.vstack([x, means[first]]), np.vstack([y, means[second]])
    gaps = x - y
    wild = np.linalg.norm(gaps, axis=1) == 0.0
    wild[: pairs // 4] = True
    gaps[wild] = rng.standard_normal(gaps[wild].shape)
    return 0.5 * (x + y), gaps / np.linalg.norm(gaps, axis=1, keepdims=True)


def _least(score: Callable, r: float, centres: np.ndarray, directions: np.ndarray):
    """(value, centre, direction) of the least slope at distance r: the best starts, improved by scipy's
    minimiser."""

    def slopes(centres, directions):
        half = 0.5 * r * directions
        return -np.einsum("nd,nd->n", score(centres + half) - score(centres - half), directions) / r

    values = slopes(centres, directions)
    order = np.argsort(values)[:IMPROVED]
    dim = centres.shape[1]
    best = values[order[0]], centres[order[0]], directions[order[0]]

    def value_and_gradient(packed):
        """Central differences, all in one call of the score."""
        moves = np.vstack([np.zeros(2 * dim), DIFFERENCE * np.eye(2 * dim), -DIFFERENCE * np.eye(2 * dim)])
        turned = packed[dim:] + moves[:, dim:]
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        value, ahead, behind = np.split(slopes(packed[:dim] + moves[:, :dim], turned), [1, 1 + 2 * dim])
        return value[0], (ahead - behind) / (2 * DIFFERENCE)

    for start in order:
        found = minimize(value_and_gradient, np.concatenate([centres[start], directions[start]]),
                         method="BFGS", jac=True, options={"gtol": 1e-7})
        if found.fun < best[0]:
            direction = found.x[dim:] / np.linalg.norm(found.x[dim:])
            best = float(found.fun), found.x[:dim], direction
    return best
