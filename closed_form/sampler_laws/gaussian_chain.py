r"""The exact law of the sampler for Gaussian data, where every step is affine and the law stays Gaussian."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bounds.start import Start
from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.gaussian import w2_gaussian
from closed_form.law_input import error_size
from closed_form.laws.gaussian import Gaussian
from closed_form.sampler_laws.affine_scan import affine_tracks
from closed_form.sampler_laws.extended_precision import (
    WIDE,
    WIDE_EPS,
    clustered,
    norm_bracket,
    root_gap,
    wide,
)
from closed_form.sampler_laws.multistep_scan import multistep_tracks

_EPS = np.finfo(float).eps
_SLACK = 1.01  # covers the terms of second order in the error recursion
#: From so many coordinates on those that are alike are computed once, where at most a share of them is unlike the first.
MANY, UNLIKE = 1 << 12, 1 / 8


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
    final_a : float, possibly of extended precision
        Forward coefficient a at the last time of the grid.
    method, estimated : str
        How far the bounds are proved, for brackets; what they rest on that is estimated.

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
    method: str
    estimated: str
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
        if self._out_of_range:
            return Bracket(0.0, np.inf, f"{self.method}, out of range", self.estimated)
        spectrum = self._spectrum(target)
        if spectrum is None:
            return w2_gaussian(self.law(), target).widened(self._error_norm)
        return self._between(target, *spectrum)

    def to_data(self, counts: np.ndarray) -> Bracket:
        """W2 to data of which every coordinate here stands for so many."""
        if self._out_of_range:
            return Bracket(0.0, np.inf, f"{self.method}, out of range", self.estimated)
        return self._between(self.data, wide(clustered(self.data)), self.spectrum_error, counts)

    @property
    def _out_of_range(self) -> bool:
        return not (np.isfinite(self._wide_variances).all() and np.isfinite(self.lag).all())

    def _between(self, target: Gaussian, values: np.ndarray, values_error: float,
                 counts: np.ndarray | None = None) -> Bracket:
        """W2 to a law with these variances along U, where every coordinate stands for so many."""
        shift = _rotated(wide(self.data.mean) * self.final_a - target.mean, self.data.basis)
        with np.errstate(all="ignore"):
            mean_gap = self.lag + shift
            mean_slack = self.mean_error + self._rotation_eps * np.linalg.norm(shift.astype(float))
            std_gap, std_slack = root_gap(self._wide_variances, self.variance_error, values, values_error)
            return norm_bracket(np.concatenate([mean_gap, std_gap]), np.concatenate([mean_slack, std_slack]),
                                self.method, self.estimated, None if counts is None else np.tile(counts, 2))

    def _spectrum(self, target: Gaussian) -> tuple[np.ndarray, float] | None:
        """Variances of ``target`` along U and a bound of their error; None if it does not commute."""
        if target is self.data:
            return wide(clustered(target)), self.spectrum_error
        if target.basis is None and (self.data.basis is None or target.spread.ndim == 0):
            return wide(target.eigenvalues), 0.0
        basis = np.eye(target.dim) if self.data.basis is None else self.data.basis
        rotated = basis.T @ target.covariance @ basis
        values = np.maximum(np.diag(rotated), 0.0)
        noise = 4 * target.dim * _EPS * np.linalg.norm(rotated)
        off_diagonal = np.linalg.norm(rotated - np.diag(values))
        if off_diagonal > 16 * noise + 2 * self.spectrum_error:
            return None
        return wide(values), off_diagonal + noise

    @property
    def _rotation_eps(self) -> float:
        """Relative error of a vector rotated into the eigenbasis."""
        return float(WIDE_EPS) if self.data.basis is None else 4 * self.data.dim * _EPS

    @cached_property
    def _error_norm(self) -> float:
        """W2 between the computed Gaussian and the exact one, bounded."""
        v, error = self._wide_variances, self.variance_error
        _, slack = root_gap(v, error, v, 4 * self.data.dim * _EPS * v.max())
        return float(np.linalg.norm(np.concatenate([self.mean_error, slack]).astype(float)))


@dataclass(frozen=True, eq=False)
class AlikeChain:
    """The law of the last iterate where nearly all coordinates are alike: each kind of them is computed once.

    Attributes
    ----------
    few : ChainLaw
        Of the first coordinate, and of those unlike it.
    data : Gaussian
    others : array of int
        Which coordinates are unlike the first.
    """

    few: ChainLaw
    data: Gaussian
    others: np.ndarray

    def whole(self) -> ChainLaw:
        """The chain of every coordinate."""
        place = np.zeros(self.data.dim, dtype=int)
        place[self.others] = np.arange(1, len(self.others) + 1)
        names = "mean", "variances", "mean_error", "variance_error", "lag", "_wide_variances"
        return replace(self.few, data=self.data, **{name: getattr(self.few, name)[place] for name in names})

    def law(self) -> Gaussian:
        """The law of the last iterate as a `Gaussian`, as `ChainLaw.law`."""
        return self.whole().law()

    def w2(self, target: Gaussian | None = None) -> Bracket:
        """W2 to ``target``, the data law by default, as `ChainLaw.w2`."""
        if target is not None and target is not self.data:
            return self.whole().w2(target)
        counts = np.ones(len(self.others) + 1)
        counts[0] = self.data.dim - len(self.others)
        return self.few.to_data(counts)


@dataclass(frozen=True, eq=False)
class TurnedChain:
    """The law of the last iterate from a start whose axes are not those of the data.

    Attributes
    ----------
    end : Gaussian
        The law of the last iterate, in floats.
    data : Gaussian
    off : float
        W2 between ``end`` and the exact law, from above.
    method, estimated : str
        As of `ChainLaw`.
    """

    end: Gaussian
    data: Gaussian
    off: float
    method: str
    estimated: str

    def law(self) -> Gaussian:
        """The law of the last iterate."""
        return self.end

    def w2(self, target: Gaussian | None = None) -> Bracket:
        """W2 to ``target``, the data law by default (Bures)."""
        found = w2_gaussian(self.end, self.data if target is None else target).widened(self.off)
        return Bracket(found.lower, found.upper, self.method, self.estimated)


def gaussian_chain(law: Gaussian, steps: Steps, bias: np.ndarray | None = None,
                   noise_size: float = 0.0) -> ChainLaw | TurnedChain | AlikeChain:
    r"""Exact law of the last iterate when the data are N(m, Σ).

    With λ an eigenvalue of Σ and :math:`V_i = a_i^2\lambda + s_i^2`, each coordinate follows

    .. math:: y \leftarrow A_i y + Q_i(a_i m / V_i + b) + N(0, n_i), \quad A_i = P_i - Q_i/V_i, \quad
              n_i = \mathrm{noise\_var}_i + Q_i^2 M_{noise}^2/d.

    The mean is a m plus its lag e, :math:`e \leftarrow A_i e + (P_i a_i - a_{i+1}) m + Q_i b`, and the
    variance obeys :math:`v \leftarrow A_i^2 v + n_i`. Equal eigenvalues are computed once, and of very many coordinates
    those that are alike in all (`AlikeChain`).

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
    From a start N(m', Σ') the lag begins at m' − a m and the covariance at Σ', of which the chain of every coordinate
    leaves a share.  Where Σ' and Σ have no axes in common the law is a `TurnedChain`.

    Of steps with two evaluations A is keep + (P' − Q'/V')(P − Q/V), and noise and bias pass through both.
    Steps are composed pairwise, in extended precision: O(log k) vectorised passes instead of a loop over
    steps, and every product of A_i stays in range up to 1e±4932 on x86.

    References
    ----------
    docs/theory.md section 6 and section 8 (i); 2311.11003 Proposition 8.
    """
    bias, noise_size = _checked_bias(law.dim, bias), error_size("noise_size", noise_size)
    if steps.start is not None:
        law = _along_start(law, steps.start)
    noise_scale = wide(noise_size) ** 2 / law.dim
    others = _unlike_the_first(law, steps, bias)
    if others is None:
        return _chain(law, steps, bias, noise_scale)
    kept = np.concatenate([[0], others])
    few = Gaussian(law.mean[kept], law.spread if law.spread.ndim == 0 else law.spread[kept])
    if steps.start is not None:
        mean, spread = (each if each.ndim == 0 else each[kept] for each in (steps.start.mean, steps.start.spread))
        steps = replace(steps, start=Start(mean, spread))
    return AlikeChain(_chain(few, steps, bias[kept], noise_scale), law, others)


def _unlike_the_first(law: Gaussian, steps: Steps, bias: np.ndarray) -> np.ndarray | None:
    """The coordinates that are unlike the first in anything; None where they are too many for it to matter."""
    start = steps.start
    if law.dim < MANY or law.basis is not None or (start is not None and start.spread.ndim == 2):
        return None
    columns = [law.eigenvalues, law.mean, bias]
    if start is not None:
        columns += [start.mean_of(law.dim), start.variances_of(law.dim)]
    unlike = np.zeros(law.dim, dtype=bool)
    for column in columns:
        unlike |= column != column[0]
    return None if np.count_nonzero(unlike) > UNLIKE * law.dim else np.flatnonzero(unlike)


def _chain(law: Gaussian, steps: Steps, bias: np.ndarray, noise_scale) -> ChainLaw | TurnedChain:
    """`gaussian_chain` coordinate by coordinate, with fresh noise of a variance in each."""
    values = clustered(law)
    _refuse_point_mass(values, steps)
    distinct, place = np.unique(values, return_inverse=True)
    spectrum_error = law.residual(values)
    noise_var, noise_error = wide(steps.noise_var), np.zeros(len(steps))
    if steps.second is None and steps.past is None:
        noise_var = noise_var + wide(steps.Q) ** 2 * noise_scale
    if steps.errors is not None and steps.past is None:
        noise_error = steps.errors.noise_var
        if steps.second is None:
            noise_error = noise_error + 2 * np.abs(steps.Q) * steps.errors.Q * noise_scale
    found = (affine_tracks(distinct, spectrum_error, steps, noise_var, noise_error, noise_scale)
             if steps.past is None else multistep_tracks(distinct, spectrum_error, steps, noise_scale))
    tracks = found[..., place]
    (variance, _, variance_error), (drift, _, drift_error), (pull, _, pull_error) = tracks[:3]
    mean, push = _rotated(wide(law.mean), law.basis), _rotated(wide(bias), law.basis)
    rotation = 0.0 if law.basis is None else 4 * law.dim * _EPS
    mean_size = np.abs(mean) + rotation * law.mean_norm
    push_size = np.abs(push) + rotation * np.linalg.norm(bias)
    with np.errstate(all="ignore"):
        lag = drift * mean + pull * push
        lag_error = (drift_error * mean_size + pull_error * push_size
                     + np.abs(drift) * (mean_size - np.abs(mean)) + np.abs(pull) * (push_size - np.abs(push))
                     + 4 * WIDE_EPS * (np.abs(drift * mean) + np.abs(pull * push))
                     + (0.0 if steps.errors is None else steps.errors.a[-1]) * mean_size)
        if steps.start is not None:
            kept, _, kept_error = tracks[3]
            begun = _rotated(wide(steps.start.mean_of(law.dim)), law.basis)
            begun_error = rotation * np.linalg.norm(begun.astype(float))
            lag_error = (lag_error + kept_error * (np.abs(begun) + begun_error) + np.abs(kept) * begun_error
                         + 4 * WIDE_EPS * (np.abs(lag) + np.abs(kept * begun)))
            lag = lag + kept * begun
            given = _spread_along(law, steps)
            if given is None:
                return _turned(law, steps, lag, lag_error, variance, variance_error, kept, kept_error)
            first, first_error = given
            variance_error = (variance_error + np.square(kept) * first_error + kept_error
                              * (2 * np.abs(kept) + kept_error) * (first + first_error) + 4 * WIDE_EPS
                              * (variance + np.square(kept) * first))
            variance = variance + np.square(kept) * first
        final_mean = wide(law.mean) * steps.a[-1] + _unrotated(lag, law.basis)
        return ChainLaw(data=law, mean=final_mean.astype(float), variances=variance.astype(float),
                        mean_error=_SLACK * lag_error, variance_error=_SLACK * variance_error, lag=lag,
                        final_a=steps.a[-1], spectrum_error=spectrum_error, method=_method(steps),
                        estimated=steps.estimated, _wide_variances=variance)


def _along_start(law: Gaussian, start: Start) -> Gaussian:
    """An isotropic law in the axes of a start, any other as it is."""
    start.check(law.dim)
    if law.spread.ndim or start.spread.ndim < 2:
        return law
    return law.in_axes(np.linalg.eigh(start.spread.astype(float))[1])


def _spread_along(law: Gaussian, steps: Steps) -> tuple[np.ndarray, np.ndarray] | None:
    """The variances of the start along the axes of the law, and how far they may be off; None where they mix."""
    start, off = steps.start, 0.0 if steps.errors is None else steps.errors.prior_var
    if start.spread.ndim == 0 or (start.spread.ndim == 1 and law.basis is None):
        return np.broadcast_to(wide(start.spread), (law.dim,)), np.broadcast_to(float(np.max(off)), (law.dim,))
    turned = _covariance_along(law, start)
    size = float(np.abs(turned).max())
    across = turned - np.diag(np.diag(turned))
    least = 16 * law.dim * _EPS * size
    if np.abs(across).max(initial=0.0) > least:
        return None
    # what is off the diagonal moves eigenvalues by its norm at most
    return wide(np.maximum(np.diag(turned), 0.0)), np.full(law.dim, law.dim * least)


def _covariance_along(law: Gaussian, start: Start) -> np.ndarray:
    covariance = start.covariance_of(law.dim).astype(float)
    return covariance if law.basis is None else law.basis.T @ covariance @ law.basis


def _turned(law, steps, lag, lag_error, variance, variance_error, kept, kept_error) -> TurnedChain:
    """The law from a start that mixes the axes: D Σ' D and what the steps add, D what is left of every axis."""
    kept, lost = kept.astype(float), kept_error.astype(float) + _EPS * np.abs(kept.astype(float))
    covariance = _covariance_along(law, steps.start)
    basis = np.eye(law.dim) if law.basis is None else law.basis
    inner = kept[:, None] * covariance * kept + np.diag(variance.astype(float))
    if not (np.isfinite(inner).all() and np.isfinite(lag).all()):
        return TurnedChain(law, law, math.inf, f"{_method(steps)}, out of range", steps.estimated)
    size = np.abs(covariance)
    error = (lost[:, None] * size * (np.abs(kept) + lost) + np.abs(kept)[:, None] * size * lost
             + 16 * law.dim * _EPS * float(np.abs(inner).max()) + np.diag(variance_error.astype(float)))
    missed = float(np.linalg.norm(error))
    least = float(np.linalg.eigvalsh(inner)[0])
    # roots of matrices differ by the root of the trace norm of their difference at most (Powers and Størmer)
    roots = math.sqrt(math.sqrt(law.dim) * missed)
    if least > 2 * missed:
        roots = min(roots, missed / math.sqrt(least - missed))
    mean = (wide(law.mean) * steps.a[-1] + _unrotated(lag, law.basis)).astype(float)
    moved = float(np.linalg.norm(_SLACK * lag_error.astype(float))) + 4 * law.dim * _EPS * float(np.linalg.norm(mean))
    whole = basis @ inner @ basis.T
    return TurnedChain(Gaussian(mean, (whole + whole.T) / 2), law, roots + moved, f"{_method(steps)}, turned start",
                       steps.estimated)


def _method(steps: Steps) -> str:
    """What a bracket says of itself: proved, or which of the step's numbers is estimated."""
    return f"affine chain, estimated: {steps.estimated}" if steps.estimated else "affine chain"


def _checked_bias(dim: int, bias) -> np.ndarray:
    bias = np.zeros(dim) if bias is None else np.atleast_1d(np.asarray(bias, dtype=float))
    if bias.shape != (dim,) or not np.isfinite(bias).all():
        raise ValueError(f"bias must be a finite array of shape ({dim},), got {bias!r:.80}")
    return bias


def _refuse_point_mass(values: np.ndarray, steps: Steps) -> None:
    asked = [(steps.time[:-1], steps.a[:-1], steps.s_sq[:-1], steps.Q)]
    if steps.second is not None:
        asked.append((steps.second.time, steps.second.a, steps.second.s_sq, steps.second.Q))
    time, a, s_sq, Q = (np.concatenate(column) for column in zip(*asked, strict=True))
    singular = (a**2 * values.min() + s_sq <= 0.0) & (Q != 0.0)
    if singular.any():
        raise ValueError(
            f"the score at time {time[singular][0]} does not exist: the law there has variance 0 "
            f"along an axis (smallest eigenvalue of the covariance: {values.min()})"
        )


def _rotated(x: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return x if basis is None else basis.T.astype(WIDE) @ x


def _unrotated(x: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    return x if basis is None else basis.astype(WIDE) @ x
