r"""Symmetric splitting of the Langevin process (SSCS): half a flow, a kick by the score, half a flow.

The flow is :math:`dU = \tilde A U du + \Sigma dB`, solved exactly, and the kick takes the score less that of
the stationary law.  The score is that of the time of the step's middle, where the state is; implementations ask at that
state for the score of the time of the step's start (``score_at=0``).  Exact for data in the stationary law, where there
is no kick.  Strong order 1.  Two blocks only.

Source: Dockhorn et al. 2022 (arXiv 2112.07068).
"""

from bounds.steps.parameters import Parameter
from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler


def _splitting(score_at: float) -> Splitting:
    """The step whose score is that of this fraction of it; the kick is in the middle."""
    return Splitting(before=(("flow", 0.5),), after=(("flow", 0.5),), score_at=None if score_at == 0.5 else score_at)


SAMPLER = Sampler(key="sscs", source="Dockhorn et al. 2022 (arXiv 2112.07068): half flow, kick, half flow",
                  what="Half a step of the linear flow, a kick by the score, half a step of the flow.",
                  exact="Exact for data in the stationary law.",
                  phase_space=_splitting(0.5), made=_splitting,
                  parameters=(Parameter("score_at", "fraction of a step whose time the score is asked at: 0.5 where the "
                                        "state is, 0 as published implementations have it", 0.5, most=0.5),))
