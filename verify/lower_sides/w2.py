"""Samples of an unknown law against a known one: sides of W2 that hold at a stated confidence.

Plug-in distances between samples are biased and appear nowhere. A lower side is the Kantorovich dual at a
potential fitted to one half of the sample, so its value on the other half is a plain mean; an upper side is
the plain mean cost of a coupling.
"""

import math

import numpy as np

from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.lower_sides.confidence import FEW, checked_delta, checked_samples, normal_lower
from verify.lower_sides.moments import moments
from verify.lower_sides.projections import projections


def w2_from_samples(x: np.ndarray, law: Law, *, delta: float = 1e-3, pairs=None, seed: int = 0) -> Bracket:
    """Bracket of W2(law of x, ``law``) with confidence 1 − ``delta``.

    Parameters
    ----------
    x : array of shape (n, d)
        Independent samples in random order, at least 100.
    law : Law
        The known law, with components: a Gaussian or a GaussianMixture.
    delta : float
        Probability, over the samples, that the bracket may miss W2; shared by the sides.
    pairs : pair of arrays of shape (m, d), optional
        Independent pairs from one coupling of the two laws; without them the upper side is infinite.
    seed : int
        Of the random directions.

    Raises
    ------
    ValueError
        If an array has the wrong shape or an entry that is not finite, or ``delta`` is not in (0, 1).
    """
    share = checked_delta(delta) / (2 if pairs is None else 3)
    sides = projections(x, law, delta=share, seed=seed), moments(x, law, delta=share)
    best = max(sides, key=lambda side: side.lower)
    if pairs is None:
        return best
    top = coupled(*pairs, delta=share)
    return Bracket(min(best.lower, top.upper), max(best.lower, top.upper), f"{best.method}; {top.method}")


def coupled(x: np.ndarray, y: np.ndarray, *, delta: float = 1e-3) -> Bracket:
    r"""Upper side from a coupling: :math:`W_2 \le (E|X-Y|^2)^{1/2}`, the mean raised by its normal quantile.

    Parameters
    ----------
    x, y : arrays of shape (n, d)
        Row i of both is one independent draw from a coupling of the two laws, such as two runs of
        ``verify.particles.simulation.sample`` with the same ``increments`` (synchronous coupling). At least
        100 rows. Rows that were matched after drawing (sorted, assigned) are not a coupling of the laws.
    """
    x = checked_samples("x", x, None, FEW)
    y, delta = checked_samples("y", y, x.shape[1], FEW), checked_delta(delta)
    if len(x) != len(y):
        raise ValueError(f"x and y must have as many rows as each other, got {len(x)} and {len(y)}")
    difference = x - y
    upper = -normal_lower(-np.einsum("nd,nd->n", difference, difference), delta)
    method = f"coupling of {len(x)} pairs, central limit, delta {delta:g}"
    return Bracket(0.0, math.sqrt(upper), method)
