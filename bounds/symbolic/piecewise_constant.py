"""A table of numbers as a function of time: constant between its times, and as exact as an expression."""

import numpy as np
import sympy

from bounds.symbolic.piecewise_linear import MAX_POINTS, exact_columns


class PiecewiseConstant(sympy.Function):
    """``PiecewiseConstant(t, times, values)``: value k on (times[k], times[k + 1]], undefined outside the table.

    At the time 0 it is the first value.  Times and values are the exact rationals that their floats are.
    """

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, t, times, values):
        """At a number, the number."""
        if not (t.is_Rational or t.is_Float):
            return None
        place = sympy.Rational(t)
        if not times[0] <= place <= times[-1]:
            return sympy.nan
        return values[max(int(np.searchsorted([float(x) for x in times], float(place), "left")) - 1, 0)]

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Times (n + 1,) and values (n,) as floats, which they are exactly."""
        return tuple(np.array([float(x) for x in part]) for part in self.args[1:])

    def _eval_is_nonnegative(self):
        return all(value >= 0 for value in self.args[2])

    def _eval_derivative(self, _):
        raise NotImplementedError("a table of constants has no derivative at its jumps")

    def _numpycode(self, printer, **_):
        times, values = (part.tolist() for part in self.points)
        t, name = printer._print(self.args[0]), printer._module_format
        padded = [float("nan"), *values, float("nan")]
        listed = ", ".join(repr(value) if value == value else name("numpy.nan") for value in padded)
        # 0 itself belongs to the first value
        inner = f"{name('numpy.where')}({t} == 0, {times[1]!r}, {t})"
        place = f"{name('numpy.searchsorted')}({times}, {inner}, 'left')"
        return f"{name('numpy.array')}([{listed}])[{place}]"

    def _sympystr(self, printer):
        return f"table of {len(self.args[2])} constants in {printer._print(self.args[0])}"

    def _latex(self, printer, **_):
        return rf"\mathrm{{table}}\left({printer._print(self.args[0])}\right)"


def step_table(name: str, times, values) -> PiecewiseConstant:
    """The function that is values[k] up to times[k + 1], in `bounds.symbolic.integrals.TIME`.

    Parameters
    ----------
    name : str
        What errors call it.
    times : array of shape (n + 1,)
        Increasing, the first 0; n from 1 to 3000.
    values : array of shape (n,)
        Finite.

    Raises
    ------
    ValueError
    """
    from bounds.symbolic.integrals import TIME

    times, values = (np.asarray(part, dtype=float) for part in (times, values))
    if times.ndim != 1 or values.shape != (len(times) - 1,) or not 1 <= len(values) <= MAX_POINTS:
        raise ValueError(f"{name} must be 1 to {MAX_POINTS} values between one time more, got times of shape "
                         f"{times.shape} and values of shape {values.shape}")
    return PiecewiseConstant(TIME, *exact_columns(name, times, values))
