r"""The exact law of the sampler on a line when its score is off by any given function of the state."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line import w2_line
from closed_form.sampler_laws.line.law import LineLaw
from closed_form.sampler_laws.line.maps import LineSteps
from closed_form.sampler_laws.line.propagation import Route, Sources
from closed_form.sampler_laws.line.sampler import COARSE, FINE, MAX_POINTS, first_sources

__all__ = ["perturbed_w2"]

#: Points on which the size of an error is integrated, at least.
LEAST_POINTS = 4001
#: Deviations beyond the outermost means where the law ends for that.
EDGE = 9.0
#: (step, states of shape (n,)) -> (error of the score, its derivative), each of shape (n,).
ScoreError = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class PerturbedLine:
    """What `perturbed_line` found.

    Attributes
    ----------
    law : LineLaw
        Law of the last iterate.
    sizes : array of shape (k,)
        L2 size of the score error under the law of the iterates, step by step.
    """

    law: LineLaw
    sizes: np.ndarray


def perturbed_line(law, steps: Steps, error: ScoreError, size: float | None = None, *,
                   noise_size: float = 0.0, accuracy: tuple[float, float] = FINE,
                   max_points: int = MAX_POINTS) -> PerturbedLine:
    r"""Law of the last iterate with the score :math:`s_i(x) + e_i(x)`, for data on a line.

    Parameters
    ----------
    law : GaussianMixture or Gaussian, of dimension 1
    steps : Steps
        Every step must have noise.
    error : callable
        (step, states) -> (e, e′).
    size : float, optional
        e is rescaled at every step so that its L2 norm under the current law of the iterates is this.
    noise_size : float
        M_noise of fresh noise added to the score, as in `sampler_line`.
    accuracy, max_points
        As in `sampler_line`.

    Raises
    ------
    ValueError
        As `sampler_line`; if a step has no noise; or if e vanishes under the law while a size is asked for.

    References
    ----------
    docs/theory.md section 8 (ii), with e added to the score.
    """
    chain = LineSteps.of(law, steps, 0.0, noise_size)
    if not (chain.noise > 0).all():
        raise ValueError(f"steps must all have noise, got none at step {int(np.argmin(chain.noise))}")
    route = Route(first_sources(law, steps), *accuracy, max_points)
    sizes = np.empty(len(steps))
    for i in range(len(steps)):
        found = _size(error, i, route.sources)
        factor = 1.0
        if size is not None:
            if not found > 0:
                raise ValueError(
                    f"the score error must not vanish under the law of the iterates, it does at step {i}"
                )
            factor = size / found
        sizes[i] = factor * found
        share = math.sqrt(0.5) if i == len(steps) - 1 else 1.0
        route.move(_image(chain, i, error, factor), share * float(chain.noise[i]))
    sources = route.finished()
    order = np.argsort(sources.means)
    return PerturbedLine(
        LineLaw(sources.means[order], sources.weights[order] / sources.weights.sum(), sources.std), sizes
    )


def perturbed_w2(law, steps: Steps, error: ScoreError, size: float | None = None,
                 noise_size: float = 0.0) -> Bracket:
    """W2 between the law of the sampler with a wrong score and the data, which lie on a line.

    The half-width is the difference between a fine and a coarse grid.

    Parameters
    ----------
    law, steps, error, size, noise_size
        As in `perturbed_line`, and so are the errors.

    Source: docs/theory.md section 8.
    """
    fine, coarse = (
        w2_line(perturbed_line(law, steps, error, size, noise_size=noise_size, accuracy=accuracy).law, law)
        for accuracy in (FINE, COARSE)
    )
    return fine.widened(abs(fine.midpoint - coarse.midpoint))


def _size(error: ScoreError, step: int, sources: Sources) -> float:
    """(E e²)^{1/2} under the law of the iterates, by the trapezoid rule, which is spectrally accurate for
    it."""
    low, high = (end(sources.means) + side * EDGE * sources.std for end, side in ((np.min, -1), (np.max, 1)))
    x, dx = np.linspace(low, high, max(LEAST_POINTS, int(4 * (high - low) / sources.std)), retstep=True)
    square = np.square(error(step, x)[0])
    if not square.any():
        return 0.0
    density = sources.density(low, float(dx), len(x))[0] / sources.weights.sum()
    return math.sqrt(float(np.trapezoid(square * density, x)))


def _image(chain: LineSteps, step: int, error: ScoreError, factor: float):
    exact, Q = chain.through(step, step + 1), factor * float(chain.steps.Q[step])

    def image(x):
        y, slope = exact(x)
        e, derivative = error(step, x)
        return y + Q * e, slope + Q * derivative

    return image
