r"""A part of a step on which f and g² are analytic: what integrands need at its points, on an ellipse, over all.

Three views of the same part, each a `View`: the Chebyshev points one by one, a complex box that holds the
Bernstein ellipse around it, on which every quantity is continued from the real line, and the real interval as
one ball.  Through the interpolating polynomials the first gives integrals, the second what they miss; the
third decides signs, and takes their place on a part too narrow to matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bounds.certified.interpolation import error_factor, interpolation, points_needed
from bounds.certified.number import Number, root
from bounds.symbolic.balls import BallFunction, NotAnalytic, NotEnclosed, Undecided

#: How far an ellipse reaches, in half lengths of its part, from the most to the least.
REACHES = (1024.0, 256.0, 64.0, 24.0, 10.0, 5.0)
#: A part this short, of its step, is not halved for being less accurate than half of the precision.
SHORT = 2.0**-8
#: At most the largest value of a polynomial through so few Chebyshev points, in those at the points.
LEBESGUE = 5
#: Rounds in which the balls of C, a² and s² are narrowed.
PICARD = 2
#: Bits of an interpolation's accuracy in bits of precision.
ACCURACY = 0.64


@dataclass
class View:
    """What integrands see: balls of f, g², F = ∫_r^σ f, e^F, C(σ, r), a², s²; ``step`` has what is constant.

    ``boxed`` says that they are complex; then signs are decided on ``real``, the interval as a view.
    """

    step: object
    f: object
    g_sq: object
    F: object
    growth: object
    C: object
    a_sq: object
    s_sq: object
    frame: Frame
    boxed: bool = False

    @property
    def real(self) -> View:
        """The whole part as a real view."""
        return self.frame.interval

    @cached_property
    def g(self):
        """√g²."""
        return root(self.g_sq)

    @cached_property
    def amplitude(self):
        """n g of the sampler's own noise."""
        return self.step.amplitude(self)

    def decided(self, sign: Callable, positive, negative):
        """Of a complex view the one or the other by the sign of a function of the real one, Undecided if open."""
        value = sign(self.real)
        if value >= 0:
            return positive
        if value <= 0:
            return negative
        raise Undecided

    @property
    def numbers(self) -> _Nodes:
        """The same with balls that numpy's functions take, and the names of `bounds.steps.path.StepNodes`."""
        return _Nodes(self)


class _Nodes:
    """A view by the names that samplers' rules use."""

    def __init__(self, view: View):
        step = self.step = view.step
        self.f, self.g_sq, self.F = Number(view.f), Number(view.g_sq), Number(view.F)
        self.F_end, self.h = Number(step.F), Number(step.h)
        self.f_end, self.g_sq_end = Number(step.f_end), Number(step.g_sq_end)
        self.C = self.s_sq = Number(view.C)
        if step.lower > 0:
            self.s_sq = Number(view.s_sq)
        self.a_sq = Number(view.a_sq)


class Frame:
    """The part [left, right] of a step, from F and K = ∫_r e^{2F} g² at its left end.

    Raises
    ------
    NotAnalytic
        If f or g² is not proved to be analytic around it and ``last`` is not set; with ``nearer``, no ellipse is
        tried that reaches farther than the one of that place in `REACHES`.
    """

    def __init__(self, step, left: float, right: float, F, K, last: bool, nearer: int = 0):
        from flint import arb

        self.step, self.left, self.right = step, left, right
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

    # -- views -------------------------------------------------------------------------------------------------

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
        step, decay = self.step, 1 / (growth * growth)
        C = K * decay
        return View(step, f, g_sq, F, growth, C, step.a_sq * decay, step.s_sq * decay + C, self, boxed)

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
        f, g_sq = (function.disc(box, self._whole) for function in step.functions)
        span = box - arb(self.left)
        F = self.F_start + f * span
        growth = F.exp()
        kernel = growth * growth * g_sq
        if not (kernel.is_finite() and f.is_finite() and F.is_finite() and _moderate(f * span)):
            raise NotAnalytic
        self.box = self._narrowed(self._view(f, g_sq, F, growth, self.K_start + kernel * span, True), span)
        if not self.box.s_sq.is_finite():
            raise NotAnalytic
        count = points_needed(ACCURACY * step.precision, reach)
        self.rule = interpolation(count, step.precision)
        self.miss = error_factor(count, reach)
        self._lay(half, middle, f, kernel)

    def _narrowed(self, view: View, span) -> View:
        """C, a² and s² of the box or the interval closer, from u' = g² − 2fu along a segment in it."""
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
        times = [middle + half * x for x in rule.nodes]
        f, g_sq = ([function.interval(t) for t in times] if constant is None else [constant()] * len(times)
                   for function, constant in zip(step.functions, step.constants, strict=True))
        # over the length 2·half of the part
        lost = 2 * half * self.miss
        f_lost, column = arb(0, (lost * f_box.abs_upper()).upper()), arb_mat(len(f), 1, f)
        F = [self.F_start + half * x + f_lost for x in (rule.inner * column).entries()]
        growth = [x.exp() for x in F]
        kernel = [x * x * y for x, y in zip(growth, g_sq, strict=True)]
        k_lost, kernels = arb(0, (lost * kernel_box.abs_upper()).upper()), arb_mat(len(f), 1, kernel)
        K = [self.K_start + half * x + k_lost for x in (rule.inner * kernels).entries()]
        self.points = [self._view(*values) for values in zip(f, g_sq, F, growth, K, strict=True)]
        self.F_stop = self.F_start + half * (rule.weights * column)[0, 0] + f_lost
        self.K_stop = self.K_start + half * (rule.weights * kernels)[0, 0] + k_lost

    # -- integrals ---------------------------------------------------------------------------------------------

    def integrals(self, integrand) -> list:
        """∫ over the part of each value of ``integrand``, a function of a view.

        Raises
        ------
        NotAnalytic
            If a value is not proved to be analytic around the part.
        """
        from flint import arb, arb_mat

        if self.reach is None:
            return self.enclosed(integrand)
        sizes = [arb(value.abs_upper()) for value in integrand(self.box)]
        if not all(size.is_finite() for size in sizes):
            raise NotAnalytic
        half = self.length / 2
        rows = arb_mat([list(integrand(point)) for point in self.points])
        found = [half * value for value in (self.rule.weights * rows).entries()]
        missed = [(self.length * size * self.miss).upper() for size in sizes]
        if self.length > self.step.h * SHORT:
            sharp = 0.5 ** (self.step.precision / 2)
            if any(miss > abs(value) * sharp for value, miss in zip(found, missed, strict=True) if miss != 0):
                raise NotAnalytic
        return [value + arb(0, miss) for value, miss in zip(found, missed, strict=True)]

    def enclosed(self, integrand) -> list:
        """∫ over the part of each value, from the balls of its values."""
        return [self.length * value for value in integrand(self.interval)]

    def of_two(self, branches) -> list:
        """∫ max(u, w) over the part, ``branches`` of a view being (u, w), which hardly differ."""
        from flint import arb

        (found, _) = self.integrals(branches)
        apart = [u - w for u, w in (branches(view) for view in (self.box, *self.points))]
        seen = max((abs(value).upper() for value in apart[1:]), key=float)
        most = LEBESGUE * seen + arb(apart[0].abs_upper()) * self.miss
        return [found + arb(0).union(self.length * most)]

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
    """The value of a constant at the precision of the moment, made once; None for what varies."""
    from flint import arb

    if expression.free_symbols:
        return None
    value = function.interval(arb(0))
    return lambda: value
