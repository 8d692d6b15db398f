"""Constants stated by hand of a law, held against slopes of its score: what contradicts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.argument import check_type
from bounds.assumption import Assumption
from closed_form.law import Law, proved

#: Variances of the noise, in units of the data's own, at which the score is asked.
NOISES = tuple(np.geomspace(1e-3, 30.0, 12).tolist())
#: How far from the mean points are pulled, as a factor: into the law's outskirts too.
PULLS = (1.0, 1.5, 2.5, 4.0)
#: Lengths of chords, in units of the noisy law's standard deviation.
CHORDS = (0.03, 0.3, 2.0)


@dataclass(frozen=True)
class Contradiction:
    """The slope of the score that stated constants exclude by most.

    Attributes
    ----------
    noise_var : float
        s²: the score is that of X + s Z.
    points : array of shape (2, d)
        The ends of the chord.
    slope : float
        ⟨s(x) − s(y), x − y⟩/|x − y|².
    least, most : float
        What the constants allow it to be.
    """

    noise_var: float
    points: np.ndarray
    slope: float
    least: float
    most: float

    def __str__(self):
        return (f"slope of the score of X + N(0, {self.noise_var:.4g}) must be between {self.least:.4g} and "
                f"{self.most:.4g} under these constants, got {self.slope:.4g} between "
                f"{np.round(self.points[0], 4).tolist()} and {np.round(self.points[1], 4).tolist()}")


def contradiction(law: Law, assumption: Assumption | str, n: int = 400,
                  seed: int = 0) -> Contradiction | None:
    r"""The chord on which the law's score contradicts the constants by most; None where none was found.

    An assumption bounds the Hessian of the log-density of X + sZ for every s, and so every mean of it along
    a chord, :math:`\langle s(x) - s(y), x - y\rangle/|x-y|^2`: one slope outside refutes the constants,
    whatever the length of the chord.  Weak log-concavity says more of long chords, and that is asked too.
    That none is found proves nothing.

    Parameters
    ----------
    law : Law
        Samples and the score of X + sZ are asked of it.
    assumption : Assumption or str
        Or the key of one that the law proves.  With single numbers for constants.
    n : int
        Chords for every noise, pull and length.
    seed : int

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    """
    check_type("law", law, Law, "a law of the data (OwnLaw, GaussianMixture, …)")
    assumption = proved(law, assumption) if isinstance(assumption, str) else assumption
    check_type("assumption", assumption, Assumption, "an Assumption")
    if assumption.dim != law.dim:
        raise ValueError(f"assumption.dim must be the law's, {law.dim}, got {assumption.dim}")
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be an integer of at least 1, got {n!r}")
    rng = np.random.default_rng(seed)
    size = max((law.second_moment - law.mean_norm**2) / law.dim, np.finfo(float).tiny)
    worst, found = 0.0, None
    for noise_var in (share * size for share in NOISES):
        data = law.sample(n, rng)
        middle, score = data.mean(axis=0), law.pushed(1.0, noise_var).score
        least = float(assumption.hessian_lower(1.0, noise_var))
        widest = least + float(assumption.hessian_gap(1.0, noise_var))
        noisy = assumption.smoothed(noise_var) if hasattr(assumption, "smoothed") else None
        profile = getattr(noisy, "profile", None)
        for pull in PULLS:
            x = middle + pull * (data - middle) + np.sqrt(noise_var) * rng.standard_normal(data.shape)
            away = rng.standard_normal(data.shape)
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            of_x = score(x)
            for length in CHORDS:
                step = length * np.sqrt(size + noise_var)
                most = widest if profile is None else min(widest, -float(profile(step)))
                y = x + step * away
                of_y = score(y)
                slopes = ((of_y - of_x) * away).sum(axis=1) / step
                size_of_scores = (np.abs(of_x) + np.abs(of_y)).sum(axis=1)
                slack = law.score_rounding * (max(-least, abs(most)) + size_of_scores / step)
                outside = np.maximum(least - slopes, slopes - most) - slack
                at = int(np.argmax(outside))
                if outside[at] / -least > worst:
                    worst = outside[at] / -least
                    found = Contradiction(noise_var, np.stack([x[at], y[at]]), float(slopes[at]), least, most)
    return found
