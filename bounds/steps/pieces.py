"""Steps cut where panels of the coefficients end, and a proved bound of what a Gauss rule misses there."""

from dataclasses import dataclass

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.analytic_panels import LONGEST_DRIFT, REACH, analytic_panels

#: Nodes of a panel: few where the step is short, more where that is not accurate enough, then halves of it.
SHORT, LONG = 5, 10
#: Times ∫|f|: by how much more a rule misses where F at its nodes is the integral of f's interpolant there.
COLLOCATION = 256.0
#: A panel is cut in at most so many for that.
MAX_CUTS = 1 << 11
#: What the short rule may miss, relative to a bound of the integrand.
SHORT_ERROR = 1e-15
_EPS = np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Pieces:
    """Every step of a grid in pieces, each inside one panel of `bounds.steps.analytic_panels`.

    Attributes
    ----------
    places : array of shape (n+1,)
        The ends of all pieces, ascending.
    first, count : arrays of shape (k,)
        The first piece of each step, and how many it has; steps are in the order of the grid (descending).
    short : array of shape (k,)
        Whether few nodes are proved to do.
    f_error, g_sq_error : arrays of shape (k,)
        Proved bounds of what the rule misses of ∫f, and of ∫e^{2(F − F')}g² where F' is F at the piece.
    largest : array of shape (k,)
        A bound of g² on each step.
    unproved : str
        Why these bounds say nothing, or "".
    """

    places: np.ndarray
    first: np.ndarray
    count: np.ndarray
    short: np.ndarray
    f_error: np.ndarray
    g_sq_error: np.ndarray
    largest: np.ndarray
    unproved: str

    def edges(self, steps: np.ndarray, count: int) -> np.ndarray:
        """Ends of pieces of steps with ``count`` each, (n, count+1), in [0, 1] from a step's lower to upper
        end."""
        found = self.places[self.first[steps][:, None] + np.arange(count + 1)]
        low, high = found[:, :1], found[:, -1:]
        return (found - low) / (high - low)


def is_usable(process: ForwardProcess, horizon: float) -> bool:
    """Whether f and g² are up to a horizon what they have to be, so that its panels serve shorter ones (``reach``)."""
    try:
        _panels_to(process, horizon)
    except ValueError:
        return False
    return True


def _panels_to(process: ForwardProcess, horizon: float):
    return analytic_panels((process.f, process.g_sq), ("f", "g²"), (False, True), horizon)


def pieces(process: ForwardProcess, times: np.ndarray, reach: float = 0.0) -> Pieces:
    """The pieces of the steps between decreasing ``times`` of a process of one block, from the panels of a longer
    horizon ``reach`` where one is given.

    Raises ValueError where f or g² is proved not to be usable on (0, T].
    """
    panels = _panels_to(process, max(float(times[0]), reach))
    ends, ascending = panels.edges, times[::-1]
    inner = _needed(ends[(ends > ascending[0]) & (ends < ascending[-1])], ascending, panels)
    places, panel = _cut(np.union1d(ascending, inner) if len(inner) else ascending, panels)
    length = np.diff(places)
    middle = places[:-1] + length / 2
    half, centre = np.diff(ends)[panel] / 2, (ends[:-1] + ends[1:])[panel] / 2
    f_bound, g_bound = panels.bounds[:, panel]
    drift = f_bound * length
    with np.errstate(divide="ignore", over="ignore"):
        reach = (REACH * half - np.abs(middle - centre)) * 2 / length
        # e^{drift·axis}ϱ^{−2n} is least at the axis 2n/drift
        axis = np.minimum(reach, np.maximum(3.0, 2 * SHORT / drift))
    rho = axis + np.sqrt(np.square(axis) - 1)
    growth = np.exp(np.minimum(drift * (axis + 1) + np.log1p(COLLOCATION * drift), 700.0))
    steps = len(times) - 1
    step = steps - np.searchsorted(ascending, places[:-1], side="right")
    count = np.bincount(step, minlength=steps)
    first = np.concatenate([np.cumsum(count[::-1])[::-1][1:], [0]])
    few = 64 / 15 * growth * rho ** (-2.0 * SHORT) <= SHORT_ERROR
    short = (count == 1) & (np.bincount(step, few, steps) == 1)
    nodes = np.where(short[step], SHORT, LONG)
    missed = 32 / 15 * length * rho ** (-2.0 * nodes) / (1 - rho**-2.0)
    # a node is rounded to a float, where the function has a slope of at most bound / distance (Cauchy)
    rounded = length / ((REACH - 1) * half) * (2 * _EPS * np.abs(places[1:]))
    hidden = panels.hidden[:, panel]
    f_error = f_bound * (missed + rounded) + hidden[0]
    g_error = g_bound * (growth * missed + rounded) + hidden[1]
    return Pieces(places, first, count, short, np.bincount(step, f_error, steps),
                  np.bincount(step, g_error, steps), np.maximum.reduceat(g_bound, first[::-1])[::-1],
                  panels.unproved)


def _needed(inner, ascending, panels):
    """Ends of panels at which steps have to be cut: not where one disc is as large beside the step as beside
    a panel of its own."""
    if not panels.spreads or not len(inner):
        return inner
    step = np.searchsorted(ascending, inner, side="right") - 1
    low, high = ascending[step], ascending[np.minimum(step + 1, len(ascending) - 1)]
    middle = low + (high - low) / 2
    panel = np.searchsorted(panels.edges, middle, side="right") - 1
    half, centre = np.diff(panels.edges)[panel] / 2, (panels.edges[:-1] + panels.edges[1:])[panel] / 2
    near = (REACH * half - np.abs(middle - centre)) * 2 >= REACH * (high - low)
    return inner[~(near & (panels.bounds[:, panel] > 0).any(axis=0))]


def _cut(places, panels):
    """``places`` with those in between that keep ∫|f| over a piece small, and the panel on whose disc each
    piece is: where no end of a panel cuts, that of the middle."""
    length = np.diff(places)
    panel = np.searchsorted(panels.edges, places[:-1], side="right") - 1
    at_middle = np.searchsorted(panels.edges, places[:-1] + length / 2, side="right") - 1
    panel = np.where(places[1:] > panels.edges[panel + 1], at_middle, panel)
    # where a step is far too long for floats it is refused, however fine it is cut
    parts = np.ceil(panels.bounds[0, panel] * length / LONGEST_DRIFT)
    parts = np.where(parts > MAX_CUTS, 1, parts).astype(int)
    if parts.max() <= 1:
        return places, panel
    parts = np.maximum(parts, 1)
    start = np.concatenate([[0], np.cumsum(parts)[:-1]])
    within = np.arange(parts.sum()) - np.repeat(start, parts)
    cut = np.repeat(places[:-1], parts) + np.repeat(length / parts, parts) * within
    return np.append(cut, places[-1]), np.repeat(panel, parts)
