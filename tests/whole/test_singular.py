"""Data on a subspace or at a point: their truth, and the bounds that need no finite Fisher information."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.grid import TimeGrid
from bounds.processes.ou import ou
from bounds.processes.vp import vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, sampler_w2
from tests.drawn import examples
from tests.whole.tolerances import EIGENVALUES, ON_POINTS, PUBLISHED
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of

#: Exact W2 found elsewhere, to the digits given: covariance, sampler, where it stops.
KNOWN = [([[1.0, 1.0], [1.0, 1.0]], "euler-maruyama", 0.0, 0.15812286982345),
         ([1.0, 0.0], "euler-maruyama", 0.0, 0.15814505094863),
         ([1.0, 0.0], "ancestral", 0.01, 0.1444299829218),
         (0.0, "ancestral", 0.0, 0.0)]


def question(law, key, stop, horizon=5.0, steps=400, process=None):
    """The setting of a sampler on OU."""
    grid = TimeGrid.uniform(horizon, steps, stop)
    return setting_of(process or ou(), law, Scheme(samplers()[key], grid))


@pytest.mark.parametrize(("covariance", "key", "stop", "wanted"), KNOWN)
def test_the_truth_of_singular_data(covariance, key, stop, wanted):
    """The exact W2 is the published number, and the lower-bound theorem says the same of a diagonal."""
    law = Gaussian([0.0, 0.0], covariance)
    setting = question(law, key, stop)
    found = sampler_w2(law, setting.scheme.steps(setting.process))
    assert found.midpoint == pytest.approx(wanted, rel=PUBLISHED, abs=ON_POINTS)
    lower = theorems()["gaussian-lower-bound"].bound(setting).total
    # of a full covariance the theorem takes off what its eigenvalues may be off, whose roots are 1e-8
    near = PUBLISHED if law.basis is None else EIGENVALUES
    assert lower <= found.upper and lower == pytest.approx(wanted, rel=near, abs=ON_POINTS)


@settings(max_examples=examples(5), deadline=None)
@given(scales=st.lists(st.floats(-2, 2).map(lambda x: 10.0**x), min_size=1, max_size=4), flat=st.integers(1, 3),
       stop=st.floats(-3, -0.5).map(lambda x: 10.0**x), seed=st.integers(0, 999))
def test_bounds_hold_on_singular_data(scales, flat, stop, seed):
    """With early stopping the bounds of Gaussians on a subspace, however turned, are above the truth, and flow's of
    the samplers without noise too."""
    rng, d = np.random.default_rng(seed), len(scales) + flat
    turned, _ = np.linalg.qr(rng.standard_normal((d, d)))
    covariance = (turned * np.array([*scales, *np.zeros(flat)])) @ turned.T
    law = Gaussian(rng.standard_normal(d), covariance if seed % 3 else np.array([*scales, *np.zeros(flat)]))
    process = vp("0.1+4*t") if seed % 2 else ou()
    for key in ("euler-maruyama", "ancestral", "posterior-mean-matched", "ddim", "heun"):
        setting = question(law, key, stop, 3.0, int(rng.integers(2, 40)), process)
        held = 0
        for theorem in theorems().values():
            certificate = certify_setting(theorem, setting, law)
            assert certificate.verdict is not Verdict.VIOLATED
            held += certificate.verdict is Verdict.HOLDS and theorem.kind == "upper"
        assert held >= 1


def test_without_stopping_what_needs_a_density_is_refused():
    """Martingale and its like refuse a law without smoothness unless the sampler stops early."""
    law = Gaussian([0.0, 0.0], [1.0, 0.0])
    for key in ("martingale", "martingale-coupled", "gao2025-general-sde", "gentiloni2025-weak-log-concave"):
        unmet = certify_setting(theorems()[key], question(law, "euler-maruyama", 0.0), law).unmet
        assert any("L0 = ∞" in each for each in unmet)
    assert certify_setting(theorems()["flow"], question(law, "ddim", 0.0), law).verdict is Verdict.NOT_APPLICABLE
