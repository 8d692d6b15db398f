r"""Euler–Maruyama: the coefficients are integrated over the step, state and score are held.

.. math:: P = 1 + \int f, \quad Q = \int g^2, \quad n = 1; \qquad
          P = I - hA, \quad Q = hD, \quad n = I \quad \text{for } k = 2, \ h = \textstyle\int\beta.

Exact where f = 0 and the score does not change over a step.  Strong order 1, since the noise is additive.

Source: arXiv 2311.11003 eq. (2.8).
"""

import numpy as np

from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows, euler_rows
from bounds.steps.rule import Rule, Sampler


def _rows(path: PhasePath, times) -> Rows:
    clock = path.clock(times)
    length = clock[:-1] - clock[1:]
    return euler_rows(path, clock, length, np.ones_like(length))


SAMPLER = Sampler(
    key="euler-maruyama",
    source="arXiv 2311.11003 eq. (2.8)",
    what="The coefficients are integrated over the step, state and score are held.",
    exact="Exact where f = 0 and the score does not change over a step.",
    one_block=Rule(drift=lambda n: n.f, score_weight=lambda n: n.g_sq,
                   score_defect=lambda n: np.expm1(2 * n.F - n.F_end) * n.g_sq,
                   amplitude=lambda n, _: np.sqrt(n.g_sq)),
    phase_space=_rows)
