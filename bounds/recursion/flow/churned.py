"""What the recursion of the flow runs on where steps start from raised levels: the noise is the exact
process's, too."""

from dataclasses import replace

import numpy as np

from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import FlowIngredients
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients
from bounds.setting import Setting


def churned_ingredients(setting: Setting, data: FlowData, functions) -> FlowIngredients:
    """Those of plain steps on the grids of layers, in the order of the steps."""
    found, order = [], []
    for scheme, rows, which in setting.table.layers:
        part = replace(setting, scheme=scheme)
        parts = twice_ingredients(part, data, TwiceSteps.of(part, data), functions)
        found.append([each[rows] for each in (parts.contraction, parts.local, parts.weight, parts.noise,
                                              parts.spill, *(parts.saturated or ()))])
        order.append(which)
    place = np.argsort(np.concatenate(order))
    contraction, local, weight, noise, spill, *saturated = (
        np.concatenate(column)[place] for column in zip(*found, strict=True))
    return FlowIngredients(contraction, local, weight, tuple(saturated) or None, noise, spill)
