"""Samples of an unknown law against a known one: sides of W2, each one-sided and at its own confidence.

Plug-in distances between samples are biased and appear nowhere. A lower side is the Kantorovich dual at a
potential fitted to one half of the sample, so its value on the other half is a plain mean of bounded values:
it holds at any sample size. An upper side is the plain mean cost of a coupling, which is not bounded: it
holds as the number of pairs grows, or at any number where the pairs are a Lipschitz map of normals.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from closed_form.bracket import Bracket
from closed_form.law import Law
from verify.lower_sides.confidence import FEW, checked_delta, checked_samples, lipschitz_upper, student_upper
from verify.lower_sides.projections import projections


def w2_from_samples(x: ArrayLike, law: Law, *, delta: float = 1e-3,
                    pairs: tuple[ArrayLike, ArrayLike] | None = None) -> Bracket:
    """Bracket of W2(law of x, ``law``) with confidence 1 − ``delta``.

    Parameters
    ----------
    x : array of shape (n, d)
        Independent samples in random order, at least 100.
    law : Law
        The known law, with components: a Gaussian or a GaussianMixture.
    delta : float
        Probability, over the samples, that the bracket may miss W2; half of it for each side where there are
        two. The lower side keeps it at any n, the upper one as the number of pairs grows (`coupled`).
    pairs : pair of arrays of shape (m, d), optional
        Independent pairs from one coupling of the two laws; without them the upper side is infinite.

    Raises
    ------
    ValueError
        If an array has the wrong shape or an entry that is not finite, or ``delta`` is not in (0, 1).
    """
    share = checked_delta(delta) / (1 if pairs is None else 2)
    low = projections(checked_samples("x", x, law.dim, FEW), law, delta=share)
    if pairs is None:
        return low
    top = coupled(*pairs, delta=share)
    return Bracket(min(low.lower, top.upper), max(low.lower, top.upper), f"{low.method}; {top.method}")


def coupled(x: ArrayLike, y: ArrayLike, *, delta: float = 1e-3, lipschitz: float | None = None) -> Bracket:
    r"""Upper side from a coupling: :math:`W_2 \le (E|X-Y|^2)^{1/2}`, the mean raised to its upper limit.

    Parameters
    ----------
    x, y : arrays of shape (n, d)
        Row i of both is one independent draw from a coupling of the two laws, such as two runs of
        ``verify.particles.simulation.sample`` with the same ``increments`` (synchronous coupling). At least
        100 rows. Rows that were matched after drawing (sorted, assigned) are not a coupling of the laws.
    delta : float
        Probability that the upper side may be below W2: asymptotic in n, as nothing bounds |X − Y|
        (`verify.lower_sides.confidence.student_upper`).
    lipschitz : float, optional
        Λ, if x − y is a Λ-Lipschitz map of standard normals: δ then holds at any n (`lipschitz_upper`).
    """
    x = checked_samples("x", x, None, FEW)
    y, delta = checked_samples("y", y, x.shape[1], FEW), checked_delta(delta)
    if len(x) != len(y):
        raise ValueError(f"x and y must have as many rows as each other, got {len(x)} and {len(y)}")
    squares = np.square(x - y).sum(axis=1)
    if lipschitz is None:
        upper, how = student_upper(squares, delta), "asymptotic"
    else:
        upper, how = lipschitz_upper(squares, delta, lipschitz), "Gaussian concentration"
    return Bracket(0.0, math.sqrt(upper), f"coupling of {len(x)} pairs, {how}, delta {delta:g}")
