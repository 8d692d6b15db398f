"""The numbers of a problem that a descent moves: all of them, each where it stands, within what can be
integrated."""

import numpy as np
import pytest

from bounds.theorem import Domain
from verify.counterexamples.drawing import NumpyDraw
from verify.counterexamples.moving import LONGEST, SHORTEST, moved, numbers_of
from verify.counterexamples.tables import HUNTED, draw_tables
from verify.problems.problem import read_problem
from verify.problems.section import ProblemError

TABLES = {
    "process": {"family": "vp", "beta": "0.5 + 2.25*t^2"},
    "data": {"law": "gaussian", "mean": [3.0, 0.0], "covariance": [1.0, 4.0]},
    "scheme": {"kind": "euler-maruyama", "horizon": 2.0, "steps": 10, "early_stop": 0.5, "score_error": 0.25},
}


def test_each_number_is_moved_where_it_stands():
    """Horizon (with the early stop at its fraction), steps, early stop, error, sizes of the data, decimals of
    a coefficient."""
    numbers = numbers_of(TABLES, 100)
    assert [number.value for number in numbers] == [2.0, 10, 0.5, 0.25, 3.0, 4.0, 0.5, 2.25]
    found = moved(TABLES, numbers, np.log([4.0, 20.2, 0.8, 0.5, 6.0, 8.0, 1.0, 3.0]))
    assert found == {
        "process": {"family": "vp", "beta": "1.000000 + 3.000000*t^2"},
        "data": {"law": "gaussian", "mean": [6.0, 0.0], "covariance": [2.0, 8.0]},
        "scheme": {"kind": "euler-maruyama", "horizon": 4.0, "steps": 20, "early_stop": 0.8,
                   "score_error": 0.5},
    }
    longer = moved(TABLES, numbers[:1], [np.log(4.0)])
    assert longer["scheme"]["early_stop"] == 1.0 and TABLES["scheme"]["early_stop"] == 0.5


def test_a_list_of_times_is_stretched():
    """A grid given as a list keeps its shape, and its first time is the horizon."""
    scheme = {"kind": "ancestral", "horizon": 2.0, "steps": 2, "grid": [2.0, 0.5, 0.0]}
    tables = {**TABLES, "scheme": scheme}
    found = moved(tables, numbers_of(tables, 100)[:1], [np.log(3.0)])["scheme"]
    assert (found["grid"], found["horizon"], found["steps"]) == ([3.0, 0.75, 0.0], 3.0, 2)


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
def test_problems_stay_problems(factor):
    """However far the numbers are moved, every kind of problem drawn can be read, with a horizon that can be
    integrated, or is refused for its long steps; not moved it is the same to four digits."""
    for seed in range(12):
        tables = draw_tables(NumpyDraw(np.random.default_rng(seed)), Domain(), 50, HUNTED[seed % len(HUNTED)])
        numbers = [each for each in numbers_of(tables, 50)
                   if each.value != tables["scheme"].get("early_stop")]
        found = moved(tables, numbers, [np.log(each.value * factor) for each in numbers])
        try:
            grid = read_problem(found).scheme.grid
        except ProblemError as error:  # a process that does too much in a step
            assert factor > 1 and "use more steps or a smaller horizon" in str(error)
            continue
        assert SHORTEST <= grid.horizon <= LONGEST and grid.steps <= max(50, tables["scheme"]["steps"])
        if factor == 1.0:
            assert grid.horizon == pytest.approx(tables["scheme"]["horizon"], rel=1e-3)
