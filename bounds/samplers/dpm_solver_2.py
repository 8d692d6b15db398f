r"""DPM-Solver-2: the midpoint method for the probability-flow ODE with the middle in log σ, σ = s/a.

.. math:: \pi = 1, \quad m = \sqrt{\tau r}, \quad \kappa_1 = \tau - m, \quad \Pi = 1, \quad K_1 = 0,
          \quad K_2 = \tau - r; \qquad \text{to } r = 0 \text{ a step of Euler's: } K_1 = \tau, K_2 = 0.

Exact for data at a single point.  Order 2.  Two evaluations of the score a step.  One block only.
Takes churn (`bounds.steps.churn`).

Source: Lu et al. 2022 (arXiv 2206.00927) algorithm 1; docs/theory.md section 12.
"""

import numpy as np

from bounds.steps.churn import PARAMETERS, Churned
from bounds.steps.rule import Rule, Sampler
from bounds.steps.stages import Stages, TwoStages

_RULE = Rule(drift=None, score_weight=None, score_defect=None, amplitude=None,
             stages=TwoStages(lambda n: Stages(1.0, n.first, 1.0, 0.0, n.whole),
                              middle=lambda tau, r: np.sqrt(tau * r)))

SAMPLER = Sampler(
    key="dpm-solver-2",
    source="Lu et al. 2022 (arXiv 2206.00927) algorithm 1",
    what="A midpoint step for the probability-flow ODE with the middle in the logarithm of s/a: no noise, two "
    "evaluations.",
    exact="Exact for data at a single point.",
    one_block=_RULE, made=Churned(_RULE), parameters=PARAMETERS, strong_order=2)
