"""What a Gauss rule may miss at a kink: coefficients stop falling, and no node may lie behind it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre

from bounds.steps.panels import largest, over_nodes

#: A value at an end of a panel this much smaller than at the nodes has no sign.
NO_SIGN = 1e-6
#: Margin on the rule's error for a broken line, as what crosses zero is not quite one.
MARGIN = 2.0


@dataclass(frozen=True)
class Kinked:
    """An integrand that is smooth but for kinks: its values (..., n) at the nodes of panels.

    ``size``, of shape (...): how far in each panel the smooth functions go that change sign at kinks, or 0.
    """

    values: np.ndarray
    size: np.ndarray


def passing(values) -> np.ndarray:
    """How far a function (..., n) at Gauss nodes goes where it has a zero in its panel, else 0: (...)."""
    ends = over_nodes(values, _to_ends(values.shape[-1]))
    # of one sign throughout, as mostly: there is no zero
    if (values.min() >= 0 and ends.min() >= 0) or (values.max() <= 0 and ends.max() <= 0):
        return np.zeros(values.shape[:-1])
    high, low = largest(values), largest(values, np.minimum)
    size = NO_SIGN * np.maximum(np.abs(high), np.abs(low))[..., None]
    ends = np.where(np.abs(ends) > size, ends, 0.0)
    high, low = np.maximum(high, largest(ends)), np.minimum(low, largest(ends, np.minimum))
    return np.where((high > 0) & (low < 0), high - low, 0.0)


@lru_cache
def kink_error(nodes: int) -> float:
    """Error of the rule for max(x − x_0, 0) on [0, 1] at the worst x_0, with a margin."""
    x, w = legendre.leggauss(nodes)
    places = np.linspace(0.0, 1.0, 4001)
    found = np.maximum((x + 1) / 2 - places[:, None], 0.0) @ (w / 2)
    return MARGIN * float(np.abs(found - np.square(1 - places) / 2).max())


@lru_cache
def _to_ends(nodes: int) -> np.ndarray:
    """From values at the nodes to the polynomial through them at both ends, shape (n, 2)."""
    x, _ = legendre.leggauss(nodes)
    ends = legendre.legvander(np.array([-1.0, 1.0]), nodes - 1)
    return (ends @ np.linalg.inv(legendre.legvander(x, nodes - 1))).T
