r"""The exact position law of a phase-space sampler for Gaussian data, where every row is an affine map.

The chain is run in floats.  Then its states are put into the rows in extended precision: what a row makes of
one state less the next, times what a unit there is worth in the last position, is added to the last position,
and the rounding of these differences is its error.  So errors neither add up over a horizon that forgets
them, nor are they followed through the arithmetic of the first run.
"""

from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.laws.gaussian import Gaussian
from closed_form.sampler_laws.extended_precision import clustered, eigenvalue_error, norm_bracket, root_gap
from closed_form.within import TINY, WIDE, Within

#: Rows times variances held at once, and those that are worked on in extended precision at once.
BLOCK, AT_ONCE = 1 << 20, 1 << 12
#: Rounding of floats, twice.
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class PhaseChain:
    """The last position for data N(m, diag v), along one eigendirection of variance v each.

    Attributes
    ----------
    lag : Within, of shape (n,)
        Mean of the position less the data's mean, for a data mean of 1.
    push : Within, of shape (n,)
        Mean of the position for a constant error 1 of the velocity's score.
    variance : Within, of shape (n,)
        Variance of the position.
    covariance : array of shape (n, 2, 2)
        Of position and velocity at the last time, in floats.
    """

    lag: Within
    push: Within
    variance: Within
    covariance: np.ndarray


def phase_chain(variances, steps: Steps, score_noise_var=0.0, doubt: float = 0.0) -> PhaseChain:
    r"""Follow data of variances v through the sampler: score :math:`-V^{-1}(y - \varphi m)`, V = S + vφφᵀ.

    The mean is φm plus a lag e: :math:`e \leftarrow Je + (P\varphi - \varphi')m`, :math:`J = P - QV^{-1}`.

    Parameters
    ----------
    variances : array of shape (n,)
        Positive eigenvalues of the data covariance, each known up to ``doubt``.
    steps : Steps
    score_noise_var : Within or float
        Variance of fresh noise in the velocity's score.
    doubt : float

    Returns
    -------
    PhaseChain

    References
    ----------
    docs/theory.md section 8 (i).
    """
    variances = np.asarray(variances, dtype=float)
    size = max(1, BLOCK // max(len(steps), 1))
    rows = _Rows(steps, Within.of(score_noise_var))
    with np.errstate(all="ignore"):
        parts = [_chain(Within(variances[i : i + size], doubt), rows) for i in range(0, len(variances), size)]
    names = ("lag", "push", "variance")
    return PhaseChain(*(Within.concatenate([getattr(part, name) for part in parts]) for name in names),
                      np.concatenate([part.covariance for part in parts]))


class _Rows:
    """The rows as numbers with their errors, and what they add to the mean and the covariance."""

    def __init__(self, steps: Steps, score_noise_var: Within):
        errors = steps.errors
        P, Q, self.noise, phi, S, self.prior = (
            Within(getattr(steps, name), 0.0 if errors is None else getattr(errors, name))
            for name in ("P", "Q", "noise_var", "a", "s_sq", "prior_var"))
        self.count, self.phi = len(steps), phi
        lag = P @ phi[:-1, :, None] - phi[1:, :, None]
        pushed = Q[:, :, 1:]
        #: Columns: to the lag, and from an error 1 of the velocity's score to the push.
        self.sources = _joined(np.concatenate, [lag, pushed], -1)
        if score_noise_var.value > 0:
            self.noise = self.noise + score_noise_var * (pushed @ pushed.swapaxes(1, 2))
        # entries first: xx, xv, vv
        here = phi[:-1]
        self._outer = _joined(np.stack, [here[:, i] * here[:, j] for i, j in ((0, 0), (0, 1), (1, 1))])
        self._S = _joined(np.stack, [S[:-1, i, j] for i, j in ((0, 0), (0, 1), (1, 1))])
        across = self._outer * self._S[::-1]
        self._det_S = self._S[0] * self._S[2] - self._S[1] * self._S[1]
        self._seen = across[0] - 2 * across[1] + across[2]
        self._P, self._Q = (Within(np.moveaxis(x.value, 0, -1), np.moveaxis(x.error, 0, -1)) for x in (P, Q))

    def maps(self, data: Within, rows: slice) -> Within:
        """J = P − QV⁻¹, of shape (k, n, 2, 2)."""
        V = self._S[:, rows, None] + data * self._outer[:, rows, None]
        # det V = det S + v φᵀ adj(S) φ: the data's variance may be far smaller than S, or larger
        inverse = 1 / (self._det_S[rows, None] + data * self._seen[rows, None])
        inverse = V[::-1] * inverse
        P, Q = self._P[:, :, rows, None], self._Q[:, :, rows, None]
        columns = [P[:, 0] - (Q[:, 0] * inverse[0] - Q[:, 1] * inverse[1]),
                   P[:, 1] - (Q[:, 1] * inverse[2] - Q[:, 0] * inverse[1])]
        found = _joined(np.stack, columns, -1)
        return Within(np.moveaxis(found.value, 0, -2), np.moveaxis(found.error, 0, -2))


def _joined(join, parts, axis: int = 0) -> Within:
    """Numbers joined along an axis, old or new."""
    return Within(*(join([getattr(part, name) for part in parts], axis=axis) for name in ("value", "error")))


def _chain(data: Within, rows: _Rows) -> PhaseChain:
    n, count = len(data), rows.count
    length = max(1, AT_ONCE // n)
    slices = [slice(i, min(i + length, count)) for i in range(0, count, length)]
    maps = [rows.maps(data, part) for part in slices]
    plain = np.concatenate([part.value.astype(float) for part in maps])
    sources, noise = (x[:, None] for x in (rows.sources, rows.noise))
    start = -rows.phi[0]
    begin = np.zeros((n, 2, 2))
    begin[..., 0] = start.value
    means, spreads = _states(plain, np.broadcast_to(sources.value.astype(float), plain.shape),
                             np.broadcast_to(noise.value.astype(float), plain.shape),
                             begin, np.broadcast_to(rows.prior.value.astype(float), (n, 2, 2)))
    worth, worth_error = _worth(plain, np.concatenate([part.error for part in maps]), spreads)
    # where the states begin, in extended precision
    off = start[:, None] - begin[:, :, :1]
    found = [_weighed(Within(worth[0], worth_error[0]), off, rows.prior - spreads[0])]
    for part, J in zip(slices, maps, strict=True):
        after = slice(part.start + 1, part.stop + 1)
        off = J @ means[part] + sources[part] - means[after]
        spread = J @ spreads[part] @ J.swapaxes(-1, -2) + noise[part] - spreads[after]
        shifted, spread = _weighed(Within(worth[after], worth_error[after]), off, spread)
        found.append((shifted.sum(0), spread.sum(0)))
    shifts, spread = found[0]
    lag, push = shifts[:, 0] + means[-1, :, 0, 0], Within(means[-1, :, 0, 1])
    variance = spread + spreads[-1, :, 0, 0]
    for shifts, spread in found[1:]:
        lag, push, variance = lag + shifts[:, 0], push + shifts[:, 1], variance + spread
    return PhaseChain(lag + (rows.phi[-1, 0] - 1), push, variance, spreads[-1])


def _weighed(worth: Within, off: Within, spread: Within):
    """w·off and w spread wᵀ, for rows w = (…, 1, 2)."""
    turned = worth @ spread
    return (worth @ off)[..., 0, :], (turned @ worth.swapaxes(-1, -2))[..., 0, 0]


def _worth(maps: np.ndarray, doubt: np.ndarray, spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a unit of each state is worth in the last position, and how far that is off: (k+1, n, 1, 2).

    Errors of it are followed in axes that turn with it, in units of the states' deviations: there the rows
    are triangular, and their absolute values make little more of an error than they do.
    """
    first = np.zeros((maps.shape[1], 2, 1))
    first[:, 0] = 1
    found = _states(maps[::-1].swapaxes(-1, -2), None, None, first, None)[0]
    worth = found[::-1].swapaxes(-1, -2)
    lost = doubt + 4 * _EPS * np.abs(maps)
    off = np.abs(worth[:-1] - worth[1:] @ maps) + 2 * _EPS * np.abs(worth[:-1]) + np.abs(worth[1:]) @ lost
    units = np.sqrt(spreads[..., (0, 1), (0, 1)])
    units = np.where((units > 0) & np.isfinite(units), units, 1.0)[..., None, :]
    axes = _turning(worth * units)
    back, size = axes.swapaxes(-1, -2), np.abs(axes)
    before, after = units[:-1], units[1:].swapaxes(-1, -2)
    lost = (lost + 12 * _EPS * np.abs(maps)) * before / after
    rows = np.abs(axes[1:] @ (maps * before / after) @ back[:-1])
    rows = (rows + size[1:] @ lost @ np.abs(back[:-1]))[::-1].swapaxes(-1, -2)
    off = ((off * before) @ np.abs(back[:-1]))[::-1].swapaxes(-1, -2)
    error = _states(rows, off, None, np.zeros_like(first), None)[0]
    error = error[::-1].swapaxes(-1, -2) @ size / units
    return worth, error * (1 + 32 * (len(maps) + 1) * _EPS) + TINY


def _turning(along: np.ndarray) -> np.ndarray:
    """Orthonormal axes, the first along these: (…, 1, 2) to (…, 2, 2)."""
    axis = along / np.hypot(along[..., :1], along[..., 1:])
    axis = np.where(np.isfinite(axis).all(axis=-1, keepdims=True), axis, [1.0, 0.0])
    return np.concatenate([axis, axis[..., ::-1] * [-1.0, 1.0]], axis=-2)


def _states(maps, sources, noise, state, spread) -> tuple[np.ndarray, np.ndarray | None]:
    """States of x ← Jx + s and of C ← JCJᵀ + N, without s where it is None, the start included.

    Neighbours are composed: log₂ k levels.
    """
    k = len(maps)
    states = np.empty((k + 1, *state.shape), dtype=float)
    spreads = None if noise is None else np.empty((k + 1, *spread.shape), dtype=float)

    def advance(before, after, J, at):
        states[after] = J @ states[before]
        if sources is not None:
            states[after] += sources[at]
        if noise is not None:
            spreads[after] = J @ spreads[before] @ J.swapaxes(-1, -2) + noise[at]

    states[0] = state
    if noise is not None:
        spreads[0] = spread
    if k <= 8:
        for i in range(k):
            advance(i, i + 1, maps[i], i)
        return states, spreads
    even = k - k % 2
    first, second = slice(0, even, 2), slice(1, even, 2)
    J = maps[second]
    composed = (None if given is None else given[second] + pulled for given, pulled in (
        (sources, None if sources is None else J @ sources[first]),
        (noise, None if noise is None else J @ noise[first] @ J.swapaxes(-1, -2))))
    found = _states(J @ maps[first], *composed, state, spread)
    states[: even + 1 : 2] = found[0]
    if noise is not None:
        spreads[: even + 1 : 2] = found[1]
    advance(slice(0, even, 2), second, maps[first], first)
    if k > even:
        advance(even, k, maps[even], even)
    return states, spreads


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
    values, (mean, bias) = clustered(law), (np.broadcast_to(x, (law.dim,)) for x in (law.mean, bias))
    doubt, turned = eigenvalue_error(law, values), 0.0
    if law.basis is not None:  # the axes are known to rounding
        turned, basis = 4 * law.dim * np.finfo(float).eps, law.basis.T.astype(WIDE)
        mean, bias = (Within(basis @ x, turned * np.linalg.norm(x)) for x in (mean, bias))
    distinct, place = np.unique(values, return_inverse=True)
    with np.errstate(all="ignore"):
        chain = phase_chain(distinct, steps, Within(score_noise) * score_noise / law.dim, doubt)
        gap, variance = mean * chain.lag[place] + bias * chain.push[place], chain.variance[place]
        apart, slack = root_gap(variance.value, variance.error, values.astype(WIDE), doubt)
        return norm_bracket(np.concatenate([gap.value, apart]), np.concatenate([gap.error, slack]),
                            _method(steps))


def _method(steps: Steps) -> str:
    """What a bracket says of itself: proved, or which of the rows' numbers is estimated."""
    name = "phase-space chain of a Gaussian"
    return f"{name}, estimated: {steps.errors.estimated}" if steps.errors and steps.errors.estimated else name
