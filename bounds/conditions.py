"""Hypotheses that several theorems share."""

import numpy as np

from bounds.assumptions.bounded_support import BoundedSupport
from bounds.recursion.equal_steps import MANY_STEPS
from bounds.setting import Setting
from bounds.steps.path import Path
from bounds.theorem import Condition

#: ∫f over one step beyond which 1 and 1 − e^{−2∫f} cannot be told apart well enough in floating point.
LONGEST = 12.0
#: Largest noise level s/a: its square and cube are floats.
LARGEST_LEVEL = 1e75


def _early_stop(setting: Setting):
    """Data without smoothness have no finite Fisher information at t = 0."""
    if setting.assumption.needs_early_stop and setting.scheme.grid.early_stop == 0:
        what = "bounded support" if isinstance(setting.assumption, BoundedSupport) else "a law with L0 = ∞"
        return f"{what} needs early stopping (early_stop > 0): its Fisher information at t = 0 may be infinite"
    return None


def _resolved(setting: Setting):
    """A sampler with P = Φ⁻¹ rests on e^{−2∫f} against 1, which longer steps lose to rounding."""
    if setting.process.blocks == 2 or setting.scheme.sampler.one_block.drift is not None:
        return None
    longest = _longest(setting)
    if longest > LONGEST:
        return (f"∫f over a step must be at most {LONGEST:g} for {setting.scheme.name}, got {longest:.4g}: "
                "take more steps")
    return None


def _longest(setting: Setting) -> float:
    """The largest ∫f over a step; of very many steps the largest mean of some together."""
    times = setting.scheme.grid.times
    if len(times) <= MANY_STEPS:
        return float(np.max(setting.table.path.F))
    together = -(-(len(times) - 1) // MANY_STEPS)
    kept = np.append(times[:-1:together], times[-1])
    return float(np.max(Path(setting.process, kept).F)) / together


def euler_maruyama_only(statement: str) -> Condition:
    """The sampler is Euler–Maruyama, in the words of a theorem."""
    return Condition("Euler–Maruyama", statement, lambda setting: (
        None if setting.scheme.key == "euler-maruyama" and setting.scheme.last_step_noise
        else f"stated for euler-maruyama, got {setting.scheme.name}"))


def _multistep(setting: Setting):
    """A sampler with a past has no bound here."""
    return (f"multistep: no bound is known here, got {setting.scheme.key}"
            if setting.process.blocks == 1 and setting.scheme.sampler.multistep is not None else None)


def _has_noise(setting: Setting):
    if reason := _multistep(setting):
        return reason
    sampler = setting.scheme.sampler
    if not sampler.follows_ode:
        return None
    noise = "noise between its steps only" if sampler.stages is not None and sampler.stages.churn else "no noise"
    return f"{sampler.name} has {noise}: its steps follow the probability-flow ODE, as in the theorem flow"


def _follows_ode(setting: Setting):
    if reason := _multistep(setting):
        return reason
    return (None if setting.scheme.sampler.follows_ode
            else f"stated for samplers of the probability-flow ODE, got {setting.scheme.name}, whose steps have noise")


def _one_evaluation(setting: Setting):
    if reason := _multistep(setting):
        return reason
    return (f"{setting.scheme.name} evaluates the score {setting.scheme.sampler.evaluations} times a step"
            if setting.process.blocks == 1 and setting.scheme.sampler.evaluations > 1 else None)


def _in_time(setting: Setting):
    """A score of another time than the state's is another function."""
    if setting.process.blocks == 1 or setting.scheme.sampler.score_at is None:
        return None
    return (f"{setting.scheme.name} asks for the score of another time than the state's: no bound is known here "
            "(score_at = 0.5 is where the state is)")


def _one_problem(setting: Setting):
    return "evaluated one problem at a time" if setting.shape else None


def _levels(setting: Setting):
    """In Y = X/a there is no horizon at which a vanishes."""
    if setting.process.blocks != 1 or setting.scheme.sampler.one_block is None:
        return None
    with np.errstate(over="ignore"):
        path = setting.table.path
    smallest = float(np.min(path.a))
    if smallest > 0 and np.sqrt(path.s_sq[0]) / smallest <= LARGEST_LEVEL:
        return None
    return f"a(t) must be so large that s/a is at most {LARGEST_LEVEL:g}, got a = {smallest:.4g}: take a smaller horizon"


def _one_block(setting: Setting):
    blocks = setting.process.blocks
    return None if blocks == 1 else f"the process has {blocks} blocks, this form needs 1"


ONE_PROBLEM = Condition("one problem", "constants are numbers", _one_problem)
ONE_BLOCK = Condition("one block", "k = 1", _one_block)
ONE_EVALUATION = Condition("one evaluation", "the sampler evaluates the score once a step", _one_evaluation)
LEVELS = Condition("noise levels", "s/a is at most 1e75", _levels)
HAS_NOISE = Condition("noise", "the steps have noise", _has_noise)
IN_TIME = Condition("score in time", "the score is that of the state's own time", _in_time)
FOLLOWS_ODE = Condition("no noise", "the sampler follows the probability-flow ODE", _follows_ode)
FINITE_FISHER = Condition("finite Fisher information", "I(p_{t0}) < ∞ at the last time t0", _early_stop)
RESOLVED = Condition("steps resolved in floating point", "∫f <= 12 over every step where P = Φ⁻¹", _resolved)
