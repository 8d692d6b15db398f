"""A scheme with two score evaluations a step on a process of one block: levels, coefficients, steps."""

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.affine import SecondStage, Steps
from bounds.steps.path import Path, check_drift
from bounds.steps.stages import EULER, Levels, Stages, refined


class StageTable:
    """What `bounds.steps.table.StepTable` is for samplers with one evaluation.

    Made of what `bounds.sampler.Scheme.steps` takes.

    Attributes
    ----------
    path : Path
        Along the times of all evaluations.
    refinement : bounds.steps.stages.Refinement
        Which of them are a step's.
    levels, stages : Levels, Stages
        Arrays of shape (k,).
    relative_error : array of shape (k,)
        What the coefficients may be off by, relative to their size.
    """

    def __init__(self, process: ForwardProcess, scheme, assumption=None):
        self.scheme, self.rule = scheme, scheme.sampler.one_block
        times, rule = scheme.grid.times, self.rule.stages
        self.refinement = cut = refined(process, times, rule)
        finest = 0.0 if assumption is None else float(1 / np.max(assumption.smoothness))
        self.path = path = Path(process, cut.times, finest=finest)
        check_drift(path)
        self.prior_var = float(scheme.prior_var(path.a[0] ** 2, path.s_sq[0]))
        sigma = np.sqrt(path.s_sq) / path.a
        # σ² grows by C/a² over a step upwards
        gaps = path.C / np.square(path.a[:-1]) / (sigma[:-1] + sigma[1:])
        gone = np.append(0.0, np.cumsum(path.F_error + _relative(path.C_error, path.C)))
        two = cut.end > cut.middle
        first = gaps[cut.start]
        whole = first + np.where(two, gaps[cut.end - 1], 0.0)
        self.relative_error = gone[cut.end] - gone[cut.start]
        ends = {}
        if rule.coefficients_of_time:
            ends = dict(f=process.f_values(times[:-1]), g_sq=process.g_sq_values(times[:-1]),
                        f_r=process.f_values(times[1:]), g_r_sq=process.g_sq_values(times[1:]))
        self.levels = Levels(tau=sigma[cut.start], m=sigma[cut.middle], r=sigma[cut.end], first=first,
                             whole=whole,
                             a=path.a[cut.start], a_m=path.a[cut.middle], a_r=path.a[cut.end],
                             h=times[:-1] - times[1:], **ends)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = rule.coefficients(self.levels)._asdict()
        self.stages = Stages(**{name: np.where(cut.euler, EULER.get(name, value), value) * np.ones(len(first))
                                for name, value in found.items()})

    def steps(self) -> Steps:
        """The numbers of every step, as the sampler and its exact law use them."""
        path, cut, stages = self.path, self.refinement, self.stages
        a, std = path.a, np.sqrt(path.s_sq)
        before, after = np.exp(path.F[cut.start]), np.exp(np.where(cut.end > cut.middle, path.F[cut.end - 1],
                                                                   0.0))
        second = SecondStage(cut.times[cut.middle], stages.keep * before * after, stages.again * after,
                             stages.weight * a[cut.end] * std[cut.middle], a[cut.middle],
                             path.s_sq[cut.middle])
        ends = np.append(cut.start, cut.end[-1])
        return Steps(self.scheme.grid.times, stages.pi * before,
                     stages.kappa * a[cut.middle] * std[cut.start], np.zeros(len(cut.start)), a[ends],
                     path.s_sq[ends],
                     self.prior_var, second=second, from_mean=self.scheme.from_mean)


def _relative(error, value):
    return np.where(value > 0, error / np.maximum(value, 1e-300), 0.0)
