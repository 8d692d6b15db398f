"""Means of samples to one-sided bounds at a stated confidence."""

import math

import numpy as np

from closed_form.bracket import Bracket

FEW = 100  # samples below which the central limit theorem is not relied on


def bernstein_lower(values: np.ndarray, span: float, delta: float) -> float:
    """Lower confidence bound of a mean of values in an interval of length ``span``, at any sample size."""
    n, log = len(values), math.log(2.0 / delta)
    spread = math.sqrt(2.0 * values.var(ddof=1) * log / n)
    return float(values.mean()) - spread - 7.0 * span * log / (3.0 * (n - 1))


def normal_lower(values: np.ndarray, delta: float) -> float:
    """Lower confidence bound of a mean by the central limit theorem."""
    from scipy.special import ndtri

    return float(values.mean() + ndtri(delta) * values.std(ddof=1) / math.sqrt(len(values)))


def lower_side(squared: float, delta: float, n: int, how: str) -> Bracket:
    """The bracket [√squared, ∞) of n samples, with its method and level in words."""
    lower = math.sqrt(max(0.0, squared))
    return Bracket(lower, math.inf, f"{n} samples, {how}, delta {delta:g}")


def checked_delta(delta: float) -> float:
    """A level in (0, 1)."""
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be in (0, 1), got {delta}")
    return float(delta)


def checked_samples(name: str, x: np.ndarray, dim: int | None, least: int) -> np.ndarray:
    """Finite samples of shape (n, d), at least ``least`` of them, of dimension ``dim`` where one is given."""
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != (dim or x.shape[1]) or len(x) < least:
        raise ValueError(f"{name} must have shape (n >= {least}, {dim or 'd'}), got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must have finite entries, got {x[~np.isfinite(x)][0]}")
    return x
