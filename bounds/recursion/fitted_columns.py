"""The columns of very many steps from Chebyshev series on panels of them, computed a block at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev

from bounds.recursion.ingredients import Columns
from bounds.recursion.propagation import RUN

#: Places of a block of RUN steps through which its values are laid, and what that may miss of the largest.
NODES, ROUNDED = 6, 1e-13
_PLACES = chebyshev.chebpts1(NODES)
#: The polynomials that are 1 at one of these places and 0 at the others, at every step of a block.
_LAGRANGE = np.linalg.solve(chebyshev.chebvander(_PLACES, NODES - 1).T,
                            chebyshev.chebvander(np.linspace(-1, 1, RUN), NODES - 1).T)


class FittedColumns(Columns):
    """Columns computed a block at a time, and held as a whole only where that is asked for.

    ``pieces`` are all the steps, ``count`` of them, in their order.
    """

    def __init__(self, pieces: list[Panel | Stretch], count: int):
        self._pieces, self._count = pieces, count

    def __len__(self) -> int:
        return self._count

    @cached_property
    def whole(self) -> np.ndarray:
        """The four columns, shape (4, k)."""
        columns, first = np.empty((4, self._count)), 0
        for block in self._computed():
            columns[:, first : first + block.shape[1]] = block
            first += block.shape[1]
        return columns

    def blocks(self) -> Iterator:
        """A_k, b_k, v_k² and Q_k of consecutive steps, as in `Columns.blocks`."""
        return super().blocks() if "whole" in vars(self) else self._computed()

    def _computed(self) -> Iterator[np.ndarray]:
        """Blocks of shape (4, n) with n <= RUN: what is short is put together."""
        waiting, size = [], 0
        for chunk in itertools.chain.from_iterable(piece.chunks() for piece in self._pieces):
            if size + chunk.shape[1] > RUN:
                yield _joined(waiting)
                waiting, size = [], 0
            waiting.append(chunk)
            size += chunk.shape[1]
        yield _joined(waiting)


def _joined(chunks: list[np.ndarray]) -> np.ndarray:
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks, axis=1)


@dataclass(frozen=True)
class Stretch:
    """Consecutive steps from ``first`` on that were all computed: columns of shape (4, n)."""

    first: int
    columns: np.ndarray

    def chunks(self) -> Iterator[np.ndarray]:
        """A, b, v² and Q of consecutive steps, shape (4, n) with n <= RUN."""
        return (self.columns[:, start : start + RUN] for start in range(0, self.columns.shape[1], RUN))


@dataclass(frozen=True)
class Panel:
    """Equal steps from ``first`` on, and the series of A − 1, b, v² and Q there."""

    first: int
    laid: Laid

    def chunks(self) -> Iterator[np.ndarray]:
        """A, b, v² and Q of consecutive steps, shape (4, n) with n <= RUN."""
        for _, chunk in self.laid.chunks():
            chunk[0] += 1.0
            np.maximum(chunk[1:], 0.0, out=chunk[1:])
            yield chunk


@dataclass(frozen=True)
class Laid:
    """Chebyshev series (rows, terms) at ``count`` equally spaced places, from above, a chunk at a time.

    ``through``, of shape (chunks, rows, NODES): values at some places of every whole chunk, raised by
    ``missed``, what polynomials through them miss; None, and summed, where that is more than rounding.
    """

    series: np.ndarray
    count: int
    through: np.ndarray | None
    missed: np.ndarray

    @classmethod
    def of(cls, series, count: int) -> Laid:
        """The series at ``count`` places from -1 to 1."""
        summed = cls(series, count, None, np.zeros(len(series)))
        if count < 2 * RUN:
            return summed
        terms = series.shape[1]
        # the largest derivative of T_n of this order is at 1: ∏_{j<order} (n² − j²)/(2j + 1)
        steep = np.prod([(np.arange(terms) ** 2 - j * j) / (2 * j + 1) for j in range(NODES)], axis=0)
        half = (RUN - 1) / (count - 1)
        missed = np.abs(series) @ np.abs(steep) * half**NODES / (math.factorial(NODES) * 2.0 ** (NODES - 1))
        if np.any(missed > ROUNDED * np.abs(series).max(axis=1)):
            return summed
        starts = np.arange(0, count - RUN + 1, RUN)
        places = 2 * (starts[:, None] + (RUN - 1) * (1 + _PLACES) / 2) / (count - 1) - 1
        through = np.moveaxis(chebyshev.chebval(places, series.T), 0, 1)
        return cls(series, count, through + missed[:, None], missed)

    def chunks(self) -> Iterator[tuple[int, np.ndarray]]:
        """First place and values, shape (rows, n)."""
        for start in range(0, self.count, RUN):
            stop = min(start + RUN, self.count)
            if self.through is not None and stop - start == RUN:
                yield start, self.through[start // RUN] @ _LAGRANGE
            else:
                places = 2 * np.arange(start, stop) / (self.count - 1) - 1
                yield start, self.series @ _basis(places, self.series.shape[1])


def _basis(place: np.ndarray, terms: int) -> np.ndarray:
    """T_0 … T_{terms−1} at the places, shape (terms, n): rows are contiguous."""
    basis = np.empty((terms, len(place)))
    basis[0], basis[1] = 1.0, place
    twice = 2 * place
    for row in range(2, terms):
        np.multiply(twice, basis[row - 1], out=basis[row])
        basis[row] -= basis[row - 2]
    return basis
