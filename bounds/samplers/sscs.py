r"""Symmetric splitting of the Langevin process, the score in the middle: half a flow, a kick, half a flow.

The flow is :math:`dU = \tilde A U du + \Sigma dB`, solved exactly, and the kick takes the score less that of
the stationary law, both where the state is: at the time of the step's middle.  Its authors' code asks for the score of
the step's start: `sscs-start`.  Exact for data in the stationary law, where there is no kick.  Strong order 1.  Two
blocks only.

Source: after Dockhorn et al. 2022 (arXiv 2112.07068).
"""

from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler

SAMPLER = Sampler(key="sscs",
                  source="after Dockhorn et al. 2022 (arXiv 2112.07068): half flow, kick, half flow; the score at the "
                  "time of the step's middle",
                  what="Half a step of the linear flow, a kick by the score of the step's middle, half a step of the flow.",
                  exact="Exact for data in the stationary law.",
                  phase_space=Splitting(before=(("flow", 0.5),), after=(("flow", 0.5),)))
