"""Elementwise roots to the last digit, by Newton's method inside brackets, and quantiles by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_EPS = np.finfo(float).eps
#: Evaluations before the search is given up; halving alone takes 2200 from the largest float to the least.
MOST = 5000
#: How much longer a step is where Newton's do not get shorter.
STRIDE = 8.0

#: (x, *args) -> (the value of an increasing function, Newton's step to its root), arrays of shape (n,).
Increasing = Callable[..., tuple[np.ndarray, np.ndarray]]


def elementwise_roots(function: Increasing, low, high, args=(), accuracy=0.0, start=None, wide=None) -> np.ndarray:
    """The roots of increasing functions, up to ``accuracy`` and two roundings of themselves.

    Every value that is seen makes a bracket shorter, and only signs are trusted: a search ends where the value
    is 0, or with a bracket of that length that has a value below 0 at its left and one above at its right.
    Newton's step goes half that length beyond where it leads, so that the sign changes behind it.  Where it is
    not half as long as the step before, it becomes longer than that; where it leaves the bracket, that is halved.

    Parameters
    ----------
    function : callable
        (x, *args) -> (value, step), of which the step may be anything, also no number.
    low, high : arrays of shape (n,)
        Where roots are likely.
    args : tuple of arrays of shape (n,)
    accuracy : float
        Length of the brackets at the end, at least.
    start : array of shape (n,), optional
        Where to begin; the middle of every bracket by default.
    wide : array of shape (n,), optional
        Roots that are not between ``low`` and ``high`` are looked for in ``[-wide, wide]``.

    Raises
    ------
    ArithmeticError
        If there is no root.
    """
    given = np.array([low, high], dtype=float)
    roots, ends, which, own = np.empty(given.shape[1]), given.copy(), np.arange(given.shape[1]), tuple(args)
    (low, high), before, moved = given, np.full(given.shape[1], np.inf), np.zeros(given.shape[1])
    x = (low + high) / 2 if start is None else np.minimum(np.maximum(start, low), high)
    for _ in range(MOST):
        with np.errstate(all="ignore"):  # densities may vanish; a step that is no number is not taken
            value, step = function(x, *own)
            low, high = np.where(value < 0, x, low), np.where(value > 0, x, high)
            room = accuracy + 2 * _EPS * np.abs(x)
            wanted = x + step + np.copysign(room / 2, step)
            length = np.abs(wanted - x)
            slow = length > np.maximum(before, room) / 2
            wanted = np.where(slow, x + np.copysign(STRIDE * np.maximum(moved, length), step), wanted)
            good = (wanted > low) & (wanted < high)
        middle, going = (low + high) / 2, (high - low > room) & (value != 0)
        if not going.all():
            done, zero = ~going, value == 0
            newton = np.minimum(np.maximum(x + np.where(np.isfinite(step), step, middle - x), low), high)
            roots[which[done]] = np.where(zero, x, newton)[done]
            ends[:, which[done]] = np.where(zero, x, [low, high])[:, done]
            which, own = which[going], tuple(arg[going] for arg in own)
            if not which.size:
                break
            x, low, high, wanted, middle, good, length = (
                part[going] for part in (x, low, high, wanted, middle, good, length))
        after = np.where(good, wanted, middle)
        x, moved, before = after, np.abs(after - x), np.where(np.isfinite(length), length, before[going])
    missed = np.isin(np.arange(len(roots)), which)
    for end, place, sign in zip(ends, given, (-1.0, 1.0), strict=True):  # a given end has not been seen yet
        unseen = np.flatnonzero(end == place)
        if unseen.size:
            with np.errstate(all="ignore"):
                value = function(place[unseen], *(arg[unseen] for arg in args))[0]
            missed[unseen[~(sign * value >= 0)]] = True
    if not missed.any():
        return roots
    if wide is None:
        raise ArithmeticError(f"no root between {given[0][missed][0]} and {given[1][missed][0]}")
    roots[missed] = elementwise_roots(function, -wide[missed], wide[missed],
                                      tuple(arg[missed] for arg in args), accuracy)
    return roots


def to_level(found: np.ndarray, wanted: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Newton's step for the logarithm of a ``found`` level of that ``slope``, which is nearly straight in tails."""
    with np.errstate(all="ignore"):
        return np.log(wanted / found) * found / slope


def quantiles(law, table, level, below, accuracy: float, wide: float) -> np.ndarray:
    """The x with P(X <= x) = ``level`` where ``below``, else P(X > x) = ``level``, arrays of shape (n,).

    Parameters
    ----------
    law : LineDistribution
    table : arrays of shape (m,)
        Increasing places, and both distribution functions there.
    level, below, accuracy
        Levels, which side they are of, and how long a bracket may be.
    wide : float
        Beyond which there is no quantile on either side.
    """
    places, cdf, sf = table
    # up to which entry of the table there is less mass than that, or not more than what it leaves
    last = np.where(below, np.searchsorted(cdf, level), len(sf) - np.searchsorted(sf[::-1], level, "right"))
    inside = (last > 0) & (last < len(places))
    last = np.clip(last, 1, len(places) - 1)
    before, after = (np.where(below, cdf[index], sf[index]) for index in (last - 1, last))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(level / before) / np.log(after / before)
    low, high = np.where(inside, places[last - 1], -wide), np.where(inside, places[last], wide)
    start = low + np.where(np.isfinite(share), share, 0.5) * (high - low)

    def excess(x, level, below):
        found = np.empty(x.shape)
        found[below], found[~below] = law.cdf(x[below]), law.sf(x[~below])
        sign = np.where(below, 1.0, -1.0)
        return sign * (found - level), sign * to_level(found, level, law.pdf(x))

    return elementwise_roots(excess, low, high, (level, below), accuracy, start, np.full(level.shape, wide))
