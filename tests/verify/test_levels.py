"""Grids of noise levels: the times of levels on every process, against σ = s/a there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import cld, general, ou, sub_vp, ve, vp
from bounds.noise_levels import rho_levels
from bounds.processes.edm import edm
from bounds.processes.flow_matching import flow_matching
from bounds.schedules import cosine, table
from bounds.steps.path import Path
from tests.drawn import examples, thinned
from tests.verify.tolerances import LEVELS, LEVELS_NEAR_POLE, LEVELS_OF_SUB_VP
from verify.levels import grid_made, grid_of_levels, rho_grid

PROCESSES = {
    "ou": ou(), "edm": edm(), "vp": vp("1/10 + 199/10*t"), "constant": vp("1/1000"),
    "ve": ve("exp(t)"), "rough": general("cos(t)", "1 + t"), "points": vp(table([0, 0.5, 2], [0.1, 3, 20.0])),
    "waves": vp("1 + sin(50*t)"), "ou by name": general(1, "sqrt(2)"), "edm by name": general(0, "sqrt(2*t)")}
#: σ grows without end as t comes near to one, so that t itself rounds σ.
POLES = {"flow-matching": flow_matching(), "by name": general("1/(1-t)", "sqrt(2*t/(1-t))"),
         "cosine": vp(cosine())}
#: How near σ comes to the level: the rest to `LEVELS`.
TOLERANCES = {"sub-vp": LEVELS_OF_SUB_VP, **dict.fromkeys(POLES, LEVELS_NEAR_POLE)}


def sigma_on(process, times):
    """σ at the times of a grid."""
    path = Path(process, times)
    return np.sqrt(path.s_sq) / path.a


@pytest.mark.parametrize("sizes, name", thinned(((20.0, 0.02, 64), (2.0, 1e-7, 9)), (*PROCESSES, *POLES, "sub-vp"), every=2))
def test_levels_are_reproduced_to_rounding(name, sizes):
    """σ at the times of a grid is the level it was made for, on every family, by formula or by root."""
    process = (PROCESSES | POLES | {"sub-vp": sub_vp("1 + t")})[name]
    grid, levels = rho_grid(process, *sizes), rho_levels(*sizes)
    assert np.allclose(sigma_on(process, grid.times), levels, rtol=TOLERANCES.get(name, LEVELS), atol=0)
    assert (grid.kind, grid.early_stop, grid.steps) == ("rho", 0.0, sizes[-1])


def test_families_with_a_formula_need_no_root():
    """Where σ(t) is a formula the times are its inverse: t, t/(1 + t) of σ and ½ log(1 + σ²)."""
    levels = [3.0, 1.0, 0.5]
    assert grid_of_levels(edm(), levels).times.tolist() == levels
    assert grid_of_levels(flow_matching(), levels).times.tolist() == [0.75, 0.5, 0.5 / 1.5]
    assert np.array_equal(grid_of_levels(ou(), levels).times, np.log1p(np.square(levels)) / 2)


@settings(max_examples=examples(5))
@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=30, unique=True))
def test_any_levels_are_a_grid(levels):
    """A list of levels that decreases strictly gives as many times, and 0 for the level 0."""
    levels = sorted((float(f"{level:.6g}") for level in set(levels)), reverse=True)
    levels = [*dict.fromkeys(levels), 0.0]
    grid = grid_of_levels(general(1, "sqrt(2)"), levels)
    assert grid.times[-1] == 0 and np.allclose(sigma_on(ou(), grid.times), levels, rtol=LEVELS, atol=0)
    assert grid_made(general(1, "sqrt(2)"), grid.kind, grid.made) == grid


@pytest.mark.parametrize(("make", "words"), [
    (lambda: grid_of_levels(ou(), [1.0]), "at least two"),
    (lambda: grid_of_levels(ou(), [[1.0, 0.0]]), "at least two"),
    (lambda: grid_of_levels(ou(), [1.0, 2.0]), "sigmas must decrease strictly"),
    (lambda: grid_of_levels(ou(), [1.0, np.nan]), "finite"),
    (lambda: grid_of_levels(ou(), [1.0, -1.0]), "sigmas must end at a noise level >= 0"),
    (lambda: grid_of_levels(cld(), [1.0, 0.0]), "two blocks"),
    (lambda: rho_grid(ve("exp(-t)"), 20, 0.02, 5), "reaches, got 20: it has 0.707107 at t ="),
    (lambda: rho_grid(general("-1", "1"), 20, 0.02, 5), "got 20: it is not usable beyond t = 115.129"),
    (lambda: rho_grid(ve("1/sqrt(t)"), 20, 0.02, 5), "reaches, got 20: it is not usable up to t ="),
    (lambda: rho_grid(ou(), 20, 0.02, 0), "steps")])
def test_levels_that_are_none_are_refused_by_name(make, words):
    """A list that is none, a process with more than one noise level, and a level that is not reached are
    refused in one line."""
    with pytest.raises(ValueError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
