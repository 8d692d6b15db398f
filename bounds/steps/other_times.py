r"""Steps that ask for the score of other times than the state's, as lists of a sampler that are off by one do.

.. math:: y \leftarrow P_i y + Q_i s(\mathrm{asked}_i, y) + N(0, \mathrm{noise\_var}_i I).

Such a step is one of two evaluations (`bounds.steps.affine.SecondStage`) whose first stays where it is: P = 1, Q = 0, and
then P′, Q′ with the score of the time that is asked for.
"""

from dataclasses import replace

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.affine import SecondErrors, SecondStage, Steps
from bounds.steps.path import Path


def asked_at(steps: Steps, asked: np.ndarray, a, s_sq, a_error=None, s_sq_error=None) -> Steps:
    """Steps of one evaluation with the score of the times ``asked``, where the forward law is a and s²: shape (k,)."""
    none, errors, off = np.zeros(len(steps)), steps.errors, None
    if errors is not None:
        off = SecondErrors(none, errors.P, errors.Q, none if a_error is None else a_error,
                           none if s_sq_error is None else s_sq_error)
        errors = replace(errors, P=none, Q=none)
    second = SecondStage(asked, none, steps.P, steps.Q, a, s_sq, off)
    return replace(steps, P=none + 1, Q=none, errors=errors, second=second)


def forward_law(process: ForwardProcess, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a, s²) at positive times in any order."""
    times, places = np.unique(np.append(asked, 0.0), return_inverse=True)
    path, back = Path(process, times[::-1]), len(times) - 1 - places[:-1]
    return path.a[back], path.s_sq[back]
