r"""The exponential integrator: the linear part of the reverse process is solved, the score is held.

.. math:: P = \Phi^{-1}, \quad Q = \int \Phi(\sigma, r)^{-1} g(\sigma)^2 d\sigma, \quad n = \Phi(\sigma, r)^{-1},

and the same with matrices for k = 2.  Exact where the score does not change over a step.  Strong order 1.

Source: docs/theory.md section 3.
"""

import numpy as np

from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows, reverse_flow_rows
from bounds.steps.rule import Rule, Sampler, grown_noise


def _rows(path: PhasePath, times) -> Rows:
    return reverse_flow_rows(path, times, lambda h, _: path.reverse_integral(h) @ path.D)


SAMPLER = Sampler(
    key="exponential",
    source="exponential integrator (docs/theory.md section 3)",
    what="The linear part of the reverse process is solved, the score is held.",
    exact="Exact where the score does not change over a step.",
    one_block=Rule(drift=None, score_weight=lambda n: np.exp(n.F) * n.g_sq,
                   score_defect=lambda n: np.exp(n.F) * np.expm1(n.F - n.F_end) * n.g_sq,
                   amplitude=lambda n, _: grown_noise(n)),
    phase_space=_rows)
