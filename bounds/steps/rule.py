r"""The table of samplers: P, Q and the noise n of one reverse step as integrands over it (docs/theory.md section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bounds.steps.path import StepNodes


@dataclass(frozen=True)
class Rule:
    r"""One row of the table of samplers (k = 1), written so that nothing cancels (F is ∫_r^σ f).

    Attributes
    ----------
    key, source : str
        Name in problem files; where the sampler comes from.
    drift : callable or None
        Integrand of P − 1; ``None`` when P = Φ⁻¹.
    score_weight : callable
        Integrand of Q over the step.
    score_defect : callable or None
        Integrand of :math:`c_2 = \Phi^{-1}C - Q`; ``None`` when Q = Φ⁻¹C.
    amplitude : callable
        (nodes, H*) -> n(σ)g(σ), whose squared integral is the noise variance.
    needs_envelope : bool
        True if the noise depends on the data assumption, through H*.
    amplitude_needs_path : bool
        True if n uses C, a² or s² at the nodes.
    """

    key: str
    source: str
    drift: Callable | None
    score_weight: Callable
    score_defect: Callable | None
    amplitude: Callable
    needs_envelope: bool = False
    amplitude_needs_path: bool = False


def _posterior_weight(nodes: StepNodes):
    # Φ(τ,r)⁻¹C(τ,r) = ∫ e^{2F(u) − F(τ)} g²(u) du
    return np.exp(2 * nodes.F - nodes.F_end) * nodes.g_sq


def _grown_noise(nodes: StepNodes):
    # Φ(σ,r)⁻¹ g
    return np.exp(nodes.F) * np.sqrt(nodes.g_sq)


EULER_MARUYAMA = Rule(
    key="euler-maruyama",
    source="arXiv 2311.11003 eq. (2.8)",
    drift=lambda n: n.f,
    score_weight=lambda n: n.g_sq,
    score_defect=lambda n: np.expm1(2 * n.F - n.F_end) * n.g_sq,
    amplitude=lambda n, _: np.sqrt(n.g_sq),
)
FROZEN_EULER_MARUYAMA = Rule(
    key="frozen-euler-maruyama",
    source="Euler–Maruyama with coefficients frozen at the start of the step",
    drift=lambda n: n.f_end,
    score_weight=lambda n: n.g_sq_end,
    score_defect=lambda n: np.expm1(2 * n.F - n.F_end) * n.g_sq + (n.g_sq - n.g_sq_end),
    amplitude=lambda n, _: np.sqrt(n.g_sq_end),
)
EXPONENTIAL = Rule(
    key="exponential",
    source="exponential integrator (docs/theory.md section 3)",
    drift=None,
    score_weight=lambda n: np.exp(n.F) * n.g_sq,
    score_defect=lambda n: np.exp(n.F) * np.expm1(n.F - n.F_end) * n.g_sq,
    amplitude=lambda n, _: _grown_noise(n),
)
POSTERIOR_MEAN = Rule(
    key="posterior-mean",
    source="Tweedie's formula (docs/theory.md section 3)",
    drift=None,
    score_weight=_posterior_weight,
    score_defect=None,
    amplitude=lambda n, _: _grown_noise(n),
)
POSTERIOR_MEAN_MATCHED = Rule(
    key="posterior-mean-matched",
    source="docs/theory.md section 3, matched noise",
    drift=None,
    score_weight=_posterior_weight,
    score_defect=None,
    # n = Φ⁻¹(I + C H(c*))
    amplitude=lambda n, hessian: _grown_noise(n) * (1 + n.C * hessian),
    needs_envelope=True,
    amplitude_needs_path=True,
)
ANCESTRAL = Rule(
    key="ancestral",
    source="Ho et al. 2020 (DDPM), variance of U_r given U_τ and X_0",
    drift=None,
    score_weight=_posterior_weight,
    score_defect=None,
    # ∫n²g² = C(τ,r) s²(r)/s²(τ)
    amplitude=lambda n, _: _grown_noise(n) * np.maximum(1 - n.C / n.s_sq, 0.0),
    amplitude_needs_path=True,
)

#: Every sampler by the key used in problem files.
SCHEMES = {
    rule.key: rule
    for rule in (
        EULER_MARUYAMA,
        FROZEN_EULER_MARUYAMA,
        EXPONENTIAL,
        POSTERIOR_MEAN,
        POSTERIOR_MEAN_MATCHED,
        ANCESTRAL,
    )
}
