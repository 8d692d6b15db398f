"""The constant error that a run adds to the exact score: its size and its direction."""

from __future__ import annotations

import math

import numpy as np

from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture


def bias_direction(law: Gaussian | GaussianMixture | Funnel) -> np.ndarray:
    """Default direction of a constant score error, a unit vector of shape (d,).

    The one of ``closed_form.sampler_laws.w2``: against the mean for a Gaussian whose mean is not 0 (or a
    mixture of one such), along the line of the means for an isotropic mixture with collinear ones, the
    first axis otherwise (the funnel too).
    """
    if isinstance(law, Funnel):
        return np.eye(1, law.dim)[0]
    alike = isinstance(law, Gaussian) or (law.covariances is None and (law.means == law.means[0]).all())
    if alike and law.mean.any():
        return _unit(-law.mean)
    if not alike and law.is_collinear:
        return law.line()[1]
    return np.eye(1, law.dim)[0]


def bias_vector(law, size: float, direction) -> np.ndarray:
    """Vector of norm ``size`` along ``direction``, shape (d,)."""
    size = checked_size("score_error", size)
    if direction is None:
        return size * bias_direction(law)
    direction = np.asarray(direction, dtype=float)
    if direction.shape != (law.dim,) or not np.isfinite(direction).all() or not direction.any():
        raise ValueError(f"direction must be finite, non-zero, of shape ({law.dim},), got {direction!r:.80}")
    return size * _unit(direction)


def _unit(vector: np.ndarray) -> np.ndarray:
    vector = vector / np.abs(vector).max()  # before the norm, which could overflow
    return vector / np.linalg.norm(vector)


def checked_size(name: str, value: float) -> float:
    """The size of an error, a finite number of at least 0."""
    if isinstance(value, bool | str) or not np.isscalar(value):
        raise TypeError(f"{name} must be a number of at least 0, got {value!r}")
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return float(value)
