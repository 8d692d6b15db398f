"""The numbers of steps with churn: plain steps from raised levels, and the forward noise between them."""

from collections.abc import Callable

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.affine import SecondErrors, SecondStage, StepErrors, Steps
from bounds.steps.churn import layers, raised_times
from bounds.steps.stages import refined
from closed_form.steps.polynomials import WIDE
from closed_form.steps.prior import prior_of
from closed_form.steps.stages import two_stage_steps

_EPS = float(np.finfo(WIDE).eps)
#: What is gathered of every step, with its error: numbers of the step, of its second evaluation, of the law.
_FIRST, _SECOND, _LAW = ("P", "Q"), ("keep", "P", "Q", "a", "s_sq"), ("a", "s_sq")


def churned_steps(process: ForwardProcess, scheme: Scheme, numbers: Callable) -> Steps:
    """The steps of a scheme with churn, with their errors; noise is added at the end of a step.

    Parameters
    ----------
    numbers : callable
        (process, times, rule) -> `closed_form.steps.table.StepNumbers`.
    """
    from bounds.steps.churn_table import without_churn

    times, plain = scheme.grid.times, without_churn(scheme)
    rule, count = plain.sampler.one_block, len(times) - 1
    upper = raised_times(process, times, scheme.sampler.stages.churn)
    value, error = {}, {}
    time, estimated, last = np.empty(count), "", {}
    for layer in layers(upper, times[1:]):
        cut = refined(process, layer.times, rule.stages)
        found = two_stage_steps(numbers(process, cut.times, rule), process, cut, rule.stages, plain)
        off, second = found.errors, found.second
        estimated = estimated or found.estimated
        time[layer.which] = second.time[layer.rows]
        for names, home, doubt, label in ((_FIRST, found, off, ""), (_LAW, found, off, ""),
                                          (_SECOND, second, second.errors, "second ")):
            for name in names:
                for table, source in ((value, home), (error, doubt)):
                    column = table.setdefault(label + name, np.empty(count, dtype=WIDE))
                    column[layer.which] = getattr(source, name)[layer.rows]
        if layer.which[-1] == count - 1:
            last = {name: (getattr(found, name)[-1], getattr(off, name)[-1]) for name in _LAW}
        if layer.which[0] == 0:
            prior = prior_of(scheme, found.a[0], found.s_sq[0], off.a[0], off.s_sq[0])
    shrink, shrink_error, noise, noise_error = _moves(process, upper, times, rule, numbers)
    for name in _SECOND[:3]:
        size = np.abs(value[f"second {name}"])
        error[f"second {name}"] = (shrink * error[f"second {name}"] + shrink_error * size
                                   + 2 * _EPS * shrink * size)
        value[f"second {name}"] = shrink * value[f"second {name}"]
    plainly = {name: table.astype(float) for name, table in error.items()}
    law = {name: (np.append(value[name], end), np.append(plainly[name], float(off)))
           for name, (end, off) in last.items()}
    second = SecondStage(time, *(value[f"second {name}"] for name in _SECOND),
                         SecondErrors(*(plainly[f"second {name}"] for name in _SECOND)))
    errors = StepErrors(plainly["P"], plainly["Q"], noise_error.astype(float), law["a"][1], law["s_sq"][1],
                        prior[1], estimated)
    return Steps(np.append(upper, times[-1]), value["P"], value["Q"], noise, law["a"][0], law["s_sq"][0],
                 prior[0], errors, second)


def _moves(process, upper, times, rule, numbers):
    """What the noise after every step multiplies by and its variance, each followed by its error."""
    count = len(upper)
    shrink, noise, shrink_error, noise_error = (np.full(count, WIDE(one)) for one in (1, 0, 0, 0))
    after = np.flatnonzero(upper[1:] > times[1:-1])
    for layer in layers(upper[1:][after], times[1:-1][after]):
        found = numbers(process, layer.times, rule)
        place = after[layer.which]
        F, F_error, C, C_error = (getattr(found, name)[found.extra:][::-1][layer.rows]
                                  for name in ("F", "F_error", "C", "C_error"))
        shrink[place], noise[place], noise_error[place] = np.exp(-F), C, C_error
        shrink_error[place] = np.exp(-F) * (F_error + 4 * _EPS * (1 + np.abs(F)))
    return shrink, shrink_error, noise, noise_error
