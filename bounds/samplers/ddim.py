r"""DDIM: Euler's method for the probability-flow ODE in the noise level σ = s/a, the noise predicted being held.

.. math:: P = \Phi^{-1}, \quad Q = s(\tau)\,\bigl(\Phi^{-1} s(\tau) - s(r)\bigr), \quad n = 0.

The same step is known as DPM-Solver-1, as Euler's method of EDM and, for flow matching, as that of rectified
flow.  Exact for data at a single point.  Order 1.  One block only.

Source: Song, Meng and Ermon 2021 (arXiv 2010.02502) eq. (12); docs/theory.md section 12.
"""

import numpy as np

from bounds.steps.rule import Rule, Sampler


def _weight(F, C, lower, upper):
    """s(τ) (Φ⁻¹s(τ) − s(r)) without cancellation: s²(τ) = Φ² s²(r) + C."""
    root = np.sqrt(upper)
    return np.exp(F) * C * (root / (root + np.exp(-1 * F) * np.sqrt(lower)))


SAMPLER = Sampler(
    key="ddim",
    source="Song, Meng and Ermon 2021 (arXiv 2010.02502) eq. (12), with η = 0",
    what="A step of Euler's method for the probability-flow ODE in the noise level s/a: no noise.",
    exact="Exact for data at a single point.",
    one_block=Rule(drift=None, score_weight=None, score_defect=None, amplitude=None, closed_weight=_weight,
                   holds_noise=True))
