r"""The exact law of the sampler for Gaussian data, where every step is affine and the law stays Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bounds.steps import Steps
from closed_form.bracket import Bracket
from closed_form.gaussian import Gaussian

_WIDE = np.longdouble  # 64-bit mantissa on x86; plain double where the platform has nothing wider
_WIDE_EPS = np.finfo(_WIDE).eps
_EPS = np.finfo(float).eps
_BLOCK = 1 << 17  # steps × eigenvalues handled at once: a few MB for each work array
_SWEEP = 128  # rounding of one affine scan, in eps, relative to the sum of the sizes of its terms
_SLACK = 1.01  # covers the terms of second order in the error recursion


@dataclass(frozen=True, eq=False)
class ChainLaw:
    r"""N(mean, U diag(variances) Uᵀ), the law of the last iterate, with bounds of its rounding errors.

    Attributes
    ----------
    data : Gaussian
        The data law N(m, U diag(λ) Uᵀ); U is ``data.basis``, the identity if that is None.
    mean : array of shape (d,)
        In the axes of the data.
    variances : array of shape (d,)
        Along the columns of U, in the order of ``data.eigenvalues``.
    mean_error, variance_error : arrays of shape (d,)
        Bounds of |computed − exact| along the columns of U (for the mean: of ``lag``, see below).
    lag : array of shape (d,)
        Uᵀ(mean − a m), in extended precision: what the chain misses of the forward mean a m.
    final_a : float
        Forward coefficient a at the last time of the grid.

    Notes
    -----
    The bounds follow the rounding of every step to first order, with 1 % to spare, and the residual of
    the eigendecomposition of a full Σ to first order (U diag(λ) Uᵀ and Σ commute up to it).
    """

    data: Gaussian
    mean: np.ndarray
    variances: np.ndarray
    mean_error: np.ndarray
    variance_error: np.ndarray
    lag: np.ndarray
    final_a: float
    spectrum_error: float
    _wide_variances: np.ndarray

    def law(self) -> Gaussian:
        """The law of the last iterate as a `Gaussian`.

        Raises
        ------
        ValueError
            If the chain left the range of float64.
        """
        if self.data.spread.ndim == 0:
            return Gaussian(self.mean, self.variances[0])
        if self.data.basis is None:
            return Gaussian(self.mean, self.variances)
        basis = self.data.basis
        return Gaussian(self.mean, (basis * self.variances) @ basis.T)

    def w2(self, target: Gaussian | None = None) -> Bracket:
        r"""W2 to ``target``: :math:`(|m-m'|^2 + \sum_i(\sqrt{v_i}-\sqrt{\lambda_i})^2)^{1/2}`.

        Parameters
        ----------
        target : Gaussian, optional
            The data law by default. A target whose covariance does not commute with the data's goes
            through the Bures distance of the two laws, which has a floor near 1e-8 of their size.

        Returns
        -------
        Bracket
            ``[0, inf]`` at worst, if the chain left the range of numbers.

        Raises
        ------
        ValueError
            If ``target`` has another dimension.
        """
        target = self.data if target is None else target
        if target.dim != self.data.dim:
            raise ValueError(f"target must have dimension {self.data.dim}, got {target.dim}")
        spectrum = self._spectrum(target)
        if spectrum is None:
            from closed_form.wasserstein import w2_gaussian

            return w2_gaussian(self.law(), target).widened(self._error_norm)
        values, values_error = spectrum
        shift = _rotated(_wide(self.data.mean) * self.final_a - target.mean, self.data.basis)
        with np.errstate(all="ignore"):
            mean_gap = self.lag + shift
            mean_slack = self.mean_error + self._rotation_eps * np.linalg.norm(shift.astype(float))
            std_gap, std_slack = _root_gap(self._wide_variances, self.variance_error, values, values_error)
            return _norm_bracket(
                np.concatenate([mean_gap, std_gap]), np.concatenate([mean_slack, std_slack]), "affine chain"
            )

    def _spectrum(self, target: Gaussian) -> tuple[np.ndarray, float] | None:
        """Variances of ``target`` along U and a bound of their error; None if it does not commute."""
        if target is self.data:
            return _wide(_clustered(target)), self.spectrum_error
        if target.basis is None and (self.data.basis is None or target.spread.ndim == 0):
            return _wide(target.eigenvalues), 0.0
        basis = np.eye(target.dim) if self.data.basis is None else self.data.basis
        rotated = basis.T @ target.covariance @ basis
        values = np.maximum(np.diag(rotated), 0.0)
        noise = 4 * target.dim * _EPS * np.linalg.norm(rotated)
        off_diagonal = np.linalg.norm(rotated - np.diag(values))
        if off_diagonal > 16 * noise + 2 * self.spectrum_error:
            return None
        return _wide(values), off_diagonal + noise

    @property
    def _rotation_eps(self) -> float:
        """Relative error of a vector rotated into the eigenbasis."""
        return float(_WIDE_EPS) if self.data.basis is None else 4 * self.data.dim * _EPS

    @cached_property
    def _error_norm(self) -> float:
        """W2 between the computed Gaussian and the exact one, bounded."""
        v, error = self._wide_variances, self.variance_error
        _, slack = _root_gap(v, error, v, 4 * self.data.dim * _EPS * v.max())
        return float(np.linalg.norm(np.concatenate([self.mean_error, slack]).astype(float)))


def gaussian_chain(
    law: Gaussian, steps: Steps, bias: np.ndarray | None = None, noise_size: float = 0.0
) -> ChainLaw:
    r"""Exact law of the last iterate when the data are N(m, Σ).

    With λ an eigenvalue of Σ and :math:`V_i = a_i^2\lambda + s_i^2`, each coordinate follows

    .. math:: y \leftarrow A_i y + Q_i(a_i m / V_i + b) + N(0, n_i), \quad A_i = P_i - Q_i/V_i, \quad
              n_i = \mathrm{noise\_var}_i + Q_i^2 M_{noise}^2/d.

    The mean is a m plus its lag e, :math:`e \leftarrow A_i e + (P_i a_i - a_{i+1}) m + Q_i b`, and the
    variance obeys :math:`v \leftarrow A_i^2 v + n_i`. Equal eigenvalues are computed once.

    Parameters
    ----------
    law : Gaussian
    steps : Steps
    bias : array of shape (d,), optional
        Constant vector b added to the score at every step.
    noise_size : float
        M_noise, the L2 size of the fresh Gaussian noise N(0, M_noise²/d I) added to the score.

    Raises
    ------
    ValueError
        If ``bias`` has the wrong shape or is not finite, ``noise_size`` is negative or not finite, or a
        step uses the score of a point mass (V_i = 0).

    Notes
    -----
    Steps are composed pairwise, in extended precision: O(log k) vectorised passes instead of a loop over
    steps, and every product of A_i stays in range up to 1e±4932 on x86.

    References
    ----------
    docs/theory.md section 6 and section 8 (i); 2311.11003 Proposition 8.
    """
    bias, noise_size = _checked_error(law.dim, bias, noise_size)
    values = _clustered(law)
    _refuse_point_mass(values, steps)
    distinct, place = np.unique(values, return_inverse=True)
    spectrum_error = _spectrum_error(law, values)
    noise_var = _wide(steps.noise_var) + _wide(steps.Q) ** 2 * (_wide(noise_size) ** 2 / law.dim)
    tracks = np.concatenate(
        [
            _run(distinct[part], spectrum_error, steps, noise_var)
            for part in _slices(len(distinct), max(1, _BLOCK // len(steps)))
        ],
        axis=-1,
    )[..., place]
    (variance, _, variance_error), (drift, _, drift_error), (pull, _, pull_error) = tracks
    mean, push = _rotated(_wide(law.mean), law.basis), _rotated(_wide(bias), law.basis)
    rotation = 0.0 if law.basis is None else 4 * law.dim * _EPS
    mean_size, push_size = np.abs(mean) + rotation * law.mean_norm, np.abs(push) + rotation * np.linalg.norm(bias)
    with np.errstate(all="ignore"):
        lag = drift * mean + pull * push
        lag_error = (
            drift_error * mean_size
            + pull_error * push_size
            + np.abs(drift) * (mean_size - np.abs(mean))
            + np.abs(pull) * (push_size - np.abs(push))
            + 4 * _WIDE_EPS * (np.abs(drift * mean) + np.abs(pull * push))
        )
        final_mean = _wide(law.mean) * steps.a[-1] + _unrotated(lag, law.basis)
        return ChainLaw(
            data=law,
            mean=final_mean.astype(float),
            variances=variance.astype(float),
            mean_error=_SLACK * lag_error,
            variance_error=_SLACK * variance_error,
            lag=lag,
            final_a=float(steps.a[-1]),
            spectrum_error=spectrum_error,
            _wide_variances=variance,
        )


def _run(values: np.ndarray, spectrum_error: float, steps: Steps, noise_var: np.ndarray) -> np.ndarray:
    """Tracks (value, size, error) of the variance and of the lag for unit mean and for unit bias.

    Shape (3, 3, e) for ``e`` eigenvalues. ``size`` follows the same recursion with absolute values.
    """
    e = len(values)
    tracks = np.zeros((3, 3, e), dtype=_WIDE)
    tracks[0, :2] = steps.prior_var
    tracks[1, 0], tracks[1, 1] = -_wide(steps.a[0]), abs(_wide(steps.a[0]))
    with np.errstate(all="ignore"):
        for rows in _slices(len(steps), _BLOCK):
            P, Q, n = _wide(steps.P[rows, None]), _wide(steps.Q[rows, None]), noise_var[rows, None]
            a, s_sq = _wide(steps.a[rows, None]), _wide(steps.s_sq[rows, None])
            a_next = _wide(steps.a[rows.start + 1 : rows.stop + 1, None])
            V = a * a * values + s_sq
            gain = np.where(Q == 0.0, 0.0, Q / np.where(V == 0.0, 1.0, V))
            gain_error = np.abs(gain) * (4 * _WIDE_EPS + np.where(Q == 0.0, 0.0, a * a * spectrum_error / V))
            A = P - gain
            A_error = gain_error + 2 * _WIDE_EPS * (np.abs(A) + np.abs(gain))
            lag = np.broadcast_to(P * a - a_next, A.shape)
            lag_error = np.broadcast_to(_WIDE_EPS * (np.abs(P * a) + np.abs(a_next)), A.shape)
            sources = (
                (A * A, A_error * (2 * np.abs(A) + A_error), np.broadcast_to(n, A.shape), 4 * _WIDE_EPS * n),
                (A, A_error, lag, lag_error),
                (A, A_error, np.broadcast_to(Q, A.shape), 0.0 * A),
            )
            tracks = np.stack([_advanced(track, *source) for track, source in zip(tracks, sources, strict=True)])
    return tracks


def _advanced(track: np.ndarray, factor, factor_error, source, source_error) -> np.ndarray:
    """(value, size, error) after the steps x ← factor x + source, factor and source known within errors."""
    path = _states(factor, source, track[0])
    size = _states(np.abs(factor), np.abs(source), track[1])[-1]
    fresh = factor_error * np.abs(path[:-1]) + source_error
    error = _states(np.abs(factor) + factor_error, fresh, track[2])[-1]
    return np.stack([path[-1], size, error + _SWEEP * _WIDE_EPS * size])


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


def _clustered(law: Gaussian) -> np.ndarray:
    """Eigenvalues of Σ, those within rounding of each other replaced by their mean."""
    values = law.eigenvalues
    if law.basis is None:
        return values
    breaks = np.flatnonzero(np.diff(values) > 4 * law.dim * _EPS * values[-1]) + 1
    return np.concatenate([np.full(len(group), group.mean()) for group in np.split(values, breaks)])


def _spectrum_error(law: Gaussian, values: np.ndarray) -> float:
    """‖Σ − U diag(values) Uᵀ‖_F, bounded; by Hoffman-Wielandt it bounds the error of every eigenvalue."""
    if law.basis is None:
        return 0.0
    residual = np.linalg.norm(law.spread - (law.basis * values) @ law.basis.T)
    return float(residual + 4 * law.dim * _EPS * np.linalg.norm(values))


def _root_gap(v, v_error, w, w_error) -> tuple[np.ndarray, np.ndarray]:
    """√v − √w without cancellation, and a bound of its error for v, w known within errors."""
    gap = _ratio(v - w, np.sqrt(v) + np.sqrt(w))
    slack = _root_slack(v, v_error) + _root_slack(w, w_error)
    return gap, slack + 8 * _WIDE_EPS * np.abs(gap)


def _root_slack(x, dx) -> np.ndarray:
    """max |√y − √x| over |y − x| ≤ dx, y ≥ 0."""
    low = np.maximum(x - dx, 0.0)
    return np.maximum(_ratio(x - low, np.sqrt(x) + np.sqrt(low)), _ratio(dx, np.sqrt(x + dx) + np.sqrt(x)))


def _ratio(x, y) -> np.ndarray:
    """x/y where y > 0, else 0."""
    return np.where(y > 0.0, x / np.where(y > 0.0, y, 1.0), 0.0)


def _norm_bracket(parts: np.ndarray, slack: np.ndarray, method: str) -> Bracket:
    """Bracket of |x| for a vector within ``slack`` of ``parts``, entry by entry."""
    size = np.abs(parts)
    rounding = 1.0 + (len(parts) + 8) * _WIDE_EPS
    upper = np.sqrt(np.square(size + slack).sum()) * rounding
    lower = np.sqrt(np.square(np.maximum(size - slack, 0.0)).sum()) / rounding
    if not np.isfinite(lower):
        return Bracket(0.0, math.inf, method)
    low, high = np.nextafter(float(lower), 0.0), np.nextafter(float(upper), math.inf)
    return Bracket(min(float(low), np.finfo(float).max), math.inf if np.isnan(high) else float(high), method)


def _checked_error(dim: int, bias, noise_size) -> tuple[np.ndarray, float]:
    bias = np.zeros(dim) if bias is None else np.atleast_1d(np.asarray(bias, dtype=float))
    if bias.shape != (dim,) or not np.isfinite(bias).all():
        raise ValueError(f"bias must be a finite array of shape ({dim},), got {bias!r:.80}")
    noise_size = float(noise_size)
    if not 0.0 <= noise_size < math.inf:
        raise ValueError(f"noise_size must be finite and at least 0, got {noise_size}")
    return bias, noise_size


def _refuse_point_mass(values: np.ndarray, steps: Steps) -> None:
    singular = (steps.a[:-1] ** 2 * values.min() + steps.s_sq[:-1] <= 0.0) & (steps.Q != 0.0)
    if singular.any():
        raise ValueError(
            f"the score at time {steps.time[:-1][singular][0]} does not exist: the law there has variance 0 "
            f"along an axis (smallest eigenvalue of the covariance: {values.min()})"
        )


def _slices(total: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def _wide(x) -> np.ndarray:
    return np.asarray(x, dtype=_WIDE)


def _rotated(x: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return x if basis is None else basis.T.astype(_WIDE) @ x


def _unrotated(x: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return x if basis is None else basis.astype(_WIDE) @ x
