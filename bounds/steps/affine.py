"""The sampler as numbers: every reverse step, shared by bound, exact law and sampler."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bounds.annotations import Array, Numbers
from bounds.start import PhaseStart, Start


@dataclass(frozen=True)
class StepErrors:
    """How far the numbers of `Steps` may be off, absolute and entry by entry: arrays of their shapes.

    ``estimated`` says which of them is not proved, or is empty.
    """

    P: Array
    Q: Array
    noise_var: Array
    a: Array
    s_sq: Array
    prior_var: Numbers = 0.0
    estimated: str = ""


@dataclass(frozen=True)
class SecondStage:
    r"""Where steps evaluate the score once more, at the point u that `Steps` leads to: arrays of shape (K,).

    .. math:: u = P_i y + Q_i s(\mathrm{time}_i, y), \qquad
              y \leftarrow \mathrm{keep}_i y + P'_i u + Q'_i s(\mathrm{time}'_i, u),

    where what is primed is here; ``a`` and ``s_sq`` are the forward law at ``time``.  Where Q is 0 the score
    is not asked for.  ``share`` is as in `Steps`.
    """

    time: np.ndarray
    keep: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    a: np.ndarray
    s_sq: np.ndarray
    errors: SecondErrors | None = None
    share: np.ndarray | None = None


@dataclass(frozen=True)
class SecondErrors:
    """How far the numbers of `SecondStage` may be off, absolute and entry by entry: arrays of shape (K,)."""

    keep: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    a: np.ndarray
    s_sq: np.ndarray


@dataclass(frozen=True)
class Past:
    r"""Where steps use what the step before saw: arrays of shape (K,).

    .. math:: u_i = P_i y + Q_i s(\mathrm{time}_i, y), \qquad
              y \leftarrow \mathrm{keep}_i y + \mathrm{now}_i u_i + \mathrm{before}_i u_{i-1};

    ``before`` is 0 in the first step.
    """

    keep: np.ndarray
    now: np.ndarray
    before: np.ndarray
    errors: PastErrors | None = None


@dataclass(frozen=True)
class PastErrors:
    """How far the numbers of `Past` may be off, absolute and entry by entry: arrays of shape (K,)."""

    keep: np.ndarray
    now: np.ndarray
    before: np.ndarray


@dataclass(frozen=True)
class Steps:
    r"""Coefficients of ``K`` reverse steps that are affine in the score, on k = 1 or 2 blocks.

    Step ``i`` goes from forward time ``time[i]`` down to ``time[i+1]``:

    .. math:: y \leftarrow P_i y + Q_i s(\mathrm{time}_i, y) + N(0, \mathrm{noise\_var}_i \otimes I).

    For k = 2 times are clock times ∫β and a step is a row: a splitting has its kicks inside the grid's steps,
    and its rows are the maps between them, the first half flow and the last being rows of their own.

    Parameters
    ----------
    time : array of shape (K+1,)
        Strictly decreasing forward times; ``time[0]`` is the horizon.
    P, Q, noise_var : arrays of shape (K,), or (K, 2, 2) for k = 2
        Linear coefficient, score coefficient and noise variance of each step; a 2×2 matrix acts as (2×2) ⊗
        I_d.
    a : array of shape (K+1,), or (K+1, 2) for k = 2
    s_sq : array of shape (K+1,), or (K+1, 2, 2) for k = 2
        Forward law at ``time[i]``: :math:`X_t = a X_0 + N(0, s^2 I)`; for k = 2 a is φ and s² is S,
        :math:`U_t = \varphi X_0 + N(0, S \otimes I)`.
    prior_var : float, or array of shape (2, 2) for k = 2
        The sampler starts from N(0, prior_var ⊗ I), unless there is a ``start``.
    errors : StepErrors, optional
        Without them the numbers are taken as they are.
    second : SecondStage, optional
        Of samplers that evaluate the score twice a step: P and Q then lead to the inner point.
    past : Past, optional
        Of samplers that use what the step before saw: P and Q then lead to what a step sees.
    share : array of shape (K,), optional
        What part of the score's constant error each evaluation has, for k = 1: all of it by default.
    from_mean : bool
        Whether the sampler starts from N(a_0 E X_0, prior_var I), for k = 1, and not from mean 0.
    start : Start or PhaseStart, optional
        The Gaussian that the sampler starts from: for k = 1 where it is not isotropic, for k = 2 where it is not centred.
    """

    time: Array
    P: Array
    Q: Array
    noise_var: Array
    a: Array
    s_sq: Array
    prior_var: Numbers
    errors: StepErrors | None = None
    second: SecondStage | None = None
    past: Past | None = None
    share: Array | None = None
    from_mean: bool = False
    start: Start | PhaseStart | None = None

    def __len__(self) -> int:
        return len(self.P)

    @property
    def estimated(self) -> str:
        """Which of the numbers' errors is not proved, or empty."""
        return self.errors.estimated if self.errors is not None else ""

    def begun(self, mean: Array) -> Start | PhaseStart:
        """The Gaussian that these steps start from, for data with that mean (d,): isotropic or not, centred or not."""
        if self.start is not None:
            return self.start
        if self.blocks == 2:
            return PhaseStart(np.zeros(()), np.asarray(self.prior_var))
        middle = float(self.a[0]) * np.asarray(mean, dtype=float) if self.from_mean else np.zeros(len(mean))
        return Start(middle, np.asarray(float(self.prior_var)))

    def rounded(self) -> Steps:
        """The same numbers as floats, without errors: for laws that are estimated anyway."""
        numbers = {name: np.asarray(getattr(self, name), dtype=float)
                   for name in ("P", "Q", "noise_var", "a", "s_sq")}
        prior = np.asarray(self.prior_var, dtype=float)
        second = self.second and SecondStage(
            self.second.time, *(np.asarray(getattr(self.second, name), dtype=float)
                                for name in ("keep", "P", "Q", "a", "s_sq")), share=self.second.share)
        past = self.past and Past(*(np.asarray(getattr(self.past, name), dtype=float)
                                    for name in ("keep", "now", "before")))
        return replace(self, **numbers, prior_var=prior if prior.ndim else float(prior),
                       errors=None, second=second, past=past)

    @property
    def inner(self) -> Steps:
        """The second evaluations as steps of their own, u ↦ P′u + Q′s(u), for what moves particles."""
        second = self.second
        return replace(self, time=second.time, P=second.P, Q=second.Q, a=second.a, s_sq=second.s_sq,
                       errors=None, second=None, share=second.share)

    def part(self, i: int) -> float:
        """The part of the score's constant error that evaluation ``i`` has."""
        return 1.0 if self.share is None else float(self.share[i])

    @property
    def blocks(self) -> int:
        """k: 1, or 2 for position and velocity."""
        return self.a.ndim
