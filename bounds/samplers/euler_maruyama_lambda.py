r"""Euler–Maruyama for the SDE between the probability-flow ODE and the reverse SDE, coefficients held over a
step.

.. math:: dX = \bigl(f X + \tfrac12 (1 + \lambda^2) g^2 s\bigr) |dt| + \lambda g\, dB: \qquad
          P = 1 + h f(\tau), \quad Q = \tfrac12 (1 + \lambda^2) h g(\tau)^2, \quad n = \lambda g(\tau)/g.

Its law at every time is that of the forward process, whatever λ.  λ = 1, the default, is
`frozen-euler-maruyama`, λ = 0 `ode-euler`.  Exact where f = 0, g is constant and the score does not change
over a step.  Strong order 1.  One block only.

Source: Song et al. 2021 (arXiv 2011.13456) eq. (13) and Karras et al. 2022 (arXiv 2206.00364) eq. (6);
docs/theory.md section 12.
"""

import numpy as np

from bounds.steps.parameters import At, Parameter
from bounds.steps.rule import Rule, Sampler

#: λ beyond which a step is next to noise alone.
LARGEST = 1000.0


def _drift(nodes):
    return nodes.f_end + 0 * nodes.f


def _weight(nodes, share):
    return share * nodes.g_sq_end + 0 * nodes.g_sq


def _defect(nodes, left):
    """Φ⁻¹C − Q from what frozen coefficients miss of the reverse SDE, and what λ leaves of its drift."""
    frozen = np.expm1(2 * nodes.F - nodes.F_end) * nodes.g_sq + (nodes.g_sq - nodes.g_sq_end)
    return frozen + left * nodes.g_sq_end


def _amplitude(nodes, _, size):
    return size * np.sqrt(nodes.g_sq_end)


def _rule(value: float) -> Rule:
    """The step with this λ."""
    weight = At(_weight, ((1 + value**2) / 2,))
    if value == 0:
        return Rule(drift=_drift, score_weight=weight, score_defect=None, amplitude=None)
    return Rule(drift=_drift, score_weight=weight, score_defect=At(_defect, ((1 - value**2) / 2,)),
                amplitude=At(_amplitude, (value,)), coupling=value)


SAMPLER = Sampler(
    key="euler-maruyama-lambda",
    source="Euler–Maruyama of the SDE between flow and reverse process (arXiv 2206.00364 eq. (6))",
    what="A step of Euler–Maruyama for the SDE with λ times the noise of the reverse process and its laws; "
    "coefficients, state and score are held.",
    exact="Exact where f = 0, g is constant and the score does not change over a step.",
    one_block=_rule(1.0), made=_rule,
    parameters=(Parameter("lambda", "λ: 0 is ode-euler, 1 frozen-euler-maruyama", 1.0, most=LARGEST,
                          drawn=(0.05, 1.4)),))
