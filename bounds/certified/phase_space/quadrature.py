r"""Integrals over [0, 1] of what is analytic around parts of it: Gauss' rule, or of a maximum polynomials.

A part is cut in half until on a box that holds the ellipse of Bernstein around it, with the semi-axis
``reach`` in halves of the part, values are finite and few points are needed.  With :math:`|u| \le M` there
and :math:`\varrho = \mathrm{reach} + (\mathrm{reach}^2 - 1)^{1/2}` n points of Gauss' rule miss at most
:math:`\frac{64}{15} M \varrho^{-2n}/(1 - \varrho^{-2})` (Trefethen, ATAP, theorem 19.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bounds.certified.interpolation import error_factor
from bounds.symbolic.balls import NotEnclosed

#: How far an ellipse reaches, from the most to the least.
REACHES = (64.0, 24.0, 10.0, 5.0, 2.5, 1.5)
#: Most points of a part, and parts of [0, 1].
MOST_POINTS, MOST_PARTS = 40, 4000
#: A part this short is not halved: its values as balls will do.
NARROW = 2.0**-44
#: The same for a polynomial, and what a part with a kink may leave open in units of the tolerance.
NARROWEST, OPEN = 2.0**-60, 1 / 64


@dataclass
class Part:
    """A part of [0, 1] with ``count`` points, and the ellipse on which values are at most ``sizes``."""

    middle: object
    half: object
    count: int
    reach: float | None
    sizes: list


class Quadrature:
    """Integrals of functions of a complex ball that give lists; it learns how far ellipses reach."""

    def __init__(self):
        self._best, self._asked = 0, 0

    def gauss(self, function: Callable, tolerance: float):
        """∫ of the one value of ``function``, which misses about ``tolerance``."""
        from flint import acb, arb

        total = arb(0)
        for part in self._parts(function, tolerance, _gauss_points):
            if part.reach is None:
                total += 2 * part.half * function(acb(_interval(part)))[0].real
                continue
            nodes, weights = gauss_rule(part.count)
            values = [function(acb(part.middle + part.half * node))[0].real for node in nodes]
            found = sum((weight * value for weight, value in zip(weights, values, strict=True)), arb(0))
            miss = part.sizes[0] * gauss_error(part.count, part.reach)
            total += part.half * (found + arb(0, miss.upper()))
        return total

    def greatest(self, function: Callable, tolerance: float):
        """∫ max(b, min(u, w)) of the values (b, u, w) of ``function``."""
        from flint import acb, arb, arb_mat, arb_poly, ctx

        total = arb(0)
        for part in self._parts(function, tolerance, _polynomial_points):
            length = 2 * part.half
            if part.reach is None:
                least, some, other = (value.real for value in function(acb(_interval(part))))
                total += length * least.max(some.min(other))
                continue
            nodes, basis = polynomial_basis(part.count, ctx.prec)
            rows = arb_mat([[value.real for value in function(acb(part.middle + part.half * node))]
                            for node in nodes])
            columns = (basis * rows).transpose().tolist()
            miss = max((size * error_factor(part.count, part.reach) for size in part.sizes), key=float)
            found = _greatest([arb_poly(column) for column in columns], tolerance)
            total += part.half * found + length * arb(0, miss.upper())
        return total

    def _parts(self, function: Callable, tolerance: float, needed: Callable) -> Iterator[Part]:
        from flint import acb, arb

        waiting, found = [(0.0, 1.0)], 0
        while waiting:
            left, right = waiting.pop()
            half, middle = arb(right - left) / 2, arb(left) + arb(right - left) / 2
            part = None
            if right - left <= NARROW:
                part = Part(middle, half, 0, None, [])
            else:
                self._asked += 1
                # now and then one that reaches farther than the last one
                for at in range(max(self._best - (self._asked % 16 == 0), 0), len(REACHES)):
                    around = arb(0, (half * REACHES[at]).upper())
                    sizes = [value.abs_upper() for value in function(acb(middle + around, around))]
                    if all(size.is_finite() for size in sizes):
                        count = needed(max(float(size) for size in sizes) / tolerance, REACHES[at])
                        if count <= MOST_POINTS:
                            self._best, part = at, Part(middle, half, count, REACHES[at], sizes)
                            break
            if part is None:
                waiting += [((left + right) / 2, right), (left, (left + right) / 2)]
                continue
            found += 1
            if found + len(waiting) > MOST_PARTS:
                raise NotEnclosed(f"more than {MOST_PARTS} parts of a row are needed")
            yield part


def _interval(part: Part):
    from flint import arb

    return part.middle + arb(0, part.half.upper())


def _rho(reach: float) -> float:
    return reach + math.sqrt(reach * reach - 1)


def _bits(ratio: float) -> float:
    return math.log2(min(max(ratio, 4.0), 1e300))


def _gauss_points(ratio: float, reach: float) -> int:
    return max(2, math.ceil(_bits(5 * ratio) / (2 * math.log2(_rho(reach)))))


def _polynomial_points(ratio: float, reach: float) -> int:
    return max(2, 1 + math.ceil(_bits(8 * ratio) / math.log2(_rho(reach))))


@lru_cache(maxsize=256)
def gauss_error(count: int, reach: float):
    """What the rule misses of ∫_{-1}^1 u at most, in units of M."""
    from flint import arb

    rho = arb(reach) + (arb(reach) * arb(reach) - 1).sqrt()
    return (arb(64) / 15 / (rho ** (2 * count) * (1 - 1 / (rho * rho)))).upper()


@lru_cache(maxsize=64)
def _gauss_rule(count: int, precision: int):
    from flint import arb

    pairs = [arb.legendre_p_root(count, k, weight=True) for k in range(count)]
    return [node for node, _ in pairs], [weight for _, weight in pairs]


def gauss_rule(count: int):
    """Nodes and weights on [−1, 1]."""
    from flint import ctx

    return _gauss_rule(count, ctx.prec)


@lru_cache(maxsize=64)
def polynomial_basis(count: int, precision: int):
    """Chebyshev's points, and the matrix that makes coefficients of a polynomial of its values there."""
    from flint import arb, arb_mat, ctx, fmpq

    # the points' own powers cancel in the inverse
    with ctx.workprec(2 * precision + 8 * count):
        nodes = [arb.cos_pi_fmpq(fmpq(2 * j + 1, 2 * count)) for j in range(count)]
        powers = arb_mat([[node**k for k in range(count)] for node in nodes])
        return nodes, powers.inv()


def _greatest(polynomials: list, tolerance: float):
    """∫_{-1}^1 max(b, min(u, w)) of polynomials: parts are halved where a branch is open and matters."""
    from flint import arb

    least, some, other = polynomials
    pairs = [(gap, gap.derivative()) for gap in (some - other, some - least, other - least)]
    primitives = [polynomial.integral() for polynomial in polynomials]
    total, waiting = arb(0), [(-1.0, 1.0)]
    while waiting:
        left, right = waiting.pop()
        middle, half = (left + right) / 2, (right - left) / 2
        place, around = arb(middle), arb(0, half)
        apart, *above = (gap(place) + around * slope(place + around) for gap, slope in pairs)
        used, length, spare = 1 if apart <= 0 else 2, arb(right - left), arb(0)
        if not (apart <= 0 or apart >= 0):
            # u may be less than w by this
            spare = -_up_to(length, -apart)
        if above[used - 1] <= 0:
            used, spare = 0, arb(0)
        elif not above[used - 1] >= 0:
            spare += _up_to(length, -above[used - 1])
        if spare.abs_upper() > tolerance * OPEN and right - left > NARROWEST:
            waiting += [(middle, right), (left, middle)]
            continue
        total += primitives[used](arb(right)) - primitives[used](arb(left)) + spare
    return total


def _up_to(length, value):
    """From 0 to the length times the largest that a ball may be."""
    from flint import arb

    return arb(0).union(length * value.max(arb(0)).upper())
