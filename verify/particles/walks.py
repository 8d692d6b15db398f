"""How a block of particles walks through the steps: one block, position and velocity, or a funnel by its Gram
matrix."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from closed_form.geometry.enclosing_ball import affine_span
from verify.particles.backends import Backend
from verify.particles.compiled import loops
from verify.particles.funnel import LEAST_DIM, WIDTH, Draws, funnel_walk, with_past
from verify.particles.noise import Increments, Streams, cells_of, noise_of
from verify.particles.own_phase_score import own_phase_walk
from verify.particles.own_score import OwnScore
from verify.particles.phase_space import phase_walk
from verify.particles.score_kernels import SharedCovariance, kernel_of, product

#: Dimensions from which, and components for each of which so many dimensions, only the span of the means is simulated.
HIGH, LITTLE = 64, 4
_TABLE_NUMBERS = 1 << 21  # constants of every step are made once if they are fewer than this, else on demand


def walk_of(law, steps, n: int, errors: tuple, seed, increments, start, reduce: bool, chosen: Backend,
            score: Callable | None = None):
    """How the particles of one block of cells are made.

    Parameters
    ----------
    law, steps, n, seed, increments, start, reduce, score
        As in `verify.particles.simulation.sample`.
    errors : tuple
        (score_error, score_noise, direction).
    chosen : Backend

    Returns
    -------
    width : int
        Numbers a particle takes in the widest array.
    walk : callable
        (first cell, cells, particles a cell) -> array of shape (particles, d).
    cells : int
        How many of them a block has at least unless something else is asked for: those that are walked together.

    Raises
    ------
    ValueError
        If arguments do not go together.
    """
    plan = _phase_plan if steps.blocks == 2 else _plan
    reduce = reduce and steps.start is None
    if reduce and law.shrinkage is not None and law.dim >= LEAST_DIM:
        plan = _gram_plan
    if score is not None:
        plan = partial(_phase_plan if steps.blocks == 2 else _plan, score=score)
    width, walk, *cells = plan(law, steps, n, errors, seed, increments, start, reduce, chosen)
    return width, walk, *(cells or [1])


def spans_little(law, steps: Steps) -> bool:
    """Whether the means of a law with one isotropic covariance, or the mean of a Gaussian, span so little of a high
    dimension that the rest is better drawn once."""
    if steps.blocks != 1 or steps.start is not None or law.shrinkage is not None or law.dim < HIGH:
        return False
    parts = law.components()
    if parts is None or LITTLE * len(parts.weights) > law.dim:
        return False
    return len(parts.weights) == 1 or np.ndim(parts.spectrum) == 0


def _plan(law, steps, n, errors, seed, increments, start, reduce, chosen, score=None):
    """A process of one block: every coordinate simulated, or with ``reduce`` the span of the means and the
    rest drawn once."""
    score_error, score_noise, direction = errors
    kernel = (kernel_of(law, steps, score_error, direction) if score is None
              else OwnScore(law, law.bias(score_error, direction), score=score))
    inside, noise_var = noise_of(steps, score_noise**2 / law.dim)
    shape, apart = (len(steps) + 1, n, law.dim), inside is not None and steps.second is not None
    if increments is not None and apart:
        increments, shape = _in_turn(increments, (len(steps) + 1, 2, n, law.dim)), (2 * len(steps) + 1, n, law.dim)
    source = _source(seed, increments, shape, kernel.frame, reduce)
    if start is not None and reduce:
        raise ValueError("start goes with reduce only for a funnel")
    if law.shrinkage is not None:
        reduce = False  # too few coordinates to gain from
    if start is not None and kernel.frame is not None:
        start = start @ kernel.frame
    middle = float(steps.a[0]) * law.expectation() if steps.from_mean else np.zeros(law.dim)
    middle = middle if kernel.frame is None else middle @ kernel.frame
    kernel, finish, middle = _split(law, kernel, steps, (inside, noise_var), reduce, chosen, middle)
    source = source.of_a_run(n * kernel.dim * (len(steps) + 1))
    fused = _fused(source, kernel, steps, chosen)
    constants = _constants(kernel, steps, chosen)
    again = steps.second and _constants(kernel, steps.inner, chosen)
    keep = steps.second and steps.second.keep.tolist()
    past = steps.past
    blend = past and [column.tolist() for column in (past.keep, past.now, past.before)]
    inside = inside if inside is None else inside.tolist()
    noise_std, begun = np.sqrt(noise_var).tolist(), first_points(steps, law.dim, kernel.frame, chosen)
    middle = chosen.asarray(middle[:, None]) if middle.any() else None

    def walk(first: int, count: int, size: int) -> np.ndarray:
        lanes = source.lanes(first, count) if fused else None
        draw = chosen.drawn(lanes.fill, count, size) if lanes else chosen.opened(source, first, count, size)
        y = begun(draw(kernel.dim)) if start is None or increments is not None else None
        if start is not None:
            y = chosen.asarray(cells_of(start, first, count, size))
        elif middle is not None:
            y += middle
        if lanes:
            return _rows(finish(lanes.moved(y, constants, noise_std), draw), law.dim, chosen)
        seen = None
        for i in range(len(steps) if kernel.dim else 0):
            if blend:
                before, seen = seen, y * 1.0
                kernel.advance(seen, constants(i), chosen.xp)
                if inside:
                    seen += draw(kernel.dim) * inside[i]
                y *= blend[0][i]
                y += blend[1][i] * seen
                if blend[2][i]:
                    y += blend[2][i] * before
                continue
            kept = y * keep[i] if again and keep[i] else None
            kernel.advance(y, constants(i), chosen.xp)
            if again:
                if inside:
                    y += draw(kernel.dim) * inside[i]
                kernel.advance(y, again(i), chosen.xp)
            if kept is not None:
                y += kept
            noise = draw(kernel.dim)
            noise *= noise_std[i]
            y += noise
        return _rows(finish(y, draw), law.dim, chosen)

    all_at_once = fused and kernel.dim == law.dim  # else what is drawn at the end would take too much memory
    return kernel.width, walk, fused.LANES if all_at_once else 1


def _fused(source: Streams | Increments, kernel, steps: Steps, chosen: Backend) -> ModuleType | None:
    """The compiled loops where they take all steps of a run: on numpy, components of one covariance, a score of this step
    alone."""
    one_score = steps.second is None and steps.past is None
    if not (isinstance(source, Streams) and type(kernel) is SharedCovariance and one_score and kernel.dim):
        return None
    return loops(source.normals) if chosen.name == "numpy" else None


def _in_turn(increments, shape: tuple) -> np.ndarray:
    """Normals of both evaluations of every step in the order in which they are drawn, after that of the start."""
    increments = np.asarray(increments, dtype=float)
    if increments.shape != shape:
        raise ValueError(f"increments must have shape (k+1, 2, n, d) = {shape}, got {increments.shape}")
    return increments.reshape(-1, *shape[2:])[1:]


def first_points(steps: Steps, dim: int, frame, chosen: Backend) -> Callable[[Any], Any]:
    """What makes the first iterates of standard normals (cells, d, size), in the coordinates of a frame."""
    if steps.start is None:
        start_std = math.sqrt(steps.prior_var)
        return lambda normals: normals * start_std
    mean, root = steps.start.mean_of(dim).astype(float), steps.start.root_of(dim)
    if frame is not None:
        mean, root = frame.T @ mean, frame.T @ root
    mean, root = chosen.asarray(mean[:, None]), chosen.asarray(root)
    return lambda normals: product(root, normals, chosen.xp) + mean


def _phase_plan(law, steps, n, errors, seed, increments, start, reduce, chosen, score=None):
    """Position and velocity, every coordinate simulated."""
    if reduce and law.shrinkage is None:
        raise ValueError("reduce is for processes of one block, or a funnel: this process has two blocks")
    kernel, rows, walk_cells = (phase_walk(law, steps, *errors, chosen) if score is None
                                else own_phase_walk(law, steps, *errors, chosen, score))
    if increments is not None:
        increments = np.asarray(increments, dtype=float)
        shape = (len(rows) + 1, 2, n, law.dim)
        if increments.shape != shape:
            raise ValueError(f"increments must have shape (k+1, 2, n, d) = {shape}, got {increments.shape}")
        used = rows.draws.copy()
        used[0] &= start is None
        increments = increments[used]
    shape = None if increments is None else increments.shape
    source = _source(seed, increments, shape, kernel.frame, reduce).of_a_run(n * kernel.dim * int(rows.draws.sum()))
    if start is not None and kernel.frame is not None:
        start = start @ kernel.frame
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)

    def walk(first: int, count: int, size: int) -> np.ndarray:
        given = start if start is None else tuple(chosen.asarray(cells_of(start[:, part], first, count, size))
                                                  for part in (0, 1))
        y = walk_cells(chosen.opened(source, first, count, size), given, (count, law.dim, size))
        return _rows(y if frame is None else product(frame, y, chosen.xp), law.dim, chosen)

    return 2 * kernel.width, walk


def _gram_plan(law, steps, n, errors, seed, increments, start, reduce, chosen):
    """A funnel, or another law with a shrinkage, by its first coordinate and the Gram matrix of the
    others."""
    source = _source(seed, increments, (), None, reduce)
    walk_block = funnel_walk(law, steps, *errors)

    def walk(first: int, count: int, size: int) -> np.ndarray:
        draws, given = Draws(source.generators(first, count), size), None
        if start is not None:
            given = np.zeros((draws.count, *start.shape[1:]))
            part = start[first * size : (first + count) * size]
            given[: len(part)] = part
        return walk_block(draws, given)

    return WIDTH, walk


def _rows(y: Any, dim: int, chosen: Backend) -> np.ndarray:
    """Cells (cells, d, size) as particles (cells·size, d)."""
    return chosen.to_numpy(y).transpose(0, 2, 1).reshape(-1, dim)


def _split(law, kernel, steps: Steps, noise: tuple, reduce: bool, chosen: Backend, middle: np.ndarray):
    """The kernel to simulate, what turns its particles (and their next normals) into those of the law, and the
    mean of their start, ``middle`` being the law's; ``noise`` is from `noise_of`."""
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)
    xp = chosen.xp
    if not reduce:
        return kernel, lambda y, draw: y if frame is None else product(frame, y, xp), middle
    if not isinstance(kernel, SharedCovariance) or (len(kernel.means) > 1 and kernel.spectrum.ndim):
        raise ValueError("reduce needs a Gaussian or a mixture of isotropic components with one std")
    origin, basis = affine_span(kernel.means, kernel.weights @ kernel.means)
    along = basis.T @ kernel.bias
    across = replace(kernel, means=origin[None], weights=np.ones(1), bias=kernel.bias - basis @ along)
    inside = basis.T @ middle
    mean, var = (middle - basis @ inside)[:, None], np.full((law.dim, 1), steps.prior_var)
    linear, (within, noise_var) = np.ones((law.dim, 1)), noise
    with np.errstate(over="ignore", invalid="ignore"):  # a scheme that diverges is refused with its particles
        seen = None
        for i in range(len(steps)):
            _, _, A, b, _ = across.constants(steps, i)
            if steps.past is not None:
                now = A * linear, A * mean + b
                (linear, mean), seen = with_past(steps.past, i, (linear, mean), now, seen)
                continue
            if steps.second is not None:
                _, _, later, more, _ = across.constants(steps.inner, i)
                A, b = later * A + steps.second.keep[i], later * b + more
            mean, var = A * mean + b, A * A * var + noise_var[i]
            if within is not None:
                var = var + np.square(later * within[i])
    if steps.past is not None:
        var = np.square(linear) * steps.prior_var
    up, down, mean, std = (chosen.asarray(part) for part in (basis, basis.T, mean, np.sqrt(var)))

    def finish(y: Any, draw: Callable[[int], Any]) -> Any:
        rest = draw(law.dim)
        rest -= product(up, product(down, rest, xp), xp)
        rest *= std
        rest += mean
        rest += product(up, y, xp)
        return rest if frame is None else product(frame, rest, xp)

    width = max(*(kernel.means @ basis).shape, law.dim // 32)
    return replace(kernel, means=kernel.means @ basis, bias=along, frame=None, width=width), finish, inside


def _constants(kernel, steps: Steps, chosen: Backend) -> Callable[[int], tuple]:
    """Constants of step i on the device: from a table when it is small, else made when asked for."""

    def made(i: int) -> tuple:
        return tuple(chosen.asarray(part) for part in kernel.constants(steps, i))

    if kernel.dim == 0:
        return made
    numbers = 64 + sum(part.size for part in kernel.constants(steps, 0))
    if len(steps) * numbers > _TABLE_NUMBERS:
        return made
    return [made(i) for i in range(len(steps))].__getitem__


def _source(seed, increments, shape: tuple, frame, reduce: bool) -> Streams | Increments:
    if increments is None:
        return Streams(seed)
    if seed is not None or reduce:
        raise ValueError("increments replace the seed: give seed=None and reduce=False with them")
    increments = np.asarray(increments, dtype=float)
    if increments.shape != shape:
        raise ValueError(f"increments must have shape (k+1, n, d) = {shape}, got {increments.shape}")
    return Increments(increments if frame is None else increments @ frame)
