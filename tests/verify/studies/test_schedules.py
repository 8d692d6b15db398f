"""Schedules at equal steps: what the best grid changes, and what it cannot."""

import math

import numpy as np
import pytest

from closed_form import Gaussian
from tests.quick_results import compared
from tests.tolerances import BEST_GRID
from tests.verify.tolerances import SAME_SCHEDULE
from verify.studies.schedules import SCHEDULES, compare, plot_comparison, rows

VP = ("VP, constant", "VP, linear", "VP, (b+at)²", "VP, (b+at)⁵", "VP, exponential", "VP, cosine", "OU")
VE = ("VE, constant", "VE, √(2t)", "VE, (1+t)²", "VE, exponential")


@pytest.fixture(scope="module")
def table(shared_folder):
    """Every schedule on N(0, 1/4), 200 steps."""
    return {row["schedule"]: row for row in rows(compared(shared_folder, Gaussian(np.zeros(1), 0.25), 200))}


def test_every_bound_holds_and_no_best_grid_is_worse(table):
    """Exact W2 <= bound on both grids; the best grid's bound is at most the uniform one's, up to its
    optimiser."""
    assert len(table) == len(SCHEDULES) >= 8
    for row in table.values():
        assert row["uniform_exact"] <= row["uniform_bound"] and row["best_exact"] <= row["best_bound"]
        assert row["best_bound"] <= row["uniform_bound"] * (1 + BEST_GRID)


@pytest.mark.parametrize("names", [VP, VE], ids=["VP", "VE"])
def test_schedules_of_a_kind_are_the_same_on_their_best_grids(table, names):
    """A schedule only changes the clock of f and g², and the best grid undoes that: equal bounds and exact
    errors."""
    for what in ("bound", "exact"):
        values = [table[name][f"best_{what}"] for name in names]
        assert math.isclose(min(values), max(values), rel_tol=SAME_SCHEDULE)
        assert max(table[n][f"uniform_{what}"] for n in names) > 1.3 * min(
            table[n][f"uniform_{what}"] for n in names
        )


def test_ranks_are_a_permutation(table):
    """Ranks by bound run from 1 to the number of schedules on each grid."""
    for grid in ("uniform", "best"):
        assert sorted(row[f"{grid}_rank"] for row in table.values()) == list(range(1, len(table) + 1))


def test_unknown_schedules_are_refused():
    """The message lists the known ones."""
    with pytest.raises(ValueError, match="VP, linear"):
        compare(Gaussian(np.zeros(1), 1.0), 10, ["VP, cubic"])


def test_the_picture_has_a_line_for_every_schedule(table):
    """Four kinds of dots and one label a schedule."""
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    plot_comparison(ax, list(table.values()))
    assert len(ax.lines) == 4 and len(ax.get_yticklabels()) == len(table)
