"""What is left over by a map of the plane: jumps cost what they are long, and points are cells."""

from types import SimpleNamespace

import numpy as np
import pytest

from closed_form.distances.planar_flow import ROOM, _jumps, flow_gap
from closed_form.distances.planar_jumps import _blocks
from closed_form.sampler_laws.plane.law import Grid
from tests.closed_form.tolerances import PLANE_BALANCE

GRID = Grid.around(np.full(2, -4.0), np.full(2, 4.0), 0.25)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.7, -1.3)])
def test_a_jump_costs_the_square_of_its_length(shift):
    """From one point to another, on no island: |x − x'|² of the mass, whatever the translation by which both laws are seen."""
    points = GRID.points()
    there, potential = points + np.array(shift)[:, None], -2 * np.array(shift) @ points
    image = SimpleNamespace(places=[each.reshape(2, *GRID.shape) for each in (points, there)],
                            potentials=[each.reshape(GRID.shape) for each in (potential, np.dot(shift, shift) - potential)])
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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.24])
def test_a_flow_on_an_island_is_dearer_by_what_it_has_too_much_of(share):
    """On a strip the first law is 1 + share and a wave, the second 1: a flow round the ring carries the wave, its cost over what
    the share leaves of the mean of both; the share jumps to a place beside the strip."""
    n = GRID.shape[0]
    along = 1 + share + 0.2 * np.cos(2 * np.pi * (np.arange(n) + 0.3) / n)
    first, second = np.zeros(GRID.shape), np.zeros(GRID.shape)
    first[:, 5:9], second[:, 5:9] = along[:, None], 1.0
    second[3, 20] = first.sum() - second.sum() if share else 0.0
    points, zero = GRID.points().reshape(2, *GRID.shape), np.zeros(GRID.shape)
    image = SimpleNamespace(laws=[first, second], places=[points, points], potentials=[zero, zero], dear=np.full(GRID.shape, 3.0))
    least, mean = np.minimum(along, 1.0), (along - 1) / np.log(along)
    part = float((along - 1).sum() / least.sum())
    face = 2 * mean * np.roll(mean, -1) / (mean + np.roll(mean, -1))
    stream = np.cumsum(along - 1 - part * least)
    stream -= (stream / face).sum() / (1 / face).sum()
    flow = 3.0 * 4 * float((stream**2 / face).sum()) * GRID.cell**2 / (1 - part)
    over = np.where(first > 0, part * least[:, None], 0.0) * GRID.cell
    jumps = float((over * np.square(points - points[:, 3, 20, None, None]).sum(axis=0)).sum())
    assert flow_gap(GRID, image, 1e-14) == pytest.approx(ROOM * flow + jumps, rel=PLANE_BALANCE)
