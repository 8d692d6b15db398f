r"""The exact position law of a phase-space sampler for Gaussian data, where every row is an affine map.

What the chain computes is compared with what the rows make of it, row by row: the difference (and its rounding)
counts as often as a unit there is worth in the last position.  So the errors neither add up over a horizon that
forgets them, nor have to be followed through the arithmetic that the numbers came from.
"""

from dataclasses import dataclass

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.laws.gaussian import Gaussian
from closed_form.sampler_laws.extended_precision import clustered, eigenvalue_error, norm_bracket, root_gap
from closed_form.within import EPS, WIDE, Within

#: Rows times variances held at once, and those whose errors are worked out at once.
BLOCK, ROWS = 1 << 20, 1 << 13
_EYE = np.eye(2, dtype=WIDE)


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
        Variance of the position, prior and noise together.
    noise_push : Within, of shape (n,)
        What fresh noise of variance 1 in the velocity's score adds to it.
    covariance : array of shape (n, 2, 2)
        Of position and velocity at the last time.
    """

    lag: Within
    push: Within
    variance: Within
    noise_push: Within
    covariance: np.ndarray


def phase_chain(variances, steps: Steps, doubt: float = 0.0) -> PhaseChain:
    r"""Follow data of variances v through the sampler: score :math:`-V^{-1}(y - \varphi m)`, V = S + vφφᵀ.

    The mean is φm plus a lag, which obeys :math:`e \leftarrow Je + (P\varphi - \varphi')m`, J = P − QV⁻¹.

    Parameters
    ----------
    variances : array of shape (n,)
        Positive eigenvalues of the data covariance, each known up to ``doubt``.
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
    with np.errstate(all="ignore"):
        parts = [_chain(Within(variances[i : i + size], doubt), steps) for i in range(0, len(variances), size)]
    names = ("lag", "push", "variance", "noise_push")
    return PhaseChain(*(Within.concatenate([getattr(part, name) for part in parts]) for name in names),
                      np.concatenate([part.covariance for part in parts]))


class _Rows:
    """The rows of the chain, n variances at once, worked out some rows at a time."""

    def __init__(self, variances: Within, steps: Steps):
        self._variances, self._steps, self.count = variances, steps, len(steps)
        self.slices = [slice(i, min(i + ROWS, self.count)) for i in range(0, self.count, ROWS)]

    def known(self, name: str, place=()) -> Within:
        """Some numbers of the steps with their errors."""
        errors = self._steps.errors
        return Within(getattr(self._steps, name)[place], 0.0 if errors is None else getattr(errors, name)[place])

    def maps(self, rows: slice) -> Within:
        """J, of shape (k, n, 2, 2)."""
        phi, S = (self.known(name, rows)[:, None] for name in ("a", "s_sq"))
        x, v = phi[..., 0], phi[..., 1]
        xx, xv, vv = S[..., 0, 0], S[..., 0, 1], S[..., 1, 1]
        data = self._variances
        # det V = det S + v φᵀ adj(S) φ: the data's variance may be far smaller or larger than S
        determinant = xx * vv - xv * xv + data * (x * x * vv - 2 * (x * v * xv) + v * v * xx)
        crossed = -(xv + data * (x * v))
        inverse = Within.stack([[vv + data * (v * v), crossed], [crossed, xx + data * (x * x)]])
        inverse = inverse / determinant[..., None, None]
        return self.known("P", rows)[:, None] - self.known("Q", rows)[:, None] @ inverse

    def sources(self, rows: slice) -> Within:
        """What a row adds to the lag and, from an error 1 of the velocity's score, to the push: (k, 1, 2, 2)."""
        phi, after = self.known("a", rows), self.known("a", slice(rows.start + 1, rows.stop + 1))
        lag = self.known("P", rows) @ phi[..., None] - after[..., None]
        pushed = self.known("Q", rows)
        return Within.stack([[lag[:, i, 0], pushed[:, i, 1]] for i in (0, 1)])[:, None]


def _chain(variances: Within, steps: Steps) -> PhaseChain:
    rows, n = _Rows(variances, steps), len(variances)
    maps = Within.concatenate([rows.maps(part) for part in rows.slices])
    sources = Within.concatenate([rows.sources(part) for part in rows.slices])
    noise, prior, phi = rows.known("noise_var")[:, None], rows.known("prior_var"), rows.known("a")
    start = Within.stack([[-phi[0, i], 0.0] for i in (0, 1)])
    shape = n, 2, 2
    means, spreads = _states(maps.value, np.broadcast_to(sources.value, maps.shape),
                             np.broadcast_to(noise.value, maps.shape),
                             np.broadcast_to(start.value, shape), np.broadcast_to(prior.value, shape))
    worth, worth_error = _worth(maps, rows.slices)
    size = np.abs(worth) + worth_error
    # the start, then what each row's numbers are off by
    lost = size[0] @ start.error
    spread = (size[0] @ (prior.error * np.ones(shape)) @ size[0].swapaxes(-1, -2))[..., 0, 0]
    noise_push = Within(np.zeros(n))
    for part in rows.slices:
        after = slice(part.start + 1, part.stop + 1)
        here, J = size[after], maps[part]
        mean, cover = Within(means[part]), Within(spreads[part])
        lost += (here @ (Within(means[after]) - (J @ mean + sources[part])).size).sum(0)
        off = (Within(spreads[after]) - (J @ cover @ J.swapaxes(-1, -2) + noise[part])).size
        spread += (here @ off @ here.swapaxes(-1, -2)).sum(0)[..., 0, 0]
        push = Within(worth[after], worth_error[after]) @ sources[part][..., 1:]
        noise_push = noise_push + (push * push)[..., 0, 0].sum(0)
    up = 1 + (8 + 2 * len(steps)) * EPS
    means, lost = means[-1, :, 0], lost[:, 0] * up
    lag = Within(means[:, 0], lost[:, 0]) + (phi[-1, 0] - 1)
    return PhaseChain(lag, Within(means[:, 1], lost[:, 1]), Within(spreads[-1, :, 0, 0], spread * up), noise_push,
                      spreads[-1].astype(float))


def _worth(maps: Within, slices) -> tuple[np.ndarray, np.ndarray]:
    """What a unit of each state is worth in the last position, and how far that is off: (k+1, n, 1, 2) each.

    Errors of it are followed in axes in which the first row is nearly triangular, so that where the rows forget
    what they are given, their absolute values do.
    """
    backwards = maps.value[::-1].swapaxes(-1, -2)
    first = np.zeros((*maps.shape[1:-1], 1), dtype=WIDE)
    first[:, 0] = 1
    found = _states(backwards, None, None, first, None)[0]
    worth = found[::-1].swapaxes(-1, -2)
    axes = _axes(maps.value[0])
    turned, back = Within(axes), Within(axes.swapaxes(-1, -2)) / Within(axes[..., 0, 0] ** 2 + axes[..., 1, 0] ** 2)[
        ..., None, None]
    off, sizes = [], []
    for part in slices:
        after = slice(part.start + 1, part.stop + 1)
        here = Within(worth[part]) - Within(worth[after]) @ maps[part]
        off.append((Within(here.size) @ Within(np.abs(axes))).size)
        sizes.append((back @ maps[part] @ turned).size)
    off, sizes = (np.concatenate(each)[::-1].swapaxes(-1, -2) for each in (off, sizes))
    error = _states(sizes, off, None, np.zeros_like(first), None)[0][::-1].swapaxes(-1, -2)
    return worth, error @ np.abs(back.value) * (1 + (8 + 16 * len(sizes)) * EPS)


def _axes(rows: np.ndarray) -> np.ndarray:
    """Orthogonal axes (n, 2, 2) in which rows with a nearly double eigenvalue are nearly triangular."""
    middle = (rows[..., 0, 0] + rows[..., 1, 1]) / 2
    rest = rows - middle[..., None, None] * _EYE
    columns = np.square(rest).sum(axis=-2)
    longest = np.take_along_axis(rest, np.argmax(columns, axis=-1)[..., None, None], axis=-1)[..., 0]
    usable = np.all(np.isfinite(longest), axis=-1) & np.any(longest != 0, axis=-1)
    longest = np.where(usable[..., None], longest, _EYE[0])
    longest = longest / np.abs(longest).max(axis=-1, keepdims=True)
    return np.stack([longest, np.stack([-longest[..., 1], longest[..., 0]], axis=-1)], axis=-1)


def _states(maps, sources, noise, state, spread) -> tuple[np.ndarray, np.ndarray | None]:
    """States of x ← Jx + s and of C ← JCJᵀ + N, without s where it is None, the start included.

    Neighbours are composed: log₂ k levels.
    """
    k = len(maps)
    states = np.empty((k + 1, *state.shape), dtype=WIDE)
    spreads = None if noise is None else np.empty((k + 1, *spread.shape), dtype=WIDE)

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
        chain = phase_chain(distinct, steps, doubt)
        gap = mean * chain.lag[place] + bias * chain.push[place]
        noise = Within(score_noise) * score_noise / law.dim
        variance = (chain.variance + chain.noise_push * noise)[place]
        apart, slack = root_gap(variance.value, variance.error, values.astype(WIDE), doubt)
        return norm_bracket(np.concatenate([gap.value, apart]), np.concatenate([gap.error, slack]), _method(steps))


def _method(steps: Steps) -> str:
    """What a bracket says of itself: proved, or which of the rows' numbers is estimated."""
    name = "phase-space chain of a Gaussian"
    return f"{name}, estimated: {steps.errors.estimated}" if steps.errors and steps.errors.estimated else name
