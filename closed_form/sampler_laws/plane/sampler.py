r"""The exact law of the sampler for isotropic mixtures in the plane, on a grid, and its W2 to the data.

A step is a map m of the plane and noise: the density p of an iterate becomes that of m(X), p(x)/det Dm(x) at
m(x), and then its convolution with a Gaussian.  Both are smooth on the scale of the components, however short
the step is, so the grid follows their width and not the noise.
"""

import math
from functools import partial

import numpy as np
from scipy import fft
from scipy.cluster.hierarchy import fcluster, linkage

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.planar_halfway import Halfway
from closed_form.distances.planar_jumps import Jumps
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.plane.law import Grid, PlaneLaw, TooCoarse
from closed_form.sampler_laws.plane.maps import PlaneSteps

#: Points a deviation of the components, on the fine grid and on the coarse one that is compared.
FINE, COARSE = 4.2, 3.5
#: The same where a grid does not hold the detail of the law after long steps.
FINER = 6.5, 5.5
#: Those of `FINE` and `COARSE` where steps on the fine grid, and a first look at the distance, which takes so many seconds a point,
#: are thought to take more seconds than the number before.
LOOK = 2e-5
FEWER = (1.5, (3.5, 2.8)), (4.0, (2.8, 2.4)), (8.0, (2.4, 2.1))
#: Most points of a grid.
MAX_POINTS = 1 << 18
#: Seconds that a point, and a component at it, take a step; those a point takes in the distance; the most
#: allowed.
POINT, COMPONENT, DISTANCE, MOST_SECONDS = 2e-7, 1.2e-8, 1.5e-4, 120.0
#: Sides farther apart than these parts of the upper one are sought by a second way, and by a third.
NEAR, APART = 0.04, 0.1
#: Components nearer than so many deviations are in one group; those farther apart are told first.
LINKED, FAR = 6.0, 13.0
#: Points a deviation where what is half-way is sought, while they are not more than so many; the least.
SHARP, MOST_HALFWAY, LEAST = 3.9, 90_000, 2.4
#: Mass that a projection may have anywhere at least: rounding.
ASTRAY = 1e-13
#: Half-width of a component's window in its deviations.
WIDE = 8.0


def plane_law(law, steps: Steps, bias=(0.0, 0.0), noise_size: float = 0.0, points: float = FINE,
              most: int = MAX_POINTS) -> PlaneLaw:
    """Law of the last iterate for an isotropic mixture of dimension 2, on a grid.

    Parameters
    ----------
    law : GaussianMixture
        With ``std``.
    steps : Steps
    bias : array of shape (2,)
        Constant added to the score.
    noise_size : float
        Standard deviation, in each direction, of the fresh noise added to the score.
    points : float
        Points of the grid a deviation of the components.
    most : int
        Points of a grid at most.

    Raises
    ------
    GridTooLarge
        If a grid would be larger, or all of them take too long, or the law has detail that its grid has not.
    NoExactLaw
        If steps may fold the plane, or their kind is not known here.
    """
    chain = PlaneSteps.of(law, steps, np.asarray(bias, dtype=float), noise_size)
    widths = np.sqrt(chain.steps.a**2 * law.std**2 + chain.steps.s_sq)
    _check_work(law, chain.steps, points)
    start = 1.0 if steps.start is not None else math.sqrt(chain.steps.prior_var)
    found = PlaneLaw.gaussian(start, start / points, steps.start, most, chain.steps.begun(law.mean).mean_of(2))
    for i, noise in enumerate(chain.noise.tolist()):
        found.move(partial(chain.moved, i), noise, float(widths[i + 1]) / points, most)
    found.check()
    return found


def plane_w2(law, steps: Steps, bias=(0.0, 0.0), noise_size: float = 0.0) -> Bracket:
    """W2 between the law of the last iterate and the data, an isotropic mixture of dimension 2.

    Both sides are moved apart by what they are off on a coarser grid.

    Parameters
    ----------
    law, steps, bias, noise_size
        As in `plane_law`.

    References
    ----------
    docs/theory.md section 8 (v).
    """
    pair, (seconds, sizes) = (FINE, COARSE), _work(law, steps, FINE)
    seconds += LOOK * float(sizes[-1])
    for limit, fewer in FEWER:
        pair = fewer if seconds > limit else pair
    try:
        laws = [plane_law(law, steps, bias, noise_size, points) for points in pair]
    except TooCoarse:
        laws = [plane_law(law, steps, bias, noise_size, points) for points in FINER]
    lower, upper = _sides(law, *laws)
    if upper == math.inf:
        raise GridTooLarge(f"W2 in the plane is not found on a grid of at most {MOST_HALFWAY} points: the data are too narrow, "
                           f"with a deviation of {law.std:.3g} around means {float(np.ptp(law.means, axis=0).max()):.3g} apart")
    return Bracket(lower, max(lower, upper), "planar density, potential and flow, error estimated",
                   "quadrature in the plane by a coarse grid")


def _sides(law, found: PlaneLaw, check: PlaneLaw) -> tuple[float, float]:
    """The lower side and the upper one by what is half-way and by groups, these first where some are far apart; where the sides are
    farther apart also by way of the mixture that has the shares of the sampler's law."""
    lower, upper = 0.0, math.inf
    for way in (_grouped, _halfway) if len(groups_of(law, FAR)) > 1 else (_halfway, _grouped):
        below, above = way(law, found, check)
        lower, upper = max(lower, below), min(upper, above)
        if upper - lower <= NEAR * upper < math.inf:
            break
    if (upper < math.inf and upper - lower <= APART * upper) or len(law.weights) == 1:
        return lower, max(lower, upper)
    other, moved, axes = reweighted(law, found)
    below, above = _halfway(other, found, check)
    apart = math.hypot(*(projected(law, found, axis) for axis in axes))
    lower = max(lower, below - moved, apart)
    return lower, max(lower, min(upper, above + moved))


def _halfway(law, found: PlaneLaw, check: PlaneLaw) -> tuple[float, float]:
    """Both sides by what is half-way, moved apart by what the lower one is off on a coarser grid; nothing where the grid would be
    too large."""
    low, sides = found.grid.low, found.grid.spacing * (np.array(found.grid.shape) - 1)
    points = min(SHARP, law.std * math.sqrt(MOST_HALFWAY / float(np.prod(sides))))
    if points < LEAST:
        return 0.0, math.inf
    grid = Grid.around(low, low + sides, law.std / points)
    lower, upper, off = Halfway(grid, found.density, partial(density, law), law.mean, law.covariance).sides(check.density)
    return lower - off, upper + off


def _grouped(law, found: PlaneLaw, check: PlaneLaw) -> tuple[float, float]:
    """The same by groups of components that hardly meet; nothing where there is one group."""
    groups = groups_of(law, LINKED)
    if len(groups) == 1:
        return 0.0, math.inf
    means = np.array([np.average(law.means[each], axis=0, weights=law.weights[each]) for each in groups])
    sides = []
    for seen in (found, check):
        values = np.maximum(seen.values, 0.0)
        values /= values.sum() * seen.grid.cell
        shares = law.responsibilities(seen.grid.points().T)
        parts = [values * shares[:, each].sum(axis=1).reshape(values.shape) for each in groups]
        sides.append(Jumps(seen.grid, parts, [partial(density, law, which=each) for each in groups], means, law.std).sides())
    (lower, upper), (other, _) = sides
    off = abs(lower - other)
    return lower - off, upper + off


def groups_of(law, far: float) -> list[np.ndarray]:
    """Numbers of components, those linked by gaps of at most ``far`` deviations in one group."""
    if len(law.weights) == 1:
        return [np.zeros(1, dtype=int)]
    labels = fcluster(linkage(law.means, "single"), far * law.std, "distance")
    return [np.flatnonzero(labels == each) for each in np.unique(labels)]


def projected(law, found: PlaneLaw, axis: np.ndarray) -> float:
    """A lower side of W2 along a unit vector: the law found is projected by its waves, and both laws are on a line."""
    from closed_form.distances.grid_density import density_w2

    grid, values = found.grid, np.maximum(found.values, 0.0)
    along = [x * part for x, part in zip(grid.axes(), axis, strict=True)]
    low, high = (sum(float(getattr(x, name)()) for x in along) for name in ("min", "max"))
    n = fft.next_fast_len(math.ceil((high - low) / grid.spacing) + 1, real=True)
    turns = 2j * np.pi * np.arange(n // 2 + 1)[:, None] / (n * grid.spacing)
    first, second = np.exp(-turns * (along[0] - low)), np.exp(-turns * along[1])
    curve = fft.irfft(((first @ (values / values.sum())) * second).sum(axis=1), n) / grid.spacing
    line = LineMixture(law.means @ axis, np.full(len(law.means), law.std), law.weights)
    value, doubt = density_w2(line, low + grid.spacing * np.arange(n), curve, max(found.lost, ASTRAY))
    return max(0.0, value - doubt)


def reweighted(law, found: PlaneLaw) -> tuple[GaussianMixture, float, np.ndarray]:
    """(The mixture whose weights are the mean shares of the components under the law found, its W2 to ``law`` at most:
    components that change their means alone, and the axes of these moves)."""
    import ot

    mass, points = np.maximum(found.values, 0.0).ravel(), found.grid.points()
    seen = mass > 0
    shares = mass[seen] @ law.responsibilities(points[:, seen].T)
    shares /= shares.sum()
    gaps = law.means[:, None] - law.means
    plan = ot.emd(shares, law.weights, np.square(gaps).sum(axis=2))
    spread = np.einsum("ij,ijk,ijl->kl", plan, gaps, gaps)
    return GaussianMixture(law.means, shares, std=law.std), math.sqrt(np.trace(spread)), np.linalg.eigh(spread)[1].T


def density(law, x: np.ndarray, which=slice(None)) -> np.ndarray:
    """The density of an isotropic mixture, or of some of its components, at x of shape (2, n)."""
    total = np.zeros(x.shape[1])
    for mean, weight in zip(law.means[which], law.weights[which].tolist(), strict=True):
        total += weight * np.exp((np.square(x[0] - mean[0]) + np.square(x[1] - mean[1])) / (-2 * law.std**2))
    return total / (2 * np.pi * law.std**2)


def _work(law, steps: Steps, points: float) -> tuple[float, np.ndarray]:
    """The seconds that the steps are thought to take, and points of their grids, from the windows of the forward laws."""
    widths = np.sqrt(steps.a**2 * law.std**2 + steps.s_sq).astype(float)
    sides = np.multiply.outer(steps.a, np.ptp(law.means, axis=0)) + 2 * WIDE * widths[:, None]
    sizes = np.prod(sides * (points / widths)[:, None], axis=1).astype(float)
    return float(sizes.sum()) * (POINT + COMPONENT * len(law.weights)), sizes


def _check_work(law, steps: Steps, points: float) -> None:
    """Refuse what would take too long."""
    seconds, sizes = _work(law, steps, points)
    seconds += DISTANCE * float(sizes[-1])
    if not seconds <= MOST_SECONDS:
        raise GridTooLarge(f"the law of the sampler in the plane would take about {seconds:.3g} s on grids of up to "
                           f"{sizes.max():.3g} points, above the limit of {MOST_SECONDS:g} s")
