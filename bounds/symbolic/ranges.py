"""Arrays of intervals in floats, rounded outward: what is known at once of a function on many parts of time.

An infinite end stands for any number, however large, but for a number: 0 times it is 0.  What is not a number
is anything.
"""

from __future__ import annotations

import numpy as np


class Range:
    """Numbers between ``lower`` and ``upper``, arrays that broadcast against each other."""

    __slots__ = ("lower", "upper")
    __array_ufunc__ = None  # numpy leaves mixed operations to this class

    def __init__(self, lower, upper=None):
        self.lower = np.asarray(lower, dtype=float)
        self.upper = self.lower if upper is None else np.asarray(upper, dtype=float)

    @classmethod
    def around(cls, value, error) -> Range:
        """Everything within ``error`` of ``value``."""
        return cls(_down(value - error), _up(value + error))

    @classmethod
    def of(cls, number) -> Range:
        """A range, or an array of exact numbers."""
        return number if isinstance(number, Range) else cls(number)

    @property
    def size(self) -> np.ndarray:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))

    @property
    def least_size(self) -> np.ndarray:
        """The least absolute value."""
        return np.maximum(np.maximum(self.lower, -self.upper), 0.0)

    def __getitem__(self, place) -> Range:
        return Range(self.lower[place], self.upper[place])

    def __neg__(self) -> Range:
        return Range(-self.upper, -self.lower)

    def __add__(self, other) -> Range:
        other = Range.of(other)
        with np.errstate(invalid="ignore", over="ignore"):
            return Range(_down(self.lower + other.lower), _up(self.upper + other.upper))

    def __sub__(self, other) -> Range:
        return self + -Range.of(other)

    def __rsub__(self, other) -> Range:
        return Range.of(other) - self

    def __mul__(self, other) -> Range:
        other = Range.of(other)
        with np.errstate(invalid="ignore", over="ignore"):
            products = [one * two for one in (self.lower, self.upper) for two in (other.lower, other.upper)]
        products = [np.where(np.isnan(product), 0.0, product) for product in products]
        low, high = (extreme(extreme(products[0], products[1]), extreme(products[2], products[3]))
                     for extreme in (np.minimum, np.maximum))
        return Range(_down(low), _up(high))

    __radd__, __rmul__ = __add__, __mul__

    def inverse(self) -> Range:
        """1 over numbers that are known to be positive, whatever their range says."""
        with np.errstate(divide="ignore"):
            return Range(_down(1 / self.upper), _up(1 / np.maximum(self.lower, 0.0)))

    def square(self) -> Range:
        """The squares."""
        with np.errstate(over="ignore"):
            return Range(np.maximum(_down(np.square(self.least_size)), 0.0), _up(np.square(self.size)))

    def exp(self) -> Range:
        """e to them."""
        with np.errstate(over="ignore"):
            return Range(np.exp(self.lower) * (1 - 1e-15), _up(np.exp(self.upper) * (1 + 1e-15)))

    def root(self) -> Range:
        """√ of what is known not to be negative."""
        return Range(_down(np.sqrt(np.maximum(self.lower, 0.0))), _up(np.sqrt(np.maximum(self.upper, 0.0))))

    def within(self, other: Range) -> Range:
        """What is in both."""
        return Range(np.maximum(self.lower, other.lower), np.minimum(self.upper, other.upper))

    def sum(self, axis: int) -> Range:
        """The sum along an axis."""
        with np.errstate(invalid="ignore", over="ignore"):
            lower, upper = self.lower.sum(axis), self.upper.sum(axis)
            lost = self.lower.shape[axis] * np.finfo(float).eps * self.size.sum(axis)
            return Range(_down(lower - lost), _up(upper + lost))


def passed(left: Range, right: Range, slope: Range, length) -> Range:
    """All values, on an interval of this length, of a function by its values at both ends and its slopes.

    What rises at most at the rate u and falls at most at the rate v goes at most length·uv/(u + v) above its
    higher end, and below its lower one.
    """
    up, down = np.maximum(slope.upper, 0.0), np.maximum(-slope.lower, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # 1/(1/u + 1/v): neither is squared
        beyond = length / (1 / up + 1 / down) * (1 + 1e-15)
        return Range(_down(np.minimum(left.lower, right.lower) - beyond),
                     _up(np.maximum(left.upper, right.upper) + beyond))


def _down(value) -> np.ndarray:
    """The next float below, −∞ for what is not a number."""
    value = np.nextafter(value, -np.inf)
    return np.where(np.isnan(value), -np.inf, value)


def _up(value) -> np.ndarray:
    """The next float above, ∞ for what is not a number."""
    value = np.nextafter(value, np.inf)
    return np.where(np.isnan(value), np.inf, value)
