r"""Ancestral sampling (DDPM): the posterior mean, with the noise of U_r given U_τ and X_0.

.. math:: P = \Phi^{-1}, \quad Q = \Phi^{-1}C, \quad n = \Phi^{-1}(1 - C/s^2).

Exact for data at a single point, where X_0 is known; the mean of every step is exact for any data.  Strong
order 1/2 down to time 0, as the last step has no noise at all; 1 where it stops earlier.  One block only.

Source: Ho et al. 2020 (arXiv 2006.11239).
"""

from bounds.steps.rule import Rule, Sampler, bridged_noise, posterior_weight

SAMPLER = Sampler(
    key="ancestral",
    source="Ho et al. 2020 (DDPM), variance of U_r given U_τ and X_0",
    what="A step goes to the posterior mean, with the noise that is left when the data are known.",
    exact="Exact for data at a single point.",
    one_block=Rule(
        drift=None, score_weight=posterior_weight, score_defect=None,
        amplitude=lambda n, _: bridged_noise(n),
        amplitude_needs_path=True, closed_noise=lambda C, lower, upper: C * lower / upper,
        from_noise="forward"),
    strong_order=0.5)
