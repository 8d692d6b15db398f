"""What wins in the long run, of factors and of summands."""

import pytest
import sympy

from bounds.complexity.growth import LATE as t
from bounds.complexity.late import settled


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize(("slow", "quick"), [(t + 1, 2 * t - 5), (t + 9, t**2), (t + 9, 3 * t - 1)])
def test_the_quicker_wins_in_the_long_run(slow, quick, sums):
    """Max is what grows more quickly, by a factor or without end, though it starts below, and Min the
    other."""
    assert settled(sympy.Max(slow, quick), sums) == quick
    assert settled(sympy.Max(quick, slow, evaluate=False), sums) == quick
    assert settled(sympy.Min(slow, quick), sums) == slow
