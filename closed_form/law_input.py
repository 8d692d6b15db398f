"""What a Gaussian mixture is made of, checked and brought to its simplest form."""

from __future__ import annotations

import math

import numpy as np

from closed_form.laws.gaussian import finite_array, positive_eigen, symmetric

_EPS = np.finfo(float).eps


def checked_weights(weights, c: int) -> np.ndarray:
    """``weights``, or equal ones if None, as shape (c,), validated and normalised."""
    if weights is None:
        return np.full(c, 1.0 / c)
    weights = finite_array("weights", weights)
    if weights.shape != (c,):
        raise ValueError(f"weights must have shape ({c},), one for each mean, got {weights.shape}")
    if weights.min() < 0.0:
        raise ValueError(f"weights must be non-negative, got {weights.min()}")
    total = math.fsum(weights)
    if abs(total - 1.0) > 1e-9:
        raise ValueError(f"weights must sum to 1 within 1e-9, got a sum of {total}")
    return weights / total


def checked_spread(std, covariance, covariances, c: int, d: int) -> np.ndarray:
    """``std`` as shape (), or the covariance(s) as (d, d) or (c, d, d), validated."""
    if std is not None:
        std = finite_array("std", std)
        if std.ndim != 0 or not std > 0.0:
            raise ValueError(f"std must be one positive number, got {std}")
        return std
    name, given, shape = "covariance", covariance, (d, d)
    if covariances is not None:
        name, given, shape = "covariances", covariances, (c, d, d)
    matrices = finite_array(name, given)
    if matrices.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {matrices.shape}")
    matrices = symmetric(name, matrices)
    values, _ = positive_eigen(name, matrices)
    if (values[..., 0] <= d * _EPS * values[..., -1]).any():
        raise ValueError(f"{name} must be positive definite, got a smallest eigenvalue {values.min()}")
    return matrices


def simplest(spread: np.ndarray) -> np.ndarray:
    """The covariances in the smallest form that says the same: (c, d, d) to (d, d) to a std of shape ()."""
    if spread.ndim == 3 and (spread == spread[0]).all():
        spread = spread[0].copy()
    if spread.ndim == 2 and (spread == spread[0, 0] * np.eye(len(spread))).all():
        spread = np.sqrt(spread[0, 0])
    return np.asarray(spread)
