"""Normals drawn by a loop that numba compiles, where the extra ``fast`` is installed and a run draws enough of them."""

from collections.abc import Callable
from functools import cache

import numpy as np

from bounds.compiled import translated

#: Normals of a run from which loading numba and the loop, half a second (twice that the first time), is paid for.
LEAST = 1 << 28

Draw = Callable[[np.random.Generator, np.ndarray], None]


def drawing(normals: int) -> Draw:
    """What fills a float64 array with the next normals of a generator: compiled if ``normals`` of them are many.

    Both give the same numbers: numba's loop is numpy's, without a call for each.
    """
    fill = _compiled() if normals >= LEAST else None
    return fill or _plain


def _plain(generator: np.random.Generator, rows: np.ndarray) -> None:
    generator.standard_normal(out=rows)


@cache
def _compiled() -> Draw | None:
    """The compiled loop; None without a numba that works here."""
    return translated(_loop)


def _loop(generator, rows):
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            rows[i, j] = generator.standard_normal()
