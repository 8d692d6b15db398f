"""Laws on a line whose bells numba sums: the same law, and no bell beyond its grid."""

import math
import os

import numpy as np
import pytest

from bounds import compiled, euler_maruyama, ou
from closed_form import GaussianMixture
from closed_form.sampler_laws.line import propagation
from closed_form.sampler_laws.line.propagation import Sources
from closed_form.sampler_laws.line.sampler import sampler_line
from tests.closed_form.tolerances import LINE_COMPILED


@pytest.fixture
def both(monkeypatch):
    """What numpy, in a process without much work, and numba, in one that has had enough, make of a computation."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")

    def twice(compute):
        monkeypatch.setattr(compiled, "WORTH", math.inf)
        plain = compute()
        monkeypatch.setattr(compiled, "WORTH", 0.0)
        assert compiled.compiled(propagation._add_bells, 0.0) is not None
        return plain, compute()

    return twice


@pytest.mark.parametrize(("std", "kinds"), [(0.02, 2), (0.3, 8), (4.0, 2)])
def test_numba_sums_the_same_bells(both, std, kinds):
    """Narrow and wide bells of sources in any order, several to a point, are summed kind by kind to the same."""
    rng = np.random.default_rng(5)
    means, weights = rng.normal(size=700), rng.random(700)
    sources = Sources(means, weights, std, np.arange(700) % kinds, np.linspace(-1.0, 1.0, kinds))
    dx = 0.4 * std
    low = means.min() - 8.6 * std
    (plain, doubt), (loop, other) = both(lambda: sources.density(low, dx, 3 + int((means.max() - low) / dx + 8.6 / 0.4)))
    assert not np.array_equal(plain, loop)  # numba was at work
    assert np.abs(loop - plain).max() <= LINE_COMPILED * plain.max()
    assert abs(other - doubt) <= LINE_COMPILED * max(1.0, doubt)


def test_the_law_of_a_sampler_is_the_same(both):
    """After fifty steps both laws of the last iterate have the same mixture, to what rounding does."""
    steps = euler_maruyama(4.0, 50).steps(ou())
    plain, loop = both(lambda: sampler_line(GaussianMixture.two_modes(1.5, 0.4), steps).law)
    assert loop.means == pytest.approx(plain.means, rel=LINE_COMPILED, abs=LINE_COMPILED)
    assert loop.weights == pytest.approx(plain.weights, abs=LINE_COMPILED)


def test_no_bell_is_written_beyond_its_grid(both):
    """A bell that is not on the grid is refused by either: compiled code would write over what is not its own."""
    def refused():
        with pytest.raises(ValueError, match=r"negative|on the grid"):
            Sources(np.array([-99.0]), np.ones(1), 1.0).density(0.0, 0.5, 10)
        return True

    assert both(refused) == (True, True)
