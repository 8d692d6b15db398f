r"""How fast the score of Gaussian data changes in time: the constant M1 of arXiv 2311.11003, Assumption 2.

.. math:: \partial_t s = q\,x + y\,m, \quad q_i = \frac{V_i'}{V_i^2} = g^2u_i^2 - 2fu_i, \quad y_i =
    \Big(\frac{a}{V_i}\Big)' = a\,(fu_i - g^2u_i^2), \quad u_i = \frac{1}{V_i}, \quad
    V_i = a^2\lambda_i + s^2,

so M1 is the supremum over time of the larger of max_i |q_i| and ‖(y_i m_i)‖.  It is sampled, then proved not
to be more: in ranges of floats, on parts of time that are cut while they may hold more.  As u' = −q, the
slopes of q and y are known where those of f and g² are, and what rises and falls at known rates does not go
far beyond its ends (`bounds.symbolic.ranges.passed`).  Of the eigenvalues the least and the largest count,
and those next to where −q is largest, at u = f/g², where it is f²/g².
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.analytic_panels import PRECISION, analytic_panels
from bounds.steps.path import Path
from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed
from bounds.symbolic.ranges import Range, passed

#: Times between two grid times at which M1 is looked at first.
SAMPLES = 8
#: How far, relatively, what is proved may be above what is seen, and, in sizes of the terms of q, where these
#: cancel.
ACCURACY, CANCELLED = 5e-7, 1e-10
#: Parts of time at first, parts that an open one is cut in; the shortest part at first, and of all, in
#: horizons.
FIRST, CUTS, FINE, SHORTEST = 16, 4, 1e-8, 1e-13
#: Rounds of cutting, and the most parts of a round.
ROUNDS, MOST_PARTS = 40, 4000
#: Numbers (parts × eigenvalues) in memory at once.
BLOCK = 1 << 16
#: Why M1 is not proved, where it is sampled or given.
SAMPLED = "M1 from its values at sampled times"
GIVEN = "M1 from a function of the path, as it is"
NOT_NEGATIVE = Range(0.0, np.inf)
_EPS = np.finfo(float).eps


class Regularity(NamedTuple):
    """M1, and what of it is not proved, or ""."""

    value: float
    estimated: str = ""


def time_regularity(known, path: Path) -> Regularity:
    r"""M1 with :math:`\|s_t(x) - s_{t'}(x)\| \le M_1 |t - t'| (1 + \|x\|)` on the range of the path.

    Parameters
    ----------
    known : float, (mean, variances), or callable
        As `bounds.facts.DataFacts` has it.

    Returns
    -------
    Regularity, per unit of time
        |q| is in inverse squared data units, ‖(y_i m_i)‖ in inverse ones: one number where ‖x‖ is compared
        with 1.

    Source: arXiv 2311.11003, Assumption 2; docs/theory.md section 5.
    """
    if callable(known):
        return Regularity(float(known(path)), GIVEN)
    if not isinstance(known, tuple):
        return Regularity(float(known))
    spectrum = Spectrum.of(*known)
    largest = Supremum(sampled(spectrum, path))
    try:
        parts = Parts(path.process, float(path.times[0]), float(path.times[-1]))
    except NotEnclosed:
        return Regularity(largest.seen, SAMPLED)
    for curve in (Rates(spectrum, parts.level), Centre(spectrum, parts.level)):
        largest.over(parts, curve)
    if path.unproved or not np.isfinite(largest.proved):
        return Regularity(largest.seen, SAMPLED)
    return Regularity(largest.proved)


def sampled(spectrum: Spectrum, path: Path) -> float:
    """The largest value at the grid times and at eight times in between, raised by the largest change between
    neighbours."""
    time, fraction = path.times, np.arange(SAMPLES) / SAMPLES
    fine = np.append((time[:-1, None] + np.diff(time)[:, None] * fraction).ravel(), time[-1])
    # between grid times a and s² are interpolated where the coefficients move far slower than the step anyway
    a, s_sq = (np.interp(-fine, -time, values) for values in (path.a, path.s_sq))
    # at 0 f and g² may be infinite: there they are as beside it
    seen = np.where(fine > 0, fine, np.min(fine[fine > 0]))
    f, g_sq = path.process.f_values(seen), path.process.g_sq_values(seen)
    largest, centre_sq = np.zeros_like(fine), np.zeros_like(fine)
    for index in spectrum.deciding(np.square(a), s_sq, f, g_sq):
        variance = np.square(a) * spectrum.values[index] + s_sq
        np.maximum(largest, np.abs(g_sq - 2 * f * variance) / variance**2, out=largest)
    for value, mean_sq in zip(*spectrum.axes, strict=True):
        variance = np.square(a) * value + s_sq
        centre_sq += mean_sq * np.square(a * (f * variance - g_sq) / variance**2)
    curve = np.maximum(largest, np.sqrt(centre_sq))
    return float(curve.max() + np.abs(np.diff(curve)).max(initial=0.0))


class Parts:
    """Parts of [stop, horizon]: ranges of f, g², their slopes, and of a² and s² at their ends.

    Raises
    ------
    NotEnclosed
        If f or g² has no ball arithmetic.
    """

    def __init__(self, process: ForwardProcess, horizon: float, stop: float):
        self._process, self.horizon, self.stop = process, horizon, stop
        self.level = None if process.level is None else Range.around(float(process.level), 0.0)
        self._look = lru_cache(None)(partial(_look, balls_of(process)))

    def first(self) -> tuple[np.ndarray, np.ndarray]:
        """(left, right) of the parts to begin with: panels of f and g², and a few equal ones."""
        process = self._process
        panels = analytic_panels((process.f, process.g_sq), ("f", "g²"), (False, True), self.horizon).edges
        equal = self.stop + (self.horizon - self.stop) * np.arange(FIRST + 1) / FIRST
        inner = np.union1d(panels[(panels > self.stop) & (panels < self.horizon)], equal[1:-1])
        apart = np.diff(np.append(inner, self.horizon)) > FINE * self.horizon
        ends = np.concatenate([[self.stop], inner[apart], [self.horizon]])
        return ends[:-1], ends[1:]

    def at(self, left, right) -> PartRanges:
        """What is known of these parts and of their ends."""
        ends = np.union1d(left, right)
        points = self._looked(ends, ends)
        known = Ends(*self._law_at(ends), points[0], points[2])
        sides = (Ends(*(each[np.searchsorted(ends, side)] for each in known)) for side in (left, right))
        return PartRanges(np.nextafter(right - left, np.inf), *sides, *self._looked(left, right))

    def _looked(self, left, right) -> list[Range]:
        """f, its slope, g² and its slope."""
        columns = np.array([self._look(*part) for part in zip(left.tolist(), right.tolist(), strict=True)]).T
        f, f_slope, g_sq, g_slope = (Range(*columns[place : place + 2]) for place in range(0, 8, 2))
        return [f, f_slope, g_sq.within(NOT_NEGATIVE), g_slope]

    def _law_at(self, ends) -> tuple[Range, Range]:
        """a² and s² at times, with what they may be off by."""
        inner = ends[(ends > 0) & (ends < self.horizon)]
        path = Path(self._process, np.array([self.horizon, *inner[::-1], 0.0]))
        a_sq, s_sq, count = np.square(path.a[::-1]), path.s_sq[::-1], len(path.times)
        f_error, decay = path.F_error[::-1], np.exp(-2 * path.F[::-1])
        rounding = 4 * count * _EPS * (4 + np.abs(np.log(np.maximum(path.a, 1e-300))).max())
        a_error = np.expm1(2 * np.append(0.0, np.cumsum(f_error))) + rounding
        # s² at τ is e^{−2∫f} s²(r) + C
        added = (path.C_error[::-1] + decay * s_sq[:-1] * np.expm1(2 * f_error)).tolist()
        s_error = np.fromiter(accumulate(zip(decay.tolist(), added, strict=True), initial=0.0,
                                         func=lambda error, step: error * step[0] + step[1]), float, count)
        place = np.searchsorted(path.times[::-1], ends)
        return tuple(Range.around(value[place], error[place]).within(NOT_NEGATIVE) for value, error
                     in ((a_sq, a_sq * a_error), (s_sq, s_error + rounding * s_sq)))


class Ends(NamedTuple):
    """Ranges at one end of many parts."""

    a_sq: Range
    s_sq: Range
    f: Range
    g_sq: Range


class PartRanges(NamedTuple):
    """Lengths of parts, ranges at their ends, and of f, g² and their slopes in them."""

    length: np.ndarray
    left: Ends
    right: Ends
    f: Range
    f_slope: Range
    g_sq: Range
    g_slope: Range

    def block(self, start: int, stop: int) -> PartRanges:
        """Some of the parts."""
        part = slice(start, stop)
        left, right = (Ends(*(each[part] for each in side)) for side in (self.left, self.right))
        return PartRanges(self.length[part], left, right, *(each[part] for each in self[3:]))

    def law(self, values, level: Range | None) -> Law:
        """a² and u for eigenvalues (n, 1) or (n, parts)."""
        decay = self.f * (-2 * self.length)
        decay = Range(np.minimum(decay.lower, 0.0), np.maximum(decay.upper, 0.0)).exp()
        inside = decay * self.left.a_sq
        inside = passed(self.left.a_sq, self.right.a_sq, self.f * inside * -2.0, self.length).within(inside)
        a_sq = (self.left.a_sq, self.right.a_sq, inside)
        if level is not None:
            # V = v + (λ − v)a²: nothing cancels in V − v
            variance = [(Range(values) - level) * each + level for each in a_sq]
        else:
            left, right = (side.a_sq * values + side.s_sq for side in (self.left, self.right))
            gained = self.g_sq * self.length
            whole = (left + Range(np.zeros_like(gained.upper), gained.upper)) * decay
            for _ in range(2):
                whole = passed(left, right, self.g_sq - self.f * whole * 2.0, self.length).within(whole)
            variance = [left, right, whole]
        return Law(a_sq, [each.within(NOT_NEGATIVE).inverse() for each in variance])


class Law(NamedTuple):
    """a² and u = 1/V, each at the left ends of parts, at the right ones, and in the parts."""

    a_sq: tuple
    u: list


@lru_cache(maxsize=64)
def balls_of(process: ForwardProcess) -> tuple[BallFunction, BallFunction]:
    """f and g² in ball arithmetic."""
    return BallFunction(process.f), BallFunction(process.g_sq)


def _look(balls, left: float, right: float) -> tuple:
    """The ends of the range and of the slope of each function; what is not known is anything."""
    from flint import arb, ctx

    found = []
    with ctx.workprec(PRECISION):
        time = arb(left) if left == right else arb(left).union(arb(right))
        for ball in balls:
            value, slope = ball.interval(time), arb.nan()
            if left < right:
                with suppress(NotAnalytic):
                    slope = ball.taylor(time, 2)[1]
            found += [*_ends(value), *_ends(slope)]
    return tuple(found)


def _ends(ball) -> tuple[float, float]:
    """Floats below and above a ball."""
    if not ball.is_finite():
        return -np.inf, np.inf
    return tuple(np.nextafter([float(ball.lower()), float(ball.upper())], [-np.inf, np.inf]).tolist())


@dataclass(frozen=True)
class Spectrum:
    """Distinct eigenvalues, ascending, and the squared size of the mean in each eigenspace."""

    values: np.ndarray
    mean_sq: np.ndarray

    @classmethod
    def of(cls, mean, variances) -> Spectrum:
        """From the mean and the eigenvalues, both of shape (d,)."""
        values, index = np.unique(np.asarray(variances, dtype=float), return_inverse=True)
        weights = np.square(np.broadcast_to(np.asarray(mean, dtype=float), index.shape))
        return cls(values, np.bincount(index, weights=weights))

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues with a mean that is not 0, and its squared sizes."""
        kept = self.mean_sq > 0
        return self.values[kept], self.mean_sq[kept]

    def deciding(self, a_sq, s_sq, f, g_sq):
        """Places of the eigenvalues, arrays like the times, among which |q| is largest at each time."""
        last = len(self.values) - 1
        yield from (np.full(np.shape(f), place) for place in {0, last})
        if last > 1:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                middle = np.nan_to_num((g_sq / f - s_sq) / a_sq, nan=0.0)
            above = np.searchsorted(self.values, middle)
            yield from (np.clip(above + shift, 0, last) for shift in (-1, 0))



class Supremum:
    """The largest value over time of one or more curves.

    Attributes
    ----------
    seen, proved : float
        A value to be allowed for in any case, raised to what was reached; one that is proved not to be
        exceeded.
    """

    def __init__(self, least: float):
        self.seen = self.proved = least

    def over(self, parts: Parts, curve) -> None:
        """One curve more: parts of time are cut while they may hold more than what is seen."""
        chosen, scale = curve.first(*parts.first()), 0.0
        for turn in range(ROUNDS):
            known, chosen = self._known(parts, chosen)
            if known is None:
                return
            above, inner, seen, size = curve.judged(known, chosen)
            above = np.minimum(above, chosen.above)
            self.seen, scale = max(self.seen, seen), max(scale, size)
            limit = max(self.seen * (1 + ACCURACY), CANCELLED * scale)
            wide = chosen.right - chosen.left > CUTS * SHORTEST * parts.horizon
            cut = (above > limit) & (wide | inner)
            cut &= CUTS * cut.sum() <= MOST_PARTS and turn < ROUNDS - 1
            self.proved = max(self.proved, self.seen, above[~cut].max(initial=0.0))
            if not cut.any():
                return
            chosen = chosen.cut(cut, wide, inner, above)

    def _known(self, parts: Parts, chosen: Chosen):
        """What is known of the parts, and which: where the path is cut too finely, beside a jump or a root,
        not of the shortest, of which what is proved stays as it is."""
        for shortest in (0.0, FINE, np.inf):
            kept = chosen.right - chosen.left >= shortest * parts.horizon
            self.proved = max(self.proved, chosen.above[~kept].max(initial=0.0))
            chosen = Chosen(*(each[kept] for each in chosen))
            if len(chosen.left):
                with suppress(ValueError):
                    return parts.at(chosen.left, chosen.right), chosen
        return None, chosen


class Chosen(NamedTuple):
    """Parts of time, the first and the last eigenvalue that count there, and what is proved of each."""

    left: np.ndarray
    right: np.ndarray
    low: np.ndarray
    high: np.ndarray
    above: np.ndarray

    def cut(self, cut, wide, inner, above) -> Chosen:
        """The parts ``cut`` in shorter ones where they are ``wide``, and into fewer eigenvalues where those
        between the two count (``inner``)."""
        found = []
        for left, right, low, high, over, long, between in zip(
                *(each[cut] for each in (self.left, self.right, self.low, self.high, above, wide, inner)),
                strict=True):
            ends = np.linspace(left, right, CUTS + 1) if long else (left, right)
            places = (low, (low + high) // 2, high) if between else (low, high)
            found += [(*part, *some, over) for part in pairwise(ends) for some in pairwise(places)]
        left, right, low, high, above = zip(*found, strict=True)
        return Chosen(np.array(left), np.array(right), np.array(low), np.array(high), np.array(above))


class Rates:
    """max_i |q_i|."""

    def __init__(self, spectrum: Spectrum, level: Range | None):
        self._spectrum, self._level = spectrum, level

    def first(self, left, right) -> Chosen:
        """All parts, with all eigenvalues."""
        last = np.full(len(left), len(self._spectrum.values) - 1)
        return Chosen(left, right, np.zeros_like(last), last, np.full(len(left), np.inf))

    def judged(self, known: PartRanges, chosen: Chosen):
        """(what |q| cannot exceed in each part, whether that is for eigenvalues in between, the largest value
        that it has at an end, and the size of its terms there)."""
        values = self._spectrum.values[np.stack([chosen.low, chosen.high])]
        law = known.law(values, self._level)
        gap = None if self._level is None else self._level - values
        at = (known.left, known.right, known)
        ends = [self._rate(where, a_sq, u, gap) for where, a_sq, u in zip(at, law.a_sq, law.u, strict=True)]
        found = ends.pop()
        for _ in range(2):
            found = passed(*ends, self._slope(known, law, found, gap), known.length).within(found)
        outer = found.size.max(axis=0)
        inner = np.where(chosen.high - chosen.low > 1, self._between(known, law.u[2]), 0.0)
        seen = max(end.least_size.max() for end in ends)
        if len(self._spectrum.values) > 2:
            seen = max(seen, *(self._nearest(side) for side in at[:2]))
        size = max((u * (side.g_sq * u + Range(side.f.size) * 2.0)).lower.max() for side, u
                   in zip(at[:2], law.u, strict=False))
        return np.maximum(outer, inner), inner > outer, seen, size

    @staticmethod
    def _rate(where, a_sq: Range, u: Range, gap) -> Range:
        """q = g²u² − 2fu; where g² = 2vf it is 2f(v − λ)a²u²."""
        if gap is None:
            return u * (where.g_sq * u - where.f * 2.0)
        return where.f * gap * a_sq * u.square() * 2.0

    def _slope(self, known: PartRanges, law: Law, rate: Range, gap) -> Range:
        """q′, from u′ = −q."""
        u = law.u[2]
        if gap is None:
            return u * (known.g_slope * u - known.f_slope * 2.0) - (known.g_sq * u - known.f) * rate * 2.0
        steep = known.f_slope - known.f.square() * (self._level * u * 2.0 - 1.0) * 2.0
        return gap * law.a_sq[2] * u.square() * steep * 2.0

    @staticmethod
    def _between(known: PartRanges, u: Range):
        """What −q cannot exceed for eigenvalues between two: f²/g², where u can be f/g² for one of them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            first, last = known.f.lower / known.g_sq.upper, known.f.upper / known.g_sq.lower
        possible = (known.f.upper > 0) & ~(last < u.lower[1]) & ~(first > u.upper[0])
        ends, g_inverse = [side.f.square() * side.g_sq.inverse() for side in known[1:3]], known.g_sq.inverse()
        whole = known.f.square() * g_inverse
        slope = (known.f * known.f_slope * 2.0 - whole * known.g_slope) * g_inverse
        most = passed(*ends, slope, known.length).within(whole).upper
        return np.where(possible, np.minimum(most, (known.f * u[0] * 2.0).upper), 0.0)

    def _nearest(self, side: Ends) -> float:
        """The largest |q| of the eigenvalues next to where −q is largest."""
        middle = [(each.lower + each.upper) / 2 for each in (side.a_sq, side.s_sq, side.f, side.g_sq)]
        found = 0.0
        for place in self._spectrum.deciding(*middle):
            u = (side.a_sq * self._spectrum.values[place] + side.s_sq).inverse()
            found = max(found, self._rate(side, side.a_sq, u, None).least_size.max())
        return found


class Centre:
    """‖(y_i m_i)‖."""

    def __init__(self, spectrum: Spectrum, level: Range | None):
        self._values, self._mean_sq = (each[:, None] for each in spectrum.axes)
        self._level = level

    def first(self, left, right) -> Chosen:
        """All parts, or none if the mean is 0."""
        some, open_ = (len(left), np.inf) if len(self._values) else (1, 0.0)
        whole = np.zeros(some, dtype=int)
        return Chosen(left[:some], right[:some], whole, whole, np.full(some, open_))

    def judged(self, known: PartRanges, chosen: Chosen):
        """As `Rates.judged`."""
        count = max(1, BLOCK // max(len(self._values), 1))
        found = [self._block(known.block(start, start + count))
                 for start in range(0, len(chosen.left), count)]
        above, seen, size = zip(*found, strict=True)
        return np.concatenate(above), np.zeros(len(chosen.left), dtype=bool), max(seen), max(size)

    def _ratio(self, where, u: Range) -> Range:
        """y/a = fu − g²u²; where g² = 2vf it is fu(1 − 2vu), so that f and g² jump together."""
        if self._level is None:
            return u * (where.f - where.g_sq * u)
        return where.f * u * (1.0 - self._level * u * 2.0)

    def _block(self, known: PartRanges):
        law = known.law(self._values, self._level)
        at = (known.left, known.right, known)
        ratios = [self._ratio(where, u) for where, u in zip(at, law.u, strict=True)]
        squares = [a_sq * (ratio.square() * self._mean_sq).sum(0)
                   for a_sq, ratio in zip(law.a_sq, ratios, strict=True)]
        u, ratio, whole = law.u[2], ratios[2], squares.pop()
        # y′/a = −f y/a + u(f′ − g²′u) − (f − 2g²u)q
        pull = known.g_sq * u
        moved = u * (known.f_slope - known.g_slope * u) - (known.f - pull * 2.0) * u * (pull - known.f * 2.0)
        slope = (ratio * (moved - known.f * ratio) * self._mean_sq).sum(0) * law.a_sq[2] * 2.0
        above = passed(*squares, slope, known.length).within(whole).root().upper
        terms = [((where.g_sq * u + where.f.size) * u).square() * self._mean_sq
                 for where, u in zip(at[:2], law.u, strict=False)]
        size = max((a_sq * each.sum(0)).root().lower.max(initial=0.0)
                   for a_sq, each in zip(law.a_sq, terms, strict=False))
        return above, max(square.root().lower.max(initial=0.0) for square in squares), size
