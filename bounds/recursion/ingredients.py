"""What the error recursion runs on, for one problem or many: E_0, what every step does, what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bounds.recursion.propagation import RUN, product_of, propagate, propagate_one, raised, round_up, weights
from bounds.recursion.saturation import Saturation


def _column(row: int, meaning: str) -> property:
    return property(lambda self: self.whole[row], doc=meaning)


class Columns:
    """What every step does to the error.

    All are arrays of shape (..., k); ``whole`` is the four together.
    """

    def __init__(self, contraction, bias, variance, score_weight):
        self.whole = contraction, bias, variance, score_weight

    contraction = _column(0, "A_k.")
    bias = _column(1, "b_k.")
    variance = _column(2, "v_k².")
    score_weight = _column(3, "Q_k, the weight of a score error.")

    def __len__(self) -> int:
        return self.contraction.shape[-1]

    def blocks(self) -> Iterator:
        """A_k, b_k, v_k² and Q_k of consecutive steps: four arrays of shape (..., n) with n <= RUN."""
        return (tuple(column[..., start : start + RUN] for column in self.whole)
                for start in range(0, len(self), RUN))


class InitialTerm(NamedTuple):
    """Where an initial error comes from, and whether it rests on a closed form's W2(p_0, N(0, vI))."""

    name: str
    closed_form: bool = False


@dataclass(frozen=True)
class Ingredients:
    r"""What the recursion of one problem or many runs on.

    Attributes
    ----------
    initial : array of shape (...)
        E_0.
    stop : array of shape (...)
        What early stopping adds.
    saturation : bounds.recursion.saturation.Saturation, optional
        What errors become where the data's ball bounds them.
    growth : float, optional
        What the steps may multiply an error by, where that is not the product of their contractions.
    notes, details
        Remarks for the reader, and further numbers.
    """

    initial: np.ndarray
    columns: Columns
    stop: np.ndarray
    initial_term: InitialTerm
    saturation: Saturation | None = None
    growth: float | None = None
    notes: tuple[str, ...] = ()
    details: Mapping = field(default_factory=lambda: MappingProxyType({}))

    def total(self, score_error=0.0, score_noise=0.0, refinement=1.0):
        r"""E_K plus early stopping, rounded upwards.

        Parameters
        ----------
        score_error, score_noise : arrays of shape (..., 1) or floats
            M and M_noise; M may have an entry for every step.
        refinement : float or array of shape (k,)
            1 for the bound.  Otherwise an estimate, to leading order, of the same grid with every step cut in
            so many, whose biases add up to 1/refinement and whose variances to 1/refinement² of these.
        """
        contraction, drift, variance, score_weight = self.columns.whole
        if np.ndim(refinement) or refinement != 1:
            with np.errstate(invalid="ignore"):  # ∞ stays so: what is no number is ∞ in the end
                drift, variance = drift / refinement, variance / refinement**2
        bent, fresh = 0.0, 0.0
        if np.any(score_error):
            bent = score_weight * score_error
        if np.any(score_noise):
            fresh = np.square(score_weight * score_noise) / refinement
        found = propagate(self.initial, contraction, drift + bent, variance + fresh)
        if self.saturation is not None:
            found = self.saturation.lower(found, self.initial, contraction, drift, variance, bent, fresh)
        return found + self.stop

    def totals(self, score_error=0.0, score_noise=0.0) -> Totals:
        """What the recursion ends at, and the parts of that."""
        found = self._totals(score_error, score_noise)
        if self.saturation is None or not np.any(found.total - self.stop > self.saturation.reach):
            return found
        A, bias, variance, weight = self.columns.whole
        with np.errstate(over="ignore", invalid="ignore"):
            bent = weight * score_error if np.any(score_error) else 0.0
            fresh = np.square(weight * score_noise) if np.any(score_noise) else 0.0
        total = self.stop + self.saturation.lower(found.total - self.stop, self.initial, A, bias, variance, bent, fresh)
        if np.all(total >= found.total):
            return found
        zero = np.zeros(np.shape(total))
        alone = (self.saturation.own(self.initial + zero, A),
                 self.saturation.own(zero, A, bent) if np.any(score_error) else None,
                 self.saturation.own(zero, A, 0.0, fresh) if np.any(score_noise) else None,
                 self.saturation.end(zero, A, bias, variance))
        return found._replace(total=total, alone=tuple(
            np.minimum(total, np.inf if each is None else raised(each, len(self.columns))) for each in alone))

    def _totals(self, score_error, score_noise) -> Totals:
        if np.ndim(self.initial) or np.ndim(score_error) or np.ndim(score_noise):
            return self._totals_of_many(score_error, score_noise)
        starts = [[float(self.initial)], [0.0], [0.0], [0.0]]
        if not (score_error or score_noise):
            starts = [[float(self.initial), 0.0]]
        errors, product = propagate_one(starts, self._sources(score_error, score_noise))
        ends = [raised(error, len(self.columns)) for group in errors for error in group]
        return Totals(ends[0] + self.stop, ends[1], product, *(ends[2:] or (0.0, 0.0)))

    def score_bias(self, score_errors):
        """What score errors of these sizes, one a step, add to the total at most."""
        with np.errstate(invalid="ignore", over="ignore"):
            later = weights(self.columns.contraction)[0] * self.columns.score_weight
            return round_up(np.sum(later * score_errors, axis=-1), len(self.columns))

    def _sources(self, score_error: float, score_noise: float) -> Iterator:
        """Blocks of contractions, and what drives the total and its parts, without and by score errors."""
        for contraction, bias, variance, weight in self.columns.blocks():
            if not (score_error or score_noise):
                yield contraction, [(bias, variance)]
                continue
            with np.errstate(over="ignore"):
                total = bias + weight * score_error, variance + np.square(weight * score_noise)
                square, none = np.square(weight), np.zeros(len(weight))
            yield contraction, [total, (bias, variance), (weight, none), (none, square)]

    def _totals_of_many(self, score_error, score_noise) -> Totals:
        contraction, bias, variance, weight = self.columns.whole
        total, product = self.total(score_error, score_noise), product_of(contraction)
        discretisation = propagate(np.zeros(np.shape(self.initial)), contraction, bias, variance)
        if not (np.any(score_error) or np.any(score_noise)):
            return Totals(total, discretisation, product, 0.0, 0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            later = weights(contraction)[0] * weight
            sums = np.sum(later, axis=-1), np.sqrt(np.sum(np.square(later), axis=-1))
        return Totals(total, discretisation, product, *(round_up(value, len(self.columns)) for value in sums))


class Totals(NamedTuple):
    """What the recursion of one problem or many ends at, from above: arrays of shape (...).

    ``total`` is E_K plus early stopping, ``discretisation`` the error of exact scores from an exact start,
    ``contraction`` the product of all, ``score_weight`` and ``noise_weight`` what a score error, and one of
    mean zero, of size 1 adds (not computed where there is none).  ``alone``, where some step is saturated, are
    what the start, a score error, fresh noise of it and the steps' own errors come to, each alone.
    """

    total: np.ndarray
    discretisation: np.ndarray
    contraction: np.ndarray
    score_weight: np.ndarray
    noise_weight: np.ndarray
    alone: tuple | None = None
