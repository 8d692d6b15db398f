"""Gauss–Legendre panels: one rule and one estimate of what it misses, for every integral over steps."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

#: Margin on the estimated error of a panel.
SAFETY = 10.0
#: A step cut into more panels than this is not refined further.
MAX_PANELS = 2048
#: Panels, for each node of one, from which on they are looked through node by node.
FEW_PANELS = 7


class PanelRule(NamedTuple):
    """A Gauss rule on [0, 1] of n nodes.

    ``inner`` takes values at the nodes to the integrals from 0 to each node, ``columns``, of shape (n, 3), to
    the integral and the two highest Legendre coefficients.
    """

    places: np.ndarray
    weights: np.ndarray
    inner: np.ndarray
    columns: np.ndarray


@lru_cache
def panel_rule(nodes: int) -> PanelRule:
    """The rule with this many nodes."""
    x, w = legendre.leggauss(nodes)
    vandermonde = legendre.legvander(x, nodes - 1)
    to_coefficients = (vandermonde * w[:, None]).T * (2 * np.arange(nodes)[:, None] + 1) / 2
    antiderivatives = np.stack([legendre.legval(x, legendre.legint(row, lbnd=-1)) for row in np.eye(nodes)])
    inner = np.ascontiguousarray((antiderivatives.T @ to_coefficients / 2).T)
    return PanelRule((x + 1) / 2, w / 2, inner, np.stack([w / 2, *to_coefficients[-2:]], axis=1))


def over_nodes(values, matrix):
    """values (..., n) @ matrix (n,) or (n, c) as one product, where numpy makes one for every step."""
    found = values.reshape(-1, len(matrix)) @ matrix
    return found.reshape(*values.shape[:-1], *matrix.shape[1:])


def largest(values, larger=np.maximum):
    """The largest of the values (..., n) of every panel: node by node, as numpy is slow along a short axis."""
    if values.size < FEW_PANELS * values.shape[-1] ** 2:
        return larger.reduce(values, axis=-1)
    found = values[..., 0].copy()
    for node in range(1, values.shape[-1]):
        larger(found, values[..., node], out=found)
    return found


def integrals(values, width, rule: PanelRule):
    """(∫ over each panel, its two highest coefficients), shape (...): values (..., n), widths (..., 1)."""
    projected = over_nodes(values, rule.columns) * width
    return projected[..., 0], np.abs(projected[..., 1]) + np.abs(projected[..., 2])


def missed(seen, mass):
    """What the rule may miss of a smooth integrand, from the coefficients ``seen`` and ``mass`` = ∫|values|.

    n nodes miss coefficients of degree 2n on: with geometric decay the square of the highest ones, relative
    to the mass.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mass > 0, SAFETY * seen * np.minimum(seen / mass, 1.0), 0.0)
