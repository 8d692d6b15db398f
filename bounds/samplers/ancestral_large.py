r"""Ancestral sampling (DDPM) with the large variance: the posterior mean, with the noise of the forward step.

.. math:: P = \Phi^{-1}, \quad Q = \Phi^{-1}C, \quad n = \Phi\,\Phi(\sigma, r)^{-1}, \quad \int n^2 g^2 = C,

which is DDPM's :math:`\sigma_k^2 = \beta_k`, ``fixed_large``; `ancestral` is its ``fixed_small``.  Exact for
N(0, I) data where a² + s² = 1, so that the process leaves them as they are; the mean of every step is exact for any
data.  Strong order 1.  One block only.

Source: Ho et al. 2020 (arXiv 2006.11239) section 3.2.
"""

import numpy as np

from bounds.steps.rule import Rule, Sampler, posterior_weight


def _amplitude(nodes, _):
    """Φ(τ,σ)g, what the forward process makes of its noise until τ: its squared integral is C."""
    return np.exp(nodes.F - nodes.F_end) * np.sqrt(nodes.g_sq)


SAMPLER = Sampler(
    key="ancestral-large",
    source="Ho et al. 2020 (DDPM) section 3.2, σ² = β, known as fixed_large",
    what="A step goes to the posterior mean, with noise of the variance of the forward step.",
    exact="Exact for N(0, I) data where a² + s² = 1.",
    one_block=Rule(drift=None, score_weight=posterior_weight, score_defect=None, amplitude=_amplitude,
                   from_noise="noise"))
