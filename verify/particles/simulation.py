"""Particles of a reverse sampler driven by the exact score, or by the score plus an error of exact size."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.score_error import ScoreError, on_steps, read_error
from bounds.steps.affine import Steps
from closed_form.law import Law
from closed_form.law_input import error_size
from verify.particles.backends import Backend
from verify.particles.backends import backend as backend_named
from verify.particles.noise import cell_size
from verify.particles.own_step import Now, check_step, own_walk
from verify.particles.score_kernels import check_law
from verify.particles.walks import spans_little, walk_of

_BLOCK_NUMBERS = 1 << 16  # numbers in the widest array of a block on the CPU: a few of them fit the L2 cache
_DEVICE_NUMBERS = 1 << 24  # the same where a large block is better: off the CPU


def sample(law: Law, steps: Steps, n: int, seed: int | None, *, score_error: float | Sequence[float] | ScoreError = 0.0,
           score_noise: float = 0.0, direction: ArrayLike | None = None,
           score: Callable[[Any, float], Any] | None = None,
           step: Callable[[Any, int, Now], Any] | None = None,
           reduce: bool | None = None, block: int | None = None, threads: int = 1, backend: Backend | None = None,
           increments: ArrayLike | None = None, start: ArrayLike | None = None,
           progress: Callable[[float], None] | None = None, out: NDArray[Any] | None = None,
           score_error_in: str = "score") -> NDArray[Any]:
    r"""Draw ``n`` independent particles of the sampler's last iterate.

    .. math:: y \leftarrow P_i y + Q_i (s(\mathrm{time}_i, y) + M u + e_i) + N(0, \mathrm{noise\_var}_i I),
              \qquad e_i \sim N(0, M_{noise}^2 I / d)

    with s the exact score of the pushed law, from N(0, prior_var I).  In phase space (two blocks) y is
    position and velocity, the errors are those of the velocity's score, and the last position is returned.

    Parameters
    ----------
    law : Law
        Data; a mixture with one ``std`` is the fastest, a law that is no sum of Gaussians moves by its pushed
        score.
    steps : Steps
    n : int
        Particles, at least 1.
    seed : int or None
        Non-negative. On numpy it fixes every bit of the result whatever ``n``, ``block`` and ``threads``
        (the first particles are those of a shorter run); other backends, and compiled steps (see the notes),
        give the same to rounding.
        None only with ``increments``.
    score_error : float, sequence of float, or ScoreError
        M, the norm of a constant added to the score; a list has one for each step.
    score_noise : float
        M_noise, the L2 size of fresh centred Gaussian noise added to every evaluation of the score; that of the
        last one of a step is drawn together with the step's own noise.
    direction : array of shape (d,), optional
        Direction u of the bias, normalised here; ``law.bias_direction()`` by default.
    score : callable, optional
        ``score(x, t)`` in place of the exact score: particles (n, d), arrays of the backend, and the forward
        time -> scores of the same shape.  In phase space ``score(y, t)``: position and velocity (n, 2, d) and
        the forward clock time -> the velocity's score (n, d), or both (n, 2, d), which samplers that use the
        position's score need.  `verify.particles.own_score.torch_score` makes one of a torch module.
    step : callable, optional
        ``step(y, k, now)`` in place of the sampler's: particles (n, d), arrays of the backend, and the number
        of the step from 0 -> particles of the same shape. ``now``, a `verify.particles.own_step.Now`, has
        times, scores, normals and a memory. Any multistep or ODE sampler: its samples may refute a bound
        (``certify(…, samples_from=…)``), which is one of another sampler. For processes of one block.
    reduce : bool, optional
        For isotropic mixtures and Gaussians of one block: simulate only the span of the means and draw the
        rest, whose law is an exact Gaussian, once. For a funnel, one block or two: simulate the first
        coordinate and the Gram matrix of the others. Same law, other particles, and far faster in high
        dimension. By default that is done for such mixtures and Gaussians of 64 dimensions or more with at
        most a quarter as many components, where nothing else given stands against it: no ``score``, ``step``,
        ``increments`` or ``start``, no start of the steps' own.
    block : int, optional
        Particles worked on at a time, rounded to whole cells; by default what fits the cache.
    threads : int
        Blocks worked on at once. Set OPENBLAS_NUM_THREADS=1 when it exceeds 1.
    backend : Backend, optional
        From ``verify.particles.backends.backend``; numpy in float64 by default.
    increments : array of shape (k+1, n, d), optional
        Standard normals to use in place of the seed's: row 0 for the start, row i+1 for step i.
        In phase space of shape (k+1, 2, n, d), for the two columns of the triangular root of each covariance
        (velocity last); and so where steps evaluate the score twice and it has fresh noise, for that of the first
        evaluation, and for what comes after (the start has the latter).
    start : array of shape (n, d), or (n, 2, d) in phase space, optional
        Initial particles in place of draws from the prior. With ``reduce`` a funnel's must be draws of a law
        that rotations of the other coordinates leave as it is.
    progress : callable, optional
        Called from this thread with the fraction done after every block.
    out : array of shape (n, d), optional
        Where to write, in the backend's dtype; may be a memory map.
    score_error_in : str
        What ``score_error`` is one of: "score", "epsilon", "denoiser" or "velocity".

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
    Memory beyond the result is a few blocks. With the extra ``fast`` (numba) runs of 2²⁷ normals or more draw them
    by compiled loops, the same bits sooner, and on numpy those of Gaussians and of mixtures of one covariance,
    one evaluation a step, are moved by them too; they are kept beside the code, or in NUMBA_CACHE_DIR.
    Source: docs/theory.md sections 3 and 8 (affine span).
    """
    n, threads = _count("n", n), _count("threads", threads)
    chosen = backend_named() if backend is None else backend
    if not isinstance(chosen, Backend):
        raise TypeError(f"backend must come from verify.particles.backends.backend, got {backend!r}")
    check_law(law)
    if not isinstance(steps, Steps) or len(steps) == 0:
        raise TypeError(f"steps must be Steps with at least one step, got {steps!r:.80}")
    if isinstance(score_error, np.ndarray):
        score_error = score_error.tolist()
    score_error, steps = on_steps(read_error(score_error, score_error_in), steps)
    size_of_noise = error_size("score_noise", score_noise)
    mixed = steps.past is not None and size_of_noise > 0
    if mixed and reduce:
        raise ValueError("reduce needs score_noise = 0 for samplers that use the step before, got "
                         f"{size_of_noise:g}")
    errors = score_error, size_of_noise, direction
    if reduce is None:
        plain = score is None and step is None and increments is None and start is None
        reduce = plain and not mixed and spans_little(law, steps)
    start = _start(start, n, law, steps)
    out = _output(out, (n, law.dim), chosen)
    if law.components() is None and chosen.name != "numpy" and score is None:
        name = type(law).__name__.lower()
        raise ValueError(
            f"backend must be numpy for a {name}, which is no sum of Gaussians, got {chosen.name}"
        )
    if score is not None:
        _check_score(score, reduce)
    if step is not None:
        check_step(step, steps, errors, reduce, increments)
        width, walk = own_walk(law, steps, seed, start, chosen, step, score)
        together = 1
    else:
        width, walk, together = walk_of(law, steps, n, errors, seed, increments, start, reduce, chosen, score)
    size = cell_size(width)
    cells = _cells_per_block(block, n, threads, size, width, chosen, together)

    def run(first: int) -> None:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # exp(inf) is right in the softmax
            rows = walk(first, min(cells, -(-n // size) - first), size)
        place = out[first * size : (first + cells) * size]
        place[:] = rows[: len(place)]
        if not np.isfinite(place).all():
            raise OverflowError(f"particles left the range of {chosen.dtype}: the scheme diverges")

    _run_all(run, range(0, -(-n // size), cells), threads, progress)
    return out


def _check_score(score, reduce: bool) -> None:
    if not callable(score):
        raise TypeError(f"score must be a callable score(x, t), got {type(score).__name__}")
    if reduce:
        raise ValueError("reduce needs the exact score: give one of score and reduce")


def _start(start, n: int, law, steps) -> np.ndarray | None:
    if start is None:
        return None
    start = np.asarray(start, dtype=float)
    shape = (n, 2, law.dim) if steps.blocks == 2 else (n, law.dim)
    if start.shape != shape or not np.isfinite(start).all():
        raise ValueError(f"start must be finite of shape {shape}, got shape {start.shape}")
    return start


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer of at least 1, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value}")
    return int(value)


def _cells_per_block(block, n: int, threads: int, size: int, width: int, chosen: Backend, together: int) -> int:
    if block is None:
        numbers = _BLOCK_NUMBERS if chosen.on_host else _DEVICE_NUMBERS
        block = max(1, min(max(numbers // width, together * size), -(-n // threads)))
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
