"""Streams of normals: the seed and the particle decide, blocks do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from verify.particles.noise import Increments, Streams, cell_size


def drawn(source, first: int, cells: int, size: int, shape: tuple[int, ...]) -> np.ndarray:
    """One array (cells, rows, size) for every number of rows in ``shape``, stacked over draws."""
    fill = source.opened(first, cells, size)
    buffers = []
    for rows in shape:
        buffer = np.empty((cells, rows, size))
        fill(buffer)
        buffers.append(buffer)
    return np.concatenate(buffers, axis=1)


@given(st.integers(1, 10**7))
def test_cell_size_is_a_bounded_power_of_two(width):
    """A cell is a power of two between 16 and 4096 particles, and near 2^14 numbers in between."""
    size = cell_size(width)
    assert size in {2**i for i in range(4, 13)}
    if 16 < size < 4096:
        assert 2**13 < size * width <= 2**14


@settings(max_examples=examples(12), deadline=None)
@given(st.integers(0, 2**130), st.integers(1, 6), st.integers(0, 6), st.integers(1, 3))
def test_a_cell_does_not_know_its_block(seed, cells, split, rows):
    """Cells opened together or in two groups give the same bits."""
    split = min(split, cells)
    whole = drawn(Streams(seed), 3, cells, 16, (rows, rows))
    first = drawn(Streams(seed), 3, split, 16, (rows, rows)) if split else whole[:0]
    rest = drawn(Streams(seed), 3 + split, cells - split, 16, (rows, rows)) if cells > split else whole[:0]
    assert np.array_equal(whole, np.concatenate([first, rest]))


def test_draws_are_consumed_in_order():
    """Two draws of one row are one draw of two rows."""
    assert np.array_equal(drawn(Streams(5), 0, 2, 64, (1, 1)), drawn(Streams(5), 0, 2, 64, (2,)))


def test_seeds_and_cells_differ():
    """No two of several seeds and cells start alike."""
    starts = [drawn(Streams(seed), cell, 1, 16, (1,))[0, 0, 0] for seed in range(8) for cell in range(8)]
    assert len(set(starts)) == 64


def test_normals_have_the_moments_of_normals():
    """Mean, variance, fourth moment and correlation of neighbouring cells, within standard errors."""
    z = drawn(Streams(11), 0, 64, 4096, (1,))[:, 0]
    root = np.sqrt(z.size)
    assert abs(z.mean()) * root < STANDARD_ERRORS
    assert abs((z**2).mean() - 1.0) * root < STANDARD_ERRORS * np.sqrt(2.0)
    assert abs((z**4).mean() - 3.0) * root < STANDARD_ERRORS * np.sqrt(96.0)
    assert abs((z[1:] * z[:-1]).mean()) * root < STANDARD_ERRORS


@pytest.mark.parametrize("seed", [True, 1.0, "1", None])
def test_seed_of_another_type_is_refused(seed):
    """A seed that is not an integer is named in a TypeError."""
    with pytest.raises(TypeError, match="seed must be a non-negative integer"):
        Streams(seed)


def test_negative_seed_is_refused():
    """A negative seed is named in a ValueError."""
    with pytest.raises(ValueError, match="seed must be a non-negative integer, got -1"):
        Streams(-1)


def test_increments_are_transposed_and_padded():
    """Given normals come back particle by particle, zeros beyond the last one."""
    normals = np.arange(2 * 5 * 3, dtype=float).reshape(2, 5, 3)
    cells = drawn(Increments(normals), 1, 1, 4, (3, 3))
    assert np.array_equal(cells[0, :3, 0], normals[0, 4])
    assert np.array_equal(cells[0, 3:, 0], normals[1, 4])
    assert not cells[0, :, 1:].any()
