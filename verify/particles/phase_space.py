r"""The sampler of position and velocity: at every row one block's score at the right signal-to-noise ratio
does the work.

With L of `closed_form.sampler_laws.phase_space.score` a row reads, for z = L_1·y and s_z the score of √q
X_0 + N(0, I),

.. math:: y \leftarrow (P - Q L_2^T L_2) y + Q L_1^T s_z(z) + Q e_2 \otimes b + N(0, \mathrm{noise}).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from closed_form.sampler_laws.phase_space.score import whitening
from verify.particles.backends import Backend
from verify.particles.score_kernels import kernel_of

#: Position noise below this share of its own variance, given the velocity's, is rounding: none is drawn.
_NO_NOISE = 1e-12


@dataclass(frozen=True)
class PhaseRows:
    """The rows of a sampler as numbers for particles.

    Attributes
    ----------
    ratios : Steps
        One-block steps whose ``advance`` turns z into its score: a = √q, s² = 1, P = 0, Q = 1.
    scored : array of bool (k,)
        Rows that use the score.
    split : array of shape (k, 2)
        L_1: z = L_1·y.
    linear, gain : arrays of shape (k, 2, 2) and (k, 2)
        P − Q L_2ᵀL_2 and Q L_1ᵀ.
    push : array of shape (k, 2)
        Q e_2: what an error of the velocity's score adds.
    roots : array of shape (k+1, 2, 2)
        Upper triangular roots of the prior's covariance and of the noises.
    """

    ratios: Steps
    scored: np.ndarray
    split: np.ndarray
    linear: np.ndarray
    gain: np.ndarray
    push: np.ndarray
    roots: np.ndarray

    def __len__(self) -> int:
        return len(self.linear)

    @classmethod
    def of(cls, steps: Steps, noise_var: float) -> PhaseRows:
        """Rows with fresh noise of this variance in the velocity's score."""
        k = len(steps)
        scored = np.any(steps.Q != 0.0, axis=(1, 2))
        signal, split, linear, gain = np.zeros(k), np.zeros((k, 2)), steps.P.copy(), np.zeros((k, 2))
        phi, S = steps.a, steps.s_sq
        for i in np.flatnonzero(scored):
            try:
                signal[i], L = whitening(phi[i], S[i])
            except ValueError as error:
                raise ValueError(f"the score at clock time {steps.time[i]} does not exist: {error}") from None
            split[i], gain[i] = L[0], steps.Q[i] @ L[0]
            linear[i] -= np.outer(steps.Q[i] @ L[1], L[1])
        one = np.ones(k + 1)
        ratios = Steps(steps.time, one[1:] * 0, scored * 1.0, one[1:] * 0, np.append(signal, 0.0), one, 1.0)
        push = steps.Q[:, :, 1]
        noise = steps.noise_var + noise_var * push[:, :, None] * push[:, None, :]
        return cls(ratios, scored, split, linear, gain, push,
                   upper_roots(np.concatenate([steps.prior_var[None], noise])))

    @property
    def draws(self) -> np.ndarray:
        """Whether the prior and each row need normals for the position and the velocity: bool (k+1, 2)."""
        return self.roots[:, (0, 1), (0, 1)] != 0.0


def upper_roots(covariance: np.ndarray) -> np.ndarray:
    """R upper triangular with RRᵀ = covariance (…, 2, 2), which may be singular."""
    xx, xv, vv = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    found = np.zeros_like(covariance)
    found[..., 1, 1] = np.sqrt(vv)
    found[..., 0, 1] = np.divide(xv, found[..., 1, 1], out=np.zeros_like(xv), where=vv > 0.0)
    left = xx - np.square(found[..., 0, 1])
    found[..., 0, 0] = np.sqrt(np.where(left > _NO_NOISE * xx, left, 0.0))
    return found


def middle_of(steps: Steps, dim: int, frame, chosen: Backend) -> tuple[Any, Any]:
    """The mean of the start in the coordinates of a frame: of position and velocity, (d, 1) each."""
    mean = steps.begun(np.zeros(dim)).mean_of(dim).astype(float)
    mean = mean if frame is None else mean @ frame
    return chosen.asarray(mean[0][:, None]), chosen.asarray(mean[1][:, None])


def scaled(chosen: Backend, x: Any, factor: float, room: Any) -> Any:
    """factor x, in ``room`` where the library can: large temporaries cost more than the product."""
    return np.multiply(x, factor, out=room) if chosen.name == "numpy" else x * factor


def noise_adder(rows: PhaseRows, dim: int, chosen: Backend) -> Callable:
    """``add(x, v, i, draw, room)`` adds the noise of row i − 1, or of the prior, to position and velocity."""
    draws, roots = rows.draws.tolist(), rows.roots.tolist()

    def add(x: Any, v: Any, i: int, draw: Callable[[int], Any], room: Any) -> None:
        root = roots[i]
        if draws[i][0]:
            noise = draw(dim)
            noise *= root[0][0]
            x += noise
        if draws[i][1]:
            noise = draw(dim)
            if root[0][1]:
                x += scaled(chosen, noise, root[0][1], room)
            noise *= root[1][1]
            v += noise

    return add


def phase_walk(law, steps: Steps, score_error: float, score_noise: float, direction, chosen: Backend):
    """(kernel, rows, walk): ``walk(draw, start)`` gives the last positions of a block, an array (cells, d,
    size).

    Parameters
    ----------
    law, steps, score_error, score_noise, direction
        As in `verify.particles.simulation.sample`; the errors are those of the velocity's score.
    chosen : Backend

    Returns
    -------
    kernel : the one-block kernel of z
    rows : PhaseRows
    walk : callable
        ``draw(d)`` gives the next normals; ``start`` is None or (position, velocity) on the device.
    """
    rows = PhaseRows.of(steps, score_noise**2 / law.dim)
    kernel = kernel_of(law, rows.ratios, score_error, direction)
    bias = chosen.asarray(kernel.bias[:, None])
    middle = middle_of(steps, law.dim, kernel.frame, chosen)
    biased, kernel = bool(np.any(kernel.bias)), replace(kernel, bias=np.zeros_like(kernel.bias))
    xp, add_noise = chosen.xp, noise_adder(rows, law.dim, chosen)
    times = partial(scaled, chosen)
    split, linear, gain, push = (part.tolist() for part in (rows.split, rows.linear, rows.gain, rows.push))

    def constants(i: int) -> tuple:
        return tuple(chosen.asarray(part) for part in kernel.constants(rows.ratios, i))

    def walk(draw: Callable[[int], Any], start: tuple | None, shape: tuple) -> Any:
        x, v = (chosen.asarray(np.zeros(shape)) + part for part in middle) if start is None else start
        spare, room, score = (chosen.asarray(np.zeros(shape)) for _ in range(3))
        if start is None:
            add_noise(x, v, 0, draw, room)
        for i in range(len(rows)):
            A = linear[i]
            if rows.scored[i]:
                score = times(x, split[i][0], score)
                score += times(v, split[i][1], room)
                kernel.advance(score, constants(i), xp)
            new = times(x, A[0][0], spare)
            new += times(v, A[0][1], room)
            v *= A[1][1]
            if A[1][0]:
                v += times(x, A[1][0], room)
            x, spare = new, x
            if rows.scored[i]:
                if gain[i][0]:
                    x += times(score, gain[i][0], room)
                score *= gain[i][1]
                v += score
                if biased:
                    x += bias * push[i][0]
                    v += bias * push[i][1]
            add_noise(x, v, i + 1, draw, room)
        return x

    return kernel, rows, walk
