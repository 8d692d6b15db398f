"""What is left over by a map of the plane: jumps cost what they are long, and points are cells."""

from types import SimpleNamespace

import numpy as np
import pytest

from closed_form.distances.planar_flow import _jumps
from closed_form.distances.planar_jumps import _blocks
from closed_form.sampler_laws.plane.law import Grid
from tests.closed_form.tolerances import PLANE_BALANCE

GRID = Grid.around(np.full(2, -4.0), np.full(2, 4.0), 0.25)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.7, -1.3)])
def test_a_jump_costs_the_square_of_its_length(shift):
    """From one point to another, on no island: |x − x'|² of the mass, whatever the translation by which both laws are seen."""
    points = GRID.points()
    image = SimpleNamespace(there=points + np.array(shift)[:, None],
                            potential=(-2 * np.array(shift) @ points).reshape(GRID.shape))
    over, under = np.zeros(points.shape[1]), np.zeros(points.shape[1])
    over[101], under[-205] = 0.3, 0.3
    exact = 0.3 * float(np.square(points[:, 101] - points[:, -205]).sum())
    island = np.full(points.shape[1], -1)
    found = _jumps(GRID, image, island, over.reshape(GRID.shape), under.reshape(GRID.shape))
    assert found == pytest.approx(exact, rel=PLANE_BALANCE)


def test_a_point_of_a_block_is_a_cell():
    """The variance of a block of one point is that of its cell, h²/6, and of two that of their masses besides."""
    values = np.zeros(GRID.shape)
    values[4, 4] = 1.0
    assert _blocks(GRID, values)[2] == pytest.approx([GRID.spacing**2 / 6], rel=PLANE_BALANCE)
    values[4, 5] = 3.0
    assert _blocks(GRID, values)[2] == pytest.approx([GRID.spacing**2 * (3 / 16 + 1 / 6)], rel=PLANE_BALANCE)
