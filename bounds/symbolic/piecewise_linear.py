"""A table of numbers as a function of time: linear between the points, and as exact as an expression."""

import numpy as np
import sympy

#: By how much of its radius a ball may reach across a point of the table and still be in one piece: a radius
#: has 30 bits, so that the ball of a part that ends at the point does reach across.
SLACK = 2.0**-26
MAX_POINTS = 3000


class PiecewiseLinear(sympy.Function):
    """``PiecewiseLinear(t, times, values)``: undefined outside the table.

    Times and values are the exact rationals that their floats are, so that no point moves.
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
        at = min(max(int(np.searchsorted([float(x) for x in times], float(place), "right")) - 1, 0),
                 len(times) - 2)
        part = (place - times[at]) / (times[at + 1] - times[at])
        return values[at] + part * (values[at + 1] - values[at])

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and values as floats, which they are exactly."""
        return tuple(np.array([float(x) for x in part]) for part in self.args[1:])

    def _eval_is_nonnegative(self):
        return all(value >= 0 for value in self.args[2])

    def _numpycode(self, printer, **_):
        times, values = (part.tolist() for part in self.points)
        interp = printer._module_format("numpy.interp")
        nan = printer._module_format("numpy.nan")
        return f"{interp}({printer._print(self.args[0])}, {times}, {values}, {nan}, {nan})"

    def _sympystr(self, printer):
        return f"table of {len(self.args[1])} points in {printer._print(self.args[0])}"

    def _latex(self, printer, **_):
        return rf"\mathrm{{table}}\left({printer._print(self.args[0])}\right)"


def table(name: str, times, values) -> PiecewiseLinear:
    """The function through the points (times, values) in `bounds.symbolic.integrals.TIME`.

    Parameters
    ----------
    name : str
        What errors call it.
    times, values : arrays of shape (n,)
        2 to 3000 increasing times, the first 0, and finite values.

    Raises
    ------
    ValueError
    """
    from bounds.symbolic.integrals import TIME

    times, values = (np.asarray(part, dtype=float) for part in (times, values))
    if times.ndim != 1 or times.shape != values.shape or not 2 <= len(times) <= MAX_POINTS:
        raise ValueError(f"{name} must be 2 to {MAX_POINTS} points (time, value), got times of shape {times.shape} and "
                         f"values of shape {values.shape}")
    return PiecewiseLinear(TIME, *exact_columns(name, times, values))


def exact_columns(name: str, times: np.ndarray, values: np.ndarray) -> list[sympy.Tuple]:
    """Times and values of a table as the exact rationals that their floats are.

    Raises ValueError if they are not finite, or the times do not increase from 0.
    """
    if not (np.all(np.isfinite(times)) and np.all(np.isfinite(values))):
        raise ValueError(f"{name} must have finite times and values")
    if times[0] != 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"{name} must have times that increase from 0, got {times[0]:g} first"
                         + (" and a step that does not" if np.any(np.diff(times) <= 0) else ""))
    return [sympy.Tuple(*(sympy.Rational(*float(x).as_integer_ratio()) for x in part)) for part in (times, values)]
