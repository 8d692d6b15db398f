r"""The variance and the mean of an affine chain whose steps use what the step before saw.

With :math:`u_i = A_i y_i + Q_i b`, :math:`y_{i+1} = k_i y_i + n_i u_i + b_i u_{i-1}` in the deviations from
the forward mean, what a change of y_i or of u_i makes of the last iterate obeys, backwards,

.. math:: \mu_i = n_i \lambda_{i+1} + b_{i+1} \lambda_{i+2}, \qquad \lambda_i = k_i \lambda_{i+1} + A_i \mu_i.
"""

import numpy as np

from bounds.steps.affine import PastErrors, StepErrors, Steps
from closed_form.sampler_laws.affine_scan import factor_of
from closed_form.sampler_laws.extended_precision import WIDE, WIDE_EPS, wide


class _Known:
    """Numbers x, and what they may be off by; sums and products carry it along."""

    def __init__(self, value, error):
        self.value, self.error = value, error

    def __add__(self, other):
        value = self.value + other.value
        return _Known(value, self.error + other.error + WIDE_EPS * np.abs(value))

    def __mul__(self, other):
        value = self.value * other.value
        return _Known(value, np.abs(self.value) * other.error + np.abs(other.value) * self.error
                      + self.error * other.error + WIDE_EPS * np.abs(value))


def multistep_tracks(values: np.ndarray, spectrum_error: float, steps: Steps,
                     noise_scale: float) -> np.ndarray:
    """(Value, size, error) of the variance and of the lag for unit mean and for unit bias, as
    `closed_form.sampler_laws.affine_scan.affine_tracks` gives them; size is |value|.

    Parameters
    ----------
    values : array of shape (e,)
        Eigenvalues of the data's covariance, each known up to ``spectrum_error``.
    spectrum_error : float
    steps : Steps
        With a past.
    noise_scale : float
        Variance of fresh noise in the score.
    """
    count, none, points = len(steps), np.zeros(len(steps)), np.zeros(len(steps) + 1)
    errors = steps.errors or StepErrors(none, none, none, points, points)
    off = steps.past.errors or PastErrors(none, none, none)
    P, Q, a = (_column(getattr(steps, name), getattr(errors, name)) for name in ("P", "Q", "a"))
    keep, now, before = (_column(getattr(steps.past, name), getattr(off, name))
                         for name in ("keep", "now", "before"))
    with np.errstate(all="ignore"):
        numbers, slack = ([getattr(each, name)[:count, None] for name in ("P", "Q", "a", "s_sq")]
                          for each in (steps, errors))
        factors = factor_of(values, spectrum_error, *map(wide, numbers), *slack)
        A = [_Known(value, error) for value, error in zip(*factors, strict=True)]
        none = _Known(np.zeros(len(values), dtype=WIDE), np.zeros(len(values), dtype=WIDE))
        later, after = _Known(none.value + 1, none.error), none
        lag, pull, fresh = none, none, none
        minus, scale = _Known(WIDE(-1), 0.0), _Known(wide(noise_scale), 0.0)
        for i in reversed(range(count)):
            seen = now[i] * later
            if i + 1 < count:
                seen = seen + before[i + 1] * after
            # what a step leaves of a unit mean: 0 up to rounding, where u predicts the data
            source = keep[i] * a[i] + now[i] * (P[i] * a[i]) + minus * a[i + 1]
            if i:
                source = source + before[i] * (P[i - 1] * a[i - 1])
            lag, push = lag + source * later, Q[i] * seen
            part = _Known(WIDE(1.0 if steps.share is None else steps.share[i]), 0.0)
            pull, fresh = pull + push * part, fresh + push * push * scale
            later, after = keep[i] * later + A[i] * seen, later
        prior = (none if steps.start is not None else
                 _Known(wide(steps.prior_var), errors.prior_var))
        if not steps.from_mean:
            lag = lag + minus * (a[0] * later)
        tracks = (later * later * prior + fresh, lag, pull, later)
        tracks = tracks if steps.start is not None else tracks[:3]
    return np.stack([np.stack([each.value, np.abs(each.value), each.error + 0 * each.value])
                     for each in tracks])


def _column(values, errors) -> list[_Known]:
    """Entries of an array, one by one."""
    return [_Known(value, error) for value, error in zip(wide(values), errors, strict=True)]
