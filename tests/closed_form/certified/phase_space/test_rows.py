"""Rows of position and velocity in balls: against 60 digits, and what they make of Gaussian data."""

from dataclasses import replace

import numpy as np
import pytest
from flint import ctx
from mpmath import mp, mpf

from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.symbolic.balls import NotEnclosed
from closed_form import Gaussian
from closed_form.certified.chain import certified_w2
from closed_form.certified.phase_space.rows import ball_rows
from closed_form.sampler_laws.w2 import sampler_w2
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import CERTIFIED_WIDTH
from tests.phase_space_exact import PROCESSES, ExactPhase, exact_rows, exact_w2

KEYS = sorted(samplers(2))
CLOCK = "t+t^2/3"
TIMES = np.array([2.0, 1.25, 1.2, 0.5, 2.0**-20, 0.0])


def clock(t):
    """The same for mpmath."""
    return t + t * t / 3


def decimal(ball):
    """The middle of a ball and its radius in mpmath."""
    parts = (part.man_exp() for part in (ball.mid(), ball.rad()))
    return tuple(mpf(int(mantissa)) * mpf(2) ** int(exponent) for mantissa, exponent in parts)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("constants", PROCESSES[:6], ids=str)
def test_balls_hold_the_rows(key, constants):
    """P, Q, noise, φ and S of every row in 60 digits are in their balls, which are small."""
    chosen = Scheme(samplers(2)[key], TimeGrid(TIMES))
    with ctx.workprec(160), mp.workdps(60):
        found = ball_rows(cld(*map(str, constants), CLOCK), chosen)
        exact = ExactPhase(*map(str, constants))
        rows = exact_rows(exact, key, [mpf(t) for t in TIMES.tolist()], clock)
        kernels = [exact.kernel(row[0]) for row in rows] + [exact.kernel(mpf(0))]
        assert len(rows) == len(found.maps)
        mine, its = [*found.maps, *found.kernels], [*(row[1:] for row in rows), *kernels]
        for balls, numbers in zip(mine, its, strict=True):
            for matrix, wanted in zip(balls, numbers, strict=True):
                size = max(1, *(abs(x) for x in wanted))
                for ball, number in zip(matrix.entries(), wanted, strict=True):
                    middle, radius = decimal(ball)
                    assert abs(middle - number) <= radius + size * mpf(10) ** -50
                    assert radius <= size * mpf(10) ** -30


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("constants", PROCESSES[:6], ids=str)
def test_a_chain_in_many_digits_ends_in_the_bracket(key, constants):
    """W2 in 60 digits is in the bracket of the balls, and that bracket within the chain's."""
    process, chosen = cld(*map(str, constants), CLOCK), Scheme(samplers(2)[key], TimeGrid(TIMES))
    law = Gaussian([-3.0, 2.0], np.array([0.25, 1e-4]))
    found, chain = certified_w2(law, process, chosen), sampler_w2(law, exact_steps(process, chosen))
    with mp.workdps(60):
        rows = exact_rows(ExactPhase(*map(str, constants)), key, [mpf(t) for t in TIMES.tolist()], clock)
        parts = [exact_w2(ExactPhase(*map(str, constants)), rows, mean, value)
                 for mean, value in zip(law.mean, law.eigenvalues, strict=True)]
        wanted = mp.sqrt(sum(part**2 for part in parts))
    assert found.lower <= wanted <= found.upper
    assert found.relative_width <= CERTIFIED_WIDTH
    assert chain.lower <= found.lower and found.upper <= chain.upper


def test_long_rows_take_more_bits():
    """Rows that cancel more digits than the chain has are given more bits, until the bracket is narrow."""
    process, chosen = cld("1", "2", "1/5", "9/10"), scheme("posterior-mean", 600.0, 4)
    law = Gaussian([1.0], 0.25)
    assert sampler_w2(law, exact_steps(process, chosen)).upper == np.inf
    assert certified_w2(law, process, chosen).relative_width <= CERTIFIED_WIDTH


def test_what_is_not_known_is_refused():
    """A sampler without rows in balls, and a clock that stands still."""
    chosen = scheme("euler-maruyama", 2.0, 8)
    other = replace(chosen, sampler=replace(chosen.sampler, key="another"))
    with pytest.raises(NotEnclosed, match="another"):
        certified_w2(Gaussian([0.0], 1.0), cld(), other)
    with pytest.raises(ValueError, match="clock must increase"):
        certified_w2(Gaussian([0.0], 1.0), cld(clock="abs(t-1)+t-1"), chosen)
