"""A ball that numpy's functions take, so that samplers' rules work on real and complex balls as on arrays."""

import operator

import numpy as np

from bounds.symbolic.balls import NotAnalytic


class Number:
    """A real or complex ball with arithmetic and the numpy functions that rules are written with."""

    __slots__ = ("_root", "value")

    def __init__(self, value):
        self.value, self._root = value, None

    def root(self) -> "Number":
        """√, worked out once."""
        if self._root is None:
            self._root = Number(root(self.value))
        return self._root

    def _with(self, apply, other, swapped: bool = False):
        other = other.value if isinstance(other, Number) else other
        return Number(apply(other, self.value) if swapped else apply(self.value, other))

    def __add__(self, other):
        return self._with(operator.add, other)

    def __radd__(self, other):
        return self._with(operator.add, other, True)

    def __sub__(self, other):
        return self._with(operator.sub, other)

    def __rsub__(self, other):
        return self._with(operator.sub, other, True)

    def __mul__(self, other):
        return self._with(operator.mul, other)

    def __rmul__(self, other):
        return self._with(operator.mul, other, True)

    def __truediv__(self, other):
        if other is self:
            # s² is C where a step ends at time 0: their ratio is 1 there as well
            return Number(self.value * 0 + 1 if self.value.is_finite() else self.value)
        return self._with(operator.truediv, other)

    def __rtruediv__(self, other):
        return self._with(operator.truediv, other, True)

    def __neg__(self):
        return Number(-self.value)

    def __array_ufunc__(self, ufunc, method, *arguments, **options):
        call = _UFUNCS.get(ufunc)
        if call is None or method != "__call__" or options:
            return NotImplemented
        return call(*arguments)


def root(value):
    """√value: of a complex ball where it keeps clear of the cut, of a real one of its part that is not
    negative."""
    if hasattr(value, "nonnegative_part"):  # an arb
        return real_root(value)
    if not value.real > 0:
        raise NotAnalytic
    return value.sqrt()


def real_root(value):
    """√value of the part of a real ball that is not negative; NaN if it has none."""
    if value > 0:
        return value.sqrt()
    from flint import arb

    if not value.upper() >= 0:
        return arb.nan()
    return arb(0).union(arb(value.upper()).sqrt())


def larger(x, y):
    """The larger of two real balls."""
    return x.max(y)


#: The maximum with 0 guards what is not negative on paper against rounding.
_UFUNCS = {
    np.exp: lambda x: Number(x.value.exp()), np.expm1: lambda x: Number(x.value.expm1()),
    np.square: lambda x: Number(x.value * x.value), np.sqrt: lambda x: x.root(),
    np.maximum: lambda x, _: x, np.negative: operator.neg,
    np.add: lambda x, y: x + y if isinstance(x, Number) else y.__radd__(x),
    np.subtract: lambda x, y: x - y if isinstance(x, Number) else y.__rsub__(x),
    np.multiply: lambda x, y: x * y if isinstance(x, Number) else y.__rmul__(x),
    np.divide: lambda x, y: x / y if isinstance(x, Number) else y.__rtruediv__(x)}
