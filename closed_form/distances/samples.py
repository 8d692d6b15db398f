"""W2 between two samples by optimal transport."""

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike

from closed_form.bracket import Bracket
from closed_form.law_input import finite_array

_EPS = np.finfo(float).eps
_TINY = np.finfo(float).tiny


def w2_samples(x: ArrayLike, y: ArrayLike) -> Bracket:
    r"""W2 between the uniform laws on two samples: :math:`(\min_\pi \sum_{ij} \pi_{ij} \|x_i-y_j\|^2)^{1/2}`.

    d = 1 by sorting, otherwise by POT's network simplex, whose primal and dual values are the two sides.

    Parameters
    ----------
    x, y : arrays of shape (n, d) and (n', d)

    Raises
    ------
    ValueError
        If a sample is empty or not finite, or the dimensions differ.
    ArithmeticError
        If POT stops before it has found the optimum.
    """
    x, y = _checked_pair(x, y)
    if x.shape[1] == 1:
        gaps, masses = _sorted_gaps(np.sort(x, axis=0), np.sort(y, axis=0))
        value = math.sqrt(float(masses @ gaps[:, 0] ** 2))
        blur = 4.0 * _EPS * max(np.abs(x).max(), np.abs(y).max())
        return Bracket.exact(value, 8.0 * _EPS * value + blur, "sorting")
    import ot

    centre = x.mean(axis=0)
    scale = max(float(np.abs(x - centre).max()), float(np.abs(y - centre).max()), _TINY)
    x, y = (x - centre) / scale, (y - centre) / scale
    cost = ot.dist(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            plan, log = ot.emd([], [], cost, numItermax=10_000_000, log=True)
        except UserWarning as warning:
            raise ArithmeticError(f"optimal transport did not converge: {warning}") from None
    above = float((plan * cost).sum())
    violation = max(0.0, float((log["u"][:, None] + log["v"][None, :] - cost).max()))
    below = float(log["u"].mean() + log["v"].mean()) - violation
    slack = 64.0 * _EPS * x.shape[1]  # of the costs, which are at most 4 d
    lower = math.sqrt(max(0.0, min(above, below) - slack))
    return Bracket(lower, math.sqrt(above + slack), "optimal transport").scaled(scale)


def _sorted_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences of the quantiles of two sorted samples, column by column, and the mass that each moves."""
    n, m = len(x), len(y)
    if n == m:
        return x - y, np.full(n, 1.0 / n)
    levels = np.union1d(np.arange(n) * m, np.arange(m) * n)  # in units of 1/(n n')
    masses = np.diff(levels, append=n * m) / (n * m)
    return x[levels // m] - y[levels // n], masses


def _checked_pair(x, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = finite_array("x", x), finite_array("y", y)
    for name, sample in (("x", x), ("y", y)):
        if sample.ndim != 2 or sample.size == 0:
            raise ValueError(f"{name} must have shape (n, d) with n, d >= 1, got {sample.shape}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have the same dimension, got {x.shape[1]} and {y.shape[1]}")
    return x, y
