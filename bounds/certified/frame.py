r"""A part of a step on which f and g² are analytic: what integrands need at its points, on an ellipse, over
all.

Three views of the same part, each a `View`: the Chebyshev points one by one, a complex box that holds the
Bernstein ellipse around it, on which every quantity is continued from the real line, and the real interval as
one ball.  Through the interpolating polynomials the first gives integrals, the second what they miss; the
third decides signs, and takes their place on a part too narrow to matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from operator import mul

from bounds.certified.interpolation import error_factor, interpolation, points_needed
from bounds.certified.number import Number, larger
from bounds.certified.polynomials import positive_integral
from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed, Undecided

#: How far an ellipse reaches, in half lengths of its part, from the most to the least.
REACHES = (1024.0, 256.0, 64.0, 24.0, 10.0, 5.0)
#: At most the largest value of a polynomial through up to 500 Chebyshev points, in those at the points.
LEBESGUE = 5
#: Rounds in which the balls of C, a² and s² are narrowed.
PICARD = 2
#: Bits of an interpolation's accuracy in bits of precision.
ACCURACY = 0.55
#: Bits of a part's integral in bits of precision: where fewer are seen it is halved.
SHARP = 0.4
#: What is this small beside the scale of an integral may stay open, and what is so beside the integral itself
#: where a kink is in a part, or a point at which it is not analytic.
NOTHING, SPARED, FINE = 1e-30, 1e-12, 1e-15


class Inaccurate(NotAnalytic):
    """A rule misses too much; ``bits`` more would do."""

    def __init__(self, bits: float):
        super().__init__()
        self.bits = bits


class View:
    """What integrands see: balls of f, g², F = ∫_r^σ f, e^F, C(σ, r), a², s²; ``step`` has what is constant.

    ``boxed`` says that they are complex; then signs are decided on ``real``, the interval as a view.
    """

    __slots__ = ("C", "F", "_amplitude", "_g", "_numbers", "a_sq", "boxed", "f", "frame", "g_sq", "growth",
                 "s_sq",
                 "step")

    def __init__(self, step, f, g_sq, F, growth, C, a_sq, s_sq, frame: Frame, boxed: bool):
        self.step, self.frame, self.boxed = step, frame, boxed
        self.f, self.g_sq, self.F, self.growth = f, g_sq, F, growth
        self.C, self.a_sq, self.s_sq = C, a_sq, s_sq
        self._g = self._amplitude = self._numbers = None

    @property
    def real(self) -> View:
        """The whole part as a real view."""
        return self.frame.interval

    @property
    def g(self):
        """√g²."""
        if self._g is None:
            self._g = self.numbers.g_sq.root().value
        return self._g

    @property
    def amplitude(self):
        """n g of the sampler's own noise."""
        if self._amplitude is None:
            self._amplitude = self.step.amplitude(self)
        return self._amplitude

    def decided(self, sign: Callable, positive: Callable, negative: Callable):
        """What the one or the other makes by the sign of a function of the real part; Undecided if it is
        open."""
        value = sign(self.real)
        if value >= 0:
            return positive()
        if value <= 0:
            return negative()
        raise Undecided

    @property
    def numbers(self) -> _Nodes:
        """The same with balls that numpy's functions take, and the names of `bounds.steps.path.StepNodes`."""
        if self._numbers is None:
            self._numbers = _Nodes(self)
        return self._numbers


class _Nodes:
    """A view by the names that samplers' rules use."""

    __slots__ = ("C", "F", "F_end", "a_sq", "f", "f_end", "g_sq", "g_sq_end", "h", "s_sq")

    def __init__(self, view: View):
        self.F_end, self.h, self.f_end, self.g_sq_end = view.step.ends
        self.f, self.g_sq, self.F = Number(view.f), Number(view.g_sq), Number(view.F)
        self.C = self.s_sq = Number(view.C)
        if view.step.lower > 0:
            self.s_sq = Number(view.s_sq)
        self.a_sq = Number(view.a_sq)


class Frame:
    """The part [left, right] of a step, from F and K = ∫_r e^{2F} g² at its left end.

    Raises
    ------
    NotAnalytic
        If f or g² is not proved to be analytic around it and ``last`` is not set; with ``nearer``, no ellipse
        is tried that reaches farther than the one of that place in `REACHES`.  ``extra`` bits are more
        points.
    """

    def __init__(self, step, left: float, right: float, F, K, last: bool, nearer: int = 0,
                 extra: float = 0.0):
        from flint import arb

        self.step, self.left, self.right, self.extra = step, left, right, extra
        self.F_start, self.K_start = F, K
        self.length = arb(right) - arb(left)
        self.reach = None if last else self._reach(nearer)
        if self.reach is None:
            if not last:
                raise NotAnalytic
            interval = self.interval
            self.F_stop = F + interval.f * self.length
            # e^{2F} g² is not negative, but its ball may be
            self.K_stop = K + (interval.growth * interval.growth * interval.g_sq * self.length)
            if step.level is not None:
                self.K_stop = self._closed(self.F_stop)

    # -- views
    # -------------------------------------------------------------------------------------------------

    @cached_property
    def interval(self) -> View:
        """The whole part as one real ball."""
        from flint import arb

        f, g_sq = (function.interval(self._whole) for function in self.step.functions)
        if not (f.is_finite() and g_sq.is_finite()):
            raise NotEnclosed(f"f and g² are not seen to be bounded between t = {self.left:.6g} and t = "
                              f"{self.right:.6g}")
        g_sq = g_sq.nonnegative_part()
        F = self.F_start + arb(0).union(self.length * f)
        growth = F.exp()
        K = self.K_start + arb(0).union(self.length * (growth * growth * g_sq))
        return self._narrowed(self._view(f, g_sq, F, growth, K), arb(0).union(self.length))

    @cached_property
    def _whole(self):
        from flint import arb

        return arb(self.left).union(arb(self.right))

    def _view(self, f, g_sq, F, growth, K, boxed: bool = False) -> View:
        # of a box the quotient would be of no use
        step, decay = self.step, (-2 * F).exp() if boxed else 1 / (growth * growth)
        if step.level is None:
            C = K * decay
            s_sq = step.s_sq * decay + C
        else:
            # s² = v + (s²(r) − v) e^{−2F}
            C = -step.level * (-2 * F).expm1()
            s_sq = step.level + (step.s_sq - step.level) * decay
        return View(step, f, g_sq, F, growth, C, step.a_sq * decay, s_sq, self, boxed)

    def _closed(self, F):
        """K where g² = 2vf: v (e^{2F} − 1)."""
        return self.step.level * (2 * F).expm1()

    def _reach(self, nearer: int) -> int | None:
        """The farthest ellipse on which f and g² are seen to be analytic; sets points and box."""
        hints = self.step.hints
        hints.count += 1
        # now and then one that reaches farther than the last one
        first = max(hints.best - (hints.count % 16 == 0), nearer, 0)
        for at in range(first, len(REACHES)):
            try:
                self._look(REACHES[at])
            except NotAnalytic:
                continue
            hints.best = at
            return at
        return None

    def _look(self, reach: float) -> None:
        from flint import acb, arb

        step = self.step
        half, middle = self.length / 2, (arb(self.left) + arb(self.right)) / 2
        around = (half * reach).upper()
        around = arb(0, around)
        box = acb(middle + around, around)
        f = step.functions[0].disc(box, self._whole)
        g_sq = step.functions[1].disc(box, self._whole) if step.level is None else 2 * step.level * f
        span = box - arb(self.left)
        F = self.F_start + f * span
        growth, kernel = F.exp(), (2 * F).exp() * g_sq
        if not (kernel.is_finite() and f.is_finite() and F.is_finite() and _moderate(f * span)):
            raise NotAnalytic
        self.box = self._narrowed(self._view(f, g_sq, F, growth, self.K_start + kernel * span, True), span)
        if not self.box.s_sq.is_finite():
            raise NotAnalytic
        count = points_needed(ACCURACY * step.precision + self.extra, reach)
        self.rule = interpolation(count, step.precision)
        self.miss = error_factor(count, reach)
        self._lay(half, middle, f, kernel)

    def _narrowed(self, view: View, span) -> View:
        """C, a² and s² of the box or the interval closer, from u' = g² − 2fu along a segment in it."""
        if self.step.level is not None:
            return view
        decay = (-2 * self.F_start).exp()
        C = self.K_start * decay
        a_sq, s_sq = self.step.a_sq * decay, self.step.s_sq * decay + C
        twice = 2 * view.f
        for _ in range(PICARD):
            view.C = C + span * (view.g_sq - twice * view.C)
            view.a_sq = a_sq - span * (twice * view.a_sq)
            view.s_sq = s_sq + span * (view.g_sq - twice * view.s_sq)
        return view

    def _lay(self, half, middle, f_box, kernel_box) -> None:
        """The views of the points, and F and K at the right end."""
        from flint import arb, arb_mat

        step, rule = self.step, self.rule
        f, g_sq = step.constants
        if f is None or g_sq is None:
            times = [middle + half * x for x in rule.nodes]
        count, lost = len(rule.nodes), 2 * half * self.miss  # over the length 2·half of the part
        if f is None:
            f = [step.functions[0].interval(t) for t in times]
            f_lost, column = arb(0, (lost * f_box.abs_upper()).upper()), arb_mat(count, 1, f)
            self._check(f_lost, max(float(abs(x).upper()) for x in f), self.F_start)
            F = [self.F_start + half * x + f_lost for x in (rule.inner * column).entries()]
            self.F_stop = self.F_start + half * _dot(rule.weights, f) + f_lost
        else:
            slope = half * f
            F = [self.F_start + slope * x for x in rule.offsets]
            f, self.F_stop = [f] * count, self.F_start + 2 * slope
        growth = [x.exp() for x in F]
        if step.level is not None:
            twice = 2 * step.level
            self.points = [self._view(x, twice * x, *values, None) for x,
                           *values in zip(f, F, growth, strict=True)]
            self.K_stop = self._closed(self.F_stop)
            return
        g_sq = [step.functions[1].interval(t) for t in times] if g_sq is None else [g_sq] * count
        kernel = [x * x * y for x, y in zip(growth, g_sq, strict=True)]
        k_lost, kernels = arb(0, (lost * kernel_box.abs_upper()).upper()), arb_mat(count, 1, kernel)
        self._check(k_lost, max(float(x.upper()) for x in kernel), self.K_start)
        K = [self.K_start + half * x + k_lost for x in (rule.inner * kernels).entries()]
        self.points = [self._view(*values) for values in zip(f, g_sq, F, growth, K, strict=True)]
        self.K_stop = self.K_start + half * _dot(rule.weights, kernel) + k_lost

    def _check(self, lost, size: float, start) -> None:
        """Refuse an ellipse by which F or K would be lost for all that follows."""
        if not float(lost.rad()) <= 0.5 ** (self.step.precision * SHARP) * (
                float(self.length) * size + float(abs(start).upper())):
            raise NotAnalytic

    # -- integrals
    # ---------------------------------------------------------------------------------------------

    def integrals(self, integrand, scales) -> list:
        """∫ over the part of each value of ``integrand``, a function of a view.

        Raises
        ------
        NotAnalytic
            If a value is not proved to be analytic around the part.
        """
        if self.reach is None:
            return self.enclosed(integrand)
        missed = self._missed(integrand(self.box))
        half = self.length / 2
        found = [half * _dot(self.rule.weights, column) for column in
                 zip(*(integrand(point) for point in self.points), strict=True)]
        return [self._with(value, miss, scale) for value, miss,
                scale in zip(found, missed, scales, strict=True)]

    def larger_integral(self, branches, scale: float):
        """∫ max(u, w) over the part, ``branches`` of a view being (u, w), both analytic around it.

        It is ∫u + ∫ max(w − u, 0), the second through the polynomial that w − u nearly is.
        """
        from flint import arb

        if self.reach is None:
            return self.length * larger(*branches(self.interval))
        under, apart = self._missed(_and_apart(*branches(self.box)))
        values = [_and_apart(*branches(point)) for point in self.points]
        lower, difference = (list(column) for column in zip(*values, strict=True))
        half, length = self.length / 2, float(self.length)
        found = half * _dot(self.rule.weights, lower)
        coefficients = self._bernstein(difference)
        if not all(value.is_finite() for value in coefficients):
            return arb.nan()
        size = float(abs(found).upper()) / length + max(float(abs(value).upper()) for value in difference)
        rest = self.length * positive_integral(coefficients, SPARED * size + NOTHING * scale / length)
        return self._with(found + rest, under + apart, scale)

    def polynomials(self, integrand) -> list[list]:
        """Bernstein coefficients, over the part, of what each value of ``integrand`` is, its error in their
        balls."""
        from flint import arb

        if self.reach is None:
            return [[value] for value in integrand(self.interval)]
        errors = [arb(0, (value.abs_upper() * self.miss).upper()) for value in integrand(self.box)]
        if not all(error.is_finite() for error in errors):
            raise NotAnalytic
        columns = zip(*(integrand(point) for point in self.points), strict=True)
        return [[value + error for value in self._bernstein(column)]
                for column, error in zip(columns, errors, strict=True)]

    def _bernstein(self, values) -> list:
        """Coefficients of two polynomials between which all are that have these balls as values at the
        points."""
        from flint import arb, arb_mat

        middles = arb_mat(len(self.points), 1, [value.mid() for value in values])
        # what the balls leave open is nowhere more than this, while the coefficients of it could be much
        # larger
        around = arb(0, (LEBESGUE * max((value.rad() for value in values), key=float)).upper())
        return [value + around for value in (self.rule.bernstein * middles).entries()]

    def _missed(self, values) -> list:
        """How far the rule may be from the integrals of what has these values on the box."""

        missed = [(self.length * value.abs_upper() * self.miss).upper() for value in values]
        if not all(miss.is_finite() for miss in missed):
            raise NotAnalytic
        return missed

    def _with(self, value, miss, scale: float):
        """An integral with what the rule misses; NotAnalytic where that is too much on a part not narrow."""
        from flint import arb

        if miss == 0:
            return value
        sharp = abs(value) * 0.5 ** (self.step.precision * SHARP) + NOTHING * scale
        if miss > sharp and not self.step.narrow(self.left, self.right):
            raise Inaccurate(math.log2(float(miss / sharp)) + 1 if sharp > 0 else math.inf)
        return value + arb(0, miss)

    def enclosed(self, integrand) -> list:
        """∫ over the part of each value, from the balls of its values."""
        return [self.length * value for value in integrand(self.interval)]

    def sizes(self, integrand) -> list[float]:
        """About the size of the integrals: nothing is proved of it."""
        if self.reach is None:
            return [float(abs(value).upper()) for value in self.enclosed(integrand)]
        some = self.points[:: max(len(self.points) // 4, 1)]
        rows = [integrand(point) for point in some]
        return [float(self.length) * sum(float(abs(value).mid()) for value in column) / len(some)
                for column in zip(*rows, strict=True)]


def _moderate(span) -> bool:
    """Whether e^F stays tame on the box."""
    return bool(span.abs_upper() < 2)


def constant_of(function: BallFunction, expression):
    """The value of a constant at the precision of the moment; None for what varies."""
    from flint import arb

    return None if expression.free_symbols else function.interval(arb(0))


def _dot(weights: list, values):
    return sum(map(mul, weights[1:], values[1:]), weights[0] * values[0])


def _and_apart(u, w) -> tuple:
    return u, w - u
