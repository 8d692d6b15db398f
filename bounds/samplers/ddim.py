r"""DDIM: Euler's method for the probability-flow ODE in the noise level σ = s/a, the noise predicted being
held.

With η = 0, the default,

.. math:: P = \Phi^{-1}, \quad Q = s(\tau)\,\bigl(\Phi^{-1} s(\tau) - s(r)\bigr), \quad n = 0.

The same step is known as DPM-Solver-1, as Euler's method of EDM and, for flow matching, as that of rectified
flow.  With η up to 1 a step keeps less of the noise that is predicted and adds as much of its own:

.. math:: v = \eta^2 C \frac{s(r)^2}{s(\tau)^2}, \quad
          Q = s(\tau)\,\Bigl(\Phi^{-1} s(\tau) - \sqrt{s(r)^2 - v}\Bigr), \quad
          n = \eta \Phi^{-1}(1 - C/s^2),

v being the variance of its noise; η = 1 is `ancestral`.  Exact for data at a single point.  Order 1, with
noise 1/2 down to time 0, where the last step has none.  One block only.

Source: Song, Meng and Ermon 2021 (arXiv 2010.02502) eqs. (12) and (16); docs/theory.md section 12.
"""

import numpy as np

from bounds.steps.parameters import At, Parameter
from bounds.steps.rule import Rule, Sampler, bridged_noise


def _weight(F, C, lower, upper):
    """s(τ) (Φ⁻¹s(τ) − s(r)) without cancellation: s²(τ) = Φ² s²(r) + C."""
    root = np.sqrt(upper)
    return np.exp(F) * C * (root / (root + np.exp(-1 * F) * np.sqrt(lower)))


def _shares(F, lower, upper, eta):
    """k = Φ²s²(r)/s²(τ), what a step keeps of the noise's variance, and 1 − η²(1 − k)."""
    kept = np.exp(-2 * F) * (lower / upper)
    return kept, (1 - eta**2) + eta**2 * kept


def _noisy_weight(F, C, lower, upper, eta):
    """Φ⁻¹s²(τ)(1 − (k(1 − η²(1 − k)))^{1/2}) without cancellation: 1 − k = C/s²(τ)."""
    kept, rest = _shares(F, lower, upper, eta)
    return np.exp(F) * C * ((1 + eta**2 * kept) / (1 + np.sqrt(kept * rest)))


def _noisy_defect(F, C, lower, upper, eta):
    """Φ⁻¹C less that."""
    kept, rest = _shares(F, lower, upper, eta)
    share = (1 - eta**2) * (1 + eta**2 * kept) / (np.sqrt(rest) + eta**2 * np.sqrt(kept))
    return np.exp(F) * C * (np.sqrt(kept) * share / (1 + np.sqrt(kept * rest)))


def _amplitude(nodes, _, eta):
    return eta * bridged_noise(nodes)


def _variance(C, lower, upper, eta):
    return eta**2 * (C * lower / upper)


def _rule(eta: float) -> Rule:
    """The step with this η."""
    if eta == 0:
        return Rule(drift=None, score_weight=None, score_defect=None, amplitude=None, closed_weight=_weight,
                    holds_noise=True, from_noise="forward")
    defect = At(_noisy_defect, (eta,)) if eta < 1 else None
    return Rule(drift=None, score_weight=None, score_defect=None, amplitude=At(_amplitude, (eta,)),
                amplitude_needs_path=True, closed_noise=At(_variance, (eta,)),
                closed_weight=At(_noisy_weight, (eta,)), closed_defect=defect, coupling=eta, from_noise="forward")


SAMPLER = Sampler(
    key="ddim",
    source="Song, Meng and Ermon 2021 (arXiv 2010.02502) eq. (12), with η = 0 unless it is given",
    what="A step of Euler's method for the probability-flow ODE in the noise level s/a: no noise where η = 0, "
    "the noise of ancestral where η = 1.",
    exact="Exact for data at a single point.",
    one_block=_rule(0.0), made=_rule,
    parameters=(Parameter("eta", "η: 0 follows the probability-flow ODE, 1 the reverse SDE", 0.0, most=1.0,
                          drawn=(0.05, 1.0)),))
