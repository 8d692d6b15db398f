"""A Python callable as a function of time, for coefficients that no expression says."""

from collections.abc import Callable

import numpy as np
import sympy
from sympy.utilities.lambdify import implemented_function

from bounds.symbolic.integrals import TIME


def own_function(name: str, function: Callable) -> sympy.Expr:
    """``name(t)`` with the values of a callable, of an array of times or of one time.

    Nothing is known of it between the times at which it is asked: results that rest on it say "not enclosed".
    """
    return implemented_function(sympy.Function(name, real=True), _Values(name, function))(TIME)


class _Values:
    """The callable on arrays of any shape, whichever way it takes them."""

    def __init__(self, name: str, function: Callable):
        self._name, self._function = name, function

    def __call__(self, times):
        times = np.asarray(times, dtype=float)
        try:
            values = np.asarray(self._function(times))
        except Exception:  # of one number at a time, or it is said below what is wrong
            values = None
        if values is None or values.shape != times.shape or values.dtype.kind not in "fciu":
            values = np.array([self._at(float(time)) for time in times.ravel()]).reshape(times.shape)
        return values

    def _at(self, time: float) -> float:
        try:
            return float(self._function(time))
        except Exception as error:  # whatever the user's own function does
            why = " ".join(str(error).split())
            raise ValueError(f"process: {self._name} must be a callable that takes a time to a number, at t "
                             f"= {time:.6g} it ends with {type(error).__name__}: {why}") from error
