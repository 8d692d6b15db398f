"""W2 between two laws on the line, by certified quadrature along the curve of equal quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bounds.annotations import Array
from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.panels import added_up
from closed_form.distances.roots import elementwise_roots, quantiles
from closed_form.law import Law

_EPS = np.finfo(float).eps
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PLACES = np.append(_NODES, 0.0)  # of a panel from −1 to 1: its nodes and its middle
_T = 0.5 * (1.0 + _PLACES)
_CUBIC = np.stack([(1.0 + 2.0 * _T) * (1.0 - _T) ** 2, (3.0 - 2.0 * _T) * _T**2, _T * (1.0 - _T) ** 2,
                   (_T - 1.0) * _T**2])  # by values and slopes at both ends
_TO_HALVES = [np.linalg.solve(np.polynomial.legendre.legvander(_PLACES, 16).T,
                              np.polynomial.legendre.legvander(0.5 * (_PLACES + side), 16).T).T
              for side in (-1.0, 1.0)]  # from there to the same of both halves, by polynomials
_TARGET = 1e-13  # relative error of W2² asked of the quadrature
_SAME = 1.0  # roundings of two levels between which they count as equal
_POINT = 1e-9  # width of a law, relative to another's, below which no node would find it
_DEPTH = 14  # halvings of a panel before its error is accepted and reported


class LineDistribution(Protocol):
    """A law on the line with a density, as ``w2_line`` needs it; all methods are vectorised over x (n,).

    It may have ``knots()`` too: increasing points across the support, with the density smooth between
    neighbours.
    """

    def cdf(self, x: Array) -> Array:
        """P(X <= x), accurate relative to itself where it is small."""

    def sf(self, x: Array) -> Array:
        """P(X > x), accurate relative to itself where it is small."""

    def pdf(self, x: Array) -> Array:
        """Density."""

    def support(self) -> tuple[float, float]:
        """An interval outside which the mass is below 1e-18, the tails beyond it no heavier than Gaussian."""


def w2_line(p: LineDistribution | Law, q: LineDistribution | Law) -> Bracket:
    r"""W2 between two laws on the line, by the quantile coupling parametrised without jumps.

    The optimal coupling is the curve F(x) = G(y). With s = (x+y)/2 as its parameter, x and y move at speeds
    2g/(f+g) and 2f/(f+g), both between 0 and 2 even where the optimal map jumps, so

    .. math:: W_2^2 = \int (x-y)^2 \, \frac{2 f(x) g(y)}{f(x)+g(y)} \, ds

    has an integrand as smooth as the densities. Composite Gauss rule, panels halved until the change is below
    1e-13 of the whole and the mass of the panel comes out right; the bracket adds up the last changes, the
    rounding of both distribution functions and of x − y, and the tails beyond the supports.

    Parameters
    ----------
    p, q : LineDistribution, Gaussian or GaussianMixture of dimension 1

    Raises
    ------
    ValueError, TypeError
        If a law is none of these.

    Source: docs/theory.md section 8.
    """
    p, q = (law if hasattr(law, "cdf") else LineMixture.of(law) for law in (p, q))
    if (found := _beside_a_point(p, q) or _beside_a_point(q, p)) is not None:
        return found
    curve = _Coupling.of(p, q)
    total, doubt = _integrate(curve)
    lower, upper = math.sqrt(max(0.0, total - doubt)), math.sqrt(total + doubt)
    return Bracket(lower, upper, "quantile coupling, error estimated", "quadrature by halving its panels")


def _beside_a_point(narrow: LineDistribution, law) -> Bracket | None:
    """W2 where one law is a point beside the other, whose moments are known: up to its width; else None."""
    (low, high), (left, right) = narrow.support(), law.support()
    if not (isinstance(law, LineMixture) and high - low <= _POINT * (right - left)):
        return None
    point = 0.5 * (low + high)
    size = math.sqrt(float(law.weights @ (np.square(law.means - point) + np.square(law.stds))))
    return Bracket.exact(size, len(law.means) * _EPS * size + (high - low), "distance from a point")


def _table(law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots of a law, and both its distribution functions there, made monotone where rounding is not."""
    x = law.knots() if hasattr(law, "knots") else np.linspace(*law.support(), 129)
    return x, np.maximum.accumulate(law.cdf(x)), np.minimum.accumulate(law.sf(x))


@dataclass(frozen=True, eq=False)
class _Coupling:
    """The curve s -> (x, y) = (s − δ, s + δ) on which F(x) = G(y)."""

    p: LineDistribution
    q: LineDistribution
    tables: tuple  # of either law: its knots and both distribution functions there
    width: float  # of the union of both supports
    blur: float  # bound of the rounding of x − y
    middle: float  # where F(x) = G(y) = 1/2

    @classmethod
    def of(cls, p: LineDistribution, q: LineDistribution) -> _Coupling:
        sides = [law.support() for law in (p, q)]
        low, high = min(side[0] for side in sides), max(side[1] for side in sides)
        blur = 4.0 * _EPS * max(abs(low), abs(high))
        tables = _table(p), _table(q)
        half = np.array([0.5]), np.array([True])
        medians = [float(quantiles(law, table, *half, blur / 16.0, 2.0 * max(abs(low), abs(high)))[0])
                   for law, table in zip((p, q), tables, strict=True)]
        return cls(p, q, tables, high - low, blur, 0.5 * (medians[0] + medians[1]))

    def half_gap(self, s, low=None, high=None, start=None) -> np.ndarray:
        """δ at every s (n,), looked for in [low, high] first; the least |δ| where F and G are flat together."""
        below = s <= self.middle
        wide = np.full(s.shape, self.width)

        def excess(delta, s, below):
            x, y = s - delta, s + delta
            first, second = self._levels(x, y, below)
            both = first + second
            value = np.where(below, second - first, first - second)
            slope = self.p.pdf(x) / first + self.q.pdf(y) / second
            step = -2.0 * np.arctanh(value / both) / slope  # of the logarithm of a level over the other
            same = np.abs(value) <= _SAME * _EPS * both
            flat = same & ~(_SAME * _EPS < 0.25 * self.blur * slope)
            value[same] = 0.0
            value[flat], step[flat] = delta[flat], -delta[flat]
            return value, step

        low, high = (-wide, wide) if low is None else (low, high)
        return elementwise_roots(excess, low, high, (s, below), self.blur / 16.0, start, wide)

    def _levels(self, x, y, below):
        """F and G where ``below``, else 1 − F and 1 − G."""
        first, second = np.empty(x.shape), np.empty(y.shape)
        for law, points, level in ((self.p, x, first), (self.q, y, second)):
            level[below] = law.cdf(points[below])
            level[~below] = law.sf(points[~below])
        return first, second

    def level(self, s, delta) -> np.ndarray:
        """P(X <= x) up to the middle, P(X > x) after it."""
        return self._levels(s - delta, s + delta, s <= self.middle)[0]

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(Ends of panels in s, about δ there): the knots of both laws, carried to the curve."""
        wide = abs(self.middle) + 2.0 * self.width
        low, high = np.array([self.middle - 2.0 * self.width]), np.array([self.middle + 2.0 * self.width])
        sets, known = [], []
        for sign, (x, cdf, sf), other, table in ((1.0, self.tables[0], self.q, self.tables[1]),
                                                 (-1.0, self.tables[1], self.p, self.tables[0])):
            level, below = np.minimum(cdf, sf), cdf <= sf
            level = np.maximum(level, max(other.cdf(low)[0], other.sf(high)[0]))
            y = quantiles(other, table, level, below, self.blur, wide)
            sets.append(np.unique(0.5 * (x + y)))
            known.append(np.stack([0.5 * (x + y), 0.5 * sign * (y - x)]))
        first, second = sets
        gaps = np.diff(second, prepend=-np.inf, append=np.inf)
        after = np.searchsorted(first, second)
        padded = np.concatenate([[-np.inf], first, [np.inf]])
        nearest = np.minimum(second - padded[after], padded[after + 1] - second)
        ends = np.union1d(first, second[nearest > 0.25 * np.minimum(gaps[:-1], gaps[1:])])
        ends = np.union1d(ends, self.middle)  # where the side that is accurate changes
        ends = ends[np.diff(ends, prepend=-np.inf) > 1e-13 * self.width]
        together = np.concatenate(known, axis=1)
        places, deltas = together[:, np.argsort(together[0])]
        return ends, np.interp(ends, places, deltas)


@dataclass(frozen=True, eq=False)
class _Panels:
    """Pieces [a, b] of the range of s, each with its share of W2² by one Gauss rule and its doubts."""

    curve: _Coupling
    s: np.ndarray  # (n, 3): left end, middle, right end
    delta: np.ndarray  # (n, 3)
    at_nodes: np.ndarray  # (n, 17): δ at the nodes and in the middle
    share: np.ndarray  # (n,)
    noise: np.ndarray  # (n,) what rounding can do to the share
    unseen: np.ndarray  # (n,) squared distance times the mass that the rule missed

    @classmethod
    def of(cls, curve: _Coupling, s: np.ndarray, delta: np.ndarray, start=None) -> _Panels:
        """From the two ends (n, 2) of every panel and the curve there; ``start`` (n, 17): about where at nodes."""
        half = 0.5 * (s[:, 1:] - s[:, :1])
        nodes = s[:, :1] + half * (1.0 + _PLACES)
        x, y = s - delta, s + delta  # both increase along the curve, which brackets the nodes
        low = np.maximum(y[:, :1] - nodes, nodes - x[:, 1:]) - curve.blur
        high = np.minimum(y[:, 1:] - nodes, nodes - x[:, :1]) + curve.blur
        start = _cubic(curve, s, delta) if start is None else start
        found = curve.half_gap(*(array.ravel() for array in (nodes, low, high, start))).reshape(nodes.shape)
        at_nodes, s = found, np.stack([s[:, 0], nodes[:, -1], s[:, 1]], axis=1)
        delta = np.stack([delta[:, 0], found[:, -1], delta[:, 1]], axis=1)
        nodes, gap = nodes[:, :-1], 2.0 * found[:, :-1]
        f, g = curve.p.pdf(nodes - 0.5 * gap), curve.q.pdf(nodes + 0.5 * gap)
        density = 2.0 * np.minimum(f, g) / (1.0 + np.minimum(f, g) / np.maximum(np.maximum(f, g), 1e-300))
        level = curve.level(s.ravel(), delta.ravel()).reshape(s.shape)
        far = 2.0 * np.abs(delta).max(axis=1)
        mass = half * (density @ _WEIGHTS[:, None])
        rise, top = np.abs(level[:, 2] - level[:, 0]), level.max(axis=1)
        known = 32.0 * _EPS * top + 4.0 * curve.blur * f.max(axis=1)  # to how much the rise itself is known
        missed = np.abs(mass[:, 0] - rise)
        lost = np.maximum(0.0, missed - known)
        noise = 2.0 * half[:, 0] * far * 16.0 * _EPS * top + rise * curve.blur * (2.0 * far + curve.blur)
        noise += far**2 * (missed - lost)
        return cls(curve, s, delta, at_nodes, half[:, 0] * ((gap**2 * density) @ _WEIGHTS), noise, far**2 * lost)

    def halves(self, which: np.ndarray) -> _Panels:
        """Both halves of the chosen panels, lefts first."""
        s, delta = self.s[which], self.delta[which]
        ends = [np.concatenate([array[:, :2], array[:, 1:]]) for array in (s, delta)]
        start = np.concatenate([self.at_nodes[which] @ to_half.T for to_half in _TO_HALVES])
        return _Panels.of(self.curve, *ends, start)


def _cubic(curve: _Coupling, s: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """About δ at the nodes of panels with ends (n, 2): the cubic with the slopes (f − g)/(f + g) of the curve."""
    f, g = curve.p.pdf(s - delta), curve.q.pdf(s + delta)
    slope = (f - g) / np.maximum(f + g, 1e-300) * (s[:, 1:] - s[:, :1])
    return np.concatenate([delta, slope], axis=1) @ _CUBIC


def _integrate(curve: _Coupling) -> tuple[float, float]:
    """W2² and a bound of its error."""
    ends, start = curve.ends()
    delta = curve.half_gap(ends, start=start)
    panels = _Panels.of(curve, *(np.stack([array[:-1], array[1:]], axis=1) for array in (ends, delta)))
    total, doubt = added_up(panels, _TARGET, _DEPTH)
    return total, doubt + float(np.abs(delta[[0, -1]]).max()) ** 2 * 16e-18
