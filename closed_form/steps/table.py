r"""Every step of a sampler of one block as numbers, with proved errors, from polynomials in place of f and
g².

Nothing of `bounds.steps` that computes is used: what the truth and the claim share is the sampler's rule, P,
Q and n as integrands of f, g², F and C.  The steps are cut where the polynomials end; on each piece a Gauss
rule has so many nodes that its error is proved to be beyond extended precision (Trefethen, *Approximation
Theory and Approximation Practice*, theorem 19.3).
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.affine import PastErrors, SecondErrors, StepErrors, Steps
from bounds.steps.formulas import coefficients
from bounds.steps.from_noise import entered
from bounds.steps.other_times import asked_at
from bounds.steps.rule import matched_hessian
from bounds.steps.stages import refined
from bounds.symbolic.balls import NotEnclosed
from closed_form.steps.churn import churned_steps
from closed_form.steps.multistep import multistep_steps
from closed_form.steps.phase_space.table import phase_steps
from closed_form.steps.polynomials import REACH, TERMS, WIDE, extended, polynomials
from closed_form.steps.prior import prior_of
from closed_form.steps.quadrature import gauss
from closed_form.steps.stages import ball, two_stage_steps

#: Nodes of a piece: the fewest that miss less than this of a bound of the integrand, at most as many as the
#: polynomials have terms.
COUNTS = 4, 8, TERMS
MISSED = 1e-19
#: Longest ∫|f| over a piece, for e^{2F} to grow little on the ellipse.
LONGEST_DRIFT = 0.5
#: Times ∫|f|: by how much more a rule misses where F at its nodes is the integral of f's interpolant there.
COLLOCATION = 256.0
MAX_CUTS = 1 << 12
#: Rounding of a polynomial at nodes and of their sum, relative to the sum of sizes.
ROUNDING = 4 * TERMS * float(np.finfo(WIDE).eps)
#: Nodes of the second rule that a noise without a proved error is compared with.
FEWER = 17
#: Relative rounding of H(c*), and by how much it is moved to see what that does.
HESSIAN_ROUNDING, PUSH = 2e-15, 1e-6
#: A step to time 0, where s² vanishes, is halved towards 0 so often.
MAX_LEVELS = 100
#: Bits in which formulas of a sampler are evaluated.
STATED = 160
_EPS = float(np.finfo(WIDE).eps)


@dataclass(frozen=True)
class Nodes:
    """What a sampler's rule may use, at nodes of pieces: arrays of shape (p, n), or (p, 1) for a step's
    own."""

    t: np.ndarray
    f: np.ndarray
    g_sq: np.ndarray
    F: np.ndarray
    F_end: np.ndarray
    f_end: np.ndarray
    g_sq_end: np.ndarray
    h: np.ndarray
    growth: np.ndarray
    C: np.ndarray | None = None
    a_sq: np.ndarray | None = None
    s_sq: np.ndarray | None = None


class StepNumbers:
    """P, Q, noise and the forward law of every step.

    Parameters
    ----------
    process : ForwardProcess
        Of one block.
    times : array of shape (k+1,)
        Decreasing.
    rule : bounds.steps.rule.Rule
    hessian : callable, optional
        (a², s²) -> H(c*), for a rule that needs it.
    finest : float
        A variance of the data below which nothing in them changes.

    Raises
    ------
    NotEnclosed
        If the coefficients cannot be written in ball arithmetic.
    ValueError
        Where f or g² is seen not to be usable on (0, T].
    """

    def __init__(self, process: ForwardProcess, times: np.ndarray, rule, hessian=None, finest: float = 0.0):
        self.rule, self.hessian, self.finest = rule, hessian, finest
        self.times = np.asarray(times, dtype=float)
        self.parts = polynomials(process, float(self.times[0]))
        self.estimated = self.parts.unproved
        # below an early stop there is one more step (`extra`), which only the forward law needs
        self._ascending = self.times[::-1] if self.times[-1] == 0 else np.append(0.0, self.times[::-1])
        self.extra = len(self._ascending) - len(self.times)
        self._levels = np.zeros(len(self._ascending) - 1, dtype=int)
        self._cut()
        self._integrate()
        self._accumulate()
        if rule.closed_weight:
            self._close_weight()
        if rule.formulas is not None:
            self._state(process)
        elif rule.closed_noise:
            self._close_noise()
        elif rule.amplitude_needs_path:
            self._integrate_late()

    # -- pieces ----------------------------------------------------------------------------------------------

    def _cut(self):
        """Pieces of every step, each inside one polynomial, with short ∫|f|."""
        parts, ascending = self.parts, self._ascending
        inner = parts.edges[(parts.edges > 0) & (parts.edges < ascending[-1])]
        places = np.union1d(ascending, inner) if len(inner) else ascending
        if self._levels.any():
            length = np.diff(ascending)
            finer = [low + size * 0.5 ** np.arange(1, levels + 1) for low, size, levels
                     in zip(ascending[:-1], length, self._levels, strict=True) if levels]
            places = np.union1d(places, np.concatenate(finer))
        length = np.diff(places)
        part = np.searchsorted(parts.edges, places[:-1], side="right") - 1
        step = np.searchsorted(ascending, places[:-1], side="right") - 1
        count = np.clip(np.ceil(parts.bound[0, part] * length / LONGEST_DRIFT), 1, MAX_CUTS).astype(int)
        low, length, part, self._step = (np.repeat(x, count)
                                         for x in (places[:-1].astype(WIDE), length, part, step))
        length = length.astype(WIDE) / np.repeat(count, count)
        start = np.concatenate([[0], np.cumsum(count)[:-1]])
        low = low + length * (np.arange(len(low)) - np.repeat(start, count))
        self._low, self._length, self._part = low, length, part
        self._first = np.searchsorted(self._step, np.arange(len(ascending) - 1))
        self._bounds()

    def _bounds(self):
        """What a rule misses of each piece, and which pieces need few nodes."""
        parts, length = self.parts, self._length.astype(float)
        half = np.diff(parts.edges)[self._part] / 2
        centre = (parts.edges[:-1] + np.diff(parts.edges) / 2)[self._part]
        self._half, self._centre = half, centre
        f_bound, g_bound = parts.bound[:, self._part]
        drift = f_bound * length
        off = np.abs((self._low + self._length / 2).astype(float) - centre)
        with np.errstate(divide="ignore", over="ignore"):
            axis = np.minimum((REACH * half - off) * 2 / length, np.maximum(2.5, 2 * COUNTS[0] / drift))
        rho = axis + np.sqrt(np.square(axis) - 1)
        grown = np.exp(np.minimum(drift * (axis + 1) + np.log1p(COLLOCATION * drift), 700.0))
        with np.errstate(under="ignore", divide="ignore"):
            needed = np.log(64 / 15 / MISSED * grown) / (2 * np.log(rho))
            self._count = np.array(COUNTS)[np.searchsorted(COUNTS[:-1], needed)]
            missed = 32 / 15 * rho ** (-2.0 * self._count) / (1 - rho**-2.0)
        f_rest, g_rest = parts.remainder[:, self._part] + ROUNDING * parts.size[:, self._part]
        self._f_error = length * (f_bound * missed + f_rest)
        # the kernel is known at nodes: at most e^{2∫|f|} times as large between them
        self._g_error = length * (g_bound * grown * missed + g_rest * np.exp(np.minimum(2 * drift, 700.0)))

    def _summed(self, values):
        """Sums over the pieces of each step."""
        return np.add.reduceat(values, self._first)

    def _before(self, values):
        """Sums over the pieces of a step that are below each, of every step by itself: what is below a step may be larger
        than all that is in it by more orders than a number has digits."""
        counts, found = np.diff(np.append(self._first, len(values))), np.zeros_like(values)
        for count in np.unique(counts[counts > 1]):
            place = self._first[counts == count][:, None] + np.arange(count)
            found[place[:, 1:]] = np.cumsum(values[place[:, :-1]], axis=1)
        return found

    # -- nodes -----------------------------------------------------------------------------------------------

    def _polynomial(self, which: int, part, y):
        """f or g² in the coordinate y of its part."""
        table = self.parts.coefficients[which]
        last = int(np.flatnonzero(np.any(table != 0, axis=0)).max(initial=0))
        values = np.broadcast_to(table[part, last][:, None], y.shape).copy()
        for power in range(last - 1, -1, -1):
            values *= y
            values += table[part, power][:, None]
        return values

    def _groups(self):
        """(pieces, rule) of those with as many nodes."""
        for count in COUNTS:
            index = np.flatnonzero(self._count == count)
            if len(index):
                yield index, gauss(count)

    def _coefficients(self, index, rule):
        """t, f and g² at the nodes of pieces, g² not below 0."""
        part, half = self._part[index], self._half[index][:, None]
        low, length = self._low[index][:, None], self._length[index][:, None]
        y = (low - self._centre[index][:, None]) / half + length / half * rule.nodes
        g_sq = np.maximum(self._polynomial(1, part, y), 0)
        return low + length * rule.nodes, self._polynomial(0, part, y), g_sq

    def _integrate(self):
        """∫f, C, P − 1, Q and, where it is known already, the noise of every step."""
        pieces, length = len(self._low), self._length
        groups = [(index, rule, *self._coefficients(index, rule)) for index, rule in self._groups()]
        F_piece = np.empty(pieces, dtype=WIDE)
        for index, rule, _, f, _ in groups:
            F_piece[index] = (f @ rule.weights) * length[index]
        self.F, self.F_error = self._summed(F_piece), self._summed(self._f_error)
        sums = np.cumsum(F_piece) - F_piece
        self._F_before = sums - sums[self._first][self._step]
        self._ends()
        names = ("C", "Q", "drift", "noise", "size", "Q_size", "noise_size")
        found = {name: np.zeros(pieces, dtype=WIDE) for name in names}
        late = self.rule.amplitude_needs_path
        for index, rule, t, f, g_sq in groups:
            nodes = self._nodes(index, rule, t, f, g_sq)
            ones = _unit_noise(nodes)
            weight = rule.weights
            values = {"C": nodes.growth * g_sq, "size": ones.growth}
            if self.rule.score_weight is not None:
                values |= {"Q": self.rule.score_weight(nodes), "Q_size": self.rule.score_weight(ones)}
            if self.rule.drift is not None:
                values["drift"] = self.rule.drift(nodes)
            if not late and self.rule.amplitude is not None:
                values["noise"] = np.square(self.rule.amplitude(nodes, None))
                values["noise_size"] = np.square(self.rule.amplitude(ones, None))
            for name, value in values.items():
                value = np.broadcast_to(value, g_sq.shape)
                if name.endswith("size"):
                    found[name][index] = np.abs(value).max(axis=1)
                else:
                    found[name][index] = (value @ weight) * length[index]
        within = 4 * self.F_error + 8 * _EPS * (1 + self._summed(np.abs(F_piece)))
        for name, size in (("C", "size"), ("Q", "Q_size"), ("noise", "noise_size")):
            value = self._summed(found[name])
            error = self._summed(found[size] * self._g_error) + np.abs(value) * within
            setattr(self, name, value)
            setattr(self, name + "_error", error)
        if self.rule.drift is None:
            self.P = np.exp(self.F)
            self.P_error = self.P * (self.F_error + 4 * _EPS * (1 + np.abs(self.F)))
        else:
            self.P = 1 + self._summed(found["drift"])
            self.P_error = self.F_error + 4 * _EPS * (1 + np.abs(self.P))

    def _ends(self):
        """f and g² where each step starts."""
        last = np.append(self._first[1:], len(self._low)) - 1
        part = self._part[last]
        y = ((self._ascending[1:].astype(WIDE) - self._centre[last]) / self._half[last])[:, None]
        self._f_end = self._polynomial(0, part, y)[:, 0]
        self._g_sq_end = np.maximum(self._polynomial(1, part, y)[:, 0], 0)

    def _nodes(self, index, rule, t, f, g_sq) -> Nodes:
        step = self._step[index]
        width = self._length[index][:, None]
        F = self._F_before[index][:, None] + (f @ rule.inner) * width
        of_step = (array[step][:, None] for array in (self.F, self._f_end, self._g_sq_end))
        F_end, f_end, g_sq_end = of_step
        h = np.diff(self._ascending)[step][:, None]
        return Nodes(t, f, g_sq, F, F_end, f_end, g_sq_end, h, np.exp(2 * (F - F_end)))

    # -- the forward law -------------------------------------------------------------------------------------

    def _accumulate(self):
        """a and s² at the grid's times and their errors, from time 0 up."""
        log_a = np.concatenate([[WIDE(0)], -np.cumsum(self.F)])
        log_error = np.concatenate([[0.0], np.cumsum(self.F_error)])
        log_error = log_error + 2 * _EPS * np.arange(len(log_a)) * np.maximum.accumulate(np.abs(log_a))
        self.a = np.exp(log_a)
        self.a_error = (self.a * (log_error + 2 * _EPS)).astype(float)
        # upwards in time, a sum of non-negative terms: nothing cancels
        gained, doubt = self.C / self.a[1:] ** 2, self.C_error / self.a[1:] ** 2
        s_sq = self.a**2 * np.concatenate([[WIDE(0)], np.cumsum(gained)])
        relative = 4 * log_error + 4 * _EPS * np.arange(1, len(log_a) + 1)
        self.s_sq = s_sq
        self.s_sq_error = (self.a**2 * np.concatenate([[0.0], np.cumsum(doubt)]) + s_sq
                           * relative).astype(float)

    # -- what looks at the forward law -----------------------------------------------------------------------

    def _close_weight(self):
        """Q where it is no integral of the coefficients alone: as accurate as what it is made of."""
        lower, upper = self.s_sq[:-1], self.s_sq[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            doubt = (self.F_error + np.where(self.C > 0, self.C_error / self.C, 0) + self.s_sq_error[1:] / upper
                     + np.where(lower > 0, self.s_sq_error[:-1] / lower, 0) + 16 * _EPS * (1 + np.abs(self.F)))
        self.Q = self.rule.closed_weight(self.F, self.C, lower, upper)
        self.Q_error = self.Q * doubt
    # -- a sampler stated by formulas -----------------------------------------------------------------------

    def _state(self, process):
        """P, Q and noise from formulas, in balls around what they are made of: E stands as Q, G as noise."""
        from flint import arb, ctx

        formulas, own = self.rule.formulas, slice(self.extra, None)
        needed = formulas.needs()
        columns = {"F": (self.F, self.F_error), "C": (self.C, self.C_error), "E": (self.Q, self.Q_error),
                   "G": (self.noise, self.noise_error), "a_r": (self.a[:-1], self.a_error[:-1]),
                   "s_sq_r": (self.s_sq[:-1], self.s_sq_error[:-1])}
        lower, upper = self._ascending[:-1][own].tolist(), self._ascending[1:][own].tolist()
        times = list(zip(upper, lower, strict=True))
        with ctx.workprec(STATED):
            known = {name: [ball(x, off) for x, off in zip(middle[own], error[own], strict=True)]
                     for name, (middle, error) in columns.items() if name in needed}
            known["t"], known["r"] = list(map(arb, upper)), list(map(arb, lower))
            known["h"] = [t - r for t, r in zip(known["t"], known["r"], strict=True)]
            found = formulas.values(known | coefficients(process, times, needed), times)
            for name, balls in found.items():
                values = np.array([extended(ball) for ball in balls], dtype=WIDE)
                error = np.array([float(ball.rad()) for ball in balls]) + 2 * _EPS * np.abs(values)
                for label, part in ((name, values), (f"{name}_error", error)):
                    # the step below an early stop is none of the sampler's
                    setattr(self, label, np.concatenate([np.zeros(self.extra, dtype=WIDE), part]))

    # -- noise that looks at the forward law -----------------------------------------------------------------

    def _close_noise(self):
        """The noise where its integral is known."""
        lower, upper = self.s_sq[:-1], self.s_sq[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            doubt = (self.C_error / self.C + np.where(lower > 0, self.s_sq_error[:-1] / lower, 0)
                     + self.s_sq_error[1:] / upper + 8 * _EPS)
        self.noise = self.rule.closed_noise(self.C, lower, upper)
        self.noise_error = np.where(self.noise > 0, self.noise * doubt, 0)

    def _integrate_late(self):
        """The noise whose amplitude uses C, a² or s², on pieces that halve towards time 0, with an
        estimate."""
        # near the lower end s² may grow as fast as the largest g² lets it
        largest = np.maximum.reduceat(self.parts.bound[1, self._part], self._first)
        gained = np.maximum(self.C, np.diff(self._ascending) * largest)
        with np.errstate(divide="ignore"):
            size = np.exp(-2 * self.F) * (self.s_sq + self.finest * self.a**2)[:-1]
            growth = np.log2((1 + gained / size).astype(float))
        self._levels = np.clip(np.ceil(np.nan_to_num(growth, posinf=np.inf)) - 1, 0, MAX_LEVELS).astype(int)
        self._cut()
        (self.noise, rounding), (other, _) = (self._noise(count) for count in (TERMS, FEWER))
        self.noise_error = 2 * np.abs(self.noise - other) + rounding
        self.estimated = self.estimated or "the noise of a step is compared with a second quadrature"

    def _noise(self, count: int):
        """The noise by a rule of so many nodes, and what rounding may do to it."""
        pieces, length, rule = len(self._low), self._length, gauss(count)
        index = np.arange(pieces)
        t, f, g_sq = self._coefficients(index, rule)
        F_piece = (f @ rule.weights) * length
        sums = np.cumsum(F_piece) - F_piece
        self._F_before = sums - sums[self._first][self._step]
        nodes = self._nodes(index, rule, t, f, g_sq)
        kernel = nodes.growth * g_sq
        mass = (kernel @ rule.weights) * length
        C = np.maximum(self._before(mass)[:, None] + (kernel @ rule.inner) * length[:, None], 0) / nodes.growth
        step, decay = self._step, np.exp(-2 * nodes.F)
        a_sq, s_sq = (array[:-1][step][:, None] for array in (self.a**2, self.s_sq))
        nodes = replace(nodes, C=C, a_sq=a_sq * decay, s_sq=s_sq * decay + C)
        hessian = None if self.hessian is None else self.hessian(nodes.a_sq, nodes.s_sq)
        amplitude = self.rule.amplitude(nodes, hessian)
        # H is known to a few roundings of floats, and 1 + C H may cancel
        moved = self.rule.amplitude(nodes, None if hessian is None else hessian * (1 + PUSH))
        slack = HESSIAN_ROUNDING / PUSH * np.abs(moved - amplitude) + 8 * _EPS * np.abs(amplitude)
        return (self._summed((np.square(amplitude) @ rule.weights) * length),
                self._summed((slack * (2 * np.abs(amplitude) + slack) @ rule.weights) * length))

    def steps(self, scheme: Scheme) -> Steps:
        """The numbers of the grid's own steps, in its order, from the prior of a scheme."""

        def ordered(values):
            return values[self.extra :][::-1]

        a, s_sq, a_error, s_sq_error = (ordered(x) for x
                                        in (self.a, self.s_sq, self.a_error, self.s_sq_error))
        P, Q, noise, P_error, Q_error, noise_error = (
            ordered(x) for x in (self.P, self.Q, self.noise, self.P_error, self.Q_error, self.noise_error))
        prior_var, prior_error = prior_of(scheme, a[0], s_sq[0], a_error[0], s_sq_error[0])
        errors = StepErrors(P_error.astype(float), Q_error.astype(float), noise_error.astype(float), a_error,
                            s_sq_error, prior_error, self.estimated)
        return Steps(self.times, P, Q, noise, a, s_sq, prior_var, errors)


def _unit_noise(nodes: Nodes) -> Nodes:
    """The same nodes with g = 1, as floats: what integrands linear in g² make of a bound of g²."""
    plain = {name: value.astype(float) for name,
             value in vars(nodes).items() if isinstance(value, np.ndarray)}
    return Nodes(**plain | {"g_sq": np.ones(nodes.g_sq.shape), "g_sq_end": np.ones(nodes.g_sq_end.shape)})


def _last(steps: Steps, scheme: Scheme) -> Steps:
    """Without the noise of the last step, where the scheme leaves it out."""
    if scheme.last_step_noise:
        return steps
    noise, error = steps.noise_var.copy(), steps.errors.noise_var.copy()
    noise[-1] = error[-1] = 0
    return replace(steps, noise_var=noise, errors=replace(steps.errors, noise_var=error))


def _asked(process: ForwardProcess, steps: Steps, scheme: Scheme, rule, hessian, finest: float) -> Steps:
    """With the scores of the times that the scheme asks for, where these are others."""
    if scheme.score_times is None:
        return steps
    times, places = np.unique(scheme.score_times, return_inverse=True)
    numbers = StepNumbers(process, np.append(times[::-1], 0.0), rule, hessian, finest)
    # from time 0 up
    law = (values[1:][places] for values in (numbers.a, numbers.s_sq, numbers.a_error, numbers.s_sq_error))
    return asked_at(steps, scheme.score_times, *law)


def exact_steps(process: ForwardProcess, scheme: Scheme, assumption=None, moments=None) -> Steps:
    """The numbers of a scheme by this route, in extended precision, with their errors.

    Where the coefficients of one block cannot be enclosed, they are those of the scheme's own table.
    Only matched noise looks at the assumption and the moments.

    Raises
    ------
    ValueError
        If the process is not usable up to the horizon.
    """
    if process.blocks == 2:
        return phase_steps(process, scheme)
    scheme = entered(process, scheme, assumption, moments)
    found = _one_block(process, scheme, assumption, moments)
    return replace(found, from_mean=scheme.from_mean, start=scheme.start(found.prior_var))


def _one_block(process: ForwardProcess, scheme: Scheme, assumption, moments) -> Steps:
    """The numbers of a scheme on one block."""
    rule = scheme.sampler.one_block
    if rule is None:
        return scheme.steps(process)
    hessian = partial(matched_hessian, assumption, moments) if rule.needs_envelope else None
    finest = 0.0 if assumption is None else float(1 / np.max(assumption.smoothness))
    try:
        if rule.stages is not None and rule.stages.churn is not None:
            return churned_steps(process, scheme, StepNumbers)
        if rule.stages is not None:
            cut = refined(process, scheme.grid.times, rule.stages)
            return two_stage_steps(StepNumbers(process, cut.times, rule), process, cut, rule.stages, scheme)
        numbers = StepNumbers(process, scheme.grid.times, rule, hessian, finest)
        if rule.multistep is not None:
            return multistep_steps(numbers, rule.multistep, scheme)
        return _asked(process, _last(numbers.steps(scheme), scheme), scheme, rule, hessian, finest)
    except NotEnclosed as error:
        found = scheme.steps(process, assumption, moments)
        none, points = np.zeros(len(found)), np.zeros(len(found) + 1)
        if found.second is not None:
            found = replace(found, second=replace(found.second, errors=SecondErrors(*(none,) * 5)))
        if found.past is not None:
            found = replace(found, past=replace(found.past, errors=PastErrors(*(none,) * 3)))
        return replace(found, errors=StepErrors(none, none, none, points, points,
                                                estimated=f"not enclosed: {error}"))
