r"""The exact law of a phase-space sampler for mixtures on a line: a density on position and velocity, no simulation.

Rows that push along one direction q (ε = 0: only the velocity's score enters) move x − (q_x/q_v)v linearly.  So a
row is a shear of the position by FFT for every velocity, a banded Gaussian kernel in the velocity for every
position, what noise is left by FFT, and a shear back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.phase_steps import PhaseSteps
from closed_form.bracket import Bracket
from closed_form.line import GridTooLarge
from closed_form.line_mixture import LineMixture
from closed_form.phase_density import PhaseMixtureScore

#: Spacing of velocities in noise deviations, of positions in conditional deviations; the coarse grid that is compared.
FINE, COARSE = (0.8, 0.12), (1.0, 0.15)
#: Half-width of the box and of the kernel in deviations.
BOX, BAND = 8.5, 7.5
#: Points beyond which the law is refused.
MAX_POINTS = 1 << 20
#: Kernel evaluations that take as long as the transforms and the score of one point.
POINT_COST = 60
#: Upsampling of the last position's density before its quantiles are taken.
FINER = 8


def line_rows_unavailable(steps: PhaseSteps) -> str | None:
    """Why the law on a line is not available for these rows; None if it is."""
    if np.any(steps.Q[:, :, 0] != 0):
        return "the sampler uses the position's score as well (epsilon > 0, or the posterior mean)"
    return None


@dataclass
class _Row:
    """One row in sheared coordinates: x̂ = αx + βv, v' = pull_x x + pull_v v + push s_v + N(0, g), then x = x̂ + c v."""

    alpha: float
    beta: float
    shear: float
    pull: tuple[float, float]
    push: float
    g: float
    blur: tuple[float, float]

    @classmethod
    def of(cls, P, Q, noise, extra: float) -> _Row:
        noise = noise + extra**2 * np.outer(Q[:, 1], Q[:, 1])
        shear = Q[0, 1] / Q[1, 1] if Q[1, 1] else 0.0
        top = P[0] - shear * P[1]
        xx = noise[0, 0] - 2 * shear * noise[0, 1] + shear**2 * noise[1, 1]
        xv = noise[0, 1] - shear * noise[1, 1]
        if xx <= 1e-13 * noise[0, 0] or xx == 0:  # rounding of a difference
            xx = xv = 0.0
        along = (np.sqrt(xx), xv / np.sqrt(xx)) if xx > 0 else (0.0, 0.0)
        return cls(top[0], top[1], shear, (P[1, 0], P[1, 1]), Q[1, 1], noise[1, 1] - along[1] ** 2, along)


class _Field:
    """A density on a periodic box of positions (in units that stretch with the rows) and velocities."""

    def __init__(self, x, v):
        self.x, self.v = x, v
        self.dx, self.dv = x[1] - x[0], v[1] - v[0]
        self.stretch = 1.0
        self._waves = 2 * np.pi * np.fft.rfftfreq(len(x), self.dx)[:, None]
        self._velocity_waves = 2 * np.pi * np.fft.fftfreq(len(v), self.dv)[None, :]
        self.values = None

    def sheared(self, values, slope: float):
        """p(x − slope v, v), in the box's own units."""
        if slope == 0:
            return values
        turn = np.exp(-1j * self._waves * (slope / self.stretch) * self.v[None, :])
        return np.fft.irfft(np.fft.rfft(values, axis=0) * turn, n=len(self.x), axis=0)

    def blurred(self, values, along):
        """The convolution with ξ·along, ξ ~ N(0, 1)."""
        waves = self._waves * along[0] / self.stretch + self._velocity_waves * along[1]
        turned = np.fft.fft(np.fft.rfft(values, axis=0), axis=1) * np.exp(-(waves**2) / 2)
        return np.fft.irfft(np.fft.ifft(turned, axis=1), n=len(self.x), axis=0)

    def kicked(self, values, mean, g: float):
        """∫ p(x, v) N(v'; mean(x, v), g) dv for every position."""
        place = (mean - self.v[0]) / self.dv
        nearest = np.rint(place)
        gap = place - nearest
        index = nearest.astype(np.int64)
        rate = self.dv**2 / (2 * g)
        first = values * np.exp(-rate * gap**2)
        step = np.exp(2 * rate * gap)
        n = len(self.v)
        offsets = np.arange(len(self.x))[:, None] * n
        band = int(np.ceil(BAND * np.sqrt(g) / self.dv))
        found = np.zeros(values.size)
        for sign in (1, -1):
            factor, ratio = first, step if sign > 0 else 1 / step
            for o in range(0 if sign > 0 else 1, band + 1):
                if o:
                    factor = factor * ratio
                to = index + sign * o
                # beyond the box there is nothing worth keeping: it is several deviations wide
                inside = (to >= 0) & (to < n)
                weight = np.where(inside, factor, 0.0) * np.exp(-rate * o * o)
                found += np.bincount((offsets + np.clip(to, 0, n - 1)).ravel(), weight.ravel(), found.size)
        return found.reshape(values.shape) * (self.dv / np.sqrt(2 * np.pi * g))


def phase_line_w2(law, steps: PhaseSteps, bias: float = 0.0, score_noise: float = 0.0, progress=None) -> Bracket:
    """W2 between the law of the last position and a mixture on the line, on a fine grid and on a coarse one.

    Parameters
    ----------
    law : LineMixture
    steps : PhaseSteps
    bias : float
        Constant error of the velocity's score.
    score_noise : float
        Standard deviation of fresh noise in the velocity's score.

    Returns
    -------
    Bracket
        The fine value, plus and minus four times what the coarse grid changes, and what left the box.

    Raises
    ------
    ValueError
        If the sampler uses the position's score, or the grid would pass ``MAX_POINTS``.

    References
    ----------
    docs/theory.md section 8 (iv).
    """
    reason = line_rows_unavailable(steps)
    if reason is not None:
        raise ValueError(f"steps have no law on the line: {reason}")
    (fine, lost), (coarse, _) = (_measure(law, steps, bias, score_noise, spacing) for spacing in (FINE, COARSE))
    doubt = 4 * abs(fine - coarse) + lost + 1e-9 * law.stds.max()
    return Bracket.exact(fine, doubt, "density on position and velocity, fine and coarse grid")


def phase_line_cost(law: LineMixture, steps: PhaseSteps, bias: float = 0.0, score_noise: float = 0.0) -> float:
    """Kernel evaluations that `phase_line_w2` would take on its fine grid; ``inf`` where it refuses."""
    if line_rows_unavailable(steps) is not None:
        return np.inf
    rows = [_Row.of(*values, score_noise) for values in zip(steps.P, steps.Q, steps.noise, strict=True)]
    try:
        field = _box(law, steps, rows, bias, FINE)
    except GridTooLarge:
        return np.inf
    bands = 1 + 2 * np.ceil(BAND * np.sqrt([row.g for row in rows]) / field.dv)
    return float(len(field.x) * len(field.v) * np.sum(bands + POINT_COST))


def _measure(law: LineMixture, steps: PhaseSteps, bias: float, score_noise: float, spacing):
    rows = [_Row.of(*values, score_noise) for values in zip(steps.P, steps.Q, steps.noise, strict=True)]
    field = _box(law, steps, rows, bias, spacing)
    phi, S = steps.path.kernel(steps.clock)
    inverse = np.linalg.inv(steps.prior)
    x, v = field.x[:, None], field.v[None, :]
    energy = inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * v + inverse[1, 1] * v**2
    values = np.exp(-energy / 2) * np.sqrt(np.linalg.det(inverse)) / (2 * np.pi)
    for i, row in enumerate(rows):
        # x̂ = αx + βv: the box stretches by α, the shear is done inside it
        field.stretch *= row.alpha
        values = field.sheared(values, row.beta)
        position = (field.x[:, None] * field.stretch - row.beta * v) / row.alpha
        velocity = np.broadcast_to(v, position.shape)
        mean = row.pull[0] * position + row.pull[1] * velocity
        if row.push:
            score = PhaseMixtureScore(law.weights, law.means[:, None], np.square(law.stds), phi[i], S[i])
            mean = mean + row.push * (score.score(position[..., None], velocity[..., None])[1][..., 0] + bias)
        values = field.kicked(values, mean, row.g)
        if row.blur[0]:
            values = field.blurred(values, row.blur)
        values = field.sheared(values, row.shear)
    marginal = values.sum(axis=1) * field.dv
    mass = float(marginal.sum()) * field.dx
    lost = abs(1 - mass) * (field.x[-1] - field.x[0])
    return _w2(law, field.x * field.stretch, marginal / (mass * field.stretch)), lost


def _box(law: LineMixture, steps: PhaseSteps, rows, bias: float, spacing) -> _Field:
    phi, S = steps.path.kernel(steps.clock)
    spread = S[:, None] + np.square(law.stds)[None, :, None, None] * (phi[:, :, None] * phi[:, None, :])[:, None]
    centre = phi[:, None] * law.means[None, :, None]
    deviation = np.sqrt(np.diagonal(spread, axis1=2, axis2=3))
    prior = np.sqrt(np.diagonal(steps.prior))
    # a coarse sampler's law is wider than the forward one it follows
    reach = 1.15 * BOX * np.maximum(deviation.max(axis=(0, 1)), prior) + np.abs(centre).max(axis=(0, 1))
    reach = reach + abs(bias) * np.abs(steps.Q[:, :, 1]).sum(axis=0)
    determinant = spread[..., 0, 0] * spread[..., 1, 1] - np.square(spread[..., 0, 1])
    conditional = np.sqrt(determinant[:-1] / spread[:-1, :, 1, 1]).min()
    slope = max(abs(row.pull[1]) for row in rows)
    stretch = np.cumprod([row.alpha for row in rows])
    dx = spacing[1] * min(conditional, law.stds.min()) / max(stretch.max(), 1.0)
    dv = spacing[0] * np.sqrt(min(row.g for row in rows)) / max(slope, 1.0)
    if not stretch.min() > 0:
        raise GridTooLarge("steps are too long for the law on the line: a row turns the position over")
    sizes = reach / np.array([min(stretch.min(), 1.0), 1.0])
    counts = [_even(2 * size / width) for size, width in zip(sizes, (dx, dv), strict=True)]
    if counts[0] * counts[1] > MAX_POINTS:
        raise GridTooLarge(f"steps need a grid of {counts[0]} x {counts[1]} points, more than {MAX_POINTS}: take fewer or wider")
    x, v = (np.linspace(-size, size, count, endpoint=False) for size, count in zip(sizes, counts, strict=True))
    return _Field(x, v)


def _even(count: float) -> int:
    from scipy.fft import next_fast_len

    return 2 * next_fast_len(int(np.ceil(count / 2)), real=True)


def _w2(law: LineMixture, x, density) -> float:
    """W2 between a density on a grid and the mixture, by quantiles, the density refined by its Fourier series."""
    n, length = len(x), len(x) * (x[1] - x[0])
    waves = np.fft.rfft(density)
    rates = 2j * np.pi * np.arange(len(waves)) / length
    rates[0] = 1.0
    places = x[0] + length * np.arange(n * FINER) / (n * FINER)
    fine = np.maximum(np.fft.irfft(waves, n=n * FINER) * FINER, 0.0)
    # the antiderivative of the series: its constant part grows linearly, and it vanishes at the lower end
    wavy = np.where(np.arange(len(waves)) > 0, waves / rates, 0.0)
    below = np.fft.irfft(wavy, n=n * FINER) * FINER
    below = below - below[0] + waves[0].real / n * (places - x[0])
    kept = (below > 1e-12) & (below < 1 - 1e-12)
    moved = law.ppf(below[kept])
    return float(np.sqrt(np.sum(fine[kept] * np.square(places[kept] - moved)) * length / (n * FINER)))
