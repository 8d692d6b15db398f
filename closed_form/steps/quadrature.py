"""Gauss–Legendre rules in extended precision, from Arb, with what a polynomial's integral up to a node
needs."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from closed_form.steps.polynomials import WIDE

_DIGITS_BITS = 96


class Rule(NamedTuple):
    """Nodes (n,) in [0, 1], weights (n,), and the map (n, n) from values at nodes to integrals up to each."""

    nodes: np.ndarray
    weights: np.ndarray
    inner: np.ndarray


@lru_cache
def gauss(count: int) -> Rule:
    """The rule of ``count`` nodes; ``inner`` is exact for polynomials of lower degree than that."""
    from flint import arb, arb_mat, ctx

    from closed_form.steps.polynomials import extended

    with ctx.workprec(_DIGITS_BITS + 8 * count):
        roots = [arb.legendre_p_root(count, k, weight=True) for k in reversed(range(count))]
        nodes, weights = [(1 + x) / 2 for x, _ in roots], [w / 2 for _, w in roots]
        powers = arb_mat(count, count, [x**k for x in nodes for k in range(count)])
        integrals = arb_mat(count, count, [x ** (k + 1) / (k + 1) for x in nodes for k in range(count)])
        inner = integrals * powers.inv()
        table = np.array([[extended(inner[i, j]) for i in range(count)] for j in range(count)], dtype=WIDE)
        return Rule(np.array([extended(x) for x in nodes]), np.array([extended(w) for w in weights]), table)
