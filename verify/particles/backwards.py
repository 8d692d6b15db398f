r"""The data's own process run backwards exactly, beside a sampler that is driven by its normals: pairs (X, Y) of data
and last iterates.

Of a sum of Gaussians X_s given X_t = x, s < t, is a sum of Gaussians too, so from X_T on the process is drawn backwards
without error and ends in the data.  With F_k the distribution function of coordinate k of a step given the coordinates
before, Z_k = Φ⁻¹(F_k) are standard normals that depend on nothing before (Rosenblatt's map): the sampler may take them
for its noise, and moves nearly as X does.  A sampler without noise goes beside the flow, which is integrated.

References
----------
docs/theory.md section 10, "Beside the data's own process".
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bounds.steps.affine import Steps
from closed_form.laws.mixture import GaussianMixture
from verify.particles.noise import noise_of

#: Particles × components that are worked on at once: their arrays stay in the cache.
_BLOCK = 1 << 15
#: Steps of Runge and Kutta along the whole flow at least.
FLOW_STEPS = 96
_TINY = np.finfo(float).tiny


def beside_process(law: GaussianMixture, steps: Steps, n: int, rng: np.random.Generator, bias: np.ndarray,
                   noise_size: float = 0.0, mapped: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """``n`` pairs (X, Y), arrays of shape (n, d): data, and last iterates of the sampler driven by X's normals.

    Parameters
    ----------
    law : GaussianMixture
    steps : Steps
        Of one block.
    n : int
    rng : numpy Generator
    bias : array of shape (d,)
        Constant added to the score.
    noise_size : float
        Standard deviation, in each direction, of the fresh noise added to the score.
    mapped : int, optional
        How many coordinates of each step have Rosenblatt's map; the others take the normal of X's component, which
        is as valid and farther away.
    """
    mapped, steps = law.dim if mapped is None else mapped, steps.rounded()
    inside, variance = noise_of(steps, noise_size**2)
    noise = np.sqrt(variance)
    pairs = []
    for size in _sizes(n, law):
        x, z = _first(law, steps, size, rng, mapped)
        y, seen = _begun(law, steps, z), None
        level = float(steps.s_sq[0]), float(steps.a[0])
        for i in range(len(steps)):
            after = float(steps.s_sq[i + 1]), float(steps.a[i + 1])
            y, seen = _moved(law, steps, i, y, seen, bias, _fresh(inside, i, y, rng))
            # of samplers that raise a level X waits
            if after[0] * level[1] ** 2 < level[0] * after[1] ** 2:
                x, z = _back(law, level, after, x, rng, mapped)
                level = after
            else:
                z = rng.standard_normal(x.shape)
            if noise[i] > 0.0:
                y = y + noise[i] * z
        pairs.append((_cleaned(law, level, x, rng), y))
    return tuple(np.concatenate(column) for column in zip(*pairs, strict=True))


def beside_flow(law: GaussianMixture, steps: Steps, n: int, rng: np.random.Generator, bias: np.ndarray,
                noise_size: float = 0.0, cut: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """``n`` pairs (X, Y) for a sampler without noise: X follows the probability flow, from X_T to the data.

    Parameters
    ----------
    law, steps, n, rng, bias, noise_size
        As of `beside_process`; ``steps`` without noise.  Fresh noise of the score moves Y alone.
    cut : int, optional
        Steps of Runge and Kutta for one of the sampler's; `FLOW_STEPS` in all at least by default.
    """
    steps = steps.rounded()
    cut = math.ceil(FLOW_STEPS / len(steps)) if cut is None else cut
    variance = float(np.mean(law.components().spectrum))
    inside, added = noise_of(steps, noise_size**2)
    noise, pairs = np.sqrt(added), []
    for size in _sizes(n, law):
        x, z = _first(law, steps, size, rng, law.dim)
        y, seen, u = _begun(law, steps, z), None, x / steps.a[0]
        low = float(steps.s_sq[0] / steps.a[0] ** 2)
        for i in range(len(steps)):
            y, seen = _moved(law, steps, i, y, seen, bias, _fresh(inside, i, y, rng))
            if noise[i] > 0.0:
                y = y + noise[i] * rng.standard_normal(y.shape)
            high, low = low, min(low, float(steps.s_sq[i + 1] / steps.a[i + 1] ** 2))
            if low < high:
                u = _flowed(law, u, *(0.5 * math.log(each + variance) for each in (high, low)), variance, cut)
        pairs.append((_cleaned(law, (low, 1.0), u, rng), y))
    return tuple(np.concatenate(column) for column in zip(*pairs, strict=True))


def _begun(law: GaussianMixture, steps: Steps, z: np.ndarray) -> np.ndarray:
    """First iterates from normals."""
    start = steps.begun(law.mean)
    if start.spread.ndim == 0:
        return start.mean_of(law.dim) + math.sqrt(start.spread) * z
    return start.mean_of(law.dim) + z @ start.root_of(law.dim)


def _sizes(n: int, law: GaussianMixture) -> Iterator[int]:
    """How many particles each block has."""
    block = max(64, _BLOCK // len(law.weights))
    return (min(block, n - start) for start in range(0, n, block))


def _fresh(inside: np.ndarray | None, i: int, y: np.ndarray, rng: np.random.Generator):
    """What fresh noise of the score adds within step i."""
    return 0.0 if inside is None else inside[i] * rng.standard_normal(y.shape)


def _moved(law, steps: Steps, i: int, y: np.ndarray, seen, bias: np.ndarray, fresh) -> tuple[np.ndarray, np.ndarray]:
    """(Step i but for the noise at its end, what it saw of the score), ``fresh`` added to the first evaluation's."""

    def through(numbers, x):
        P, Q, a, s_sq = (float(each[i]) for each in (numbers.P, numbers.Q, numbers.a, numbers.s_sq))
        if Q == 0.0:
            return P * x
        share = 1.0 if numbers.share is None else float(numbers.share[i])
        return P * x + Q * (law.pushed(a, s_sq).score(x) + share * bias)

    inside = through(steps, y) + fresh
    if steps.past is not None:
        keep, now, before = (float(each[i]) for each in (steps.past.keep, steps.past.now, steps.past.before))
        return keep * y + now * inside + (before * seen if before else 0.0), inside
    if steps.second is not None:
        return float(steps.second.keep[i]) * y + through(steps.second, inside), inside
    return inside, inside


def _first(law, steps: Steps, n: int, rng, mapped: int) -> tuple[np.ndarray, np.ndarray]:
    """(X_T, its normals)."""
    start = law.pushed(float(steps.a[0]), float(steps.s_sq[0]))
    weights = np.repeat(start.weights[:, None], n, axis=1)
    roots = _roots(start)
    return _drawn(weights, start.means, np.zeros((n, law.dim)), roots, rng, mapped)


def _back(law, level, after, x: np.ndarray, rng, mapped: int) -> tuple[np.ndarray, np.ndarray]:
    """(X_s given X_t = x, its normals), from (s², a) of t to those of s."""
    (s_sq, a), (low_sq, low_a) = level, after
    phi = a / low_a
    added = s_sq - phi**2 * low_sq
    shares = law.pushed(a, s_sq).responsibilities(x).T
    if law.std is not None:
        V, W = a * a * law.std**2 + s_sq, low_a**2 * law.std**2 + low_sq
        gain = W * phi / V
        return _drawn(shares, (low_a - gain * a) * law.means, gain * x, math.sqrt(W * added / V), rng, mapped)
    found = law.components()
    spectrum = np.broadcast_to(found.spectrum, (len(law.weights), law.dim))
    frames = np.broadcast_to(np.eye(law.dim) if found.frame is None else found.frame, (*spectrum.shape, law.dim))
    V, W = a * a * spectrum + s_sq, low_a**2 * spectrum + low_sq
    gains, left = (np.einsum("cij,cj,ckj->cik", frames, each, frames) for each in (W * phi / V, W * added / V))
    moving = np.einsum("cij,nj->cni", gains, x)
    fixed = low_a * law.means - a * np.einsum("cij,cj->ci", gains, law.means)
    return _drawn(shares, fixed, moving, np.linalg.cholesky(left), rng, mapped)


def _roots(start: GaussianMixture):
    if start.std is not None:
        return start.std
    found = start.components()
    spectrum = np.broadcast_to(found.spectrum, (len(start.weights), start.dim))
    frames = np.broadcast_to(np.eye(start.dim) if found.frame is None else found.frame, (*spectrum.shape, start.dim))
    return np.linalg.cholesky(np.einsum("cij,cj,ckj->cik", frames, spectrum, frames))


def _labels(shares: np.ndarray, rng) -> np.ndarray:
    """A component for each particle, from shares (c, n)."""
    edges = np.cumsum(shares, axis=0)
    return np.minimum((edges < rng.random(shares.shape[1]) * edges[-1]).sum(axis=0), len(shares) - 1)


def _drawn(shares: np.ndarray, fixed: np.ndarray, moving: np.ndarray, roots, rng,
           mapped: int) -> tuple[np.ndarray, np.ndarray]:
    """(A draw from Σ_j share_j N(fixed_j + moving_j, L_j L_jᵀ) for each particle, its standard normals).

    Shares (c, n), fixed (c, d), moving (n, d) or (c, n, d); the roots L a number or lower triangles (c, d, d).
    """
    from scipy.special import ndtr, ndtri

    n, d = moving.shape[-2:]
    label, z = _labels(shares, rng), rng.standard_normal((n, d))
    scalar = np.ndim(roots) == 0
    own = moving if moving.ndim == 2 else moving[label, np.arange(n)]
    x = fixed[label] + own + (roots * z if scalar else np.einsum("nij,nj->ni", roots[label], z))
    if not scalar:
        misses = x - fixed[:, None] - moving
        turned = np.einsum("cij,cnj->icn", np.linalg.inv(roots), misses)
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
    for k in range(min(mapped, d)):
        if scalar:
            deviate = ((x[:, k] - moving[:, k]) - fixed[:, k, None]) / roots
        else:
            deviate = turned[k]
        weights = np.exp(logs - logs.max(axis=0))
        below = (weights * ndtr(deviate)).sum(axis=0) / weights.sum(axis=0)
        z[:, k] = ndtri(np.clip(below, _TINY, 1 - 2.0**-53))
        logs -= 0.5 * np.square(deviate)
        if not scalar:
            logs -= np.log(roots[:, k, k])[:, None]
    return x, z


def _flowed(law, u: np.ndarray, start: float, end: float, variance: float, cut: int) -> np.ndarray:
    """u along du/dw = −e^{2w} ∇log p(u), w = ½ log(ς² + variance) from ``start`` to ``end``, by Runge and Kutta."""

    def slope(w: float, u: np.ndarray) -> np.ndarray:
        return -math.exp(2 * w) * law.pushed(1.0, max(0.0, math.exp(2 * w) - variance)).score(u)

    h = (end - start) / cut
    for j in range(cut):
        w = start + j * h
        one = slope(w, u)
        two = slope(w + h / 2, u + h / 2 * one)
        three = slope(w + h / 2, u + h / 2 * two)
        u = u + h / 6 * (one + 2 * two + 2 * three + slope(w + h, u + h * three))
    return u


def _cleaned(law, level, x: np.ndarray, rng) -> np.ndarray:
    """The data from X_t: the same component, and the same normal of it."""
    s_sq, a = level
    if s_sq == 0.0:
        return x / a
    pushed = law.pushed(a, s_sq)
    label = _labels(pushed.responsibilities(x).T, rng)
    misses = x - pushed.means[label]
    if law.std is not None:
        return law.means[label] + misses * (law.std / pushed.std)
    found = law.components()
    spectrum = np.broadcast_to(found.spectrum, (len(law.weights), law.dim))
    shrink = np.sqrt(spectrum / (a * a * spectrum + s_sq))[label]
    if found.frame is None:
        return law.means[label] + misses * shrink
    frames = np.broadcast_to(found.frame, (*spectrum.shape, law.dim))[label]
    turned = np.einsum("nij,ni->nj", frames, misses) * shrink
    return law.means[label] + np.einsum("nij,nj->ni", frames, turned)
