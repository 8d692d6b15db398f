r"""The exact position law of a phase-space sampler for Gaussian data, where every row is an affine map."""

from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.laws.gaussian import Gaussian

#: Relative rounding of a row's map as it is computed here, entry by entry.
ROUNDING = 64 * np.finfo(float).eps
#: Rows times variances held at once.
BLOCK = 1 << 20


@dataclass(frozen=True)
class PhaseChain:
    """The last position for data N(m, diag v), along one eigendirection of variance v each.

    Attributes
    ----------
    gain : array of shape (n,)
        Mean of the position for a data mean of 1.
    push : array of shape (n,)
        Mean of the position for a constant error 1 of the velocity's score.
    variance : array of shape (n,)
        Variance of the position, prior and noise together.
    noise_push : array of shape (n,)
        What fresh noise of variance 1 in the velocity's score adds to it.
    covariance : array of shape (n, 2, 2)
        Of position and velocity at the last time.
    error, push_error, mean_error : arrays of shape (n,)
        L2 size of the rounding: of the centred position, and per unit of score error and of data mean.
    """

    gain: np.ndarray
    push: np.ndarray
    variance: np.ndarray
    noise_push: np.ndarray
    covariance: np.ndarray
    error: np.ndarray
    push_error: np.ndarray
    mean_error: np.ndarray


def phase_chain(variances, steps: Steps) -> PhaseChain:
    r"""Follow data of variances v through the sampler: score :math:`-V^{-1}(y - \varphi m)`, V = S + vφφᵀ.

    Parameters
    ----------
    variances : array of shape (n,)
        Positive eigenvalues of the data covariance.
    steps : Steps

    Returns
    -------
    PhaseChain

    References
    ----------
    docs/theory.md section 8 (i).
    """
    variances = np.asarray(variances, dtype=float)
    size = max(1, BLOCK // max(len(steps), 1))
    parts = [_chain(variances[i : i + size], steps) for i in range(0, len(variances), size)]
    names = PhaseChain.__dataclass_fields__
    return PhaseChain(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _chain(variances, steps: Steps) -> PhaseChain:
    phi, S = steps.a[:-1], steps.s_sq[:-1]
    V = S[:, None] + variances[:, None, None] * (phi[:, :, None] * phi[:, None, :])[:, None]
    determinant = V[..., 0, 0] * V[..., 1, 1] - np.square(V[..., 0, 1])
    inverse = np.empty_like(V)
    inverse[..., 0, 0], inverse[..., 1, 1] = V[..., 1, 1] / determinant, V[..., 0, 0] / determinant
    inverse[..., 0, 1] = inverse[..., 1, 0] = -V[..., 0, 1] / determinant
    maps = steps.P[:, None] - steps.Q[:, None] @ inverse
    sizes = np.abs(steps.P)[:, None] + np.abs(steps.Q)[:, None] @ np.abs(inverse)
    pull = (steps.Q[:, None] @ inverse @ phi[:, None, :, None])[..., 0]
    pushed = steps.Q[:, :, 1][:, None]
    # forwards: mean per unit of data mean and of score error, covariance
    k, n = maps.shape[:2]
    state = np.zeros((n, 2, 2))
    covariance = np.broadcast_to(steps.prior_var, (n, 2, 2)).copy()
    means, spreads = np.empty((k, n, 2, 2)), np.empty((k, n, 2))
    for i in range(k):
        means[i], spreads[i] = state, np.sqrt(covariance[:, (0, 1), (0, 1)])
        state = maps[i] @ state
        state[:, :, 0] += pull[i]
        state[:, :, 1] += pushed[i]
        covariance = maps[i] @ covariance @ np.swapaxes(maps[i], 1, 2) + steps.noise_var[i]
    # backwards: what a unit at row i is worth in the last position
    worth = np.empty((k, n, 2))
    row = np.zeros((n, 1, 2))
    row[..., 0] = 1.0
    for i in range(k - 1, -1, -1):
        worth[i] = row[:, 0]
        row = row @ maps[i]
    noise_push = np.sum(np.square(np.sum(worth * pushed, axis=-1)), axis=0)
    moved = np.einsum("knij,knjm->knim", sizes, np.abs(means))
    moved[..., 0] += np.abs(pull)
    moved[..., 1] += np.abs(pushed)
    weight = np.abs(worth)
    lost = np.einsum("kni,knim->nm", weight, moved) * ROUNDING
    spread = np.einsum("kni,knij,knj->n", weight, sizes, spreads) * ROUNDING
    spread += ROUNDING * np.einsum("kni,ki->n", weight,
                                   np.sqrt(np.abs(np.diagonal(steps.noise_var, axis1=1, axis2=2))))
    spread += ROUNDING * (np.abs(row[:, 0]) @ np.sqrt(np.diagonal(steps.prior_var)))
    return PhaseChain(state[:, 0, 0], state[:, 0, 1], covariance[:, 0, 0], noise_push, covariance, spread,
                      lost[:, 1], lost[:, 0])


def phase_gaussian_w2(law: Gaussian, steps: Steps, bias, score_noise: float) -> Bracket:
    r"""W2 between the last position and the data:
    :math:`(|m' - m|^2 + \sum_i(\sqrt{v'_i} - \sqrt{v_i})^2)^{1/2}`.

    Parameters
    ----------
    law : Gaussian
    steps : Steps
    bias : array of shape (d,)
        Constant error of the velocity's score.
    score_noise : float
        L2 size of fresh Gaussian noise in the velocity's score.

    Returns
    -------
    Bracket
    """
    eigenvalues = np.broadcast_to(law.eigenvalues, (law.dim,))
    basis = np.eye(law.dim) if law.basis is None else law.basis
    mean, bias = (np.broadcast_to(basis.T @ np.broadcast_to(vector, (law.dim,)), (law.dim,))
                  for vector in (law.mean, bias))
    distinct, inverse = np.unique(eigenvalues, return_inverse=True)
    with np.errstate(over="ignore", invalid="ignore"):
        chain = phase_chain(distinct, steps)
        gap = mean * (chain.gain - 1)[inverse] + bias * chain.push[inverse]
        std = np.sqrt(chain.variance + chain.noise_push * score_noise**2 / law.dim)
        apart = (std - np.sqrt(distinct))[inverse]
        error = (chain.error[inverse] + np.abs(mean) * chain.mean_error[inverse]
                 + np.abs(bias) * chain.push_error[inverse])
        error = error + ROUNDING * (std[inverse] + np.sqrt(eigenvalues) + np.abs(mean))
        if law.basis is not None:  # the eigenbasis is known to rounding
            error = error + ROUNDING * law.dim * np.sqrt(eigenvalues.max())
        value, spread = float(np.sqrt(np.sum(gap**2) + np.sum(apart**2))), 1.01 * float(np.linalg.norm(error))
    if not np.isfinite(value + spread):
        return Bracket(0.0, np.inf, "phase-space chain, out of range")
    return Bracket(max(value - spread, 0.0), value + spread, "phase-space chain of a Gaussian")
