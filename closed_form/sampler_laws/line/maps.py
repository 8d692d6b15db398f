r"""The sampler's steps as maps of the line, with the derivative that the quadrature asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import SecondStage, Steps
from closed_form.law import NoExactLaw
from closed_form.law_input import error_size
from closed_form.sampler_laws.line.law import Image

_SCORES = 1 << 15  # points × components whose scores are computed at once: their arrays stay in the cache


@dataclass(frozen=True, eq=False)
class LineSteps:
    """The sampler's steps as maps of the line, with the mixture pushed to every grid time."""

    means: np.ndarray
    variances: np.ndarray
    log_weights: np.ndarray
    steps: Steps
    bias: float
    noise: np.ndarray
    data_var: float

    @classmethod
    def of(cls, law, steps: Steps, bias: float, noise_size: float) -> LineSteps:
        means, stds, weights = _line_components(law)
        noise_size = error_size("noise_size", noise_size)
        if not math.isfinite(bias):
            raise ValueError(f"bias must be a finite number, got {bias}")
        if steps.second is not None and noise_size > 0.0:
            raise NoExactLaw("score_noise must be 0 for the exact law of two evaluations of the score a step off Gaussian "
                             f"data, got {noise_size:g}")
        noise = np.sqrt(steps.noise_var + (steps.Q * noise_size) ** 2)
        data_var = float(weights @ ((means - weights @ means) ** 2 + stds**2))
        return cls(means[:, None], stds[:, None] ** 2, np.log(weights)[:, None], steps, bias, noise, data_var)

    def through(self, first: int, stop: int, precision: type = float) -> Image:
        """x ↦ (y, dy/dx) for the noise-free parts of the steps first, …, stop − 1 in a row."""

        def image(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            block = max(1, _SCORES // len(self.means))
            if len(x) > block:
                parts = [image(x[start : start + block]) for start in range(0, len(x), block)]
                return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
            x, slope = x.astype(precision), 1.0
            for i in range(first, stop):
                x, factor = self._step(i, x)
                slope = slope * factor
            return x.astype(float), slope.astype(float)

        return image

    def _step(self, i: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A step and its derivative; of two evaluations keep x + P′u + Q′s(u) with u the first, by the chain
        rule."""
        steps = self.steps
        if steps.second is None:
            return self._affine(steps, i, x)
        inside, slope = self._affine(steps, i, x)
        moved, factor = self._affine(steps.second, i, inside)
        keep = float(steps.second.keep[i])
        return keep * x + moved, keep + factor * slope

    def _affine(self, steps: Steps | SecondStage, i: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P x + Q(s(x) + b) and its derivative P + Q s'(x) = P + Q(Var_r(s_j) − Σ_j r_j/V_j)."""
        a, P, Q = float(steps.a[i]), float(steps.P[i]), float(steps.Q[i])
        if Q == 0.0 and not steps.s_sq[i] > 0.0:
            return P * x, np.full_like(x, P)
        part = 1.0 if steps.share is None else float(steps.share[i])
        precision = 1.0 / (a * a * self.variances + steps.s_sq[i])
        offset = a * self.means - x
        pull = offset * precision
        offset *= pull
        offset *= -0.5
        offset += self.log_weights + 0.5 * np.log(precision)
        offset -= offset.max(axis=0)
        r = np.exp(offset, out=offset)
        r /= r.sum(axis=0)
        score = (r * pull).sum(axis=0)
        pull -= score
        pull *= pull
        pull -= precision
        pull *= r
        return P * x + Q * (score + self.bias * part), P + Q * pull.sum(axis=0)


def _line_components(law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, standard deviations and weights, each of shape (c,), of a law on a line."""
    found = law.components() if getattr(law, "dim", None) == 1 else None
    if found is None:
        raise ValueError(f"law must be a Gaussian or a mixture of dimension 1, got {law!r:.80}")
    return (found.means[:, 0], np.sqrt(np.broadcast_to(found.spectrum.ravel(), found.weights.shape)),
            found.weights)
