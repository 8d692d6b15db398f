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
from closed_form.sampler_laws.extended_precision import clustered, norm_bracket, root_gap
from closed_form.within import EPS, TINY, UP, WIDE, Within

#: Rows times variances held at once, and those that are worked on in extended precision at once.
BLOCK, AT_ONCE = 1 << 20, 1 << 12
#: Rounding of floats, twice.
_EPS = float(np.finfo(float).eps)
_ENTRIES = (0, 0), (0, 1), (1, 1)


@dataclass(frozen=True)
class PhaseChain:
    """The last position for data N(m, diag v), along one eigendirection of variance v each.

    Attributes
    ----------
    lag : Within, of shape (n,)
        Mean of the position less the data's mean, for a data mean of 1.
    push : Within, of shape (n,)
        Mean of the position for a constant error 1 of the velocity's score.
    kept : Within, of shape (2, n)
        Mean of the position for a start at position 1, and at velocity 1; none (0, n) where the start is centred.
    variance : Within, of shape (n,)
        Variance of the position.
    covariance : array of shape (n, 2, 2)
        Of position and velocity at the last time, in floats.
    """

    lag: Within
    push: Within
    kept: Within
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
    names = ("lag", "push", "kept", "variance")
    return PhaseChain(*(_joined(np.concatenate, [getattr(part, name) for part in parts], -1) for name in names),
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
        if score_noise_var.value > 0:
            self.noise = self.noise + score_noise_var * (pushed @ pushed.swapaxes(1, 2))
        #: Columns: to the lag, and from an error 1 of the velocity's score to the push; and none to what is kept of a
        #: start at position 1, and at velocity 1.
        none = [Within(np.zeros_like(P.value))] if steps.start is not None else []
        self.sources = _joined(np.concatenate, [lag, pushed, *none], -1)
        self.sources, self.noise, self._P, self._Q = (
            Within(*(np.moveaxis(part, 0, -1)[..., None] for part in (x.value, x.error)))
            for x in (self.sources, self.noise, P, Q))
        here = phi[:-1, None]
        # entries first: xx, xv, vv
        self._outer = _joined(np.stack, [here[..., i] * here[..., j] for i, j in _ENTRIES])
        self._S = _joined(np.stack, [S[:-1, i, j][:, None] for i, j in _ENTRIES])
        across = self._outer * self._S[::-1]
        self._det_S = self._S[0] * self._S[2] - self._S[1] * self._S[1]
        self._seen = across[0] - 2 * across[1] + across[2]

    def maps(self, data: Within, rows: slice) -> Within:
        """J = P − QV⁻¹, of shape (2, 2, k, n)."""
        V = self._S[:, rows] + data * self._outer[:, rows]
        # det V = det S + v φᵀ adj(S) φ: the data's variance may be far smaller than S, or larger
        inverse = V[::-1] * (1 / (self._det_S[rows] + data * self._seen[rows]))
        P, Q = self._P[:, :, rows], self._Q[:, :, rows]
        return _joined(np.stack, [P[:, 0] - (Q[:, 0] * inverse[0] - Q[:, 1] * inverse[1]),
                                  P[:, 1] - (Q[:, 1] * inverse[2] - Q[:, 0] * inverse[1])], 1)


def _joined(join, parts, axis: int = 0) -> Within:
    """Numbers joined along an axis, old or new."""
    return Within(*(join([getattr(part, name) for part in parts], axis=axis) for name in ("value", "error")))


def _times(x, y):
    """Products of matrices whose rows and columns are the first two axes."""
    return x[:, :1] * y[:1] + x[:, 1:] * y[1:]


def _product(x: Within, y: Within) -> Within:
    """The same with errors."""
    size = np.abs(y.value.astype(float))
    error = _times(np.abs(x.value.astype(float)), y.error + 2 * EPS * size) + _times(x.error, size + y.error)
    return Within(_times(x.value, y.value), error * UP + TINY)


def _chain(data: Within, rows: _Rows) -> PhaseChain:
    n, count = len(data), rows.count
    length = max(1, AT_ONCE // n)
    slices = [slice(i, min(i + length, count)) for i in range(0, count, length)]
    maps = [rows.maps(data, part) for part in slices]
    plain = np.concatenate([part.value.astype(float) for part in maps], axis=2)
    start, spread = -rows.phi[0][:, None], np.empty((2, 2, n))
    begin = np.zeros((2, rows.sources.shape[1], n))
    begin[:, 0], spread[:] = start.value, rows.prior.value[..., None]
    begin[:, 2:] = np.eye(2)[:, : begin.shape[1] - 2, None]
    given = (x.value.astype(float) for x in (rows.sources, rows.noise))
    means, spreads = _states(plain, *given, begin, spread)
    worth, doubt = _worth(plain, [part.error for part in maps], spreads, slices)
    # where the states begin, in extended precision
    off = (start - begin[:, 0])[:, None]
    found = [_weighed(worth[:, :, 0], doubt[:, :, 0], off, rows.prior[..., None] - spread)]
    for part, J in zip(slices, maps, strict=True):
        after = slice(part.start + 1, part.stop + 1)
        off = _product(J, Within(means[:, :, part])) + rows.sources[:, :, part] - means[:, :, after]
        spread = _product(_product(J, Within(spreads[:, :, part])), J.swapaxes(0, 1))
        spread = spread + rows.noise[:, :, part] - spreads[:, :, after]
        shifts, spread = _weighed(worth[:, :, after], doubt[:, :, after], off, spread)
        found.append((shifts.sum(-2), spread.sum(-2)))
    shifts, spread = found[0]
    lag, others = shifts[0] + means[0, 0, -1], Within(means[0, 1:, -1])
    variance = spread + spreads[0, 0, -1]
    for shifts, spread in found[1:]:
        lag, others, variance = lag + shifts[0], others + shifts[1:], variance + spread
    return PhaseChain(lag + (rows.phi[-1, 0] - 1), others[0], others[1:], variance,
                      np.moveaxis(spreads[:, :, -1], -1, 0))


def _weighed(worth, doubt, off: Within, spread: Within) -> tuple[Within, Within]:
    """w·off and w spread wᵀ for rows w: floats do, as the differences are no larger than a rounding."""
    shift, error, _ = _weighed_once(worth, doubt, off)
    moved, lost, most = _weighed_once(worth, doubt, spread)
    side, beside = (x.swapaxes(0, 1) for x in (np.abs(worth), doubt))
    lost = _times(lost, side + beside) + _times(most, beside + 8 * _EPS * side)
    moved = _times(moved, worth.swapaxes(0, 1))
    return Within(shift[0], error[0] * UP + TINY), Within(moved[0, 0], lost[0, 0] * UP + TINY)


def _weighed_once(worth, doubt, given: Within):
    """w·given in floats, how far it is off, and its largest size."""
    value = given.value.astype(float)
    size, known = np.abs(worth) + doubt, np.abs(value)
    error = _times(size, given.error + 8 * _EPS * known) + _times(doubt, known)
    return _times(worth, value), error, _times(size, known)


def _worth(maps: np.ndarray, doubts: list, spreads: np.ndarray, slices: list) -> tuple[np.ndarray, ...]:
    """What a unit of each state is worth in the last position, and how far that is off: (1, 2, k+1, n).

    Errors of it are followed in axes that turn with it, in units of the states' deviations: there the rows
    are triangular, and their absolute values make little more of an error than they do.
    """
    first = np.zeros((2, 1, maps.shape[-1]))
    first[0] = 1
    found = _states(maps[:, :, ::-1].swapaxes(0, 1), None, None, first, None)[0]
    worth = found[:, :, ::-1].swapaxes(0, 1)
    units = np.sqrt(np.stack([spreads[0, 0], spreads[1, 1]]))[None]
    units = np.where((units > 0) & np.isfinite(units), units, 1.0)
    axes = _turning(worth * units)
    rows, off = np.empty_like(maps), np.empty((1, 2, *maps.shape[2:]))
    for part, doubt in zip(slices, doubts, strict=True):
        after = slice(part.start + 1, part.stop + 1)
        J, here, there = maps[:, :, part], worth[:, :, part], worth[:, :, after]
        size, back = np.abs(J), axes[:, :, part].swapaxes(0, 1)
        lost = doubt + 4 * _EPS * size
        missed = np.abs(here - _times(there, J)) + 2 * _EPS * np.abs(here) + _times(np.abs(there), lost)
        scale = units[:, :, part] / units[:, :, after].swapaxes(0, 1)
        lost = _times(np.abs(axes[:, :, after]), (lost + 12 * _EPS * size) * scale)
        turned = np.abs(_times(_times(axes[:, :, after], J * scale), back))
        rows[:, :, part] = turned + _times(lost, np.abs(back))
        off[:, :, part] = _times(missed * units[:, :, part], np.abs(back))
    rows, off = (x[:, :, ::-1].swapaxes(0, 1) for x in (rows, off))
    error = _states(rows, off, None, np.zeros_like(first), None)
    error = _times(error[0][:, :, ::-1].swapaxes(0, 1), np.abs(axes)) / units
    return worth, error * (1 + 32 * (maps.shape[2] + 1) * _EPS) + TINY


def _turning(along: np.ndarray) -> np.ndarray:
    """Orthonormal axes, the first along these: (1, 2, …) to (2, 2, …)."""
    axis = along / np.hypot(along[:, :1], along[:, 1:])
    usable = np.isfinite(axis).all(axis=1, keepdims=True)
    x, v = (np.where(usable[:, 0], axis[:, i], 1.0 - i) for i in (0, 1))
    return np.stack([np.concatenate([x, v]), np.concatenate([-v, x])])


def _states(maps, sources, noise, state, spread) -> tuple[np.ndarray, np.ndarray | None]:
    """States of x ← Jx + s and of C ← JCJᵀ + N, without s or N where it is None, the start included.

    Rows and columns are the first axes, the steps the third.  Neighbours are composed: log₂ k levels.
    """
    k = maps.shape[2]
    states = np.empty((*state.shape[:2], k + 1, state.shape[2]))
    spreads = None if noise is None else np.empty((2, 2, k + 1, state.shape[2]))

    def advance(before, after, J, at):
        moved = _times(J, states[:, :, before])
        states[:, :, after] = moved if sources is None else moved + sources[:, :, at]
        if noise is not None:
            spreads[:, :, after] = _congruent(J, spreads[:, :, before]) + noise[:, :, at]

    states[:, :, 0] = state
    if noise is not None:
        spreads[:, :, 0] = spread
    if k <= 8:
        for i in range(k):
            advance(i, i + 1, maps[:, :, i], i)
        return states, spreads
    even = k - k % 2
    first, second = slice(0, even, 2), slice(1, even, 2)
    J = maps[:, :, second]
    composed = (None if sources is None else sources[:, :, second] + _times(J, sources[:, :, first]),
                None if noise is None else noise[:, :, second] + _congruent(J, noise[:, :, first]))
    found = _states(_times(J, maps[:, :, first]), *composed, state, spread)
    states[:, :, : even + 1 : 2] = found[0]
    if noise is not None:
        spreads[:, :, : even + 1 : 2] = found[1]
    advance(first, second, maps[:, :, first], first)
    if k > even:
        advance(even, k, maps[:, :, even], even)
    return states, spreads


def _congruent(x, y):
    """xyxᵀ."""
    return _times(_times(x, y), x.swapaxes(0, 1))


def phase_gaussian_w2(law: Gaussian, steps: Steps, bias, score_noise: float) -> Bracket:
    r"""W2 between the last position and the data:
    :math:`(|m' - m|^2 + \sum_i(\sqrt{v'_i} - \sqrt{v_i})^2)^{1/2}`; a mean of the start is a part of m'.

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
    begun = () if steps.start is None else steps.start.mean_of(law.dim)
    values, (mean, bias, *begun) = clustered(law), (np.broadcast_to(x, (law.dim,)) for x in (law.mean, bias, *begun))
    doubt, turned = law.residual(values), 0.0
    if law.basis is not None:  # the axes are known to rounding
        turned, basis = 4 * law.dim * np.finfo(float).eps, law.basis.T.astype(WIDE)
        mean, bias, *begun = (Within(basis @ x, turned * np.linalg.norm(x)) for x in (mean, bias, *begun))
    distinct, place = np.unique(values, return_inverse=True)
    with np.errstate(all="ignore"):
        chain = phase_chain(distinct, steps, Within(score_noise) * score_noise / law.dim, doubt)
        gap, variance = mean * chain.lag[place] + bias * chain.push[place], chain.variance[place]
        for part, kept in zip(begun, chain.kept, strict=True):
            gap = gap + part * kept[place]
        apart, slack = root_gap(variance.value, variance.error, values.astype(WIDE), doubt)
        return norm_bracket(np.concatenate([gap.value, apart]), np.concatenate([gap.error, slack]),
                            _method(steps), steps.estimated)


def _method(steps: Steps) -> str:
    """What a bracket says of itself: proved, or which of the rows' numbers is estimated."""
    name = "phase-space chain of a Gaussian"
    return f"{name}, estimated: {steps.estimated}" if steps.estimated else name
