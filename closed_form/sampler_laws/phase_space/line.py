r"""The exact law of a phase-space sampler for mixtures on a line: a density on position and velocity, no
simulation.

With Q the score's weight, x̂ = x − (Q_xv/Q_vv)v moves linearly where only the velocity's score enters
(ε = 0).  So a row is a shear of the position by FFT for every velocity, a banded Gaussian in the velocity for
every position, what noise is left by FFT, and a shear back.  Where the position's score enters as well
(ε > 0) it first moves x̂ at every velocity, by such a Gaussian whose width is taken back; the velocity then
moves by what it would have before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import fft

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.grid_density import density_w2
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.line.sampler import GridTooLarge
from closed_form.sampler_laws.phase_space.density_grid import BAND, MANY_CELLS, NOTHING, WIDE_BAND, PhaseField
from closed_form.sampler_laws.phase_space.mixture_score import PhaseMixtureScore

#: Spacings of the fine and of the coarse grid that is compared: of positions and of velocities in conditional
#: deviations of the law, of velocities in deviations of the Gaussian of a kick.
FINE, COARSE = (0.19, 0.25, 0.8), (0.22, 0.3, 0.88)
#: Factor on the spacing of positions where the position is kicked as well: what its noise smooths is there
#: before it.
FINER = 0.75
#: Half-width of the box in deviations.
BOX = 7.7
#: Mass near the sides of the box beyond which the box is widened, at most this often, by this factor.
LEAK, WIDENINGS, WIDER = 2e-9, 5, 1.4
#: More mass astray than this is refused.
ASTRAY = 1e-4
#: Points beyond which the law is refused.
MAX_POINTS = 1 << 20
#: Where the density is above this part of its peak no row may fold the positions, or nearly.
SEEN, LEAST_SLOPE = 1e-12, 0.05
FOLDS = "steps are too long for the law on the line: a row folds the positions"
#: Newton's rounds for the place a position came from, and its accuracy in spacings.
MOST_NEWTON, INVERTED = 30, 1e-8
#: Evaluations of a Gaussian that take as long as the transforms and the score of one point, the most that all boxes
#: tried may take, and seconds of each, those of the coarse grid included.
POINT_COST, MOST_COST, SECONDS = 60, 8e9, 1e-9


@dataclass
class _Row:
    """One row: x̂ = αx + βv + aside·s, v' = pull_x x + pull_v v + push·s + N(0, g), then x' = x̂ + c v' and
    the blur."""

    alpha: float
    beta: float
    shear: float
    aside: tuple[float, float]
    pull: tuple[float, float]
    push: tuple[float, float]
    g: float
    blur: tuple[float, float]

    def position(self, place, v):
        """x before the row, where x̂ is at ``place`` but for the score."""
        return (place - v * self.beta) / self.alpha

    @property
    def is_silent(self) -> bool:
        """Whether nothing is drawn."""
        return self.g == 0 and not any(self.blur)

    @property
    def slope(self) -> float:
        """How fast v' grows with v where the score is flat, at least 1."""
        return max(abs(self.pull[1]), 1.0)

    @classmethod
    def of(cls, P, Q, noise, extra: float) -> _Row:
        noise = noise + extra**2 * np.outer(Q[:, 1], Q[:, 1])
        shear = Q[0, 1] / Q[1, 1] if Q[1, 1] else 0.0
        top = P[0] - shear * P[1]
        aside = Q[0, 0] - shear * Q[1, 0], 0.0 if Q[1, 1] else Q[0, 1]
        xx = noise[0, 0] - 2 * shear * noise[0, 1] + shear**2 * noise[1, 1]
        xv = noise[0, 1] - shear * noise[1, 1]
        if xx <= 1e-13 * noise[0, 0] or xx == 0:  # rounding of a difference
            xx = xv = 0.0
        along = (np.sqrt(xx), xv / np.sqrt(xx)) if xx > 0 else (0.0, 0.0)
        return cls(top[0], top[1], shear, aside, tuple(P[1]), tuple(Q[1]),
                   max(noise[1, 1] - along[1] ** 2, 0.0), along)


def phase_line_w2(law, steps: Steps, bias: float = 0.0, score_noise: float = 0.0) -> Bracket:
    """W2 between the law of the last position and a mixture on the line, on a fine grid and on a coarse one.

    Parameters
    ----------
    law : LineMixture
    steps : Steps
    bias : float
        Constant error of the velocity's score.
    score_noise : float
        Standard deviation of fresh noise in the velocity's score.

    Returns
    -------
    Bracket
        The fine value, plus and minus twice what the coarse grid changes, and what mass astray could change.

    Raises
    ------
    ValueError
        If the grid would pass ``MAX_POINTS`` or the rows on it ``MOST_COST``, a row folds the line of positions,
        or the law leaves every box.

    References
    ----------
    docs/theory.md section 8 (iv).
    """
    *density, widened = _position_density(law, steps, bias, score_noise, FINE)
    fine, lost = density_w2(law, *density)
    *density, _ = _position_density(law, steps, bias, score_noise, COARSE, widened)
    coarse, _ = density_w2(law, *density)
    doubt = 2 * abs(fine - coarse) + lost + 1e-9 * law.stds.max()
    return Bracket.exact(fine, doubt, "density on position and velocity, error estimated by a coarse grid",
                         "quadrature by a coarse grid")


def phase_line_cost(law: LineMixture, steps: Steps, bias: float = 0.0, score_noise: float = 0.0) -> float:
    """Evaluations of a Gaussian that `phase_line_w2` would take on its fine grid; ``inf`` where it
    refuses."""
    rows = [_Row.of(*values, score_noise) for values in zip(steps.P, steps.Q, steps.noise_var, strict=True)]
    try:
        field = _box(law, steps, rows, bias, FINE, 1.0)
    except GridTooLarge:
        return np.inf
    return _cost(field, rows)


def _cost(field: PhaseField, rows) -> float:
    """Evaluations of a Gaussian that the rows take on this grid."""
    bands = 1 + 2 * np.ceil(BAND * np.minimum(np.sqrt([row.g for row in rows]) / field.dv, MANY_CELLS))
    bands += [(2 * WIDE_BAND / FINE[2] + 3 * POINT_COST) * any(row.aside) for row in rows]
    return float(field.x.size * field.v.size * np.sum(bands + POINT_COST))


def position_density(law, steps: Steps, bias: float = 0.0, score_noise: float = 0.0, spacing=FINE):
    """(places, density, astray): the last position's density on an even grid, in a box as wide as needed.

    ``astray`` is the mass seen near or lost beyond the sides of the box, rounding included.
    """
    return _position_density(law, steps, bias, score_noise, spacing)[:3]


def _position_density(law, steps: Steps, bias: float, score_noise: float, spacing, first: int = 0):
    """`position_density`, and how often the box was widened; from ``first`` times on."""
    rows = [_Row.of(*values, score_noise) for values in zip(steps.P, steps.Q, steps.noise_var, strict=True)]
    leak, done, spent = math.inf, 0, 0.0
    for widened in range(first, WIDENINGS):
        field = _box(law, steps, rows, bias, spacing, WIDER**widened)
        cost = _cost(field, rows)
        if not spent + cost <= MOST_COST:
            raise GridTooLarge(f"{len(rows)} steps on a grid of {field.x.size} x {field.v.size} points take about "
                               f"{(spent + cost) * SECONDS:.2g} s, above the limit of {MOST_COST * SECONDS:g} s: take "
                               "fewer")
        marginal, now = _marginal(law, steps, rows, bias, field)
        spent += cost * (now + 1) / len(rows)
        if field.leak < LEAK or (now <= done and field.leak > leak / 10):
            break
        leak, done = field.leak, now
    # a box that lost too much was left on the way
    mass = float(marginal.sum()) * field.dx if field.leak < ASTRAY else 0.0
    astray = max(field.leak, field.noise, 1 - mass, 1e-14)
    if not astray < ASTRAY:
        raise GridTooLarge("steps are too long for the law on the line: it leaves every box tried")
    return field.x[0] * field.stretch, marginal / (mass * field.stretch), astray, widened


def _marginal(law: LineMixture, steps: Steps, rows, bias: float, field: PhaseField):
    """(Density of the last position on the box, rows done): not all of them where too much leaves the box."""
    phi, S = steps.a, steps.s_sq
    inverse = np.linalg.inv(steps.prior_var)
    # the start around its mean
    x, v = (places - part for places, part in zip((field.x, field.v), steps.begun(np.zeros(1)).mean_of(1)[:, 0], strict=True))
    energy = inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * v + inverse[1, 1] * v**2
    values = np.exp(-energy / 2) * np.sqrt(np.linalg.det(inverse)) / (2 * np.pi)
    x, v = field.x, field.v
    for i, row in enumerate(rows):
        # x̂ = αx + βv: the box stretches by α, the shear is done inside it
        field.stretch *= row.alpha
        values = field.sheared(values, row.beta)
        position, shift, score = row.position(x * field.stretch, v), 0.0, None
        if any(row.aside) or any(row.push):
            score = PhaseMixtureScore(law.weights, law.means[:, None], np.square(law.stds), phi[i], S[i])
        if any(row.aside):
            values, position = _aside(field, values, row, score, bias)
        if i == len(rows) - 1 and row.is_silent:
            if row.shear:
                raise NoExactLaw("the law on a line is not known where the last step has no noise and moves the position "
                                 "by the velocity's score")
            break  # the velocity is not asked for
        if any(row.push):
            # without a push aside the position is one of the box, sheared
            shift = (score.pushed(row.push, position, v) if any(row.aside)
                     else score.pushed_sheared(row.push, x * field.stretch / row.alpha, -row.beta / row.alpha, v))
            shift = shift + row.push[1] * bias
        shift = shift + row.pull[0] * position + (row.pull[1] - 1) * v
        values, excess = field.kicked(values, shift, row.g, row.slope)
        values = field.blurred(values, row.blur, excess)
        values = field.sheared(values, row.shear)
        field.watch(values)
        if not field.leak < ASTRAY:
            break
    return values.sum(axis=0) * field.dv, i


def _aside(field: PhaseField, values, row: _Row, score: PhaseMixtureScore, bias: float):
    """(The density after x̂ → x̂ + aside·s, for every place the position before the row that ends there)."""
    places, v = field.x * field.stretch, field.v

    def ends(start):
        by, slope = score.pushed_with_slope(row.aside, row.position(start, v), v)
        return start + by + row.aside[1] * bias, 1 + slope / row.alpha

    end, slope = ends(places)
    seen = slope[values > SEEN * values.max()]
    if not seen.min() > LEAST_SLOPE:
        raise GridTooLarge(FOLDS)

    def shift(offset: float):
        return (
            (ends(places + offset * field.stretch)[0] if offset else end) - places
        ) / field.stretch - offset

    values = field.displaced(values, shift, seen.max())
    start, known = places, values > NOTHING * values.max()
    for _ in range(MOST_NEWTON):
        missed = end - places
        if np.abs(missed[known]).max() < INVERTED * field.dx * field.stretch:
            break
        start = start - missed / np.maximum(slope, LEAST_SLOPE)
        end, slope = ends(start)
    else:
        raise GridTooLarge(FOLDS)
    return values, row.position(start, v)


def _box(law: LineMixture, steps: Steps, rows, bias: float, spacing, wider: float) -> PhaseField:
    with np.errstate(over="ignore", invalid="ignore"):
        stretch = np.cumprod([1.0, *(row.alpha for row in rows)])
    if not 0 < stretch.min() <= stretch.max() < np.inf:
        raise GridTooLarge("steps are too long for the law on the line: a row turns the position over")
    phi, S = steps.a, steps.s_sq
    spread = (S[:, None]
              + np.square(law.stds)[None, :, None, None] * (phi[:, :, None] * phi[:, None, :])[:, None])
    xx, vv = spread[..., 0, 0], spread[..., 1, 1]
    # a coarse sampler's law is wider than the forward one it follows
    deviation = np.maximum(np.sqrt([xx.max(axis=1), vv.max(axis=1)]).T, np.sqrt(np.diagonal(steps.prior_var)))
    reach = BOX * wider * deviation + np.abs(phi) * np.abs(law.means).max() + _drift(steps, spread)
    reach = (reach / np.stack([stretch, np.ones_like(stretch)], axis=1)).max(axis=0)
    # an error b of the score moves the mean by about V b
    pushed = np.minimum(np.abs(steps.Q[:, :, 1]).sum(axis=0), 3 * np.square(deviation.max()))
    reach = reach + abs(bias) * pushed / min(stretch.min(), 1.0)
    noise = np.array([row.g for row in rows])
    determinant = np.maximum(xx * vv - np.square(spread[..., 0, 1]), 0.0)
    at_x = np.sqrt(determinant / np.where(vv > 0, vv, 1.0), out=np.sqrt(xx), where=vv > 0).min(axis=1)
    at_v = np.sqrt(determinant / xx).min(axis=1)
    at_v[1:] = np.maximum(at_v[1:], np.sqrt(noise))
    # between the position's kick and its noise the law is narrower still
    aside = np.array([row.aside[0] for row in rows])
    kicked = at_x[:-1] * np.clip(1 - aside / np.square(at_x[:-1]), LEAST_SLOPE, 1.0)
    dx = (spacing[0] * min((at_x / stretch).min(), (kicked / stretch[1:]).min())
          * (FINER if aside.any() else 1.0))
    slope = np.array([row.slope for row in rows])
    dv = (np.maximum(spacing[2] * np.sqrt(noise), spacing[1] * np.minimum(at_v[:-1], at_v[1:])) / slope).min()
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        wanted = 2 * reach / np.array([dx, dv])
    # the length may be too large for an integer, or no number
    counts = [_even(count) for count in wanted] if np.all(wanted < MAX_POINTS) else wanted.tolist()
    if not counts[0] * counts[1] <= MAX_POINTS:
        sizes = " x ".join(f"{count:.6g}" for count in counts)
        raise GridTooLarge(
            f"steps need a grid of {sizes} points, more than {MAX_POINTS}: take fewer or wider"
        )
    x, v = (np.linspace(-size, size, count, endpoint=False)
            for size, count in zip(reach, counts, strict=True))
    return PhaseField(x, v, spacing[2])


def _drift(steps: Steps, spread: np.ndarray) -> np.ndarray:
    """How far the mean of the start is from 0 at every row, at most over the components: (k+1, 2).

    The score pulls as that of one component does; where modes pull less, the box is widened.
    """
    far = np.broadcast_to(steps.begun(np.zeros(1)).mean_of(1)[:, 0], (spread.shape[1], 2))
    found = [np.abs(far)]
    for P, Q, V in zip(steps.P, steps.Q, spread, strict=False):
        J = P if not Q.any() else P - Q @ np.linalg.inv(V)
        far = (J @ far[..., None])[..., 0]
        found.append(np.abs(far))
    return np.max(found, axis=1)


def _even(count: float) -> int:
    return 2 * fft.next_fast_len(int(np.ceil(count / 2)), real=True)
