"""The truth's own rows of critically-damped Langevin: 60 digits, the bound's table, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.steps.phase_space.path import PhasePath
from closed_form.steps.phase_space import table
from closed_form.steps.phase_space.flow import Flow
from closed_form.steps.table import exact_steps
from closed_form.within import Within
from tests.closed_form.tolerances import CHAIN_SAME, PHASE_ROWS_SAME
from tests.drawn import examples
from tests.phase_space_exact import PROCESSES, ExactPhase, exact_rows

KEYS = sorted(samplers(2))
NAMES = "P", "Q", "noise_var"
CLOCK = "t+t^2/3"


def decimal(number):
    """An extended number in mpmath."""
    high = float(number)
    return mpf(high) + mpf(float(number - np.longdouble(high)))


def matrices(exact, key, times):
    """Rows in 60 digits with φ and S at their times."""
    found = exact_rows(exact, key, times, lambda t: t + t * t / 3)
    last = mpf(times[-1])
    return found, [exact.kernel(at) for at in (*(row[0] for row in found), last + last * last / 3)]


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=examples(12))
@given(st.sampled_from(PROCESSES), st.lists(st.floats(1e-6, 2), min_size=1, max_size=4), st.booleans())
def test_errors_hold_what_is_missed(key, constants, lengths, stopped):
    """Every number of every row in 60 digits is within its stated error, which is tiny."""
    times = np.cumsum([0.05 * stopped, *(length / float(constants[0]) for length in lengths)])[::-1]
    found = exact_steps(cld(*map(str, constants), CLOCK), Scheme(samplers(2)[key], TimeGrid(times)))
    with mp.workdps(60):
        exact = ExactPhase(*map(str, constants))
        rows, kernels = matrices(exact, key, found_times(times))
        wanted = {name: [row[at + 1] for row in rows] for at, name in enumerate(NAMES)}
        wanted |= {name: [kernel[at] for kernel in kernels] for at, name in enumerate(("a", "s_sq"))}
        wanted["prior_var"] = exact.stationary
        for name, matrices_ in wanted.items():
            value, error = (np.asarray(getattr(of, name)) for of in (found, found.errors))
            flat = [x for matrix in ([matrices_] if name == "prior_var" else matrices_) for x in matrix]
            for x, dx, y in zip(value.ravel(), error.ravel(), flat, strict=True):
                assert abs(decimal(x) - y) <= mpf(float(dx)) + mpf(10) ** -45 * (1 + abs(y))
            assert error.max() <= PHASE_ROWS_SAME * float(np.abs(value).max())
    assert not found.errors.estimated


def found_times(times):
    """The grid's times, exact in mpmath."""
    return [mpf(float(t)) for t in times]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("constants", PROCESSES[:6], ids=str)
def test_two_routes_agree(key, constants):
    """The table of the bound has the same rows, to the rounding of floats and of its clock."""
    process = cld(*map(str, constants), "log(1+t)")
    chosen = Scheme(samplers(2)[key], TimeGrid.geometric(3.0, 12))
    mine, its = exact_steps(process, chosen), chosen.steps(process)
    for name in (*NAMES, "a", "s_sq", "prior_var"):
        one, other = (np.asarray(getattr(of, name), dtype=float) for of in (mine, its))
        size = np.abs(other).reshape(len(other), -1).max(axis=1).reshape(-1, *[1] * (other.ndim - 1))
        assert np.all(np.abs(one - other) <= CHAIN_SAME * size)
    assert mine.time == pytest.approx(its.time, rel=CHAIN_SAME)


def test_nothing_of_the_bounds_route_is_used(monkeypatch):
    """The rows come about without a path of the bound."""
    def refuse(*_):
        raise AssertionError("the bound's path is not for the truth")

    monkeypatch.setattr(PhasePath, "__init__", refuse)
    for key in KEYS:
        assert len(exact_steps(cld(), scheme(key, 2.0, 3))) in (3, 4)


def test_long_and_short_steps_meet():
    """Where the rule of short steps ends and what the stationary law gives begins, both say the same."""
    flow = Flow(cld(1, 2, "1/2"))
    for name in ("covariance", "reverse_covariance", "renormalised_covariance", "reverse_integral"):
        for edge in (1.0, 2.0):
            below, above = (getattr(flow, name)(Within([edge + off])) for off in (-1e-15, 1e-15))
            assert np.abs(below.value / above.value - 1).max() < CHAIN_SAME


def test_short_steps_among_long_ones_keep_their_digits():
    """What a clock distance of 1e-6 gives is as sharp beside one of 5 as alone: C there is D times it, the
    rest less."""
    flow = Flow(cld(1, 2, "1/2"))
    for name in ("covariance", "renormalised_covariance", "reverse_covariance"):
        found = getattr(flow, name)(Within([1e-6, 5.0]))
        short = found[0].value.astype(float)
        assert np.diag(short) == pytest.approx(1e-6 * np.diag(flow.D.value).astype(float), rel=1e-5)
        assert np.all(found[0].error <= 1e-17 * np.abs(short).max())


def test_a_sampler_that_is_not_restated_says_so(monkeypatch):
    """Rows of a sampler unknown here are those of the bound's table, and said to be."""
    monkeypatch.setattr(table, "rows", lambda *_: None)
    chosen = scheme("euler-maruyama", 2.0, 5)
    found = exact_steps(cld(), chosen)
    assert "those of the bound" in found.errors.estimated
    assert np.array_equal(found.P, chosen.steps(cld()).P)


@pytest.mark.parametrize(("clock", "message"), [
    ("t-t^2/3", "β must be >= 0"), ("3*t*(t-1)^2", "β must be"), ("abs(t-1)+t-1", "clock must increase")])
def test_a_clock_that_runs_backwards_is_refused(clock, message):
    """Where β < 0, or the clock stands still, the process is refused."""
    with pytest.raises(ValueError, match=message):
        exact_steps(cld(clock=clock), scheme("euler-maruyama", 2.0, 8))


def test_a_scheme_without_rows_is_refused():
    """A prior of one block, a sampler of one block, and a step that leaves the floats are refused by name."""
    one = scheme("euler-maruyama", 2.0, 4)
    for chosen, message in ((replace(one, prior_std=1.0), "prior_std must be left out"),
                            (scheme("ancestral", 2.0, 4), "scheme must be one of"),
                            (scheme("euler-maruyama", 4000.0, 4), "grid must have steps")):
        with pytest.raises(ValueError, match=message):
            exact_steps(cld(), chosen)
