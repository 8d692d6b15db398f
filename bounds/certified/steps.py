r"""The steps of a sampler of one block in balls: P, Q, noise, how far each is from the exact map, and
integrals."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bounds.certified.frame import FINE, NOTHING, REACHES, SPARED, Frame, Inaccurate, View, constant_of
from bounds.certified.number import Number, larger
from bounds.process import ForwardProcess
from bounds.steps.formulas import coefficients
from bounds.steps.stated import KNOWN, SHAPES, spread
from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed, Undecided

#: A part that is no longer than this fraction of its step, or a few floats long, is not halved.
NARROW = 2.0**-50
#: Most bits by which the points of a part may become more.
MOST_EXTRA = 60.0
#: Most parts of a step.
MAX_PARTS = 2000


@dataclass
class Hints:
    """Which ellipse served the last part, as the next is like it, and how many parts there were."""

    best: int = 0
    count: int = 0


class BallStep:
    """One step, from τ = ``upper`` down to r = ``lower``, in balls.

    Attributes
    ----------
    h, F, C, P, Q, noise_var, c1, c2
        As in `bounds.steps.table.StepTable`.
    ends : tuple
        `Number` of F, h, f(τ) and g²(τ).
    level : arb or None
        v where g² = 2vf: then C, and with it s², has a closed form in F.
    scale : float
        ∫e^{2F}g², the size of what the noise of a step is.
    a_sq, s_sq : arb
        a² and s² at r.
    upper_a_sq, upper_s_sq : arb
        a² and s² at τ.
    """

    def __init__(self, walk: _Walk, lower: float, upper: float, log_a, s_sq):
        from flint import arb

        self.functions, self.constants, self.hints = walk.functions, walk.constants, walk.hints
        self.level = walk.level
        self.precision, self.lower, self.upper = walk.precision, lower, upper
        self.log_a, self.a_sq, self.s_sq = log_a, (2 * log_a).exp(), s_sq
        self.h = arb(upper) - arb(lower)
        self.frames = list(self._made(lower, upper, arb(0), arb(0)))
        self.F, K = self.frames[-1].F_stop, self.frames[-1].K_stop
        decay = (-2 * self.F).exp()
        self.C = K * decay
        self.upper_log_a = log_a - self.F
        self.upper_a_sq, self.upper_s_sq = self.a_sq * decay, s_sq * decay + self.C
        f_end, g_sq_end = (function.interval(arb(upper)) for function in self.functions)
        self.ends = tuple(map(Number, (self.F, self.h, f_end, g_sq_end)))

    def _made(self, left: float, right: float, F, K) -> Iterator[Frame]:
        """Frames of [left, right], ascending, from F and K at its left end."""
        waiting, found = [(left, right)], 0
        while waiting:
            left, right = waiting.pop()
            middle = left + (right - left) / 2
            if found + len(waiting) > MAX_PARTS:
                raise NotEnclosed(f"more than {MAX_PARTS} parts of the step from t = {self.upper:.6g} are needed")
            try:
                frame = Frame(self, left, right, F, K, self.narrow(left, right))
            except NotAnalytic:
                waiting += [(middle, right), (left, middle)]
                continue
            F, K, found = frame.F_stop, frame.K_stop, found + 1
            yield frame

    def narrow(self, left: float, right: float) -> bool:
        """Whether a part of the step is not halved any more."""
        return right - left <= max(NARROW * (self.upper - self.lower), 4 * math.ulp(right))

    def integrate(self, integrand: Callable[[View], tuple], scales: tuple) -> list:
        """∫ over the step of each value of ``integrand``: on views real and complex, it may raise
        NotAnalytic.

        ``scales`` are of the size of what each integral is added to; what is next to nothing beside that may
        stay open, however small the integral is, or be 0.
        """
        return self._summed(lambda frame: frame.integrals(integrand, scales), integrand, scales)

    def integrate_larger(self, branches: Callable[[View], tuple], scale: float):
        """∫ over the step of the larger of two values."""
        (found,) = self._summed(lambda frame: (frame.larger_integral(branches, scale),),
                                lambda view: (larger(*branches(view)),), (scale,))
        return found

    def _summed(self, part: Callable[[Frame], Iterable], integrand, scales: tuple) -> list:
        """The sum of ``part`` over frames, which are halved where it cannot be had; what is so there
        otherwise."""
        totals, sizes, at = None, None, 0
        while at < len(self.frames):
            frame, found, kink, lacking = self.frames[at], None, False, math.inf
            try:
                found = part(frame)
            except Inaccurate as error:
                lacking = error.bits
            except NotAnalytic as error:
                # where it adds next to nothing a kink, a root or a branch point need not be found
                kink, sizes = isinstance(error, Undecided), sizes or self._sizes(integrand)
                loose, spared = frame.enclosed(integrand), SPARED if kink else FINE
                if all(float(value.rad()) <= spared * size + NOTHING * scale
                       for value, size, scale in zip(loose, sizes, scales, strict=True)):
                    found = loose
            if found is None:
                self.frames[at : at + 1] = self._finer(frame, kink, lacking)
                continue
            totals = found if totals is None else [x + y for x, y in zip(totals, found, strict=True)]
            at += 1
        if not all(total.is_finite() for total in totals):
            raise NotEnclosed(f"what the step from t = {self.upper:.6g} integrates is not seen to be bounded")
        return totals

    def _sizes(self, integrand) -> list[float]:
        """About the sizes of the integrals: nothing is proved of them."""
        return [sum(each) for each in zip(*(frame.sizes(integrand) for frame in self.frames), strict=True)]

    def _finer(self, frame: Frame, kink: bool, lacking: float) -> list[Frame]:
        """The part of a frame again, by more points, by a nearer ellipse, or in halves."""
        left, right, start = frame.left, frame.right, (frame.F_start, frame.K_start)
        with contextlib.suppress(NotAnalytic):
            if frame.extra + lacking < MOST_EXTRA:
                return [Frame(self, left, right, *start, False, frame.reach, frame.extra + lacking)]
            if not kink and frame.reach is not None and frame.reach < len(REACHES) - 2:
                return [Frame(self, left, right, *start, False, frame.reach + 1)]
        if len(self.frames) > MAX_PARTS:
            raise NotEnclosed(f"more than {MAX_PARTS} parts of the step from t = {self.upper:.6g} are needed")
        if self.narrow(left, right):
            return [Frame(self, left, right, *start, True)]
        return self.halves(frame)

    def halves(self, frame: Frame) -> list[Frame]:
        """The part of a frame in halves."""
        left, right = frame.left, frame.right
        middle = left + (right - left) / 2
        made = list(self._made(left, middle, frame.F_start, frame.K_start))
        return made + list(self._made(middle, right, made[-1].F_stop, made[-1].K_stop))


class _Walk:
    """Up through the steps of a grid."""

    def __init__(self, process: ForwardProcess, precision: int):
        self.functions = BallFunction(process.f), BallFunction(process.g_sq)
        self.constants = [constant_of(function, expression) for function, expression
                          in zip(self.functions, (process.f, process.g_sq), strict=True)]
        self.precision, self.hints = precision, Hints()
        self.level = _level(process)


def _level(process: ForwardProcess):
    """v where g² = 2vf for all times, v a rational number; else None."""
    from flint import arb, fmpq

    level = process.level
    return None if level is None else arb(fmpq(int(level.p), int(level.q)))


def ball_steps(process: ForwardProcess, scheme, matched: Callable, precision: int) -> Iterator[BallStep]:
    """The steps in balls, **ascending** in time, each from the forward law at its lower end.

    Parameters
    ----------
    matched : callable
        View -> H(c*), for a rule that needs it.

    Raises
    ------
    NotEnclosed
        If f or g² cannot be written in ball arithmetic, or is not seen to be bounded.
    """
    from flint import arb

    times = [float(t) for t in scheme.grid.times[::-1]]
    walk, log_a, s_sq = _Walk(process, precision), arb(0), arb(0)
    if times[0] > 0:
        below = BallStep(walk, 0.0, times[0], log_a, s_sq)
        log_a, s_sq = below.upper_log_a, below.upper_s_sq
    silent = None if scheme.last_step_noise else times[0]
    for lower, upper in itertools.pairwise(times):
        step = BallStep(walk, lower, upper, log_a, s_sq)
        log_a, s_sq = step.upper_log_a, step.upper_s_sq
        _take(step, scheme.sampler.one_block, matched, lower != silent)
        if scheme.sampler.formulas is not None:
            _state(step, scheme.sampler.formulas, process)
        if lower == silent:
            step.noise_var, step.amplitude = arb(0), lambda view: arb(0)
        yield step


def _take(step: BallStep, rule, matched: Callable, noisy: bool = True) -> None:
    """What the sampler's rule makes of a step; if not ``noisy`` its noise is not asked for."""
    from flint import arb

    silent = rule.amplitude is None
    weight_asked = rule.score_weight is not None and (silent or rule.score_defect is not None)
    # formulas are made of ∫g², which stands as the noise
    noise_asked = not silent and rule.closed_noise is None and (noisy or rule.formulas is not None)

    def integrand(view):
        nodes = view.numbers
        found = [rule.score_weight(nodes).value] if weight_asked else []
        if noise_asked:
            # a view keeps its amplitude, which for formulas is not known yet
            amplitude = view.amplitude if rule.formulas is None else amplitude_of(rule, matched, view)
            found.append(amplitude * amplitude)
        if rule.drift is not None:
            found.append(rule.drift(nodes).value)
        return found

    step.amplitude = lambda view: amplitude_of(rule, matched, view)
    growth = step.F.exp()
    step.scale = float((growth * growth * step.C).upper())
    scales = [step.scale] * (weight_asked + noise_asked) + [1.0] * (rule.drift is not None)
    found = step.integrate(integrand, tuple(scales)) if scales else []
    step.Q, step.c2 = growth * step.C, arb(0)
    if weight_asked or rule.closed_weight is not None:
        weight = found[0] if weight_asked else rule.closed_weight(step.F, step.C, step.s_sq, step.upper_s_sq)
        step.c2, step.Q = step.Q - weight, weight
    step.P, step.c1 = growth, arb(0)
    if rule.drift is not None:
        step.P = 1 + found[-1]
        step.c1 = growth - step.P
    if noise_asked:
        step.noise_var = found[weight_asked]
    elif silent or not noisy:
        step.noise_var = arb(0)
    else:
        step.noise_var = rule.closed_noise(step.C, step.s_sq, step.upper_s_sq)


def _state(step: BallStep, formulas, process: ForwardProcess) -> None:
    """What formulas make of a step in which Q is ∫e^F g² and the noise ∫g² up to here."""
    from flint import arb

    needed = formulas.needs(defects=True) | KNOWN
    known = {"h": step.h, "t": arb(step.upper), "r": arb(step.lower), "F": step.F, "C": step.C, "E": step.Q,
             "G": step.noise_var, "a_r": step.log_a.exp(), "s_sq_r": step.s_sq}
    times = [(step.upper, step.lower)]
    known = {name: [value] for name, value in known.items()} | coefficients(process, times, needed)
    found = {name: values[0] for name, values in formulas.values(known, times, defects=True).items()}
    step.P, step.Q, step.c1, step.c2 = (found[name] for name in ("P", "Q", "c1", "c2"))
    step.noise_var = found["noise"]
    shape, factor = spread(step.noise_var, {name: known[name][0] for name in KNOWN})
    step.amplitude = lambda view: factor * SHAPES[shape](view.numbers).value


def amplitude_of(rule, matched: Callable, view: View):
    """n(σ)g(σ) of a rule on a view."""
    hessian = matched(view) if rule.needs_envelope else None
    return rule.amplitude(view.numbers, hessian).value
