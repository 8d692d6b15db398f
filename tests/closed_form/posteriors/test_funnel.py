"""The posterior of the funnel's scale: its slopes, its mode and when it may have another one."""

import mpmath
import numpy as np
import pytest

from closed_form.posteriors import funnel
from tests.closed_form.tolerances import FUNNEL_MODE

RNG = np.random.default_rng(9)
START, ENERGY = RNG.uniform(-4.0, 4.0, 200), 10.0 ** RNG.uniform(-2.0, 3.0, 200)
GIVEN = pytest.mark.parametrize(("slope", "count"), [(1.5, 3), (0.6, 9), (3.0, 1)])


def log_density(tau, start, energy, slope, count):
    """ℓ(τ) up to a constant: τ²/2, and count normals of variance 1 + e^{start + slope τ}."""
    spread = 1 + mpmath.exp(start + slope * tau)
    return -tau**2 / 2 - count * mpmath.log(spread) / 2 - energy / spread / 2


@GIVEN
def test_slopes_are_those_of_the_log_density(slope, count):
    """ℓ' and ℓ'' are the derivatives of ℓ, in 40 digits."""
    tau = RNG.uniform(-3.0, 3.0, 200)
    first, second = funnel._slopes(tau, START, ENERGY, slope, count)
    with mpmath.workdps(40):
        for i in range(0, 200, 20):
            given = [mpmath.mpf(float(x)) for x in (START[i], ENERGY[i], slope, count)]
            known = [mpmath.diff(lambda t, given=given: log_density(t, *given), float(tau[i]), n)
                     for n in (1, 2)]
            size = 1 + ENERGY[i] * slope**2
            assert [first[i], second[i]] == pytest.approx([float(x) for x in known], abs=1e-13 * size)


@GIVEN
def test_the_mode_is_the_largest_of_all_unless_it_says_that_there_may_be_another(slope, count):
    """ℓ is nowhere larger than at the mode, between the ends or beyond; the width is that of ℓ'' there. Most
    particles need no second look."""
    with np.errstate(divide="ignore", over="ignore"):
        mode, width, hard, low, high = funnel._mode(START, ENERGY, slope, count)
    assert np.all((low <= mode) & (mode <= high)) and hard.mean() < 0.7 and not hard.all()
    places = np.linspace(-12.0, 12.0, 24_001)
    for i in np.flatnonzero(~hard):
        spread = 1 + np.exp(START[i] + slope * places)
        values = -np.square(places) / 2 - count * np.log(spread) / 2 - ENERGY[i] / spread / 2
        assert abs(places[values.argmax()] - mode[i]) <= FUNNEL_MODE * width[i] + 1e-3
        assert low[i] - 1e-3 <= places[values.argmax()] <= high[i] + 1e-3
        _, second = funnel._slopes(mode[i], START[i], ENERGY[i], slope, count)
        assert width[i] == pytest.approx(1 / np.sqrt(max(-second, 1 - funnel._CONVEX)))


@GIVEN
def test_another_mode_is_looked_for_where_the_likelihood_is_convex(slope, count):
    """A particle whose log-likelihood is hardly convex beyond 0 gets the short rule, one where it is more so
    than the prior is concave does not."""
    with np.errstate(divide="ignore", over="ignore"):
        mode, width, hard, _, _ = funnel._mode(START, ENERGY, slope, count)
        first, _ = funnel._slopes(mode, START, ENERGY, slope, count)
        up = funnel._slopes(np.zeros(200), START, ENERGY, slope, count)[0] > 0
    lowest = 1 / (1 + np.exp(-START))
    p = lowest + (1 - lowest) * np.linspace(0.0, 1.0, 5001)[:, None]
    convex = (0.5 * slope**2 * p * (1 - p) * (ENERGY * (1 - 2 * p) - count)).max(axis=0)
    settled = np.abs(first) * width < 0.49
    assert np.all(hard[up & (convex > funnel._CONVEX)])
    assert not np.any(hard[settled & (~up | (convex < 0.3 * funnel._CONVEX))])
