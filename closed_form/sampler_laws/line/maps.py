r"""The sampler's steps as maps of the line, with the derivative that the quadrature asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import SecondStage, Steps
from closed_form.law import NoExactLaw
from closed_form.law_input import error_size
from closed_form.sampler_laws.extended_precision import wide
from closed_form.sampler_laws.line.law import Image

_SCORES = 1 << 15  # points × components whose scores are computed at once: their arrays stay in the cache
_EPS = np.finfo(float).eps
#: From so many components on the largest exponent is taken to be that of the nearest one, if logarithms of
#: weights differ by no more than this.
_MANY, _ALIKE = 16, 300.0
#: x, its derivative by the start, and what rounding may have done to it (None: not asked): arrays of shape (n,).
Point = tuple[np.ndarray, np.ndarray, np.ndarray | None]


class Scores:
    r"""The maps x ↦ P x + Q(s(x) + b) of some times, s the score of the mixture pushed to them.

    Written as :math:`\sum_j r_j ((P - Q/V_j) x + Q a \mu_j/V_j)`, r_j the shares of the components and V_j
    their variances: P and Q s(x) may nearly cancel, and the coefficients are made in extended precision.

    Parameters
    ----------
    numbers : Steps or SecondStage
    means, variances, log_weights : arrays of shape (c, 1)
    bias : float
    """

    def __init__(self, numbers: Steps | SecondStage, means, variances, log_weights, bias: float):
        self._log_weights, count = log_weights, len(numbers.P)
        self._numbers = [wide(x[:count]) for x in (numbers.P, numbers.Q, numbers.a, numbers.s_sq)]
        P, Q, a, s_sq = self._numbers
        self._centre = float(np.exp(log_weights[:, 0]) @ means[:, 0])
        self._nu, self._variances = means - self._centre, variances
        #: Steps to where there is no score to ask for.
        self._plain = ((Q == 0) & ~(s_sq > 0)).tolist()
        push = Q * bias if numbers.share is None else Q * wide(numbers.share[:count]) * bias
        self._P, self._added = P.astype(float).tolist(), push.astype(float).tolist()
        self._common = bool(np.all(variances == variances[0]))
        if self._common:
            V = np.where(self._plain, 1, a * a * wide(variances[0, 0]) + s_sq)
            self._rows = [x.astype(float).tolist() for x in (P - Q / V, Q * a / V, a / V, a * a / (2 * V), a)]
            self._powers = np.vstack([np.ones_like(self._nu.T), self._nu.T, np.square(self._nu.T)])
            self._far = float(np.abs(self._nu).max())
            order, nu = np.argsort(self._nu[:, 0]), np.sort(self._nu[:, 0])
            self._nearest = None
            if len(nu) >= _MANY and np.ptp(log_weights) <= _ALIKE:
                self._nearest = order, 0.5 * (nu[1:] + nu[:-1])

    def __call__(self, i: int, x: np.ndarray, doubts: bool = True) -> Point:
        """The map of place i, its derivative, and if asked its rounding at points of shape (n,)."""
        if self._plain[i]:
            P = self._P[i]
            return P * x, np.full_like(x, P), _EPS * np.abs(P * x) if doubts else None
        return self._shared(i, x, doubts) if self._common else self._apart(i, x)

    def numbers_of(self, i: int) -> tuple | None:
        """What the map of place i is made of where few components have one variance, for
        `point_by_point.parity_step`."""
        if not self._common or self._nearest is not None or self._plain[i]:
            return None
        kept, pull, steep, bend, a = (row[i] for row in self._rows)
        return (kept, pull, steep, bend, a * self._centre, self._added[i] + pull * self._centre, self._nu[:, 0],
                self._log_weights[:, 0])

    def _shared(self, i: int, x: np.ndarray, doubts: bool) -> Point:
        """Where all components have one variance."""
        kept, pull, steep, bend, a = (row[i] for row in self._rows)
        t = (x - a * self._centre) * steep
        constants = self._log_weights - bend * self._powers[2, :, None]
        if self._nearest is None:
            share = self._nu * t
            share += constants
            share -= share.max(axis=0)
        else:
            order, middles = self._nearest
            near = order[np.searchsorted(a * middles, x - a * self._centre)]
            top = self._nu[near, 0] * t + constants[near, 0]
            share = np.hstack([self._nu, constants, -np.ones_like(constants)]) @ np.stack([t, np.ones_like(t), top])
        np.exp(share, out=share)
        whole, mean, square = self._powers @ share
        mean /= whole
        spread = np.maximum(square / whole - mean * mean, 0.0)
        linear, drawn = kept * x, pull * (self._centre + mean)
        y, slope = linear + drawn + self._added[i], kept + pull * steep * spread
        if not doubts:
            return y, slope, None
        exponent = self._far * np.abs(t) + float(np.abs(constants).max())
        loss = _EPS * (4 * np.abs(linear) + 4 * np.abs(drawn) + 2 * abs(pull) * np.sqrt(spread) * exponent)
        return y, slope, loss

    def _apart(self, i: int, x: np.ndarray) -> Point:
        """Where every component has its own."""
        P, Q, a, s_sq = (numbers[i] for numbers in self._numbers)
        V = a * a * wide(self._variances) + s_sq
        kept, drawn, precision = (each.astype(float) for each in (
            P - Q / V, Q * a * (self._nu + wide(self._centre)) / V, 1 / V))
        pull = (float(a) * (self._nu + self._centre) - x) * precision
        exponent = self._log_weights + 0.5 * np.log(precision) - 0.5 * np.square(pull) / precision
        share = np.exp(exponent - exponent.max(axis=0))
        share /= share.sum(axis=0)
        moved = kept * x + drawn
        spread = (share * np.square(pull - (share * pull).sum(axis=0))).sum(axis=0)
        found = (share * moved).sum(axis=0)
        sizes = share * (4 * np.abs(kept * x) + 4 * np.abs(drawn) + 2 * np.abs(exponent * (moved - found)))
        slope = (share * kept).sum(axis=0) + float(Q) * spread
        return found + self._added[i], slope, _EPS * sizes.sum(axis=0)


@dataclass(frozen=True, eq=False)
class LineSteps:
    """The sampler's steps as maps of the line, with the mixture pushed to every grid time."""

    variances: np.ndarray
    steps: Steps
    noise: np.ndarray
    data_var: float
    first: Scores
    second: Scores | None
    components: int

    @classmethod
    def of(cls, law, steps: Steps, bias: float, noise_size: float) -> LineSteps:
        means, stds, weights = _line_components(law)
        noise_size = error_size("noise_size", noise_size)
        if not math.isfinite(bias):
            raise ValueError(f"bias must be a finite number, got {bias}")
        if steps.second is not None and noise_size > 0.0:
            raise NoExactLaw("score_noise must be 0 for the exact law of two evaluations of the score a step off Gaussian "
                             f"data, got {noise_size:g}")
        if steps.past is not None and noise_size > 0.0:
            raise NoExactLaw("score_noise must be 0 for the exact law of a sampler that uses the step before "
                             f"off Gaussian data, got {noise_size:g}")
        data_var = float(weights @ ((means - weights @ means) ** 2 + stds**2))
        rounded, columns = steps.rounded(), (means[:, None], stds[:, None] ** 2, np.log(weights)[:, None])
        noise = np.sqrt(rounded.noise_var + (rounded.Q * noise_size) ** 2)
        second = None if steps.second is None else Scores(steps.second, *columns, bias)
        return cls(columns[1], rounded, noise, data_var, Scores(steps, *columns, bias), second, len(means))

    def through(self, first: int, stop: int) -> Image:
        """x ↦ (y, dy/dx) for the noise-free parts of the steps first, …, stop − 1 in a row."""
        return Through(self, first, stop)

    def followed(self, first: int, stop: int, x: np.ndarray, doubts: bool = True) -> Point:
        """The same, with what rounding may do to y unless no ``doubts`` are asked for."""
        block = max(1, _SCORES // self.components)
        if len(x) > block:
            parts = [self.followed(first, stop, x[start : start + block], doubts)
                     for start in range(0, len(x), block)]
            return tuple(None if column[0] is None else np.concatenate(column)
                         for column in zip(*parts, strict=True))
        point, seen = (x.astype(float), np.ones(x.shape), np.zeros(x.shape) if doubts else None), None
        for i in range(first, stop):
            point, seen = self._step(i, point, seen)
        return point

    def _step(self, i: int, point: Point, seen: Point | None) -> tuple[Point, Point]:
        """(A step, what it saw): of two evaluations keep x + P′u + Q′s(u) with u the first, by the chain
        rule; with a past keep x + now u + before u′, u′ what the step before saw."""
        inside, past = _after(self.first, i, point), self.steps.past
        if past is not None:
            terms = [(float(past.keep[i]), point), (float(past.now[i]), inside)]
            return _sum(terms + ([(float(past.before[i]), seen)] if past.before[i] else [])), inside
        if self.second is None:
            return inside, inside
        keep = float(self.steps.second.keep[i])
        return _sum([(keep, point), (1.0, _after(self.second, i, inside))]), inside


@dataclass(frozen=True, eq=False)
class Through:
    """x ↦ (y, dy/dx) for some steps in a row."""

    chain: LineSteps
    first: int
    stop: int

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.chain.followed(self.first, self.stop, x, doubts=False)[:2]

    @property
    def numbers(self) -> tuple | None:
        """Of a single step that is `Scores.numbers_of` its map, those; None of others."""
        single = self.stop - self.first == 1 and self.chain.second is None and self.chain.steps.past is None
        return self.chain.first.numbers_of(self.first) if single else None


def _after(image: Scores, i: int, point: Point) -> Point:
    """A map behind what led to a point."""
    x, slope, doubt = point
    y, factor, loss = image(i, x, doubt is not None)
    return y, factor * slope, None if doubt is None else np.abs(factor) * doubt + loss


def _sum(terms: list[tuple[float, Point]]) -> Point:
    """A linear combination of points of one start."""
    x, slope = (sum(factor * point[part] for factor, point in terms) for part in (0, 1))
    if terms[0][1][2] is None:
        return x, slope, None
    doubt = sum(abs(factor) * (point[2] + _EPS * np.abs(point[0])) for factor, point in terms)
    return x, slope, doubt + _EPS * np.abs(x)


def _line_components(law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, standard deviations and weights, each of shape (c,), of a law on a line."""
    found = law.components() if getattr(law, "dim", None) == 1 else None
    if found is None:
        raise ValueError(f"law must be a Gaussian or a mixture of dimension 1, got {law!r:.80}")
    return (found.means[:, 0], np.sqrt(np.broadcast_to(found.spectrum.ravel(), found.weights.shape)),
            found.weights)
