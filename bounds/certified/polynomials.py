r"""Polynomials in Bernstein's form, in balls: their positive part's integral, and their largest value.

On [0, 1] :math:`p = \sum_i b_i \binom{n}{i} x^i (1-x)^{n-i}` is a mean of its coefficients at every point, so
that :math:`\int p = \bar b`, :math:`\int p^- \le \overline{b^-}` and :math:`p \le \max_i b_i`, p being b_0
and b_n at the ends.  What these leave open falls like the square of a part's length when it is halved (de
Casteljau).

Source: Farouki 2012 (The Bernstein polynomial basis: a centennial retrospective).
"""

import itertools

from bounds.symbolic.proof import above as float_above
from bounds.symbolic.proof import below as float_below

#: A part is halved at most so often, and not at all where this many radii of its coefficients are all that is
#: open.
HALVINGS, RADII = 60, 4


def positive_integral(coefficients: list, tolerance: float):
    """∫_0^1 max(p, 0), left open by about the tolerance at most; the coefficients are finite."""
    from flint import arb

    total, waiting = arb(0), [(coefficients, 1.0)]
    while waiting:
        found, length = waiting.pop()
        count, mean = len(found), sum(found, arb(0)) * (length / len(found))
        if all(value >= 0 for value in found):
            total += mean
            continue
        above, below = (sum((sign * value).max(0).upper() for value in found) * (length / count) for sign
                        in (1, -1))
        doubt = RADII * sum(float(value.rad()) for value in found) / count
        if min(above, below) <= (tolerance + doubt) * length or length < 0.5**HALVINGS:
            # ∫p⁺ is ∫p + ∫p⁻, and at most the mean of the positive parts
            total += mean + arb(0).union(below) if below < above else arb(0).union(above)
            continue
        waiting += [(half, length / 2) for half in halves(found)]
    return total


def largest(coefficients: list, relative: float, least: float = 0.0):
    """(a value that is reached, one that none exceeds) of p on [0, 1], relatively apart by about so much at
    most.

    Nothing below ``least`` is looked for.
    """
    seen, most, waiting = least, least, [(coefficients, 0)]
    while waiting:
        found, level = waiting.pop()
        seen = max(seen, float_below(found[0]), float_below(found[-1]))
        top = max(float_above(value) for value in found)
        doubt = RADII * max(float(value.rad()) for value in found)
        if top <= seen * (1 + relative) + doubt or level == HALVINGS:
            most = max(most, top)
        else:
            waiting += [(half, level + 1) for half in halves(found)]
    return seen, max(seen, most)


def halves(coefficients: list) -> list[list]:
    """The same polynomial on [0, 1/2] and on [1/2, 1]."""
    left, right, row = [], [], list(coefficients)
    while row:
        left.append(row[0])
        right.append(row[-1])
        row = [(x + y) / 2 for x, y in itertools.pairwise(row)]
    return [left, right[::-1]]
