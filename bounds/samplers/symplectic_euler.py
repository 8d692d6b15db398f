r"""Symplectic Euler: the kick and the velocity first, then the position with the new velocity.

Without noise and friction a step keeps volume, but cannot be undone by running it backwards.  Never exact for
a step of positive length.  Strong order 1.  Two blocks only.

Source: Hairer, Lubich and Wanner 2006, section I.1.
"""

from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler

SAMPLER = Sampler(
    key="symplectic-euler",
    source="velocity first, then position with the new velocity (Hairer, Lubich and Wanner 2006)",
    what="The kick and the velocity first, then the position with the new velocity.",
    exact="Never exact for a step of positive length.",
    phase_space=Splitting(before=(), after=(("force", 1.0), ("friction", 1.0), ("drift", 1.0))))
