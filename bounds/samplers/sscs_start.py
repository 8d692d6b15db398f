r"""Symmetric splitting of the Langevin process, the score at the start: half a flow, a kick, half a flow.

The steps of `sscs` as its authors run them: the state is that of the step's middle, the score that of the time of the
step's start.  Exact for data in the stationary law, where there is no kick.  Strong order 1.  Two blocks only.

Source: Dockhorn et al. 2022 (arXiv 2112.07068), as implemented.
"""

from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler

SAMPLER = Sampler(key="sscs-start",
                  source="Dockhorn et al. 2022 (arXiv 2112.07068), as implemented: the score at the time of the step's "
                  "start",
                  what="Half a step of the linear flow, a kick by the score of the step's start, half a step of the flow.",
                  exact="Exact for data in the stationary law.",
                  phase_space=Splitting(before=(("flow", 0.5),), after=(("flow", 0.5),), score_at=0.0))
