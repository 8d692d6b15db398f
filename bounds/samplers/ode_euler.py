r"""Euler's method for the probability-flow ODE: coefficients, state and score are held over the step.

.. math:: P = 1 + h f(\tau), \quad Q = \tfrac12 h g(\tau)^2, \quad n = 0.

Exact where f, g and the state do not change over a step.  Order 1.  One block only.

Source: Song et al. 2021 (arXiv 2011.13456) eq. (13); docs/theory.md section 12.
"""

from bounds.steps.rule import Rule, Sampler

SAMPLER = Sampler(
    key="ode-euler",
    source="Euler's method for the probability-flow ODE (arXiv 2011.13456 eq. (13))",
    what="A step of Euler's method for the probability-flow ODE: no noise.",
    exact="Exact where the velocity does not change over a step.",
    one_block=Rule(drift=lambda n: n.f_end + 0 * n.f, score_weight=lambda n: n.g_sq_end / 2 + 0 * n.g_sq,
                   score_defect=None, amplitude=None))
