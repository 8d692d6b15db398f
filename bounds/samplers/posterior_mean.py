r"""The posterior mean: a step goes to E[U_r | U_τ] by Tweedie's formula, with the noise of a flat score.

.. math:: P = \Phi^{-1}, \quad Q = \Phi^{-1}C, \quad n = \Phi(\sigma, r)^{-1},

and the same with matrices for k = 2.  The mean of every step is exact for any data, its noise where the score
is constant.  Strong order 1.

Source: Tweedie's formula; docs/theory.md section 3.
"""

from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows, reverse_flow_rows
from bounds.steps.rule import Rule, Sampler, grown_noise, posterior_weight


def _rows(path: PhasePath, times) -> Rows:
    return reverse_flow_rows(path, times, lambda _, gain: gain)


SAMPLER = Sampler(
    key="posterior-mean",
    source="Tweedie's formula (docs/theory.md section 3)",
    what="A step goes to the posterior mean, with the noise of a flat score.",
    exact="The mean of every step is exact for any data, its noise where the score is constant.",
    one_block=Rule(drift=None, score_weight=posterior_weight, score_defect=None,
                   amplitude=lambda n, _: grown_noise(n)),
    phase_space=_rows)
