r"""Euler–Maruyama with frozen coefficients: f and g, too, are held at their values where the step starts.

.. math:: P = 1 + hf(\tau), \quad Q = hg(\tau)^2, \quad n = g(\tau)/g; \qquad
          P = I - h\beta(\tau)A, \quad Q = h\beta(\tau)D \quad \text{for } k = 2.

Exact where f = 0, g is constant and the score does not change over a step.  Strong order 1.

Source: the textbook scheme, as most code has it.
"""

import numpy as np

from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows, euler_rows
from bounds.steps.rule import Rule, Sampler


def _rows(path: PhasePath, times) -> Rows:
    clock, times = path.clock(times), np.asarray(times)
    length = (times[:-1] - times[1:]) * path.speed(times[:-1])
    # only the covariance of the noise matters to the sampler: the proof may spread it evenly over the step
    return euler_rows(path, clock, length, np.sqrt(length / (clock[:-1] - clock[1:])))


SAMPLER = Sampler(
    key="frozen-euler-maruyama",
    source="Euler–Maruyama with coefficients frozen at the start of the step",
    what="Coefficients, state and score are held at their values where the step starts.",
    exact="Exact where f = 0, g is constant and the score does not change over a step.",
    one_block=Rule(drift=lambda n: n.f_end, score_weight=lambda n: n.g_sq_end,
                   score_defect=lambda n: np.expm1(2 * n.F - n.F_end) * n.g_sq + (n.g_sq - n.g_sq_end),
                   amplitude=lambda n, _: np.sqrt(n.g_sq_end)),
    phase_space=_rows)
