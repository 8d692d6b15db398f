r"""Moments of the exponential in balls, real or complex: :math:`E_n(z) = \int_0^1 s^n e^{-zs} ds`."""

from __future__ import annotations

from functools import lru_cache
from math import factorial

#: Below this |z| moments are summed as series, beyond it they follow from one another.
SERIES_BELOW = 2
#: A ball narrower than this is no box: a coarse bound of the slope will do.
POINT = 2.0**-40


def exponential_moments(z, count: int = 3) -> list:
    r"""E_0 … of a ball: at its middle, and as far off as the mean-value theorem allows.

    On a ball that reaches δ from its middle :math:`|E_n' | \le E_{n+1}(\mathrm{Re}\,z - \delta)`.
    """
    from flint import acb, arb

    complex_ = not hasattr(z, "nonnegative_part")
    middle = (z.real if complex_ else z).mid()
    off = (z - middle).abs_upper()
    found = _at(middle, count)
    if off == 0:
        return [acb(value) for value in found] if complex_ else found
    if off < POINT:
        most = (off + abs(middle)).exp().upper() if middle < off else arb(1)
        slopes = [most / (n + 2) for n in range(count)]
    else:
        slopes = _at((middle - off).lower(), count + 1)[1:]
    around = [arb(0, (off * slope).upper()) for slope in slopes]
    if complex_:
        return [acb(value + more, more) for value, more in zip(found, around, strict=True)]
    return [value + more for value, more in zip(found, around, strict=True)]


def _at(z, count: int) -> list:
    """E_0 … at a real point: upwards from E_0 where z is large, else downwards from a series."""
    decay = (-z).exp()
    if abs(z) > SERIES_BELOW:
        found = [(1 - decay) / z]
        for n in range(1, count):
            found.append((n * found[-1] - decay) / z)
        return found
    from flint import ctx

    series, tail = _series(count - 1, ctx.prec)
    found = [series(z) + tail]
    for n in range(count - 1, 0, -1):
        found.append((z * found[-1] + decay) / n)
    return found[::-1]


@lru_cache(maxsize=64)
def _series(n: int, precision: int):
    """E_n as a polynomial and what it leaves where |z| <= `SERIES_BELOW`."""
    from flint import arb, arb_poly

    terms = 8
    while SERIES_BELOW**terms << precision > factorial(terms):
        terms += 1
    # the terms after fall by a half or more each
    tail = arb(SERIES_BELOW) ** terms / factorial(terms) * 2
    return (arb_poly([arb((-1) ** k) / (factorial(k) * (n + k + 1)) for k in range(terms)]),
            arb(0, tail.upper()))
