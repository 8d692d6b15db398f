r"""Where the data are no sum of Gaussians: a W2 between two finite sides, by samples of both laws that are matched.

For independent x_1, …, x_n of the data and y_1, …, y_n of the sampler and any matching π of the two, the mean of the
pairs' measure :math:`\frac1n\sum_i\delta_{(x_i, y_{\pi(i)})}` is a coupling of both laws, so

.. math:: W_2^2 \le E \min_\pi \frac1n \sum_i |x_i - y_{\pi(i)}|^2 ,

whatever the laws are, of one block or two, of any number of evaluations of the score.

References
----------
docs/theory.md section 10, "By samples that are matched".
"""

from __future__ import annotations

import math

import numpy as np

from bounds.setting import Setting
from closed_form.bracket import Bracket
from verify.certificates.question import true_steps
from verify.certificates.sampled import DELTA, REFUTED, Sampled, lower_side
from verify.lower_sides.confidence import student_upper
from verify.particles.simulation import sample

#: Samples that are matched at once at most, on a line and elsewhere, and how often.
SORTED, MATCHED, TIMES = 2048, 256, 16
#: Work that they may take: evaluations of the score × coordinates of all of them; fewer to match than `FEWEST` are none.
WORK, FEWEST = 1 << 24, 8
#: Iterates beyond this have squares that floats may not hold.
FARTHEST = 1e150


def matched_samples(setting: Setting, law, seed: int, reason: str) -> Bracket:
    """A bracket with finite sides, or [0, ∞) with the reason where samples take too much, or diverge.

    The lower side has confidence 1 − `REFUTED`, finite-sample; the upper one 95 %, asymptotic in the matchings: it
    decides no verdict.

    Parameters
    ----------
    setting : Setting
    law : Law
        The data, which need only sample themselves and know the score of what noise makes of them.
    seed : int
    reason : str
        Why there is no exact law; the end of the bracket's method.
    """
    steps, errors = true_steps(setting).rounded(), {"score_error": setting.error, "score_noise": float(setting.score_noise)}
    asked = len(steps) * setting.scheme.sampler.evaluations * steps.blocks * law.dim
    size = min(SORTED if law.dim == 1 else MATCHED, WORK // (asked * TIMES))
    if size < FEWEST:
        return Bracket(0.0, math.inf, reason)
    try:
        y = sample(law, steps, size * TIMES, seed, **errors)
    except OverflowError:
        return Bracket(0.0, math.inf, reason)
    if np.abs(y).max() > FARTHEST:
        return Bracket(0.0, math.inf, reason)
    x = law.sample(len(y), np.random.default_rng([seed, 4]))  # another stream than the lower side's
    side = lower_side(y, law, seed)
    said = f"{side.method}; {TIMES} matchings of {size} samples of both; {reason}"
    return Sampled(side.lower, max(side.lower, upper_side(x, y)), said,
                   f"{100 * (1 - DELTA):g} % one-sided, asymptotic in {TIMES} matchings")


def upper_side(x: np.ndarray, y: np.ndarray) -> float:
    """An upper limit of W2 at level 1 − (`DELTA` − `REFUTED`), from independent samples of both laws, shapes (n, d): n of
    `TIMES` matchings."""
    squares = np.array([_matched(*pair) for pair in zip(np.split(x, TIMES), np.split(y, TIMES), strict=True)])
    return math.sqrt(float(student_upper(squares, DELTA - REFUTED)))


def _matched(x: np.ndarray, y: np.ndarray) -> float:
    """The mean square of pairs of the best matching of x and y, shapes (n, d)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if x.shape[1] == 1:
        return float(np.square(np.sort(x[:, 0]) - np.sort(y[:, 0])).mean())
    costs = cdist(x, y, "sqeuclidean")
    return float(costs[linear_sum_assignment(costs)].mean())
