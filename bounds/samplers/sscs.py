r"""Symmetric splitting of the Langevin process (SSCS): half a flow, a kick by the score, half a flow.

The flow is :math:`dU = \tilde A U du + \Sigma dB`, solved exactly, and the kick takes the score less that of
the stationary law.  Exact for data in the stationary law, where there is no kick.  Strong order 1.  Two
blocks only.

Source: Dockhorn et al. 2022 (arXiv 2112.07068).
"""

from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler

SAMPLER = Sampler(key="sscs", source="Dockhorn et al. 2022 (arXiv 2112.07068): half flow, kick, half flow",
                  what="Half a step of the linear flow, a kick by the score, half a step of the flow.",
                  exact="Exact for data in the stationary law.",
                  phase_space=Splitting(before=(("flow", 0.5),), after=(("flow", 0.5),)))
