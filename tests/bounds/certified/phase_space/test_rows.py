"""Rows in balls: P, Q and the noise of every sampler against 60 digits, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from flint import ctx
from mpmath import mp, mpf

from bounds.certified.data import NotCertified
from bounds.certified.phase_space.langevin import Langevin, matrix
from bounds.certified.phase_space.rows import clock_times, rows
from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from tests.balls import exactly, holds
from tests.phase_space_exact import DIGITS, PROCESSES, ExactPhase, exact_rows

CLOCK = "t+t^2/3"
TIMES = np.array([2.0, 1.25, 1.2, 0.5, 2.0**-20, 0.0])
PRECISION = 400


def clock(t):
    """The same for mpmath."""
    return t + t * t / 3


def made(process, chosen):
    """The process and the rows in balls."""
    langevin = Langevin(process)
    return langevin, rows(langevin, process, chosen, clock_times(process, chosen.grid.times))


@pytest.mark.parametrize("key", sorted(samplers(2)))
@pytest.mark.parametrize("constants", PROCESSES[:6], ids=str)
def test_balls_hold_the_rows(key, constants):
    """P and Q of 60 digits are in their balls, and the coupled noise of the process is the sampler's."""
    chosen = Scheme(samplers(2)[key], TimeGrid(TIMES))
    with ctx.workprec(PRECISION), mp.workdps(DIGITS):
        langevin, found = made(cld(*map(str, constants), CLOCK), chosen)
        wanted = exact_rows(ExactPhase(*map(str, constants)), key, [mpf(t) for t in TIMES.tolist()], clock)
        assert len(found) == len(wanted)
        for row, (upper, P, Q, noise) in zip(found, wanted, strict=True):
            assert holds(row.upper, upper, mpf(10) ** -50)
            for balls, numbers in ((row.P, P), (row.Q, Q), (coupled(langevin, row), noise)):
                size = max(abs(x) for x in numbers)
                for ball, number in zip(balls.entries(), numbers, strict=True):
                    assert holds(ball, number, size * mpf(10) ** -40)
                    assert exactly(ball.rad()) <= size * mpf(10) ** -30


def coupled(langevin, row):
    """∫ T e^{wB} D e^{wBᵀ} Tᵀ dw, by the C of the forward flow where B is −A."""
    h, T = row.width, row.coupling
    if row.noise_flow == "none":
        spread = langevin.D * h
    elif row.noise_flow == "inverse":
        back = langevin.transition(-h)
        spread = back * matrix(langevin.covariance(h)) * back.transpose()
    else:
        moved = langevin.transition(h, langevin.renormalised + langevin.one * langevin.a)
        # Ã leaves Σ_∞ as it is
        spread = langevin.stationary - moved * langevin.stationary * moved.transpose()
    return T * spread * T.transpose()


def test_a_clock_is_0_at_0():
    """At time 0 a clock is 0 exactly, also where its ball is not that."""
    found = clock_times(cld(clock="log(2+t)-log(2)"), np.array([1.0, 0.0]))
    assert found[1] == 0 and found[0] > 0


def test_what_is_not_known_is_refused():
    """A sampler without rows in balls, and clocks that stand still, in one line that names them."""
    chosen = scheme("euler-maruyama", 2.0, 8)
    other = replace(chosen, sampler=replace(chosen.sampler, key="another"))
    with pytest.raises(NotCertified, match="another"):
        made(cld(), other)
    with pytest.raises(NotCertified, match="clock that increases"):
        made(cld(clock="abs(t-1)+t-1"), chosen)
