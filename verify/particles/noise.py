"""Standard normals that depend on the seed and the particle alone, never on blocks or threads, and how large steps take
them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from verify.particles.compiled import loops

_CELL_NUMBERS = 1 << 14  # numbers of one kernel array that a cell aims at: several arrays fit the L2 cache
_SMALLEST, _LARGEST = 16, 4096

Fill = Callable[[np.ndarray], None]


def cell_size(width: int) -> int:
    """Particles in a cell: a power of two near 2¹⁴/width, between 16 and 4096.

    Parameters
    ----------
    width : int
        Numbers that one particle takes in the widest array of the kernel. The size depends on nothing
        else, so the first particles of a run do not depend on how many follow.
    """
    fitting = min(_LARGEST, max(_SMALLEST, _CELL_NUMBERS // width))
    return 1 << (fitting.bit_length() - 1)


def cell_sequence(seed: int, cell: int) -> np.random.SeedSequence:
    """Seed of one cell: child number ``cell`` of the sequence that ``seed`` starts."""
    return np.random.SeedSequence(seed, spawn_key=(cell,))


@dataclass(frozen=True)
class Streams:
    """One SFC64 stream for every cell of particles, consumed in step order.

    Parameters
    ----------
    seed : int
        Non-negative integer, of any size.
    normals : int
        How many the whole run draws. Where these are many and the extra ``fast`` is installed, the same
        normals are drawn by compiled loops.

    Raises
    ------
    TypeError, ValueError
        If the seed is not an integer, or negative.
    """

    seed: int
    normals: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer):
            raise TypeError(f"seed must be a non-negative integer, got {self.seed!r}")
        if self.seed < 0:
            raise ValueError(f"seed must be a non-negative integer, got {self.seed}")

    def generators(self, first: int, cells: int) -> list[np.random.Generator]:
        """The generator of each cell, at its start."""
        return [np.random.Generator(np.random.SFC64(cell_sequence(self.seed, cell)))
                for cell in range(first, first + cells)]

    def opened(self, first: int, cells: int, size: int) -> Fill:
        """Source of the cells ``first … first+cells-1`` of ``size`` particles each.

        Returns
        -------
        fill : callable
            ``fill(buffer)`` writes the next draws of every cell into a float64 array (cells, rows, size).
        """
        lanes = self.lanes(first, cells)
        if lanes is not None:
            return lanes.fill
        generators = self.generators(first, cells)

        def fill(buffer: np.ndarray) -> None:
            for generator, rows in zip(generators, buffer, strict=True):
                generator.standard_normal(out=rows)

        return fill

    def lanes(self, first: int, cells: int) -> Any:
        """The `verify.particles.lanes.Lanes` of the cells, at their start; None where nothing compiled draws."""
        compiled = loops(self.normals)
        return compiled and compiled.Lanes(self.generators(first, cells))

    def of_a_run(self, normals: int) -> "Streams":
        """The same for a run that draws so many normals."""
        return replace(self, normals=normals)


@dataclass(frozen=True)
class Increments:
    """Normals given by the caller, so that several samplers can be driven by the same noise.

    Parameters
    ----------
    normals : array of shape (k+1, n, d)
        ``normals[0]`` makes the initial particles, ``normals[i+1]`` drives step i.
    """

    normals: np.ndarray

    def opened(self, first: int, cells: int, size: int) -> Fill:
        """As ``Streams.opened``; particles beyond the last given one get zeros."""
        steps = iter(self.normals)

        def fill(buffer: np.ndarray) -> None:
            buffer[:] = cells_of(next(steps), first, cells, size)

        return fill

    def lanes(self, first: int, cells: int) -> None:
        """None: nothing is drawn."""

    def of_a_run(self, normals: int) -> "Increments":
        """Themselves: nothing is drawn."""
        return self


def cells_of(particles: np.ndarray, first: int, cells: int, size: int) -> np.ndarray:
    """Rows (n, d) as the cells ``first … first+cells-1``, an array (cells, d, size); zeros beyond the last
    row."""
    n, d = particles.shape
    start, stop = first * size, min((first + cells) * size, n)
    padded = np.zeros((cells * size, d))
    padded[: stop - start] = particles[start:stop]
    return padded.reshape(cells, size, d).transpose(0, 2, 1)


def noise_of(steps: Steps, size_sq: float) -> tuple[np.ndarray | None, np.ndarray]:
    """(Standard deviation of what fresh noise of variance ``size_sq`` in the score adds within each step, to what a first
    evaluation leads to; variance of what is added at its end, the step's own noise included); None: no such noise."""
    last = steps.Q if steps.second is None else steps.second.Q
    inside = np.abs(steps.Q) * np.sqrt(size_sq)
    if steps.past is not None:
        return (inside if size_sq else None), steps.noise_var
    return (inside if size_sq and steps.second is not None else None), steps.noise_var + last**2 * size_sq
