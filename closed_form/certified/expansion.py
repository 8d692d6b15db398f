r"""A function on a short interval as its Taylor series at the middle and over all of it, in ball arithmetic.

For a series of n terms, n even: :math:`\int_{c-\rho}^{c+\rho} u \in \sum_{k<n} u_k(c) \int x^k +
\frac{2\rho^{n+1}}{n+1} u_n([c-\rho, c+\rho])` with :math:`u_k = u^{(k)}/k!` (Lagrange).
"""

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from bounds.symbolic.balls import BallFunction, integer_power

#: Terms of the series at the middle; even, so that the remainder has one sign.
TERMS = 24


@contextmanager
def balls(precision: int) -> Iterator[None]:
    """So many bits, and series of as many terms as an expansion needs: python-flint cuts them at ten."""
    from flint import ctx

    cap, ctx.cap = ctx.cap, TERMS + 1
    try:
        with ctx.workprec(precision):
            yield
    finally:
        ctx.cap = cap


@dataclass(frozen=True)
class Interval:
    """[c − ρ, c + ρ]: its ends, its middle (exact), a half length that reaches both ends, and all of it."""

    left: object
    right: object
    middle: object
    half: object
    whole: object

    @classmethod
    def of(cls, left, right):
        """From two exact balls."""
        middle = ((left + right) / 2).mid()
        reach = (right - middle).union(middle - left)
        return cls(left, right, middle, reach, left.union(right))

    @property
    def length(self):
        """Its length."""
        return self.right - self.left


class Expansion:
    """A function on an `Interval`: ``at`` its series at the middle, ``over`` that at every point at once.

    Where it has no series (a kink, a jump) ``at`` is None and ``over`` a ball of its values.  Arithmetic and
    the numpy functions below work on both: those that samplers write their rules with.
    """

    __slots__ = ("_integral", "at", "interval", "over")

    def __init__(self, interval: Interval, at, over):
        self.interval, self.at, self.over, self._integral = interval, at, over, None
        if at is not None and (at.prec < TERMS or over.prec < TERMS + 1):
            raise ArithmeticError("a series has lost terms: use it within `balls`")

    @classmethod
    def of(cls, function: BallFunction, interval: Interval, smooth: bool) -> "Expansion":
        """The function there, by series if it is ``smooth``."""
        if not smooth:
            return cls(interval, None, function.interval(interval.whole))
        return cls(interval, function.taylor(interval.middle, TERMS),
                   function.taylor(interval.whole, TERMS + 1))

    def constant(self, value) -> "Expansion":
        """A constant on the same interval."""
        from flint import arb, arb_series

        ball = arb(value)
        if self.at is None:
            return Expansion(self.interval, None, ball)
        return Expansion(self.interval, arb_series([ball], prec=TERMS), arb_series([ball], prec=TERMS + 1))

    def _both(self, apply, *others) -> "Expansion":
        others = [other if isinstance(other, Expansion) else self.constant(other) for other in others]
        if self.at is None or any(other.at is None for other in others):
            return Expansion(self.interval, None, apply(*(each.values() for each in (self, *others))))
        return Expansion(self.interval, apply(self.at, *(other.at for other in others)),
                         apply(self.over, *(other.over for other in others)))

    def __add__(self, other):
        return self._both(operator.add, other)

    def __sub__(self, other):
        return self._both(operator.sub, other)

    def __rsub__(self, other):
        return self.constant(other) - self

    def __mul__(self, other):
        return other * self if isinstance(other, Root) else self._both(operator.mul, other)

    def __truediv__(self, other):
        return self._both(operator.truediv, other)

    def __rtruediv__(self, other):
        return self.constant(other) / self

    def __neg__(self):
        return self._both(operator.neg)

    __radd__, __rmul__ = __add__, __mul__

    def __array_ufunc__(self, ufunc, method, *arguments, **options):
        call = _UFUNCS.get(ufunc)
        if call is None or method != "__call__" or options:
            return NotImplemented
        return call(*arguments)

    def exp(self):
        """e to it."""
        return self._both(lambda x: x.exp())

    def values(self):
        """A ball of its values."""
        return self.over if self.at is None else self.over[0]

    def integral(self):
        """(∫ over the interval, how much of its ball is the series' remainder), worked out once."""
        if self._integral is None:
            self._integral = self._integrated()
        return self._integral

    def _integrated(self):
        from flint import arb

        if self.at is None:
            return self.over * self.interval.length, arb(0)
        half, total = self.interval.half, 0
        square = half * half
        for k in range(TERMS - 2, -1, -2):
            total = total * square + self.at[k] / (k + 1)
        remainder = 2 * half * integer_power(square, TERMS // 2) * self.over[TERMS] / (TERMS + 1)
        return 2 * half * total + remainder, abs(remainder)

    def antiderivative(self, start) -> "Expansion":
        """start + ∫ from the left end of the interval."""
        from flint import arb, arb_series

        interval = self.interval
        # not [0, length] times the values, whose ball would reach below 0
        between = start + arb(0).union(interval.length * self.values())
        if self.at is None:
            return Expansion(interval, None, between)
        half, total = interval.half, 0
        for k in range(TERMS - 1, -1, -1):
            total = self.at[k] / (k + 1) - total * half
        # ∫ of x^n u_n from the left end to the middle
        middle = start + half * (total + integer_power(half, TERMS) * self.over[TERMS] / (TERMS + 1))
        at = [middle, *(self.at[k] / (k + 1) for k in range(TERMS - 1))]
        over = [between, *(self.over[k] / (k + 1) for k in range(TERMS))]
        return Expansion(interval, arb_series(at, prec=TERMS), arb_series(over, prec=TERMS + 1))


class Root:
    """factor·√value: what becomes a function again when it is squared, √0 having no series."""

    __slots__ = ("factor", "value")

    def __init__(self, value: Expansion, factor):
        self.value, self.factor = value, factor

    def __mul__(self, other):
        if isinstance(other, Root):
            if other.value is not self.value:
                raise TypeError("the product of two different roots is not needed by any sampler")
            factor = self.factor * other.factor
            return self.value if isinstance(factor, int) and factor == 1 else self.value * factor
        return Root(self.value, self.factor * other)

    __rmul__ = __mul__

    def __array_ufunc__(self, ufunc, method, *arguments, **options):
        return Expansion.__array_ufunc__(self, ufunc, method, *arguments, **options)


#: What samplers call; the maximum with 0 guards what is not negative on paper against rounding.
_UFUNCS = {
    np.exp: lambda x: x.exp(), np.expm1: lambda x: x.exp() - 1, np.square: lambda x: x * x,
    np.sqrt: lambda x: Root(x, 1), np.maximum: lambda x, _: x, np.negative: operator.neg,
    np.add: lambda x, y: y + x if isinstance(y, Expansion) else x + y,
    np.subtract: lambda x, y: y.__rsub__(x) if isinstance(y, Expansion) else x - y,
    np.multiply: lambda x, y: y * x if isinstance(y, Expansion | Root) else x * y,
    np.divide: lambda x, y: y.__rtruediv__(x) if isinstance(y, Expansion) else x / y}
