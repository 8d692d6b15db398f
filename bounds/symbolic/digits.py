"""An expression in t as a numpy function with all its digits: where floats would lose too many, it is worked out in balls."""

from functools import cached_property, lru_cache

import numpy as np
import sympy

from bounds.symbolic.balls import BallFunction, NotEnclosed
from bounds.symbolic.expressions import for_numbers, numpy_function
from bounds.symbolic.integrals import TIME

#: Bits that floats may lose of a value; so many are lost by 1 + sin(x) at x = 1,000.
ALLOWED = 12
#: Relative rounding of an expression as a matter of course.
USUAL = 2.0**-48
#: Values so many times smaller than the largest need not have as many digits.
FAR = 64
#: Bits of a float, the most that are said to be lost, and those of balls that are tried until a value has its digits.
FLOAT, MOST, PRECISIONS = 53, 1000, (128, 256, 1024, 4096)
#: Where in the times below a power of two it is looked how many bits are lost, also near time 0.
PLACES = 0.983, 0.713, 0.532, 0.271, 0.117, 3e-2, 7e-4, 2e-6, 3e-9
#: The same in a range of times from half of a power of two on.
WITHIN = 0.513, 0.619, 0.742, 0.871, 0.967


@lru_cache(maxsize=1024)
class InTime:
    """A function of t, asked for at arrays of times.

    Parameters
    ----------
    expression : sympy.Expr
        In `TIME`.
    """

    def __init__(self, expression: sympy.Expr) -> None:
        self._plain = numpy_function((TIME,), for_numbers(expression))
        self._expression = expression
        self._constant = not expression.free_symbols
        self._checked: dict[int, tuple[int, float]] = {}
        self._within: dict[int, tuple[int, float]] = {}

    @cached_property
    def _balls(self) -> BallFunction | None:
        try:
            return BallFunction(self._expression)
        except NotEnclosed:
            return None

    def __call__(self, times):
        """Values as numpy gives them, of any shape; what is not finite, or real, is left as it is found."""
        if self._constant or not np.size(times):
            return self._plain(times)
        if self.lost(float(np.max(times))) <= ALLOWED:
            return self._plain(times)
        values = np.array(np.broadcast_to(self._plain(times), np.shape(times)))
        octave = np.frexp(times)[1]
        for power in np.unique(octave).tolist():
            if self._look(self._within, power, WITHIN)[0] > ALLOWED:
                here = octave == power
                values[here] = self._by_balls(np.asarray(times)[here], values[here])
        return values

    def lost(self, latest: float) -> int:
        """The most bits that floats are seen to lose at times up to ``latest``, of values that are not far below the largest."""
        return self._seen(latest)[0]

    def rounding(self, latest: float) -> float:
        """By how much more than a few roundings values up to ``latest`` may be off, in shares of the largest."""
        bits, share = self._seen(latest)
        return share if bits <= ALLOWED and share > USUAL else 0.0

    def _seen(self, latest: float) -> tuple[int, float]:
        if self._constant or not 0 < latest < np.inf or self._balls is None:
            return 0, 0.0
        return self._look(self._checked, int(np.frexp(latest)[1]), PLACES)

    def _look(self, known: dict[int, tuple[int, float]], power: int, places: tuple[float, ...]) -> tuple[int, float]:
        """The most bits lost at places of the times below a power of two, and the largest rounding there."""
        if power not in known:
            from flint import arb, ctx

            with ctx.workprec(FLOAT):
                balls = [self._balls.interval(arb(2.0**power * place)) for place in places]
            # beyond a pole nothing is lost
            seen = [(float(abs(ball.mid())), float(ball.rad())) for ball in balls if ball.is_finite()]
            largest, off = (max((each[at] for each in seen), default=0.0) for at in (0, 1))
            shares = [off / max(size, largest / FAR) if largest else np.inf for size, off in seen if off]
            known[power] = (int(min(MOST, FLOAT + np.log2(max(shares, default=2.0**-FLOAT)))),
                            off / largest if largest else 0.0)
        return known[power]

    def _by_balls(self, times, plain):
        from flint import arb, ctx

        found = []
        for time, given in zip(times.tolist(), plain.tolist(), strict=True):
            for precision in PRECISIONS:
                with ctx.workprec(precision):
                    ball = self._balls.interval(arb(time))
                if not ball.is_finite() or ball.rel_accuracy_bits() >= FLOAT:
                    break
            found.append(float(ball) if ball.is_finite() else given)
        return found
