"""A scheme with churn on a process of one block: its steps, each from its raised level, and the noise between
them."""

from dataclasses import replace

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.affine import SecondStage, Steps
from bounds.steps.churn import layers, raised_times
from bounds.steps.path import Path, check_drift


def without_churn(scheme):
    """The scheme with the same sampler's plain steps."""
    rule = scheme.sampler.one_block
    plain = replace(rule, stages=replace(rule.stages, churn=None))
    return replace(scheme, sampler=replace(scheme.sampler, one_block=plain))


class ChurnTable:
    """What `bounds.steps.stage_table.StageTable` is for samplers without churn.

    Made of what `bounds.sampler.Scheme.steps` takes.

    Attributes
    ----------
    path : Path
        Along the grid's own times.
    upper : array of shape (k,)
        Where the steps start.
    layers : list
        (The scheme of plain steps on the grid of a layer, rows of these, steps that they are).
    """

    def __init__(self, process: ForwardProcess, scheme, assumption=None):
        self.scheme, self.rule, self._process = scheme, scheme.sampler.one_block, process
        times = scheme.grid.times
        finest = 0.0 if assumption is None else float(1 / np.max(assumption.smoothness))
        self.path = path = Path(process, times, finest=finest)
        check_drift(path)
        self.prior_var = float(scheme.prior_var(path.a[0] ** 2, path.s_sq[0]))
        self.upper = raised_times(process, times, self.rule.stages.churn)
        plain, self._assumption = without_churn(scheme), assumption
        self.layers = [(replace(plain, grid=type(scheme.grid)(layer.times, "list")), layer.rows, layer.which)
                       for layer in layers(self.upper, times[1:])]

    def steps(self) -> Steps:
        """The numbers of every step, as the sampler and its exact law use them: noise is added at its end."""
        times, count = self.scheme.grid.times, len(self.upper)
        columns, last = np.empty((10, count)), (0.0, 0.0)
        for scheme, rows, which in self.layers:
            found = scheme.steps(self._process, self._assumption)
            second = found.second
            columns[:, which] = [each[rows] for each in (
                found.P, found.Q, found.a[:-1], found.s_sq[:-1], second.keep, second.P, second.Q, second.a,
                second.s_sq, second.time)]
            if which[-1] == count - 1:
                last = found.a[-1], found.s_sq[-1]
        P, Q, a, s_sq, keep, again, weight, a_m, s_sq_m, between = columns
        shrink, noise = self._moves(times)
        second = SecondStage(between, keep * shrink, again * shrink, weight * shrink, a_m, s_sq_m)
        return Steps(np.append(self.upper, times[-1]), P, Q, noise, np.append(a, last[0]),
                     np.append(s_sq, last[1]), self.prior_var, second=second,
                     from_mean=self.scheme.from_mean)

    def _moves(self, times):
        """What the noise after every step multiplies by, and its variance."""
        shrink, noise = np.ones(len(self.upper)), np.zeros(len(self.upper))
        after = np.flatnonzero(self.upper[1:] > times[1:-1])
        for layer in layers(self.upper[1:][after], times[1:-1][after]):
            path, place = Path(self._process, layer.times), after[layer.which]
            shrink[place], noise[place] = np.exp(-path.F[layer.rows]), path.C[layer.rows]
        return shrink, noise
