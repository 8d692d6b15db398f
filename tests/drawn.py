"""How much a test looks at: a part in `make test`, all of it, and many times as many examples, in `make deep`."""

import itertools
import os
from collections.abc import Iterable

import pytest

#: By how much `make deep` multiplies them.
TIMES = int(os.environ.get("TIMES", "1"))


def examples(count: int) -> int:
    """So many in `make test`."""
    return count * TIMES


def thinned(*axes: Iterable, every: int) -> list:
    """Parameters of a test, all combinations of its axes: one in so many in `make test`, the rest in `make deep`.

    The one of which the places on the axes add up to a multiple is kept, so that of two axes or more no value is
    left out where another has as many values.
    """
    places = itertools.product(*(enumerate(axis) for axis in axes))
    return [pytest.param(*(value for _, value in each), marks=[pytest.mark.deep] * (sum(p for p, _ in each) % every > 0))
            for each in places]
