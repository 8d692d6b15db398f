r"""Leapfrog: position, friction and velocity by half steps around the kick, the same backwards after it.

A palindrome, so that without noise and friction a step can be undone.  Never exact for a step of positive
length: the flow itself is split.  Strong order 1.  Two blocks only.

Source: after Leimkuhler and Matthews 2013.
"""

from bounds.steps.phase_space.splitting import Splitting
from bounds.steps.rule import Sampler

SAMPLER = Sampler(
    key="leapfrog",
    source="palindrome of drift, friction, force around the kick (after Leimkuhler and Matthews 2013)",
    what="Drift, friction and force by half steps around the kick, the same backwards after it.",
    exact="Never exact for a step of positive length.",
    phase_space=Splitting(
        before=(("drift", 0.5), ("friction", 0.5), ("force", 0.5)),
        after=(("force", 0.5), ("friction", 0.5), ("drift", 0.5))))
