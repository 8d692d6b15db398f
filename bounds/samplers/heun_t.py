r"""Heun's method for the probability-flow ODE in time: the velocity is that of both ends of the step.

With p = 1 + h f(τ) and q = h g²(τ)/2 in x, and in Y = X/a and σ = s/a

.. math:: \pi = p \frac{a_\tau}{a_r}, \quad \kappa_1 = \frac{q}{a_r a_\tau \tau}, \quad m = r, \quad
          \Pi = \frac{a_\tau}{a_r} \bigl(1 + \tfrac h2 (f_\tau + f_r p)\bigr), \quad
          K_1 = \tfrac12 (1 + h f_r) \kappa_1, \quad K_2 = \frac{h g_r^2}{4 a_r^2 r};

to r = 0 a step of Euler's.  Exact where the velocity is linear in time along the step.  Order 2.  Two evaluations
of the score a step.  One block only.

Source: Song et al. 2021 (arXiv 2011.13456) eq. (13) by Heun's method; docs/theory.md section 12.
"""

from bounds.steps.rule import Rule, Sampler
from bounds.steps.stages import Stages, TwoStages


def _coefficients(n):
    return Stages(pi=(1 + n.h * n.f) * (n.a / n.a_r), kappa=n.h * n.g_sq / (2 * n.a_r * n.a * n.tau),
                  keep=n.a / n.a_r / 2, again=(1 + n.h * n.f_r) / 2,
                  weight=n.h * n.g_r_sq / (4 * n.a_r * n.a_r * n.r))


SAMPLER = Sampler(
    key="heun-t",
    source="Heun's method for the probability-flow ODE (arXiv 2011.13456 eq. (13))",
    what="A step of Heun's method for the probability-flow ODE in time: no noise, two evaluations.",
    exact="Exact where the velocity is linear in time along the step.",
    one_block=Rule(drift=None, score_weight=None, score_defect=None, amplitude=None,
                   stages=TwoStages(_coefficients, coefficients_of_time=True)),
    strong_order=2)
