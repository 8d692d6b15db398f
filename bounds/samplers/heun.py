r"""Heun's method for the probability-flow ODE in the noise level σ = s/a: the sampler of EDM.

.. math:: \pi = 1, \quad \kappa_1 = \tau - r, \quad m = r, \quad \Pi = 1, \quad
          K_1 = K_2 = \tfrac12 (\tau - r); \qquad \text{to } r = 0 \text{ a step of Euler's: } K_1 = \tau, K_2 = 0.

Exact for data at a single point.  Order 2.  Two evaluations of the score a step.  One block only.
Takes churn (`bounds.steps.churn`).

Source: Karras et al. 2022 (arXiv 2206.00364) algorithm 1; docs/theory.md section 12.
"""

from bounds.steps.churn import PARAMETERS, Churned
from bounds.steps.rule import Rule, Sampler
from bounds.steps.stages import Stages, TwoStages

_RULE = Rule(drift=None, score_weight=None, score_defect=None, amplitude=None,
             stages=TwoStages(lambda n: Stages(1.0, n.whole, 0.5, 0.5, n.whole / 2)))

SAMPLER = Sampler(
    key="heun",
    source="Karras et al. 2022 (arXiv 2206.00364) algorithm 1",
    what="A step of Heun's method for the probability-flow ODE in the noise level s/a: no noise, two evaluations.",
    exact="Exact for data at a single point.",
    one_block=_RULE, made=Churned(_RULE), parameters=PARAMETERS, strong_order=2)
