"""What the recursion of the flow runs on where steps start from raised levels: the noise is the exact
process's, too."""

from dataclasses import replace

import numpy as np

from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import FlowIngredients
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients
from bounds.score_error import ScoreError
from bounds.setting import Setting


def churned_ingredients(setting: Setting, data: FlowData, functions) -> FlowIngredients:
    """Those of plain steps on the grids of layers, in the order of the steps."""
    found, order = [], []
    for scheme, rows, which in setting.table.layers:
        part = replace(setting, scheme=scheme, score_error=_of_a_layer(setting, scheme, rows, which))
        parts = twice_ingredients(part, data, TwiceSteps.of(part, data), functions)
        found.append([each[rows] for each in (parts.contraction, parts.local, parts.bias, parts.weight,
                                              parts.spill, *(parts.saturated or ()))])
        order.append(which)
    place = np.argsort(np.concatenate(order))
    contraction, local, bias, weight, spill, *saturated = (
        np.concatenate(column)[place] for column in zip(*found, strict=True))
    return FlowIngredients(contraction, local, bias, weight, tuple(saturated) or None, spill)


def _of_a_layer(setting: Setting, scheme, rows, which):
    """The score error of the steps of a layer: a list is that of the steps they are."""
    error = setting.score_error
    if not isinstance(error, ScoreError) or error.count is None:
        return error
    sizes = np.zeros(scheme.grid.steps)
    sizes[rows] = np.asarray(error.sizes)[which]
    return ScoreError(sizes.tolist(), error.unit)
