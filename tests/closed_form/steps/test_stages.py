"""The numbers of steps with two evaluations by the route of the truth, against that of the claim."""

import numpy as np
import pytest

from bounds import general, ou, vp
from bounds.grid import TimeGrid
from bounds.processes.edm import edm
from bounds.sampler import Scheme, heun
from bounds.samplers import samplers
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import TWO_ROUTES

TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]
PROCESSES = {"ou": ou(), "vp": vp("1/10 + 199/10*t"), "edm": edm(),
             "general": general("sin(3*t)", "1 + 9/10*cos(2*t)")}
SECOND = ("keep", "P", "Q", "a", "s_sq")


@pytest.mark.parametrize("stop", [0.0, 0.1])
@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", TWICE)
def test_two_routes_find_the_same_steps(key, name, stop):
    """All numbers of both stages agree to rounding, and their errors are proved and as small."""
    scheme = Scheme(samplers()[key], TimeGrid.uniform(1.0, 30, stop))
    mine, other = exact_steps(PROCESSES[name], scheme), scheme.steps(PROCESSES[name])
    assert not mine.estimated and not np.any(mine.noise_var)
    pairs = [(getattr(mine, name), getattr(other, name), getattr(mine.errors, name))
             for name in ("P", "Q", "a", "s_sq")]
    pairs += [(getattr(mine.second, name), getattr(other.second, name), getattr(mine.second.errors, name))
              for name in SECOND]
    for one, two, error in pairs:
        assert one.astype(float) == pytest.approx(two, rel=TWO_ROUTES, abs=1e-300)
        assert np.all(error <= TWO_ROUTES * np.abs(one) + 1e-30)


def test_without_balls_the_numbers_are_the_claims_and_say_so():
    """Where f is a function without ball arithmetic the steps are those of the table, estimated."""
    process = general(lambda t: np.abs(np.sin(t)), "1")
    found = exact_steps(process, heun(1.0, 5))
    assert "not enclosed" in found.estimated
    assert found.second.Q == pytest.approx(heun(1.0, 5).steps(process).second.Q, rel=0)
