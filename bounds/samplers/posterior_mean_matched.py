r"""The posterior mean with matched noise: the noise, too, is that of data with a posterior covariance c* I.

.. math:: P = \Phi^{-1}, \quad Q = \Phi^{-1}C, \quad n = \Phi^{-1}(I + C H(c^*)),

with c* the mean posterior covariance where it is known, else the middle of the envelope.  Exact for isotropic
Gaussian data with a tight envelope; the mean of every step is exact for any data.  Strong order 1.  One block
only.

Source: docs/theory.md section 3, matched noise.
"""

from bounds.steps.rule import Rule, Sampler, grown_noise, posterior_weight

SAMPLER = Sampler(
    key="posterior-mean-matched",
    source="docs/theory.md section 3, matched noise",
    what="A step goes to the posterior mean, with the noise of data whose posterior covariance is in the "
    "middle of the envelope.",
    exact="Exact for isotropic Gaussian data with a tight envelope.",
    one_block=Rule(
        drift=None, score_weight=posterior_weight, score_defect=None,
        # n = Φ⁻¹(I + C H(c*))
        amplitude=lambda n, hessian: grown_noise(n) * (1 + n.C * hessian),
        needs_envelope=True, amplitude_needs_path=True, from_noise="matched"))
