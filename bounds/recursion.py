r"""The error recursion :math:`E_k^2 = (A_k E_{k-1} + d_k)^2 + v_k^2` of docs/theory.md section 4, for one problem or many."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

#: Growth of the rounding error a step of the recursion may add, relative.
STEP_ROUNDING = 8 * np.finfo(float).eps


@dataclass(frozen=True)
class Ingredients:
    r"""What the recursion of one problem or many runs on.

    Attributes
    ----------
    initial : array of shape (...)
        E_0.
    contraction, bias, variance : arrays of shape (..., k)
        A_k, b_k and v_k².
    score_weight : array of shape (..., k)
        Q_k, the weight of a score error.
    stop : array of shape (...)
        What early stopping adds.
    initial_term : str
        Where E_0 comes from.
    """

    initial: np.ndarray
    contraction: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    score_weight: np.ndarray
    stop: np.ndarray
    initial_term: str = ""

    def total(self, score_error=0.0, score_noise=0.0, refinement=1.0):
        r"""E_K plus early stopping, rounded upwards.

        Parameters
        ----------
        score_error, score_noise : arrays of shape (..., 1) or floats
            M and M_noise.
        refinement : float or array of shape (k,)
            1 for the bound.  Otherwise an estimate, not a bound: to leading order, of the same grid with every step
            cut in so many, whose biases add up to 1/refinement and whose variances to 1/refinement² of these.
        """
        drift = self.bias / refinement + self.score_weight * score_error
        noise = np.square(self.score_weight * score_noise) / refinement
        return propagate(self.initial, self.contraction, drift, self.variance / refinement**2 + noise) + self.stop


def propagate(initial, contraction, drift, variance):
    r"""E_K from :math:`E_k^2 = (A_k E_{k-1} + d_k)^2 + v_k^2`, rounded upwards.

    Parameters
    ----------
    initial : array of shape (...)
        E_0 >= 0.
    contraction, drift, variance : arrays of shape (..., k)
        A_k, d_k = b_k + Q_k M and v_k², all >= 0; the leading axes broadcast.

    Returns
    -------
    array of shape (...)
        E_K (``inf`` where it overflows; never NaN).

    Source: docs/theory.md section 4.
    """
    steps = contraction.shape[-1]
    shape = np.broadcast_shapes(
        np.shape(initial), contraction.shape[:-1], np.shape(drift)[:-1], np.shape(variance)[:-1]
    )
    columns = [np.broadcast_to(x, (*shape, steps)) for x in (contraction, drift, variance)]
    if not shape:
        error = _propagate_one(float(initial), *columns)
    else:
        error = np.broadcast_to(np.asarray(initial, dtype=float), shape).copy()
        with np.errstate(over="ignore", invalid="ignore"):
            for a, d, v in zip(*(np.moveaxis(x, -1, 0) for x in columns), strict=True):
                error *= a
                error += d
                error *= error
                error += v
                np.sqrt(error, out=error)
    error = np.where(np.isnan(error), np.inf, error)
    return round_up(error, steps)


def _propagate_one(error: float, contraction, drift, variance) -> float:
    # one problem is a scalar loop: the square root couples every step to the one before
    for a, d, v in zip(contraction.tolist(), drift.tolist(), variance.tolist(), strict=True):
        moved = a * error + d
        error = sqrt(moved * moved + v) if moved < 1e150 else moved + sqrt(v)
    return error


def weights(contraction):
    r"""Products :math:`\prod_{j>k} A_j` of the later contractions.

    Parameters
    ----------
    contraction : array of shape (..., k)

    Returns
    -------
    later : array of shape (..., k)
        The product over the steps after each.
    total : array of shape (...)
        The product over all.
    """
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(contraction)
        sums = np.cumsum(logs[..., ::-1], axis=-1)[..., ::-1]
        later = np.concatenate([sums[..., 1:], np.zeros_like(sums[..., :1])], axis=-1)
        return np.exp(later), np.exp(sums[..., 0])


def round_up(value, operations: int):
    """``value`` raised by the rounding error of so many operations."""
    with np.errstate(over="ignore"):
        return value * (1 + 1e-12 + STEP_ROUNDING * operations)
