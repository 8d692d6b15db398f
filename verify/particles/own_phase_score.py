"""A score of your own in phase space: of the velocity, or of position and velocity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from verify.particles.backends import Backend
from verify.particles.own_score import OwnScore
from verify.particles.phase_space import PhaseRows, middle_of, noise_adder


def uses_position(steps: Steps) -> bool:
    """Whether some row uses the score of the position, not of the velocity alone."""
    return bool(np.any(steps.Q[:, :, 0] != 0.0))


def scores_of(found: Any, y: Any, both: bool) -> tuple[Any, Any]:
    """(Of the position or None, of the velocity), each (n, d), from what a score returned at y (n, 2, d).

    Raises
    ------
    ValueError
        If its shape is neither (n, 2, d) nor, where the velocity's alone is used, (n, d).
    """
    n, _, d = y.shape
    shape = getattr(found, "shape", None)
    if shape == (n, 2, d):
        return (found[:, 0] if both else None), found[:, 1]
    if shape == (n, d) and not both:
        return None, found
    wanted = f"({n}, 2, {d}), as this sampler uses the position's score too" if both else f"({n}, {d})"
    raise ValueError(f"score must return an array of shape {wanted}, got {shape or type(found).__name__}")


def own_phase_walk(law, steps: Steps, score_error: float, score_noise: float, direction, chosen: Backend,
                   score: Callable):
    """As `verify.particles.phase_space.phase_walk`, with ``score(y, t)`` in place of the exact score.

    It gets particles (n, 2, d), position and velocity, and the forward clock time.
    """
    rows = PhaseRows.of(steps, score_noise**2 / law.dim)
    kernel = OwnScore(law, law.bias(score_error, direction), score=score)
    xp, add_noise, both = chosen.xp, noise_adder(rows, law.dim, chosen), uses_position(steps)
    bias = chosen.asarray(kernel.bias[:, None])
    middle = middle_of(steps, law.dim, kernel.frame, chosen)
    P, Q, times = steps.P.tolist(), steps.Q.tolist(), steps.time.tolist()

    def asked(x: Any, v: Any, i: int) -> list:
        """The scores that row i uses, as cells, with their columns of Q."""
        cells, d, size = x.shape
        y = xp.reshape(xp.permute_dims(xp.stack([x, v]), (1, 3, 0, 2)), (-1, 2, d))
        found = []
        for column, part in enumerate(scores_of(score(y, times[i]), y, both)):
            if part is not None:
                part = xp.asarray(part, dtype=x.dtype, device=x.device)
                found.append((column, xp.permute_dims(xp.reshape(part, (cells, size, d)), (0, 2, 1))))
        return found

    def walk(draw: Callable[[int], Any], start: tuple | None, shape: tuple) -> Any:
        x, v = (chosen.asarray(np.zeros(shape)) + part for part in middle) if start is None else start
        room = chosen.asarray(np.zeros(shape))
        if start is None:
            add_noise(x, v, 0, draw, room)
        for i in range(len(rows)):
            moved = [P[i][row][0] * x + P[i][row][1] * v for row in (0, 1)]
            if rows.scored[i]:
                for column, part in asked(x, v, i):
                    for row in (0, 1):
                        moved[row] += Q[i][row][column] * part
                for row in (0, 1):
                    moved[row] += Q[i][row][1] * bias
            x, v = moved
            add_noise(x, v, i + 1, draw, room)
        return x

    return kernel, rows, walk
