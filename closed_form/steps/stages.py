"""The numbers of steps with two score evaluations, in balls around what `closed_form.steps.table` finds."""

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.affine import SecondErrors, SecondStage, StepErrors, Steps
from bounds.steps.formulas import coefficients
from bounds.steps.stages import EULER, Levels, Refinement, Stages, TwoStages
from closed_form.steps.polynomials import WIDE, extended
from closed_form.steps.prior import prior_of

#: Bits in which coefficients are evaluated.
PRECISION = 160
_EPS = float(np.finfo(WIDE).eps)
_TIMES = {"f", "g_sq", "f_r", "g_r_sq"}


def two_stage_steps(numbers, process: ForwardProcess, cut: Refinement, rule: TwoStages,
                    scheme: Scheme) -> Steps:
    """The steps of a rule from the forward law at the times of all evaluations, from the prior of a scheme.

    Parameters
    ----------
    numbers : closed_form.steps.table.StepNumbers
        Of ``cut.times``: ∫f, C, a and s² with their errors.
    """
    from flint import ctx

    with ctx.workprec(PRECISION):
        rows = list(_rows(numbers, process, cut, rule))
    (P, P_error), (Q, Q_error), *later = columns(rows)
    (keep, keep_error), (again, again_error), (weight, weight_error) = later
    law = forward_law(numbers)
    ends = np.append(cut.start, cut.end[-1])
    a, s_sq, a_error, s_sq_error = (values[ends] for values in law)
    second = SecondStage(cut.times[cut.middle], keep, again, weight,
                         *(values[cut.middle] for values in law[:2]),
                         SecondErrors(keep_error, again_error, weight_error,
                                      *(values[cut.middle] for values in law[2:])))
    prior_var, prior_error = prior_of(scheme, a[0], s_sq[0], a_error[0], s_sq_error[0])
    errors = StepErrors(P_error, Q_error, np.zeros(len(P)), a_error, s_sq_error,
                        prior_error, numbers.estimated)
    return Steps(cut.times[ends], P, Q, np.zeros(len(P)), a, s_sq, prior_var, errors, second)


def _rows(numbers, process, cut: Refinement, rule: TwoStages):
    """(P, Q, keep, P′, Q′) of every step, in balls."""
    from flint import arb

    F, a, std, sigma, gaps = levels_of(numbers)
    times = cut.times.tolist()
    for step, (start, middle, end) in enumerate(zip(cut.start, cut.middle, cut.end, strict=True)):
        known = {}
        if rule.coefficients_of_time:
            needed = {"f", "g_sq"} if cut.euler[step] else _TIMES
            found = coefficients(process, [(times[start], times[end])], needed)
            known = {name: found[name][0] if name in needed else arb(0) for name in _TIMES}
        whole = gaps[start] + (gaps[end - 1] if end > middle else 0)
        level = Levels(sigma[start], sigma[middle], sigma[end], gaps[start], whole, a[start], a[middle],
                       a[end],
                       arb(times[start]) - arb(times[end]), **known)
        stages = rule.coefficients(level)
        if cut.euler[step]:
            stages = Stages(**(stages._asdict() | EULER))
        after = F[end - 1].exp() if end > middle else arb(1)
        before = F[start].exp()
        yield tuple(arb(0) + each for each in (
            stages.pi * before, stages.kappa * a[middle] * std[start], stages.keep * before * after,
            stages.again * after,
            stages.weight * a[end] * std[middle]))


def levels_of(numbers) -> tuple:
    """∫f, a, s, σ and what σ falls by over every step without cancellation, in balls, in the grid's order."""

    def balls(values, errors):
        return [ball(x, off) for x, off in zip(values[numbers.extra:][::-1], errors[numbers.extra:][::-1],
                                               strict=True)]

    F, C = balls(numbers.F, numbers.F_error), balls(numbers.C, numbers.C_error)
    a, s_sq = balls(numbers.a, numbers.a_error), balls(numbers.s_sq, numbers.s_sq_error)
    std = [_root(each) for each in s_sq]
    sigma = [one / other for one, other in zip(std, a, strict=True)]
    return F, a, std, sigma, [C[i] / (a[i] * a[i] * (sigma[i] + sigma[i + 1])) for i in range(len(C))]


def columns(rows: list) -> list:
    """Columns of balls as numbers in extended precision, with their errors."""
    found = [(np.array([extended(each) for each in column], dtype=WIDE),
              np.array([float(each.rad()) for each in column])) for column in zip(*rows, strict=True)]
    return [(value, error + 2 * _EPS * np.abs(value).astype(float)) for value, error in found]


def forward_law(numbers) -> list:
    """a, s² and their errors at the times of the grid, in its order."""
    return [values[numbers.extra:][::-1] for values in (numbers.a, numbers.s_sq, numbers.a_error,
                                                        numbers.s_sq_error)]


def _root(square):
    """√ of a ball of something that is not negative."""
    from flint import arb

    return square.sqrt() if square >= 0 else arb(0).union(arb(square.upper()).sqrt())


def ball(middle, error):
    """A number in extended precision and what it may be off by as a ball."""
    from flint import arb

    high = float(middle)
    return arb(high, float(error) * (1 + 1e-12)) + float(middle - WIDE(high))
