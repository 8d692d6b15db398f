r"""DPM-Solver++(2M): two steps in a row, in half the log of the signal-to-noise ratio, λ = log(a/s) = −log σ.

.. math:: Y_r = \frac{r}{\tau} Y + \Bigl(1 - \frac{r}{\tau}\Bigr)
          \Bigl((1 + w) D(Y, \tau) - w D_{before}\Bigr), \qquad
          w = \frac{\lambda(r) - \lambda(\tau)}{2 (\lambda(\tau) - \lambda(\tau_{before}))},

with D = E[X_0 | Y]; w = 0 in the first step, which is DDIM's, and in one to σ = 0, as in the authors' code.
Exact for data at a single point.  Order 2.  One evaluation of the score a step.  One block only.

Source: Lu et al. 2022 (arXiv 2211.01095) algorithm 2.
"""

from bounds.steps.multistep import Blend, Multistep, Spans
from bounds.steps.rule import Rule, Sampler


def _blend(n: Spans) -> Blend:
    """r/τ, and (1 − r/τ) times 1 + w and −w."""
    fresh, w = n.whole / n.tau, n.ratio / 2
    return Blend(n.r / n.tau, fresh * (1 + w), -1 * fresh * w)


SAMPLER = Sampler(
    key="dpmpp-2m",
    source="Lu et al. 2022 (arXiv 2211.01095) algorithm 2",
    what="A step of DPM-Solver++(2M) for the probability-flow ODE in the log of the noise level: no noise, "
    "and the prediction of the step before is used again.",
    exact="Exact for data at a single point.",
    one_block=Rule(drift=None, score_weight=None, score_defect=None, amplitude=None,
                   multistep=Multistep(_blend), from_noise="forward"),
    strong_order=2)
