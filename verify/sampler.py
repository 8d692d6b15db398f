"""Particles of a reverse sampler driven by the exact score, or by the score plus an error of exact size."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

import numpy as np

from bounds.phase_steps import PhaseSteps
from bounds.steps import Steps
from closed_form.funnel import Funnel
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture
from verify.backends import Backend
from verify.backends import backend as backend_named
from verify.funnel_chain import LEAST_DIM, WIDTH, Draws, funnel_walk
from verify.kernels import FunnelKernel, SeparateCovariances, check_law, kernel_of, product
from verify.noise import Increments, Streams, cell_size, cells_of
from verify.phase_sampler import phase_walk
from verify.score_error import checked_size

_BLOCK_NUMBERS = 1 << 16  # numbers in the widest array of a block on the CPU: a few of them fit the L2 cache
_DEVICE_NUMBERS = 1 << 24  # the same where a large block is better: off the CPU
_TABLE_NUMBERS = 1 << 21  # constants of every step are made once if they are fewer than this, else on demand


def sample(
    law: Gaussian | GaussianMixture | Funnel,
    steps: Steps | PhaseSteps,
    n: int,
    seed: int | None,
    *,
    score_error: float = 0.0,
    score_noise: float = 0.0,
    direction: np.ndarray | None = None,
    reduce: bool = False,
    block: int | None = None,
    threads: int = 1,
    backend: Backend | None = None,
    increments: np.ndarray | None = None,
    start: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    r"""Draw ``n`` independent particles of the sampler's last iterate.

    .. math:: y \leftarrow P_i y + Q_i (s(\mathrm{time}_i, y) + M u + e_i) + N(0, \mathrm{noise\_var}_i I),
              \qquad e_i \sim N(0, M_{noise}^2 I / d)

    with s the exact score of the pushed law, from N(0, prior_var I).  In phase space (`PhaseSteps`) y is position and
    velocity, the errors are those of the velocity's score, and the last position is returned.

    Parameters
    ----------
    law : Gaussian, GaussianMixture or Funnel
        Data; a mixture with one ``std`` is the fastest.
    steps : Steps or PhaseSteps
    n : int
        Particles, at least 1.
    seed : int or None
        Non-negative. On numpy it fixes every bit of the result whatever ``n``, ``block`` and ``threads``
        (the first particles are those of a shorter run); other backends give the same to rounding.
        None only with ``increments``.
    score_error, score_noise : float
        M, the norm of a constant added to the score, and M_noise, the L2 size of fresh centred Gaussian
        noise added at every step; the latter is drawn together with the step's own noise.
    direction : array of shape (d,), optional
        Direction u of the bias, normalised here; ``bias_direction(law)`` by default.
    reduce : bool
        For isotropic mixtures and Gaussians of one block: simulate only the span of the means and draw the rest,
        whose law is an exact Gaussian, once. For a funnel, one block or two: simulate the first coordinate and the
        Gram matrix of the others. Same law, other particles, and far faster in high dimension.
    block : int, optional
        Particles worked on at a time, rounded to whole cells; by default what fits the cache.
    threads : int
        Blocks worked on at once. Set OPENBLAS_NUM_THREADS=1 when it exceeds 1.
    backend : Backend, optional
        From ``verify.backends.backend``; numpy in float64 by default.
    increments : array of shape (k+1, n, d), optional
        Standard normals to use in place of the seed's: row 0 for the start, row i+1 for step i.
        In phase space of shape (k+1, 2, n, d), for the two columns of the triangular root of each covariance
        (velocity last).
    start : array of shape (n, d), or (n, 2, d) in phase space, optional
        Initial particles in place of draws from the prior. With ``reduce`` a funnel's must be draws of a law that
        rotations of the other coordinates leave as it is.
    progress : callable, optional
        Called from this thread with the fraction done after every block.
    out : array of shape (n, d), optional
        Where to write, in the backend's dtype; may be a memory map.

    Returns
    -------
    array of shape (n, d)
        ``out``, or a new numpy array.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the score does not exist at a time where it is used.
    OverflowError
        If particles are no longer finite.

    Notes
    -----
    Memory beyond the result is a few blocks. Source: docs/theory.md sections 3 and 8 (affine span).
    """
    n, threads = _count("n", n), _count("threads", threads)
    chosen = backend_named() if backend is None else backend
    if not isinstance(chosen, Backend):
        raise TypeError(f"backend must come from verify.backends.backend, got {backend!r}")
    check_law(law)
    size_of_noise = checked_size("score_noise", score_noise)
    errors = score_error, size_of_noise, direction
    start = _start(start, n, law, steps)
    out = _output(out, (n, law.dim), chosen)
    if isinstance(law, Funnel) and chosen.name != "numpy":
        raise ValueError(f"backend must be numpy for a funnel, whose score is an integral, got {chosen.name}")
    plan = _funnel_plan if reduce and isinstance(law, Funnel) and law.dim >= LEAST_DIM else (
        _phase_plan if isinstance(steps, PhaseSteps) else _plan
    )  # fmt: skip
    width, walk = plan(law, steps, n, errors, seed, increments, start, reduce, chosen)
    size = cell_size(width)
    cells = _cells_per_block(block, n, threads, size, width, chosen)

    def run(first: int) -> None:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # exp(inf) is right in the softmax
            rows = walk(first, min(cells, -(-n // size) - first), size)
        place = out[first * size : (first + cells) * size]
        place[:] = rows[: len(place)]
        if not np.isfinite(place).all():
            raise OverflowError(f"particles left the range of {chosen.dtype}: the scheme diverges")

    _run_all(run, range(0, -(-n // size), cells), threads, progress)
    return out


def _plan(law, steps, n, errors, seed, increments, start, reduce, chosen):
    """One block: (numbers a particle takes in the widest array, walk of one block of cells)."""
    score_error, score_noise, direction = errors
    kernel = kernel_of(law, steps, score_error, direction)
    noise_var = steps.noise_var + steps.Q**2 * score_noise**2 / law.dim
    source = _source(seed, increments, (len(steps) + 1, n, law.dim), kernel.frame, reduce)
    if start is not None and reduce:
        raise ValueError("start goes with reduce only for a funnel")
    if isinstance(kernel, FunnelKernel):
        reduce = False  # too few coordinates to gain from
    if start is not None and kernel.frame is not None:
        start = start @ kernel.frame
    kernel, finish = _split(law, kernel, steps, noise_var, reduce, chosen)
    constants = _constants(kernel, steps, chosen)
    start_std, noise_std = math.sqrt(steps.prior_var), np.sqrt(noise_var).tolist()

    def walk(first: int, count: int, size: int) -> np.ndarray:
        draw = chosen.opened(source, first, count, size)
        y = draw(kernel.dim) * start_std if start is None or increments is not None else None
        if start is not None:
            y = chosen.asarray(cells_of(start, first, count, size))
        for i in range(len(steps) if kernel.dim else 0):
            kernel.advance(y, constants(i), chosen.xp)
            noise = draw(kernel.dim)
            noise *= noise_std[i]
            y += noise
        return _rows(finish(y, draw), law.dim, chosen)

    return kernel.width, walk


def _phase_plan(law, steps, n, errors, seed, increments, start, reduce, chosen):
    """Position and velocity, every coordinate simulated."""
    if reduce and not isinstance(law, Funnel):
        raise ValueError("reduce is for processes of one block, or a funnel: this process has two blocks")
    kernel, rows, walk_cells = phase_walk(law, steps, *errors, chosen)
    if increments is not None:
        increments = np.asarray(increments, dtype=float)
        shape = (len(rows) + 1, 2, n, law.dim)
        if increments.shape != shape:
            raise ValueError(f"increments must have shape (k+1, 2, n, d) = {shape}, got {increments.shape}")
        used = rows.draws.copy()
        used[0] &= start is None
        increments = increments[used]
    shape = None if increments is None else increments.shape
    source = _source(seed, increments, shape, kernel.frame, reduce)
    if start is not None and kernel.frame is not None:
        start = start @ kernel.frame
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)

    def walk(first: int, count: int, size: int) -> np.ndarray:
        given = start if start is None else tuple(
            chosen.asarray(cells_of(start[:, part], first, count, size)) for part in (0, 1)
        )  # fmt: skip
        y = walk_cells(chosen.opened(source, first, count, size), given, (count, law.dim, size))
        return _rows(y if frame is None else product(frame, y, chosen.xp), law.dim, chosen)

    return 2 * kernel.width, walk


def _funnel_plan(law, steps, n, errors, seed, increments, start, reduce, chosen):
    """A funnel by its first coordinate and the Gram matrix of the others."""
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


def _start(start, n: int, law, steps) -> np.ndarray | None:
    if start is None:
        return None
    start = np.asarray(start, dtype=float)
    shape = (n, 2, law.dim) if isinstance(steps, PhaseSteps) else (n, law.dim)
    if start.shape != shape or not np.isfinite(start).all():
        raise ValueError(f"start must be finite of shape {shape}, got shape {start.shape}")
    return start


def _split(law, kernel, steps: Steps, noise_var: np.ndarray, reduce: bool, chosen: Backend):
    """The kernel to simulate, and what turns its particles (and their next normals) into those of the law."""
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)
    xp = chosen.xp
    if not reduce:
        return kernel, lambda y, draw: y if frame is None else product(frame, y, xp)
    if isinstance(kernel, SeparateCovariances) or (isinstance(law, GaussianMixture) and law.std is None):
        raise ValueError("reduce needs a Gaussian or a mixture of isotropic components with one std")
    if isinstance(law, Gaussian):
        origin, basis = kernel.means[0], np.empty((law.dim, 0))
    else:
        origin, basis = law.span()
    along = basis.T @ kernel.bias
    across = replace(kernel, means=origin[None], weights=np.ones(1), bias=kernel.bias - basis @ along)
    mean, var = np.zeros((law.dim, 1)), np.full((law.dim, 1), steps.prior_var)
    with np.errstate(over="ignore", invalid="ignore"):  # a scheme that diverges is refused with its particles
        for i in range(len(steps)):
            _, _, A, b, _ = across.constants(steps, i)
            mean, var = A * mean + b, A * A * var + noise_var[i]
    up, down, mean, std = (chosen.asarray(part) for part in (basis, basis.T, mean, np.sqrt(var)))

    def finish(y: Any, draw: Callable[[int], Any]) -> Any:
        rest = draw(law.dim)
        rest -= product(up, product(down, rest, xp), xp)
        rest *= std
        rest += mean
        rest += product(up, y, xp)
        return rest if frame is None else product(frame, rest, xp)

    width = max(*(kernel.means @ basis).shape, law.dim // 32)
    return replace(kernel, means=kernel.means @ basis, bias=along, frame=None, width=width), finish


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


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer of at least 1, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value}")
    return int(value)


def _source(seed, increments, shape: tuple, frame, reduce: bool) -> Streams | Increments:
    if increments is None:
        return Streams(seed)
    if seed is not None or reduce:
        raise ValueError("increments replace the seed: give seed=None and reduce=False with them")
    increments = np.asarray(increments, dtype=float)
    if increments.shape != shape:
        raise ValueError(f"increments must have shape (k+1, n, d) = {shape}, got {increments.shape}")
    return Increments(increments if frame is None else increments @ frame)


def _cells_per_block(block, n: int, threads: int, size: int, width: int, chosen: Backend) -> int:
    if block is None:
        numbers = _BLOCK_NUMBERS if chosen.on_host else _DEVICE_NUMBERS
        block = max(1, min(numbers // width, -(-n // threads)))
    return -(-_count("block", block) // size)


def _output(out, shape: tuple[int, int], chosen: Backend) -> np.ndarray:
    if out is None:
        return np.empty(shape, dtype=chosen.dtype)
    got = type(out).__name__
    if isinstance(out, np.ndarray):
        if out.shape == shape and out.dtype == chosen.dtype and out.flags.writeable:
            return out
        got = f"{'writable' if out.flags.writeable else 'read-only'} {out.dtype} of shape {out.shape}"
    raise ValueError(f"out must be a writable numpy array of {chosen.dtype} and shape {shape}, got {got}")


def _run_all(run: Callable[[int], None], blocks: range, threads: int, progress) -> None:
    """Run every block, on this thread or on a pool; the first error stops the rest."""
    tell = progress or (lambda fraction: None)
    if threads == 1:
        for done, first in enumerate(blocks, start=1):
            run(first)
            tell(done / len(blocks))
        return
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(run, first) for first in blocks]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                tell(done / len(blocks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
