r"""The variance and the mean of an affine chain after all its steps, with bounds of their rounding errors."""

import numpy as np

from bounds.steps.affine import SecondStage, StepErrors, Steps
from closed_form.sampler_laws.extended_precision import WIDE, WIDE_EPS, wide

_BLOCK = 1 << 17  # steps × eigenvalues handled at once: a few MB for each work array
_SWEEP = 128  # rounding of one affine scan, in eps, relative to the sum of the sizes of its terms


def affine_tracks(values: np.ndarray, spectrum_error: float, steps: Steps, noise_var: np.ndarray,
                  noise_error: np.ndarray, noise_scale: float = 0.0) -> np.ndarray:
    """Tracks (value, size, error) of the variance and of the lag for unit mean and for unit bias.

    Parameters
    ----------
    values : array of shape (e,)
        Eigenvalues of the data's covariance, each known up to ``spectrum_error``.
    spectrum_error : float
    steps : Steps
    noise_var, noise_error : arrays of shape (k,)
        Variance added at every step, and how far it may be off.
    noise_scale : float
        Variance of fresh noise in the score, for steps with two evaluations: it is added to theirs here.

    Returns
    -------
    array of shape (3, 3, e), or (4, 3, e) where there is a start
        The last is what is left of a unit of the start; the variance is then that from a start at a point.
        ``size`` follows the same recursion as the value, with absolute values.
    """
    parts = _slices(len(values), max(1, _BLOCK // len(steps)))
    tracks = [_run(values[part], spectrum_error, steps, noise_var, noise_error, noise_scale)
              for part in parts]
    return np.concatenate(tracks, axis=-1)


def _run(values: np.ndarray, spectrum_error: float, steps: Steps, noise_var: np.ndarray,
         noise_error: np.ndarray, noise_scale: float) -> np.ndarray:
    """Tracks (value, size, error) of the variance and of the lag for unit mean and for unit bias.

    Shape (3, 3, e) for ``e`` eigenvalues, (4, 3, e) with a start. ``size`` follows the same recursion with absolute values.
    """
    e = len(values)
    tracks = np.zeros((3 if steps.start is None else 4, 3, e), dtype=WIDE)
    if steps.start is None:
        tracks[0, :2] = steps.prior_var
    else:
        tracks[3, :2] = 1
    errors = steps.errors or _no_errors(len(steps))
    noise_scale = wide(noise_scale)
    tracks[0, 2] = 0 if steps.start is not None else errors.prior_var
    if not steps.from_mean:
        tracks[1, 0], tracks[1, 1], tracks[1, 2] = -wide(steps.a[0]), abs(wide(steps.a[0])), errors.a[0]
    with np.errstate(all="ignore"):
        for rows in _slices(len(steps), _BLOCK):
            after = slice(rows.start + 1, rows.stop + 1)
            numbers = _one if steps.second is None else _two
            (A, A_error), (lag, lag_error), (push, push_error), *fresh = numbers(values, spectrum_error,
                                                                                 steps,
                                                                                errors, rows, after)
            n, dn = noise_var[rows, None], noise_error[rows, None]
            for added, added_error in fresh:
                n, dn = n + added * noise_scale, dn + added_error * noise_scale
            sources = (
                (A * A, A_error * (2 * np.abs(A) + A_error), np.broadcast_to(n, A.shape),
                 dn + 4 * WIDE_EPS * n),
                (A, A_error, lag, lag_error), (A, A_error, push, push_error),
                (A, A_error, np.zeros_like(A), np.zeros_like(A)),
            )
            pairs = zip(tracks, sources[: len(tracks)], strict=True)
            tracks = np.stack([_advanced(track, *source) for track, source in pairs])
    return tracks


def factor_of(values, spectrum_error, P, Q, a, s_sq, dP, dQ, da, ds):
    """P − Q/V, by what a deviation from the forward mean is multiplied, with its error: shape (k, e)."""
    V = a * a * values + s_sq
    dV = a * a * spectrum_error + 2 * a * da * values + ds
    used = Q != 0.0
    gain = np.where(used, Q / np.where(V == 0.0, 1.0, V), 0.0)
    gain_error = np.where(used, (dQ + np.abs(gain) * dV) / V + np.abs(gain) * 4 * WIDE_EPS, 0.0)
    A = P - gain
    return A, dP + gain_error + 2 * WIDE_EPS * (np.abs(A) + np.abs(gain))


def _one(values, spectrum_error, steps: Steps, errors: StepErrors, rows: slice, after: slice):
    """Factor, lag of a unit mean and pull of a unit bias of steps with one evaluation, each with its error."""
    P, Q, a, s_sq = (wide(x[rows, None]) for x in (steps.P, steps.Q, steps.a, steps.s_sq))
    a_next = wide(steps.a[after, None])
    dP, dQ, da, ds = (x[rows, None] for x in (errors.P, errors.Q, errors.a, errors.s_sq))
    A, A_error = factor_of(values, spectrum_error, P, Q, a, s_sq, dP, dQ, da, ds)
    lag = np.broadcast_to(P * a - a_next, A.shape)
    lag_error = np.broadcast_to(WIDE_EPS * (np.abs(P * a) + np.abs(a_next))
                                + dP * a + np.abs(P) * da + errors.a[after, None], A.shape)
    part = _part(steps, rows)
    return (A, A_error), (lag, lag_error), (np.broadcast_to(Q * part, A.shape), dQ * part + 0.0 * A)


def _two(values, spectrum_error, steps: Steps, errors: StepErrors, rows: slice, after: slice):
    """The same of steps with two evaluations, and what fresh noise of unit variance in each adds."""
    second = steps.second
    keep, P, Q, a, s_sq = (wide(x[rows, None]) for x in (second.keep, second.P, second.Q, second.a,
                                                         second.s_sq))
    if second.errors is None:
        off = (0.0,) * 5
    else:
        off = [getattr(second.errors, name)[rows, None] for name in ("keep", "P", "Q", "a", "s_sq")]
    inner, inner_error = factor_of(values, spectrum_error, P, Q, a, s_sq, *off[1:])
    P1, Q1, a_before, a_next = (wide(x) for x in (steps.P[rows, None], steps.Q[rows, None],
                                                  steps.a[rows, None],
                                                  steps.a[after, None]))
    dP1, dQ1, da_before, da_next = (errors.P[rows, None], errors.Q[rows, None], errors.a[rows, None],
                                    errors.a[after, None])
    first, first_error = factor_of(values, spectrum_error, P1, Q1, a_before, wide(steps.s_sq[rows, None]),
                                   dP1, dQ1, da_before, errors.s_sq[rows, None])

    def through(x, dx):
        # times the inner factor
        return inner * x, (np.abs(inner) + inner_error) * dx + inner_error * np.abs(x) + WIDE_EPS * np.abs(inner * x)

    def total(*parts):
        value = sum(x for x, _ in parts)
        return value, sum(dx for _, dx in parts) + 4 * WIDE_EPS * sum(np.abs(x) for x, _ in parts)

    lag_inner = P1 * a_before - a, (dP1 * a_before + np.abs(P1) * da_before + off[3]
                                    + WIDE_EPS * (np.abs(P1 * a_before) + a))
    kept = keep * a_before, off[0] * a_before + np.abs(keep) * da_before + WIDE_EPS * np.abs(keep * a_before)
    moved = P * a, off[1] * a + np.abs(P) * off[3] + WIDE_EPS * np.abs(P * a)
    one, two = _part(steps, rows), _part(second, rows)
    pull, pull_error = through(Q1 * one, dQ1 * one)
    push, push_error = through(Q1, dQ1)
    fresh = push * push + Q * Q
    fresh_error = push_error * (2 * np.abs(push) + push_error) + off[2] * (2 * np.abs(Q) + off[2]) + 4 * WIDE_EPS * fresh
    return (total((keep, off[0]), through(first, first_error)),
            total(kept, moved, (-a_next, da_next), through(*lag_inner)),
            total((Q * two + 0.0 * inner, off[2] * two), (pull, pull_error)), (fresh, fresh_error))


def _part(stage: Steps | SecondStage, rows: slice):
    """What part of the bias each evaluation has."""
    return 1.0 if stage.share is None else wide(stage.share[rows, None])


def _no_errors(steps: int) -> StepErrors:
    none, points = np.zeros(steps), np.zeros(steps + 1)
    return StepErrors(none, none, none, points, points)


def _advanced(track: np.ndarray, factor, factor_error, source, source_error) -> np.ndarray:
    """(value, size, error) after the steps x ← factor x + source, factor and source known within errors."""
    path = _states(factor, source, track[0])
    size = _states(np.abs(factor), np.abs(source), track[1])[-1]
    fresh = factor_error * np.abs(path[:-1]) + source_error
    error = _states(np.abs(factor) + factor_error, fresh, track[2])[-1]
    return np.stack([path[-1], size, error + _SWEEP * WIDE_EPS * size])


def _states(factor: np.ndarray, source: np.ndarray, start: np.ndarray) -> np.ndarray:
    """x_0, …, x_k of x_{i+1} = factor_i x_i + source_i, by composing neighbours: log₂ k levels."""
    k = len(factor)
    states = np.empty((k + 1, *factor.shape[1:]), dtype=factor.dtype)
    states[0] = start
    if k <= 8:
        for i in range(k):
            states[i + 1] = factor[i] * states[i] + source[i]
        return states
    even = k - k % 2
    first, second = slice(0, even, 2), slice(1, even, 2)
    pairs = _states(factor[second] * factor[first], factor[second] * source[first] + source[second], start)
    states[: even + 1 : 2] = pairs
    states[second] = factor[first] * pairs[:-1] + source[first]
    if k > even:
        states[k] = factor[even] * states[even] + source[even]
    return states


def _slices(total: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]
