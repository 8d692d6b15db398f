r"""The midpoint method for the probability-flow ODE in the noise level σ = s/a.

.. math:: \pi = 1, \quad m = \tfrac12 (\tau + r), \quad \kappa_1 = \tau - m, \quad \Pi = 1, \quad K_1 = 0,
          \quad K_2 = \tau - r.

Exact for data at a single point.  Order 2, on Gaussian data 3.  Two evaluations of the score a step.  One block
only.  Takes churn (`bounds.steps.churn`).

Source: docs/theory.md section 12.
"""

from bounds.steps.churn import PARAMETERS, Churned
from bounds.steps.rule import Rule, Sampler
from bounds.steps.stages import Stages, TwoStages

_RULE = Rule(drift=None, score_weight=None, score_defect=None, amplitude=None,
             stages=TwoStages(lambda n: Stages(1.0, n.first, 1.0, 0.0, n.whole),
                              middle=lambda tau, r: (tau + r) / 2, euler_to_zero=False))

SAMPLER = Sampler(
    key="midpoint",
    source="the midpoint method for the probability-flow ODE, docs/theory.md section 12",
    what="A step of the midpoint method for the probability-flow ODE in the noise level s/a: no noise, two "
    "evaluations.",
    exact="Exact for data at a single point.",
    one_block=_RULE, made=Churned(_RULE), parameters=PARAMETERS, strong_order=2)
