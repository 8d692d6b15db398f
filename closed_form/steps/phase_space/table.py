"""Every row of a sampler of position and velocity as numbers, with proved errors."""

from dataclasses import replace

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.affine import StepErrors, Steps
from bounds.steps.phase_space.table import check_scheme
from closed_form.steps.phase_space.damped import flow_of
from closed_form.steps.phase_space.rows import rows
from closed_form.within import Within


def phase_steps(process: ForwardProcess, scheme: Scheme) -> Steps:
    """The rows of a scheme in extended precision, with their errors.

    A sampler that `closed_form.steps.phase_space.rows` does not know has the numbers of its own table, which
    is said.

    Raises
    ------
    ValueError
        If the process is not usable up to the horizon, or the scheme has no two-block form.
    """
    flow, times = flow_of(process), scheme.grid.times
    clock = flow.clock(times)
    check_scheme(scheme, flow.fastest * float(np.max(clock.value[:-1] - clock.value[1:])))
    found = rows(scheme.sampler, flow, times, clock, not scheme.last_step_noise)
    if found is None:
        steps = scheme.steps(process)
        none = (np.zeros_like(getattr(steps, name))
                for name in ("P", "Q", "noise_var", "a", "s_sq", "prior_var"))
        return replace(steps, errors=StepErrors(*none, estimated="the sampler's rows are those of the bound"))
    _, *maps = found
    asked = _asked_at(scheme.sampler.score_at, clock, found[0])
    prior = flow.stationary if scheme.prior_covariance is None else Within(scheme.prior_covariance)
    numbers = *maps, *flow.kernel(asked), prior
    errors = StepErrors(*(number.error for number in numbers), estimated=flow.unproved)
    found = Steps(asked.value.astype(float), *(number.value for number in numbers), errors)
    return scheme.started(found)


def _asked_at(fraction: float | None, grid: Within, clock: Within) -> Within:
    """Where the score is asked: where rows start, or at a fraction of the grid's steps; the first row has no kick."""
    if fraction is None:
        return clock
    return Within.concatenate([clock[:1], grid[:-1] - fraction * (grid[:-1] - grid[1:]), clock[-1:]])
