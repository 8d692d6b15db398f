"""A number known between two guaranteed sides."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bracket:
    r"""``lower <= truth <= upper`` for a quantity that cannot be negative.

    Parameters
    ----------
    lower, upper : float
        Guaranteed sides, ``0 <= lower <= upper``; ``upper`` may be ``inf`` ("no upper side known").
    method : str
        How the two sides were obtained, in a few words.
    estimated : str
        What the sides rest on that is not proved but estimated; empty where there is nothing of the kind.

    Raises
    ------
    ValueError
        If a side is NaN, ``lower`` is negative or infinite, or the sides are in the wrong order.

    Notes
    -----
    Every operation on brackets rounds outwards, so the guarantee survives floating point.
    """

    lower: float
    upper: float
    method: str
    estimated: str = ""

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            value = getattr(self, name)
            if isinstance(value, bool | str | complex):
                raise TypeError(f"Bracket {name} must be a real number, got {value!r}")
            object.__setattr__(self, name, float(value))
        if math.isnan(self.lower) or math.isnan(self.upper):
            raise ValueError(f"Bracket sides must not be NaN, got [{self.lower}, {self.upper}]")
        if not 0.0 <= self.lower < math.inf:
            raise ValueError(f"Bracket lower must be finite and at least 0, got {self.lower}")
        if self.upper < self.lower:
            raise ValueError(f"Bracket upper must be at least lower = {self.lower}, got {self.upper}")
        if not isinstance(self.method, str):
            raise TypeError(f"Bracket method must be a string, got {self.method!r}")

    @classmethod
    def exact(cls, value: float, rounding: float = 0.0, method: str = "closed form",
              estimated: str = "") -> Bracket:
        """``[value - rounding, value + rounding]``, rounded outwards, the lower side clipped at 0.

        Parameters
        ----------
        value : float
            The computed number, finite; a negative one is allowed as far as ``rounding`` explains it.
        rounding : float
            Half-width, absolute, at least 0: a bound of the error made in computing ``value``.
        method, estimated : str
            Recorded on the bracket.

        Raises
        ------
        ValueError
            If ``value`` is not finite, ``rounding`` is negative or not finite, or ``value < -rounding``.
        """
        value, rounding = float(value), float(rounding)
        if not math.isfinite(value):
            raise ValueError(f"value must be finite, got {value}")
        if not 0.0 <= rounding < math.inf:
            raise ValueError(f"rounding must be finite and at least 0, got {rounding}")
        if value + rounding < 0.0:
            raise ValueError(f"value must be at least -rounding = {-rounding}, got {value}")
        if rounding == 0.0:
            return cls(value, value, method, estimated)
        return cls(max(0.0, _down(value - rounding)), _up(value + rounding), method, estimated)

    @classmethod
    def root_sum_sq(cls, brackets: Iterable[Bracket], method: str = "") -> Bracket:
        r"""Bracket of :math:`(\sum_i w_i^2)^{1/2}` from brackets of every :math:`w_i`.

        Parameters
        ----------
        brackets : iterable of Bracket
            At least one; ``method`` defaults to their methods, joined.

        Raises
        ------
        ValueError
            If there is no bracket.
        """
        parts = tuple(brackets)
        if not parts:
            raise ValueError("root_sum_sq needs at least one bracket, got none")
        if len(parts) == 1:
            return cls(parts[0].lower, parts[0].upper, method or parts[0].method, parts[0].estimated)
        slack = (len(parts) + 4) * 2.0**-53
        lower = math.hypot(*(part.lower for part in parts))
        upper = math.hypot(*(part.upper for part in parts))
        joined = method or " + ".join(dict.fromkeys(part.method for part in parts))
        estimated = "; ".join(dict.fromkeys(part.estimated for part in parts if part.estimated))
        return cls(max(0.0, _down(lower * (1.0 - slack))), _up(upper * (1.0 + slack)), joined, estimated)

    def scaled(self, factor: float) -> Bracket:
        """Bracket of ``factor * truth`` for a finite ``factor >= 0``."""
        factor = float(factor)
        if not 0.0 <= factor < math.inf:
            raise ValueError(f"factor must be finite and at least 0, got {factor}")
        if factor == 0.0:
            return Bracket(0.0, 0.0, self.method, self.estimated)
        if factor == 1.0:
            return self
        return Bracket(max(0.0, _down(factor * self.lower)), _up(factor * self.upper), self.method,
                       self.estimated)

    def widened(self, margin: float) -> Bracket:
        """Bracket of any number within ``margin >= 0`` (absolute, may be ``inf``) of the truth."""
        margin = float(margin)
        if not margin >= 0.0:
            raise ValueError(f"margin must be at least 0, got {margin}")
        if margin == 0.0:
            return self
        return Bracket(max(0.0, _down(self.lower - margin)), _up(self.upper + margin), self.method,
                       self.estimated)

    @property
    def midpoint(self) -> float:
        """Half way between the sides; ``inf`` when there is no upper side."""
        return self.lower + 0.5 * (self.upper - self.lower)

    @property
    def relative_width(self) -> float:
        """``(upper - lower) / midpoint``; 0 for the point 0, ``inf`` when there is no upper side."""
        if self.upper == self.lower:
            return 0.0
        return math.inf if math.isinf(self.upper) else (self.upper - self.lower) / self.midpoint

    def __contains__(self, value: float) -> bool:
        """Whether ``value`` lies between the two sides."""
        return self.lower <= value <= self.upper


def _down(value: float) -> float:
    return math.nextafter(value, -math.inf)


def _up(value: float) -> float:
    return math.nextafter(value, math.inf)
