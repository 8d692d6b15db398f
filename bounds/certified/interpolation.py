r"""Integrals by polynomials through Chebyshev points, in balls.

For u analytic in the Bernstein ellipse of :math:`\varrho`, with :math:`|u| \le M` there, the polynomial p
through n points satisfies :math:`|u - p| \le 4 M \varrho^{1-n}/(\varrho - 1)` on [−1, 1] (Trefethen, ATAP,
theorem 8.2, whose aliasing argument holds for the points of the first kind as well).
"""

import math
from functools import lru_cache
from typing import NamedTuple

#: Bits beyond those of a computation at which the nodes are made.
GUARD = 128


class Interpolation(NamedTuple):
    """Points x_i of the first kind, ascending, with ∫_{-1}^1 p = weights·u and ∫_{-1}^{x_i} p = (inner u)_i.

    ``bernstein`` u are the coefficients of p in Bernstein's form on [−1, 1], ``offsets`` the x_i + 1.
    """

    nodes: list
    offsets: list
    weights: list
    inner: object
    bernstein: object


@lru_cache(maxsize=64)
def interpolation(count: int, precision: int) -> Interpolation:
    """The points and weights of polynomials of degree ``count`` − 1."""
    from flint import arb, arb_mat, ctx

    with ctx.workprec(precision + GUARD):
        angles = [(2 * (count - j) - 1) for j in range(count)]
        table = [[_cosine(k * angle, 2 * count) for k in range(count + 1)] for angle in angles]
        nodes = [row[1] for row in table]
        start = [(-1) ** k for k in range(count + 1)]
        # c_k = (2/n) Σ u(x_j) T_k(x_j), half of that for k = 0
        series = arb_mat([[row[k] * (1 if k == 0 else 2) / count for row in table] for k in range(count)])
        inner = arb_mat([[_primitive(row, k) - _primitive(start, k) for k in range(count)] for row in table])
        whole = arb_mat([[arb(0 if k % 2 else 2) / (1 - k * k) if k != 1 else arb(0) for k in range(count)]])
        basis = arb_mat([[math.comb(count - 1, i) * ((1 + x) / 2) ** i * ((1 - x) / 2) ** (count - 1 - i)
                          for i in range(count)] for x in nodes])
        return Interpolation(nodes, [x + 1 for x in nodes], (whole * series).entries(), inner * series,
                             basis.inv())


def _cosine(numerator: int, denominator: int):
    """cos(π p/q)."""
    from flint import arb, fmpq

    return arb.cos_pi_fmpq(fmpq(numerator, denominator))


def _primitive(chebyshev, k: int):
    """∫T_k from the values of all T at a point, up to a constant."""
    from flint import arb

    if k == 0:
        return arb(chebyshev[1])
    if k == 1:
        # x²/2 = (T_2 + 1)/4
        x = arb(chebyshev[1])
        return x * x / 2
    return arb(chebyshev[k + 1]) / (2 * (k + 1)) - arb(chebyshev[k - 1]) / (2 * (k - 1))


@lru_cache(maxsize=64)
def error_factor(count: int, reach: float):
    """What |u − p| is at most, in units of M, where the ellipse reaches ``reach`` half lengths."""
    from flint import arb

    # rounded down
    rho = arb(reach) + (arb(reach) * arb(reach) - 1).sqrt()
    return (4 / ((rho - 1) * rho ** (count - 1))).upper()


def points_needed(bits: float, reach: float) -> int:
    """Points whose error is about 2^−bits of the function, if it grows like z² out there."""
    each = math.log2(reach + math.sqrt(reach * reach - 1))
    return max(4, math.ceil((bits + 4 + 2 * math.log2(reach)) / each))
