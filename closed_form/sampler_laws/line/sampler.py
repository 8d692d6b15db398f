r"""The exact law of the sampler for laws on a line, by quadrature over the Gaussian of every step instead of
simulation."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line import w2_line
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import NoExactLaw
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.law import LineLaw, PushedLaw
from closed_form.sampler_laws.line.maps import LineSteps
from closed_form.sampler_laws.line.propagation import NEGLIGIBLE, GridTooLarge, Route, Sources
from closed_form.sampler_laws.line.start_map import StartMap, image_w2

FINE, COARSE = (0.6, 5e-6), (0.7, 1e-4)  # spacing in scales of the integrand; error allowed at twice that
MAX_POINTS = 200_000
_EPS = np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class SamplerLine:
    """What `sampler_line` found.

    Parameters
    ----------
    law : LineLaw or PushedLaw
        Law of the last iterate, up to the two errors below.
    mass_error : float
        |1 − mass| before normalisation.
    neglected : float
        Bound of the W2 distance to the law with the noise of the last steps that was left out.
    points : int
        Size of the largest grid.
    reach : float
        Largest |x| at which a step was evaluated.
    """

    law: LineLaw | PushedLaw
    mass_error: float
    neglected: float
    points: int
    reach: float


def sampler_line(law: GaussianMixture | Gaussian, steps: Steps, bias: float = 0.0, noise_size: float = 0.0,
                 accuracy: tuple[float, float] = FINE, max_points: int = MAX_POINTS) -> SamplerLine:
    r"""Law of the last iterate for data on a line, every Gaussian or mixture of Gaussians.

    .. math:: p_{i+1}(y) = \sum_j \Delta\, p_i(x_j)\, N(y;\ m_i(x_j),\ c_i^2), \qquad
              m_i(x) = P_i x + Q_i(s_i(x) + b), \qquad c_i^2 = \mathrm{noise\_var}_i + Q_i^2 M_{noise}^2.

    The trapezoid rule converges faster than any power of its spacing Δ, which is a share of the scale
    :math:`(c_{i-1}^{-2} + \max|m_i'|^2 c_i^{-2})^{-1/2}` of the integrand. The maximum runs over the points
    where p_i is not negligible, by the exact derivative of the score and by the differences of m_i between
    neighbours (which no narrow peak of the derivative escapes); the grid is rebuilt until it holds. Then
    the sums over even and over odd points are compared: they show the error that the grid would have at
    twice its spacing, and the spacing shrinks until that is below a tolerance; at the spacing itself the
    error is the square of it or smaller.
    Steps without noise are composed with the next noisy one; at the end they become a push-forward. Half
    the variance of the last noise is added on a grid of its own, so the result is a mixture on a grid.

    Parameters
    ----------
    law : GaussianMixture or Gaussian, of dimension 1
    steps : Steps
    bias : float
        Constant b added to the score.
    noise_size : float
        Standard deviation M_noise of the fresh noise added to the score.
    accuracy : (float, float)
        Largest relative spacing, and the tolerance for the error at twice the spacing.
    max_points : int
        Largest grid allowed.

    Raises
    ------
    ValueError
        If ``law`` is not on a line, a grid would exceed ``max_points``, or (`closed_form.law.NoExactLaw`) the
        noise-free steps at the end are not strictly increasing maps. Nothing is ever capped or clipped instead.

    References
    ----------
    docs/theory.md section 8 (ii).
    """
    chain = LineSteps.of(law, steps, bias, noise_size)
    route = Route(first_sources(law, steps), *accuracy, max_points)
    start, noisy = 0, np.flatnonzero(chain.noise > 0.0).tolist()
    for last in noisy:
        share = math.sqrt(0.5) if last == noisy[-1] else 1.0
        try:
            route.move(chain.through(start, last + 1), share * float(chain.noise[last]))
        except GridTooLarge as error:
            if chain.noise[start:].max() > 1e-3 * math.sqrt(chain.data_var):
                raise GridTooLarge(f"step {last} (time {steps.time[last]:.6g}): {error}") from None
            break
        start = last + 1
    sources = route.finished() if noisy and start > noisy[-1] else route.sources
    if sources.std == 0.0:
        raise ValueError("steps must have noise, got prior_var and every noise_var equal to 0")
    order, mass = np.argsort(sources.means), float(sources.weights.sum())
    final = LineLaw(sources.means[order], sources.weights[order] / mass, sources.std)
    if start == len(steps):
        return SamplerLine(final, abs(1.0 - mass), 0.0, route.points, route.reach)
    pushed, neglected = _pushed(final, chain, start, max_points)
    reach = max(route.reach, float(np.abs(pushed.table[0]).max()))
    return SamplerLine(pushed, abs(1.0 - mass), neglected, route.points, reach)


def line_w2(law: GaussianMixture | Gaussian, steps: Steps, bias: float = 0.0, noise_size: float = 0.0,
            target: GaussianMixture | Gaussian | None = None, max_points: int = MAX_POINTS) -> Bracket:
    r"""W2 between the law of the last iterate and ``target`` (the data law by default), on a line.

    The half-width adds the difference between a coarse and a fine quadrature grid, the width of the W2
    bracket on the fine one, the effect of rounding and the noise left out of the last steps, if any.  Steps
    without any noise map the start, increasing or not (`closed_form.sampler_laws.line.start_map`).

    Parameters
    ----------
    law, steps, bias, noise_size, max_points
        As in `sampler_line`.
    target : GaussianMixture or Gaussian, of dimension 1, optional

    Raises
    ------
    ValueError
        As `sampler_line`.
    """
    data = law if target is None else target
    chain = LineSteps.of(law, steps, bias, noise_size)
    begun = first_sources(law, steps)
    if not chain.noise.any():
        follow = partial(chain.followed, 0, len(steps))
        if begun.std == 0.0:
            return _point_w2(follow, float(begun.means[0]), LineMixture.of(data))
        return image_w2(LineLaw(begun.means, begun.weights, begun.std), follow, LineMixture.of(data))
    fine, coarse = (sampler_line(law, steps, bias, noise_size, accuracy, max_points)
                    for accuracy in (FINE, COARSE))
    best, check = (w2_line(found.law, data) for found in (fine, coarse))
    doubt = abs(best.midpoint - check.midpoint) + fine.neglected
    return best.widened(doubt + _rounding(fine, steps, best.midpoint))


def first_sources(law, steps: Steps) -> Sources:
    """The Gaussian that the steps start from, on a line."""
    start = steps.begun(law.mean)
    return Sources(start.mean_of(1).astype(float), np.ones(1), math.sqrt(float(start.variances_of(1)[0])))


def _point_w2(image: StartMap, start: float, target: LineMixture) -> Bracket:
    """W2 of the image of a point, (|T(x) − E X|² + Var X)^½, on a line."""
    y, _, doubt = (float(each[0]) for each in image(np.array([start])))
    mean = float(target.weights @ target.means)
    spread = float(target.weights @ (np.square(target.stds) + np.square(target.means - mean)))
    if not math.isfinite(y):
        raise GridTooLarge("the law of the sampler left the range of numbers")
    return Bracket.exact(math.hypot(y - mean, math.sqrt(spread)), doubt + 16 * _EPS * (abs(y) + abs(mean)
                         + math.sqrt(spread)), "image of a point")


def _pushed(source: LineLaw, chain: LineSteps, start: int, max_points: int) -> tuple[PushedLaw, float]:
    """``source`` through the steps from ``start`` on without their noise, and the W2 cost of that."""
    steps = chain.steps
    late = slice(start, len(steps))
    narrowest = math.sqrt(float((steps.a[late] ** 2 * chain.variances.min() + steps.s_sq[late]).min()))
    low, high = source.support()
    points = 4.0 * (high - low) / min(source.std, narrowest)
    if points > 10 * max_points:
        raise GridTooLarge(f"the last law is {high - low:.3g} wide with details of {narrowest:.3g}")
    x = np.linspace(low, high, max(1025, int(points)))
    image = chain.through(start, len(steps))
    y, slopes = image(x)
    if not (slopes.min() > 0.0 and np.diff(y).min() > 0.0):
        worst = int(slopes.argmin())
        raise NoExactLaw(
            f"steps without noise from time {steps.time[start]:.6g} on must be strictly increasing maps "
            f"(P + Q times the derivative of the score > 0), got slope {slopes[worst]:.3g} at {x[worst]:.6g}"
        )
    neglected_sq = 0.0
    if (chain.noise[start:] > 0.0).any():
        density = source.pdf(x)
        here = x[density > NEGLIGIBLE * density.max()]
        for i in range(start, len(steps)):  # synchronous coupling: fresh noise is orthogonal to the past
            here, slope = chain.through(i, i + 1)(here)
            neglected_sq = float(slope.max()) ** 2 * neglected_sq + float(chain.noise[i]) ** 2
    return PushedLaw(source, image, np.stack([x, y, slopes])), math.sqrt(neglected_sq)


def _rounding(found: SamplerLine, steps: Steps, w2: float) -> float:
    r"""Effect on W2 of relative errors ≤ δ of the density and ε of the positions, both random over steps.

    Moving mass inside a law of density p costs at most δ(∫min(F, 1−F)²/p)^½; moving it anywhere costs at
    most √δ times the width, or δ width²/(2 W2) to first order.
    """
    growth = 8.0 + math.sqrt(len(steps))
    delta = growth * _EPS + max(0.0, found.mass_error - _EPS * len(steps))  # a common factor is divided out
    pushed = isinstance(found.law, PushedLaw)
    source = found.law.source if pushed else found.law
    x = source.means[:: max(1, len(source.means) // 2000)]
    slope = found.law.image(x)[1] if pushed else 1.0
    low, high = found.law.support()
    integrand = (np.minimum(source.cdf(x), source.sf(x)) * slope) ** 2 / source.pdf(x)
    inside = math.sqrt(float(np.trapezoid(integrand, x)) + (source.std * float(np.max(slope))) ** 2)
    width = high - low
    anywhere = width * min(math.sqrt(delta), 0.5 * delta * width / max(w2, _EPS * width))
    places = growth * _EPS * found.reach * max(1.0, float(np.abs(steps.P).max()))
    return min(delta * inside, anywhere) + places
