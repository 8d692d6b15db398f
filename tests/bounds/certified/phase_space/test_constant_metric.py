"""The constant metric in balls: what defines it, and the one in floats."""

import numpy as np
import pytest
from flint import arb, ctx

from bounds.certified.phase_space.constant_metric import _metric
from bounds.certified.phase_space.langevin import Langevin
from bounds.contraction.metric import contracting_metric
from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from tests.tolerances import LAW_ROUNDING

PROCESSES = [cld("13/10", 2), cld("1/2", 1, "1/3"), cld(2, 1, "1/5")]


def in_balls(process, kappa, kind):
    """The metric and Ã, as arrays of floats."""
    with ctx.workprec(120):
        langevin = Langevin(process)
        metric, drift = _metric(langevin, arb(kappa), kind), langevin.renormalised
        return (np.array([[float(each[i, j]) for j in (0, 1)] for i in (0, 1)]) for each in (metric, drift))


@pytest.mark.parametrize("kind", ["basis", "lyapunov"])
@pytest.mark.parametrize("process", PROCESSES, ids=str)
def test_the_metric_is_the_one_in_floats(process, kind):
    """The bound in balls and the one in floats are in one metric."""
    path = PhasePath(process)
    metric, _ = in_balls(process, 1.7, kind)
    np.testing.assert_allclose(metric, contracting_metric(path, 1.7, kind), rtol=LAW_ROUNDING)


@pytest.mark.parametrize("process", PROCESSES, ids=str)
def test_the_drift_contracts_at_the_rate_that_is_said(process):
    """The largest rate of ‖e^{tÃ}x‖ in "basis" is −η, η = a(1 − 1/κ), and 𝔐Ã + Ãᵀ𝔐 + 2η𝔐 = −I in
    "lyapunov"."""
    a, kappa = float(process.parameters["a"]), 1.7
    eta = a * (1 - 1 / kappa)
    metric, drift = in_balls(process, kappa, "basis")
    root = np.linalg.cholesky(metric).T
    seen = root @ drift @ np.linalg.inv(root)
    assert np.linalg.eigvalsh(seen + seen.T).max() / 2 == pytest.approx(-eta, rel=LAW_ROUNDING)
    metric, drift = in_balls(process, kappa, "lyapunov")
    moved = metric @ drift + drift.T @ metric + 2 * eta * metric
    np.testing.assert_allclose(moved, -np.eye(2), atol=LAW_ROUNDING * np.abs(metric).max())
