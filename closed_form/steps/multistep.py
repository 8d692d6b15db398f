"""The numbers of steps that use what the step before saw, in balls around what `closed_form.steps.table`
finds."""

import numpy as np

from bounds.sampler import Scheme
from bounds.steps.affine import Past, PastErrors, StepErrors, Steps
from bounds.steps.multistep import Multistep, Spans
from closed_form.steps.prior import prior_of
from closed_form.steps.stages import PRECISION, columns, forward_law, levels_of


def multistep_steps(numbers, rule: Multistep, scheme: Scheme) -> Steps:
    """The steps of a rule from the forward law at the grid's times, from the prior of a scheme.

    Parameters
    ----------
    numbers : closed_form.steps.table.StepNumbers
        Of the grid: ∫f, C, a and s² with their errors.
    """
    from flint import ctx

    times = scheme.grid.times
    with ctx.workprec(PRECISION):
        rows = list(_rows(numbers, rule, to_zero=bool(times[-1] == 0)))
    (P, P_error), (Q, Q_error), *parts = columns(rows)
    a, s_sq, a_error, s_sq_error = forward_law(numbers)
    prior_var, prior_error = prior_of(scheme, a[0], s_sq[0], a_error[0], s_sq_error[0])
    none = np.zeros(len(P))
    errors = StepErrors(P_error, Q_error, none, a_error, s_sq_error, prior_error, numbers.estimated)
    past = Past(*(value for value, _ in parts), PastErrors(*(error for _, error in parts)))
    return Steps(times, P, Q, none, a, s_sq, prior_var, errors, past=past)


def _rows(numbers, rule: Multistep, to_zero: bool):
    """(P, Q, keep, now, before) of every step, in balls."""
    from flint import arb

    F, a, std, sigma, gaps = levels_of(numbers)
    last, before = len(F) - 1, None
    for step in range(len(F)):
        end = to_zero and step == last
        length = None if end else (1 + gaps[step] / sigma[step + 1]).log()
        ratio = arb(0) if before is None or end else length / before
        keep, now, past = rule.coefficients(Spans(sigma[step], sigma[step + 1], gaps[step], ratio))
        before = length
        yield (1 / a[step], std[step] * std[step] / a[step], keep * F[step].exp(), now * a[step + 1],
               past * a[step + 1])
