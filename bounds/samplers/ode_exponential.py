r"""The exponential integrator of the probability-flow ODE: its linear part is solved, the score is held.

.. math:: P = \Phi^{-1}, \quad Q = \tfrac12 \int \Phi(\sigma, r)^{-1} g(\sigma)^2 d\sigma, \quad n = 0.

Exact where the score does not change over a step.  Order 1.  One block only.

Source: Gao and Zhu 2024 (arXiv 2401.17958); docs/theory.md section 12.
"""

import numpy as np

from bounds.steps.rule import Rule, Sampler

SAMPLER = Sampler(
    key="ode-exponential",
    source="exponential integrator of the probability-flow ODE (arXiv 2401.17958)",
    what="The linear part of the probability-flow ODE is solved, the score is held: no noise.",
    exact="Exact where the score does not change over a step.",
    one_block=Rule(drift=None, score_weight=lambda n: np.exp(n.F) * n.g_sq / 2, score_defect=None,
                   amplitude=None))
