"""Arrays in extended precision, each number with a bound of how far it is off: running error analysis.

Every operation adds what its operands' errors make of it and its own rounding.  A bound that leaves the range
of numbers is infinite, never NaN.
"""

from __future__ import annotations

import numpy as np

WIDE = np.longdouble  # 64-bit mantissa on x86; plain double where the platform has nothing wider
#: Twice the rounding of an operation.
EPS = np.finfo(WIDE).eps
#: What the rounding of an error itself may take from it: every bound below has fewer than eight operations.
_UP = 1 + 8 * EPS


class Within:
    """Numbers ``value`` that are within ``error`` of what they stand for: arrays of one shape.

    The last two axes are those of matrices for ``@`` and ``swapaxes``; other operations go entry by entry.
    """

    __slots__ = ("error", "value")
    __array_ufunc__ = None  # numpy leaves mixed operations to this class

    def __init__(self, value, error=0.0):
        self.value = np.asarray(value, dtype=WIDE)
        self.error = np.broadcast_to(np.asarray(error, dtype=WIDE), self.value.shape)

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
        return cls(value, (halves[..., 2] * (1 + 1e-15) + EPS * np.abs(value)) * _UP)

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
        return (np.abs(self.value) + self.error) * _UP

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, place) -> Within:
        return Within(self.value[place], self.error[place])

    def swapaxes(self, one: int, other: int) -> Within:
        """Two axes exchanged."""
        return Within(self.value.swapaxes(one, other), self.error.swapaxes(one, other))

    def _rounded(self, value, error) -> Within:
        return Within(value, (error + EPS * np.abs(value)) * _UP)

    def __add__(self, other) -> Within:
        other = Within.of(other)
        return self._rounded(self.value + other.value, self.error + other.error)

    def __sub__(self, other) -> Within:
        other = Within.of(other)
        return self._rounded(self.value - other.value, self.error + other.error)

    def __rsub__(self, other) -> Within:
        return Within.of(other) - self

    def __neg__(self) -> Within:
        return Within(-self.value, self.error)

    def __mul__(self, other) -> Within:
        other = Within.of(other)
        error = np.abs(self.value) * other.error + self.error * (np.abs(other.value) + other.error)
        return self._rounded(self.value * other.value, error)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other) -> Within:
        other = Within.of(other)
        room = np.abs(other.value) - other.error
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.value / other.value
            error = np.where(room > 0, (self.error + np.abs(value) * other.error) / room * _UP, np.inf)
        return self._rounded(value, error)

    def __rtruediv__(self, other) -> Within:
        return Within.of(other) / self

    def __matmul__(self, other) -> Within:
        other = Within.of(other)
        size = np.abs(other.value)
        error = (np.abs(self.value) @ (other.error + 2 * EPS * size) + self.error @ (size + other.error)) * _UP
        return Within(self.value @ other.value, error)

    def __rmatmul__(self, other) -> Within:
        return Within.of(other) @ self

    def exp(self) -> Within:
        """e to it."""
        value, error = np.exp(self.value), self.error
        # e^x − 1 <= x(1 + x) for 0 <= x <= 1; the function itself is right to a few units of the last place
        grown = np.where(error < 1, error * (1 + error), np.inf)
        return Within(value, value * (grown * _UP + 4 * EPS) * _UP)

    def square(self) -> Within:
        """Its square."""
        return self * self

    def sum(self, axis: int) -> Within:
        """The sum along an axis."""
        rounding = self.value.shape[axis] * EPS
        error = self.error.sum(axis) + rounding * np.abs(self.value).sum(axis)
        return Within(self.value.sum(axis), error * (1 + 2 * rounding) * _UP)


def _halves(ball) -> tuple[float, float, float]:
    """An arb as two floats and its radius, with what is left of the middle."""
    high = float(ball)
    rest = ball - high
    low = float(rest)
    return high, low, float((rest - low).abs_upper())
