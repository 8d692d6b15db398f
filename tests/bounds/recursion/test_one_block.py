"""The ingredients of a step: what rounding of its numbers may do to the bias, for a law known by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from bounds import Scheme, StronglyLogConcave, TimeGrid, ou
from bounds.recursion.ingredients import InitialTerm
from bounds.recursion.one_block import start_terms, step_bias
from bounds.start import Start
from bounds.theorems import theorems
from closed_form import Gaussian
from verify.certificates.question import setting_of


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


def test_a_coupling_of_constants_alone_is_written_out():
    """From a start elsewhere, with nothing known of the mean: aX + sZ and m' + Σ^½Z with the same Z are this far apart."""
    law, mean, variances = Gaussian([1.0, -2.0], 0.5), np.array([0.7, 0.4]), np.array([2.0, 0.3])
    chosen = Scheme("ddim", TimeGrid.uniform(1.2, 5), prior_mean=mean, prior_covariance=variances)
    setting = setting_of(ou(), law, chosen).without_facts()
    found = start_terms(setting, theorems()["martingale"].functions, Start(mean, variances))
    a, s, size = np.exp(-1.2), np.sqrt(-np.expm1(-2.4)), np.linalg.norm(mean)
    far = a**2 * (5.0 + 2 * 0.5) + size**2 + 2 * a * size * setting.assumption.largest_mean_norm
    apart = np.sum((np.sqrt(variances) - s) ** 2)
    assert np.sqrt(5.0) <= setting.assumption.largest_mean_norm
    assert float(found[InitialTerm("independent coupling")]) == pytest.approx(np.sqrt(far + apart), rel=1e-12)
