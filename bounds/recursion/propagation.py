r"""The error recursion :math:`E_k^2 = (A_k E_{k-1} + d_k)^2 + v_k^2` of docs/theory.md section 4."""

from collections.abc import Iterable
from functools import cached_property
from math import hypot, log, sqrt

import numpy as np

#: Growth of the rounding error a step of the recursion may add, relative.
STEP_ROUNDING = 8 * np.finfo(float).eps
#: Steps propagated together, and the fewest worth it.
RUN, SHORT_RUN = 4096, 256
#: Products and errors of steps propagated together stay below this and above its inverse.
WIDEST = 1e60
#: Below it (and above its inverse) squares leave the range of floats.
LEAST = 1e-150
#: Errors that are not 0 count as no smaller: below it rounding is no longer relative.
SMALLEST = 1e-300
#: Rounds of sums: each brings them closer from above.
MOST_ROUNDS = 50
#: Relative change of a run's error, per step, at which the rounds end: half of the rounding that is added.
SETTLED = STEP_ROUNDING / 2
#: Contractions multiplied before their logarithm is taken.
FACTORS = 256


def propagate(initial, contraction, drift, variance):
    r"""E_K from :math:`E_k^2 = (A_k E_{k-1} + d_k)^2 + v_k^2`, rounded upwards.

    Parameters
    ----------
    initial : array of shape (...)
        E_0 >= 0.
    contraction, drift, variance : arrays of shape (..., k)
        A_k, d_k = b_k + Q_k M and v_k², all >= 0; the leading axes broadcast.  E_K has shape (...): ``inf``
        where it overflows, never NaN.

    Source: docs/theory.md section 4.
    """
    steps = contraction.shape[-1]
    shape = np.broadcast_shapes(np.shape(initial), contraction.shape[:-1], np.shape(drift)[:-1],
                                np.shape(variance)[:-1])
    if all(x.ndim == 1 for x in (contraction, drift, variance)):
        starts = np.asarray(initial, dtype=float)
        runs = (slice(start, start + RUN) for start in range(0, steps, RUN))
        blocks = ((contraction[run], [(drift[run], variance[run])]) for run in runs)
        error = np.reshape(propagate_one([starts.ravel().tolist()], blocks)[0], starts.shape)
    else:
        columns = [np.broadcast_to(x, (*shape, steps)) for x in (contraction, drift, variance)]
        error = np.broadcast_to(np.asarray(initial, dtype=float), shape).copy()
        with np.errstate(over="ignore", invalid="ignore"):
            for a, d, v in zip(*(np.moveaxis(x, -1, 0) for x in columns), strict=True):
                positive = (error > 0) & (a > 0) | (d > 0) | (v > 0)
                error *= a
                error += d
                np.hypot(error, np.sqrt(v), out=error)  # a square may underflow
                np.maximum(error, SMALLEST, out=error, where=positive)
    return raised(error, steps)


def raised(error, steps: int):
    """The error after so many steps, rounded upwards; ∞ in place of NaN."""
    return round_up(np.where(np.isnan(error), np.inf, error), steps)


def propagate_one(errors: list[list[float]], blocks: Iterable) -> tuple[list[list[float]], np.ndarray]:
    """Of one problem, the errors from some starts and the product of contractions.

    A block of steps holds their contractions and, for every list of starts, (drift, variance).  It goes by
    sums where the numbers allow it, else step by step.
    """
    logs = 0.0
    for contraction, sources in blocks:
        product = _running_product(contraction)
        logs += _log_product(contraction) if product is None else log(product[-1])
        errors = [
            (None if product is None else _propagate_run(group, product, *source))
            or [_propagate_steps(error, contraction, *source) for error in group]
            for group, source in zip(errors, sources, strict=True)
        ]
    with np.errstate(over="ignore", under="ignore"):
        return errors, np.exp(logs)


def _running_product(contraction):
    """Products of the contractions so far; None where they are few or leave the range of harmless ones."""
    if len(contraction) < SHORT_RUN:
        return None
    with np.errstate(all="ignore"):
        product = np.cumprod(contraction)
    return product if product.min() > 1 / WIDEST and product.max() < WIDEST else None


def _propagate_steps(error: float, contraction, drift, variance) -> float:
    # the square root couples every step to the one before
    for a, d, v in zip(contraction.tolist(), drift.tolist(), variance.tolist(), strict=True):
        moved = a * error + d
        if LEAST < moved < 1 / LEAST:
            error = sqrt(moved * moved + v)
        else:
            positive = error > 0 < a or d > 0 or v > 0
            error = hypot(moved, sqrt(v))
            if positive and error < SMALLEST:
                error = SMALLEST
    return error


def _propagate_run(errors: list[float], product, drift, variance) -> list[float] | None:
    """E after some steps, from above, by `_Run`; None where sums leave the range of harmless ones."""
    with np.errstate(all="ignore"):
        moved = drift / product
        noise = variance / product
        noise /= product
        run = _Run(moved, noise)
        if not all(x < WIDEST for x in (run.moved_sum, run.noise_sum, *errors)):
            return None
        ends = [run.end(error) for error in errors]
    # squares may have underflowed
    if any(x < LEAST for x in ends) and (any(errors) or drift.any() or variance.any()):
        return None
    return [end * float(product[-1]) for end in ends]


class _Run:
    r"""Some steps of :math:`x_k = E_k/\prod A`, with d and v over the products so far.

    It solves :math:`x_k^2 = x_{k-1}^2 + 2 x_{k-1} d_k + d_k^2 + v_k^2`: an x from above on the right gives a
    smaller one from above on the left.  The first is :math:`x_k \le \sum d + (x_0^2 + \sum v^2)^{1/2}`
    (Minkowski).
    """

    def __init__(self, moved, noise):
        self.moved, self.noise = moved, noise
        self.moved_sum, self.noise_sum = float(moved.sum()), float(noise.sum())

    @cached_property
    def _sums(self):
        """Sums of v² and of d so far, and d² + v²."""
        return np.cumsum(self.noise), np.cumsum(self.moved), np.square(self.moved) + self.noise

    def end(self, start: float) -> float:
        """x after the run from ``start``."""
        moved, moved_sum = self.moved, self.moved_sum
        spread = sqrt(self.noise_sum)
        last, least = moved_sum + hypot(start, spread), hypot(start + moved_sum, spread)
        settled = SETTLED * len(moved)
        if last - least <= settled * last or last < LEAST:
            return last
        noises, moves, square = self._sums
        above = np.sqrt(noises + start * start)
        above += moves
        # the first round's last x alone: mostly that will do
        first = (start * start + float(square.sum())
                 + 2 * (start * float(moved[0]) + float(moved[1:] @ above[:-1])))
        change, last = last - sqrt(first), sqrt(first)
        for rounds in range(MOST_ROUNDS):
            # the next change is smaller by the part of the drift in x
            if change * moved_sum <= settled * last * last:
                break
            gained = square.copy()
            gained[1:] += 2 * moved[1:] * above[:-1]
            gained[0] += start * (start + 2 * moved[0])
            np.sqrt(np.cumsum(gained, out=above), out=above)
            if rounds:
                change, last = last - float(above[-1]), float(above[-1])
        return last


def product_of(contraction):
    """The product of all contractions: array of shape (...) from one of shape (..., k)."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(_log_product(contraction))


def _log_product(contraction):
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        parts = np.multiply.reduceat(contraction, np.arange(0, contraction.shape[-1], FACTORS), axis=-1)
        if np.any(parts < np.finfo(float).tiny) or not np.all(np.isfinite(parts)):
            parts = contraction
        return np.sum(np.log(parts), axis=-1)


def weights(contraction):
    r"""Products of contractions (..., k): after each step, :math:`\prod_{j>k} A_j`, and over all, (...)."""
    with np.errstate(divide="ignore", over="ignore"):
        logs = np.log(contraction)
        sums = np.cumsum(logs[..., ::-1], axis=-1)[..., ::-1]
        later = np.concatenate([sums[..., 1:], np.zeros_like(sums[..., :1])], axis=-1)
        return np.exp(later), np.exp(sums[..., 0])


def round_up(value, operations: int):
    """``value`` raised by the rounding error of so many operations."""
    with np.errstate(over="ignore"):
        return value * (1 + 1e-12 + STEP_ROUNDING * operations)
