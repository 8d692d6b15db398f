"""Random admissible problems of every family, scheme, grid and score error, whose exact answer is known."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import sympy

from bounds import edm, flow_matching, general, ou, sub_vp, ve, vp
from bounds.argument import check_key
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.processes.cld import cld
from bounds.sampler import Scheme, variance_of
from bounds.samplers import samplers
from bounds.schedules import constant, cosine, exponential, linear, polynomial
from bounds.steps.path import Path
from bounds.steps.phase_space.path import PhasePath
from bounds.symbolic.integrals import TIME
from closed_form import Gaussian, GaussianMixture
from verify.levels import rho_grid


class Draw(Protocol):
    """A source of choices: numpy's generator, or Hypothesis."""

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high]."""

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high]."""


class NumpyDraw:
    """Choices from a numpy generator."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng

    def uniform(self, low, high):
        return float(self._rng.uniform(low, high))

    def integer(self, low, high):
        return int(self._rng.integers(low, high + 1))


@dataclass(frozen=True)
class RandomProblem:
    """An admissible question with a known answer.

    Attributes
    ----------
    process, law, scheme, score_error, score_noise
        As for `verify.certificates.certificate.certify`.
    """

    process: ForwardProcess
    law: Gaussian | GaussianMixture
    scheme: Scheme
    score_error: float = 0.0
    score_noise: float = 0.0


def log_uniform(draw: Draw, low: float, high: float) -> float:
    """A number in [low, high], uniform in its logarithm."""
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))


def choice(draw: Draw, options):
    """One of ``options``."""
    return options[draw.integer(0, len(options) - 1)]


#: What `problem` may draw: processes of one block, critically-damped Langevin, or of one block, the families
#: given by their noise levels among them, with samplers of the probability-flow ODE.
PROCESSES = ("one-block", "cld", "ode")
#: Samplers a seed may draw, by their place in here: a name added would move every draw, so that a sampler
#: registered later is not among them; it is drawn by name, with ``sampler``.
_ONE_BLOCK_SAMPLERS = ("euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean",
                       "posterior-mean-matched", "ancestral")
#: The same for samplers without noise.
_ODE_SAMPLERS = ("ode-euler", "ode-exponential", "ddim", "heun", "heun-t", "midpoint", "dpm-solver-2")
#: The same for samplers of position and velocity; the splittings stand twice, and are drawn twice as often.
_PHASE_SPACE_SAMPLERS = ("euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean", "sscs",
                         "leapfrog", "symplectic-euler", "sscs", "leapfrog", "symplectic-euler")


def problem(draw: Draw, *, kind: str | None = None, most_steps: int = 2000, process: str = "one-block",
            sampler: str | None = None) -> RandomProblem:
    """A random problem.

    Parameters
    ----------
    kind : "gaussian" or "mixture", optional
        Kind of data; either by default.
    most_steps : int
        Largest number of steps.
    process : "one-block", "cld" or "ode"
    sampler : str, optional
        Key of any sampler with a form for the process, in place of the one drawn; the rest stays as drawn.

    Raises
    ------
    ValueError
        If ``kind``, ``process`` or ``sampler`` is none of these.
    """
    for name, value, known in (("kind", kind, ("gaussian", "mixture")), ("process", process, PROCESSES),
                               ("sampler", sampler, samplers())):
        if value is not None or name == "process":
            check_key(name, value, known)
    kind = kind or choice(draw, ("gaussian", "mixture"))
    made = {"one-block": _one_block, "cld": _phase_space, "ode": _noise_free}[process]
    parts = made(draw, kind, most_steps, sampler)
    family, law, scheme, scale = parts
    error, noise = (choice(draw, (0.0, 0.0, 1.0)) * log_uniform(draw, 1e-3, 1.0) * scale for _ in range(2))
    return RandomProblem(family, law, scheme, error, noise)


def _one_block(draw: Draw, kind: str, most_steps: int, sampler: str | None):
    """(process, law, scheme, a large score error)."""
    family, horizon = _process(draw)
    law = (_gaussian if kind == "gaussian" else _mixture)(draw)
    rule, grid = _rule(draw, _ONE_BLOCK_SAMPLERS, sampler), _grid(draw, horizon, most_steps)
    prior_std = choice(draw, (None, None, log_uniform(draw, 0.5, 2.0)))
    return family, law, Scheme(rule, grid, prior_std), 1 / float(np.sqrt(law.second_moment / law.dim))


def _noise_free(draw: Draw, kind: str, most_steps: int, sampler: str | None):
    """(process, law, scheme, a large score error), with samplers that have no noise."""
    family, horizon = _process(draw)
    special = choice(draw, ("", "", "edm", "flow-matching"))
    if special == "edm":
        family, horizon = edm(), float(_rational(log_uniform(draw, 1.0, 80.0)))
    elif special == "flow-matching":
        family, horizon = flow_matching(), float(_rational(1 - log_uniform(draw, 0.01, 0.5)))
    law = (_gaussian if kind == "gaussian" else _mixture)(draw)
    rule, grid = _rule(draw, _ODE_SAMPLERS, sampler), _grid(draw, horizon, most_steps)
    if draw.integer(0, 2) == 0:
        grid = _rho_grid(draw, family, grid)
    std, spread = choice(draw, ((None, 0.0), (None, 0.0), (log_uniform(draw, 0.5, 2.0), 0.0),
                                (None, variance_of(law))))
    return family, law, Scheme(rule, grid, std, spread), 1 / float(np.sqrt(law.second_moment / law.dim))


def _rho_grid(draw: Draw, family: ForwardProcess, grid: TimeGrid) -> TimeGrid:
    """A ρ-grid with as many steps as one of times, from a level that it has; that one where none is found."""
    rho, lowest = choice(draw, (1.0, 3.0, 7.0)), log_uniform(draw, 1e-4, 0.3)
    last_zero = grid.steps == 1 or bool(draw.integer(0, 1))
    path = Path(family, grid.times[:2])
    highest = float(np.sqrt(path.s_sq[-1]) / path.a[-1])
    if not 0 < highest < np.inf:
        return grid
    try:
        return rho_grid(family, highest, highest * lowest, grid.steps, rho=rho, last_zero=last_zero)
    except ValueError:  # a process that does not reach it
        return grid


def _rule(draw: Draw, drawn, sampler: str | None):
    """The sampler asked for; the choice is made all the same, so that what is drawn after it stays."""
    key = choice(draw, drawn)
    return samplers()[sampler or key]


def _phase_space(draw: Draw, kind: str, most_steps: int, sampler: str | None):
    family, horizon = _langevin(draw)
    path = PhasePath(family)
    width = float(np.sqrt(path.stationary[0, 0]))
    if kind == "gaussian":
        # data as wide as the stationary position within a factor of 20, or of any width
        law = _turned(draw, _gaussian(draw), choice(draw, (1.0, width)))
    else:
        law = _mixture(draw)
        law = GaussianMixture(width * law.means, weights=law.weights, std=width * law.std)
    scheme = Scheme(_rule(draw, _PHASE_SPACE_SAMPLERS, sampler), _grid(draw, horizon, most_steps))
    # a score error of one is as large as the score of the stationary velocity
    return family, law, scheme, 1 / float(np.sqrt(path.stationary[1, 1]))


def _langevin(draw: Draw):
    """(process, horizon), with a∫β between 0.1 and 15 and a, σ over four orders of magnitude."""
    a, sigma = (_significant(log_uniform(draw, 0.01, 100.0)) for _ in range(2))
    epsilon = _significant(choice(draw, (0.0, 1.0)) * log_uniform(draw, 1e-3, 3.0) * float(sigma) / float(a))
    velocity = _significant(choice(draw, (0.0, 1.0, 1.0)) * log_uniform(draw, 1e-3, 10.0)
                            * float(sigma**2 / a) / 4)
    horizon = float(_significant(log_uniform(draw, 0.01, 100.0)))
    turned = _significant(log_uniform(draw, 0.1, 15.0) / float(a) / horizon)
    place = TIME / _significant(horizon)
    shape = choice(draw, (TIME, TIME, 4 * TIME, (TIME + TIME * place) / 2, TIME + sympy.sin(5 * TIME) / 10,
                          sympy.log(1 + 3 * place) * _significant(horizon)))
    return cld(a, sigma, epsilon, velocity, clock=turned * shape), horizon


def _significant(value: float) -> sympy.Rational:
    """The number of four significant digits closest to ``value``."""
    return sympy.Rational(f"{value:.3e}")


def _rational(value: float) -> sympy.Rational:
    return sympy.Rational(round(value * 10_000), 10_000)


def _process(draw: Draw):
    """(process, horizon), with ∫|f| and the noise accumulated within a few orders of magnitude."""
    horizon = float(_rational(log_uniform(draw, 0.1, 10.0)))
    level = _rational(log_uniform(draw, 0.1, 10.0) / max(horizon, 0.3) * 2)
    slope, rate = _rational(draw.uniform(0.0, 5.0) / horizon), _rational(draw.uniform(-1.5, 1.5) / horizon)
    power = choice(draw, (sympy.Rational(1, 2), sympy.Integer(2), sympy.Integer(3)))
    makers = (
        ou,
        lambda: vp(constant(level)),
        lambda: vp(linear(level / 5, slope)),
        lambda: vp(polynomial(sympy.Rational(1, 10), _rational(1 / horizon), power) * level),
        lambda: vp(exponential(level, rate)),
        lambda: vp(cosine(_rational(1.05 * horizon + 0.001))),
        lambda: ve(constant(level)),
        lambda: ve(exponential(level / 3, rate)),
        lambda: ve(polynomial(0, level, power / 2)),
        lambda: sub_vp(linear(level / 5, slope)),
        lambda: general(-rate * sympy.Rational(3, 4) - slope / 10, constant(level)),
        lambda: general(level / 3 * sympy.sin(3 * TIME + slope) - rate / 2,
                        1 + sympy.cos(2 * TIME + level) * sympy.Rational(9, 10)),
    )
    return choice(draw, makers)(), horizon


def _grid(draw: Draw, horizon: float, most_steps: int) -> TimeGrid:
    shape = choice(draw, ("uniform", "uniform", "geometric", "list", "one"))
    if shape == "one":
        return TimeGrid.uniform(horizon, 1)
    steps = max(2, round(log_uniform(draw, 2, most_steps)))
    stop = choice(draw, (0.0, 0.0, 1.0)) * log_uniform(draw, 1e-4, 0.1) * horizon
    if shape == "list":
        # awkward: alternating long and short steps
        lengths = np.tile([1.0, log_uniform(draw, 0.02, 1.0)], steps)[:steps]
        times = horizon - np.concatenate([[0.0], np.cumsum(lengths)]) * (horizon - stop) / lengths.sum()
        times[-1] = stop
        return TimeGrid.from_times(times)
    return getattr(TimeGrid, shape)(horizon, steps, stop)


def _gaussian(draw: Draw) -> Gaussian:
    dim = choice(draw, (1, 1, 2, 10, 1000))
    std = log_uniform(draw, 0.05, 20.0)
    variances = std**2
    if dim > 1 and draw.integer(0, 1):
        variances = variances * np.geomspace(1.0, log_uniform(draw, 1.0, 100.0), dim)
    mean = np.zeros(dim)
    mean[0] = choice(draw, (0.0, 1.0, -1.0)) * log_uniform(draw, 0.01, 10.0) * std
    mean[-1] += choice(draw, (0.0, 1.0)) * log_uniform(draw, 0.01, 1.0)
    return Gaussian(mean, variances)


def _turned(draw: Draw, law: Gaussian, unit: float) -> Gaussian:
    """The law in other units, sometimes turned so that its covariance is full."""
    mean, spread = unit * law.mean, unit**2 * law.spread
    if 1 < law.dim <= 10 and draw.integer(0, 1):
        axis = np.cos(np.arange(law.dim) + draw.uniform(0.0, 6.0))
        mirror = np.eye(law.dim) - 2 * np.outer(axis, axis) / (axis @ axis)
        mean, spread = mirror @ mean, (mirror * np.broadcast_to(spread, law.dim)) @ mirror
        spread = (spread + spread.T) / 2
    return Gaussian(mean, spread)


def _mixture(draw: Draw) -> GaussianMixture:
    components = draw.integer(2, 5)
    std = log_uniform(draw, 0.1, 3.0)
    # distances from the centre in units of std: e^{R²/s²} is the price of every bound
    radius = draw.uniform(0.2, 2.0)
    places = np.array([draw.uniform(-1.0, 1.0) for _ in range(components)])
    places = (places - (places.max() + places.min()) / 2) / max(np.ptp(places) / 2, 1e-3) * radius * std
    weights = np.array([draw.uniform(0.1, 1.0) for _ in range(components)])
    dim = choice(draw, (1, 1, 1, 3, 100))
    direction = np.sin(np.arange(1, dim + 1))
    offset = choice(draw, (0.0, 1.0)) * draw.uniform(-1.0, 1.0) * std * np.cos(np.arange(dim))
    direction = direction / np.linalg.norm(direction)
    means, weights = offset + np.outer(places, direction), weights / weights.sum()
    if dim > 1 and draw.integer(0, 3) == 0:
        # a product: two more modes across the line
        across = np.eye(dim)[0] - direction[0] * direction
        step = draw.uniform(0.2, 1.0) * std * across / np.linalg.norm(across)
        chance = draw.uniform(0.1, 0.9)
        means = np.concatenate([means - step, means + step])
        weights = np.concatenate([chance * weights, (1 - chance) * weights])
    return GaussianMixture(means, weights=weights, std=std)
