"""Compiled loops: the same normals bit for bit, the same particles to rounding, for long runs only, and none of it needed."""

import importlib
import os
import sys

import numpy as np
import pytest

from bounds import cld, euler_maruyama, exponential_integrator, ou
from bounds.sampler import dpmpp_2m, heun
from closed_form import Gaussian, GaussianMixture
from tests.verify.tolerances import COMPILED_STEPS, EXPONENTIAL_ULP, SAME_INCREMENTS_FLOAT32
from verify.particles import compiled
from verify.particles.backends import backend
from verify.particles.simulation import sample


@pytest.fixture(autouse=True)
def fresh():
    """What was loaded before is forgotten, and what a test loads is too."""
    compiled._loaded.cache_clear()
    yield
    compiled._loaded.cache_clear()


@pytest.fixture
def lanes():
    """The compiled loops, where numba is installed; it has to be where REQUIRE_NUMBA says so."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")
    found = compiled._loaded()
    assert found is not None
    return found


def mixture(components, dim, std=0.5):
    """Components somewhere, of unequal weights."""
    rng = np.random.default_rng(components)
    return GaussianMixture(rng.standard_normal((components, dim)), rng.dirichlet(np.ones(components)), std=std)


TURNED = Gaussian([1.0, -1.0, 0.5], [[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 0.7]])
#: Every remainder of sums by fours, in components and coordinates, one coordinate, a frame, and what is drawn at the end.
FUSED = {
    "two modes": (GaussianMixture.two_modes(2.0, 0.5), {}),
    "far modes": (GaussianMixture.two_modes(60.0, 0.5), {}),
    "three on a line": (mixture(3, 1), {}),
    "two in the plane": (mixture(2, 2), {}),
    "four in space": (mixture(4, 3), {"score_error": 0.3}),
    "five": (mixture(5, 4), {"score_noise": 0.2}),
    "nine in five dimensions": (mixture(9, 5), {}),
    "a Gaussian in a frame": (TURNED, {}),
    "span": (mixture(3, 70), {"reduce": True}),
    "threads": (mixture(2, 2), {"threads": 2, "block": 4096}),
}
DRAWN = {
    "velocity": (Gaussian([0.0, 1.0], 1.0), cld(), euler_maruyama, {}),
    "unequal components": (GaussianMixture(np.eye(2), covariances=[np.eye(2), 2 * np.eye(2)]), ou(), euler_maruyama, {}),
    "two evaluations": (mixture(2, 1), ou(), heun, {}),
    "a Gaussian drawn at the end": (Gaussian(np.ones(70), 1.0), ou(), euler_maruyama, {"reduce": True}),
    "the step before": (mixture(2, 1), ou(), dpmpp_2m, {}),
}


@pytest.mark.parametrize("run", DRAWN)
def test_other_kernels_have_the_same_particles(run, lanes, monkeypatch):
    """Where compiled loops only draw, particles of a seed are the same bits."""
    law, process, sampler, options = DRAWN[run]
    steps = sampler(4.0, 10).steps(process)
    plain = sample(law, steps, 9000, 3, **options)
    monkeypatch.setattr(compiled, "LEAST", 0)
    assert np.array_equal(sample(law, steps, 9000, 3, **options), plain)


@pytest.mark.parametrize("run", FUSED)
def test_compiled_steps_lead_to_the_same_particles(run, lanes, monkeypatch):
    """Particles of a seed are the same to rounding, whoever moves them, at the precision of the backend."""
    law, options = FUSED[run]
    steps = exponential_integrator(4.0, 10, early_stop=0.1).steps(ou())
    calls = []
    moved = lanes.Lanes.moved
    monkeypatch.setattr(lanes.Lanes, "moved", lambda self, *rest: calls.append(1) or moved(self, *rest))
    for dtype, tolerance in (("float64", COMPILED_STEPS), ("float32", SAME_INCREMENTS_FLOAT32)):
        monkeypatch.setattr(compiled, "LEAST", np.inf)
        plain = sample(law, steps, 9000, 3, backend=backend(dtype=dtype), **options)
        assert not calls
        monkeypatch.setattr(compiled, "LEAST", 0)
        fused = sample(law, steps, 9000, 3, backend=backend(dtype=dtype), **options)
        assert calls and fused.dtype == dtype
        np.testing.assert_allclose(fused, plain, rtol=tolerance, atol=tolerance * abs(plain).max())
        calls.clear()


def test_compiled_steps_do_not_know_their_block(lanes, monkeypatch):
    """The first particles of a run are the same bits, whatever follows and however many go together."""
    monkeypatch.setattr(compiled, "LEAST", 0)
    law, steps = mixture(5, 3), euler_maruyama(4.0, 10).steps(ou())
    whole = sample(law, steps, 60_000, 3)
    assert np.array_equal(sample(law, steps, 20_000, 3, block=2000), whole[:20_000])
    assert np.array_equal(sample(law, steps, 60_000, 3, threads=2), whole)


@pytest.mark.parametrize(("dim", "together"), [(3, 16), (2048, 4)], ids=["whole", "reduced"])
def test_blocks_are_as_large_as_lanes_where_memory_allows(dim, together, lanes, monkeypatch):
    """As many cells as there are lanes go together, but not where high dimension is drawn at the end: there a block is what
    it is on numpy."""
    monkeypatch.setattr(compiled, "LEAST", 0)
    cells, moved = [], lanes.Lanes.moved
    monkeypatch.setattr(lanes.Lanes, "moved", lambda self, y, *rest: cells.append(len(y)) or moved(self, y, *rest))
    sample(mixture(3, dim), euler_maruyama(4.0, 2).steps(ou()), 4096 if dim > 64 else 1 << 17, 3)
    assert max(cells) == together


def test_compiled_steps_begin_where_they_are_told(lanes, monkeypatch):
    """Given first particles move as they do on numpy."""
    law, steps = mixture(3, 2), euler_maruyama(4.0, 10).steps(ou())
    begun = np.random.default_rng(1).standard_normal((5000, 2))
    plain = sample(law, steps, 5000, 3, start=begun)
    monkeypatch.setattr(compiled, "LEAST", 0)
    fused = sample(law, steps, 5000, 3, start=begun)
    np.testing.assert_allclose(fused, plain, rtol=COMPILED_STEPS, atol=COMPILED_STEPS * abs(plain).max())


@pytest.mark.parametrize("law", [GaussianMixture.two_modes(2.0, 0.1), mixture(4, 2, std=0.1)], ids=["line", "plane"])
def test_a_compiled_scheme_that_diverges_is_refused(law, lanes, monkeypatch):
    """Steps far too long end in an error, as on numpy."""
    monkeypatch.setattr(compiled, "LEAST", 0)
    with pytest.raises(OverflowError, match="the scheme diverges"):
        sample(law, euler_maruyama(4e4, 400).steps(ou()), 100, 1)


@pytest.mark.parametrize(("cells", "shape"), [(1, (1, 4096)), (16, (3, 1024)), (17, (2, 16)),
                                              (40, (1, 16)), (3, (1, 10)), (2, (3, 1))])
def test_lanes_draw_what_numpy_draws(cells, shape, lanes):
    """Any number of cells, rows and particles draws each cell's own stream, bit for bit, draw after draw."""
    generators = [np.random.Generator(np.random.SFC64(cell)) for cell in range(cells)]
    drawn, buffer = lanes.Lanes(generators), np.empty((cells, *shape))
    for _ in range(3):
        drawn.fill(buffer)
        assert np.array_equal(buffer, [generator.standard_normal(shape) for generator in generators])


def test_tails_are_numpys(lanes):
    """Millions of normals, hundreds of them from beyond the ziggurat's last layer, are the same bits."""
    generators = [np.random.Generator(np.random.SFC64(100 + cell)) for cell in range(16)]
    buffer = np.empty((16, 1, 1 << 18))
    lanes.Lanes(generators).fill(buffer)
    assert (abs(buffer) > lanes._R).sum() > 200
    assert np.array_equal(buffer[:, 0], [generator.standard_normal(1 << 18) for generator in generators])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_exp_of_vectors_is_exp(dtype, lanes):
    """The exponential is right to a few units of the last place over all exponents, and is cut beyond them at a number that
    is still one."""
    numbers = lanes.exp_numbers(np.dtype(dtype))
    top = numbers[4]
    spread = np.concatenate([np.linspace(-top, top, 8001), np.linspace(-1, 1, 2001), [0.0]]).astype(dtype)
    found = np.array([lanes.exponential(x, numbers) for x in spread])
    exact = np.exp(spread.astype(np.longdouble))
    assert np.array_equal(found, found.astype(dtype))
    assert (abs(found - exact) / np.spacing(exact.astype(dtype))).max() < EXPONENTIAL_ULP
    assert 0 < lanes.exponential(dtype(-1e4), numbers) == found[0] and lanes.exponential(dtype(1e4), numbers) == found[8000]


def test_short_runs_load_nothing(monkeypatch):
    """Below the least number of normals numba is not asked for, from it on it is."""
    asked = []
    monkeypatch.setattr(compiled, "_loaded", lambda: asked.append(1))
    assert compiled.loops(compiled.LEAST - 1) is None and not asked
    assert compiled.loops(compiled.LEAST) is None and asked


def test_the_normals_of_a_run_are_counted(monkeypatch):
    """What decides is the number of particles times coordinates times steps, the start counted as one; with given
    normals nothing is drawn."""
    counted = set()
    for module in ("noise", "walks"):
        monkeypatch.setattr(f"verify.particles.{module}.loops", lambda normals: counted.add(normals))
    plane, steps = Gaussian([0.0, 0.0], 1.0), euler_maruyama(4.0, 10).steps(ou())
    sample(plane, steps, 7, 1)
    sample(GaussianMixture(np.eye(2, 70), std=0.5), steps, 7, 1)
    rows = euler_maruyama(4.0, 10).steps(cld())
    sample(plane, rows, 7, 1)
    assert counted == {7 * 2 * 11, 7 * 1 * 11, 7 * 2 * (2 + 10)}
    counted.clear()
    sample(plane, steps, 7, None, increments=np.zeros((11, 7, 2)))
    assert not counted


def test_numpy_draws_where_numba_does_not_work(monkeypatch):
    """Without numba, or with one that refuses this numpy, the long run is numpy's."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "verify.particles.lanes", raising=False)
    assert compiled.loops(compiled.LEAST) is None


def test_numpy_draws_where_its_normals_are_others(lanes, monkeypatch):
    """A numpy whose ziggurat is another is left to draw its normals itself."""
    monkeypatch.setattr(lanes, "_SCALES", np.roll(lanes._SCALES, 1))
    assert not lanes.agree()
    compiled._loaded.cache_clear()
    assert compiled.loops(compiled.LEAST) is None


def test_loops_that_cannot_be_kept_are_compiled_all_the_same(lanes, monkeypatch):
    """Where no folder can be written to the loops are compiled for this process."""
    import numba

    kept, plain = [], numba.njit

    def njit(loop, **options):
        if options.pop("cache", False):
            kept.append(loop.__name__)
            raise RuntimeError("cannot cache function: no locator available")
        return plain(loop, **options)

    monkeypatch.setattr(numba, "njit", njit)
    monkeypatch.delitem(sys.modules, "verify.particles.lanes")
    again = importlib.import_module("verify.particles.lanes")
    assert again is not lanes and "_add" in kept and again.agree()
