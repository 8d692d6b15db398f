r"""The sampler's steps as maps of the plane, with the derivatives that carry a density along.

Written as :math:`(P - Q/V) x + (Qa/V) \sum_j r_j \mu_j + Q b` with r_j the shares of the components and V their
variance, a map is the gradient of a convex function wherever P > Q/V ≥ 0: then it takes the plane to itself,
one to one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import SecondStage, Steps
from closed_form.law import NoExactLaw

#: Points × components whose shares are computed at once: their arrays stay in the cache.
BLOCK = 1 << 15
#: x, and the entries 11, 12, 22 of its derivative: arrays of shape (2, n) and (3, n).
Image = tuple[np.ndarray, np.ndarray]


class PlaneScores:
    """The maps x ↦ P x + Q(s(x) + b) of some times.

    Parameters
    ----------
    numbers : Steps or SecondStage
    means, weights : arrays of shape (c, 2), (c,)
    variance : float
    bias : array of shape (2,)
    """

    def __init__(self, numbers: Steps | SecondStage, means, weights, variance: float, bias):
        count = len(numbers.P)
        self._centre = weights @ means
        nu, self._bias = means - self._centre, bias
        P, Q, a, s_sq = (np.asarray(each[:count], dtype=float)
                         for each in (numbers.P, numbers.Q, numbers.a, numbers.s_sq))
        V = a * a * variance + s_sq
        self.kept, self._drawn, self._steep = P - Q / V, Q * a / V, Q * a * a / (V * V)
        self._Q = Q if numbers.share is None else Q * numbers.share[:count]  # of the bias
        self._a, self._tilt = a, a / V
        self._slopes, self._energy = nu, 0.5 * np.square(nu).sum(axis=1)
        self._log_weights = np.log(weights)
        products = nu[:, 0] ** 2, nu[:, 0] * nu[:, 1], nu[:, 1] ** 2
        self._features = np.stack([np.ones(len(nu)), *nu.T, *products])

    def __call__(self, i: int, x: np.ndarray) -> Image:
        """The map of place i at x of shape (2, n), and its derivative, which is symmetric."""
        moved, slope = np.empty_like(x), np.empty((3, x.shape[1]))
        middle = self._a[i] * self._centre[:, None]
        tilts = self._tilt[i] * self._slopes
        levels = (self._log_weights - self._tilt[i] * self._a[i] * self._energy)[:, None]
        step = max(64, BLOCK // len(tilts))
        for start in range(0, x.shape[1], step):
            part = slice(start, start + step)
            share = tilts @ (x[:, part] - middle)
            share += levels
            share -= share.max(axis=0)
            np.exp(share, out=share)
            sums = self._features @ share
            sums[1:] /= sums[0]
            first, second = sums[1:3], sums[3:]
            second[0] -= first[0] * first[0]
            second[1] -= first[0] * first[1]
            second[2] -= first[1] * first[1]
            slope[:, part] = self._steep[i] * second
            moved[:, part] = self._drawn[i] * first
        slope[0] += self.kept[i]
        slope[2] += self.kept[i]
        moved += self.kept[i] * x
        moved += (self._drawn[i] * self._centre + self._Q[i] * self._bias)[:, None]
        return moved, slope


@dataclass(frozen=True, eq=False)
class PlaneSteps:
    """The noise-free parts of a sampler's steps as maps of the plane, and the deviation of what is added."""

    steps: Steps
    noise: np.ndarray
    first: PlaneScores
    second: PlaneScores | None

    @classmethod
    def of(cls, law, steps: Steps, bias: np.ndarray, noise_size: float) -> PlaneSteps:
        """The maps for a mixture of dimension 2 with one ``std``.

        Raises
        ------
        NoExactLaw
            If a step may fold the plane, or the sampler uses the step before, or noise is in a score asked for twice a step.
        """
        if steps.past is not None:
            raise NoExactLaw("the law in the plane is not known for samplers that use the step before")
        if steps.second is not None and noise_size > 0.0:
            raise NoExactLaw("score_noise must be 0 for the exact law of two evaluations of the score a step off Gaussian "
                             f"data, got {noise_size:g}")
        rounded = steps.rounded()
        known = law.means, law.weights, law.std**2, bias
        first = PlaneScores(rounded, *known)
        second = None if steps.second is None else PlaneScores(rounded.second, *known)
        if second is None and not first.kept.min() > 0.0:
            worst = int(first.kept.argmin())
            raise NoExactLaw(f"steps are too long for the law in the plane: P - Q/V must be positive, got "
                             f"{first.kept[worst]:.3g} at time {steps.time[worst]:.6g}")
        noise = np.sqrt(rounded.noise_var + (rounded.Q * noise_size) ** 2)
        return cls(rounded, noise, first, second)

    def moved(self, i: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(where step i takes x (2, n), its derivative (2, 2, n))."""
        y, (one, across, two) = self.first(i, x)
        slope = np.array([[one, across], [across, two]])
        if self.second is None:
            return y, slope
        z, (one, across, two) = self.second(i, y)
        keep = float(self.steps.second.keep[i])
        slope = np.einsum("ijn,jkn->ikn", np.array([[one, across], [across, two]]), slope)
        slope[[0, 1], [0, 1]] += keep
        return keep * x + z, slope
