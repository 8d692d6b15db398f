"""Arrays in extended precision, each number with a bound of how far it is off: running error analysis.

Every operation adds what its operands' errors make of it and its own rounding.  A bound that leaves the range
of numbers is infinite, never NaN.
"""

from __future__ import annotations

import numpy as np

WIDE = np.longdouble  # 64-bit mantissa on x86; plain double where the platform has nothing wider
#: Twice the rounding of an operation.
EPS = float(np.finfo(WIDE).eps)
#: What the rounding of an error, a float, may take from it, and what may fall below the range of floats: no
#: bound below has more operations.
UP, TINY = 1 + 16 * float(np.finfo(float).eps), 1e-305


class Within:
    """Numbers ``value`` that are within ``error`` of what they stand for: arrays of one shape.

    The last two axes are those of matrices for ``@`` and ``swapaxes``; other operations go entry by entry.
    """

    __slots__ = ("error", "value")
    __array_ufunc__ = None  # numpy leaves mixed operations to this class

    def __init__(self, value, error=0.0):
        self.value = np.asarray(value, dtype=WIDE)
        error = np.asarray(error, dtype=float)
        self.error = error if error.shape == self.value.shape else np.broadcast_to(error, self.value.shape)

    @classmethod
    def of(cls, number) -> Within:
        """A number, or one that is exact."""
        return number if isinstance(number, Within) else cls(number)

    @classmethod
    def ball(cls, balls) -> Within:
        """From a (nested) list of arb."""
        found = np.array(balls, dtype=object)
        halves = np.array([_halves(ball) for ball in found.ravel()], dtype=float).reshape(*found.shape, 3)
        value = halves[..., 0].astype(WIDE) + halves[..., 1]
        return cls(value, (halves[..., 2] * UP + EPS * _size(value)) * UP)

    @classmethod
    def where(cls, chosen, one: Within, other: Within) -> Within:
        """The one where ``chosen``, else the other."""
        return cls(np.where(chosen, one.value, other.value), np.where(chosen, one.error, other.error))

    @classmethod
    def stack(cls, entries) -> Within:
        """2×2 matrices from the rows of their entries, which are of one shape."""
        rows = [[cls.of(entry) for entry in row] for row in entries]
        return cls(*(np.stack([np.stack([getattr(entry, part) for entry in row], axis=-1) for row in rows],
                              axis=-2) for part in ("value", "error")))

    @classmethod
    def concatenate(cls, parts) -> Within:
        """Along the first axis."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("value", "error")))

    @property
    def shape(self):
        return self.value.shape

    @property
    def size(self) -> np.ndarray:
        """Largest absolute value that each may have."""
        return (_size(self.value) + self.error) * UP

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, place) -> Within:
        return Within(self.value[place], self.error[place])

    def swapaxes(self, one: int, other: int) -> Within:
        """Two axes exchanged."""
        return Within(self.value.swapaxes(one, other), self.error.swapaxes(one, other))

    def __add__(self, other) -> Within:
        other = Within.of(other)
        return _rounded(self.value + other.value, self.error + other.error)

    def __sub__(self, other) -> Within:
        other = Within.of(other)
        return _rounded(self.value - other.value, self.error + other.error)

    def __rsub__(self, other) -> Within:
        return Within.of(other) - self

    def __neg__(self) -> Within:
        return Within(-self.value, self.error)

    def __mul__(self, other) -> Within:
        other = Within.of(other)
        error = _size(self.value) * other.error + self.error * (_size(other.value) + other.error)
        return _rounded(self.value * other.value, error)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other) -> Within:
        other = Within.of(other)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.value / other.value
            # what the quotient times the divisor is off by, over the least that the divisor may be
            room = _size(other.value) / UP - other.error
            error = (self.error + _size(value) * other.error) / room
            return _rounded(value, np.where(room > 0, error, np.inf))

    def __rtruediv__(self, other) -> Within:
        return Within.of(other) / self

    def __matmul__(self, other) -> Within:
        other = Within.of(other)
        size = _size(other.value)
        error = _size(self.value) @ (other.error + 2 * EPS * size) + self.error @ (size + other.error)
        return Within(self.value @ other.value, error * UP + TINY)

    def __rmatmul__(self, other) -> Within:
        return Within.of(other) @ self

    def exp(self) -> Within:
        """e to it."""
        value = np.exp(self.value)
        return Within(value, _size(value) * ((_growth(self.error) + 4 * EPS) * UP) + TINY)

    def expm1(self) -> Within:
        """e to it, less 1."""
        value = np.expm1(self.value)
        error = (1 + _size(value)) * _growth(self.error) + 4 * EPS * _size(value)
        return Within(value, error * UP + TINY)

    def sum(self, axis: int) -> Within:
        """The sum along an axis."""
        rounding = self.value.shape[axis] * EPS
        error = self.error.sum(axis) + rounding * _size(self.value).sum(axis)
        return Within(self.value.sum(axis), error * (UP + 4 * self.value.shape[axis] * (UP - 1)) + TINY)


def _size(value: np.ndarray) -> np.ndarray:
    """Absolute values as floats."""
    return np.abs(value.astype(float))


def _rounded(value, error) -> Within:
    """A result, its own rounding added to what its operands' errors make of it."""
    return Within(value, (error + EPS * _size(value)) * UP + TINY)


def _growth(error):
    """e^x − 1 <= x(1 + x) for 0 <= x <= 1."""
    return np.where(error < 1, error * (1 + error), np.inf)


def _halves(ball) -> tuple[float, float, float]:
    """An arb as two floats and its radius, with what is left of the middle."""
    high = float(ball)
    rest = ball - high
    low = float(rest)
    return high, low, float((rest - low).abs_upper())
