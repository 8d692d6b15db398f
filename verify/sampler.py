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
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture
from verify.backends import Backend
from verify.backends import backend as backend_named
from verify.kernels import SeparateCovariances, kernel_of, product
from verify.noise import Increments, Streams, cell_size
from verify.phase_kernels import PhaseNoise, phase_kernel_of
from verify.score_error import checked_size

_BLOCK_NUMBERS = 1 << 16  # numbers in the widest array of a block on the CPU: a few of them fit the L2 cache
_DEVICE_NUMBERS = 1 << 24  # the same where a large block is better: off the CPU
_TABLE_NUMBERS = 1 << 21  # constants of every step are made once if they are fewer than this, else on demand


def sample(
    law: Gaussian | GaussianMixture,
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
    progress: Callable[[float], None] | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    r"""Draw ``n`` independent particles of the sampler's last iterate.

    .. math:: y \leftarrow P_i y + Q_i (s(\mathrm{time}_i, y) + M u + e_i) + N(0, \mathrm{noise\_var}_i I),
              \qquad e_i \sim N(0, M_{noise}^2 I / d)

    with s the exact score of the pushed law, from N(0, prior_var I).  With two blocks y is position and velocity, the
    errors are those of the velocity's score, and the position is returned.

    Parameters
    ----------
    law : Gaussian or GaussianMixture
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
        For isotropic mixtures and Gaussians, one block: simulate only the span of the means and draw the rest, whose
        law is an exact Gaussian, once. Same law, other particles, and far faster when d exceeds the span.
    block : int, optional
        Particles worked on at a time, rounded to whole cells; by default what fits the cache.
    threads : int
        Blocks worked on at once. Set OPENBLAS_NUM_THREADS=1 when it exceeds 1.
    backend : Backend, optional
        From ``verify.backends.backend``; numpy in float64 by default.
    increments : array of shape (k+1, n, d), optional
        Standard normals to use in place of the seed's: row 0 for the start, row i+1 for step i.  With two blocks of
        shape (k+1, n, 2, d): the velocity's, and those of the position's own noise.
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
    score_noise = checked_size("score_noise", score_noise)
    two = isinstance(steps, PhaseSteps)
    kernel = (phase_kernel_of if two else kernel_of)(law, steps, score_error, direction)
    source = _source(seed, increments, (len(steps) + 1, n, *((2,) if two else ()), law.dim), kernel.frame, reduce)
    if two:
        noise = PhaseNoise(steps, score_noise, law.dim, increments is not None)
        finish = _positions(kernel, reduce, chosen)
    else:
        variances = steps.noise_var + steps.Q**2 * score_noise**2 / law.dim
        kernel, finish = _split(law, kernel, steps, variances, reduce, chosen)
        noise = _Noise(steps.prior_var, variances, kernel.dim)
    size = cell_size(kernel.width)
    cells = _cells_per_block(block, n, threads, size, kernel.width, chosen)
    out = _output(out, (n, law.dim), chosen)
    constants = _constants(kernel, steps, chosen)

    def run(first: int) -> None:
        count = min(cells, -(-n // size) - first)
        draw = chosen.opened(source, first, count, size)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # exp(inf) is right in the softmax
            y = noise.start(draw, chosen.xp)
            for i in range(len(steps) if kernel.dim else 0):
                kernel.advance(y, constants(i), chosen.xp)
                noise.add(y, draw, i)
            rows = chosen.to_numpy(finish(y, draw)).transpose(0, 2, 1).reshape(-1, law.dim)
        place = out[first * size : (first + count) * size]
        place[:] = rows[: len(place)]
        if not np.isfinite(place).all():
            raise OverflowError(f"particles left the range of {chosen.dtype}: the scheme diverges")

    _run_all(run, range(0, -(-n // size), cells), threads, progress)
    return out


class _Noise:
    """The normals of one block: those of the start and of every step, one standard deviation each."""

    def __init__(self, prior_var: float, variances: np.ndarray, dim: int):
        self._start, self._stds, self._dim = math.sqrt(prior_var), np.sqrt(variances).tolist(), dim

    def start(self, draw: Callable[[int], Any], xp: Any) -> Any:
        """Particles of the prior."""
        return draw(self._dim) * self._start

    def add(self, y: Any, draw: Callable[[int], Any], i: int) -> None:
        """The noise of step i."""
        noise = draw(self._dim)
        noise *= self._stds[i]
        y += noise


def _positions(kernel, reduce: bool, chosen: Backend):
    """What turns positions and velocities in the kernel's frame into positions of the law."""
    if reduce:
        raise ValueError("reduce needs a process of one block, got critically-damped Langevin")
    frame = None if kernel.frame is None else chosen.asarray(kernel.frame)
    if frame is None:
        return lambda y, draw: y[:, : kernel.dim]
    return lambda y, draw: product(frame, y[:, : kernel.dim], chosen.xp)


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
    rotated = increments if frame is None else increments @ frame
    return Increments(rotated.reshape(*shape[:2], -1))


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
