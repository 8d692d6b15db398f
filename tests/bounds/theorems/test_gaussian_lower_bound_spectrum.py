"""The lower bound on Gaussians whose covariance is full: its eigenvalues are floats, and the bound allows for that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import euler_maruyama, ou, scheme
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import SPECTRUM
from tests.drawn import examples
from verify.certificates.certificate import certify
from verify.certificates.question import setting_of

LOWER = theorems()["gaussian-lower-bound"]


@pytest.mark.parametrize("covariance", [
    [[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0 - 1e-15], [1.0 - 1e-15, 1.0]], [[1e6, 1e3], [1e3, 1.0]],
    [[2.0, 0.5], [0.5, 1.0]], np.full((3, 3), 2.0),
], ids=["singular", "nearly", "scales", "regular", "rank one"])
def test_singular_covariances_are_decided(covariance):
    """OU, Euler–Maruyama, T = 5, K = 400: the bound is below the truth, so that the verdict is HOLDS, and no further
    below than the eigenvalues may be off."""
    law = Gaussian(np.arange(len(covariance)), covariance)
    certificate = certify(LOWER, process=ou(), law=law, scheme=euler_maruyama(5.0, 400))
    assert certificate.verdict == "HOLDS"
    assert certificate.bound.total >= certificate.measured.upper - SPECTRUM * np.sqrt(np.max(covariance))


@settings(max_examples=examples(15))
@given(seed=st.integers(0, 10**6), dim=st.integers(2, 4), rank=st.integers(1, 4),
       key=st.sampled_from(["euler-maruyama", "exponential", "ddim", "ancestral"]))
def test_drawn_covariances_are_decided(seed, dim, rank, key):
    """Of any rank, in any dimension and for any sampler: HOLDS."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((dim, min(rank, dim)))
    law = Gaussian(rng.standard_normal(dim), root @ root.T)
    certificate = certify(LOWER, process=ou(), law=law, scheme=scheme(key, 3.0, 40))
    assert certificate.verdict == "HOLDS"


def test_a_diagonal_takes_nothing_off():
    """The eigenvalues of a diagonal are its entries: nothing is off, and the value is that of the matrix given as a
    list, digit by digit; the full matrix of it is below it by no more than its eigenvalues may be off."""
    variances, chosen = np.array([0.25, 3.0]), euler_maruyama(5.0, 100)
    listed, full = (LOWER.bound(setting_of(ou(), Gaussian([0.5, -1.0], spread), chosen))
                    for spread in (variances, np.diag(variances)))
    assert Gaussian([0.5, -1.0], variances).facts().spectrum_error == 0.0
    assert 0 <= listed.total - full.total <= SPECTRUM


def test_what_the_eigenvalues_may_be_off_is_above_what_they_are():
    """λ of a matrix made of known eigenvalues in exact arithmetic (2 and 0) are within what the law says."""
    law = Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]])
    off = law.facts().spectrum_error
    assert np.abs(law.eigenvalues - [0.0, 2.0]).max() <= off <= SPECTRUM**2
