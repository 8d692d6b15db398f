r"""The law of samplers without noise on a line: the image T of a law that they start from, and its W2."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.panels import added_up
from closed_form.sampler_laws.line.folded import folded_w2
from closed_form.sampler_laws.line.law import LineLaw
from closed_form.sampler_laws.line.propagation import GridTooLarge

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
#: Panels of equal length to begin with, and how close others begin and end, in deviations of the start.
PANELS, CLOSEST = 32, 0.05
#: Part of W2² to which panels are halved, and halvings at most.
TARGET, DEPTH = 1e-12, 40
#: Mass beyond the support of a law, with room for what Gaussian tails do there.
BEYOND = 16e-18
_EPS = np.finfo(float).eps

#: x ↦ (T(x), T'(x), what rounding may do to T(x)), arrays of shape (n,).
StartMap = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def image_w2(source: LineLaw, image: StartMap, target: LineMixture) -> Bracket:
    r"""W2 between the law of T(X), X of law ``source``, and ``target``.

    .. math:: W_2^2 = \int (T(x) - Q(S(x)))^2 s(x)\,dx

    where T increases, S and s the distribution function and density of the start and Q the quantiles of the
    target.  Where T is seen to fall, the values of T are sorted (`closed_form.sampler_laws.line.folded`).

    Raises
    ------
    GridTooLarge
        If T(x) is no number somewhere.

    Source: docs/theory.md section 12.
    """
    def finite(x):
        with np.errstate(over="ignore", invalid="ignore"):
            found = image(x)
        if not all(np.isfinite(each).all() for each in found):
            raise GridTooLarge("the law of the sampler left the range of numbers")
        return found

    start = _Start(source, finite, target)
    ends = start.edges()
    total, doubt = added_up(_StartPanels(start, ends[:-1], ends[1:]), TARGET, DEPTH)
    if start.falls:
        return folded_w2(source, finite, target)
    doubt += start.farthest**2 * BEYOND
    lower, upper = math.sqrt(max(0.0, total - doubt)), math.sqrt(total + doubt)
    return Bracket(lower, upper, "map of the start, error estimated", "quadrature by halving its panels")


class _Start:
    """Where T(x) is, and where it should be; whether T was seen to fall."""

    def __init__(self, source: LineLaw, image: StartMap, target: LineMixture):
        self.source, self.image, self.target = source, image, target
        self.falls, self.farthest = False, 0.0
        low, high = target.support()
        self._blur = 4 * _EPS * max(abs(low), abs(high))

    def edges(self) -> np.ndarray:
        """Ends of panels: equal lengths, and where the knots of the target should come from."""
        low, high = self.source.support()
        knots = self.target.knots()
        below, above = self.target.cdf(knots), self.target.sf(knots)
        inside = (np.minimum(below, above) > BEYOND) & (np.maximum(below, above) < 1)
        found = LineMixture(self.source.means, self.source.std, self.source.weights).quantile(
            below[inside], above[inside])
        places, closest = np.unique(found), CLOSEST * self.source.std
        kept = places[np.unique(np.floor((places - low) / closest), return_index=True)[1]]
        return np.union1d(np.linspace(low, high, PANELS + 1), kept[(kept > low) & (kept < high)])

    def gap(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(T(x) − Q(S(x)), what rounding may do to it), at increasing x of shape (n,)."""
        y, slope, doubt = self.image(x)
        self.falls |= bool(slope.min() < 0 or (np.diff(y) < -(doubt[1:] + doubt[:-1])).any())
        wanted = self.target.quantile(self.source.cdf(x), self.source.sf(x))
        self.farthest = max(self.farthest, float(np.abs(y - wanted).max()))
        return y - wanted, doubt + self._blur


class _StartPanels:
    """The shares of W2² of panels of the start, by a Gauss rule."""

    def __init__(self, start: _Start, low: np.ndarray, high: np.ndarray):
        self.start, self.low, self.high = start, low, high
        half = (high - low) / 2
        nodes = low[:, None] + half[:, None] * (1 + _NODES)
        order = np.argsort(nodes, axis=None)
        gap, doubt = np.empty(nodes.size), np.empty(nodes.size)
        gap[order], doubt[order] = start.gap(nodes.ravel()[order])
        gap, doubt = gap.reshape(nodes.shape), doubt.reshape(nodes.shape)
        mass = half[:, None] * _WEIGHTS * start.source.pdf(nodes)
        self.share = (mass * np.square(gap)).sum(axis=1)
        self.noise = (mass * (doubt * (2 * np.abs(gap) + doubt) + 32 * _EPS * np.square(gap))).sum(axis=1)
        self.unseen = np.zeros_like(half)

    def halves(self, which: np.ndarray) -> _StartPanels:
        """Both halves of the chosen panels, lefts first."""
        low, high = self.low[which], self.high[which]
        middle = (low + high) / 2
        return _StartPanels(self.start, np.concatenate([low, middle]), np.concatenate([middle, high]))
