"""Where no exact law is known: what samples say of the sampler's W2 error, each side one-sided and at its own
confidence."""

import math
from dataclasses import dataclass

from bounds.setting import Setting
from closed_form.bracket import Bracket
from verify.lower_sides.confidence import FEW

#: How the method of a bracket without an upper side begins, where no samples were drawn either.
NO_EXACT_LAW = "no exact law: "
#: Probability that the lower side, which may refute a theorem, may be above the error; at any sample size.
REFUTED = 1e-6
#: Probability that one side or the other misses the error, for the bracket as a whole.
DELTA = 0.05
#: Samples for one pair of runs on the same Brownian path, a run of its own and one of 4 and of 16 times the steps.
SAMPLES_A_PAIR = 16


@dataclass(frozen=True)
class Sampled(Bracket):
    """A bracket from samples.

    Parameters
    ----------
    given : str
        Key of the theorem that the upper side takes for true of a finer run; empty where there is none.
    """

    given: str = ""


def measured_by_samples(setting: Setting, law, n: int, seed: int, reason: str) -> Bracket:
    """[lower, upper]: the lower side at confidence 1 − `REFUTED`, the upper one such that both hold with
    probability 1 − `DELTA`.

    Without samples it is [0, ∞). The lower side is finite-sample, and 0 for laws that are no sum of Gaussians,
    with which none is compared. The upper side is asymptotic in the number of pairs and rests on a theorem
    (`verify.certificates.two_levels`).

    Parameters
    ----------
    setting : Setting
    law : Law
        The data.
    n : int
        Samples, at least 100; 0 for none. One pair of runs for 16 of them, and at least 100, make the upper
        side.
    seed : int
    reason : str
        Why there is no exact law; part of the bracket's method.

    Raises
    ------
    ValueError
        If n is between 1 and 99, or negative.
    """
    if n == 0:
        return Bracket(0.0, math.inf, f"{NO_EXACT_LAW}{reason}")
    if n < FEW:
        raise ValueError(f"samples must be 0 or n >= {FEW}, got {n}")
    from verify.certificates.two_levels import upper_side
    from verify.lower_sides.w2 import w2_from_samples
    from verify.particles.simulation import sample

    errors = {"score_error": float(setting.score_error), "score_noise": float(setting.score_noise)}
    lower, methods = 0.0, []
    if law.components() is not None:
        side = w2_from_samples(sample(law, setting.table.steps(), n, seed, **errors), law, delta=REFUTED)
        lower, methods = side.lower, [side.method]
    pairs = max(FEW, n // SAMPLES_A_PAIR)
    top = upper_side(setting, law, pairs, seed, DELTA - REFUTED)
    if top is None:
        return Sampled(lower, math.inf, "; ".join([*methods, f"{NO_EXACT_LAW}{reason}"]))
    proved = f", {top.proved:.3g} at any number" if top.proved < math.inf else ""
    methods.append(f"estimated: {100 * (1 - DELTA):g} % one-sided from {pairs} pairs (asymptotic{proved}), "
                   f"m = {top.refinement}, given {top.given} there")
    return Sampled(lower, max(lower, top.asymptotic), "; ".join([*methods, f"{NO_EXACT_LAW}{reason}"]),
                   f"asymptotic in {pairs} pairs of runs, given {top.given}", top.given)
