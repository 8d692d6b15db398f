"""The best grid of samplers without noise: the cosine schedule on Gaussians, and better than equal steps."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import Setting, edm, ou, vp
from bounds.complexity.flow_grid import flow_model_of, has_flow_grid
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import EQUAL_ANGLES
from verify.certificates.question import setting_of

FLOW, QUARTER, MODES = theorems()["flow"], Gaussian([0.0], 0.25), GaussianMixture.two_modes(2.0, 0.5)
SILENT = [key for key, sampler in samplers(1).items() if sampler.follows_ode and sampler.multistep is None]
PROCESSES = {"OU": (ou(), 4.0), "EDM": (edm(), 40.0), "VP": (vp("1/10 + 199/10*t"), 1.0)}


def levels_of(setting):
    """Noise levels of the setting's grid."""
    path = setting.table.path
    return np.sqrt(path.s_sq) / path.a


@pytest.mark.parametrize("name", PROCESSES)
def test_ddim_on_a_gaussian_is_the_cosine_schedule(name):
    """On N(0, v I) the best grid of DDIM has equal steps of arctan(σ/√v), whatever f and g."""
    process, horizon = PROCESSES[name]
    setting = setting_of(process, QUARTER, scheme("ddim", horizon, 10))
    grid = flow_model_of(setting).best_grid(64)
    found = levels_of(replace(setting, scheme=replace(setting.scheme, grid=grid)))
    steps = -np.diff(np.arctan(found / 0.5))
    assert steps == pytest.approx(np.full(64, steps.mean()), rel=EQUAL_ANGLES)


@pytest.mark.parametrize("key", SILENT)
@pytest.mark.parametrize("law", [QUARTER, MODES], ids=["Gaussian", "two modes"])
def test_better_than_equal_steps(key, law):
    """The bound on the best grid is below that on equal steps, for every sampler without noise."""
    setting = setting_of(ou(), law, scheme(key, 4.0, 48))
    grid = flow_model_of(setting).best_grid(48)
    assert grid.steps == 48 and (grid.horizon, grid.early_stop) == (4.0, 0.0)
    best = FLOW.bound(replace(setting, scheme=replace(setting.scheme, grid=grid)))
    assert best.total < 0.9 * FLOW.bound(setting).total


def test_a_shorter_horizon_is_a_part_of_a_longer_one():
    """A model cut at a horizon places steps as one made there does."""
    setting = setting_of(ou(), MODES, scheme("ddim", 6.0, 10))
    cut = flow_model_of(setting).up_to(3.5).best_grid(40).times
    made = flow_model_of(replace(setting, scheme=scheme("ddim", 3.5, 10))).best_grid(40).times
    assert cut == pytest.approx(made, rel=0.02, abs=1e-3)


def test_what_has_no_best_grid():
    """The flow has one for samplers without noise; a batch of problems is refused."""
    setting = setting_of(ou(), QUARTER, scheme("ddim", 4.0, 10))
    assert has_flow_grid(FLOW, setting) and not has_flow_grid(theorems()["martingale"], setting)
    assert not has_flow_grid(FLOW, replace(setting, scheme=scheme("euler-maruyama", 4.0, 10)))
    batch = Setting(ou(), QUARTER.assumptions()[0], scheme("ddim", 4.0, 10), np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="one problem at a time"):
        flow_model_of(batch)
