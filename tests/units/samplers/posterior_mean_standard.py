r"""The posterior mean with the noise that is right for standard normal data.

.. math:: P = \Phi^{-1}, \quad Q = \Phi^{-1}C, \quad n = \Phi^{-1}(1 - C/(a^2 + s^2)).

Exact for N(0, I) data; the mean of every step is exact for any.  Strong order 1.  One block only.

Source: docs/theory.md section 3, matched noise with c = 1/(1 + q).
"""

from bounds.steps.rule import Rule, Sampler, grown_noise, posterior_weight

SAMPLER = Sampler(
    key="posterior-mean-standard",
    source="docs/theory.md section 3, noise matched to N(0, I)",
    what="A step goes to the posterior mean, with the noise of standard normal data.",
    exact="Exact for N(0, I) data.",
    one_block=Rule(
        drift=None,
        score_weight=posterior_weight,
        score_defect=None,
        amplitude=lambda n, _: grown_noise(n) * (1 - n.C / (n.a_sq + n.s_sq)),
        amplitude_needs_path=True,
    ),
)
