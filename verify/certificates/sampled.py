"""Where no exact law is known: what samples say of the sampler's W2 error, each side one-sided and at its own
confidence."""

import math
from dataclasses import dataclass

import numpy as np

from bounds.setting import Setting
from closed_form.bracket import Bracket
from verify.lower_sides.confidence import FEW, checked_samples

#: How the method of a bracket without an upper side begins, where no samples were drawn either.
NO_EXACT_LAW = "no exact law: "
#: Probability that the lower side, which may refute a theorem, may be above the error; at any sample size.
REFUTED = 1e-6
#: Probability that one side or the other misses the error, for the bracket as a whole.
DELTA = 0.05
#: Samples for one pair of runs on the same Brownian path, a run of its own and one of 4 and of 16 times the
#: steps.
SAMPLES_A_PAIR = 16


@dataclass(frozen=True)
class Sampled(Bracket):
    """A bracket from samples.

    Parameters
    ----------
    given : str
        Key of the theorem that the upper side takes for true of a finer run; empty where there is none.
    proved : float
        The upper side that decides verdicts: by moments, or at confidence 1 − `REFUTED` at any sample size; ``inf``
        where there is none.
    """

    given: str = ""
    proved: float = math.inf


def name_of(measured: Bracket) -> str:
    """What a measurement is to be called: an exact W2, or one of which samples speak."""
    return "W2, from samples" if isinstance(measured, Sampled) else "exact W2"


def measured_by_samples(setting: Setting, law, n: int, seed: int, reason: str) -> Bracket:
    """[lower, upper]: the lower side at confidence 1 − `REFUTED`, the upper one such that both hold with
    probability 1 − `DELTA`.

    Without samples it is [0, ∞). The lower side is finite-sample; a law that is no sum of Gaussians is
    compared with by as many samples of its own. The upper side is asymptotic in the number of pairs and rests
    on a theorem (`verify.certificates.two_levels`).

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
    from verify.particles.simulation import sample

    errors = {"score_error": setting.error, "score_noise": float(setting.score_noise)}
    side = lower_side(sample(law, setting.steps, n, seed, **errors), law, seed)
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


def lower_side(samples, law, seed: int) -> Bracket:
    """[lower, ∞) at confidence 1 − `REFUTED`, against the law or as many samples of it.

    Parameters
    ----------
    samples : array of shape (n, d)
    law : Law
    seed : int
        Of the samples of a law that is no sum of Gaussians.
    """
    from verify.lower_sides.projections import between_samples
    from verify.lower_sides.w2 import w2_from_samples

    if law.components() is not None:
        return w2_from_samples(samples, law, delta=REFUTED)
    samples = checked_samples("samples", samples, law.dim, FEW)
    rng = np.random.default_rng([seed, 1])  # another stream than the sampler's
    return between_samples(samples, law.sample(len(samples), rng), delta=REFUTED)


def measured_from(samples, law, seed: int = 0) -> Bracket:
    """[lower, ∞) for the law that given samples are from, whatever made them: at confidence 1 − `REFUTED`.

    Parameters
    ----------
    samples : array of shape (n, d)
        Independent, in random order, at least 100.
    law : Law
    seed : int
        Of the samples of a law that is no sum of Gaussians.

    Raises
    ------
    ValueError
        If the shape is wrong or an entry is not finite.
    """
    side = lower_side(samples, law, seed)
    return Sampled(side.lower, math.inf,
                   f"the {len(samples)} samples given, not the exact law of this sampler: "
                                         f"{side.method}")
