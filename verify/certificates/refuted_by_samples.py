"""Where no exact law is known: a lower side of the sampler's W2 error, from samples and at a stated
confidence."""

import math

from bounds.setting import Setting
from closed_form.bracket import Bracket

#: Probability that the lower side may be above the error.
DELTA = 1e-6
#: How the method of a bracket without an upper side begins, where no samples were drawn either.
NO_EXACT_LAW = "no exact law: "


def measured_by_samples(setting: Setting, law, n: int, seed: int, reason: str) -> Bracket:
    """[lower, ∞) with confidence 1 − `DELTA`; [0, ∞) for laws that are no sum of Gaussians, with which none
    is compared.

    Parameters
    ----------
    setting : Setting
    law : Law
        The data.
    n : int
        Samples, at least 100; 0 for none.
    seed : int
    reason : str
        Why there is no exact law; part of the bracket's method.

    Raises
    ------
    ValueError
        If n is between 1 and 99, or negative.
    """
    if n == 0 or law.components() is None:
        return Bracket(0.0, math.inf, f"{NO_EXACT_LAW}{reason}")
    from verify.lower_sides.w2 import w2_from_samples
    from verify.particles.simulation import sample

    errors = {"score_error": float(setting.score_error), "score_noise": float(setting.score_noise)}
    x = sample(law, setting.table.steps(), n, seed, **errors)
    side = w2_from_samples(x, law, delta=DELTA, seed=seed)
    return Bracket(side.lower, math.inf, f"{side.method}; {NO_EXACT_LAW}{reason}")
