"""Normals by a compiled loop: the same bits, for long runs only, and none of it needed."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bounds import cld, euler_maruyama, ou
from closed_form import Gaussian, GaussianMixture
from verify.particles import compiled
from verify.particles.simulation import sample


@pytest.fixture(autouse=True)
def fresh():
    """What was compiled before is forgotten, and what a test compiles is too."""
    compiled._compiled.cache_clear()
    yield
    compiled._compiled.cache_clear()


RUNS = {
    "line": (GaussianMixture.two_modes(2.0, 0.5), ou(), {}),
    "space": (GaussianMixture(np.eye(3), std=0.5), ou(), {}),
    "span": (GaussianMixture(np.eye(3, 70), std=0.5), ou(), {"reduce": True}),
    "velocity": (Gaussian([0.0, 1.0], 1.0), cld(), {}),
    "threads": (GaussianMixture.two_modes(2.0, 0.5), ou(), {"threads": 2, "block": 4096}),
}


@pytest.mark.parametrize("run", RUNS)
def test_the_compiled_loop_draws_the_same_normals(run, monkeypatch):
    """Particles of a seed are the same bits, whoever draws their normals, on one thread and on two."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")
    law, process, options = RUNS[run]
    steps = euler_maruyama(4.0, 10).steps(process)
    plain = sample(law, steps, 9000, 3, **options)
    monkeypatch.setattr(compiled, "LEAST", 0)
    assert compiled.drawing(0) is not compiled._plain
    assert np.array_equal(sample(law, steps, 9000, 3, **options), plain)


def test_short_runs_load_nothing(monkeypatch):
    """Below the least number of normals numba is not asked for, from it on it is."""
    asked = []
    monkeypatch.setattr(compiled, "_compiled", lambda: asked.append(1))
    assert compiled.drawing(compiled.LEAST - 1) is compiled._plain and not asked
    assert compiled.drawing(compiled.LEAST) is compiled._plain and asked
    monkeypatch.setattr(compiled, "_compiled", lambda: print)
    assert compiled.drawing(compiled.LEAST) is print


def test_the_normals_of_a_run_are_counted(monkeypatch):
    """What decides is the number of particles times coordinates times steps, the start counted as one; with given
    normals nothing is drawn."""
    counted = []
    monkeypatch.setattr("verify.particles.noise.drawing", lambda normals: counted.append(normals) or compiled._plain)
    plane, steps = Gaussian([0.0, 0.0], 1.0), euler_maruyama(4.0, 10).steps(ou())
    sample(plane, steps, 7, 1)
    sample(GaussianMixture(np.eye(2, 70), std=0.5), steps, 7, 1)
    rows = euler_maruyama(4.0, 10).steps(cld())
    sample(plane, rows, 7, 1)
    assert counted == [7 * 2 * 11, 7 * 1 * 11, 7 * 2 * (2 + 10)]
    sample(plane, steps, 7, None, increments=np.zeros((11, 7, 2)))
    assert len(counted) == 3


def test_numpy_draws_where_numba_does_not_work(monkeypatch):
    """Without numba, or with one that refuses this numpy, the long run is numpy's."""
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled.drawing(compiled.LEAST) is compiled._plain


def test_a_loop_that_cannot_be_kept_is_compiled_all_the_same(monkeypatch):
    """Where no folder can be written to the loop is compiled for this process."""
    def njit(loop, *, nogil, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return loop

    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=njit))
    rows, generators = np.empty((2, 3)), [np.random.Generator(np.random.SFC64(5)) for _ in range(2)]
    compiled.drawing(compiled.LEAST)(generators[0], rows)
    assert np.array_equal(rows, generators[1].standard_normal((2, 3)))
