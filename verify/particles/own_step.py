"""A step of one's own: any callable that moves particles, such as a multistep or an ODE sampler."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from verify.particles.backends import Backend
from verify.particles.noise import Streams, cells_of
from verify.particles.score_kernels import kernel_of, product


@dataclass
class Now:
    """What a step of one's own may use, for the particles of one block.

    Attributes
    ----------
    index : int
        Which step, from 0.
    steps : Steps
        Times, the forward law's a and s² there, and what the scheme's own sampler does.
    memory : dict
        Kept from step to step, empty before the first: a multistep sampler's past.
    """

    steps: Steps
    index: int = 0
    memory: dict = field(default_factory=dict)
    _score: Callable | None = None
    _normals: Callable | None = None

    @property
    def time(self) -> float:
        """The forward time at which the step starts."""
        return float(self.steps.time[self.index])

    @property
    def until(self) -> float:
        """The forward time at which it ends."""
        return float(self.steps.time[self.index + 1])

    def score(self, x: Any, later: int = 0) -> Any:
        """The score at particles (n, d) where the step starts, or ``later`` grid times from there."""
        return self._score(x, self.index + later)

    def normals(self) -> Any:
        """Fresh standard normals (n, d), fixed by the seed; asked for equally often for all particles."""
        return self._normals()


def check_step(step, steps: Steps, errors: tuple, reduce: bool, increments) -> None:
    """Refuse, by name, what does not go with a step of one's own."""
    if not callable(step):
        raise TypeError(f"step must be a callable step(y, k, now), got {type(step).__name__}")
    if steps.blocks != 1:
        raise ValueError(f"step must be for a process of one block, got one of {steps.blocks}")
    given = {"score_error": np.any(errors[0]), "score_noise": errors[1], "direction": errors[2] is not None,
             "reduce": reduce, "increments": increments is not None}
    if wrong := [name for name, there in given.items() if there]:
        raise ValueError(f"step goes without {wrong[0]}: a step of one's own asks for its scores and normals "
                         "itself")


def own_walk(law, steps: Steps, seed, start, chosen: Backend, step: Callable, score: Callable | None):
    """(width, walk) as `verify.particles.walks.walk_of` makes them, of ``step(y, k, now)``."""
    # a row that maps particles to their score, at every time of the grid
    none = np.zeros(len(steps) + 1)
    asked = replace(steps, P=none, Q=none + 1, noise_var=none, errors=None, second=None, past=None)
    kernel = kernel_of(law, asked, 0.0, None)
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)
    source, xp, dim = Streams(seed), chosen.xp, law.dim

    root = mean = None
    if steps.start is not None:
        mean, root = (chosen.asarray(part) for part in (steps.start.mean_of(dim).astype(float),
                                                        steps.start.root_of(dim)))

    def walk(first: int, count: int, size: int) -> np.ndarray:
        draw = chosen.opened(source, first, count, size)

        def particles(cells: Any) -> Any:
            return xp.reshape(xp.permute_dims(cells, (0, 2, 1)), (-1, dim))

        def normals() -> Any:
            return particles(draw(dim)) * 1.0  # a copy: what is drawn into is used again

        def scores(x: Any, place: int) -> Any:
            if not 0 <= place <= len(steps):
                raise ValueError(f"later must lead to a time of the grid, got one {place - now.index} steps "
                                 f"from step {now.index} of {len(steps)}")
            if score is not None:
                return score(x, float(steps.time[place]))
            cells = xp.permute_dims(xp.reshape(x, (count, size, dim)), (0, 2, 1)) * 1.0
            cells = cells if frame is None else product(frame.T, cells, xp)
            kernel.advance(cells, tuple(map(chosen.asarray, kernel.constants(asked, place))), xp)
            return particles(cells if frame is None else product(frame, cells, xp))

        now = Now(steps, _score=scores, _normals=normals)
        if start is None:
            y = normals()
            y = y * math.sqrt(steps.prior_var) if root is None else y @ root.T + mean
            if steps.from_mean:
                y += chosen.asarray(float(steps.a[0]) * law.expectation())
        else:
            y = particles(chosen.asarray(cells_of(start, first, count, size)))
        for now.index in range(len(steps)):
            found = step(y, now.index, now)
            if getattr(found, "shape", None) != y.shape:
                raise ValueError(f"step must return particles of shape {tuple(y.shape)}, as it was given, "
                                 f"got {getattr(found, 'shape', type(found).__name__)}")
            y = found
        return chosen.to_numpy(y)

    return max(kernel.width, dim), walk
