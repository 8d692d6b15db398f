r"""Integrals over every step of a grid: Gauss–Legendre panels, inner integrals ∫f and C, an error estimate.

Closed forms are not used here: C(τ, r) = s²(τ) − Φ²s²(r) cancels for small steps, its integral does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import accumulate, chain, cycle, repeat

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.cuts import Cut, chosen, together
from bounds.steps.kinks import Kinked, kink_error
from bounds.steps.panels import MAX_PANELS, integrals, missed, over_nodes, panel_rule
from bounds.steps.pieces import LONG, SHORT, pieces

#: Points (problems × panels × nodes) held in memory at once.
BLOCK_POINTS = 1 << 16
#: Nodes of a path that are remembered, for the integrals after the first.
REMEMBERED_POINTS = 1 << 16
#: A panel is refined while its estimated error exceeds this fraction of its step's integral.
RELATIVE_ERROR = 1e-11
#: What nodes tried first may miss, of the tolerance: so little that no digit changes.
FIRST = 1e-4
#: The same for kinks, where halving gains a factor of 4 only.
KINK_TOLERANCE = 1e-6
MAX_HALVINGS = 48
#: Largest a² and s²: beyond it their products with the data's constants would leave the range of floats.
LARGEST_SCALE_SQ = 1e100
#: Largest ∫f of a step: beyond it e^{2∫f} leaves the range of floats.
LARGEST_DRIFT = 350.0
#: A relative error of ∫f or ∫g² above this means that the integral does not converge.
DIVERGENCE = 1e-6
#: Doublings of s² that ten nodes see, so that refinement finds what needs more; beyond them a step is halved
#: towards its lower end, a multiple of `LEVELS` times, at most `MAX_LEVELS` times (to time 0, where s²
#: vanishes).
SEEN, LEVELS, MAX_LEVELS = 6, 8, 96
HALVES = tuple((0.5 ** np.arange(1, MAX_LEVELS + 1)).tolist())
_EPS = np.finfo(float).eps


class Unresolved(ValueError):
    """Integrals over a step do not converge, or need more panels than there may be; the message names the step."""


@dataclass(frozen=True)
class StepNodes:
    """Quadrature nodes inside a batch of steps (k steps, m panels, n nodes).

    Attributes
    ----------
    index : array of shape (k,)
        Which steps of the grid these are.
    t, f, g_sq, F : arrays of shape (k, m, n)
        Time, coefficients and F = ∫_r^t f at the nodes.
    h, F_end, f_end, g_sq_end : arrays of shape (k, 1, 1)
        Step length, and F, f, g² at the upper end τ (where the score is evaluated).
    growth : array of shape (k, m, n)
        e^{2(F − F_end)} = Φ(τ, t)².
    C, a_sq, s_sq : arrays of shape (k, m, n)
        C(t, r), a² and s² at the nodes (``None`` until the path is known).
    """

    index: np.ndarray
    t: np.ndarray
    f: np.ndarray
    g_sq: np.ndarray
    F: np.ndarray
    h: np.ndarray
    F_end: np.ndarray
    f_end: np.ndarray
    g_sq_end: np.ndarray
    growth: np.ndarray
    C: np.ndarray | None = None
    a_sq: np.ndarray | None = None
    s_sq: np.ndarray | None = None


class Path:
    """A one-block process along a grid: a, s² at the grid times, and integrals over the steps.

    Parameters
    ----------
    process : ForwardProcess
    times : array of shape (k+1,)
        Strictly decreasing forward times ending at or above 0.
    also, also_floors : callable, optional
        Further integrands of the same pass that need neither a nor s², and their ``floor``: see `integrate`.
    finest : float
        A variance of the data below which nothing in them changes: where s²/a² is smaller, so does no
        integrand.
    reach : float
        A longer horizon whose panels are to serve, where what is proved of the errors does not matter.

    Attributes
    ----------
    F, C, also, also_errors : arrays of shape (k,), or lists of these
        ∫f and C(τ, r) over each step, the further integrals and their errors.
    F_error, C_error : arrays of shape (k,)
        How far ∫f and C may be off, absolute: proved, but for steps of which `unproved` says why not.
    unproved : str
        Why the errors are estimates, or "".
    a, s_sq : arrays of shape (k+1,)
        Forward law at each grid time.
    below_error : float
        How far a and s² may be off at the last grid time, relative.
    """

    def __init__(self, process: ForwardProcess, times: np.ndarray, also: Callable = lambda nodes: (),
                 also_floors: Callable | None = None, finest: float = 0.0, reach: float = 0.0):
        self.process = process
        self.times = np.asarray(times, dtype=float)
        self.a = self.s_sq = None
        self._levels = np.zeros(len(self.times) - 1, dtype=int)
        self._remembered: dict[tuple, StepNodes] = {}
        self._room = [2 * REMEMBERED_POINTS]
        below = self._below()
        self._upper, self._lower = self.times[:-1], self.times[1:]
        self._pieces = pieces(process, self.times, reach)
        self.unproved = self._pieces.unproved
        self._ends = process.f_values(self._upper), process.g_sq_values(self._upper)
        # ∫|f|, which may have a kink in every step, is a size that needs no digits
        (self.F, f_size, self.C, *self.also), errors = self.integrate(
            lambda nodes: (nodes.f, np.abs(nodes.f), nodes.growth * nodes.g_sq, *also(nodes)),
            floor=lambda nodes: chain((0.0, np.inf, 0.0), also_floors(nodes) if also_floors else repeat(0.0)),
        )
        self.also_errors = errors[3:]
        f_size = f_size + errors[1]
        self._check(errors, f_size)
        f_rounding, g_sq_rounding = process.rounding(float(self.times[0]))
        self.F_error = self._pieces.f_error + (4 * _EPS + f_rounding) * f_size
        # e^{2(F − F_end)} is largest where f was negative
        with np.errstate(over="ignore"):
            self.C_error = (np.exp(f_size - self.F) * self._pieces.g_sq_error
                            + self.C * (4 * self.F_error + g_sq_rounding + 16 * _EPS * (1 + f_size)))
        self._accumulate(below)
        self._look(finest)

    def seen_at(self, finest: float) -> Path:
        """The same path for data with another ``finest``: what was made for this one is shared."""
        found = copy(self)
        found._look(finest)
        return found

    def _look(self, finest: float) -> None:
        """How often steps are halved towards their lower end: functions of a²/s² may change where s² does."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            # near the lower end s² may grow as fast as the largest g² lets it
            gained = np.maximum(self.C, (self._upper - self._lower) * self._pieces.largest)
            growth = np.log2(1 + gained / (np.exp(-2 * self.F) * (self.s_sq + finest * np.square(self.a))[1:]))
        growth = np.nan_to_num(growth, posinf=np.inf)
        self._levels = np.where(growth > SEEN, np.clip(LEVELS * np.ceil(growth / LEVELS), 0, MAX_LEVELS), 0)
        self._levels = self._levels.astype(int)

    def _below(self):
        """(∫_0^{t0} f, s²(t0)) below the last grid time."""
        stop = float(self.times[-1])
        self.below_error = 0.0
        if stop == 0:
            return 0.0, 0.0
        lower = Path(self.process, np.array([stop, 0.0]))
        self.below_error = float(2 * lower.F_error[0] + lower.C_error[0] / max(lower.C[0], 1e-300))
        return float(lower.F[0]), float(lower.s_sq[0])

    def _check(self, errors, f_size):
        f_error, _, c_error = errors[:3]
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = max(np.nanmax(f_error / f_size, initial=0.0), np.nanmax(c_error / self.C, initial=0.0))
        if not relative < DIVERGENCE:
            check_drift(self)
            worst = int(np.nanargmax(np.maximum(f_error / np.maximum(f_size, 1e-300),
                                                c_error / np.maximum(self.C, 1e-300))))
            raise Unresolved("process: the integrals of f and g² must converge, they do not between "
                             f"t = {self._lower[worst]:.6g} and t = {self._upper[worst]:.6g}")

    @np.errstate(over="ignore", invalid="ignore")
    def _accumulate(self, below):
        log_a = -(below[0] + np.concatenate([np.cumsum(self.F[::-1])[::-1], [0.0]]))
        self.a = np.exp(log_a)
        # upwards in time, a sum of non-negative terms: nothing cancels
        if np.abs(log_a).max() < 300:
            a_sq = np.square(self.a)
            gained = np.cumsum((self.C / a_sq[:-1])[::-1])[::-1]
            self.s_sq = a_sq * (below[1] / a_sq[-1] + np.append(gained, 0.0))
        else:  # a² would leave the range of floats
            steps = zip(np.exp(-2 * self.F[::-1]).tolist(), self.C[::-1].tolist(), strict=True)
            upwards = accumulate(steps, lambda s_sq, step: s_sq * step[0] + step[1], initial=below[1])
            self.s_sq = np.fromiter(upwards, float, len(self.times))[::-1].copy()
        if not (np.all(np.isfinite(self.s_sq)) and np.all(np.isfinite(self.a))):
            raise ValueError("process: a(t) and s²(t) must stay finite up to the horizon; "
                             "use a smaller horizon")
        if max(self.a.max() ** 2, self.s_sq.max()) > LARGEST_SCALE_SQ:
            raise ValueError(f"process: a² and s² must stay below {LARGEST_SCALE_SQ:g} up to the horizon; "
                             "use a smaller horizon")
        if self.s_sq[0] <= 0:
            check_drift(self)
            raise ValueError("process: g² must not vanish on the whole of [0, T], nor be so small that its "
                             f"integral is no float, got g² up to {self._ends[1].max():.3g}")

    # -- nodes and integrals ---------------------------------------------------------------------------------

    def _nodes(self, index: np.ndarray, edges: np.ndarray, count: int) -> StepNodes:
        """``count`` nodes a panel for the steps ``index``, panel edges (k, m+1) in [0, 1] from r to τ."""
        place = count, index.tobytes(), edges.tobytes()
        coefficients = self._once(("f", *place), lambda: self._coefficients(index, edges, count))
        if self.a is None:
            return coefficients
        return self._once(("a", *place), lambda: self._with_law(coefficients, edges, count))

    def _once(self, key: tuple, make: Callable[[], StepNodes]) -> StepNodes:
        """What was made under this key before; integrals of one path mostly look at the same nodes."""
        found = self._remembered.get(key)
        if found is None:
            found = make()
            if found.t.size <= self._room[0]:
                self._room[0] -= found.t.size
                self._remembered[key] = found
        return found

    def _coefficients(self, index, edges, count) -> StepNodes:
        """Nodes with what f and g² say of them alone."""
        x, w, inner, _ = panel_rule(count)
        lower, h = self._lower[index][:, None, None], (self._upper - self._lower)[index][:, None, None]
        left, width = edges[:, :-1, None], np.diff(edges)[:, :, None]
        # measured from the nearer end, so that t never rounds outside the step
        t = lower + h * (left + width * x)
        f, g_sq = self.process.f_values(t), self.process.g_sq_values(t)
        F = self._inner(f, h * width, inner, w)
        F_end = (over_nodes(f, w) * (h * width)[..., 0]).sum(axis=1)[:, None, None]
        growth = np.exp(2 * (F - F_end))
        ends = (end[index][:, None, None] for end in self._ends)
        return StepNodes(index, t, f, g_sq, F, h, F_end, *ends, growth)

    def _with_law(self, nodes: StepNodes, edges, count) -> StepNodes:
        """The same with C, a² and s²."""
        _, w, inner, _ = panel_rule(count)
        index, growth, width = nodes.index, nodes.growth, np.diff(edges)[:, :, None]
        decay = 1 / growth * np.exp(-2 * nodes.F_end)
        C = self._inner(growth * nodes.g_sq, nodes.h * width, inner, w)
        # on a panel still too long the interpolant may dip below zero where g² nearly vanishes
        C = np.maximum(C, np.maximum(C.max(axis=(1, 2), keepdims=True) * 1e-30, 1e-60)) / growth
        a_r, s_r = self.a[1:][index][:, None, None], self.s_sq[1:][index][:, None, None]
        return replace(nodes, C=C, a_sq=a_r**2 * decay, s_sq=s_r * decay + C)

    @staticmethod
    def _inner(values, width, inner, weights):
        """∫ from the start of the step to each node."""
        within = over_nodes(values, inner) * width
        if values.shape[1] == 1:
            return within
        panels = over_nodes(values, weights)[..., None] * width
        return within + np.cumsum(panels, axis=1) - panels

    def _blocks(self, problems: int) -> Iterator[np.ndarray]:
        size = max(1, BLOCK_POINTS // (SHORT * problems))
        for start in range(0, len(self._upper), size):
            yield np.arange(start, min(start + size, len(self._upper)))

    def integrate(self, integrands: Callable, problems: int = 1, tolerance: float = RELATIVE_ERROR,
                  floor=None, apart: bool = False, first: int | None = None):
        """∫ over every step of each integrand, and an error estimate: lists of arrays of shape (..., k).

        Parameters
        ----------
        integrands : callable
            Takes `StepNodes`, returns a tuple of arrays that broadcast to (..., k, m, n), or `Kinked` ones.
        problems : int
            Product of the leading axes, for the size of the blocks.
        tolerance : float
            Refinement stops where a step may miss (`bounds.steps.panels.missed`) so little, relatively.
        floor : callable, optional
            `StepNodes` -> for each integrand the density below which it is rounding, not worth refining;
            densities broadcast to (..., k, m, n).
        apart : bool
            Whether integrands look at every panel by itself, so that only new ones are evaluated where steps are
            refined.
        first : int, optional
            Nodes that are tried before `LONG` on steps that are short for their process, until they fail on most: they
            must miss `FIRST` times less.  By default `SHORT`, by the tolerance itself, for one problem; a batch is
            rarely that easy for all its problems.
        """
        values = errors = None
        strict = tolerance * FIRST if first else tolerance
        first = first or (SHORT if problems == 1 else LONG)
        steps = len(self._upper)
        for block in self._blocks(problems):
            unfinished, groups = block, []
            if first < LONG:
                unfinished, groups = self._tried(block, first, integrands, strict, floor)
                first = LONG if 2 * len(unfinished) > len(block) else first
            for index, sums, estimates in chain(groups, self._refine(unfinished, integrands, tolerance, floor, apart)):
                if values is None:
                    values, errors = ([np.empty((*s.shape[:-1], steps)) for s in sums] for _ in range(2))
                for target, source in zip([*values, *errors], [*sums, *estimates], strict=True):
                    target[..., index] = source
        return values, errors

    def _tried(self, block: np.ndarray, nodes: int, integrands: Callable, tolerance: float, floor):
        """The steps of a block that so few nodes do not do for, and (steps, sums, errors) of the others."""
        easy = self._pieces.short[block] & (self._levels[block] == 0)
        index = block[easy]
        if not index.size:
            return block, []
        edges = np.broadcast_to(np.array([0.0, 1.0]), (len(index), 2))
        sums, estimates, flagged = self._evaluate(index, edges, nodes, integrands, tolerance, floor)
        done = ~flagged[:, 0]
        easy[easy] = done
        return block[~easy], [(index[done], [s[..., done] for s in sums], [e[..., done] for e in estimates])]

    def _refine(self, block: np.ndarray, integrands: Callable, tolerance: float, floor, apart: bool):
        """Yield (steps, sums, errors) as groups of steps of ``block`` become accurate enough."""
        if not block.size:
            return
        unfinished = self._groups(block)
        if apart:
            yield from self._refine_apart(unfinished, integrands, tolerance, floor)
            return
        for halving in range(MAX_HALVINGS + 1):
            halves: dict[int, list] = {}
            for index, edges in unfinished:
                sums, estimates, flagged = self._evaluate(index, edges, LONG, integrands, tolerance, floor)
                done = ~flagged.any(axis=1) | (halving == MAX_HALVINGS) | (edges.shape[1] > MAX_PANELS)
                if done.any():
                    yield index[done], [s[..., done] for s in sums], [e[..., done] for e in estimates]
                middles, more = (edges[:, :-1] + edges[:, 1:]) / 2, flagged.sum(axis=1)
                for count in np.unique(more[~done]).tolist():
                    alike = ~done & (more == count)
                    added = middles[alike][flagged[alike]].reshape(-1, count)
                    halved = np.sort(np.concatenate([edges[alike], added], axis=1), axis=1)
                    halves.setdefault(halved.shape[1], []).append((index[alike], halved))
            unfinished = [tuple(map(np.concatenate, zip(*group, strict=True))) for group in halves.values()]
            if not unfinished:
                return

    def _refine_apart(self, unfinished: list[tuple], integrands: Callable, tolerance: float, floor):
        """`_refine` from steps and their edges on, where integrands look at every panel by itself."""
        cuts = [Cut.fresh(index, edges, LONG) for index, edges in unfinished]
        for halving in range(MAX_HALVINGS + 1):
            if not cuts:
                return
            halves: dict[int, list[Cut]] = {}
            for cut in self._known(cuts, integrands, floor):
                flagged, panels = np.zeros(cut.levels.shape[:2], dtype=bool), cut.edges.shape[1]
                for _, tail, mass, behind, least in cut.found:
                    bad = _missing(tail, mass, behind, least, mass.sum(axis=-1), panels, tolerance)
                    flagged |= bad.any(axis=tuple(range(bad.ndim - 2)))
                done = ~flagged.any(axis=1) | (halving == MAX_HALVINGS) | (panels > MAX_PANELS)
                if done.any():
                    sums = [each[0].sum(axis=-1)[..., done] for each in cut.found]
                    yield cut.index[done], sums, [(each[1] + each[3]).sum(axis=-1)[..., done] for each in cut.found]
                flagged[done] = False
                for half in cut.halved(flagged):
                    halves.setdefault(half.edges.shape[1], []).append(half)
            cuts = [Cut.joined(group) for group in halves.values()]

    # what overflows ends as inf or NaN, and is refused or reported as an infinite bound further up
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _known(self, cuts: list[Cut], integrands: Callable, floor) -> list[Cut]:
        """The cuts with the integrals over all their panels, of which the new ones are evaluated at once."""
        rule, places, nodes, widths = panel_rule(LONG), [], [], []
        known = []
        for cut in cuts:
            here = self._nodes(cut.index, cut.edges, LONG)
            levels = here.s_sq / here.a_sq
            new = cut.new(levels)
            nodes.append(chosen(here, new))
            widths.append((here.h * np.diff(cut.edges)[:, :, None])[new][:, None])
            places.append(new)
            known.append(replace(cut, levels=np.where(new[..., None], levels, cut.levels)))
        every, width = together(nodes), np.concatenate(widths)
        shape, values = every.t.shape, list(integrands(every))
        floors = (0.0,) if floor is None else floor(every)
        parts = []
        for value, least in zip(values, cycle(floors), strict=False):
            found = _measured(value, shape, width, rule)
            least = _unworthy(least, shape, width, rule)
            parts.append(np.stack(np.broadcast_arrays(*found, least))[..., 0])
        ends = np.cumsum([new.sum() for new in places])[:-1]
        split = (np.split(part, ends, axis=-1) for part in parts)
        return [cut.with_panels(new, fresh) for cut, new, *fresh in zip(known, places, *split, strict=True)]

    def _groups(self, index: np.ndarray) -> list[tuple]:
        """(steps, their edges) of steps with as many pieces each."""
        levels, counts, found = self._levels[index], self._pieces.count[index], []
        halved = levels > 0
        for count in np.unique(counts[~halved]):
            alike = index[(counts == count) & ~halved]
            found.append((alike, self._pieces.edges(alike, count)))
        groups: dict[int, list] = {}
        for step, level, count in zip(index[halved], levels[halved], counts[halved], strict=True):
            # a set of a few floats is sorted in a tenth of what `numpy.union1d` takes
            edges = sorted({*self._pieces.edges(step[None], count)[0].tolist(), *HALVES[:level]})
            groups.setdefault(len(edges), []).append((step, edges))
        return found + [tuple(map(np.array, zip(*group, strict=True))) for group in groups.values()]

    # what overflows ends as inf or NaN, and is refused or reported as an infinite bound further up
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _evaluate(self, index, edges, count, integrands, tolerance, floor):
        rule = panel_rule(count)
        nodes = self._nodes(index, edges, count)
        width = nodes.h * np.diff(edges)[:, :, None]
        values, floors = list(integrands(nodes)), (0.0,) if floor is None else floor(nodes)
        shape = nodes.t.shape
        floors = [_unworthy(least, shape, width, rule) for least, _ in zip(cycle(floors), values, strict=False)]
        if any(isinstance(value, Kinked) or np.ndim(value) > 3 for value in values):
            parts = [_judged(value, least, shape, width, rule, tolerance)
                     for value, least in zip(values, floors, strict=True)]
            flagged = np.zeros(shape[:2], dtype=bool)
            for _, _, bad in parts:
                flagged |= bad if bad.ndim == 2 else bad.any(axis=tuple(range(bad.ndim - 2)))
            return [part[0] for part in parts], [part[1] for part in parts], flagged
        # all of one problem: at once
        together, least = np.empty((len(values), *shape)), np.empty((len(values), *shape[:2]))
        for place, (value, floor) in enumerate(zip(values, floors, strict=True)):
            together[place], least[place] = value, floor
        sums, estimates, bad = _judged(together, least, shape, width, rule, tolerance)
        return list(sums), list(estimates), bad.any(axis=0)


def _judged(value, least, shape, width, rule, tolerance):
    """Sums over steps (..., k), what they may miss, and which panels (..., k, m) miss too much."""
    per_panel, tail, mass, behind = _measured(value, shape, width, rule)
    bad = _missing(tail, mass, behind, least, mass.sum(axis=-1), shape[1] + 1, tolerance)
    return per_panel.sum(axis=-1), (tail + behind).sum(axis=-1), bad


def _measured(value, shape, width, rule):
    """Of panels, (..., k, m): the integral, what the rule may miss, the mass, and what may be behind kinks."""
    value, kink = (value.values, value.size) if isinstance(value, Kinked) else (value, None)
    if np.shape(value) != shape:
        value = np.broadcast_to(value, np.broadcast_shapes(np.shape(value), shape))
    per_panel, seen = integrals(value, width, rule)
    mass = over_nodes(np.abs(value), rule.weights) * width[..., 0]
    behind = 0.0 if kink is None else kink_error(shape[2]) * kink * width[..., 0]
    return per_panel, missed(seen, mass), mass, behind


def _unworthy(least, shape, width, rule):
    """What is not worth refining of panels, (..., k, m), from a density that broadcasts to (..., k, m, n)."""
    if np.ndim(least) == 0:
        return least
    least = np.broadcast_to(least, np.broadcast_shapes(np.shape(least), shape))
    return over_nodes(least, rule.weights) * width[..., 0]


def _missing(tail, mass, behind, least, size, panels, tolerance):
    """Which panels miss too much of the mass ``size`` of their step."""
    bad = (tail * panels > tolerance * size[..., None]) & (tail > least)
    if np.ndim(behind) == 0:  # no kinks
        return bad
    return bad | ((behind > KINK_TOLERANCE * size[..., None]) & (behind > least))


class StepTooLong(ValueError):
    """A step over which e^{2∫f} leaves the range of floats: what is made of it would be NaN, or 0."""


def check_drift(path: Path) -> None:
    """Raise `StepTooLong` where ∫f over a step is above `LARGEST_DRIFT`."""
    worst = int(np.argmax(path.F))
    if path.F[worst] > LARGEST_DRIFT:
        raise StepTooLong(f"process: ∫f over a step must be at most {LARGEST_DRIFT:g}, got "
                          f"{path.F[worst]:.6g} between t = {path.times[worst + 1]:.6g} and "
                          f"t = {path.times[worst]:.6g}; use more steps or a smaller horizon")
