r"""Where no exact law is known: an upper side of the sampler's W2 error, from a finer run on its Brownian
path.

.. math:: W_2(y_h, p_0) \le (E|y_h - y_{h/m}|^2)^{1/2} + W_2(y_{h/m}, p_0) \le \hat r_m + B(h/m)

:math:`\hat r_m` is a one-sided upper limit from pairs, B(h/m) what a theorem says of the finer run with the
exact score. The sum is an upper limit of the truth *given that theorem there*: it says how loose a bound is
at most, and is no evidence for any.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bounds.bound import Bound
from bounds.grid import TimeGrid
from bounds.recursion.one_block import contraction
from bounds.setting import Setting
from bounds.theorems import theorems
from verify.lower_sides.w2 import coupled
from verify.particles.simulation import sample

#: m, the steps of a finer run for one of the sampler's; the level is shared by them.
FINER = (4, 16)
_NUMBERS = 1 << 24  # normals held at once


class UpperSide(NamedTuple):
    """An upper limit of the error, given a theorem.

    Attributes
    ----------
    asymptotic : float
        Its level holds as the number of pairs grows.
    proved : float
        … at any number of pairs, whichever m is best for it
        (`verify.lower_sides.confidence.lipschitz_upper`).
    refinement : int
        m of the asymptotic one.
    given : str
        Key of the theorem that it takes for true of the finer run.
    """

    asymptotic: float
    proved: float
    refinement: int
    given: str


def upper_side(setting: Setting, law, pairs: int, seed: int, delta: float) -> UpperSide | None:
    """The least upper side over m, with the theorem that is sharpest at h/m, at level ``delta`` in all.

    m = 1, the theorem's own bound, takes no pairs and no share of the level; splittings, whose steps are not
    those of the grid, have that alone. None where no theorem says anything.
    """
    errors = {"score_error": setting.error, "score_noise": float(setting.score_noise)}
    found, coarse, share = [], setting.steps, delta / len(FINER)
    if bound := _sharpest(setting):
        found.append(UpperSide(bound.total, bound.total, 1, bound.theorem))
    for m in FINER:
        fine = _refined(setting, m)
        bound, finer = _sharpest(fine), fine.steps
        if bound is None or len(finer) != m * len(coarse):
            continue
        runs = synchronous(law, coarse, finer, pairs, np.random.default_rng([seed, m]), **errors)
        stretch = lipschitz(setting) + lipschitz(fine)
        sides = (coupled(*runs, delta=share, lipschitz=known).upper for known in (None, stretch))
        found.append(UpperSide(*(side + bound.total for side in sides), m, bound.theorem))
    if not found:
        return None
    return min(found)._replace(proved=min(side.proved for side in found))


def _sharpest(setting: Setting) -> Bound | None:
    """The least finite upper bound; None if there is none."""
    bounds = [theorem.bound(setting) for theorem in theorems().values()
              if theorem.kind == "upper" and not theorem.unmet(setting)]
    best = min(bounds, key=lambda bound: bound.total, default=None)
    return best if best and best.total < np.inf else None


def _refined(setting: Setting, m: int) -> Setting:
    """The same question with every step cut in m, and the exact score."""
    grid = setting.scheme.grid
    if grid.kind == "uniform":
        finer = TimeGrid.uniform(grid.horizon, m * grid.steps, grid.early_stop)
    else:
        inner = grid.times[:-1, None] + np.diff(grid.times)[:, None] * np.arange(m) / m
        finer = TimeGrid(np.append(inner, grid.times[-1]), "list" if grid.made else grid.kind)
    return replace(setting, scheme=replace(setting.scheme, grid=finer), score_error=0.0, score_noise=0.0)


def synchronous(law, coarse, finer, n: int, rng: np.random.Generator, **errors) -> tuple:
    """``n`` pairs of last iterates, shapes (n, d), of a run and one with m steps for each of its, on one
    Brownian path.

    A normal of the coarse run is the sum of m of the finer, weighted by how much noise their steps add: any
    weights whose squares add up to 1 make a coupling of the two laws. ``errors`` are those of the coarse
    score.
    """
    steps = len(coarse)
    noise_var = finer.noise_var if finer.blocks == 1 else finer.noise_var[:, 1, 1]
    weights = np.sqrt(np.maximum(noise_var, np.finfo(float).tiny)).reshape(steps, -1)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    blocks, runs = (2,) * (finer.blocks == 2), []
    size = max(1, _NUMBERS // ((len(finer) + 1) * finer.blocks * law.dim))
    for start in range(0, n, size):
        noise = rng.standard_normal((len(finer) + 1, *blocks, min(size, n - start), law.dim))
        parts = noise[1:].reshape(*weights.shape, *noise.shape[1:])
        summed = np.concatenate([noise[:1], np.einsum("km,km...->k...", weights, parts)])
        if coarse.second is not None and errors.get("score_noise"):
            # of the first evaluations' noise the finer run, with the exact score, has none
            summed = np.stack([rng.standard_normal(summed.shape), summed], axis=1)
        runs.append((sample(law, coarse, noise.shape[-2], None, increments=summed, **errors),
                     sample(law, finer, noise.shape[-2], None, increments=noise)))
    return tuple(np.concatenate(run) for run in zip(*runs, strict=True))


def lipschitz(setting: Setting) -> float:
    r"""Λ of the last iterate as a map of its standard normals; ``inf`` in phase space, for steps with two
    evaluations, for those with a past and for other starts than N(0, vI), where it is not computed.

    .. math:: \Lambda^2 = \sigma^2\prod_j A_j^2 + \sum_i n_i^2\prod_{j>i} A_j^2

    A_j is how much a step may stretch, from the envelope of the Hessian of log p_t, and n_i² its noise.
    """
    sampler = setting.scheme.sampler
    started = not setting.scheme.is_isotropic
    if setting.process.blocks == 2 or started or sampler.stages is not None or sampler.multistep is not None:
        return np.inf
    steps = setting.steps
    stretch = contraction(setting, theorems()["martingale"].functions)
    noise_var = steps.noise_var + (steps.Q * float(setting.score_noise)) ** 2 / setting.assumption.dim
    with np.errstate(over="ignore", invalid="ignore"):
        later = np.cumprod(np.append(1.0, stretch[::-1]))[::-1]
        added = np.where(noise_var > 0.0, noise_var * later[1:] ** 2, 0.0)
        return float(np.sqrt(steps.prior_var * later[0] ** 2 + added.sum()))
