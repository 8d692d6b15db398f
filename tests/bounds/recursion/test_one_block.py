"""The ingredients of a step: what rounding of its numbers may do to the bias, for a law known by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from bounds import StronglyLogConcave
from bounds.recursion.one_block import step_bias
from bounds.theorems import theorems


@pytest.mark.parametrize("off", [(1e-9, 0.0), (0.0, 1e-9)])
def test_an_error_of_a_step_counts_by_the_size_of_what_it_multiplies(off):
    """For N(0, I/4) in three dimensions c1 multiplies U, of mean square 3V, and c2 its score, of mean square
    3/V: where the step has no bias, their errors alone are left, V = s² + a²/4."""
    a, s_sq = np.array([0.5, 0.8, 1.0]), np.array([0.75, 0.36, 0.0])
    none, (c1_error, c2_error) = np.zeros(2), off
    table = SimpleNamespace(path=SimpleNamespace(a=a, s_sq=s_sq), c1=none, c2=none, c1_error=c1_error + none,
                            c2_error=c2_error + none)
    setting = SimpleNamespace(table=table, assumption=StronglyLogConcave(4.0, 4.0, dim=3),
                              facts=SimpleNamespace(moments=None))
    V = np.array([0.8125, 0.52])
    assert step_bias(setting, theorems()["martingale"].functions) == pytest.approx(
        np.sqrt(3) * (c1_error * np.sqrt(V) + c2_error / np.sqrt(V)), rel=1e-12)
