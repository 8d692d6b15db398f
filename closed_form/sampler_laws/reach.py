r"""How far a sampler's last iterate can be from sums of Gaussians, in any dimension: a W2 that is never infinite.

Where components share a covariance the score is linear but for the mean μ̄(y) of their means, weighted by their
shares, which is in the convex hull of the μ_j.  So the last iterate is

.. math:: y_K = c + G + b, \qquad G \sim N(0, \mathrm{diag}\,\tau^2), \quad |b| \le D,

c and τ by the steps' linear part and D by the sum of what every evaluation of the score may add.  With
X = μ_J + σg and m = E X two couplings, g that of G or all of X independent of y_K, give

.. math:: W_2 \le \sqrt{\sum(\tau-\sigma)^2} + D + |c - m| + \sqrt{E|\mu_J - m|^2}, \qquad
          W_2^2 \le \Big(\sqrt{\sum \tau^2} + D + |c - m|\Big)^2 + E|X - m|^2 .

References
----------
docs/theory.md section 8, "Beyond the plane".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bounds.start import SLACK
from bounds.steps.affine import SecondStage, Steps
from closed_form.law import Components

#: Relative room for what rounding does to the sums.
ROOM = 1e-6


@dataclass(frozen=True, eq=False)
class Reach:
    """What is known of the last iterate c + G + b.

    Attributes
    ----------
    off : float
        |c − m|, m the mean of the data.
    deviations : array of shape (d,)
        τ, in the frame of the components.
    drawn : float
        D.
    """

    off: float
    deviations: np.ndarray
    drawn: float


@dataclass(frozen=True, eq=False)
class _Step:
    """A step of the state of m numbers a direction: state ← move·state + Σ pull μ̄ + push b + noise, by arrays of shape
    (l, m, m), (l, m) and, of the noise's covariance, (m, m) or (l, m, m)."""

    move: np.ndarray
    pulls: list[np.ndarray]
    push: np.ndarray
    noise: np.ndarray


def reach(found: Components, steps: Steps, bias: np.ndarray, noise_size: float) -> Reach | None:
    """c, τ and D of a sampler of sums of Gaussians with one covariance; None where components have their own, or the
    start has other axes than they.

    Parameters
    ----------
    found : Components
    steps : Steps
    bias : array of shape (d,)
        Constant added to the score.
    noise_size : float
        Standard deviation, in each direction, of the fresh noise added to the score.
    """
    if found.spectrum.ndim == 2:
        return None
    steps, frame, d = steps.rounded(), found.frame, found.means.shape[1]
    means, bias = (each if frame is None else each @ frame for each in (found.means, bias))
    mean = found.weights @ means
    spread, spectrum = means - mean, np.atleast_1d(found.spectrum)
    started = _started(steps, found.weights @ found.means, frame)
    if started is None:
        return None
    row = np.zeros((len(spectrum), 2 if steps.blocks == 2 or steps.past is not None else 1))
    row[:, 0] = 1.0
    centre, variance, drawn = np.zeros(d), np.zeros(len(spectrum)), 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for i in reversed(range(len(steps))):
            step = _step(steps, i, spectrum, noise_size)
            for pull in step.pulls:
                size = (row * pull).sum(axis=1)
                drawn += float(np.sqrt(np.square(spread * size).sum(axis=1).max()))
                centre += size * mean
            centre += (row * step.push).sum(axis=1) * bias
            variance += np.einsum("lm,lmn,ln->l", row, np.broadcast_to(step.noise, step.move.shape), row)
            row = np.einsum("lm,lmn->ln", row, step.move)
        begun, spread_out = started
        if steps.blocks == 2:
            centre += (row.T * begun).sum(axis=0)
            variance += np.einsum("lm,mn,ln->l", row, spread_out, row)
        else:
            centre += row[:, 0] * begun
            variance = variance + np.square(row[:, 0]) * spread_out
    return Reach(float(np.linalg.norm(centre - mean)), np.sqrt(np.broadcast_to(variance, (d,))), drawn)


def _started(steps: Steps, mean: np.ndarray, frame: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """(Mean, variances) of the start in the frame of the components, with two blocks (2, d) and their matrix; None where
    it has other axes."""
    d, start = len(mean), steps.begun(mean)
    middle = start.mean_of(d).astype(float)
    if steps.blocks == 2:
        return middle if frame is None else middle @ frame, start.spread.astype(float)
    if start.spread.ndim == 0 or (start.spread.ndim == 1 and frame is None):
        return middle if frame is None else middle @ frame, start.variances_of(d).astype(float)
    covariance = start.covariance_of(d).astype(float)
    covariance = covariance if frame is None else frame.T @ covariance @ frame
    diagonal = np.diag(covariance)
    if np.abs(covariance - np.diag(diagonal)).max() > SLACK * diagonal.max():
        return None
    return middle if frame is None else middle @ frame, diagonal


def farthest(law, steps: Steps, bias: np.ndarray, noise_size: float = 0.0) -> float:
    """An upper side of W2 between the last iterate and a sum of Gaussians; ``inf`` where none is known.

    Parameters
    ----------
    law : Law
        With ``components()``; another one has no such side.
    steps, bias, noise_size
        As of `reach`.
    """
    found = law.components()
    if found is None:
        return math.inf
    mean = found.weights @ found.means
    between = float(found.weights @ np.square(found.means - mean).sum(axis=1))
    spectrum = np.broadcast_to(found.spectrum, (len(found.weights), law.dim))
    within = float(found.weights @ spectrum.sum(axis=1))
    known = reach(found, steps, bias, noise_size)
    if known is None:
        size = _root_mean_square(found, steps, mean, bias, noise_size)
        far = math.hypot(size, math.sqrt(between + within))
    else:
        sure, tau = known.drawn + known.off, known.deviations
        apart = float(np.linalg.norm(tau - np.sqrt(spectrum[0])))
        far = min(apart + sure + math.sqrt(between),
                  math.hypot(float(np.linalg.norm(tau)) + sure, math.sqrt(between + within)))
    return far * (1 + ROOM) if far < math.inf else math.inf


def _step(steps: Steps, i: int, spectrum: np.ndarray, noise_size: float) -> _Step:
    """Step i for each eigenvalue of the components' covariance."""
    if steps.blocks == 2:
        return _phase_step(steps, i, spectrum, noise_size)
    kept, pull, push = _linear(steps, i, spectrum)
    own, fresh = float(steps.noise_var[i]), (float(steps.Q[i]) * noise_size) ** 2
    if steps.past is not None:
        keep, now, before = (float(each[i]) for each in (steps.past.keep, steps.past.now, steps.past.before))
        move = np.array([[keep + now * kept, np.full_like(kept, before)], [kept, np.zeros_like(kept)]])
        return _Step(np.moveaxis(move, 2, 0), [np.stack([now * pull, pull], axis=1)],
                     np.array([[now * push, push]]), np.diag([own, 0.0]) + fresh * np.outer([now, 1.0], [now, 1.0]))
    if steps.second is None:
        return _Step(kept[:, None, None], [pull[:, None]], np.array([[push]]), np.array([[own + fresh]]))
    again, more, shove = _linear(steps.second, i, spectrum)
    move = float(steps.second.keep[i]) + again * kept
    fresh = own + np.square(again) * fresh + (float(steps.second.Q[i]) * noise_size) ** 2
    return _Step(move[:, None, None], [(again * pull)[:, None], more[:, None]],
                 (again * push + shove)[:, None], fresh[:, None, None])


def _linear(numbers: Steps | SecondStage, i: int, spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """What x ↦ Px + Q(s(x) + b) does to x, to μ̄ and to b, for each eigenvalue."""
    P, Q, a, s_sq = (float(each[i]) for each in (numbers.P, numbers.Q, numbers.a, numbers.s_sq))
    if Q == 0.0:
        return np.full_like(spectrum, P), np.zeros_like(spectrum), 0.0
    V = a * a * spectrum + s_sq
    return P - Q / V, Q * a / V, Q * (1.0 if numbers.share is None else float(numbers.share[i]))


def _phase_step(steps: Steps, i: int, spectrum: np.ndarray, noise_size: float) -> _Step:
    """A row of position and velocity, whose score is that of both and whose errors are the velocity's."""
    P, Q, phi, push = steps.P[i], steps.Q[i], steps.a[i], steps.Q[i][:, 1]
    move, pull = np.repeat(P[None], len(spectrum), axis=0), np.zeros((len(spectrum), 2))
    if Q.any():
        V = spectrum[:, None, None] * np.outer(phi, phi) + steps.s_sq[i]
        weight = np.linalg.solve(np.swapaxes(V, 1, 2), np.broadcast_to(Q.T, V.shape)).swapaxes(1, 2)
        move, pull = move - weight, weight @ phi
    return _Step(move, [pull], push[None], steps.noise_var[i] + noise_size**2 * np.outer(push, push))


def _root_mean_square(found: Components, steps: Steps, mean: np.ndarray, bias: np.ndarray, noise_size: float) -> float:
    """(E|y − m|²)^{1/2} at most, where every component has a covariance of its own; ``inf`` with two blocks or a
    past."""
    if steps.blocks == 2 or steps.past is not None:
        return math.inf
    steps, d, spread = steps.rounded(), len(mean), found.means - mean
    error, farthest_mean = float(np.linalg.norm(bias)), float(np.linalg.norm(spread, axis=1).max())
    # E|y − a m|² along the way
    start = steps.begun(mean)
    size = math.hypot(math.sqrt(float(start.variances_of(d).sum())),
                      float(np.linalg.norm(start.mean_of(d) - float(steps.a[0]) * mean)))

    def after(numbers, i: int, size: float, to: float) -> float:
        """From around a_i m to around ``to`` m."""
        kept, pull, push = _linear(numbers, i, found.spectrum.ravel())
        kept, pull = (np.abs(each).max() for each in (kept, pull))
        drift = abs(float(numbers.P[i]) * float(numbers.a[i]) - to) * float(np.linalg.norm(mean))
        return kept * size + pull * farthest_mean + abs(push) * error + drift

    for i in range(len(steps)):
        to = float(steps.a[i + 1])
        if steps.second is None:
            moved = after(steps, i, size, to)
        else:
            keep, a = float(steps.second.keep[i]), float(steps.second.a[i])
            inner = math.hypot(after(steps, i, size, a), math.sqrt(d) * float(steps.Q[i]) * noise_size)
            off = abs(keep * float(steps.a[i]) + float(steps.second.P[i]) * a - to) * float(np.linalg.norm(mean))
            moved = abs(keep) * size + after(steps.second, i, inner, float(steps.second.P[i]) * a) + off
        last = steps if steps.second is None else steps.second
        size = math.hypot(moved, math.sqrt(d * (float(steps.noise_var[i]) + (float(last.Q[i]) * noise_size) ** 2)))
    return size + abs(float(steps.a[-1]) - 1.0) * float(np.linalg.norm(mean))
