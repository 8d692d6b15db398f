"""Means of samples to one-sided limits at a stated confidence: two proved at any sample size, one
asymptotic."""

import math

import numpy as np

FEW = 100  # samples below which the central limit theorem is not relied on


def bernstein_lower(values: np.ndarray, span: float, delta: float) -> np.ndarray:
    """Lower limit of the mean of values, shape (..., n), that lie in an interval of length ``span``.

    Finite-sample: above the mean with probability at most ``delta``, whatever n and the law (empirical
    Bernstein inequality, Maurer and Pontil 2009, Theorem 4).
    """
    n, log = values.shape[-1], math.log(2.0 / delta)
    spread = np.sqrt(2.0 * values.var(axis=-1, ddof=1) * log / n)
    return values.mean(axis=-1) - spread - 7.0 * span * log / (3.0 * (n - 1))


def student_upper(values: np.ndarray, delta: float) -> np.ndarray:
    """Upper limit of the mean of non-negative values, shape (..., n), with tails of unknown size.

    Asymptotic: below the mean with probability δ + o(1) at most, if the variance is finite. It is Student's,
    with the largest value counted once more: a sample that has missed the tail has too small a mean and too
    small a spread at once, and plain Student misses twice as often as it says on squares of the funnel.
    """
    from scipy.special import stdtrit

    values = np.concatenate([values, values.max(axis=-1, keepdims=True)], axis=-1)
    n = values.shape[-1]
    spread = values.std(axis=-1, ddof=1) / math.sqrt(n)
    return values.mean(axis=-1) + stdtrit(n - 1, 1.0 - delta) * spread


def lipschitz_upper(squares: np.ndarray, delta: float, lipschitz: float) -> np.ndarray:
    r"""Upper limit of E|D|² from squares |D_i|², shape (..., n), D a Λ-Lipschitz map of standard normals.

    .. math:: E|D|^2 \le (R + \Lambda\sqrt{2\log(1/\delta)/n})^2 + \Lambda^2/n, \qquad
              R^2 = \tfrac1n\sum_i|D_i|^2

    Finite-sample: R is a Λ/√n-Lipschitz map of all the normals, so it is that far below its mean with
    probability at most δ (Gaussian concentration), and its variance is at most Λ²/n (Gaussian Poincaré).
    """
    n = squares.shape[-1]
    root = np.sqrt(squares.mean(axis=-1)) + lipschitz * math.sqrt(2.0 * math.log(1.0 / delta) / n)
    return root**2 + lipschitz**2 / n


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
